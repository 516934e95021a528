/* timer.h -- a timer wheel: many time-outs, nearly all of which never happen.
 *
 * Moving a timer to a later time only writes its due time; the wheel finds out
 * when it gets there and queues it again.  Timers fire up to TIMER_TICK_MS
 * late, never early. */
#ifndef CORE_BASE_TIMER_H
#define CORE_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"

#define TIMER_TICK_MS 16u
#define TIMER_SLOTS 16384u /* 262 s; what is due later is queued again */

struct timer {
	struct list link;
	uint64_t due_ms; /* 0 = not armed */
	void (*fire)(struct timer *t);
};

struct timers {
	struct list slots[TIMER_SLOTS];
	uint64_t occupied[TIMER_SLOTS / 64]; /* may have a timer: a hint */
	uint64_t tick_next;		     /* the first tick not yet run */
	uint64_t now_ms;
};

void timers_init(struct timers *w, uint64_t now_ms);

static inline void timer_init(struct timer *t, void (*fire)(struct timer *t))
{
	list_init(&t->link);
	t->due_ms = 0;
	t->fire = fire;
}

/* Fires once, `in_ms` from now (moves the timer when it is armed already). */
void timer_arm(struct timers *w, struct timer *t, uint64_t in_ms);

static inline void timer_disarm(struct timer *t)
{
	list_remove(&t->link);
	t->due_ms = 0;
}

static inline bool timer_armed(const struct timer *t)
{
	return t->due_ms != 0;
}

/* Fires what is due at now_ms.  A timer is disarmed before it fires and may be
 * armed again, or its memory given back, in fire(). */
void timers_run(struct timers *w, uint64_t now_ms);

/* Milliseconds from now_ms until timers_run may have something to do; at most
 * `max_ms`. */
uint64_t timers_wait_ms(const struct timers *w, uint64_t max_ms);

#endif
