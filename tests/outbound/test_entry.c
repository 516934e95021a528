/* test_entry.c -- the ring of a message, and what an entry costs. */
#include "core/outbound/entry.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <time.h>

#include "core/outbound/scheduler.h"

#define NOW 1000000u

Test(entry, a_ring_of_a_message)
{
	struct entry e[3];

	entry_link(&e[0], NULL);
	cr_assert(entry_sibling(&e[0]) == &e[0]);
	entry_link(&e[1], &e[0]);
	entry_link(&e[2], &e[1]);
	cr_assert(entry_unlink(&e[1]) != NULL);
	cr_assert(entry_sibling(&e[0]) == &e[2]);
	cr_assert(entry_sibling(&e[2]) == &e[0]);
	cr_assert(entry_unlink(&e[0]) == &e[2]);
	cr_assert(entry_unlink(&e[2]) == NULL);
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	cr_assert(f != NULL);
	cr_assert(eq(int, fscanf(f, "%*u %zu", &pages), 1));
	fclose(f);
	return pages * 4096;
}

static long us_since(clock_t start)
{
	return (long)((clock() - start) * 1000000 / CLOCKS_PER_SEC);
}

/* The size is what is promised; the time is printed, not judged. */
Test(entry, two_hundred_thousand_wait)
{
	struct scheduler_options options = {
	    .connections_max = 20,
	    .connections_all_max = 100,
	    .retry = {300, 14400, 432000, 86400},
	    .entry_count_max = 200000,
	    .destination_count_max = 1000,
	};
	struct destination *d;
	struct entry *e;
	struct scheduler *s;
	cr_assert(eq(int, ledger_open(&options.ledger, 1), 0));
	cr_assert(eq(int, scheduler_open(&s, &options), 0));
	size_t before = resident();
	clock_t start = clock();
	char name[32];

	for (unsigned i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "host%u.example", i % 1000);
		cr_assert(scheduler_add(s, slice_of_str(name), NULL, NULL, NOW,
			      NOW + 1 + i % 999, 1, NOW) != NULL);
	}
	size_t each = (resident() - before) / 200000;
	printf("%zu bytes each, %ld us for all\n", each, us_since(start));
	cr_assert(lt(sz, each, 130));
	start = clock();
	cr_assert(
	    eq(int, scheduler_next(s, NOW + 1, &d, &e), SCHEDULE_CONNECT));
	printf("%ld us until the first is due\n", us_since(start));
	scheduler_close(s);
	ledger_close(options.ledger);
}
