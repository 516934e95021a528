/* privileges.h -- from root to a user that owns nothing but the spool. */
#ifndef CORE_PRIVILEGES_H
#define CORE_PRIVILEGES_H

#include "core/base/log.h"

/* Makes the spool directory (0700), gives it and what is in it to the user
 * `smarthost` (else `nobody`) when we are root, makes it the working directory,
 * and becomes that user for good.  As any other user: makes and enters the
 * directory.  False: it was logged what went wrong. */
bool privileges_drop(const char *spool, struct log *log);

#endif
