/* supervisor.h -- the parent: listeners, privileges, workers and their lives.
 */
#ifndef CORE_SUPERVISOR_H
#define CORE_SUPERVISOR_H

#include "core/config/config.h"

/* `smarthost run`: returns the exit status (sysexits.h) when everything has
 * stopped.  Takes the configuration over. */
int supervisor_run(
    struct config *config, const struct config_arguments *arguments);

#endif
