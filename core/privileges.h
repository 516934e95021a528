/* privileges.h -- from root to a user that owns nothing but the spool. */
#ifndef CORE_PRIVILEGES_H
#define CORE_PRIVILEGES_H

#include "core/base/log.h"

/* Of the privileges that the program's file gives us, those are used that we
 * may have.  (A file that made them effective by itself could not be started
 * at all where one of them is forbidden.) */
void privileges_begin(void);

/* Makes the spool directory (0700), gives it and what is in it to the user
 * `smarthost` (else `nobody`) when we are root, makes it the working directory,
 * and becomes that user for good.  As any other user: makes and enters the
 * directory.  Of all privileges the right to read any file is kept, where it
 * was there: keys are root's, and a reload reads them again.  False: it was
 * logged what went wrong. */
bool privileges_drop(const char *spool, struct log *log);

/* For workers: gives up that one too. */
void privileges_end(void);

#endif
