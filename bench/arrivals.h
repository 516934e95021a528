/* arrivals.h -- which copies have come, once or more often. */
#ifndef BENCH_ARRIVALS_H
#define BENCH_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/histogram.h"
#include "core/base/slice.h"

struct arrivals {
	uint64_t expected;   /* messages; 0 = nobody knows */
	uint64_t first;	     /* number of the first message */
	uint64_t rcpt_count; /* of each message */
	uint64_t unique;     /* copies that came for the first time */
	uint64_t duplicates; /* ... and again */
	uint64_t foreign;    /* copies without an id that we know */
	uint64_t bytes;
	uint64_t first_ns; /* of the first and the last copy */
	uint64_t last_ns;
	struct histogram *delays; /* from when it was due to its arrival */
	/* private */
	uint8_t *seen; /* a bit a copy */
};

/* The counts above `unique` are set by the caller.  Or -ENOMEM. */
int arrivals_open(struct arrivals *a);
/* Forgets everything, for another arrivals_open(). */
void arrivals_close(struct arrivals *a);

/* What a header field "X-Bench-Id: RUN.SEQ.NS" says. */
struct arrival_id {
	bool known;
	uint64_t seq;
	uint64_t due_ns;
};
void arrival_read_id(struct arrival_id *id, struct slice value);

/* A message for the recipients of `mask` (bit k: its recipient rk) and for
 * `foreign_count` whose addresses say nothing. */
void arrivals_take(struct arrivals *a, const struct arrival_id *id,
    uint64_t mask, unsigned foreign_count, uint64_t len);

static inline bool arrivals_complete(const struct arrivals *a)
{
	return a->expected > 0 &&
	       a->unique + a->foreign >= a->expected * a->rcpt_count;
}

#endif
