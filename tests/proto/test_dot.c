/* test_dot.c -- the three directions, whole and cut at every byte. */
#include "proto/dot.h"

#include <criterion/criterion.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/rng.h"

typedef enum dot_result reader(struct dot *, struct slice *, struct slice *);

/* Feeds `in` in pieces of `step` bytes; what comes out is added to `out`. */
static bool feed(
    reader *read, struct dot *d, struct slice *in, size_t step, struct buf *out)
{
	while (in->len > 0) {
		size_t len = in->len < step ? in->len : step;
		struct slice part = slice_of(in->at, len);

		for (;;) {
			struct slice piece = {NULL, 0};
			enum dot_result result = read(d, &part, &piece);

			if (result == DOT_PIECE) {
				cr_assert_gt(piece.len, 0);
				cr_assert(buf_put(out, piece));
				continue;
			}
			if (result == DOT_MORE)
				cr_assert_eq(part.len, 0);
			slice_cut(in, len - part.len);
			if (result == DOT_DONE)
				return true;
			break;
		}
	}
	return false;
}

static void assert_bytes(struct slice got, struct slice want, size_t i)
{
	cr_assert(slice_eq(got, want), "case %zu: \"%.*s\" and not \"%.*s\"", i,
	    (int)got.len, got.at, (int)want.len, want.at);
}

enum { GOOD, BARE, NUL };

static const struct {
	struct slice in, stored, rest;
	bool done;
	int flaw;
	uint64_t stuffed_count;
} reads[] = {
    {SLICE(".\r\n"), SLICE(""), SLICE(""), true, GOOD, 0},
    {SLICE("a\r\n.\r\n"), SLICE("a\r\n"), SLICE(""), true, GOOD, 0},
    {SLICE("a\r\nb\r\n.\r\nQUIT\r\n"), SLICE("a\r\nb\r\n"), SLICE("QUIT\r\n"),
	true, GOOD, 0},
    {SLICE("a\r\n\r\n\r\n.\r\n.\r\n"), SLICE("a\r\n\r\n\r\n"), SLICE(".\r\n"),
	true, GOOD, 0},
    /* doubled dots stay, a single one is no rule's and goes */
    {SLICE("..\r\n.\r\n"), SLICE("..\r\n"), SLICE(""), true, GOOD, 1},
    {SLICE("..a\r\n...\r\n.\r\n"), SLICE("..a\r\n...\r\n"), SLICE(""), true,
	GOOD, 2},
    {SLICE(".a\r\nx.\r\n.\r\n"), SLICE("a\r\nx.\r\n"), SLICE(""), true, GOOD,
	0},
    {SLICE(". \r\n.\r\n"), SLICE(" \r\n"), SLICE(""), true, GOOD, 0},
    {SLICE("a.b\r\n.\r\n"), SLICE("a.b\r\n"), SLICE(""), true, GOOD, 0},
    {SLICE("unfinished\r\n"), SLICE("unfinished\r\n"), SLICE(""), false, GOOD,
	0},
    {SLICE("unfinished\r\n."), SLICE("unfinished\r\n"), SLICE(""), false, GOOD,
	0},
    /* smuggling: none of these ends the message */
    {SLICE("a\n.\n"), SLICE(""), SLICE(""), false, BARE, 0},
    {SLICE("a\n.\r\n"), SLICE(""), SLICE(""), false, BARE, 0},
    {SLICE("a\r\n.\n"), SLICE(""), SLICE(""), false, BARE, 0},
    {SLICE("a\r\n.\r"), SLICE("a\r\n"), SLICE(""), false, GOOD, 0},
    {SLICE("a\r.\r\n"), SLICE(""), SLICE(""), false, BARE, 0},
    {SLICE("a\r\n.\r\r\n"), SLICE(""), SLICE(""), false, BARE, 0},
    {SLICE("a\r\n\0.\r\n"), SLICE(""), SLICE(""), false, NUL, 0},
    {SLICE(".\0\r\n"), SLICE(""), SLICE(""), false, NUL, 0},
    {SLICE("a\n.\n\r\n.\r\nRSET"), SLICE(""), SLICE("RSET"), true, BARE, 0},
    {SLICE("a\r\r\n.\r\n"), SLICE(""), SLICE(""), true, BARE, 0},
    {SLICE("\n\r\n.\r\n"), SLICE(""), SLICE(""), true, BARE, 0},
    {SLICE("a\rb\r\n.\r\n"), SLICE(""), SLICE(""), true, BARE, 0},
    {SLICE("a long line with a NUL\0 in it\r\n.\r\n"), SLICE(""), SLICE(""),
	true, NUL, 0},
};

static void run_read(size_t i, size_t step)
{
	uint8_t room[256];
	struct buf out = buf_over(room, sizeof(room));
	struct slice in = reads[i].in;
	struct dot d;

	dot_init(&d);
	bool done = feed(dot_read, &d, &in, step, &out);
	cr_assert_eq(done, reads[i].done, "case %zu, step %zu", i, step);
	cr_assert_eq(
	    d.bare_seen, reads[i].flaw == BARE, "case %zu/%zu", i, step);
	cr_assert_eq(d.nul_seen, reads[i].flaw == NUL, "case %zu/%zu", i, step);
	assert_bytes(in, reads[i].rest, i);
	if (reads[i].flaw != GOOD)
		return;
	assert_bytes(buf_slice(&out), reads[i].stored, i);
	cr_assert_eq(d.stuffed_count, reads[i].stuffed_count, "case %zu", i);
}

Test(dot, reads_the_same_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(reads); i++)
		for (size_t step = 1; step <= reads[i].in.len; step++)
			run_read(i, step);
}

static const struct {
	struct slice in, stored;
	int flaw;
} stuffs[] = {
    {SLICE(""), SLICE(""), GOOD},
    {SLICE("a"), SLICE("a\r\n"), GOOD},
    {SLICE("a\r\n"), SLICE("a\r\n"), GOOD},
    {SLICE("."), SLICE("..\r\n"), GOOD},
    {SLICE(".\r\n"), SLICE("..\r\n"), GOOD},
    {SLICE("a\r\n.b\r\n..\r\nc."), SLICE("a\r\n..b\r\n...\r\nc.\r\n"), GOOD},
    {SLICE("\r\n.\r\n"), SLICE("\r\n..\r\n"), GOOD},
    {SLICE("a\n"), SLICE(""), BARE},
    {SLICE("a\r"), SLICE(""), BARE},
    {SLICE("a\rb"), SLICE(""), BARE},
    {SLICE("a\0"), SLICE(""), NUL},
};

Test(dot, stuffs_and_gives_a_last_line_its_end)
{
	for (size_t i = 0; i < COUNT(stuffs); i++)
		for (size_t step = 1; step <= stuffs[i].in.len + 1; step++) {
			uint8_t room[256];
			struct buf out = buf_over(room, sizeof(room));
			struct slice in = stuffs[i].in;
			struct dot d;

			dot_init(&d);
			feed(dot_stuff, &d, &in, step, &out);
			buf_put(&out, dot_stuff_end(&d));
			cr_assert_eq(d.bare_seen, stuffs[i].flaw == BARE);
			cr_assert_eq(d.nul_seen, stuffs[i].flaw == NUL);
			if (stuffs[i].flaw == GOOD)
				assert_bytes(
				    buf_slice(&out), stuffs[i].stored, i);
		}
}

/* A message of the bytes that matter, made of whole lines. */
static struct slice random_message(struct rng *rng, uint8_t *room, size_t max)
{
	struct buf b = buf_over(room, max);
	static const char *const parts[] = {".", "..", "a", "\r\n", "\r\n",
	    "\r\n.", "a line that is longer than one of the lanes", "\xc3\xa9"};

	while (buf_left(&b) > 64)
		buf_put_str(&b, parts[rng_below(rng, COUNT(parts))]);
	buf_put_str(&b, "\r\n");
	return buf_slice(&b);
}

Test(dot, unstuff_undoes_stuff_and_read_gives_the_same_form)
{
	struct rng rng = {1};

	for (unsigned round = 0; round < 300; round++) {
		uint8_t rooms[4][1024];
		struct slice message = random_message(&rng, rooms[0], 400);
		struct buf stored = buf_over(rooms[1], 1024);
		struct buf back = buf_over(rooms[2], 1024);
		struct buf read = buf_over(rooms[3], 1024);
		size_t step = 1 + rng_below(&rng, 40);
		struct dot d;

		dot_init(&d);
		struct slice in = message;
		feed(dot_stuff, &d, &in, step, &stored);
		cr_assert_eq(dot_stuff_end(&d).len, 0);
		cr_assert_eq(stored.len - d.stuffed_count, message.len);

		dot_init(&d);
		in = buf_slice(&stored);
		feed(dot_unstuff, &d, &in, step, &back);
		assert_bytes(buf_slice(&back), message, round);

		buf_put_str(&stored, ".\r\n");
		dot_init(&d);
		in = buf_slice(&stored);
		cr_assert(feed(dot_read, &d, &in, step, &read));
		stored.len -= 3;
		assert_bytes(buf_slice(&read), buf_slice(&stored), round);
		cr_assert_eq(read.len - d.stuffed_count, message.len);
	}
}

Test(dot, notes_8bit_and_long_lines)
{
	for (size_t len = 996; len <= 1000; len++) {
		uint8_t room[2048], stored[2048];
		struct buf line = buf_over(room, sizeof(room));
		struct buf out = buf_over(stored, sizeof(stored));
		struct dot d;

		while (line.len < len)
			buf_put_byte(&line, 'x');
		buf_put_str(&line, "\r\n.\r\n");
		struct slice in = buf_slice(&line);
		dot_init(&d);
		cr_assert(feed(dot_read, &d, &in, 100, &out));
		cr_assert_eq(d.line_too_long, len > 998);
		cr_assert_eq(out.len, len + 2);
		cr_assert_not(d.has_8bit);
	}
	for (size_t at = 0; at < 40; at++) {
		uint8_t room[64], stored[64];
		struct buf out = buf_over(stored, sizeof(stored));
		struct dot d;

		memset(room, 'x', sizeof(room));
		room[at] = 0x80;
		memcpy(room + 40, "\r\n.\r\n", 5);
		struct slice in = slice_of(room, 45);
		dot_init(&d);
		cr_assert(feed(dot_read, &d, &in, 45, &out));
		cr_assert(d.has_8bit);
	}
}
