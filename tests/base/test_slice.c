/* test_slice.c -- borrowed bytes. */
#include "core/base/slice.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "core/base/check.h"

Test(slice, compares)
{
	cr_assert(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
	cr_assert_not(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	cr_assert_not(slice_eq(SLICE("a"), SLICE("ab")));
	cr_assert(slice_eq(SLICE(""), (struct slice){NULL, 0}));
	cr_assert(slice_eq_nocase(SLICE("MaIl@[`{"), SLICE("mAiL@[`{")));
	cr_assert_not(slice_eq_nocase(SLICE("@"), SLICE("`")));
	cr_assert_not(slice_eq_nocase(SLICE("\xc4"), SLICE("\xe4")));
	cr_assert(slice_starts_nocase(SLICE("FROM:<>"), SLICE("from:")));
	cr_assert(slice_starts_nocase(SLICE("x"), SLICE("")));
	cr_assert_not(slice_starts_nocase(SLICE("FRO"), SLICE("from")));
}

Test(slice, finds)
{
	cr_assert_eq(slice_find(SLICE("abcb"), 'b'), 1);
	cr_assert_eq(slice_find(SLICE("abc"), 'x'), 3);
	cr_assert_eq(slice_find(SLICE("ab\0"), '\0'), 2);
	cr_assert_eq(slice_find((struct slice){NULL, 0}, 'x'), 0);
}

Test(slice, cuts)
{
	struct slice s = SLICE("abcdef");

	cr_assert(slice_eq(slice_cut(&s, 2), SLICE("ab")));
	cr_assert(slice_eq(slice_cut(&s, 0), SLICE("")));
	cr_assert(slice_eq(s, SLICE("cdef")));
	cr_assert(slice_eq(slice_cut(&s, 4), SLICE("cdef")));
	cr_assert_eq(s.len, 0);

	s = SLICE("a,,b");
	cr_assert(slice_eq(slice_cut_at(&s, ','), SLICE("a")));
	cr_assert(slice_eq(slice_cut_at(&s, ','), SLICE("")));
	cr_assert(slice_eq(slice_cut_at(&s, ','), SLICE("b")));
	cr_assert_eq(s.len, 0);
	cr_assert_eq(slice_cut_at(&s, ',').len, 0);
}

Test(slice, is_not_cut_beyond_its_end, .signal = SIGABRT)
{
	struct slice s = SLICE("abc");

	slice_cut(&s, 4);
}

Test(slice, trims_blanks_and_tabs)
{
	static const struct {
		struct slice in, out;
	} cases[] = {
	    {SLICE(" \t a b\t "), SLICE("a b")},
	    {SLICE("a"), SLICE("a")},
	    {SLICE(" \t"), SLICE("")},
	    {SLICE(""), SLICE("")},
	    {SLICE("\r\na"), SLICE("\r\na")},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_assert(slice_eq(slice_trim(cases[i].in), cases[i].out));
}

Test(slice, reads_numbers)
{
	static const struct {
		struct slice text;
		bool good;
		uint64_t number;
	} cases[] = {
	    {SLICE("0"), true, 0},
	    {SLICE("007"), true, 7},
	    {SLICE("18446744073709551615"), true, UINT64_MAX},
	    {SLICE("18446744073709551616"), false, 0},
	    {SLICE("18446744073709551620"), false, 0},
	    {SLICE("99999999999999999999999"), false, 0},
	    {SLICE(""), false, 0},
	    {SLICE("-1"), false, 0},
	    {SLICE("+1"), false, 0},
	    {SLICE("1 "), false, 0},
	    {SLICE("1a"), false, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t number = 99;

		cr_assert_eq(slice_number(cases[i].text, &number),
		    cases[i].good, "case %zu", i);
		cr_assert_eq(number, cases[i].good ? cases[i].number : 99);
	}
}

Test(slice, hashes_without_case_and_with_a_seed)
{
	uint64_t hash = slice_hash_nocase(SLICE("example.org"), 1);

	cr_assert_eq(hash, slice_hash_nocase(SLICE("EXAMPLE.org"), 1));
	cr_assert_neq(hash, slice_hash_nocase(SLICE("example.org"), 2));
	cr_assert_neq(hash, slice_hash_nocase(SLICE("example.net"), 1));
}
