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
 * succeeds, everything that waited because of the site is due at once. */
#ifndef CORE_OUTBOUND_SCHEDULER_H
#define CORE_OUTBOUND_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/base/rng.h"
#include "core/base/slice.h"
#include "core/outbound/destination.h"
#include "core/outbound/ledger.h"
#include "core/outbound/retry.h"

struct scheduler;

struct scheduler_options {
	struct ledger *ledger;
	unsigned column;		/* ours in the ledger */
	unsigned connections_max;	/* to one destination, all workers */
	unsigned connections_all_max;	/* of this worker, all destinations */
	struct retry_policy retry;
	size_t entry_count_max;
	size_t destination_count_max;
	uint64_t seed;
};

MUST_USE int scheduler_open(
    struct scheduler **s, const struct scheduler_options *options);
void scheduler_close(struct scheduler *s);
/* After a reload: new limits and retry policy for what happens from now on. */
void scheduler_reconfigure(
    struct scheduler *s, const struct scheduler_options *options);

/* Adds message `message` (opaque) for a destination; due_s 0 = at once.  NULL
 * when entry_count_max is reached. */
struct entry *scheduler_add(struct scheduler *s, struct slice destination,
    void *message, uint32_t received_s, uint32_t due_s,
    uint16_t attempt_count, uint64_t now_s);

enum schedule_action {
	SCHEDULE_NOTHING,  /* see scheduler_wait_s */
	SCHEDULE_CONNECT,  /* open a connection to *destination (its slot is
			    * taken; end it by scheduler_disconnected) */
	SCHEDULE_PUT_OFF,  /* *entry is due but its site is paused: put it off
			    * with destination->error; it is taken now */
};
/* What to do next; call until NOTHING, or until the turn's budget is used. */
enum schedule_action scheduler_next(struct scheduler *s, uint64_t now_s,
    struct destination **destination, struct entry **entry);
/* Seconds until scheduler_next may have something to do, UINT64_MAX = never
 * without an event. */
uint64_t scheduler_wait_s(const struct scheduler *s, uint64_t now_s);

/* For a connection that is ready: the next entry of its destination, now
 * taken; NULL = none, or the connection should be closed (fairness with other
 * workers, paused, delivery limit): scheduler_keep tells which. */
struct entry *scheduler_take(
    struct scheduler *s, struct destination *d, uint64_t now_s);
/* Whether an idle connection is worth keeping open. */
bool scheduler_keep(struct scheduler *s, struct destination *d);
/* The connection (opened by SCHEDULE_CONNECT) is closed, or failed. */
void scheduler_disconnected(struct scheduler *s, struct destination *d);

/* How an attempt of a taken entry ended. */
void scheduler_finished(struct scheduler *s, struct entry *e); /* e is gone */
/* Some recipients are left: returns the due time (also for the spool's note).
 * `site`: the failure was the site's. */
uint32_t scheduler_put_off(
    struct scheduler *s, struct entry *e, bool site, uint64_t now_s);
/* The attempt never began (no memory, connection not needed): ready again. */
void scheduler_untake(struct scheduler *s, struct entry *e);

/* What a connection learnt about the site. */
void scheduler_site_failed(struct scheduler *s, struct destination *d,
    struct slice error, uint64_t now_s);
void scheduler_site_good(struct scheduler *s, struct destination *d);

/* Whether the entry's message is older than the lifetime (a report is due);
 * `bounce`: it is a report itself. */
bool scheduler_expired(const struct scheduler *s, const struct entry *e,
    bool bounce, uint64_t now_s);

/* `queue retry`: all of a message (or, NULL, of everybody) due now. */
void scheduler_retry(struct scheduler *s, void *message, uint64_t now_s);
/* `queue delete`: takes every entry of the message that is not being attempted
 * away; returns how many are still taken. */
unsigned scheduler_remove(struct scheduler *s, void *message);

/* An idle connection of destination d is waiting for work: set by the driver so
 * that scheduler_next does not ask for another one. */
void scheduler_idle_count(struct destination *d, int change);

#endif
