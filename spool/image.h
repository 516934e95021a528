/* image.h -- the end of the log, in memory: where records are laid, what
 * commits are written from and what is read first.
 *
 * A ring that is mapped twice in a row: what is at a place lies in one piece,
 * wherever it begins.  A segment goes on where the one before ended, so places
 * only grow, and the ring holds the last IMAGE_LEN bytes of the log. */
#ifndef SPOOL_IMAGE_H
#define SPOOL_IMAGE_H

#include "spool/state.h"

/* 0 or -ENOMEM. */
MUST_USE int image_open(struct spool *s);
void image_close(struct spool *s);

/* The place of a segment's offset 0, for one whose commits begin next. */
uint64_t image_base_next(const struct spool *s);

/* Whether laying up to `end` (in the active segment) would overwrite what is
 * not released. */
bool image_taken(const struct spool *s, uint64_t end);
/* Bytes that are not released. */
uint64_t image_used(const struct spool *s);
/* It was laid. */
void image_laid(struct spool *s, uint64_t end);

/* Where the segment's bytes from `offset` on are; only for what is not
 * released, or was just laid. */
static inline uint8_t *image_at(
    const struct spool *s, const struct segment *g, uint64_t offset)
{
	return s->image + (size_t)((g->image_base + offset) % IMAGE_LEN);
}

/* The bytes, if the image still has them; else NULL. */
const uint8_t *image_find(
    const struct spool *s, const struct segment *g, uint32_t offset);
/* A long message goes through: what it leaves behind is read from disk, so that
 * it takes 2 MiB of memory, not all of the ring. */
void image_shorten(struct spool *s);
/* Gives the memory of what is on disk back; nothing may be under way. */
void image_forget(struct spool *s);

#endif
