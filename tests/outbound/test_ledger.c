/* The limit holds over all workers, who dies leaves nothing, who has yields. */
#include "core/outbound/ledger.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/rng.h"

static struct ledger *ledger_of(unsigned worker_count)
{
	struct ledger *l;

	cr_assert(eq(int, ledger_open(&l, worker_count), 0));
	return l;
}

Test(ledger, a_limit)
{
	struct ledger *l = ledger_of(2);
	uint32_t a = ledger_slot_take(l, 77, 0);
	uint32_t b = ledger_slot_take(l, 77, 1);

	cr_assert(eq(u32, a, b));
	cr_assert(ledger_take(l, a, 0, 3));
	cr_assert(ledger_take(l, a, 0, 3));
	cr_assert(ledger_take(l, b, 1, 3));
	cr_assert(not(ledger_take(l, a, 0, 3)));
	cr_assert(not(ledger_take(l, b, 1, 3)));
	cr_assert(eq(uint, ledger_sum(l, a), 3));
	cr_assert(eq(uint, ledger_sum(l, LEDGER_NO_SLOT), 0));
	ledger_give(l, a, 0);
	ledger_unwant(l, a, 0);
	cr_assert(ledger_take(l, b, 1, 3));
	ledger_close(l);
}

Test(ledger, a_dead_workers_column_is_free)
{
	struct ledger *l = ledger_of(3);
	uint32_t slot = ledger_slot_take(l, 5, 0);

	ledger_slot_take(l, 5, 1);
	for (int i = 0; i < 4; i++)
		cr_assert(ledger_take(l, slot, 1, 4));
	cr_assert(not(ledger_take(l, slot, 1, 4)));
	cr_assert(not(ledger_take(l, slot, 0, 4)));
	ledger_clear_column(l, 1);
	cr_assert(eq(uint, ledger_sum(l, slot), 0));
	cr_assert(ledger_take(l, slot, 0, 4));
	ledger_close(l);
}

Test(ledger, slots_are_used_again)
{
	struct ledger *l = ledger_of(2);

	for (uint64_t hash = 1; hash < 3 * LEDGER_SITES_MAX; hash++) {
		uint32_t slot = ledger_slot_take(l, hash * 31, hash & 1);

		cr_assert(ne(u32, slot, LEDGER_NO_SLOT));
		cr_assert(ledger_take(l, slot, hash & 1, 1));
		ledger_give(l, slot, hash & 1);
		ledger_slot_give(l, slot, hash & 1);
	}
	ledger_close(l);
}

Test(ledger, no_room_is_an_answer)
{
	struct ledger *l = ledger_of(1);
	uint32_t slots[100];
	size_t got = 0;

	/* All of the same row. */
	for (uint64_t i = 0; i < COUNT(slots); i++) {
		slots[got] = ledger_slot_take(l, 9 + i * LEDGER_SITES_MAX, 0);
		if (slots[got] != LEDGER_NO_SLOT)
			got++;
	}
	cr_assert(gt(sz, got, 16));
	cr_assert(lt(sz, got, COUNT(slots)));
	for (size_t i = 0; i < got; i++) {
		for (size_t j = 0; j < i; j++)
			cr_assert(ne(u32, slots[i], slots[j]));
	}
	ledger_slot_give(l, slots[3], 0);
	cr_assert(eq(
	    u32, ledger_slot_take(l, 9 + 200 * LEDGER_SITES_MAX, 0), slots[3]));
	ledger_close(l);
}

/* One has all; the other wants: it gets its half, and then there is peace. */
Test(ledger, who_has_yields)
{
	struct ledger *l = ledger_of(2);
	uint32_t slot = ledger_slot_take(l, 1, 0);
	unsigned yields = 0;

	ledger_slot_take(l, 1, 1);
	for (int i = 0; i < 20; i++)
		cr_assert(ledger_take(l, slot, 0, 20));
	cr_assert(not(ledger_should_yield(l, slot, 0, 20)));
	for (int i = 0; i < 100; i++) {
		ledger_take(l, slot, 1, 20);
		if (ledger_should_yield(l, slot, 0, 20)) {
			ledger_give(l, slot, 0);
			yields++;
			/* It would like it back, but has more. */
			cr_assert(not(ledger_take(l, slot, 0, 20)));
		}
		cr_assert(not(ledger_should_yield(l, slot, 1, 20)));
	}
	cr_assert(eq(uint, yields, 10));
	/* Nobody who does not want is in the way. */
	ledger_unwant(l, slot, 1);
	ledger_give(l, slot, 1);
	cr_assert(ledger_take(l, slot, 0, 20));
	ledger_close(l);
}

/* A limit of one goes round. */
/* Tickets of a time when it was full keep nobody from what is free now. */
Test(ledger, where_there_is_room_none_makes_way)
{
	struct ledger *l = ledger_of(2);
	uint32_t slot = ledger_slot_take(l, 7, 0);

	ledger_slot_take(l, 7, 1);
	for (int i = 0; i < 10; i++) {
		cr_assert(ledger_take(l, slot, 0, 20));
		cr_assert(ledger_take(l, slot, 1, 20));
	}
	cr_assert(not(ledger_take(l, slot, 0, 20)));
	cr_assert(not(ledger_take(l, slot, 1, 20)));
	for (int i = 0; i < 10; i++) {
		ledger_give(l, slot, 0);
		ledger_give(l, slot, 1);
	}
	/* The other one wants, too, and has none: it needs but one of 20. */
	for (int i = 0; i < 19; i++)
		cr_assert(ledger_take(l, slot, 0, 20));
	cr_assert(not(ledger_take(l, slot, 0, 20)));
	cr_assert(ledger_take(l, slot, 1, 20));
	ledger_close(l);
}

Test(ledger, one_connection_for_two_workers)
{
	struct ledger *l = ledger_of(2);
	uint32_t slot = ledger_slot_take(l, 1, 0);

	ledger_slot_take(l, 1, 1);
	cr_assert(ledger_take(l, slot, 0, 1));
	for (unsigned round = 0; round < 10; round++) {
		unsigned has = round & 1;

		cr_assert(not(ledger_take(l, slot, 1 - has, 1)));
		cr_assert(ledger_should_yield(l, slot, has, 1));
		ledger_give(l, slot, has);
		cr_assert(not(ledger_take(l, slot, has, 1)));
		cr_assert(ledger_take(l, slot, 1 - has, 1));
	}
	ledger_close(l);
}

/* A worker that wants and never comes back stops nobody. */
Test(ledger, who_hangs_is_passed)
{
	struct ledger *l = ledger_of(2);
	uint32_t slot = ledger_slot_take(l, 1, 0);
	int refusals = 0;

	ledger_slot_take(l, 1, 1);
	cr_assert(ledger_take(l, slot, 0, 1));
	cr_assert(not(ledger_take(l, slot, 1, 1)));
	ledger_give(l, slot, 0);
	while (!ledger_take(l, slot, 0, 1))
		cr_assert(lt(int, refusals++, 10));
	ledger_close(l);
}

#define WORKERS 4
#define ROUNDS 20000
#define LIMIT 5

struct board {
	_Atomic int held;
	_Atomic int most;
	_Atomic int granted[WORKERS];
};

static void hammer(struct ledger *l, struct board *b, unsigned column)
{
	struct rng rng = {column + 1};
	unsigned held = 0;
	uint32_t slot = ledger_slot_take(l, 42, column);

	for (int i = 0; i < ROUNDS; i++) {
		if (rng_below(&rng, 2) == 0) {
			int now, most;

			if (!ledger_take(l, slot, column, LIMIT))
				continue;
			held++;
			now = atomic_fetch_add(&b->held, 1) + 1;
			most = atomic_load(&b->most);
			while (now > most && !atomic_compare_exchange_weak(
						 &b->most, &most, now))
				;
			atomic_fetch_add(&b->granted[column], 1);
		} else if (held > 0) {
			held--;
			atomic_fetch_sub(&b->held, 1);
			ledger_give(l, slot, column);
		}
		if (held == 0 && rng_below(&rng, 100) == 0) {
			ledger_slot_give(l, slot, column);
			slot = ledger_slot_take(l, 42, column);
		}
	}
	while (held-- > 0) {
		atomic_fetch_sub(&b->held, 1);
		ledger_give(l, slot, column);
	}
	ledger_slot_give(l, slot, column);
}

Test(ledger, processes_never_exceed_the_limit)
{
	struct ledger *l = ledger_of(WORKERS);
	struct board *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (unsigned i = 0; i < WORKERS; i++) {
		if (fork() == 0) {
			hammer(l, b, i);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		int status;

		cr_assert(gt(int, wait(&status), 0));
		cr_assert(eq(int, status, 0));
	}
	cr_assert(le(int, atomic_load(&b->most), LIMIT));
	cr_assert(eq(int, atomic_load(&b->held), 0));
	for (unsigned i = 0; i < WORKERS; i++)
		cr_assert(gt(int, atomic_load(&b->granted[i]), 0));
	cr_assert(eq(uint, ledger_sum(l, ledger_slot_take(l, 42, 0)), 0));
	ledger_close(l);
}

/* Workers are killed anywhere, also with the mutex in hand. */
Test(ledger, killed_workers_leave_it_usable)
{
	struct ledger *l = ledger_of(2);
	struct board *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (int round = 0; round < 50; round++) {
		int before = atomic_load(&b->granted[1]);
		pid_t pid = fork();

		if (pid == 0) {
			for (;;)
				hammer(l, b, 1);
		}
		while (atomic_load(&b->granted[1]) < before + 10 + round)
			hammer(l, b, 0);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ledger_clear_column(l, 1);
		atomic_store(&b->held, 0);
		uint32_t slot = ledger_slot_take(l, 42, 0);
		cr_assert(eq(uint, ledger_sum(l, slot), 0));
		cr_assert(ledger_take(l, slot, 0, 1));
		ledger_give(l, slot, 0);
		ledger_slot_give(l, slot, 0);
	}
	ledger_close(l);
}
