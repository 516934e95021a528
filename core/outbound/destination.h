/* destination.h -- one next hop: its queue, its connections, its health.
 *
 * Read by everybody, written by the scheduler only. */
#ifndef CORE_OUTBOUND_DESTINATION_H
#define CORE_OUTBOUND_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/heap.h"
#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/rng.h"
#include "core/base/slice.h"
#include "core/outbound/entry.h"

#define DESTINATION_ERROR_MAX 200
#define DESTINATION_NAME_MAX 255
#define DESTINATION_PAUSE_MIN_S 10
#define DESTINATION_PAUSE_MAX_S 300

enum destination_health {
	DESTINATION_GOOD,    /* as far as we know */
	DESTINATION_PAUSED,  /* the site failed: nothing is sent for a while */
	DESTINATION_PROBING, /* the pause is over: one entry at a time */
};

/* Where the scheduler keeps it. */
enum destination_place {
	DESTINATION_NOWHERE, /* nothing to do until something happens */
	DESTINATION_TURN,    /* to be looked at */
	DESTINATION_WANTING, /* the other workers have the site's connections */
	DESTINATION_STARVED, /* no connection, and the worker has no more */
	DESTINATION_WAITING, /* wants one more, and the worker has no more */
	DESTINATION_PLACES,
};

struct destination {
	uint8_t name_len;
	char name[DESTINATION_NAME_MAX + 1]; /* lower case, NUL-terminated */
	uint32_t slot;		   /* in the ledger, while it has connections */
	uint32_t ready_count;	   /* entries due now */
	uint32_t taken_count;	   /* entries being attempted or put off */
	uint32_t waiting_count;	   /* entries that are put off */
	uint32_t connection_count; /* ours: connecting, busy or idle */
	uint32_t idle_count;	   /* of these: idle */
	uint32_t fail_count;	   /* site failures in a row */
	uint64_t paused_until_s;   /* 0 = healthy */
	enum destination_health health;
	uint8_t error_len;
	char error[DESTINATION_ERROR_MAX]; /* the last site failure, */
	uint16_t error_code; /* the reply's code, or 0, and enhanced status */
	uint16_t error_status[3];

	/* private: */
	struct list ready;	/* entries, first in first out */
	struct heap by_reply;	/* put off for their own reasons */
	struct heap by_site;	/* put off because the site failed */
	uint32_t drain_reply;	/* so many of by_reply are due at once */
	uint32_t drain_site;	/* so many of by_site are due at once */
	uint32_t busy_count;	/* entries in state TAKEN */
	uint32_t window;	/* connections we dare to open */
	uint32_t good_count;	/* successes since the window changed */
	uint32_t take_count;	/* since there was no connection */
	uint32_t closing_count; /* idle ones the driver was told to close */
	struct entry *probe;	/* the attempt that finds out how the site is */
	bool ledger_wants;	/* the ledger knows that we wait for it */
	enum destination_place place;
	struct list turn;	      /* in the list of its place */
	struct list idle_connections; /* the driver's */
	struct list idle; /* in the scheduler's list, if idle_count > 0 */
	struct list all;  /* in the scheduler's list of all */
	struct map_node by_name;
	struct heap_node event; /* in the scheduler's heap, if key is set */
	bool event_set;
};

static inline struct slice destination_name(const struct destination *d)
{
	return slice_of(d->name, d->name_len);
}

/* What follows is for the scheduler. */

/* `name` has at most DESTINATION_NAME_MAX bytes. */
void destination_init(
    struct destination *d, struct slice name, uint32_t window);
/* Nothing would be lost with it. */
bool destination_empty(const struct destination *d);

/* An entry that is nowhere yet, or that was taken: to the end or the beginning
 * of the queue, or waiting until e->due_s (`order`: among equals). */
void destination_push_back(struct destination *d, struct entry *e);
void destination_push_front(struct destination *d, struct entry *e);
void destination_wait(
    struct destination *d, struct entry *e, bool site, uint32_t order);
/* The first ready entry, now `state`: TAKEN or REFUSED.  There is one. */
struct entry *destination_take(struct destination *d, enum entry_state state);
/* Takes an entry out of the counts and the queue that it is in. */
void destination_drop(struct destination *d, struct entry *e);

/* Moves at most `count_max` entries that are due to the queue; returns how
 * many, at least 1 when anything was done. */
unsigned destination_run(
    struct destination *d, uint64_t now_s, unsigned count_max);
/* When destination_run has something to do; UINT64_MAX = never. */
uint64_t destination_event_s(const struct destination *d);

/* How many connections `entry_count` entries are worth. */
unsigned destination_growth(unsigned entry_count, unsigned limit);
/* Whether another connection should be opened; `limit`: of the site. */
bool destination_wants(const struct destination *d, unsigned limit);

/* The site failed: a pause, or, when other connections live, a smaller
 * window. */
void destination_failed(
    struct destination *d, struct slice error, uint64_t now_s, struct rng *rng);
/* What its host replied, when that was the failure. */
static inline void destination_explain(
    struct destination *d, uint16_t code, const uint16_t status[3])
{
	d->error_code = code;
	for (int i = 0; i < 3; i++)
		d->error_status[i] = status[i];
}
/* The site works; `limit` bounds the window. */
void destination_good(struct destination *d, unsigned limit);
/* The pause is over, one entry may try. */
void destination_probe(struct destination *d);
/* Everything that waits is due now. */
void destination_drain(struct destination *d);

#endif
