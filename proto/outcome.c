/* outcome.c -- what a reply, or the lack of one, means for a recipient.
 *
 * A reply's text goes to logs, to the queue's listing and into reports, so it
 * is made harmless here, once: one line of printable ASCII, of bounded length.
 * The enhanced status is kept as numbers; servers repeat it on each line of a
 * reply, so it is taken off each line. */
#include "proto/outcome.h"

#include "core/base/check.h"

/* Reads "5.1.1" (then a blank or the end) off the front of *text; RFC 3463, 2:
 * one digit, then twice up to three. */
static bool take_status(struct slice *text, uint16_t status[3])
{
	struct slice rest = *text;
	struct slice word = slice_cut_at(&rest, ' ');

	for (size_t i = 0; i < 3; i++) {
		struct slice part = i < 2 ? slice_cut_at(&word, '.')
					  : slice_cut(&word, word.len);
		uint64_t number;

		if (part.len > 3 || !slice_number(part, &number))
			return false;
		status[i] = (uint16_t)number;
	}
	*text = slice_trim(rest);
	return true;
}

static char printable(uint8_t c)
{
	if (c == '\t')
		return ' ';
	return c >= ' ' && c <= '~' ? (char)c : '?';
}

static void append(struct outcome *o, struct slice line)
{
	line = slice_trim(line);
	if (line.len == 0)
		return;
	if (o->text_len > 0 && o->text_len < OUTCOME_TEXT_MAX)
		o->text[o->text_len++] = ' ';
	for (size_t i = 0; i < line.len; i++) {
		if (o->text_len == OUTCOME_TEXT_MAX)
			return;
		o->text[o->text_len++] = printable(line.at[i]);
	}
}

static enum outcome_kind kind_of_code(
    uint16_t code, enum outcome_kind kind_of_4xx)
{
	switch (code / 100) {
	case 2: return OUTCOME_DELIVERED;
	case 5: return OUTCOME_FAILED;
	default: return kind_of_4xx;
	}
}

struct outcome outcome_of_reply(
    uint16_t code, struct slice text, enum outcome_kind kind_of_4xx)
{
	uint16_t class = code / 100 == 3 ? 4 : code / 100;
	struct outcome o = {.kind = kind_of_code(code, kind_of_4xx),
	    .code = code,
	    .status = {class, 0, 0}};
	bool status_found = false;

	while (text.len > 0) {
		struct slice line = slice_trim(slice_cut_at(&text, '\n'));
		struct slice rest = line;
		uint16_t status[3];

		/* RFC 2034, 4: the class must be the reply code's. */
		if (take_status(&rest, status) && status[0] == class) {
			line = rest;
			if (!status_found)
				memcpy(o.status, status, sizeof(o.status));
			status_found = true;
		}
		append(&o, line);
	}
	return o;
}

struct outcome outcome_of_error(enum outcome_kind kind, const uint8_t status[3],
    bool site, const char *sentence)
{
	struct outcome o = {.kind = kind,
	    .status = {status[0], status[1], status[2]},
	    .site = site};

	check(kind != OUTCOME_NONE);
	append(&o, slice_of_str(sentence));
	return o;
}
