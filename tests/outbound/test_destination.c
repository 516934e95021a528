/* test_destination.c -- how many connections, when to pause, what is due. */
#include "core/outbound/destination.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(destination, growth)
{
	static const struct {
		unsigned entries, limit, connections;
	} cases[] = {{0, 20, 0}, {1, 20, 1}, {2, 20, 1}, {10, 20, 5},
	    {50, 20, 14}, {199, 20, 20}, {200, 20, 20}, {100000, 20, 20},
	    {1, 1, 1}, {500, 1, 1}, {1, 1000, 1}, {5, 1000, 5},
	    {100, 1000, 100}, {200, 1000, 200}, {5000, 1000, 1000}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		cr_expect(
		    eq(uint,
			destination_growth(cases[i].entries, cases[i].limit),
			cases[i].connections),
		    "%u of %u", cases[i].entries, cases[i].limit);
	}
}

/* Never fewer for more, never more than entries or the limit. */
Test(destination, growth_is_monotonous)
{
	static const unsigned limits[] = {1, 2, 3, 20, 1000, 60000};

	for (size_t i = 0; i < COUNT(limits); i++) {
		unsigned before = 0;

		for (unsigned n = 0; n < 300; n++) {
			unsigned count = destination_growth(n, limits[i]);

			cr_assert(ge(uint, count, before));
			cr_assert(le(uint, count, limits[i]));
			cr_assert(le(uint, count, n));
			before = count;
		}
		cr_assert(eq(uint, before, limits[i] < 299 ? limits[i] : 299));
	}
}

static void wait_for(struct destination *d, struct entry *e, bool site,
    uint32_t due_s, uint32_t order)
{
	*e = (struct entry){.destination = d, .due_s = due_s};
	destination_wait(d, e, site, order);
}

Test(destination, due_in_order_and_in_steps)
{
	struct entry entries[10];
	struct destination d;

	destination_init(&d, SLICE("x"), 1);
	cr_assert(eq(u64, destination_event_s(&d), UINT64_MAX));
	for (uint32_t i = 0; i < 10; i++)
		wait_for(&d, &entries[i], i & 1, 100 + i / 4, i);
	cr_assert(eq(u64, destination_event_s(&d), 100));
	cr_assert(eq(uint, destination_run(&d, 99, 5), 0));
	cr_assert(eq(uint, destination_run(&d, 100, 3), 3));
	cr_assert(eq(uint, destination_run(&d, 100, 3), 1));
	cr_assert(eq(u32, d.ready_count, 4));
	cr_assert(eq(u64, destination_event_s(&d), 101));
	cr_assert(eq(uint, destination_run(&d, 200, 100), 6));
	cr_assert(eq(u32, d.waiting_count, 0));
	cr_assert(destination_take(&d, ENTRY_TAKEN) == &entries[1]);
	cr_assert(destination_take(&d, ENTRY_REFUSED) == &entries[3]);
	cr_assert(eq(u32, d.taken_count, 2));
	cr_assert(eq(u32, d.busy_count, 1));
	destination_drop(&d, &entries[1]);
	destination_drop(&d, &entries[3]);
	cr_assert(eq(u32, d.taken_count, 0));
}

/* What is put off while all is drained is not drained with it. */
Test(destination, draining_ends)
{
	struct entry entries[4], late;
	struct destination d;

	destination_init(&d, SLICE("x"), 1);
	for (uint32_t i = 0; i < 4; i++)
		wait_for(&d, &entries[i], false, 500, i);
	destination_drain(&d);
	cr_assert(eq(u64, destination_event_s(&d), 0));
	cr_assert(eq(uint, destination_run(&d, 1, 2), 2));
	wait_for(&d, &late, false, 600, 9);
	cr_assert(eq(uint, destination_run(&d, 1, 9), 2));
	cr_assert(eq(u64, destination_event_s(&d), 600));
	destination_drain(&d);
	destination_drop(&d, &late);
	wait_for(&d, &late, false, 700, 10);
	cr_assert(eq(u64, destination_event_s(&d), 700));
}

Test(destination, errors_are_cut_and_printable)
{
	struct rng rng = {1};
	struct destination d;
	char text[300];

	memset(text, 'x', sizeof(text));
	text[0] = 27;
	text[1] = 0;
	destination_init(&d, SLICE("x"), 1);
	destination_failed(&d, slice_of(text, sizeof(text)), 1, &rng);
	cr_assert(eq(uint, d.error_len, DESTINATION_ERROR_MAX));
	cr_assert(eq(int, memcmp(d.error, "??xx", 4), 0));
	destination_failed(&d, SLICE(""), 1, &rng);
	cr_assert(eq(uint, d.error_len, 0));
	cr_assert(eq(u32, d.fail_count, 1));
}
