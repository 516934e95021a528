/* scheduler.c -- what is due, fairly among destinations.
 *
 * The life of entries and connections; turn.c decides what is next.
 *
 * Fairness is also that who has, yields: a connection gets no further entry
 * (scheduler_take says NULL, scheduler_keep false) when its destination has
 * more than its share and another one has none, or when another worker has
 * fewer of this site's connections and wants one.  The only connection of a
 * destination yields after some entries.  Those that were told to close are
 * counted as gone (closing_count), or all would be told before one is closed.
 */
#include "core/outbound/scheduler.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/outbound/turn.h"

#define SINGLE_TAKE_MAX 16u /* entries before the last connection yields */

static void options_check(const struct scheduler_options *o)
{
	check(o->connections_max >= 1);
	check(o->connections_all_max >= 1);
}

int scheduler_open(
    struct scheduler **scheduler, const struct scheduler_options *options)
{
	struct scheduler *s;
	int err;

	*scheduler = NULL;
	options_check(options);
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return -errno;
	s->options = *options;
	s->rng.state = options->seed;
	list_init(&s->all);
	list_init(&s->idle);
	for (unsigned i = 0; i < DESTINATION_PLACES; i++)
		list_init(&s->places[i]);
	err = pool_init(&s->entries, "entries", sizeof(struct entry),
	    options->entry_count_max);
	if (err < 0)
		goto unmap;
	err = pool_init(&s->destinations, "destinations",
	    sizeof(struct destination), options->destination_count_max);
	if (err < 0)
		goto deinit_entries;
	err = map_init(&s->by_name, options->destination_count_max);
	if (err < 0)
		goto deinit_destinations;
	*scheduler = s;
	return 0;
deinit_destinations:
	pool_deinit(&s->destinations);
deinit_entries:
	pool_deinit(&s->entries);
unmap:
	munmap(s, sizeof(*s));
	return err;
}

static void ledger_give_one(struct scheduler *s, struct destination *d)
{
	if (d->slot != LEDGER_NO_SLOT)
		ledger_give(s->options.ledger, d->slot, s->options.column);
}

void scheduler_close(struct scheduler *s)
{
	if (s == NULL)
		return;
	LIST_EACH (node, &s->all) {
		struct destination *d = scheduler_from_all(node);

		for (; d->connection_count > 0; d->connection_count--)
			ledger_give_one(s, d);
		turn_ledger_leave(s, d);
	}
	map_deinit(&s->by_name);
	pool_deinit(&s->destinations);
	pool_deinit(&s->entries);
	munmap(s, sizeof(*s));
}

void scheduler_reconfigure(
    struct scheduler *s, const struct scheduler_options *options)
{
	unsigned max = s->options.connections_max;

	options_check(options);
	s->options.connections_max = options->connections_max;
	s->options.connections_all_max = options->connections_all_max;
	s->options.retry = options->retry;
	LIST_EACH (node, &s->all) {
		struct destination *d = scheduler_from_all(node);

		/* What the window has learnt stays, if it has. */
		if (d->window == max || d->window > options->connections_max)
			d->window = options->connections_max;
		turn_wake(s, d);
	}
}

static struct destination *destination_of(
    struct scheduler *s, struct slice name)
{
	uint64_t hash = slice_hash_nocase(name, s->options.seed);
	struct destination *d;

	for (struct map_node *node = map_first(&s->by_name, hash); node != NULL;
	     node = map_next(node)) {
		d = container_of(node, struct destination, by_name);
		if (slice_eq_nocase(destination_name(d), name))
			return d;
	}
	d = pool_take(&s->destinations);
	if (d == NULL)
		return NULL;
	destination_init(d, name, s->options.connections_max);
	map_insert(&s->by_name, &d->by_name, hash);
	/* At the front, where a walk of scheduler_retry_all has been. */
	list_push_front(&s->all, &d->all);
	return d;
}

struct entry *scheduler_add(struct scheduler *s, struct slice destination,
    void *message, struct entry *sibling, uint32_t received_s, uint32_t due_s,
    uint16_t attempt_count, uint64_t now_s)
{
	struct destination *d;
	struct entry *e;

	if (destination.len > DESTINATION_NAME_MAX)
		return NULL;
	e = pool_take(&s->entries);
	if (e == NULL)
		return NULL;
	d = destination_of(s, destination);
	if (d == NULL) {
		pool_give(&s->entries, e);
		return NULL;
	}
	*e = (struct entry){
	    .destination = d,
	    .message = message,
	    .received_s = received_s,
	    .due_s = due_s,
	    .attempt_count = attempt_count,
	};
	entry_link(e, sibling);
	if (due_s > now_s)
		destination_wait(d, e, false, s->order++);
	else
		destination_push_back(d, e);
	turn_changed(s, d);
	return e;
}

/* Whether another destination has none and should get one of d's. */
static bool yields_to_starved(
    const struct scheduler *s, const struct destination *d, unsigned count)
{
	size_t starved_count = s->place_counts[DESTINATION_STARVED];

	if (starved_count <= s->closing_count || scheduler_has_room(s))
		return false;
	if (count == 1)
		return d->take_count >= SINGLE_TAKE_MAX;
	return count > s->options.connections_all_max /
			   (s->connected_count + starved_count);
}

static bool must_yield(const struct scheduler *s, const struct destination *d)
{
	unsigned max = s->options.connections_max;
	unsigned count = d->connection_count;

	count -= d->closing_count < count ? d->closing_count : count;
	if (count == 0)
		return false;
	if (count > max || yields_to_starved(s, d, count))
		return true;
	if (d->slot == LEDGER_NO_SLOT || d->closing_count > 0)
		return false;
	if (count == 1 && d->take_count < SINGLE_TAKE_MAX)
		return false;
	return ledger_should_yield(
	    s->options.ledger, d->slot, s->options.column, max);
}

struct entry *scheduler_take(
    struct scheduler *s, struct destination *d, uint64_t now_s)
{
	struct entry *e;

	if (d->ready_count == 0 || must_yield(s, d))
		return NULL;
	if (d->health == DESTINATION_PAUSED && d->paused_until_s > now_s)
		return NULL;
	if (d->health != DESTINATION_GOOD && d->probe != NULL)
		return NULL;
	e = destination_take(d, ENTRY_TAKEN);
	d->take_count++;
	if (d->health != DESTINATION_GOOD)
		d->probe = e;
	turn_changed(s, d);
	return e;
}

bool scheduler_keep(struct scheduler *s, struct destination *d)
{
	bool wanted = s->place_counts[DESTINATION_STARVED] +
			  s->place_counts[DESTINATION_WAITING] >
		      s->closing_count;

	if (d->health == DESTINATION_PAUSED)
		return false;
	/* An idle one is worth less than one that somebody waits for. */
	if (!must_yield(s, d) && (d->ready_count > 0 || !wanted))
		return true;
	if (d->closing_count < d->connection_count) {
		d->closing_count++;
		s->closing_count++;
	}
	return false;
}

void scheduler_idle_count(
    struct scheduler *s, struct destination *d, int change)
{
	check(change == 1 || change == -1);
	if (change == 1) {
		check(d->idle_count < d->connection_count);
		if (d->idle_count++ == 0)
			list_push_back(&s->idle, &d->idle);
	} else {
		check(d->idle_count > 0);
		if (--d->idle_count == 0)
			list_remove(&d->idle);
	}
	turn_wake(s, d);
}

void scheduler_disconnected(struct scheduler *s, struct destination *d)
{
	check(d->connection_count > 0);
	check(d->idle_count < d->connection_count);
	d->connection_count--;
	s->connection_count--;
	ledger_give_one(s, d);
	/* The place that was refused may be this one. */
	if (d->place == DESTINATION_WANTING)
		turn_place(s, d, DESTINATION_TURN);
	if (d->closing_count > 0) {
		d->closing_count--;
		s->closing_count--;
	}
	if (d->connection_count == 0) {
		s->connected_count--;
		/* It is among the neediest now. */
		if (d->place == DESTINATION_WAITING)
			turn_place(s, d, DESTINATION_STARVED);
	}
	turn_wake(s, d);
}

/* How attempts end. */

struct entry *scheduler_finished(struct scheduler *s, struct entry *e)
{
	struct destination *d = e->destination;
	struct entry *left = entry_unlink(e);

	check(e->state == ENTRY_TAKEN || e->state == ENTRY_REFUSED);
	destination_drop(d, e);
	pool_give(&s->entries, e);
	turn_changed(s, d);
	return left;
}

uint32_t scheduler_due(
    struct scheduler *s, const struct entry *e, uint64_t now_s)
{
	uint64_t due_s = now_s + retry_delay_s(&s->options.retry,
				     e->attempt_count + 1u, &s->rng);

	return due_s > UINT32_MAX ? UINT32_MAX : (uint32_t)due_s;
}

uint32_t scheduler_put_off(
    struct scheduler *s, struct entry *e, bool site, uint64_t now_s)
{
	scheduler_put_off_until(s, e, site, scheduler_due(s, e, now_s));
	return e->due_s;
}

void scheduler_put_off_until(
    struct scheduler *s, struct entry *e, bool site, uint32_t due_s)
{
	struct destination *d = e->destination;

	check(e->state == ENTRY_TAKEN || e->state == ENTRY_REFUSED);
	if (e->attempt_count < UINT16_MAX)
		e->attempt_count++;
	/* While the site is good nobody calls by_site back; and what broke its
	 * connection twice may be the cause. */
	if (d->health == DESTINATION_GOOD ||
	    (e->state == ENTRY_TAKEN && e->attempt_count > 1))
		site = false;
	e->due_s = due_s;
	destination_drop(d, e);
	destination_wait(d, e, site, s->order++);
	turn_changed(s, d);
}

void scheduler_untake(struct scheduler *s, struct entry *e)
{
	struct destination *d = e->destination;

	check(e->state == ENTRY_TAKEN || e->state == ENTRY_REFUSED);
	destination_drop(d, e);
	destination_push_front(d, e);
	turn_changed(s, d);
}

void scheduler_site_failed(struct scheduler *s, struct destination *d,
    struct slice error, uint64_t now_s)
{
	destination_failed(d, error, now_s, &s->rng);
	turn_changed(s, d);
}

void scheduler_site_good(struct scheduler *s, struct destination *d)
{
	destination_good(d, s->options.connections_max);
	turn_changed(s, d);
}

bool scheduler_expired(const struct scheduler *s, const struct entry *e,
    bool bounce, uint64_t now_s)
{
	const struct retry_policy *p = &s->options.retry;

	return now_s >= (uint64_t)e->received_s +
			    (bounce ? p->bounce_lifetime_s : p->lifetime_s);
}

/* What the operator asks for. */

void scheduler_retry(struct scheduler *s, struct entry *first, uint64_t now_s)
{
	struct entry *e = first;

	do {
		struct destination *d = e->destination;

		if (e->state == ENTRY_BY_REPLY || e->state == ENTRY_BY_SITE) {
			destination_drop(d, e);
			e->due_s = (uint32_t)now_s;
			destination_push_back(d, e);
			destination_probe(d);
			turn_changed(s, d);
		}
		e = entry_sibling(e);
	} while (e != first);
}

void scheduler_retry_all(struct scheduler *s)
{
	s->retry_next = s->all.next;
}

struct entry *scheduler_remove(struct scheduler *s, struct entry *first)
{
	struct entry *left = NULL;
	struct entry *e = first;

	while (e != NULL) {
		struct destination *d = e->destination;
		struct entry *next;

		if (e->state == ENTRY_TAKEN || e->state == ENTRY_REFUSED) {
			/* Round the ring until the first that stays comes
			 * again. */
			if (left == e)
				break;
			if (left == NULL)
				left = e;
			e = entry_sibling(e);
			continue;
		}
		next = entry_unlink(e);
		destination_drop(d, e);
		pool_give(&s->entries, e);
		turn_changed(s, d);
		e = next;
	}
	return left;
}

struct scheduler_counts scheduler_count(const struct scheduler *s)
{
	return (struct scheduler_counts){
	    .entry_count = s->entries.count_used,
	    .destination_count = s->destinations.count_used,
	    .connection_count = s->connection_count,
	};
}

void scheduler_each_destination(const struct scheduler *s,
    void (*each)(void *arg, const struct destination *d), void *arg)
{
	LIST_EACH (node, &s->all)
		each(arg, scheduler_from_all(node));
}
