/* test_reply.c -- replies that we give. */
#include "proto/reply.h"

#include <criterion/criterion.h>

static struct slice put(struct buf *out, struct reply reply)
{
	buf_clear(out);
	cr_assert(reply_put(out, reply));
	return buf_slice(out);
}

Test(reply, is_one_line)
{
	uint8_t room[REPLY_LINE_MAX];
	struct buf out = buf_over(room, sizeof(room));

	cr_assert(slice_eq(put(&out, (struct reply){250, "2.1.0", SLICE("ok")}),
	    SLICE("250 2.1.0 ok\r\n")));
	cr_assert(slice_eq(put(&out, (struct reply){250, NULL, SLICE("host")}),
	    SLICE("250 host\r\n")));
	cr_assert(slice_eq(put(&out, (struct reply){221, "2.0.0", SLICE("")}),
	    SLICE("221 2.0.0 \r\n")));
}

Test(reply, lets_no_control_byte_through)
{
	uint8_t room[REPLY_LINE_MAX];
	struct buf out = buf_over(room, sizeof(room));
	struct reply reply = {550, "5.1.1", SLICE("a\r\n250 b\0\x7f\xc3")};

	cr_assert(
	    slice_eq(put(&out, reply), SLICE("550 5.1.1 a??250 b???\r\n")));
}

Test(reply, is_cut_at_512)
{
	uint8_t room[600], text[600];
	struct buf out = buf_over(room, sizeof(room));

	memset(text, 'x', sizeof(text));
	struct slice line = put(
	    &out, (struct reply){450, "4.0.0", slice_of(text, sizeof(text))});
	cr_assert_eq(line.len, 512);
	cr_assert(slice_eq(slice_of(line.at + 510, 2), SLICE("\r\n")));
}

Test(reply, is_written_whole_or_not_at_all)
{
	uint8_t room[12];
	struct buf out = buf_over(room, sizeof(room));

	cr_assert_not(
	    reply_put(&out, (struct reply){250, "2.1.0", SLICE("ok")}));
	cr_assert_eq(out.len, 0);
	cr_assert(out.overflowed);
}
