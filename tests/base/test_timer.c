/* test_timer.c -- the wheel, against a plain list of due times. */
#include "core/base/timer.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

#include "core/base/rng.h"

struct item {
	struct timer timer;
	struct timers *wheel;
	uint64_t due_ms; /* what we believe; 0 = not armed */
	unsigned fired_count;
	uint64_t fired_ms;
	uint64_t again_ms; /* armed again when it fires, 0 = not */
};

static void on_fire(struct timer *t)
{
	struct item *item = container_of(t, struct item, timer);

	cr_assert_not(timer_armed(t));
	item->fired_count++;
	item->fired_ms = item->wheel->now_ms;
	item->due_ms = 0;
	if (item->again_ms != 0) {
		timer_arm(item->wheel, t, item->again_ms);
		item->due_ms = item->wheel->now_ms + item->again_ms;
	}
}

static struct timers *wheel_at(uint64_t now_ms)
{
	struct timers *wheel = malloc(sizeof(*wheel));

	timers_init(wheel, now_ms);
	return wheel;
}

static struct item item_of(struct timers *wheel)
{
	return (struct item){.wheel = wheel};
}

Test(timer, fires_late_by_a_tick_at_most_and_never_early)
{
	static const uint64_t waits[] = {1, 15, 16, 17, 100, 5000, 262000,
	    262144, 262145, 300000, 600000, 3600000};

	for (uint64_t start = 0; start < 40; start += 13)
		for (size_t i = 0; i < COUNT(waits); i++) {
			struct timers *w = wheel_at(1000 + start);
			struct item a = item_of(w);
			uint64_t due_ms = 1000 + start + waits[i];

			timer_init(&a.timer, on_fire);
			timer_arm(w, &a.timer, waits[i]);
			for (uint64_t now = w->now_ms; a.fired_count == 0;
			     now += 7)
				timers_run(w, now);
			cr_assert_geq(a.fired_ms, due_ms);
			cr_assert_leq(a.fired_ms, due_ms + TIMER_TICK_MS + 7);
			timers_run(w, a.fired_ms + 1000000);
			cr_assert_eq(a.fired_count, 1);
			free(w);
		}
}

Test(timer, can_be_moved_and_disarmed)
{
	struct timers *w = wheel_at(0);
	struct item a = item_of(w);

	timer_init(&a.timer, on_fire);
	timer_disarm(&a.timer); /* harmless */
	timer_arm(w, &a.timer, 100);
	timer_arm(w, &a.timer, 1000); /* later */
	timers_run(w, 999);
	cr_assert_eq(a.fired_count, 0);
	cr_assert(timer_armed(&a.timer));
	timer_arm(w, &a.timer, 10); /* sooner */
	timers_run(w, 1040);
	cr_assert_eq(a.fired_count, 1);
	timer_arm(w, &a.timer, 100);
	timer_arm(w, &a.timer, 500);
	timer_arm(w, &a.timer, 300); /* later, then a little sooner */
	timers_run(w, 1339);
	cr_assert_eq(a.fired_count, 1);
	timers_run(w, 1340 + TIMER_TICK_MS);
	cr_assert_eq(a.fired_count, 2);
	timer_arm(w, &a.timer, 100);
	timer_disarm(&a.timer);
	cr_assert_not(timer_armed(&a.timer));
	timers_run(w, 100000);
	cr_assert_eq(a.fired_count, 2);
	free(w);
}

struct pair {
	struct timer timer;
	struct timer *other;
	unsigned *fired_count;
};

static void disarm_other(struct timer *t)
{
	struct pair *pair = container_of(t, struct pair, timer);

	timer_disarm(pair->other);
	(*pair->fired_count)++;
}

Test(timer, may_disarm_another_that_is_due_as_well)
{
	struct timers *w = wheel_at(0);
	unsigned fired_count = 0;
	struct pair a = {.fired_count = &fired_count};
	struct pair b = {.other = &a.timer, .fired_count = &fired_count};

	a.other = &b.timer;
	timer_init(&a.timer, disarm_other);
	timer_init(&b.timer, disarm_other);
	timer_arm(w, &a.timer, 10);
	timer_arm(w, &b.timer, 10);
	timers_run(w, 1000);
	cr_assert_eq(fired_count, 1);
	free(w);
}

Test(timer, may_be_armed_again_when_it_fires)
{
	struct timers *w = wheel_at(0);
	struct item a = item_of(w);

	a.again_ms = 100;
	timer_init(&a.timer, on_fire);
	timer_arm(w, &a.timer, 100);
	for (uint64_t now = 0; now <= 10000; now += 4)
		timers_run(w, now);
	cr_assert_geq(a.fired_count, 10000 / (100 + TIMER_TICK_MS + 4));
	cr_assert_leq(a.fired_count, 100);
	free(w);
}

Test(timer, survives_a_long_sleep)
{
	struct timers *w = wheel_at(12345);
	struct item items[50];

	for (size_t i = 0; i < COUNT(items); i++) {
		items[i] = item_of(w);
		timer_init(&items[i].timer, on_fire);
		timer_arm(w, &items[i].timer, 1 + i * 20000);
	}
	timers_run(w, 12345 + 3600000);
	for (size_t i = 0; i < COUNT(items); i++)
		cr_assert_eq(items[i].fired_count, 1, "timer %zu", i);
	timer_arm(w, &items[0].timer, 20);
	timers_run(w, w->now_ms + 19);
	cr_assert_eq(items[0].fired_count, 1);
	timers_run(w, w->now_ms + 20);
	cr_assert_eq(items[0].fired_count, 2);
	free(w);
}

Test(timer, says_how_long_nothing_will_happen)
{
	struct timers *w = wheel_at(1000);
	struct item a = item_of(w);

	timer_init(&a.timer, on_fire);
	cr_assert_eq(timers_wait_ms(w, 5000), 5000);
	for (uint64_t wait = 1; wait < 262000; wait = wait * 3 + 1) {
		timer_arm(w, &a.timer, wait);
		uint64_t wait_ms = timers_wait_ms(w, 1000000);
		cr_assert_geq(wait_ms, wait);
		cr_assert_leq(wait_ms, wait + TIMER_TICK_MS);
		timers_run(w, w->now_ms + wait_ms);
		cr_assert_not(timer_armed(&a.timer), "%u", (unsigned)wait);
	}
	timer_arm(w, &a.timer, 3600000);
	cr_assert_eq(timers_wait_ms(w, 100), 100);
	free(w);
}

/* Whoever sleeps as long as it is told misses nothing. */
Test(timer, agrees_with_a_list)
{
	struct timers *w = wheel_at(777);
	struct rng rng = {11};
	static struct item items[200];

	for (size_t i = 0; i < COUNT(items); i++) {
		items[i] = item_of(w);
		timer_init(&items[i].timer, on_fire);
	}
	for (unsigned round = 0; round < 20000; round++) {
		struct item *item = &items[rng_below(&rng, COUNT(items))];
		uint64_t in_ms = rng_below(&rng, 8) == 0
				     ? rng_below(&rng, 500000)
				     : rng_below(&rng, 3000);

		if (rng_below(&rng, 5) == 0) {
			timer_disarm(&item->timer);
			item->due_ms = 0;
		} else {
			timer_arm(w, &item->timer, in_ms);
			item->due_ms = w->now_ms + in_ms;
		}
		if (rng_below(&rng, 3) != 0)
			continue;
		uint64_t wait_ms = timers_wait_ms(w, 2000);
		timers_run(w, w->now_ms + wait_ms);
		for (size_t i = 0; i < COUNT(items); i++) {
			cr_assert_eq(
			    timer_armed(&items[i].timer), items[i].due_ms != 0);
			if (items[i].due_ms != 0)
				cr_assert_gt(
				    items[i].due_ms + TIMER_TICK_MS, w->now_ms);
		}
	}
	free(w);
}

Test(timer, does_not_go_back_in_time, .signal = SIGABRT)
{
	struct timers *w = wheel_at(1000);

	timers_run(w, 999);
}
