/* retry.c -- when to try again: doubling, with jitter, up to a lifetime.
 *
 * The jitter keeps what failed together from coming back together. */
#include "core/outbound/retry.h"

#include "core/base/check.h"

uint32_t retry_delay_s(
    const struct retry_policy *p, unsigned attempt_count, struct rng *rng)
{
	uint64_t delay_s = p->first_s;
	unsigned doublings;

	check(attempt_count >= 1);
	doublings = attempt_count - 1;
	while (doublings-- > 0 && delay_s < p->max_s && delay_s > 0)
		delay_s *= 2;
	if (delay_s > p->max_s)
		delay_s = p->max_s;
	delay_s = delay_s - delay_s / 10 + rng_below(rng, delay_s / 10 * 2 + 1);
	if (delay_s > UINT32_MAX)
		delay_s = UINT32_MAX;
	return delay_s == 0 ? 1 : (uint32_t)delay_s;
}
