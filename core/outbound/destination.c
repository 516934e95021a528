/* destination.c -- one next hop: its queue, its connections, its health.
 *
 * Queue: entries are ready (first in, first out), taken, or wait in one of two
 * heaps: by_site holds those that nothing is wrong with but their site.
 *
 * Health: GOOD -> PAUSED when a connection fails and there is no other one;
 * PAUSED -> PROBING when the pause is over; PROBING -> GOOD when the probe gets
 * through, -> PAUSED, for twice as long, when it does not.  With the change to
 * GOOD all that waits by_site is due.
 *
 * Window: a site that refuses our sixth connection while five are alive is not
 * dead; it wants five.  So a failure beside living connections lowers the
 * window to those, and a window's worth of successes raises it by one.
 *
 * An entry whose attempts break the connection again and again must not be
 * called back with the rest each time that the site is good: the second time
 * it waits by_reply. */
#include "core/outbound/destination.h"

#include "core/base/check.h"

void destination_init(struct destination *d, struct slice name, uint32_t window)
{
	check(name.len <= DESTINATION_NAME_MAX);
	*d = (struct destination){
	    .name_len = (uint8_t)name.len,
	    .slot = UINT32_MAX,
	    .health = DESTINATION_GOOD,
	    .window = window,
	    .place = DESTINATION_NOWHERE,
	};
	for (size_t i = 0; i < name.len; i++)
		d->name[i] = (char)byte_lower(name.at[i]);
	list_init(&d->ready);
	list_init(&d->turn);
	list_init(&d->idle_connections);
	list_init(&d->idle);
	list_init(&d->all);
}

bool destination_empty(const struct destination *d)
{
	return d->ready_count == 0 && d->taken_count == 0 &&
	       d->waiting_count == 0 && d->connection_count == 0 &&
	       d->health != DESTINATION_PAUSED;
}

void destination_push_back(struct destination *d, struct entry *e)
{
	e->state = ENTRY_READY;
	list_push_back(&d->ready, &e->link);
	d->ready_count++;
}

void destination_push_front(struct destination *d, struct entry *e)
{
	e->state = ENTRY_READY;
	list_push_front(&d->ready, &e->link);
	d->ready_count++;
}

void destination_wait(
    struct destination *d, struct entry *e, bool site, uint32_t order)
{
	uint64_t key = (uint64_t)e->due_s << 32 | order;

	e->state = site ? ENTRY_BY_SITE : ENTRY_BY_REPLY;
	heap_insert(site ? &d->by_site : &d->by_reply, &e->wait, key);
	d->waiting_count++;
}

struct entry *destination_take(struct destination *d, enum entry_state state)
{
	struct list *first = list_pop_front(&d->ready);

	check(first != NULL);
	check(d->ready_count > 0);
	check(state == ENTRY_TAKEN || state == ENTRY_REFUSED);
	struct entry *e = container_of(first, struct entry, link);
	e->state = (uint8_t)state;
	d->ready_count--;
	d->taken_count++;
	if (state == ENTRY_TAKEN)
		d->busy_count++;
	return e;
}

static void drop_waiting(
    struct destination *d, struct heap *h, uint32_t *drain, struct entry *e)
{
	check(d->waiting_count > 0);
	d->waiting_count--;
	heap_remove(h, &e->wait);
	if (*drain > h->count)
		*drain = (uint32_t)h->count;
}

void destination_drop(struct destination *d, struct entry *e)
{
	switch ((enum entry_state)e->state) {
	case ENTRY_READY:
		check(d->ready_count > 0);
		list_remove(&e->link);
		d->ready_count--;
		break;
	case ENTRY_BY_REPLY:
		drop_waiting(d, &d->by_reply, &d->drain_reply, e);
		break;
	case ENTRY_BY_SITE:
		drop_waiting(d, &d->by_site, &d->drain_site, e);
		break;
	case ENTRY_TAKEN:
		check(d->busy_count > 0);
		d->busy_count--;
		if (d->probe == e)
			d->probe = NULL;
		check(d->taken_count > 0);
		d->taken_count--;
		break;
	case ENTRY_REFUSED:
		check(d->taken_count > 0);
		d->taken_count--;
		break;
	}
}

/* The first of the heap becomes ready. */
static void call_back(struct destination *d, struct heap *h)
{
	struct entry *e = container_of(heap_pop(h), struct entry, wait);

	check(d->waiting_count > 0);
	d->waiting_count--;
	destination_push_back(d, e);
}

static unsigned run_heap(struct destination *d, struct heap *h, uint32_t *drain,
    uint64_t now_s, unsigned count_max)
{
	unsigned count = 0;

	while (count < count_max && heap_first(h) != NULL) {
		if (*drain > 0)
			(*drain)--;
		else if (heap_first(h)->key >> 32 > now_s)
			break;
		call_back(d, h);
		count++;
	}
	return count;
}

unsigned destination_run(
    struct destination *d, uint64_t now_s, unsigned count_max)
{
	unsigned count;

	count = run_heap(d, &d->by_site, &d->drain_site, now_s, count_max);
	count += run_heap(
	    d, &d->by_reply, &d->drain_reply, now_s, count_max - count);
	if (d->health == DESTINATION_PAUSED && d->paused_until_s <= now_s) {
		destination_probe(d);
		/* Those that wait for the site would be due in minutes; one
		 * goes ahead to see whether it is back. */
		if (d->ready_count == 0 && heap_first(&d->by_site) != NULL)
			call_back(d, &d->by_site);
		count++;
	}
	return count;
}

static uint64_t heap_event_s(const struct heap *h, uint32_t drain)
{
	const struct heap_node *first = heap_first(h);

	if (first == NULL)
		return UINT64_MAX;
	return drain > 0 ? 0 : first->key >> 32;
}

uint64_t destination_event_s(const struct destination *d)
{
	uint64_t at_s = heap_event_s(&d->by_reply, d->drain_reply);
	uint64_t site_s = heap_event_s(&d->by_site, d->drain_site);

	if (site_s < at_s)
		at_s = site_s;
	if (d->health == DESTINATION_PAUSED && d->paused_until_s < at_s)
		at_s = d->paused_until_s;
	return at_s;
}

/* ceil(limit * (1 - e^(-0.023 n))): 1 entry gets 1 connection, 10 get 5 of 20,
 * 50 get 14; so a few mails do not bring all our connections upon a site. */
unsigned destination_growth(unsigned entry_count, unsigned limit)
{
	/* e^(-0.023 * 2^i) * 2^32 */
	static const uint32_t powers[] = {4197310407, 4101873994, 3917461788,
	    3573137070, 2972620660, 2057401834, 985549368, 226150164};
	uint64_t rest = (uint64_t)1 << 32;
	uint64_t count;

	if (entry_count >= 200)
		return limit < entry_count ? limit : entry_count;
	for (unsigned i = 0; i < COUNT(powers); i++) {
		if ((entry_count >> i & 1) != 0)
			rest = rest * powers[i] >> 32;
	}
	count = ((((uint64_t)1 << 32) - rest) * limit + UINT32_MAX) >> 32;
	return count < entry_count ? (unsigned)count : entry_count;
}

bool destination_wants(const struct destination *d, unsigned limit)
{
	unsigned free_count = 0; /* connecting, or about to take an entry */

	if (d->ready_count == 0 || d->health == DESTINATION_PAUSED)
		return false;
	if (d->connection_count == 0)
		return true;
	if (d->health == DESTINATION_PROBING)
		return false;
	if (d->window < limit)
		limit = d->window;
	if (d->connection_count >= limit)
		return false;
	if (d->connection_count > d->busy_count)
		free_count = d->connection_count - d->busy_count;
	return d->ready_count > free_count &&
	       d->connection_count <
		   destination_growth(d->ready_count + d->busy_count, limit);
}

/* It goes into logs and reports: nothing that a terminal would obey. */
static void note_error(struct destination *d, struct slice error)
{
	if (error.len > DESTINATION_ERROR_MAX)
		error.len = DESTINATION_ERROR_MAX;
	for (size_t i = 0; i < error.len; i++) {
		uint8_t c = error.at[i];

		d->error[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	d->error_len = (uint8_t)error.len;
}

void destination_failed(
    struct destination *d, struct slice error, uint64_t now_s, struct rng *rng)
{
	uint64_t pause_s = DESTINATION_PAUSE_MIN_S;

	note_error(d, error);
	d->good_count = 0;
	if (d->health == DESTINATION_PAUSED)
		return; /* one failure, seen by several connections */
	if (d->health == DESTINATION_GOOD && d->connection_count > 1) {
		d->window = d->connection_count - 1;
		return;
	}
	for (uint32_t i = 0;
	     i < d->fail_count && pause_s < DESTINATION_PAUSE_MAX_S; i++)
		pause_s *= 2;
	if (pause_s > DESTINATION_PAUSE_MAX_S)
		pause_s = DESTINATION_PAUSE_MAX_S;
	pause_s = pause_s - pause_s / 10 + rng_below(rng, pause_s / 10 * 2 + 1);
	d->fail_count++;
	d->health = DESTINATION_PAUSED;
	d->paused_until_s = now_s + pause_s;
	d->drain_reply = 0;
	d->drain_site = 0;
}

void destination_good(struct destination *d, unsigned limit)
{
	d->good_count++;
	if (d->good_count >= d->window) {
		d->good_count = 0;
		if (d->window < limit)
			d->window++;
	}
	if (d->health == DESTINATION_GOOD)
		return;
	d->health = DESTINATION_GOOD;
	d->fail_count = 0;
	d->paused_until_s = 0;
	d->error_len = 0;
	d->probe = NULL;
	d->drain_site = (uint32_t)d->by_site.count;
}

void destination_probe(struct destination *d)
{
	if (d->health != DESTINATION_PAUSED)
		return;
	d->health = DESTINATION_PROBING;
	d->paused_until_s = 0;
}

void destination_drain(struct destination *d)
{
	d->drain_site = (uint32_t)d->by_site.count;
	d->drain_reply = (uint32_t)d->by_reply.count;
	destination_probe(d);
}
