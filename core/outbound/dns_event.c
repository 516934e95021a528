/* dns_event.c -- libunbound's events, on our loop.
 *
 * libunbound brings its own idea of an event loop, two tables of functions
 * (unbound-event.h): an event is a descriptor to wait for, or a timer, or
 * both.  A descriptor is waited for by one-shot polls, begun again after the
 * callback: libunbound reads at most so many packets a time and counts on
 * being called again (level-triggered), and mostly deletes the event in its
 * callback, so that nothing need be cancelled.
 *
 * libunbound frees an event, and closes its descriptor, whenever it likes; but
 * a poll that was begun belongs to the kernel until it is done.  So a poll has
 * a slot of its own, which is detached from its event when that is deleted and
 * given back when it completes.  The cancellation is submitted at once, before
 * the descriptor can be closed and its number used again.
 *
 * The tables lie in the base and not in static memory since libunbound's types
 * are not const.
 *
 * Must hold: no callback runs for an event that is deleted or freed. */
#include "core/outbound/dns_event.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unbound-event.h>

#include "core/base/list.h"
#include "core/base/pool.h"

/* One for each socket that a context may open, and a timer for each question
 * to a server that is on its way or waiting for a socket. */
#define EVENT_COUNT_MAX 16384u
/* Those armed, and those detached that the kernel has not yet given back. */
#define SLOT_COUNT_MAX 16384u

struct dns_events {
	struct ub_event_base base;
	struct ub_event_base_vmt base_vmt;
	struct ub_event_vmt event_vmt;
	struct loop *loop;
	struct pool events;
	struct pool slots;
	struct list all; /* the events that libunbound has */
	struct event
	    *running; /* whose callback runs; NULL when that freed it */
	bool closed;
};

struct event {
	struct ub_event ub;
	struct dns_events *owner;
	struct list link;
	struct timer timer;
	uint64_t timeout_ms;
	void (*callback)(int fd, short bits, void *argument);
	void *argument;
	struct slot *slot; /* NULL = no poll under way */
	int fd;
	short bits;
	bool added;
};

/* One poll. */
struct slot {
	struct op op;
	struct dns_events *owner;
	struct event *event; /* NULL = detached */
};

static void events_free(struct dns_events *e)
{
	pool_deinit(&e->slots);
	pool_deinit(&e->events);
	munmap(e, sizeof(*e));
}

static void on_ready(struct op *op, int result);

static void poll_begin(struct event *event)
{
	struct dns_events *e = event->owner;
	int wanted = (event->bits & UB_EV_READ ? POLLIN : 0) |
		     (event->bits & UB_EV_WRITE ? POLLOUT : 0);

	if (event->slot != NULL || event->fd < 0 || wanted == 0)
		return;
	struct slot *slot = pool_take(&e->slots);

	/* Then it is as if the answer never came. */
	if (slot == NULL)
		return;
	*slot = (struct slot){.owner = e, .event = event};
	event->slot = slot;
	loop_poll(e->loop, &slot->op, event->fd, wanted, on_ready);
}

/* The event fires no more. */
static void event_stop(struct event *event)
{
	struct slot *slot = event->slot;

	event->added = false;
	timer_disarm(&event->timer);
	if (slot == NULL)
		return;
	event->slot = NULL;
	slot->event = NULL;
	loop_cancel(event->owner->loop, &slot->op);
	loop_submit(event->owner->loop);
}

static void event_run(struct event *event, short bits)
{
	struct dns_events *e = event->owner;

	if ((event->bits & UB_EV_PERSIST) == 0)
		event_stop(event);
	else if (event->bits & UB_EV_TIMEOUT && event->timeout_ms > 0)
		timer_arm(
		    loop_timers(e->loop), &event->timer, event->timeout_ms);
	check(e->running == NULL);
	e->running = event;
	event->callback(event->fd, bits, event->argument);
	if (e->running != NULL && event->added)
		poll_begin(event);
	e->running = NULL;
}

static void on_ready(struct op *op, int result)
{
	struct slot *slot = container_of(op, struct slot, op);
	struct event *event = slot->event;
	struct dns_events *e = slot->owner;
	short bits = 0;

	pool_give(&e->slots, slot);
	if (event == NULL) {
		if (e->closed && e->slots.count_used == 0)
			events_free(e);
		return;
	}
	event->slot = NULL;
	/* Not ours to mend: libunbound's own time-out ends the wait. */
	if (result < 0)
		return;
	if (result & (POLLIN | POLLERR | POLLHUP))
		bits |= UB_EV_READ;
	if (result & (POLLOUT | POLLERR | POLLHUP))
		bits |= UB_EV_WRITE;
	event_run(event, bits & event->bits);
}

static void on_timeout(struct timer *timer)
{
	event_run(container_of(timer, struct event, timer), UB_EV_TIMEOUT);
}

static struct event *event_of(struct ub_event *ub)
{
	return container_of(ub, struct event, ub);
}

static void event_add_bits(struct ub_event *ub, short bits)
{
	event_of(ub)->bits |= bits;
}

static void event_del_bits(struct ub_event *ub, short bits)
{
	event_of(ub)->bits &= (short)~bits;
}

static void event_set_fd(struct ub_event *ub, int fd)
{
	event_of(ub)->fd = fd;
}

static void event_free(struct ub_event *ub)
{
	struct event *event = event_of(ub);
	struct dns_events *e = event->owner;

	event_stop(event);
	if (e->running == event)
		e->running = NULL;
	list_remove(&event->link);
	pool_give(&e->events, event);
}

static int event_add(struct ub_event *ub, struct timeval *timeout)
{
	struct event *event = event_of(ub);
	struct dns_events *e = event->owner;

	event->added = true;
	/* When its callback runs, the poll begins after that. */
	if (e->running != event)
		poll_begin(event);
	if (timeout != NULL && event->bits & UB_EV_TIMEOUT) {
		event->timeout_ms = (uint64_t)timeout->tv_sec * 1000 +
				    (uint64_t)(timeout->tv_usec + 999) / 1000;
		timer_arm(
		    loop_timers(e->loop), &event->timer, event->timeout_ms);
	}
	return 0;
}

static int event_del(struct ub_event *ub)
{
	event_stop(event_of(ub));
	return 0;
}

static int event_add_timer(struct ub_event *ub, struct ub_event_base *base,
    void (*callback)(int, short, void *), void *argument,
    struct timeval *timeout)
{
	struct event *event = event_of(ub);

	(void)base;
	event->callback = callback;
	event->argument = argument;
	event->bits = UB_EV_TIMEOUT;
	return event_add(ub, timeout);
}

static struct ub_event *base_new_event(struct ub_event_base *base, int fd,
    short bits, void (*callback)(int, short, void *), void *argument)
{
	struct dns_events *e = container_of(base, struct dns_events, base);
	struct event *event = pool_take(&e->events);

	/* libunbound treats this as being out of memory. */
	if (event == NULL)
		return NULL;
	*event = (struct event){
	    .ub = {.magic = UB_EVENT_MAGIC, .vmt = &e->event_vmt},
	    .owner = e,
	    .fd = fd,
	    .bits = bits,
	    .callback = callback,
	    .argument = argument,
	};
	timer_init(&event->timer, on_timeout);
	list_init(&event->link);
	list_push_back(&e->all, &event->link);
	return &event->ub;
}

/* What a library that uses ub_resolve_event never calls, but wants to have. */

static struct ub_event *base_new_signal(struct ub_event_base *base, int fd,
    void (*callback)(int, short, void *), void *argument)
{
	return base_new_event(base, fd, UB_EV_SIGNAL, callback, argument);
}

static struct ub_event *base_register_wsaevent(struct ub_event_base *base,
    void *wsaevent, void (*callback)(int, short, void *), void *argument)
{
	(void)base;
	(void)wsaevent;
	(void)callback;
	(void)argument;
	return NULL;
}

static void base_free(struct ub_event_base *base)
{
	(void)base;
}

static int base_dispatch(struct ub_event_base *base)
{
	(void)base;
	return 0;
}

static int base_exit(struct ub_event_base *base, struct timeval *timeout)
{
	(void)base;
	(void)timeout;
	return 0;
}

static void event_unregister_wsaevent(struct ub_event *ub)
{
	(void)ub;
}

static void event_tcp_wouldblock(struct ub_event *ub, int bits)
{
	(void)ub;
	(void)bits;
}

int dns_events_open(struct dns_events **events, struct loop *loop)
{
	struct dns_events *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (e == MAP_FAILED)
		return -ENOMEM;
	*e = (struct dns_events){
	    .base = {.magic = UB_EVENT_MAGIC, .vmt = &e->base_vmt},
	    .base_vmt = {base_free, base_dispatch, base_exit, base_new_event,
		base_new_signal, base_register_wsaevent},
	    .event_vmt = {event_add_bits, event_del_bits, event_set_fd,
		event_free, event_add, event_del, event_add_timer, event_del,
		event_add, event_del, event_unregister_wsaevent,
		event_tcp_wouldblock},
	    .loop = loop,
	};
	list_init(&e->all);
	int err = pool_init(
	    &e->events, "dns events", sizeof(struct event), EVENT_COUNT_MAX);
	if (err < 0)
		goto unmap;
	err = pool_init(
	    &e->slots, "dns polls", sizeof(struct slot), SLOT_COUNT_MAX);
	if (err < 0)
		goto deinit_events;
	*events = e;
	return 0;
deinit_events:
	pool_deinit(&e->events);
unmap:
	munmap(e, sizeof(*e));
	return err;
}

struct ub_event_base *dns_events_base(struct dns_events *events)
{
	return &events->base;
}

void dns_events_close(struct dns_events *e)
{
	/* What libunbound forgot to free must not fire. */
	LIST_EACH (node, &e->all)
		event_stop(container_of(node, struct event, link));
	e->closed = true;
	if (e->slots.count_used == 0)
		events_free(e);
}
