/* commit.h -- many records, one durable write. */
#ifndef SPOOL_COMMIT_H
#define SPOOL_COMMIT_H

#include "spool/state.h"

void commits_open(struct spool *s, uint64_t first_lsn);

/* Room in the log for a record, or for some in a row. */
struct laid {
	uint8_t *at; /* in the image; 8-aligned */
	struct segment *segment;
	struct commit *commit;
	uint32_t offset; /* in the segment */
};
/* `entry_len` is what they take in the seal.  0; -EAGAIN: too much is under
 * way; -ENOSPC: no segment; -EIO: the disk fails. */
MUST_USE int commit_lay(
    struct spool *s, uint32_t len, uint32_t entry_len, struct laid *l);
/* Whether that would begin another segment. */
bool commit_needs_segment(
    const struct spool *s, uint32_t len, uint32_t entry_len);
/* Seals the record at l->at, which is complete, and counts it in; l then is at
 * the room behind it.  `urgent`: somebody waits for it. */
void commit_add(struct spool *s, struct laid *l, bool urgent);

/* The log goes on with a new segment: 0 or what segment_begin says. */
MUST_USE int commit_next_segment(struct spool *s);

/* Submits what may be submitted. */
void commit_pump(struct spool *s);
/* Makes what is open urgent (spool_close). */
void commit_hurry(struct spool *s);

/* The head and the padding of a commit, for its segment as it is now. */
void commit_seal(struct spool *s, struct commit *c);

/* Space may have become free: goes on with what waited for it. */
void commit_released(struct spool *s);

/* Tells a wait in the next turn. */
void commit_tell_late(struct spool *s, struct spool_wait *w, int result);
/* Tells it now: what it waited for is durable (0) or has failed. */
void commit_tell(struct spool *s, struct spool_wait *w, int result);

#endif
