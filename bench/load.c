/* load.c -- when a message is due, and for whom.
 *
 * Closed loop: a session takes the next message when it has finished one.
 * With a rate message k is due at begin + k / rate, whether a session is free
 * or not; a session that comes late takes the oldest, and its time counts from
 * when it was due (no coordinated omission). */
#include "bench/load.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/session.h"

static void on_end(struct timer *t)
{
	load_stop(container_of(t, struct load, end));
}

int load_open(struct load *l, struct loop *loop, const char **why)
{
	size_t len = sizeof(struct histogram) * LOAD_TIMES;

	*why = "no memory";
	l->loop = loop;
	list_init(&l->free);
	timer_init(&l->end, on_end);
	l->times = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->times == MAP_FAILED)
		return -ENOMEM;
	int err = letter_open(&l->letter);
	if (err == 0)
		err = pool_init(&l->sessions, "sessions",
		    sizeof(struct session), l->options.sessions);
	if (err == 0)
		err = stream_service_open(&l->streams, loop,
		    l->options.starttls ? l->options.sessions : 1);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (err == 0 && l->timer_fd < 0)
		err = -errno;
	return err;
}

static uint64_t due_ns(const struct load *l, uint64_t seq)
{
	if (l->options.rate == 0)
		return machine_ns();
	uint64_t rate = l->options.rate;

	return l->begun_ns + seq / rate * 1000000000u +
	       seq % rate * 1000000000u / rate;
}

bool load_is_done(const struct load *l)
{
	return l->stopping ||
	       (l->options.count > 0 && l->taken == l->options.count);
}

bool load_take(struct load *l, uint64_t *seq, uint64_t *due)
{
	if (load_is_done(l))
		return false;
	if (l->options.rate > 0 && l->taken == l->released)
		return false;
	*due = due_ns(l, l->taken);
	*seq = l->letter.first + l->taken++;
	return true;
}

/* Those that wait for a message hear that there is none. */
static void wake_all(struct load *l)
{
	struct list *first;

	while ((first = list_pop_front(&l->free)) != NULL)
		session_wake(container_of(first, struct session, link));
}

static void on_tick(struct op *op, int result);

/* The clock is asked for the next message that is not due yet. */
static void arm_tick(struct load *l)
{
	uint64_t at = due_ns(l, l->released);
	struct itimerspec when = {
	    .it_value = {.tv_sec = (time_t)(at / 1000000000u),
		.tv_nsec = (long)(at % 1000000000u)},
	};

	if (load_is_done(l))
		return;
	timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	loop_read(l->loop, &l->timer_read, l->timer_fd, &l->timer_count,
	    sizeof(l->timer_count), 0, on_tick);
}

static void on_tick(struct op *op, int result)
{
	struct load *l = container_of(op, struct load, timer_read);

	if (result < 0)
		return;
	while (due_ns(l, l->released) <= machine_ns())
		l->released++;
	while (l->taken < l->released && !load_is_done(l)) {
		struct list *first = list_pop_front(&l->free);

		if (first == NULL)
			break;
		session_wake(container_of(first, struct session, link));
	}
	if (load_is_done(l))
		wake_all(l);
	arm_tick(l);
}

void load_begin(struct load *l)
{
	l->begun_ns = machine_ns();
	l->ended_ns = l->begun_ns;
	if (l->options.seconds > 0)
		timer_arm(
		    loop_timers(l->loop), &l->end, l->options.seconds * 1000);
	for (uint32_t i = 0; i < l->options.sessions; i++) {
		struct session *s = pool_take(&l->sessions);

		check(s != NULL);
		l->live_count++;
		session_begin(s, l);
	}
	if (l->options.rate > 0 && !l->options.idle)
		arm_tick(l);
}

static void drop_all(struct load *l)
{
	for (size_t i = 0; i < l->sessions.count_fresh; i++) {
		void *at = l->sessions.base + i * l->sessions.object_len;

		session_drop(at);
	}
}

void load_stop(struct load *l)
{
	l->stopping = true;
	timer_disarm(&l->end);
	if (l->options.idle) {
		drop_all(l);
		return;
	}
	wake_all(l);
}

void load_time(struct load *l, enum load_time what, uint64_t since_ns)
{
	uint64_t now = machine_ns();

	histogram_add(&l->times[what], now > since_ns ? now - since_ns : 0);
	if (what == LOAD_DOT)
		l->ended_ns = now;
}

void load_good(struct load *l)
{
	l->failures = 0;
}

void load_failed(struct load *l)
{
	l->counts.connections_failed++;
	if (++l->failures == LOAD_FAILURES_MAX) {
		l->hopeless = true;
		load_stop(l);
	}
}
