/* test_body.c -- body hashes: tables, and random bodies as python3-dkim has
 * them; whole and cut at every byte. */
#include "dkim/body.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"

#define BOTH (1u << DKIM_SIMPLE | 1u << DKIM_RELAXED)
#define MESSAGE_MAX 65536

struct hashes {
	uint8_t at[DKIM_CANON_COUNT][DKIM_HASH_LEN];
};

static struct hashes hash_cut(struct slice in, size_t step)
{
	struct dkim_body b;
	struct hashes h;

	dkim_body_init(&b, BOTH);
	while (in.len > 0)
		dkim_body_feed(
		    &b, slice_cut(&in, step < in.len ? step : in.len));
	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++)
		dkim_body_finish(&b, (enum dkim_canon)i, h.at[i]);
	return h;
}

static struct hashes hash_split(struct slice in, size_t at)
{
	struct dkim_body b;
	struct hashes h;

	dkim_body_init(&b, BOTH);
	dkim_body_feed(&b, slice_cut(&in, at));
	dkim_body_feed(&b, in);
	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++)
		dkim_body_finish(&b, (enum dkim_canon)i, h.at[i]);
	return h;
}

static struct hashes hash_of(struct slice simple, struct slice relaxed)
{
	struct slice texts[DKIM_CANON_COUNT] = {simple, relaxed};
	struct hashes h;

	for (unsigned i = 0; i < DKIM_CANON_COUNT; i++) {
		wc_Sha256 sha;

		wc_InitSha256(&sha);
		wc_Sha256Update(&sha, texts[i].at, texts[i].len);
		wc_Sha256Final(&sha, h.at[i]);
	}
	return h;
}

static void assert_same(
    const struct hashes *got, const struct hashes *want, size_t i, size_t cut)
{
	for (unsigned c = 0; c < DKIM_CANON_COUNT; c++)
		cr_assert_eq(memcmp(got->at[c], want->at[c], DKIM_HASH_LEN), 0,
		    "case %zu, %s, cut at %zu", i,
		    c == DKIM_SIMPLE ? "simple" : "relaxed", cut);
}

static void assert_however_cut(
    struct slice in, const struct hashes *want, size_t i)
{
	struct hashes got = hash_cut(in, in.len + 1);

	assert_same(&got, want, i, 0);
	got = hash_cut(in, 1);
	assert_same(&got, want, i, 1);
	for (size_t at = 1; at < in.len; at++) {
		got = hash_split(in, at);
		assert_same(&got, want, i, at);
	}
}

#define PLAIN64                                                                \
	"0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"

static const struct {
	struct slice in, simple, relaxed;
} cases[] = {
    /* RFC 6376, 3.4.5 */
    {SLICE("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"),
	SLICE(" C \r\nD \t E\r\n"), SLICE(" C\r\nD E\r\n")},
    /* 3.4.3: no body is an empty line; 3.4.4: no body is nothing */
    {SLICE("A: X\r\n\r\n"), SLICE("\r\n"), SLICE("")},
    {SLICE("A: X\r\n"), SLICE("\r\n"), SLICE("")},
    {SLICE(""), SLICE("\r\n"), SLICE("")},
    {SLICE("A: X\r\n\r\n\r\n\r\n"), SLICE("\r\n"), SLICE("")},
    {SLICE("A: X\r\n\r\n \r\n\t\r\n"), SLICE(" \r\n\t\r\n"), SLICE("")},
    {SLICE("A: X\r\n\r\n\r\na"), SLICE("\r\na\r\n"), SLICE("\r\na\r\n")},
    /* blanks that only an end of line makes vanish */
    {SLICE("A:\r\n\r\na \r\n\r\n \r\n"), SLICE("a \r\n\r\n \r\n"),
	SLICE("a\r\n")},
    /* RFC 5321, 4.5.2: what was doubled */
    {SLICE("A:\r\n\r\n..\r\n...b\r\na..\r\n"), SLICE(".\r\n..b\r\na..\r\n"),
	SLICE(".\r\n..b\r\na..\r\n")},
    /* a line that is no field is body: with a field in front of it or not */
    {SLICE("hello\r\nA: b\r\n"), SLICE("hello\r\nA: b\r\n"),
	SLICE("hello\r\nA: b\r\n")},
    {SLICE("A: b\r\nhello you\r\nC: d\r\n"), SLICE("hello you\r\nC: d\r\n"),
	SLICE("hello you\r\nC: d\r\n")},
    {SLICE(" folded\r\n"), SLICE(" folded\r\n"), SLICE(" folded\r\n")},
    {SLICE("A: b\r\n..c: d\r\n"), SLICE(".c: d\r\n"), SLICE(".c: d\r\n")},
    {SLICE("A: b\r\n: c\r\n"), SLICE(": c\r\n"), SLICE(": c\r\n")},
    {SLICE("A: b\r\nC : d\r\nE F: g\r\n"), SLICE("E F: g\r\n"),
	SLICE("E F: g\r\n")},
    {SLICE("A: b\r\n\xc3: d\r\n"), SLICE("\xc3: d\r\n"), SLICE("\xc3: d\r\n")},
    /* blocks of 64 with something on their borders */
    {SLICE(
	 "A:\r\n\r\n" PLAIN64 PLAIN64 " \r\n" PLAIN64 "\r\n.." PLAIN64 "\r\n"),
	SLICE(PLAIN64 PLAIN64 " \r\n" PLAIN64 "\r\n." PLAIN64 "\r\n"),
	SLICE(PLAIN64 PLAIN64 "\r\n" PLAIN64 "\r\n." PLAIN64 "\r\n")},
    {SLICE("A:\r\n\r\n1" PLAIN64 "\t" PLAIN64 "\t\t" PLAIN64 "   \t" PLAIN64
	   "\r\n"),
	SLICE("1" PLAIN64 "\t" PLAIN64 "\t\t" PLAIN64 "   \t" PLAIN64 "\r\n"),
	SLICE("1" PLAIN64 " " PLAIN64 " " PLAIN64 " " PLAIN64 "\r\n")},
};

Test(body, hashes_the_canonical_forms)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hashes want = hash_of(cases[i].simple, cases[i].relaxed);

		assert_however_cut(cases[i].in, &want, i);
	}
}

Test(body, does_what_was_asked_and_no_more)
{
	struct dkim_body b;
	struct slice in = SLICE("A: b\r\n\r\nc\r\n");
	struct hashes want = hash_of(SLICE("c\r\n"), SLICE("c\r\n"));
	uint8_t hash[DKIM_HASH_LEN];

	dkim_body_init(&b, 0);
	dkim_body_feed(&b, in);
	dkim_body_init(&b, 1u << DKIM_RELAXED);
	dkim_body_feed(&b, in);
	dkim_body_finish(&b, DKIM_RELAXED, hash);
	cr_assert_eq(memcmp(hash, want.at[DKIM_RELAXED], sizeof(hash)), 0);
}

static size_t unhex(const char *text, uint8_t *to)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		cr_assert_eq(sscanf(text + 2 * i, "%2x", &byte), 1);
		to[i] = (uint8_t)byte;
	}
	return len;
}

/* Another's program makes the messages and says what is right. */
Test(body, agrees_with_python3_dkim)
{
	static char message[2 * MESSAGE_MAX], simple[65], relaxed[65];
	static uint8_t bytes[MESSAGE_MAX];
	FILE *vectors =
	    popen("/usr/bin/python3 tests/dkim/bodies.py 1 300", "r");
	struct hashes want;
	size_t count = 0;

	cr_assert_not_null(vectors);
	while (fscanf(vectors, "%131071s %64s %64s", message, simple,
		   relaxed) == 3) {
		size_t len = unhex(message, bytes);

		unhex(simple, want.at[DKIM_SIMPLE]);
		unhex(relaxed, want.at[DKIM_RELAXED]);
		assert_however_cut(slice_of(bytes, len), &want, count++);
	}
	cr_assert_eq(pclose(vectors), 0, "python3-dkim is not installed?");
	cr_assert_eq(count, 300);
}
