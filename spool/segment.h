/* segment.h -- the files of a shard: made, begun, read, given back. */
#ifndef SPOOL_SEGMENT_H
#define SPOOL_SEGMENT_H

#include "spool/state.h"

/* Slots for segment files; those that the directory has are in later. */
MUST_USE int segments_open(struct spool *s, uint32_t slots);
void segments_close(struct spool *s);

/* The slot that a file name means, or -1. */
int64_t segment_slot_of(const char *name);

/* Its descriptor, opened when it is not; or -errno. */
MUST_USE int segment_fd(struct spool *s, struct segment *g);

/* Makes a file in a free slot: blocking, quick, nothing written to it yet.
 * NULL and *err when the quota or the disk is full. */
struct segment *segment_make(struct spool *s, int *err);
/* Makes what segment_make did to the directory durable: blocking. */
MUST_USE int segment_sync_dir(struct spool *s);
/* Takes a file that holds nothing away. */
void segment_unmake(struct spool *s, struct segment *g);
/* The last of the spares: what it held is not needed any more. */
void segment_to_spares(struct spool *s, struct segment *g);
/* Removes spares that are too many, those first that are first. */
void segments_trim(struct spool *s);

/* The next segment to be filled becomes s->active; its first block is being
 * written.  0, -EAGAIN (too much is under way) or -errno. */
MUST_USE int segment_begin(struct spool *s);
/* The same, but without number and first block. */
MUST_USE int segment_take(struct spool *s);
/* Gives the segment a new number and writes its first block (again). */
void segment_number(struct spool *s, struct segment *g);

/* Whether a commit that ends at `end`, and another entry in the seal, leave
 * room for what closes the segment. */
bool segment_fits(const struct segment *g, uint64_t end, uint32_t entry_len);

/* The segment of the log with that number, or NULL. */
struct segment *segment_find(struct spool *s, uint32_t number);

/* How many more could be begun. */
uint32_t segments_free(const struct spool *s);

/* Gives back the oldest segments that nobody needs; true when there was one. */
bool segment_reclaim(struct spool *s);

/* The block that says what a segment is. */
struct segment_block segment_block_of(
    const struct spool *s, const struct segment *g);

#endif
