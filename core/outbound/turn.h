/* turn.h -- whose turn it is: what scheduler.c and turn.c share. */
#ifndef CORE_OUTBOUND_TURN_H
#define CORE_OUTBOUND_TURN_H

#include "core/base/pool.h"
#include "core/outbound/scheduler.h"

struct scheduler {
	struct scheduler_options options;
	struct rng rng;
	struct pool entries;
	struct pool destinations;
	struct map by_name;
	struct list all;
	struct list *retry_next; /* of `all`: the next to drain; NULL = none */
	struct heap events;
	struct list places[DESTINATION_PLACES]; /* NOWHERE's stays empty */
	size_t place_counts[DESTINATION_PLACES];
	struct list idle; /* destinations with idle connections */
	size_t connection_count;
	size_t connected_count; /* destinations with connections */
	size_t closing_count;	/* CLOSE_IDLE said, not yet disconnected */
	uint32_t order;
};

static inline struct destination *scheduler_from_all(struct list *node)
{
	return container_of(node, struct destination, all);
}

/* Whether this worker may open another connection. */
static inline bool scheduler_has_room(const struct scheduler *s)
{
	return s->connection_count < s->options.connections_all_max;
}

/* Puts d to the end of where it belongs now. */
void turn_place(
    struct scheduler *s, struct destination *d, enum destination_place where);
/* Something happened to d: it gets a turn, unless it is parked and a
 * connection is still what it waits for. */
void turn_wake(struct scheduler *s, struct destination *d);
/* The same, and what happened may have changed when its next event is. */
void turn_changed(struct scheduler *s, struct destination *d);
/* d has no wish for a connection now; without one it needs no slot. */
void turn_ledger_leave(struct scheduler *s, struct destination *d);

#endif
