/* test_buf.c -- bytes in a fixed room. */
#include "core/base/buf.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(buf, gathers)
{
	uint8_t room[64];
	struct buf b = buf_over(room, sizeof(room));

	cr_assert(buf_put(&b, SLICE("a\0")));
	cr_assert(buf_put(&b, (struct slice){NULL, 0}));
	cr_assert(buf_put_byte(&b, 'c'));
	cr_assert(buf_put_str(&b, "def"));
	cr_assert(buf_put_number(&b, 0));
	cr_assert(buf_put_number(&b, UINT64_MAX));
	cr_assert(buf_printf(&b, "-%d", 7));
	cr_assert(
	    slice_eq(buf_slice(&b), SLICE("a\0cdef018446744073709551615-7")));
	cr_assert_eq(buf_left(&b), 64 - b.len);
	cr_assert_not(b.overflowed);
}

Test(buf, takes_a_put_whole_or_not_at_all)
{
	uint8_t room[8] = "........";
	struct buf b = buf_over(room, 5);

	cr_assert(buf_put_str(&b, "abc"));
	cr_assert_not(buf_put_str(&b, "def"));
	cr_assert(b.overflowed);
	cr_assert_not(buf_put_number(&b, 123));
	cr_assert_not(buf_printf(&b, "%s", "xyz"));
	cr_assert(slice_eq(buf_slice(&b), SLICE("abc")));
	cr_assert(buf_put_str(&b, "de"));
	cr_assert(
	    b.overflowed); /* stays, so that one test at the end will do */
	cr_assert_not(buf_put_byte(&b, 'f'));
	cr_assert(slice_eq(slice_of(room, 8), SLICE("abcde...")));
	buf_clear(&b);
	cr_assert_not(b.overflowed);
	cr_assert_eq(b.len, 0);
}

Test(buf, refuses_a_text_that_is_too_long_to_format)
{
	uint8_t room[2048];
	struct buf b = buf_over(room, sizeof(room));

	cr_assert(buf_printf(&b, "%01023d", 1));
	cr_assert_not(buf_printf(&b, "%01024d", 1));
	cr_assert(b.overflowed);
	cr_assert_eq(b.len, 1023);
}

Test(buf, drops_from_its_front)
{
	uint8_t room[8];
	struct buf b = buf_over(room, sizeof(room));

	buf_put_str(&b, "abcdef");
	buf_drop(&b, 0);
	cr_assert(slice_eq(buf_slice(&b), SLICE("abcdef")));
	buf_drop(&b, 2);
	cr_assert(slice_eq(buf_slice(&b), SLICE("cdef")));
	buf_drop(&b, 4);
	cr_assert_eq(b.len, 0);
}

Test(buf, has_no_more_to_drop_than_it_has, .signal = SIGABRT)
{
	uint8_t room[8];
	struct buf b = buf_over(room, sizeof(room));

	buf_drop(&b, 1);
}
