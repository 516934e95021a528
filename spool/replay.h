/* replay.h -- records, in the order of the log, give what is alive. */
#ifndef SPOOL_REPLAY_H
#define SPOOL_REPLAY_H

#include "spool/state.h"

struct replay {
	struct spool *spool;
	bool telling;	 /* all is known: only call ready() for what is alive */
	uint32_t oldest; /* number of the oldest segment needed */
	uint32_t lost_count; /* messages whose envelope is gone */
	int error;
};

/* A record of the segment whose head and envelope, or indices, are good;
 * behind its head is at least that. */
void replay_record(struct replay *p, struct segment *g, const struct record *r,
    uint32_t offset, uint32_t first_number);

#endif
