/* test_pool.c -- at most so many objects of a kind. */
#include "core/base/pool.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(pool, gives_as_many_as_it_has)
{
	struct pool p;
	uint8_t *objects[5];

	cr_assert_eq(pool_init(&p, "test", 20, 5), 0);
	for (size_t i = 0; i < 5; i++) {
		objects[i] = pool_take(&p);
		cr_assert_not_null(objects[i]);
		cr_assert_eq((uintptr_t)objects[i] % 16, 0);
		memset(objects[i], (int)i, 20);
	}
	cr_assert_null(pool_take(&p));
	cr_assert_eq(p.count_used, 5);
	for (size_t i = 0; i < 5; i++)
		for (size_t at = 0; at < 20; at++)
			cr_assert_eq(objects[i][at], i);

	pool_give(&p, objects[1]);
	pool_give(&p, objects[3]);
	cr_assert_eq(p.count_used, 3);
	cr_assert_eq(pool_take(&p), objects[3]); /* the warm one */
	cr_assert_eq(pool_take(&p), objects[1]);
	cr_assert_null(pool_take(&p));
	pool_deinit(&p);
	pool_deinit(&p);
}

Test(pool, takes_no_memory_for_what_was_never_used)
{
	struct pool p;

	/* 64 GiB of address space. */
	cr_assert_eq(pool_init(&p, "big", 65536, 1 << 20), 0);
	memset(pool_take(&p), 1, 65536);
	pool_deinit(&p);
}

Test(pool, knows_its_objects, .signal = SIGABRT)
{
	struct pool p;
	uint64_t stranger[4];

	cr_assert_eq(pool_init(&p, "test", 20, 5), 0);
	pool_give(&p, stranger);
}

Test(pool, knows_where_its_objects_begin, .signal = SIGABRT)
{
	struct pool p;

	cr_assert_eq(pool_init(&p, "test", 20, 5), 0);
	pool_give(&p, (uint8_t *)pool_take(&p) + 16);
}

Test(pool, takes_no_more_back_than_it_gave, .signal = SIGABRT)
{
	struct pool p;

	cr_assert_eq(pool_init(&p, "test", 20, 5), 0);
	void *object = pool_take(&p);
	pool_give(&p, object);
	pool_give(&p, object);
}
