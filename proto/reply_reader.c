/* reply_reader.c -- an SMTP reply that we are given, line by line.
 *
 * RFC 5321, 4.2.1: three digits, then "-" (more lines follow), or a blank or
 * the end of the line (the last one), then text.  Byte by byte, since a reply
 * may come in any pieces.  Of long texts the first REPLY_TEXT_MAX bytes are
 * kept; a reply without end is refused.
 *
 * All lines should have the same code; where they differ the last one counts,
 * as in other clients, but never across classes: what begins as a success must
 * not end as a refusal, nor the other way round. */
#include "proto/reply_reader.h"

#include "core/base/check.h"

/* What the next byte is. */
enum reply_state {
	READ_CODE, /* one of the three digits: digit_count tells which */
	READ_SEPARATOR,
	READ_TEXT,
	READ_BLANK_CR, /* the LF of a line that is only a code and CR */
	READ_DONE,     /* nothing: the reply is complete, or bad */
};

void reply_reader_init(struct reply_reader *r)
{
	r->code = 0;
	r->text_len = 0;
	r->line_count = 0;
	r->byte_count = 0;
	r->digit_count = 0;
	r->line_code = 0;
	r->last = false;
	r->cr_held = false;
	r->state = READ_CODE;
}

static void keep(struct reply_reader *r, uint8_t byte)
{
	if (r->text_len < REPLY_TEXT_MAX)
		r->text[r->text_len++] = (char)byte;
}

static bool read_digit(struct reply_reader *r, uint8_t byte)
{
	if (byte < '0' || byte > '9')
		return false;
	r->line_code = (uint16_t)(r->line_code * 10 + (byte - '0'));
	if (++r->digit_count < 3)
		return true;
	if (r->line_code < 200 || r->line_code > 599)
		return false;
	if (r->line_count > 0 && r->line_code / 100 != r->code / 100)
		return false;
	r->code = r->line_code;
	r->state = READ_SEPARATOR;
	return true;
}

static void end_line(struct reply_reader *r)
{
	r->line_count++;
	r->digit_count = 0;
	r->line_code = 0;
	r->state = r->last ? READ_DONE : READ_CODE;
}

static bool read_separator(struct reply_reader *r, uint8_t byte)
{
	r->last = byte != '-';
	r->cr_held = false;
	if (byte == '\n') {
		end_line(r);
		return true;
	}
	if (byte == '\r') {
		r->state = READ_BLANK_CR;
		return true;
	}
	if (r->line_count > 0)
		keep(r, '\n');
	r->state = READ_TEXT;
	return byte == ' ' || byte == '-';
}

/* A CR before the LF is no text: it is held back until we know. */
static void read_text(struct reply_reader *r, uint8_t byte)
{
	if (byte == '\n') {
		end_line(r);
		return;
	}
	if (r->cr_held)
		keep(r, '\r');
	r->cr_held = byte == '\r';
	if (!r->cr_held)
		keep(r, byte);
}

static bool read_byte(struct reply_reader *r, uint8_t byte)
{
	switch ((enum reply_state)r->state) {
	case READ_CODE: return read_digit(r, byte);
	case READ_SEPARATOR: return read_separator(r, byte);
	case READ_TEXT: read_text(r, byte); return true;
	case READ_BLANK_CR: end_line(r); return byte == '\n';
	case READ_DONE: return false;
	}
	return false;
}

enum reply_result reply_reader_feed(struct reply_reader *r, struct slice *in)
{
	check(r->state != READ_DONE);
	while (in->len > 0) {
		uint8_t byte = slice_cut(in, 1).at[0];

		r->byte_count++;
		if (!read_byte(r, byte) || r->byte_count > REPLY_BYTES_MAX ||
		    r->line_count > REPLY_LINES_MAX) {
			r->state = READ_DONE;
			return REPLY_BAD;
		}
		if (r->state == READ_DONE)
			return REPLY_COMPLETE;
	}
	return REPLY_MORE;
}
