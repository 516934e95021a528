/* test_line.c -- the end of a command line, however its bytes come. */
#include "proto/line.h"

#include <criterion/criterion.h>

#include "core/base/check.h"

static const struct {
	struct slice in;
	enum line_end end;
	size_t len;
} cases[] = {
    {SLICE("\r\n"), LINE_CRLF, 2},
    {SLICE("NOOP\r\n"), LINE_CRLF, 6},
    {SLICE("NOOP\r\nQUIT\r\n"), LINE_CRLF, 6},
    {SLICE("NOOP\r\nx\n"), LINE_CRLF, 6},
    {SLICE("NO\0OP\r\n"), LINE_CRLF, 7},
    {SLICE("NOOP"), LINE_MORE, 4},
    {SLICE("NOOP\r"), LINE_MORE, 5},
    {SLICE("\r"), LINE_MORE, 1},
    {SLICE("\n"), LINE_BARE, 1},
    {SLICE("NOOP\n"), LINE_BARE, 5},
    {SLICE("NOOP\nQUIT\r\n"), LINE_BARE, 5},
    {SLICE("NOOP\rQUIT\r\n"), LINE_BARE, 5},
    {SLICE("NOOP\rQUIT\n"), LINE_BARE, 5},
    {SLICE("NOOP\rQUIT"), LINE_BARE, 5},
    {SLICE("NOOP\r\r\n"), LINE_BARE, 5},
    {SLICE("\rx"), LINE_BARE, 1},
};

Test(line, ends_the_same_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step <= cases[i].in.len; step++) {
			struct slice in = cases[i].in;
			enum line_end end = LINE_MORE;
			size_t sum = 0;
			bool after_cr = false;

			while (end == LINE_MORE && in.len > 0) {
				size_t len;
				struct slice part = slice_of(
				    in.at, in.len < step ? in.len : step);

				end = line_find(part, after_cr, &len);
				if (end == LINE_MORE)
					cr_assert_eq(len, part.len);
				sum += len;
				after_cr = len > 0 && in.at[len - 1] == '\r';
				slice_cut(&in, len);
			}
			cr_assert_eq(end, cases[i].end, "%zu/%zu", i, step);
			cr_assert_eq(sum, cases[i].len, "%zu/%zu", i, step);
		}
}

Test(line, needs_bytes)
{
	size_t len = 9;

	cr_assert_eq(line_find(SLICE(""), false, &len), LINE_MORE);
	cr_assert_eq(len, 0);
	cr_assert_eq(line_find(SLICE(""), true, &len), LINE_MORE);
	cr_assert_eq(len, 0);
}
