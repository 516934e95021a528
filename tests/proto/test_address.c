/* test_address.c -- mailboxes and paths. */
#include "proto/address.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/check.h"

static const struct {
	const char *text, *local, *domain;
	bool utf8;
} good[] = {
    {"a@b", "a", "b", false},
    {"a.b+c@example.org", "a.b+c", "example.org", false},
    {"A!#$%&'*+-/=?^_`{|}~@x.y", "A!#$%&'*+-/=?^_`{|}~", "x.y", false},
    {"a..b.@docomo.example", "a..b.", "docomo.example", false},
    {"\"a b\"@c", "\"a b\"", "c", false},
    {"\"a@b\"@c", "\"a@b\"", "c", false},
    {"\"a\\\"b>\"@c", "\"a\\\"b>\"", "c", false},
    {"\"\"@c", "\"\"", "c", false},
    {"a@[192.0.2.1]", "a", "[192.0.2.1]", false},
    {"a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]", false},
    {"a@[ipv6:::1]", "a", "[ipv6:::1]", false},
    {"a@some_host.x-y.z", "a", "some_host.x-y.z", false},
    {"\xc3\xa4@\xc3\xb6.example", "\xc3\xa4", "\xc3\xb6.example", true},
    {"\xf0\x9f\x93\xa7@x", "\xf0\x9f\x93\xa7", "x", true},
    {"a@b", "a", "b", true},
};

Test(address, splits_what_is_good)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		struct slice text = slice_of_str(good[i].text);
		struct address a;

		cr_assert(
		    address_parse(text, good[i].utf8, &a), "%s", good[i].text);
		cr_assert(slice_eq(a.full, text));
		cr_assert(slice_eq(a.local, slice_of_str(good[i].local)));
		cr_assert(slice_eq(a.domain, slice_of_str(good[i].domain)));
	}
}

static const struct {
	struct slice text;
	bool utf8;
} bad[] = {
    {SLICE(""), false},
    {SLICE("a"), false},
    {SLICE("@b"), false},
    {SLICE("a@"), false},
    {SLICE("a@b@c"), false},
    {SLICE("a b@c"), false},
    {SLICE("a@b c"), false},
    {SLICE("a@b."), false},
    {SLICE("a@.b"), false},
    {SLICE("a@b..c"), false},
    {SLICE("a,b@c"), false},
    {SLICE("a\\b@c"), false},
    {SLICE("<a@b>"), false},
    {SLICE("a\0@b"), false},
    {SLICE("a@b\0"), false},
    {SLICE("a\r@b"), false},
    {SLICE("\"a@b"), false},
    {SLICE("\"a\"b@c"), false},
    {SLICE("\"a\\\"@c"), false},
    {SLICE("\"a\nb\"@c"), false},
    {SLICE("a@["), false},
    {SLICE("a@[]"), false},
    {SLICE("a@[1.2.3]"), false},
    {SLICE("a@[01.2.3.4]"), false},
    {SLICE("a@[1.2.3.4\0]"), false},
    {SLICE("a@[::1]"), false},
    {SLICE("a@[IPv6:1.2.3.4]"), false},
    {SLICE("a@[tag:x]"), false},
    {SLICE("\xc3\xa4@x"), false},
    {SLICE("\xc3@x"), true},
    {SLICE("\xe4@x"), true},
    {SLICE("\xc0\xaf@x"), true},
    {SLICE("\xe0\x80\x80@x"), true},
    {SLICE("\xed\xa0\x80@x"), true},
    {SLICE("\xf0\x80\x80\x80@x"), true},
    {SLICE("\xf4\x90\x80\x80@x"), true},
    {SLICE("\xf5\x80\x80\x80@x"), true},
    {SLICE("a@x\xe2\x82"), true},
};

Test(address, refuses_the_rest)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct address a;

		cr_assert_not(
		    address_parse(bad[i].text, bad[i].utf8, &a), "case %zu", i);
	}
}

Test(address, knows_its_limits)
{
	for (size_t len = 1; len < 300; len++) {
		uint8_t room[700];
		struct buf b = buf_over(room, sizeof(room));
		struct address a;

		while (b.len < len)
			buf_put_byte(&b, 'x');
		buf_put_str(&b, "@y");
		cr_assert_eq(address_parse(buf_slice(&b), false, &a),
		    len <= ADDRESS_LOCAL_MAX);

		buf_clear(&b);
		buf_put_str(&b, "x@");
		while (b.len < len + 2)
			buf_put_byte(&b, b.len % 50 == 49 ? '.' : 'y');
		if (b.at[b.len - 1] == '.')
			continue;
		cr_assert_eq(address_parse(buf_slice(&b), false, &a),
		    len <= ADDRESS_DOMAIN_MAX);
	}
	struct address a;
	cr_assert(address_parse(
	    SLICE("x@"
		  "123456789012345678901234567890123456789012345678901234567890"
		  "123"),
	    false, &a));
	cr_assert_not(address_parse(
	    SLICE("x@"
		  "123456789012345678901234567890123456789012345678901234567890"
		  "1234"),
	    false, &a));
}

enum { NULL_OK = 1, POSTMASTER_OK = 2 };

static const struct {
	const char *text, *full, *rest; /* full NULL: refused */
	int allowed;
} paths[] = {
    {"<a@b>", "a@b", "", 0},
    {"<a@b> SIZE=1", "a@b", " SIZE=1", 0},
    {"<a@b>x", "a@b", "x", 0},
    {"<\"a>b\"@c> x", "\"a>b\"@c", " x", 0},
    {"<@r1,@r2:a@b>", "a@b", "", 0},
    {"<@[192.0.2.1]:a@b>", "a@b", "", 0},
    {"<>", "", "", NULL_OK},
    {"<>", NULL, NULL, POSTMASTER_OK},
    {"<Postmaster>", "Postmaster", "", POSTMASTER_OK},
    {"<postmaster>", NULL, NULL, NULL_OK},
    {"<root>", NULL, NULL, NULL_OK | POSTMASTER_OK},
    {"", NULL, NULL, NULL_OK},
    {"a@b", NULL, NULL, NULL_OK},
    {"<a@b", NULL, NULL, NULL_OK},
    {"<a@b\"> x", NULL, NULL, NULL_OK},
    {"< a@b>", NULL, NULL, NULL_OK},
    {"<@r1,r2:a@b>", NULL, NULL, NULL_OK},
    {"<@r1:>", NULL, NULL, NULL_OK},
    {"<@r1>", NULL, NULL, NULL_OK},
    {"<<a@b>>", NULL, NULL, NULL_OK},
};

Test(address, reads_paths)
{
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct slice text = slice_of_str(paths[i].text);
		struct address a;
		bool ok = path_parse(&text, paths[i].allowed & NULL_OK,
		    paths[i].allowed & POSTMASTER_OK, false, &a);

		cr_assert_eq(ok, paths[i].full != NULL, "%s", paths[i].text);
		if (!ok)
			continue;
		cr_assert(slice_eq(a.full, slice_of_str(paths[i].full)));
		cr_assert(slice_eq(text, slice_of_str(paths[i].rest)), "%s",
		    paths[i].text);
	}
}

Test(address, is_never_read_beyond_its_end)
{
	/* Every cut of every text in memory of exactly its length. */
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t len = 0; len <= strlen(good[i].text); len++) {
			uint8_t *exact = malloc(len + 1);
			struct address a;

			memcpy(exact + 1, good[i].text, len);
			exact[0] = '<';
			struct slice path = slice_of(exact, len + 1);
			address_parse(slice_of(exact + 1, len), true, &a);
			path_parse(&path, true, true, true, &a);
			free(exact);
		}
}
