/* test_reply_reader.c -- replies, whole and in any pieces. */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "proto/reply_reader.h"

struct reply_case {
	const char *in;
	enum reply_result result;
	unsigned code;
	const char *text;
	const char *rest; /* what was not eaten */
};

static const struct reply_case cases[] = {
    {"250 ok\r\n", REPLY_COMPLETE, 250, "ok", ""},
    {"250\r\n", REPLY_COMPLETE, 250, "", ""},
    {"250 \r\n", REPLY_COMPLETE, 250, "", ""},
    {"354\n", REPLY_COMPLETE, 354, "", ""},
    {"250 ok\n", REPLY_COMPLETE, 250, "ok", ""},
    {"250-a\r\n250-b\r\n250 c\r\n", REPLY_COMPLETE, 250, "a\nb\nc", ""},
    {"250-\r\n250 c\r\n", REPLY_COMPLETE, 250, "\nc", ""},
    {"250-a\r\n250\r\n", REPLY_COMPLETE, 250, "a", ""},
    {"250 one\r\n251 two\r\n", REPLY_COMPLETE, 250, "one", "251 two\r\n"},
    {"250 a\rb\r\n", REPLY_COMPLETE, 250, "a\rb", ""},
    {"250 a\r\r\n", REPLY_COMPLETE, 250, "a\r", ""},
    {"450-a\r\n421 b\r\n", REPLY_COMPLETE, 421, "a\nb", ""},
    {"599 x\r\n", REPLY_COMPLETE, 599, "x", ""},
    {"", REPLY_MORE, 0, "", ""},
    {"25", REPLY_MORE, 0, "", ""},
    {"250-a\r\n", REPLY_MORE, 250, "a", ""},
    {"250 ok\r", REPLY_MORE, 250, "ok", ""},
    {"250-a\r\n550 b\r\n", REPLY_BAD, 250, NULL, NULL},
    {"550-a\r\n250 b\r\n", REPLY_BAD, 550, NULL, NULL},
    {"hello\r\n", REPLY_BAD, 0, NULL, NULL},
    {"2500 ok\r\n", REPLY_BAD, 250, NULL, NULL},
    {"199 ok\r\n", REPLY_BAD, 0, NULL, NULL},
    {"600 ok\r\n", REPLY_BAD, 0, NULL, NULL},
    {"250\rok\r\n", REPLY_BAD, 250, NULL, NULL},
    {"\r\n250 ok\r\n", REPLY_BAD, 0, NULL, NULL},
    {"SSH-2.0-x\r\n", REPLY_BAD, 0, NULL, NULL},
};

static void run(const struct reply_case *c, size_t step)
{
	struct reply_reader r;
	enum reply_result result = REPLY_MORE;
	size_t at = 0, len = strlen(c->in);

	reply_reader_init(&r);
	while (result == REPLY_MORE && at < len) {
		size_t piece_len = len - at < step ? len - at : step;
		struct slice piece = slice_of(c->in + at, piece_len);

		result = reply_reader_feed(&r, &piece);
		at += piece_len - piece.len;
	}
	cr_assert_eq(result, c->result, "%s, step %zu", c->in, step);
	cr_assert_eq(r.code, c->code, "%s, step %zu", c->in, step);
	if (c->result == REPLY_BAD)
		return;
	cr_assert(slice_eq(reply_reader_text(&r), slice_of_str(c->text)),
	    "%s, step %zu: %.*s", c->in, step, r.text_len, r.text);
	cr_assert_str_eq(c->in + at, c->rest);
}

Test(reply_reader, reads_the_same_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step <= strlen(cases[i].in) + 1; step++)
			run(&cases[i], step);
}

Test(reply_reader, keeps_the_beginning_of_a_long_text)
{
	static char line[REPLY_TEXT_MAX * 2];
	struct reply_reader r;

	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	line[sizeof(line) - 1] = '\n';
	struct slice in = slice_of(line, sizeof(line));
	reply_reader_init(&r);
	cr_assert_eq(reply_reader_feed(&r, &in), REPLY_COMPLETE);
	cr_assert_eq(r.text_len, REPLY_TEXT_MAX);
}

static enum reply_result feed_lines(unsigned count)
{
	struct reply_reader r;
	enum reply_result result = REPLY_MORE;

	reply_reader_init(&r);
	for (unsigned i = 1; result == REPLY_MORE && i <= count; i++) {
		struct slice in =
		    i == count ? SLICE("250 x\r\n") : SLICE("250-x\r\n");
		result = reply_reader_feed(&r, &in);
	}
	return result;
}

Test(reply_reader, refuses_a_reply_without_end)
{
	struct reply_reader r;
	enum reply_result result = REPLY_MORE;
	size_t eaten = 0;

	cr_assert_eq(feed_lines(REPLY_LINES_MAX), REPLY_COMPLETE);
	cr_assert_eq(feed_lines(REPLY_LINES_MAX + 1), REPLY_BAD);

	reply_reader_init(&r);
	for (struct slice in = SLICE("250 "); result == REPLY_MORE;
	     in = SLICE("x")) {
		eaten += in.len;
		result = reply_reader_feed(&r, &in);
	}
	cr_assert_eq(result, REPLY_BAD);
	cr_assert_eq(eaten, REPLY_BYTES_MAX + 1);
}
