/* test_mailbox.c -- the addresses of a From field. */
#include "proto/mailbox.h"

#include <criterion/criterion.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "tests/proto/mailbox_others.h"

/* `addresses`: what is read, with a blank between each; NULL: refused. */
static const struct {
	struct slice value;
	const char *addresses;
} cases[] = {
    {SLICE("a@b"), "a@b"},
    {SLICE(" a@b\r\n"), "a@b"},
    {SLICE(" <a@b>"), "a@b"},
    {SLICE(" Joe <a@b>\r\n"), "a@b"},
    {SLICE(" John Q. Public <a@b.example.>"), "a@b.example"},
    {SLICE("\"Joe, of <x@y>\" <a@b>"), "a@b"},
    {SLICE("\"a\\\"b\" (c) <a@b> (d)"), "a@b"},
    {SLICE("=?utf-8?Q?J=C3=B6e?= <a@b>"), "a@b"},
    {SLICE("=?utf-8?B?eEB5?= =?utf-8?Q?=3Cx=40y=3E?= <a@b>"), "a@b"},
    {SLICE("J\xc3\xb6 <\xc3\xb6@\xc3\xa4.example>"),
	"\xc3\xb6@\xc3\xa4.example"},
    {SLICE("(c) a (c) @ (c (n (m\\)) (o))) b (c)"), "a@b"},
    {SLICE("Joe\r\n\t<\r\n a\r\n @\r\n b\r\n >"), "a@b"},
    {SLICE("\"a b\"@c"), "\"a b\"@c"},
    {SLICE("\"a@b\"@c"), "\"a@b\"@c"},
    {SLICE("a..b.@docomo.example"), "a..b.@docomo.example"},
    {SLICE("a@[192.0.2.1]"), "a@[192.0.2.1]"},
    {SLICE("a@b, c@d"), "a@b c@d"},
    {SLICE("a@b,\"x\" <c@d>,<e@f>"), "a@b c@d e@f"},
    {SLICE("Us: a@b, Joe <c@d>;"), "a@b c@d"},
    {SLICE("Us: a@b; , e@f"), "a@b e@f"},
    {SLICE("e@f, Us (we): ; , Them:a@b;"), "e@f a@b"},
    {SLICE("s=?_a=@b"), NULL},
    {SLICE(""), NULL},
    {SLICE(" \r\n"), NULL},
    {SLICE("Us:;"), NULL},
    {SLICE("(a@b)"), NULL},
    {SLICE("undisclosed-recipients: ;"), NULL},
    {SLICE("a"), NULL},
    {SLICE("Joe Doe"), NULL},
    {SLICE("\"a@b\""), NULL},
    {SLICE("a@"), NULL},
    {SLICE("@b"), NULL},
    {SLICE("<>"), NULL},
    {SLICE("<a>"), NULL},
    {SLICE("a@b c@d"), NULL},
    {SLICE("a@b <c@d>"), NULL},
    {SLICE("<a@b> <c@d>"), NULL},
    {SLICE("<a@b> c@d"), NULL},
    {SLICE("<a@b>, "), NULL},
    {SLICE(", <a@b>"), NULL},
    {SLICE("a@b,,c@d"), NULL},
    {SLICE("a@b;"), NULL},
    {SLICE("a@b; c@d"), NULL},
    {SLICE("Us: a@b"), NULL},
    {SLICE("Us: Them: a@b;;"), NULL},
    {SLICE(": a@b;"), NULL},
    {SLICE("Us: a@b,;"), NULL},
    {SLICE("<@x,@y:a@b>"), NULL},
    {SLICE("<a@b"), NULL},
    {SLICE("a@b>"), NULL},
    {SLICE("<<a@b>>"), NULL},
    {SLICE("Joe <a@b (c>"), NULL},
    {SLICE("a@b (c"), NULL},
    {SLICE("a@b c)"), NULL},
    {SLICE("\"Joe <a@b>"), NULL},
    {SLICE("Joe\" <a@b>"), NULL},
    {SLICE("a b@c"), NULL},
    {SLICE("a . b@c"), NULL},
    {SLICE("a@b . c"), NULL},
    {SLICE("a@b(c).d"), NULL},
    {SLICE("a(c)b@d"), NULL},
    {SLICE("\"a\"b@c"), NULL},
    {SLICE("\"a\".b@c"), NULL},
    {SLICE("a.\"b\"@c"), NULL},
    {SLICE("\"a\r\n b\"@c"), NULL},
    {SLICE("a@b@c"), NULL},
    {SLICE("a\\@b@c"), NULL},
    {SLICE("a@b..c"), NULL},
    {SLICE("a@[192.0.2.1"), NULL},
    {SLICE("a@[x]"), NULL},
    {SLICE("[x] <a@b>"), NULL},
    {SLICE("=?utf-8?Q?a?=@b"), NULL},
    {SLICE("<=?utf-8?Q?a=40b?=>"), NULL},
    {SLICE("=?utf-8?Q?a=40b?="), NULL},
    {SLICE("a@=?utf-8?Q?b?="), NULL},
    {SLICE("\"=?utf-8?Q?a?=\"@b"), NULL},
    {SLICE("=?utf-8?Q?a, <x@y>?= <a@b>"), NULL},
    {SLICE("Joe \xe4 <a@b>"), NULL},
    {SLICE("a\0@b"), NULL},
    {SLICE("a@b\0"), NULL},
    {SLICE("\"a\0\" <a@b>"), NULL},
    {SLICE("(\0) a@b"), NULL},
    {SLICE("a@b\r\nc@d"), NULL},
    {SLICE("a@b\r\n,c@d"), NULL},
    {SLICE("a@b\n c@d"), NULL},
    {SLICE("a@b\r c@d"), NULL},
    {SLICE("a@b\n"), NULL},
    {SLICE("\x1b$B <a@b>"), NULL},
};

static void run(size_t i)
{
	struct slice value = cases[i].value;
	uint8_t room[256], text_room[256];
	struct buf text = buf_over(text_room, sizeof(text_room));
	struct mailbox_list list;
	const char *why;
	bool good = mailbox_list_parse(value, room, &list, &why);

	cr_assert_eq(good, cases[i].addresses != NULL, "case %zu: %s", i,
	    why == NULL ? "read" : why);
	if (!good) {
		cr_assert_not_null(why);
		return;
	}
	for (unsigned n = 0; n < list.count; n++) {
		if (n > 0)
			buf_put_byte(&text, ' ');
		buf_put(&text, list.at[n].local);
		buf_put_byte(&text, '@');
		buf_put(&text, list.at[n].domain);
		cr_assert_eq(list.at[n].full.len,
		    list.at[n].local.len + 1 + list.at[n].domain.len);
	}
	cr_assert(slice_eq(buf_slice(&text), slice_of_str(cases[i].addresses)),
	    "case %zu: %.*s", i, (int)text.len, text.at);
}

Test(mailbox, reads_what_is_certain)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		run(i);
}

Test(mailbox, has_bounds)
{
	char value[4 * (MAILBOX_MAX + 1)];
	uint8_t room[sizeof(value)];
	struct mailbox_list list;
	const char *why;

	for (size_t i = 0; i <= MAILBOX_MAX; i++)
		memcpy(value + 4 * i, "a@b,", 4);
	cr_assert(mailbox_list_parse(
	    slice_of(value, 4 * MAILBOX_MAX - 1), room, &list, &why));
	cr_assert_eq(list.count, MAILBOX_MAX);
	cr_assert_not(mailbox_list_parse(
	    slice_of(value, 4 * MAILBOX_MAX + 3), room, &list, &why));
	cr_assert(mailbox_list_parse(
	    SLICE("((((((((((((((((x))))))))))))))))a@b"), room, &list, &why));
	cr_assert_not(
	    mailbox_list_parse(SLICE("(((((((((((((((((x)))))))))))))))))a@b"),
		room, &list, &why));
}

/* A final dot says nothing, and another reader may keep it. */
static bool same_address(struct slice ours, struct slice other)
{
	if (other.len == ours.len + 1 && other.at[ours.len] == '.')
		other.len--;
	return slice_eq(ours, other);
}

Test(mailbox, reads_what_another_reads)
{
	unsigned read_count = 0;

	for (size_t i = 0; i < COUNT(others); i++) {
		struct slice value = slice_of_str(others[i].value);
		struct slice rest = slice_of_str(others[i].addresses);
		uint8_t room[256];
		struct mailbox_list list;
		const char *why;

		if (!mailbox_list_parse(value, room, &list, &why))
			continue;
		read_count++;
		for (unsigned n = 0; n < list.count; n++)
			cr_assert(same_address(list.at[n].full,
				      slice_cut_at(&rest, '\n')),
			    "%s", others[i].value);
		cr_assert_eq(rest.len, 0, "%s", others[i].value);
	}
	cr_assert_gt(read_count, COUNT(others) / 2);
}
