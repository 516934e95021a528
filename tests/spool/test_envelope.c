#include <criterion/criterion.h>
#include <stdlib.h>

#include "spool/envelope.h"

static bool same(struct slice a, struct slice b)
{
	return slice_eq(a, b);
}

/* The bytes in memory that ends where they end, so that ASan sees a read
 * behind them. */
static struct slice exact(const uint8_t *at, size_t len)
{
	uint8_t *copy = malloc(len);

	cr_assert(len == 0 || copy != NULL);
	if (len > 0)
		memcpy(copy, at, len);
	return slice_of(copy, len);
}

static const uint8_t plain[] = {
    1, 0, 0, 0, 1, 0, 0, 0,  /* version, one recipient */
    1, 3, 0, 'a', '@', 'b',  /* sender */
    16, 3, 0, 'c', '@', 'd', /* recipient */
};

Test(envelope, the_bytes_are_these)
{
	uint8_t room[100];
	struct buf out = buf_over(room, sizeof(room));
	struct envelope e = {.sender = SLICE("a@b"), .rcpt_count = 1};
	struct envelope_rcpt r = {.address = SLICE("c@d")};

	cr_assert(envelope_put(&out, &e));
	cr_assert(envelope_put_rcpt(&out, &r));
	cr_assert(same(buf_slice(&out), slice_of(plain, sizeof(plain))));
}

static const struct envelope envelopes[] = {
    {.rcpt_count = 3},
    {.sender = {(const uint8_t *)"x@y", 3},
	.envid = {(const uint8_t *)"QQ314159", 8},
	.client = {(const uint8_t *)"2001:db8::1", 11},
	.user = {(const uint8_t *)"joe", 3},
	.body_hash = {{NULL, 0},
	    {(const uint8_t *)"0123456789abcdef0123456789abcdef", 32}},
	.ret = 2,
	.body_8bit = true,
	.smtputf8 = true,
	.rcpt_count = 3},
};

static const struct envelope_rcpt rcpts[] = {
    {.address = {(const uint8_t *)"a@example.org", 13}},
    {.address = {(const uint8_t *)"b@example.org", 13},
	.orcpt = {(const uint8_t *)"rfc822;b+2B@example.org", 23},
	.notify = 5},
    {.address = {(const uint8_t *)"c@example.org", 13}, .notify = 1},
};

static struct slice encode(const struct envelope *e, struct buf *out)
{
	cr_assert(envelope_put(out, e));
	for (size_t i = 0; i < COUNT(rcpts); i++)
		cr_assert(envelope_put_rcpt(out, &rcpts[i]));
	return buf_slice(out);
}

Test(envelope, comes_back_as_it_was)
{
	for (size_t i = 0; i < COUNT(envelopes); i++) {
		const struct envelope *want = &envelopes[i];
		uint8_t room[512];
		struct buf out = buf_over(room, sizeof(room));
		struct slice bytes = encode(want, &out);
		struct envelope e;
		struct envelope_rcpt r;
		struct slice rest;

		cr_assert(envelope_get(bytes, &e, &rest));
		cr_assert(same(e.sender, want->sender));
		cr_assert(same(e.envid, want->envid));
		cr_assert(same(e.client, want->client));
		cr_assert(same(e.user, want->user));
		for (unsigned n = 0; n < ENVELOPE_HASH_COUNT; n++)
			cr_assert(same(e.body_hash[n], want->body_hash[n]));
		cr_assert_eq(e.ret, want->ret);
		cr_assert_eq(e.body_8bit, want->body_8bit);
		cr_assert_eq(e.smtputf8, want->smtputf8);
		cr_assert_eq(e.rcpt_count, 3);
		for (size_t k = 0; k < COUNT(rcpts); k++) {
			cr_assert(envelope_get_rcpt(&rest, &r));
			cr_assert(same(r.address, rcpts[k].address));
			cr_assert(same(r.orcpt, rcpts[k].orcpt));
			cr_assert_eq(r.notify, rcpts[k].notify);
		}
		cr_assert_not(envelope_get_rcpt(&rest, &r));
		cr_assert_eq(rest.len, 0);
	}
}

Test(envelope, cut_anywhere_it_is_short_or_no_envelope_but_never_read_beyond)
{
	uint8_t room[512];
	struct buf out = buf_over(room, sizeof(room));
	struct slice whole = encode(&envelopes[1], &out);

	for (size_t len = 0; len < whole.len; len++) {
		struct slice cut = exact(whole.at, len);
		struct envelope e;
		struct envelope_rcpt r;
		struct slice rest;
		size_t count = 0;

		if (envelope_get(cut, &e, &rest)) {
			while (envelope_get_rcpt(&rest, &r))
				count++;
			cr_assert(
			    count < 3 || rest.len > 0 || len > whole.len - 8,
			    "%zu", len);
		}
		free((void *)(uintptr_t)cut.at);
	}
}

Test(envelope, skips_what_a_newer_program_added)
{
	static const uint8_t bytes[] = {1, 0, 0, 0, 1, 0, 0, 0, /**/
	    9, 1, 0, 'z', 1, 1, 0, 's',				/**/
	    16, 1, 0, 'r', 99, 0, 0, 18, 1, 0, 4, 200, 2, 0, 'x', 'y'};
	struct envelope e;
	struct envelope_rcpt r;
	struct slice rest;

	cr_assert(envelope_get(slice_of(bytes, sizeof(bytes)), &e, &rest));
	cr_assert(same(e.sender, SLICE("s")));
	cr_assert(envelope_get_rcpt(&rest, &r));
	cr_assert(same(r.address, SLICE("r")));
	cr_assert_eq(r.notify, 4);
	cr_assert_eq(rest.len, 0);
}

Test(envelope, refuses_another_version)
{
	uint8_t bytes[sizeof(plain)];
	struct envelope e;
	struct slice rest;

	memcpy(bytes, plain, sizeof(plain));
	bytes[0] = 2;
	cr_assert_not(envelope_get(slice_of(bytes, sizeof(bytes)), &e, &rest));
}

Test(envelope, what_does_not_fit_is_not_half_written)
{
	uint8_t room[sizeof(plain)];
	struct envelope e = {.sender = SLICE("a@b"), .rcpt_count = 1};
	struct envelope_rcpt r = {.address = SLICE("c@d"), .notify = 1};

	for (size_t len = 0; len < sizeof(room); len++) {
		struct buf out = buf_over(room, len);

		if (envelope_put(&out, &e)) {
			size_t before = out.len;

			cr_assert_not(envelope_put_rcpt(&out, &r));
			cr_assert_eq(out.len, before);
		}
		cr_assert(out.overflowed);
	}
}
