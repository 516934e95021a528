/* test_id.c -- queue ids as text and back. */
#include "core/base/id.h"

#include <criterion/criterion.h>

#include "core/base/check.h"
#include "core/base/rng.h"

Test(id, has_a_known_text)
{
	static const struct {
		uint64_t id;
		const char *text;
	} cases[] = {
	    {0, "0"},
	    {1, "80"}, /* the shard's 8 bits are the last ones */
	    {3, "R0"},
	    {UINT64_MAX, "FZZZZZZZZZZZZ"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct id_text text = id_format(cases[i].id);

		cr_assert_str_eq(text.at, cases[i].text);
		cr_assert_eq(text.len, strlen(text.at));
	}
	cr_assert_str_eq(id_format(id_make(7, 1)).at, "87");
}

Test(id, comes_back_from_its_text)
{
	struct rng rng = {5};

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t id = rng_next(&rng) >> (i % 64);
		struct id_text text = id_format(id);
		uint64_t back;

		cr_assert_leq(text.len, ID_TEXT_MAX);
		cr_assert(id_parse(slice_of(text.at, text.len), &back));
		cr_assert_eq(back, id);
		for (size_t at = 0; at < text.len; at++)
			text.at[at] = (char)byte_lower((uint8_t)text.at[at]);
		back = ~id; /* lower case is good too */
		cr_assert(id_parse(slice_of(text.at, text.len), &back));
		cr_assert_eq(back, id);
	}
}

Test(id, refuses_what_is_none)
{
	static const struct slice bad[] = {
	    SLICE(""),
	    SLICE("I"),
	    SLICE("L"),
	    SLICE("O"),
	    SLICE("U"),
	    SLICE("1 "),
	    SLICE("-1"),
	    SLICE("1\0"),
	    SLICE("\0"),
	    SLICE("GZZZZZZZZZZZZ"), /* 65 bits */
	    SLICE("ZZZZZZZZZZZZZ"),
	    SLICE("00000000000000"),
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		uint64_t id;

		cr_assert_not(id_parse(bad[i], &id), "case %zu", i);
	}
}
