/* timer.c -- a timer wheel: many time-outs, nearly all of which never happen.
 *
 * Slot = due time in ticks, modulo the number of slots.  A timer whose due time
 * was moved later stays in its old slot; when the wheel comes by it is queued
 * again.  One due sooner than its slot is moved at once. */
#include "core/base/timer.h"

void timers_init(struct timers *w, uint64_t now_ms)
{
	for (size_t i = 0; i < TIMER_SLOTS; i++)
		list_init(&w->slots[i]);
	for (size_t i = 0; i < COUNT(w->occupied); i++)
		w->occupied[i] = 0;
	w->now_ms = now_ms;
	w->tick_next = now_ms / TIMER_TICK_MS + 1;
}

/* The tick in which `due_ms` has passed for certain, within the horizon. */
static uint64_t tick_of(const struct timers *w, uint64_t due_ms)
{
	uint64_t tick = (due_ms + TIMER_TICK_MS - 1) / TIMER_TICK_MS;

	if (tick < w->tick_next)
		tick = w->tick_next;
	if (tick >= w->tick_next + TIMER_SLOTS)
		tick = w->tick_next + TIMER_SLOTS - 1;
	return tick;
}

static void enqueue(struct timers *w, struct timer *t)
{
	uint64_t slot = tick_of(w, t->due_ms) % TIMER_SLOTS;

	list_push_back(&w->slots[slot], &t->link);
	w->occupied[slot / 64] |= (uint64_t)1 << (slot % 64);
}

void timer_arm(struct timers *w, struct timer *t, uint64_t in_ms)
{
	uint64_t due_ms = w->now_ms + in_ms;

	if (due_ms == 0)
		due_ms = 1;
	if (t->due_ms != 0 && due_ms >= t->due_ms) {
		t->due_ms = due_ms; /* lazy: found out when its slot comes */
		return;
	}
	list_remove(&t->link);
	t->due_ms = due_ms;
	enqueue(w, t);
}

static void run_slot(struct timers *w, uint64_t slot)
{
	struct list due;
	struct list *node;

	/* A fire() may arm or disarm any timer, so the slot is taken over as
	 * a list of its own first; a disarm then works on that one. */
	list_init(&due);
	while ((node = list_pop_front(&w->slots[slot])) != NULL)
		list_push_back(&due, node);
	w->occupied[slot / 64] &= ~((uint64_t)1 << (slot % 64));
	while ((node = list_pop_front(&due)) != NULL) {
		struct timer *t = container_of(node, struct timer, link);

		if (t->due_ms > w->now_ms) {
			enqueue(w, t);
		} else {
			t->due_ms = 0;
			t->fire(t);
		}
	}
}

void timers_run(struct timers *w, uint64_t now_ms)
{
	check(now_ms >= w->now_ms);
	w->now_ms = now_ms;
	uint64_t tick_last = now_ms / TIMER_TICK_MS;

	if (tick_last >= w->tick_next + TIMER_SLOTS) /* slept for minutes */
		w->tick_next = tick_last - TIMER_SLOTS + 1;
	while (w->tick_next <= tick_last) {
		uint64_t slot = w->tick_next % TIMER_SLOTS;

		w->tick_next++;
		if (w->occupied[slot / 64] >> (slot % 64) & 1)
			run_slot(w, slot);
	}
}

uint64_t timers_wait_ms(const struct timers *w, uint64_t max_ms)
{
	uint64_t tick = w->tick_next;

	for (unsigned seen = 0; seen < TIMER_SLOTS;) {
		uint64_t slot = tick % TIMER_SLOTS;
		uint64_t bits = w->occupied[slot / 64] >> (slot % 64);
		unsigned step = 64 - (unsigned)(slot % 64);

		if (bits != 0) {
			tick += (unsigned)__builtin_ctzll(bits);
			uint64_t due_ms = tick * TIMER_TICK_MS;

			if (due_ms <= w->now_ms)
				return 0;
			uint64_t wait_ms = due_ms - w->now_ms;
			return wait_ms < max_ms ? wait_ms : max_ms;
		}
		tick += step;
		seen += step;
	}
	return max_ms;
}
