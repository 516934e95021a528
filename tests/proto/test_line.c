/* test_line.c -- command lines, however their bytes come. */
#include "proto/line.h"

#include <criterion/criterion.h>

#include "core/base/buf.h"
#include "core/base/rng.h"

static const struct {
	struct slice in;
	enum line_result result;
	struct slice line; /* CRLF: the line */
	size_t len;	   /* bytes eaten */
} cases[] = {
    {SLICE("\r\n"), LINE_CRLF, SLICE(""), 2},
    {SLICE("NOOP\r\n"), LINE_CRLF, SLICE("NOOP"), 6},
    {SLICE("NOOP\r\nQUIT\r\n"), LINE_CRLF, SLICE("NOOP"), 6},
    {SLICE("NOOP\r\nx\n"), LINE_CRLF, SLICE("NOOP"), 6},
    {SLICE("NO\0OP\r\n"), LINE_CRLF, SLICE("NO\0OP"), 7},
    {SLICE("NOOP"), LINE_MORE, SLICE(""), 4},
    {SLICE("NOOP\r"), LINE_MORE, SLICE(""), 5},
    {SLICE("\r"), LINE_MORE, SLICE(""), 1},
    {SLICE("\n"), LINE_BARE, SLICE(""), 1},
    {SLICE("NOOP\n"), LINE_BARE, SLICE(""), 5},
    {SLICE("NOOP\nQUIT\r\n"), LINE_BARE, SLICE(""), 5},
    {SLICE("NOOP\rQUIT\r\n"), LINE_BARE, SLICE(""), 5},
    {SLICE("NOOP\rQUIT\n"), LINE_BARE, SLICE(""), 5},
    {SLICE("NOOP\rQUIT"), LINE_BARE, SLICE(""), 5},
    {SLICE("NOOP\r\r\n"), LINE_BARE, SLICE(""), 5},
    {SLICE("\rx"), LINE_BARE, SLICE(""), 1},
};

struct reader {
	struct pool pages;
	struct line line;
};

static void setup(struct reader *r, size_t page_count)
{
	cr_assert_eq(pool_init(&r->pages, "pages", 4096, page_count), 0);
	r->line = (struct line){.held = NULL};
}

/* Feeds pieces of `step` bytes until a line ends; *eaten says where. */
static enum line_result feed(struct reader *r, struct slice in, size_t step,
    struct slice *line, size_t *eaten)
{
	enum line_result result = LINE_MORE;

	*eaten = 0;
	while (result == LINE_MORE && *eaten < in.len) {
		struct slice part = slice_of(in.at + *eaten, in.len - *eaten);

		if (part.len > step)
			part.len = step;
		size_t len = part.len;
		result =
		    line_next(&r->line, &r->pages, LINE_LEN_MAX, &part, line);
		if (result == LINE_MORE)
			cr_assert_eq(part.len, 0);
		*eaten += len - part.len;
	}
	return result;
}

Test(line, ends_the_same_however_it_arrives)
{
	struct reader r;

	setup(&r, 1);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step <= cases[i].in.len; step++) {
			struct slice line;
			size_t eaten;
			enum line_result result =
			    feed(&r, cases[i].in, step, &line, &eaten);

			cr_assert_eq(
			    result, cases[i].result, "case %zu/%zu", i, step);
			cr_assert_eq(
			    eaten, cases[i].len, "case %zu/%zu", i, step);
			if (result == LINE_CRLF)
				cr_assert(slice_eq(line, cases[i].line));
			line_give(&r.line);
			cr_assert_eq(r.pages.count_used, 0);
		}
}

Test(line, has_2048_bytes_and_not_one_more)
{
	static const char *const ends[] = {"\r\n", "\n", "\rx"};
	struct reader r;

	setup(&r, 1);
	for (size_t len = 2044; len <= 2051; len++)
		for (size_t e = 0; e < COUNT(ends); e++)
			for (size_t step = 1; step <= len + 10; step += 7) {
				uint8_t room[2100];
				struct buf b = buf_over(room, sizeof(room));
				struct slice line;
				size_t eaten;
				size_t end_len = e == 0 ? 2 : 1;

				while (b.len < len)
					buf_put_byte(&b, 'x');
				buf_put_str(&b, ends[e]);
				enum line_result want = len + end_len > 2048
							    ? LINE_LONG
							: e == 0 ? LINE_CRLF
								 : LINE_BARE;
				cr_assert_eq(feed(&r, buf_slice(&b), step,
						 &line, &eaten),
				    want, "%zu, end %zu, step %zu", len, e,
				    step);
				cr_assert_eq(eaten, len + end_len);
				line_give(&r.line);
			}
}

Test(line, gives_its_page_back_when_it_is_too_long)
{
	struct reader r;
	uint8_t text[100];
	struct slice line;

	memset(text, 'x', sizeof(text));
	setup(&r, 1);
	for (unsigned i = 0; i < 1000; i++) {
		struct slice in = slice_of(text, sizeof(text));

		cr_assert_eq(
		    line_next(&r.line, &r.pages, LINE_LEN_MAX, &in, &line),
		    LINE_MORE);
	}
	cr_assert_eq(r.pages.count_used, 0);
	struct slice in = SLICE("\r");
	cr_assert_eq(
	    line_next(&r.line, &r.pages, LINE_LEN_MAX, &in, &line), LINE_MORE);
	in = SLICE("\nQUIT\r\n");
	cr_assert_eq(
	    line_next(&r.line, &r.pages, LINE_LEN_MAX, &in, &line), LINE_LONG);
	line_give(&r.line);
	cr_assert_eq(
	    line_next(&r.line, &r.pages, LINE_LEN_MAX, &in, &line), LINE_CRLF);
	cr_assert(slice_eq(line, SLICE("QUIT")));
}

Test(line, says_when_there_is_no_page)
{
	struct reader r;
	struct slice line;
	struct slice in = SLICE("NOOP\r\nNO");

	setup(&r, 1);
	void *page = pool_take(&r.pages);
	cr_assert_eq(
	    line_next(&r.line, &r.pages, LINE_LEN_MAX, &in, &line), LINE_CRLF);
	line_give(&r.line);
	cr_assert_eq(line_next(&r.line, &r.pages, LINE_LEN_MAX, &in, &line),
	    LINE_NO_ROOM);
	pool_give(&r.pages, page);
}

/* All lines of a stream, cut anywhere, are the same lines. */
Test(line, does_not_depend_on_cuts)
{
	static const char *const parts[] = {"\r", "\n", "\r\n", "a", "NOOP"};
	struct rng rng = {7};
	struct reader r;

	setup(&r, 1);
	for (unsigned round = 0; round < 500; round++) {
		uint8_t room[64];
		struct buf b = buf_over(room, sizeof(room));
		enum line_result want[64];
		size_t want_at[64];
		size_t count = 0;

		while (buf_left(&b) > 6)
			buf_put_str(&b, parts[rng_below(&rng, COUNT(parts))]);
		for (size_t step = 100; step > 0;
		     step = step == 100 ? 9 : step - 1) {
			size_t at = 0;
			size_t n = 0;

			while (at < b.len) {
				struct slice line;
				size_t eaten;
				enum line_result result =
				    feed(&r, slice_of(b.at + at, b.len - at),
					step, &line, &eaten);

				at += eaten;
				if (step == 100) {
					want[n] = result;
					want_at[n] = at;
				}
				cr_assert_eq(result, want[n]);
				cr_assert_eq(at, want_at[n]);
				n++;
				line_give(&r.line);
			}
			if (step == 100)
				count = n;
			cr_assert_eq(n, count);
		}
	}
}
