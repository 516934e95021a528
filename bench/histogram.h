/* histogram.h -- how long it took, many times: counts in logarithmic buckets.
 *
 * 64 buckets between two powers of two, so a value is known to 1.6 % from one
 * nanosecond to hours, whatever the distribution.  Values are nanoseconds. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* The value that `permille` of 1000 are not above (the middle of its bucket;
 * never over the largest one seen); 0 when there is none. */
uint64_t histogram_at(const struct histogram *h, unsigned permille);
uint64_t histogram_mean(const struct histogram *h);

#endif
