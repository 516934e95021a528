/* seal.h -- what lets recovery read an index instead of a segment. */
#ifndef SPOOL_SEAL_H
#define SPOOL_SEAL_H

#include "spool/state.h"

MUST_USE int seals_open(struct spool *s);
void seals_close(struct spool *s);

/* A seal that no segment has, or NULL. */
struct seal *seal_free(struct spool *s);
void seal_take(struct seal *seal, struct segment *g);
void seal_give(struct seal *seal);

/* Notes a record that was laid at `offset` of the segment. */
void seal_add(struct seal *seal, const struct record *r, uint32_t offset);

/* Begins to write the seals of full segments whose commits are all on disk. */
void seals_run(struct spool *s);

#endif
