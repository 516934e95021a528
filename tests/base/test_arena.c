/* test_arena.c -- pieces of pages, given back together. */
#include "core/base/arena.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct pool pages_of(size_t count)
{
	struct pool pages;

	cr_assert_eq(pool_init(&pages, "pages", ARENA_PAGE_LEN, count), 0);
	return pages;
}

Test(arena, gives_pieces_that_do_not_touch)
{
	struct pool pages = pages_of(10);
	struct arena a;
	uint8_t *pieces[100];

	arena_init(&a, &pages, 10);
	for (size_t i = 0; i < 100; i++) {
		pieces[i] = arena_take(&a, 1 + i * 3);
		cr_assert_not_null(pieces[i]);
		cr_assert_eq((uintptr_t)pieces[i] % 8, 0);
		memset(pieces[i], (int)i, 1 + i * 3);
	}
	for (size_t i = 0; i < 100; i++)
		for (size_t at = 0; at < 1 + i * 3; at++)
			cr_assert_eq(pieces[i][at], i);
	cr_assert_eq(a.page_count, pages.count_used);
	arena_reset(&a);
	cr_assert_eq(pages.count_used, 0);
	cr_assert_eq(a.page_count, 0);
	cr_assert_not_null(arena_take(&a, 1));
	arena_reset(&a);
	arena_reset(&a);
	pool_deinit(&pages);
}

Test(arena, takes_no_page_before_it_is_needed)
{
	struct pool pages = pages_of(1);
	struct arena a;

	arena_init(&a, &pages, 1);
	struct slice nothing = arena_copy(&a, SLICE(""));
	cr_assert_not_null(nothing.at);
	cr_assert_eq(nothing.len, 0);
	cr_assert_eq(pages.count_used, 0);
	pool_deinit(&pages);
}

Test(arena, has_two_limits)
{
	struct pool pages = pages_of(3);
	struct arena a, b;

	arena_init(&a, &pages, 2);
	arena_init(&b, &pages, 2);
	cr_assert_not_null(arena_take(&a, ARENA_PIECE_MAX));
	cr_assert_null(arena_take(&a, ARENA_PIECE_MAX + 1));
	cr_assert_not_null(arena_take(&a, 1));
	cr_assert_null(arena_take(&a, ARENA_PIECE_MAX)); /* its own */
	cr_assert_not_null(arena_take(&a, 1));
	cr_assert_not_null(arena_take(&b, ARENA_PIECE_MAX));
	cr_assert_null(arena_take(&b, 1)); /* the pool's */
	arena_reset(&a);
	cr_assert_not_null(arena_take(&b, 1));
	arena_reset(&b);
	pool_deinit(&pages);
}

Test(arena, copies)
{
	struct pool pages = pages_of(1);
	struct arena a;
	char text[] = "text";

	arena_init(&a, &pages, 1);
	struct slice copy = arena_copy(&a, slice_of(text, 4));
	text[0] = 'n';
	cr_assert(slice_eq(copy, SLICE("text")));
	uint8_t big[ARENA_PAGE_LEN] = {0};
	cr_assert_null(arena_copy(&a, slice_of(big, sizeof(big))).at);
	arena_reset(&a);
	pool_deinit(&pages);
}

Test(arena, wants_pages, .signal = SIGABRT)
{
	struct pool pages;
	struct arena a;

	cr_assert_eq(pool_init(&pages, "small", 64, 4), 0);
	arena_init(&a, &pages, 1);
}
