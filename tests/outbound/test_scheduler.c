/* test_scheduler.c -- the scheduler in situations. */
#include "core/outbound/scheduler.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define NOW 1000000u

static const struct retry_policy policy = {
    .first_s = 300,
    .max_s = 14400,
    .lifetime_s = 432000,
    .bounce_lifetime_s = 86400,
};

static struct scheduler *open_with(
    struct ledger *l, unsigned column, unsigned max, unsigned all_max)
{
	struct scheduler_options options = {
	    .ledger = l,
	    .column = column,
	    .connections_max = max,
	    .connections_all_max = all_max,
	    .retry = policy,
	    .entry_count_max = 300000,
	    .destination_count_max = 10000,
	    .seed = 4,
	};
	struct scheduler *s;

	cr_assert(eq(int, scheduler_open(&s, &options), 0));
	return s;
}

static struct ledger *ledger_of(unsigned worker_count)
{
	struct ledger *l;

	cr_assert(eq(int, ledger_open(&l, worker_count), 0));
	return l;
}

static struct scheduler *open_one(unsigned max, unsigned all_max)
{
	return open_with(ledger_of(1), 0, max, all_max);
}

static struct entry *add(struct scheduler *s, const char *name)
{
	struct entry *e =
	    scheduler_add(s, slice_of_str(name), NULL, NULL, NOW, 0, 0, NOW);

	cr_assert(e != NULL);
	return e;
}

static void add_many(struct scheduler *s, const char *name, unsigned count)
{
	while (count-- > 0)
		add(s, name);
}

/* Calls next until NOTHING, expecting nothing but CONNECT; how many. */
static unsigned connect_all(struct scheduler *s, uint64_t now_s)
{
	unsigned count = 0;

	for (;;) {
		struct destination *d;
		struct entry *e;
		enum schedule_action action = scheduler_next(s, now_s, &d, &e);

		if (action == SCHEDULE_NOTHING)
			return count;
		cr_assert(eq(int, action, SCHEDULE_CONNECT));
		count++;
	}
}

static enum schedule_action next(struct scheduler *s, uint64_t now_s,
    struct destination **d, struct entry **e)
{
	enum schedule_action action;

	do
		action = scheduler_next(s, now_s, d, e);
	while (action == SCHEDULE_NOTHING && scheduler_wait_s(s, now_s) == 0);
	return action;
}

static void expect(struct scheduler *s, uint64_t now_s,
    enum schedule_action action, const struct destination *of)
{
	struct destination *d;
	struct entry *e;

	cr_assert(eq(int, next(s, now_s, &d, &e), action));
	if (of != NULL)
		cr_assert(d == of);
}

/* Puts everything off that is to be put off; how many. */
static unsigned put_off_all(struct scheduler *s, uint64_t now_s)
{
	unsigned count = 0;
	struct destination *d;
	struct entry *e;

	while (next(s, now_s, &d, &e) == SCHEDULE_PUT_OFF) {
		scheduler_put_off(s, e, true, now_s);
		count++;
	}
	return count;
}

Test(scheduler, one_message)
{
	struct scheduler *s = open_one(20, 100);
	struct entry *e = add(s, "Example.ORG");
	struct destination *d = e->destination;

	cr_assert(slice_eq(destination_name(d), SLICE("example.org")));
	cr_assert(eq(u64, scheduler_wait_s(s, NOW), 0));
	expect(s, NOW, SCHEDULE_CONNECT, d);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	cr_assert(scheduler_take(s, d, NOW) == e);
	cr_assert(scheduler_take(s, d, NOW) == NULL);
	scheduler_site_good(s, d);
	cr_assert(scheduler_finished(s, e) == NULL);
	cr_assert(scheduler_keep(s, d));
	scheduler_idle_count(s, d, 1);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);

	/* The next one uses the idle connection. */
	e = add(s, "EXAMPLE.org");
	cr_assert(e->destination == d);
	expect(s, NOW, SCHEDULE_USE_IDLE, d);
	scheduler_idle_count(s, d, -1);
	cr_assert(scheduler_take(s, d, NOW) == e);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	cr_assert(scheduler_finished(s, e) == NULL);
	scheduler_disconnected(s, d);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);

	struct scheduler_counts c = scheduler_count(s);
	cr_assert(eq(sz, c.entry_count, 0));
	cr_assert(eq(sz, c.destination_count, 0));
	cr_assert(eq(sz, c.connection_count, 0));
	cr_assert(eq(u64, scheduler_wait_s(s, NOW), UINT64_MAX));
	scheduler_close(s);
}

Test(scheduler, connections_grow_gently)
{
	struct scheduler *s = open_one(20, 100);
	add_many(s, "a", 10);
	cr_assert(eq(uint, connect_all(s, NOW), 5));
	add_many(s, "a", 40);
	cr_assert(eq(uint, connect_all(s, NOW), 9));
	add_many(s, "a", 1000);
	cr_assert(eq(uint, connect_all(s, NOW), 6));
	scheduler_close(s);
}

Test(scheduler, first_in_first_out_and_untake)
{
	struct scheduler *s = open_one(20, 100);
	struct entry *a = add(s, "x"), *b = add(s, "x"), *c = add(s, "x");
	struct destination *d = a->destination;

	cr_assert(ge(uint, connect_all(s, NOW), 1));
	cr_assert(scheduler_take(s, d, NOW) == a);
	cr_assert(scheduler_take(s, d, NOW) == b);
	scheduler_untake(s, b);
	cr_assert(scheduler_take(s, d, NOW) == b);
	cr_assert(scheduler_take(s, d, NOW) == c);
	cr_assert(eq(u32, d->taken_count, 3));
	scheduler_close(s);
}

Test(scheduler, put_off_comes_back)
{
	struct scheduler *s = open_one(20, 100);
	struct entry *e = add(s, "x");
	struct destination *d = e->destination;
	uint32_t due_s;

	expect(s, NOW, SCHEDULE_CONNECT, d);
	cr_assert(scheduler_take(s, d, NOW) == e);
	due_s = scheduler_put_off(s, e, false, NOW);
	cr_assert(ge(u32, due_s, NOW + 270));
	cr_assert(le(u32, due_s, NOW + 330));
	cr_assert(eq(u32, e->due_s, due_s));
	cr_assert(eq(uint, e->attempt_count, 1));
	cr_assert(eq(u32, d->waiting_count, 1));
	scheduler_disconnected(s, d);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	cr_assert(eq(u64, scheduler_wait_s(s, NOW), due_s - NOW));
	expect(s, due_s - 1, SCHEDULE_NOTHING, NULL);
	expect(s, due_s, SCHEDULE_CONNECT, d);
	cr_assert(scheduler_take(s, d, due_s) == e);
	cr_assert(not(scheduler_expired(s, e, false, due_s)));
	cr_assert(not(scheduler_expired(s, e, true, NOW + 86399)));
	cr_assert(scheduler_expired(s, e, true, NOW + 86400));
	cr_assert(not(scheduler_expired(s, e, false, NOW + 431999)));
	cr_assert(scheduler_expired(s, e, false, NOW + 432000));
	scheduler_close(s);
}

Test(scheduler, recovered_entries_wait)
{
	struct scheduler *s = open_one(20, 100);
	struct entry *e =
	    scheduler_add(s, SLICE("x"), s, NULL, NOW - 50, NOW + 7, 3, NOW);

	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	cr_assert(eq(u64, scheduler_wait_s(s, NOW), 7));
	expect(s, NOW + 7, SCHEDULE_CONNECT, e->destination);
	cr_assert(eq(uint, e->attempt_count, 3));
	cr_assert(e->message == s);
	scheduler_close(s);
}

/* A dead site: pause, put off, probe, longer pause, probe, good. */
Test(scheduler, pause_probe_good)
{
	struct scheduler *s = open_one(20, 100);
	struct destination *d;
	uint64_t now_s = NOW, pause_s = 10;

	add_many(s, "dead", 100);
	d = add(s, "dead")->destination;
	cr_assert(gt(uint, connect_all(s, NOW), 10));
	/* All of its connections fail: only the last one is the site's. */
	while (d->connection_count > 0) {
		cr_assert(eq(int, d->health, DESTINATION_GOOD));
		scheduler_site_failed(s, d, SLICE("no\r\nway\xff"), now_s);
		scheduler_disconnected(s, d);
	}
	for (int i = 0; i < 8; i++) {
		cr_assert(eq(int, d->health, DESTINATION_PAUSED));
		cr_assert(ge(u64, d->paused_until_s, now_s + pause_s * 9 / 10));
		cr_assert(
		    le(u64, d->paused_until_s, now_s + pause_s * 11 / 10));
		cr_assert(eq(u32, d->fail_count, (uint32_t)i + 1));
		cr_assert(eq(uint, d->error_len, 8));
		cr_assert(eq(int, memcmp(d->error, "no??way?", 8), 0));
		put_off_all(s, now_s);
		cr_assert(eq(u32, d->waiting_count, 101));
		cr_assert(eq(u32, d->ready_count, 0));

		/* One goes ahead when the pause ends, on one connection. */
		now_s = d->paused_until_s;
		put_off_all(s, now_s - 1);
		expect(s, now_s - 1, SCHEDULE_NOTHING, NULL);
		expect(s, now_s, SCHEDULE_CONNECT, d);
		cr_assert(eq(u64, d->paused_until_s, 0));
		expect(s, now_s, SCHEDULE_NOTHING, NULL);
		scheduler_site_failed(s, d, SLICE("no\r\nway\xff"), now_s);
		scheduler_disconnected(s, d);
		pause_s = pause_s * 2 > 300 ? 300 : pause_s * 2;
	}
	put_off_all(s, now_s);
	now_s = d->paused_until_s;
	expect(s, now_s, SCHEDULE_CONNECT, d);

	/* What comes while the probe is under way waits, and is not put off. */
	add_many(s, "dead", 5);
	struct entry *probe = scheduler_take(s, d, now_s);
	cr_assert(probe != NULL);
	expect(s, now_s, SCHEDULE_NOTHING, NULL);
	cr_assert(scheduler_take(s, d, now_s) == NULL);
	cr_assert(ge(u32, d->ready_count, 5));
	scheduler_site_good(s, d);
	scheduler_finished(s, probe);
	cr_assert(eq(u32, d->fail_count, 0));

	/* All that waited for the site is due at once. */
	cr_assert(ge(uint, connect_all(s, now_s), 1));
	while (scheduler_wait_s(s, now_s) == 0)
		connect_all(s, now_s);
	cr_assert(eq(u32, d->waiting_count, 0));
	cr_assert(eq(u32, d->ready_count, 105));
	scheduler_close(s);
}

/* A site that allows five connections gets five. */
Test(scheduler, the_window_follows_the_site)
{
	struct scheduler *s = open_one(20, 100);
	struct destination *d;
	unsigned most = 0;

	add_many(s, "small", 4000);
	d = add(s, "small")->destination;
	for (int round = 0; round < 200; round++) {
		struct destination *to;
		struct entry *e;

		while (next(s, NOW, &to, &e) == SCHEDULE_CONNECT) {
			if (d->connection_count <= 5)
				continue;
			scheduler_site_failed(s, d, SLICE("421"), NOW);
			scheduler_disconnected(s, d);
		}
		cr_assert(eq(int, d->health, DESTINATION_GOOD));
		most = d->connection_count > most ? d->connection_count : most;
		cr_assert(ge(u32, d->connection_count, 5));
		for (uint32_t i = 0; i < d->connection_count; i++) {
			e = scheduler_take(s, d, NOW);
			cr_assert(e != NULL);
			scheduler_site_good(s, d);
			scheduler_finished(s, e);
		}
	}
	cr_assert(eq(uint, most, 5));
	scheduler_close(s);
}

/* What breaks its connection twice is not called back by others' success. */
Test(scheduler, poison_waits)
{
	struct scheduler *s = open_one(1, 100);
	struct entry *bad = add(s, "x"), *good;
	struct destination *d = bad->destination;
	uint64_t now_s = NOW;

	for (int i = 0; i < 2; i++) {
		expect(s, now_s, SCHEDULE_CONNECT, d);
		cr_assert(scheduler_take(s, d, now_s) == bad);
		scheduler_site_failed(s, d, SLICE("lost"), now_s);
		scheduler_put_off(s, bad, true, now_s);
		scheduler_disconnected(s, d);
		now_s = d->paused_until_s;
	}
	/* It is no probe any more; what comes next is. */
	expect(s, now_s, SCHEDULE_NOTHING, NULL);
	good = add(s, "x");
	expect(s, now_s, SCHEDULE_CONNECT, d);
	cr_assert(scheduler_take(s, d, now_s) == good);
	scheduler_site_good(s, d);
	scheduler_finished(s, good);
	expect(s, now_s, SCHEDULE_NOTHING, NULL);
	cr_assert(eq(u32, d->waiting_count, 1));
	expect(s, bad->due_s, SCHEDULE_NOTHING, NULL);
	cr_assert(scheduler_take(s, d, bad->due_s) == bad);
	scheduler_close(s);
}

Test(scheduler, a_message_of_many_destinations)
{
	struct scheduler *s = open_one(20, 100);
	int message;
	struct entry *head = NULL;
	char name[16];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		head = scheduler_add(s, slice_of_str(name), &message, head, NOW,
		    NOW + 100, 1, NOW);
	}
	/* All are ready by an operator's wish; two are taken. */
	scheduler_retry(s, head, NOW);
	cr_assert(eq(uint, connect_all(s, NOW), 10));
	struct entry *a = scheduler_take(s, head->destination, NOW);
	struct entry *b =
	    scheduler_take(s, entry_sibling(head)->destination, NOW);
	cr_assert(a == head);
	cr_assert(b == entry_sibling(head));
	struct entry *left = scheduler_remove(s, head);
	cr_assert(left == a || left == b);
	cr_assert(entry_sibling(a) == b);
	cr_assert(entry_sibling(b) == a);
	cr_assert(eq(sz, scheduler_count(s).entry_count, 2));
	cr_assert(scheduler_finished(s, a) == b);
	cr_assert(scheduler_finished(s, b) == NULL);
	scheduler_close(s);
}

Test(scheduler, remove_takes_all)
{
	struct scheduler *s = open_one(20, 100);
	struct entry *head = NULL;

	for (int i = 0; i < 3; i++)
		head = scheduler_add(s, SLICE("x"), NULL, head, NOW,
		    i == 1 ? NOW + 9 : 0, 0, NOW);
	cr_assert(scheduler_remove(s, head) == NULL);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	cr_assert(eq(sz, scheduler_count(s).destination_count, 0));
	cr_assert(eq(u64, scheduler_wait_s(s, NOW), UINT64_MAX));
	scheduler_close(s);
}

Test(scheduler, retry_all)
{
	struct scheduler *s = open_one(20, 100000);
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "d%d", i % 300);
		scheduler_add(
		    s, slice_of_str(name), NULL, NULL, NOW, NOW + 100, 1, NOW);
	}
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	scheduler_retry_all(s);
	unsigned count = connect_all(s, NOW);
	while (scheduler_wait_s(s, NOW) == 0)
		count += connect_all(s, NOW);
	cr_assert(ge(uint, count, 300));
	scheduler_close(s);
}

Test(scheduler, no_room_is_an_answer)
{
	struct scheduler_options options = {
	    .ledger = ledger_of(1),
	    .connections_max = 1,
	    .connections_all_max = 1,
	    .retry = policy,
	    .entry_count_max = 2,
	    .destination_count_max = 1,
	};
	static char name[300];
	struct scheduler *s;

	cr_assert(eq(int, scheduler_open(&s, &options), 0));
	memset(name, 'x', sizeof(name));
	cr_assert(scheduler_add(s, slice_of(name, 256), NULL, NULL, NOW, 0, 0,
		      NOW) == NULL);
	cr_assert(scheduler_add(s, slice_of(name, 255), NULL, NULL, NOW, 0, 0,
		      NOW) != NULL);
	cr_assert(
	    scheduler_add(s, SLICE("b"), NULL, NULL, NOW, 0, 0, NOW) == NULL);
	cr_assert(scheduler_add(s, slice_of(name, 255), NULL, NULL, NOW, 0, 0,
		      NOW) != NULL);
	cr_assert(scheduler_add(s, slice_of(name, 255), NULL, NULL, NOW, 0, 0,
		      NOW) == NULL);
	scheduler_close(s);
}

/* The worker's limit: the newcomer gets a connection of the one with many. */
Test(scheduler, the_starved_are_fed)
{
	struct scheduler *s = open_one(20, 10);
	struct destination *many = add(s, "many")->destination;
	struct destination *one;

	add_many(s, "many", 500);
	cr_assert(eq(uint, connect_all(s, NOW), 10));
	for (int i = 0; i < 10; i++)
		cr_assert(scheduler_take(s, many, NOW) != NULL);
	one = add(s, "one")->destination;
	cr_assert(eq(uint, connect_all(s, NOW), 0));
	/* One connection closes, no more of them. */
	cr_assert(scheduler_take(s, many, NOW) == NULL);
	cr_assert(not(scheduler_keep(s, many)));
	cr_assert(scheduler_take(s, many, NOW) != NULL);
	scheduler_disconnected(s, many);
	expect(s, NOW, SCHEDULE_CONNECT, one);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	cr_assert(scheduler_take(s, many, NOW) != NULL);
	scheduler_close(s);
}

Test(scheduler, idle_connections_make_room)
{
	struct scheduler *s = open_one(20, 2);
	struct destination *a = add(s, "a")->destination;
	struct destination *b = add(s, "b")->destination;
	struct destination *c;

	cr_assert(eq(uint, connect_all(s, NOW), 2));
	scheduler_finished(s, scheduler_take(s, a, NOW));
	cr_assert(scheduler_keep(s, a));
	scheduler_idle_count(s, a, 1);
	scheduler_finished(s, scheduler_take(s, b, NOW));
	scheduler_idle_count(s, b, 1);
	c = add(s, "c")->destination;
	expect(s, NOW, SCHEDULE_CLOSE_IDLE, a);
	scheduler_idle_count(s, a, -1);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	scheduler_disconnected(s, a);
	expect(s, NOW, SCHEDULE_CONNECT, c);
	expect(s, NOW, SCHEDULE_NOTHING, NULL);
	scheduler_close(s);
}

/* Two workers and one site: the second gets its half. */
Test(scheduler, workers_share_a_site)
{
	struct ledger *l = ledger_of(2);
	struct scheduler *a = open_with(l, 0, 10, 100);
	struct scheduler *b = open_with(l, 1, 10, 100);
	struct destination *da = add(a, "x")->destination;
	struct destination *db;

	add_many(a, "x", 1000);
	cr_assert(eq(uint, connect_all(a, NOW), 10));
	db = add(b, "x")->destination;
	add_many(b, "x", 1000);
	cr_assert(eq(uint, connect_all(b, NOW), 0));
	cr_assert(scheduler_wanting(b));
	for (int round = 0; round < 20; round++) {
		for (uint32_t i = da->connection_count; i > 0; i--) {
			struct entry *e = scheduler_take(a, da, NOW);

			if (e != NULL) {
				scheduler_finished(a, e);
				continue;
			}
			cr_assert(not(scheduler_keep(a, da)));
			scheduler_disconnected(a, da);
		}
		connect_all(a, NOW);
		scheduler_poke_wanting(b);
		connect_all(b, NOW);
		cr_assert(
		    le(u32, da->connection_count + db->connection_count, 10));
		scheduler_poke_wanting(a);
		connect_all(a, NOW);
	}
	cr_assert(eq(u32, da->connection_count, 5));
	cr_assert(eq(u32, db->connection_count, 5));
	cr_assert(eq(uint, ledger_sum(l, da->slot), 10));
	scheduler_close(a);
	cr_assert(eq(uint, ledger_sum(l, db->slot), 5));
	scheduler_close(b);
	ledger_close(l);
}

static void count_one(void *arg, const struct destination *d)
{
	*(uint32_t *)arg += d->ready_count + d->waiting_count;
}

Test(scheduler, each_destination)
{
	struct scheduler *s = open_one(20, 100);
	uint32_t count = 0;

	add_many(s, "a", 7);
	scheduler_each_destination(s, count_one, &count);
	cr_assert(eq(u32, count, 7));
	scheduler_close(s);
}

Test(scheduler, a_reload)
{
	struct scheduler *s = open_one(4, 100);
	struct scheduler_options options = {
	    .connections_max = 20, .connections_all_max = 100, .retry = policy};
	struct destination *d = add(s, "a")->destination;

	add_many(s, "a", 500);
	cr_assert(eq(uint, connect_all(s, NOW), 4));
	scheduler_reconfigure(s, &options);
	cr_assert(eq(uint, connect_all(s, NOW), 16));
	options.connections_max = 19;
	scheduler_reconfigure(s, &options);
	cr_assert(scheduler_take(s, d, NOW) == NULL);
	cr_assert(not(scheduler_keep(s, d)));
	cr_assert(scheduler_take(s, d, NOW) != NULL);
	scheduler_disconnected(s, d);
	cr_assert(eq(uint, connect_all(s, NOW), 0));
	scheduler_close(s);
}

/* Who asks for many connections does not get them before others get one. */
Test(scheduler, destinations_take_turns)
{
	struct scheduler *s = open_one(20, 100);
	uint32_t least = UINT32_MAX, most = 0;
	struct destination *d[4];
	struct entry *e;

	for (int i = 0; i < 4; i++) {
		char name[2] = {(char)('a' + i)};

		add_many(s, name, 100);
		d[i] = add(s, name)->destination;
	}
	for (int i = 0; i < 42; i++) {
		struct destination *to;

		cr_assert(eq(int, next(s, NOW, &to, &e), SCHEDULE_CONNECT));
		least = UINT32_MAX;
		most = 0;
		for (int k = 0; k < 4; k++) {
			uint32_t count = d[k]->connection_count;

			least = count < least ? count : least;
			most = count > most ? count : most;
		}
		cr_assert(le(u32, most, least + 1));
	}
	scheduler_close(s);
}
