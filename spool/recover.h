/* recover.h -- from files to what is alive. */
#ifndef SPOOL_RECOVER_H
#define SPOOL_RECOVER_H

#include "spool/scan.h"
#include "spool/state.h"

/* Reads the directory and fills chain, spares and index; blocking.  ready()
 * runs for each message.  0 or -errno. */
MUST_USE int recover(struct spool *s);

/* One more than the highest slot that a file in the directory has. */
uint32_t recover_slots(int dir_fd);

/* For `spool check`: reads every commit of a segment of the log. */
struct recover_facts {
	uint64_t commit_count;
	uint64_t record_count;
	uint64_t damage_count; /* commits and records that are not whole */
};
MUST_USE int recover_verify(
    struct spool *s, struct segment *g, struct recover_facts *facts);

#endif
