/* scheduler.h -- what is due, fairly among destinations.  No I/O, no clock of
 * its own: time and chance are arguments.
 *
 * A message becomes one entry for each destination (recipient domain, or the
 * relay host for all).  An entry is ready (in its destination's queue), taken
 * (an attempt is under way), or waiting (until it is due).  Destinations with
 * ready entries and a free connection slot take turns.
 *
 * Memory: an entry and its share of a message stay under 200 bytes; envelopes
 * are not kept: an attempt reads the envelope again and picks the recipients
 * whose destination is the entry's.
 *
 * A destination whose site fails (no host reached, bad greeting) is paused:
 * 10 s, doubling to 5 min.  What becomes due meanwhile is put off like a 4xx,
 * with the destination's last error (the driver logs and notes it: action
 * SCHEDULE_PUT_OFF); one entry probes when the pause ends.  When a delivery
 * succeeds, everything that waited because of the site is due at once.  A
 * connection that fails while others live lowers their number instead.
 *
 * A pointer to a destination stays good while it has entries or connections,
 * and then until the next scheduler_next. */
#ifndef CORE_OUTBOUND_SCHEDULER_H
#define CORE_OUTBOUND_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/slice.h"
#include "core/outbound/destination.h"
#include "core/outbound/entry.h"
#include "core/outbound/ledger.h"
#include "core/outbound/retry.h"

struct scheduler;

struct scheduler_options {
	struct ledger *ledger;
	unsigned column;	      /* ours in the ledger */
	unsigned connections_max;     /* to one destination, all workers */
	unsigned connections_all_max; /* of this worker, all destinations */
	struct retry_policy retry;
	size_t entry_count_max;
	size_t destination_count_max; /* address space only: be generous */
	uint64_t seed;
};

MUST_USE int scheduler_open(
    struct scheduler **s, const struct scheduler_options *options);
/* What connections hold in the ledger is given back. */
void scheduler_close(struct scheduler *s);
/* After a reload: new limits and retry policy for what happens from now on;
 * the ledger, the column, the counts and the seed stay. */
void scheduler_reconfigure(
    struct scheduler *s, const struct scheduler_options *options);

/* Adds message `message` (opaque) for a destination; due_s 0 = at once.
 * `sibling`: any other entry of the message, NULL for its first.  NULL when
 * there is no room, or the name is longer than DESTINATION_NAME_MAX. */
struct entry *scheduler_add(struct scheduler *s, struct slice destination,
    void *message, struct entry *sibling, uint32_t received_s, uint32_t due_s,
    uint16_t attempt_count, uint64_t now_s);

enum schedule_action {
	SCHEDULE_NOTHING,    /* see scheduler_wait_s */
	SCHEDULE_CONNECT,    /* open a connection to *destination (its slot is
			      * taken; end it by scheduler_disconnected) */
	SCHEDULE_USE_IDLE,   /* entries are ready: give one of *destination's
			      * idle connections back to work: first
			      * scheduler_idle_count(-1), then scheduler_take */
	SCHEDULE_CLOSE_IDLE, /* others wait for the worker's limit: close one of
			      * *destination's idle connections; first
			      * scheduler_idle_count(-1) */
	SCHEDULE_PUT_OFF,    /* *entry is due but its site is paused: put it off
			      * with destination->error, or finish it when it
			      * has expired; it is taken now */
};
/* What to do next; call until NOTHING, or until the turn's budget is used.  A
 * call does a bounded amount of work: it may say NOTHING and be called again
 * at once (scheduler_wait_s is then 0). */
enum schedule_action scheduler_next(struct scheduler *s, uint64_t now_s,
    struct destination **destination, struct entry **entry);
/* Seconds until scheduler_next may have something to do, UINT64_MAX = never
 * without an event. */
uint64_t scheduler_wait_s(const struct scheduler *s, uint64_t now_s);
/* While scheduler_wanting (other workers hold the connections that we want),
 * call scheduler_poke_wanting every 100 ms, then scheduler_next. */
bool scheduler_wanting(const struct scheduler *s);
void scheduler_poke_wanting(struct scheduler *s);

/* For a connection that is ready: the next entry of its destination, now
 * taken; NULL = none, or the connection should be closed (fairness with other
 * workers and destinations, limit lowered): scheduler_keep tells which. */
struct entry *scheduler_take(
    struct scheduler *s, struct destination *d, uint64_t now_s);
/* Whether an idle connection is worth keeping open.  False: the caller closes
 * it now.  May be asked again from time to time. */
bool scheduler_keep(struct scheduler *s, struct destination *d);
/* A connection became idle (+1), or is so no more (-1). */
void scheduler_idle_count(
    struct scheduler *s, struct destination *d, int change);
/* The connection (opened by SCHEDULE_CONNECT) is closed, or failed. */
void scheduler_disconnected(struct scheduler *s, struct destination *d);

/* How an attempt of a taken entry ended. */

/* e is gone; returns one of the message's other entries, NULL = it was the
 * last. */
struct entry *scheduler_finished(struct scheduler *s, struct entry *e);
/* Some recipients are left: returns the due time (also for the spool's note).
 * `site`: the failure was the site's. */
uint32_t scheduler_put_off(
    struct scheduler *s, struct entry *e, bool site, uint64_t now_s);
/* The same in two steps, for who must know the due time first. */
uint32_t scheduler_due(
    struct scheduler *s, const struct entry *e, uint64_t now_s);
void scheduler_put_off_until(
    struct scheduler *s, struct entry *e, bool site, uint32_t due_s);
/* The attempt never began (no memory, connection not needed): ready again. */
void scheduler_untake(struct scheduler *s, struct entry *e);

/* What a connection learnt about the site: that it cannot be used (before
 * scheduler_disconnected, while it counts), or that a transaction got an
 * answer which is not the site's failure. */
void scheduler_site_failed(struct scheduler *s, struct destination *d,
    struct slice error, uint64_t now_s);
void scheduler_site_good(struct scheduler *s, struct destination *d);

/* Whether the entry's message is older than the lifetime (a report is due);
 * `bounce`: it is a report itself. */
bool scheduler_expired(const struct scheduler *s, const struct entry *e,
    bool bounce, uint64_t now_s);

/* `queue retry`: all waiting entries of a message (`first`: any of them), or
 * of everybody, are due now; their destinations' pauses end. */
void scheduler_retry(struct scheduler *s, struct entry *first, uint64_t now_s);
void scheduler_retry_all(struct scheduler *s);
/* `queue delete`: takes every entry of the message that is not being attempted
 * away; returns one of those that are still taken, NULL = none is left. */
struct entry *scheduler_remove(struct scheduler *s, struct entry *first);

/* For `queue list` and metrics; `each` must not change anything. */
struct scheduler_counts {
	size_t entry_count;
	size_t destination_count;
	size_t connection_count;
};
struct scheduler_counts scheduler_count(const struct scheduler *s);
void scheduler_each_destination(const struct scheduler *s,
    void (*each)(void *arg, const struct destination *d), void *arg);

#endif
