/* source.h -- the sources of a configuration, each read into it.
 *
 * Order is the caller's: what is read later wins. */
#ifndef CORE_CONFIG_SOURCE_H
#define CORE_CONFIG_SOURCE_H

#include "core/base/slice.h"
#include "core/config/complaint.h"
#include "core/config/config.h"

/* Names of sources are copied into the configuration's memory. */
void source_yaml(struct config *c, struct complaints *complaints,
    const char *name, struct slice text);

/* "NAME=value" strings; those that do not begin with SH_ are not ours. */
void source_environment(struct config *c, struct complaints *complaints,
    const char *const *environment);

/* "config.hostname=relay.example", "config.listen.proxy=['*:586']". */
void source_set(
    struct config *c, struct complaints *complaints, const char *set);

/* yaml.d, and whatever else the directory has. */
void source_directory(struct config *c, struct complaints *complaints);

#endif
