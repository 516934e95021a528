/* retry.h -- when to try again: doubling, with jitter, up to a lifetime. */
#ifndef CORE_OUTBOUND_RETRY_H
#define CORE_OUTBOUND_RETRY_H

#include <stdint.h>

#include "core/base/rng.h"

struct retry_policy {
	uint32_t first_s; /* after the first attempt */
	uint32_t max_s;
	uint32_t lifetime_s;
	uint32_t bounce_lifetime_s; /* of reports (null sender) */
};

/* Seconds from now to the next attempt after `attempt_count` (>= 1) attempts:
 * first * 2^(n-1), at most max, then -10 % .. +10 % of it; at least 1. */
uint32_t retry_delay_s(
    const struct retry_policy *p, unsigned attempt_count, struct rng *rng);

#endif
