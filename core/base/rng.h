/* rng.h -- chance as an argument (splitmix64); not for secrets. */
#ifndef CORE_BASE_RNG_H
#define CORE_BASE_RNG_H

#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;

struct rng {
	uint64_t state; /* the seed; any value */
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Evenly from 0 to `bound` - 1; bound > 0. */
static inline uint64_t rng_below(struct rng *r, uint64_t bound)
{
	return (uint64_t)(((uint128)rng_next(r) * bound) >> 64);
}

#endif
