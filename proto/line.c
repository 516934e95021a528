/* line.c -- a command line, and where it ends: at CR LF and at nothing else. */
#include "proto/line.h"

/* How many bytes of `in` belong to the line; *result is MORE, CRLF or BARE.
 * `after_cr` is all that needs to be known of the bytes before. */
static size_t find_end(struct slice in, bool after_cr, enum line_result *result)
{
	*result = LINE_MORE;
	if (in.len == 0)
		return 0;
	if (after_cr) {
		*result = in.at[0] == '\n' ? LINE_CRLF : LINE_BARE;
		return in.at[0] == '\n' ? 1 : 0;
	}
	size_t lf = slice_find(in, '\n');
	size_t cr = slice_find(slice_of(in.at, lf), '\r');

	if (cr + 1 < lf) { /* a CR that is not followed by LF */
		*result = LINE_BARE;
		return cr + 1;
	}
	if (lf == in.len)
		return in.len;
	*result = cr < lf ? LINE_CRLF : LINE_BARE;
	return lf + 1;
}

void line_give(struct line *l)
{
	if (l->held != NULL)
		pool_give(l->pages, l->held);
	*l = (struct line){.held = NULL};
}

/* Adds to the line so far; false when there is no page. */
static bool hold(
    struct line *l, struct pool *pages, size_t max, struct slice bytes)
{
	if (l->skipped)
		return true;
	if (l->held_len + bytes.len > max) {
		line_give(l);
		l->skipped = true;
		return true;
	}
	if (l->held == NULL) {
		l->held = pool_take(pages);
		l->pages = pages;
	}
	if (l->held == NULL)
		return false;
	if (bytes.len > 0)
		memcpy(l->held + l->held_len, bytes.at, bytes.len);
	l->held_len = (uint16_t)(l->held_len + bytes.len);
	return true;
}

enum line_result line_next(struct line *l, struct pool *pages, size_t max,
    struct slice *in, struct slice *line)
{
	enum line_result result;
	size_t len = find_end(*in, l->held_cr, &result);

	check(pages->object_len >= max);
	if (result == LINE_MORE && len == 0)
		return LINE_MORE;
	*line = slice_cut(in, len);
	if (result == LINE_MORE || l->held != NULL) {
		if (!hold(l, pages, max, *line))
			return LINE_NO_ROOM;
		/* After hold(), which may have begun a fresh one. */
		l->held_cr = len > 0 && line->at[len - 1] == '\r';
		*line = slice_of(l->held, l->held_len);
	}
	if (result == LINE_MORE)
		return LINE_MORE;
	if (l->skipped || line->len > max)
		return LINE_LONG;
	if (result == LINE_CRLF)
		line->len -= 2;
	return result;
}
