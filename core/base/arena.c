/* arena.c -- memory that a transaction gathers and gives back in one go. */
#include "core/base/arena.h"

void *arena_take(struct arena *a, size_t len)
{
	len = (len + 7) & ~(size_t)7;
	if (len > ARENA_PIECE_MAX)
		return NULL;
	if (a->page == NULL || a->page->len + len > ARENA_PIECE_MAX) {
		if (a->page_count == a->page_count_max)
			return NULL;
		struct arena_page *page = pool_take(a->pages);
		if (page == NULL)
			return NULL;
		*page = (struct arena_page){.next = a->page};
		a->page = page;
		a->page_count++;
	}
	void *at = (uint8_t *)(a->page + 1) + a->page->len;
	a->page->len += len;
	return at;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	if (s.len == 0)
		return SLICE("");
	void *at = arena_take(a, s.len);
	if (at == NULL)
		return (struct slice){NULL, 0};
	memcpy(at, s.at, s.len);
	return slice_of(at, s.len);
}

void arena_reset(struct arena *a)
{
	while (a->page != NULL) {
		struct arena_page *page = a->page;

		a->page = page->next;
		pool_give(a->pages, page);
	}
	a->page_count = 0;
}
