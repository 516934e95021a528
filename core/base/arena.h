/* arena.h -- memory that a transaction gathers and gives back in one go.
 *
 * An arena takes pages from a pool as it grows, up to its own limit.  One piece
 * is never larger than a page. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "core/base/pool.h"
#include "core/base/slice.h"

#define ARENA_PAGE_LEN 4096
/* The largest piece that arena_take can give. */
#define ARENA_PIECE_MAX (ARENA_PAGE_LEN - sizeof(struct arena_page))

struct arena_page {
	struct arena_page *next;
	size_t len; /* bytes used behind this header */
};

struct arena {
	struct pool *pages; /* of ARENA_PAGE_LEN objects */
	struct arena_page *page;
	size_t page_count;
	size_t page_count_max;
};

static inline void arena_init(
    struct arena *a, struct pool *pages, size_t page_count_max)
{
	check(pages->object_len == ARENA_PAGE_LEN);
	*a = (struct arena){.pages = pages, .page_count_max = page_count_max};
}

/* `len` bytes, 8-aligned, or NULL: over the arena's limit, or no page left. */
MUST_USE void *arena_take(struct arena *a, size_t len);

/* A copy of the bytes; .at is NULL when there is no room (and for s.len == 0
 * when nothing was ever needed, .at is a valid pointer to nothing). */
MUST_USE struct slice arena_copy(struct arena *a, struct slice s);

/* Gives every page back. */
void arena_reset(struct arena *a);

#endif
