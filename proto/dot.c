/* dot.c -- the bytes of a message: where they end, and what form they take.
 *
 * All three directions share one walk, pass(): it follows the lines, notes what
 * is wrong with them and stops at a dot that begins a line, the only place
 * where the forms differ.  Everything else goes through as it lies, so a piece
 * is as long as the input allows.
 *
 * A dot on the wire that is followed by neither a dot nor the end was put there
 * by no rule; RFC 5321, 4.5.2 has it deleted, and dot_read does, so that a
 * message has exactly one stored form. */
#include "proto/dot.h"

#define LINE_TEXT_MAX 998 /* RFC 5321, 4.5.3.1.6, without CR LF */

typedef uint8_t lanes __attribute__((vector_size(16)));

static bool is_special(uint8_t c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

static bool any_lane(lanes v)
{
	uint64_t words[2];

	memcpy(words, &v, sizeof(words));
	return (words[0] | words[1]) != 0;
}

/* The offset of the first CR, LF or NUL; *bits gathers the bytes before it. */
static size_t find_special(struct slice s, uint8_t *bits)
{
	const lanes cr = (lanes){0} + (uint8_t)'\r';
	const lanes lf = (lanes){0} + (uint8_t)'\n';
	const lanes high = (lanes){0} + (uint8_t)0x80;
	size_t i = 0;
	lanes seen = {0};

	for (; i + sizeof(lanes) <= s.len; i += sizeof(lanes)) {
		lanes v;

		memcpy(&v, s.at + i, sizeof(v));
		if (any_lane((lanes)((v == cr) | (v == lf) | (v == 0))))
			break;
		seen |= v;
	}
	if (any_lane(seen & high))
		*bits |= 0x80;
	for (; i < s.len && !is_special(s.at[i]); i++)
		*bits |= s.at[i];
	return i;
}

void dot_init(struct dot *d)
{
	*d = (struct dot){.state = DOT_LINE_START};
}

static size_t pass_text(struct dot *d, struct slice in)
{
	uint8_t bits = 0;
	size_t len = find_special(in, &bits);

	d->line_len += len;
	if (bits & 0x80)
		d->has_8bit = true;
	if (d->line_len > LINE_TEXT_MAX)
		d->line_too_long = true;
	return len;
}

static void pass_special(struct dot *d, uint8_t c)
{
	if (c == '\r') {
		d->state = DOT_CR;
		return;
	}
	if (c == '\n')
		d->bare_seen = true;
	else
		d->nul_seen = true;
	d->line_len++;
}

/* How many bytes pass as they are: all of them, or those before a dot at the
 * beginning of a line. */
static size_t pass(struct dot *d, struct slice in)
{
	size_t i = 0;

	while (i < in.len) {
		uint8_t c = in.at[i];

		if (d->state == DOT_LINE_START) {
			if (c == '.')
				return i;
			d->state = DOT_TEXT;
		}
		if (d->state == DOT_CR) {
			if (c == '\n') {
				d->state = DOT_LINE_START;
				d->line_len = 0;
				i++;
				continue;
			}
			d->bare_seen = true;
			d->line_len++;
			d->state = DOT_TEXT;
		}
		i += pass_text(d, slice_of(in.at + i, in.len - i));
		if (i < in.len)
			pass_special(d, in.at[i++]);
	}
	return i;
}

/* Follows a dot that began a line, up to what decides about it. */
static enum dot_result read_dot(
    struct dot *d, struct slice *in, struct slice *piece)
{
	if (d->state == DOT_DOT) {
		if (in->at[0] == '\r') {
			slice_cut(in, 1);
			d->state = DOT_DOT_CR;
			return DOT_MORE;
		}
		d->state = DOT_TEXT;
		if (in->at[0] != '.')
			return DOT_MORE; /* the lone dot is deleted */
		d->stuffed_count++;
		*piece = SLICE(".");
		return DOT_PIECE;
	}
	if (in->at[0] == '\n') {
		slice_cut(in, 1);
		d->state = DOT_END;
		return DOT_DONE;
	}
	d->bare_seen = true; /* the CR; its bytes are of no use any more */
	d->state = DOT_TEXT;
	return DOT_MORE;
}

enum dot_result dot_read(struct dot *d, struct slice *in, struct slice *piece)
{
	if (d->state == DOT_END)
		return DOT_DONE;
	while (in->len > 0) {
		if (d->state == DOT_DOT || d->state == DOT_DOT_CR) {
			enum dot_result result = read_dot(d, in, piece);

			if (result != DOT_MORE)
				return result;
			continue;
		}
		*piece = slice_cut(in, pass(d, *in));
		if (piece->len > 0)
			return DOT_PIECE;
		slice_cut(in, 1);
		d->state = DOT_DOT;
	}
	return DOT_MORE;
}

enum dot_result dot_stuff(struct dot *d, struct slice *in, struct slice *piece)
{
	if (in->len == 0)
		return DOT_MORE;
	*piece = slice_cut(in, pass(d, *in));
	if (piece->len == 0) {
		d->stuffed_count++;
		d->state = DOT_TEXT; /* the message's own dot is text now */
		*piece = SLICE(".");
	}
	return DOT_PIECE;
}

struct slice dot_stuff_end(struct dot *d)
{
	enum dot_state state = d->state;

	d->state = DOT_END;
	if (state == DOT_CR)
		d->bare_seen = true;
	return state == DOT_TEXT ? SLICE("\r\n") : SLICE("");
}

enum dot_result dot_unstuff(
    struct dot *d, struct slice *in, struct slice *piece)
{
	while (in->len > 0) {
		*piece = slice_cut(in, pass(d, *in));
		if (piece->len > 0)
			return DOT_PIECE;
		slice_cut(in, 1);
		d->state = DOT_TEXT;
	}
	return DOT_MORE;
}
