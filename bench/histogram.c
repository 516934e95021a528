/* histogram.c -- the bucket of a value: its highest bits. */
#include "bench/histogram.h"

#define SUB (1u << HISTOGRAM_SUB_BITS)

/* Below 2 * SUB a bucket is one value; above, each power of two has SUB. */
static unsigned bucket_of(uint64_t ns)
{
	if (ns < SUB)
		return (unsigned)ns;
	unsigned high = 63 - (unsigned)__builtin_clzll(ns);
	unsigned shift = high - HISTOGRAM_SUB_BITS;

	return ((shift + 1) << HISTOGRAM_SUB_BITS) +
	       (unsigned)((ns >> shift) & (SUB - 1));
}

static uint64_t middle_of(unsigned bucket)
{
	if (bucket < SUB)
		return bucket;
	unsigned shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
	uint64_t low = ((uint64_t)SUB + (bucket & (SUB - 1))) << shift;

	return low + (((uint64_t)1 << shift) >> 1);
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->count++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
	h->buckets[bucket_of(ns)]++;
}

uint64_t histogram_at(const struct histogram *h, unsigned permille)
{
	/* Rounded up: the 999 permille of ten values is the tenth. */
	uint64_t want = (h->count * permille + 999) / 1000;
	uint64_t seen = 0;

	if (h->count == 0)
		return 0;
	if (want == 0)
		want = 1;
	for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
		seen += h->buckets[b];
		if (seen >= want) {
			uint64_t ns = middle_of(b);
			return ns < h->max ? ns : h->max;
		}
	}
	return h->max;
}

uint64_t histogram_mean(const struct histogram *h)
{
	return h->count > 0 ? h->sum / h->count : 0;
}
