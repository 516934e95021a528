/* Delays double, stay within a tenth, and end at the maximum. */
#include "core/outbound/retry.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "core/base/check.h"

Test(retry, delays)
{
	static const struct {
		uint32_t first_s, max_s;
		unsigned attempt_count;
		uint32_t least_s, most_s;
	} cases[] = {
	    {300, 14400, 1, 270, 330},
	    {300, 14400, 2, 540, 660},
	    {300, 14400, 3, 1080, 1320},
	    {300, 14400, 6, 8640, 10560},
	    {300, 14400, 7, 12960, 15840},
	    {300, 14400, 8, 12960, 15840},
	    {300, 14400, UINT32_MAX, 12960, 15840},
	    {1, 1, 1, 1, 1},
	    {1, 5, 3, 4, 4},
	    {0, 0, 1, 1, 1},
	    {0, 100, UINT32_MAX, 1, 1},
	    {600, 60, 1, 54, 66},
	    {UINT32_MAX, UINT32_MAX, 9, 3865470566u, UINT32_MAX},
	};
	struct rng rng = {1};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct retry_policy p = {
		    .first_s = cases[i].first_s, .max_s = cases[i].max_s};

		for (int n = 0; n < 1000; n++) {
			uint32_t delay_s =
			    retry_delay_s(&p, cases[i].attempt_count, &rng);

			cr_assert(
			    ge(u32, delay_s, cases[i].least_s), "case %zu", i);
			cr_assert(
			    le(u32, delay_s, cases[i].most_s), "case %zu", i);
		}
	}
}

Test(retry, the_jitter_reaches_both_ends)
{
	struct retry_policy p = {.first_s = 100, .max_s = 1000};
	uint32_t least_s = UINT32_MAX, most_s = 0;
	struct rng rng = {2};

	for (int n = 0; n < 1000; n++) {
		uint32_t delay_s = retry_delay_s(&p, 1, &rng);

		least_s = delay_s < least_s ? delay_s : least_s;
		most_s = delay_s > most_s ? delay_s : most_s;
	}
	cr_assert(eq(u32, least_s, 90));
	cr_assert(eq(u32, most_s, 110));
}
