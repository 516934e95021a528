/* config_check.h -- whether what a configuration names can be used: keys,
 * certificates, passwords.  core/config knows their text alone. */
#ifndef CORE_CONFIG_CHECK_H
#define CORE_CONFIG_CHECK_H

#include <stdbool.h>
#include <stdio.h>

#include "core/config/config.h"

/* Every problem is written to `out`, a line each, "file:line: message".  What
 * is as it was in `before`, which was good, is not looked at again; NULL: there
 * is none. */
bool config_check(
    const struct config *c, const struct config *before, FILE *out);

/* Loads and checks; NULL after complaints. */
struct config *config_load_checked(const struct config_arguments *arguments,
    const struct config *before, FILE *out);

#endif
