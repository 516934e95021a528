/* ctl.h -- `smarthost queue ...`: asks the workers of a relay that runs.
 *
 * Each worker listens on a socket `control` in its shard's directory.  A client
 * sends one line, "list", "show ID", "retry", "retry ID", "delete ID" or
 * "health".  The answer is lines, the first byte of each saying what it is:
 *
 *   ' '  output           '!'  an error         '.'  the end, alone
 *
 * "!unknown id" means: perhaps another worker's.  A line of `list` has its
 * fields separated by tabs: ID, received (seconds since 1970), bytes,
 * recipients left, attempts, next attempt (0 = now or under way),
 * destinations separated by commas or "-", sender or "<>", last error. */
#ifndef CORE_CTL_H
#define CORE_CTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/check.h"

struct ctl_request {
	const char *spool; /* directory */
	const char *verb;  /* list, show, retry, delete, health */
	const char *id;	   /* or NULL */
	bool json;	   /* list: an object a line */
	bool masked;	   /* control bytes in the output are shown as '?' */
	uint64_t now_s;	   /* since 1970 */
};

/* Returns the exit status: 0, 1 (unknown id, or a worker said no), 69 (no relay
 * runs on this spool), 77 (not allowed to ask). */
MUST_USE int ctl_run(const struct ctl_request *request, FILE *out, FILE *err);

#endif
