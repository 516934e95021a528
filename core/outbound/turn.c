/* turn.c -- whose turn it is, and what it does with it.
 *
 * A destination is in one place (enum destination_place).  Whatever may give
 * it something to do puts it to the end of the turns; scheduler_next looks at
 * the first, asks it for at most one action and puts it back to the end, or
 * NOWHERE when it has nothing to do.  So n destinations with work get every
 * n-th action each; and one that is empty is given back here and only here.
 *
 * A destination that wants a connection but may not have one is parked:
 * WANTING until a poke, when the ledger refused; STARVED or WAITING, in order,
 * when the worker has as many connections as it may.  What becomes free goes
 * to the starved first.
 *
 * Time: `events` holds destinations by when destination_run has something to
 * do.  The work of one call is bounded by the *_STEP_MAX below. */
#include "core/outbound/turn.h"

#define DUE_STEP_MAX 64u  /* entries that become ready in one call */
#define TURN_STEP_MAX 64u /* destinations that are looked at in one call */
#define POKE_STEP_MAX 256u

static void ledger_lose_interest(struct scheduler *s, struct destination *d)
{
	if (!d->ledger_wants)
		return;
	d->ledger_wants = false;
	ledger_unwant(s->options.ledger, d->slot, s->options.column);
}

/* Without a connection and a wish for one there is no slot. */
void turn_ledger_leave(struct scheduler *s, struct destination *d)
{
	ledger_lose_interest(s, d);
	if (d->connection_count > 0 || d->slot == LEDGER_NO_SLOT)
		return;
	ledger_slot_give(s->options.ledger, d->slot, s->options.column);
	d->slot = LEDGER_NO_SLOT;
}

void turn_place(
    struct scheduler *s, struct destination *d, enum destination_place where)
{
	list_remove(&d->turn);
	if (d->place != DESTINATION_NOWHERE)
		s->place_counts[d->place]--;
	d->place = where;
	if (where == DESTINATION_NOWHERE)
		return;
	s->place_counts[where]++;
	list_push_back(&s->places[where], &d->turn);
}

/* Something happened to d: it gets a turn, unless it is parked and a
 * connection is still what it waits for. */
void turn_wake(struct scheduler *s, struct destination *d)
{
	bool parked =
	    d->place != DESTINATION_NOWHERE && d->place != DESTINATION_TURN;

	if (parked && d->ready_count > 0 && d->idle_count == 0 &&
	    d->health != DESTINATION_PAUSED)
		return;
	if (d->place != DESTINATION_TURN)
		turn_place(s, d, DESTINATION_TURN);
}

/* The queue or the health of d changed. */
void turn_changed(struct scheduler *s, struct destination *d)
{
	uint64_t at_s = destination_event_s(d);

	if (d->event_set && d->event.key != at_s) {
		heap_remove(&s->events, &d->event);
		d->event_set = false;
	}
	if (!d->event_set && at_s != UINT64_MAX) {
		heap_insert(&s->events, &d->event, at_s);
		d->event_set = true;
	}
	turn_wake(s, d);
}

static bool ledger_allows(struct scheduler *s, struct destination *d)
{
	struct ledger *l = s->options.ledger;
	unsigned limit = s->options.connections_max;

	if (d->slot == LEDGER_NO_SLOT && d->connection_count == 0) {
		/* The same hash in all workers: no seed. */
		d->slot = ledger_slot_take(l,
		    slice_hash_nocase(destination_name(d), 0),
		    s->options.column);
	}
	if (d->slot == LEDGER_NO_SLOT) {
		limit /= ledger_worker_count(l);
		return d->connection_count < (limit == 0 ? 1 : limit);
	}
	if (!ledger_take(l, d->slot, s->options.column, limit)) {
		d->ledger_wants = true;
		return false;
	}
	d->ledger_wants = false;
	return true;
}

/* Takes a connection slot for d, or parks it.  `waited`: it comes from the
 * front of those that wait. */
static bool connect_or_park(
    struct scheduler *s, struct destination *d, bool waited)
{
	bool first = d->connection_count == 0;

	if (!scheduler_has_room(s) ||
	    (!first &&
		(s->place_counts[DESTINATION_STARVED] > 0 ||
		    (s->place_counts[DESTINATION_WAITING] > 0 && !waited)))) {
		ledger_lose_interest(s, d);
		turn_place(
		    s, d, first ? DESTINATION_STARVED : DESTINATION_WAITING);
		return false;
	}
	if (!ledger_allows(s, d)) {
		turn_place(s, d, DESTINATION_WANTING);
		return false;
	}
	if (first) {
		s->connected_count++;
		d->take_count = 0;
	}
	s->connection_count++;
	d->connection_count++;
	turn_place(s, d, DESTINATION_TURN);
	return true;
}

static void destination_give(struct scheduler *s, struct destination *d)
{
	check(destination_empty(d));
	check(d->idle_count == 0);
	check(d->slot == LEDGER_NO_SLOT);
	check(!d->event_set);
	if (s->retry_next == &d->all)
		s->retry_next = d->all.next;
	turn_place(s, d, DESTINATION_NOWHERE);
	list_remove(&d->all);
	map_remove(&s->by_name, &d->by_name);
	pool_give(&s->destinations, d);
}

static void run_retry_all(struct scheduler *s)
{
	for (unsigned i = 0; i < TURN_STEP_MAX && s->retry_next != NULL; i++) {
		struct destination *d;

		if (s->retry_next == &s->all) {
			s->retry_next = NULL;
			break;
		}
		d = scheduler_from_all(s->retry_next);
		s->retry_next = s->retry_next->next;
		destination_drain(d);
		turn_changed(s, d);
	}
}

static void run_events(struct scheduler *s, uint64_t now_s)
{
	unsigned left = DUE_STEP_MAX;

	while (left > 0) {
		struct heap_node *node = heap_first(&s->events);
		unsigned count;

		if (node == NULL || node->key > now_s)
			return;
		struct destination *d =
		    container_of(node, struct destination, event);
		count = destination_run(d, now_s, left);
		check(count > 0);
		left -= count < left ? count : left;
		turn_changed(s, d);
	}
}

/* The destination whose turn it is, NULL = nobody's. */
static struct destination *first_turn(const struct scheduler *s)
{
	enum destination_place from = DESTINATION_NOWHERE;
	struct list *first;

	if (scheduler_has_room(s) && s->place_counts[DESTINATION_STARVED] > 0)
		from = DESTINATION_STARVED;
	else if (s->place_counts[DESTINATION_TURN] > 0)
		from = DESTINATION_TURN;
	else if (scheduler_has_room(s) &&
		 s->place_counts[DESTINATION_WAITING] > 0)
		from = DESTINATION_WAITING;
	else
		return NULL;
	first = s->places[from].next;
	return container_of(first, struct destination, turn);
}

static enum schedule_action action_of(
    const struct scheduler *s, const struct destination *d)
{
	if (d->ready_count == 0)
		return SCHEDULE_NOTHING;
	if (d->health == DESTINATION_PAUSED)
		return SCHEDULE_PUT_OFF;
	if (d->health == DESTINATION_PROBING && d->probe != NULL)
		return SCHEDULE_NOTHING;
	if (d->idle_count > 0)
		return SCHEDULE_USE_IDLE;
	if (destination_wants(d, s->options.connections_max))
		return SCHEDULE_CONNECT;
	return SCHEDULE_NOTHING;
}

/* The destination whose idle connection should make room, NULL = none. */
static struct destination *room_maker(const struct scheduler *s)
{
	size_t parked_count = s->place_counts[DESTINATION_STARVED] +
			      s->place_counts[DESTINATION_WAITING];

	if (scheduler_has_room(s) || parked_count <= s->closing_count ||
	    list_empty(&s->idle))
		return NULL;
	return container_of(s->idle.next, struct destination, idle);
}

static enum schedule_action make_room(
    struct scheduler *s, struct destination **destination)
{
	struct destination *d = room_maker(s);

	if (d == NULL)
		return SCHEDULE_NOTHING;
	check(d->closing_count < d->connection_count);
	d->closing_count++;
	s->closing_count++;
	/* Another one next time. */
	list_remove(&d->idle);
	list_push_back(&s->idle, &d->idle);
	*destination = d;
	return SCHEDULE_CLOSE_IDLE;
}

enum schedule_action scheduler_next(struct scheduler *s, uint64_t now_s,
    struct destination **destination, struct entry **entry)
{
	*destination = NULL;
	*entry = NULL;
	run_retry_all(s);
	run_events(s, now_s);
	for (unsigned i = 0; i < TURN_STEP_MAX; i++) {
		struct destination *d = first_turn(s);
		enum schedule_action action;

		if (d == NULL)
			return make_room(s, destination);
		action = action_of(s, d);
		switch (action) {
		case SCHEDULE_NOTHING:
		case SCHEDULE_CLOSE_IDLE:
			turn_place(s, d, DESTINATION_NOWHERE);
			turn_ledger_leave(s, d);
			if (destination_empty(d))
				destination_give(s, d);
			continue;
		case SCHEDULE_CONNECT:
			if (!connect_or_park(
				s, d, d->place == DESTINATION_WAITING))
				continue;
			break;
		case SCHEDULE_USE_IDLE:
			turn_place(s, d, DESTINATION_TURN);
			break;
		case SCHEDULE_PUT_OFF:
			turn_ledger_leave(s, d);
			*entry = destination_take(d, ENTRY_REFUSED);
			turn_place(s, d, DESTINATION_TURN);
			break;
		}
		*destination = d;
		return action;
	}
	return SCHEDULE_NOTHING;
}

uint64_t scheduler_wait_s(const struct scheduler *s, uint64_t now_s)
{
	const struct heap_node *node = heap_first(&s->events);

	if (s->retry_next != NULL || first_turn(s) != NULL ||
	    room_maker(s) != NULL)
		return 0;
	if (node == NULL)
		return UINT64_MAX;
	return node->key > now_s ? node->key - now_s : 0;
}

bool scheduler_wanting(const struct scheduler *s)
{
	return s->place_counts[DESTINATION_WANTING] > 0;
}

void scheduler_poke_wanting(struct scheduler *s)
{
	struct list *wanting = &s->places[DESTINATION_WANTING];

	for (unsigned i = 0; i < POKE_STEP_MAX && !list_empty(wanting); i++)
		turn_place(s,
		    container_of(wanting->next, struct destination, turn),
		    DESTINATION_TURN);
}
