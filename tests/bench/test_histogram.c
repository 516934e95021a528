#include "bench/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Against the values themselves: within a bucket, that is 1.6 %. */
Test(histogram, tells_what_sorting_would)
{
	static const unsigned permilles[] = {1, 10, 500, 900, 990, 999, 1000};
	static uint64_t values[5000];
	struct histogram *h = calloc(1, sizeof(*h));
	uint64_t sum = 0, x = 12345;

	for (size_t i = 0; i < 5000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		values[i] = (x >> 33) >> (x & 31); /* 0 to 2^31, any size */
		sum += values[i];
		histogram_add(h, values[i]);
	}
	qsort(values, 5000, sizeof(values[0]), compare);
	for (size_t i = 0; i < sizeof(permilles) / sizeof(permilles[0]); i++) {
		uint64_t want = values[permilles[i] * 5000 / 1000 - 1];
		uint64_t have = histogram_at(h, permilles[i]);

		cr_assert(have + want / 64 + 1 >= want &&
			      have <= want + want / 64 + 1,
		    "%u: %lu, not %lu", permilles[i], have, want);
	}
	cr_assert_eq(histogram_mean(h), sum / 5000);
	cr_assert_eq(h->max, values[4999]);
	cr_assert_eq(h->count, 5000);
	free(h);
}

Test(histogram, has_a_bucket_for_every_value)
{
	struct histogram *h = calloc(1, sizeof(*h));

	cr_assert_eq(histogram_at(h, 500), 0);
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t v = (uint64_t)1 << bit;

		*h = (struct histogram){0};
		histogram_add(h, v - 1);
		cr_assert_leq(histogram_at(h, 1000), v - 1);
		cr_assert_geq(histogram_at(h, 1000), v - 1 - v / 64);
		histogram_add(h, v);
		cr_assert_eq(histogram_at(h, 1000), v);
	}
	histogram_add(h, UINT64_MAX);
	cr_assert_gt(histogram_at(h, 1000), UINT64_MAX - UINT64_MAX / 64);
	free(h);
}
