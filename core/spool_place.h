/* spool_place.h -- the directory of the queue: config.spool, or below the one
 * where Postfix in a container keeps its own. */
#ifndef CORE_SPOOL_PLACE_H
#define CORE_SPOOL_PLACE_H

#include <stdbool.h>

#define SPOOL_USUAL "/var/spool/smarthost"
#define SPOOL_OF_OLD "/var/spool/postfix"

/* Whether something is mounted on the directory, by a table as
 * /proc/self/mountinfo has it; a table that cannot be read: no. */
bool spool_place_is_mounted(const char *mountinfo, const char *dir);

/* Where the queue is.  Who had a volume on SPOOL_OF_OLD keeps it: with
 * config.spool at SPOOL_USUAL, a mount there, and no Postfix on this machine
 * whose own it could be, it is the directory `smarthost` in it. */
const char *spool_place(const char *configured);

#endif
