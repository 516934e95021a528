/* image.c -- the end of the log, in memory.
 *
 * Small on purpose: what is written goes round in memory that the processor has
 * in its cache, and a relay under load takes IMAGE_LEN a worker, however long a
 * segment is.  Mail that is delivered later than that is read from disk. */
#include "spool/image.h"

#include <errno.h>
#include <sys/mman.h>

#define IMAGE_OF_LONG (2u << 20) /* what stays of it while one is long */
#define SHORTEN_STEP (256u << 10)

_Static_assert((IMAGE_LEN & (IMAGE_LEN - 1)) == 0, "places go round");
_Static_assert(IMAGE_LEN >= 2 * (RECORD_LEN_MAX + RECORD_ENVELOPE_LEN_MAX),
    "the largest record, beside one that is being written");

/* The same pages twice: a mapping that is moved with an old length of 0 stays
 * where it is, too (mremap(2), for shared mappings). */
static uint8_t *map_ring(void)
{
	uint8_t *at = mmap(NULL, 2 * (size_t)IMAGE_LEN, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	if (mmap(at, IMAGE_LEN, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED &&
	    mremap(at, 0, IMAGE_LEN, MREMAP_MAYMOVE | MREMAP_FIXED,
		at + IMAGE_LEN) != MAP_FAILED)
		return at;
	munmap(at, 2 * (size_t)IMAGE_LEN);
	return NULL;
}

int image_open(struct spool *s)
{
	s->image = map_ring();
	/* So that no segment's base is 0: that is one that was never in it. */
	s->image_start = IMAGE_LEN;
	s->image_end = IMAGE_LEN;
	return s->image == NULL ? -ENOMEM : 0;
}

void image_close(struct spool *s)
{
	if (s->image != NULL)
		munmap(s->image, 2 * (size_t)IMAGE_LEN);
}

uint64_t image_base_next(const struct spool *s)
{
	return round_up(s->image_end, BLOCK_LEN) - BLOCK_LEN;
}

/* Where what is not released begins.  Places only grow: no other commit begins
 * before the oldest. */
static uint64_t oldest_place(const struct spool *s)
{
	const struct commit *oldest = &s->commits[s->lsn_first % COMMIT_RING];

	return oldest->segment->image_base + oldest->offset;
}

bool image_taken(const struct spool *s, uint64_t end)
{
	if (s->lsn_first == s->lsn_next)
		return false;
	return s->active->image_base + end - oldest_place(s) > IMAGE_LEN;
}

uint64_t image_used(const struct spool *s)
{
	uint64_t oldest;

	if (s->lsn_first == s->lsn_next)
		return 0;
	oldest = oldest_place(s);
	return s->image_end > oldest ? s->image_end - oldest : 0;
}

void image_laid(struct spool *s, uint64_t end)
{
	if (s->image_end < s->active->image_base + end)
		s->image_end = s->active->image_base + end;
}

const uint8_t *image_find(
    const struct spool *s, const struct segment *g, uint32_t offset)
{
	uint64_t place = g->image_base + offset;

	if (s->image == NULL || g->image_base == 0)
		return NULL;
	if (place < s->image_start || s->image_end - place > IMAGE_LEN)
		return NULL;
	return image_at(s, g, offset);
}

void image_shorten(struct spool *s)
{
	uint64_t used = image_used(s);
	uint64_t keep = used > IMAGE_OF_LONG ? used : IMAGE_OF_LONG;
	uint64_t from = s->image_start;

	if (s->image_end - from > IMAGE_LEN)
		from = s->image_end - IMAGE_LEN;
	from = round_up(from, BLOCK_LEN);
	if (s->image_end < from + keep + SHORTEN_STEP)
		return;
	uint64_t to = (s->image_end - keep) & ~(uint64_t)(BLOCK_LEN - 1);

	(void)madvise(s->image + from % IMAGE_LEN, to - from, MADV_REMOVE);
	s->image_start = to;
}

void image_forget(struct spool *s)
{
	check(s->lsn_first == s->lsn_next);
	s->image_start = s->image_end;
	(void)madvise(s->image, IMAGE_LEN, MADV_REMOVE);
}
