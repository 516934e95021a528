/* line.h -- a command line, and where it ends: at CR LF and at nothing else.
 *
 * This is the one definition of it.  A CR or an LF that stands alone does not
 * end a line, but a client that sends one and waits must not wait for ever: it
 * is reported at once as the end of a bad line, which is refused whole.
 *
 * A line that came whole is looked at where it lies.  Only the beginning of one
 * whose rest is still to come is copied, into a page that is given back with
 * the line. */
#ifndef PROTO_LINE_H
#define PROTO_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pool.h"
#include "core/base/slice.h"

/* RFC 5321, 4.5.3.1.4 has 512 with the CR LF; the parameters of SIZE, DSN, AUTH
 * and SMTPUTF8 add to it. */
#define LINE_LEN_MAX 2048

/* RFC 4954, 4.5: a response to a challenge, with its CR LF. */
#define LINE_RESPONSE_MAX 12288

enum line_result {
	LINE_MORE,    /* all of *in was eaten, the line goes on */
	LINE_CRLF,    /* *line is a line, without its CR LF */
	LINE_BARE,    /* a bad line: a CR or LF stands alone at its end */
	LINE_LONG,    /* a bad line, over its limit */
	LINE_NO_ROOM, /* no page for the beginning of a line */
};

struct line {
	uint8_t *held;	    /* a page with the line so far, or NULL */
	struct pool *pages; /* where it came from */
	uint16_t held_len;
	bool held_cr; /* the line so far ends in CR */
	bool skipped; /* it is too long: the rest is only eaten */
};

/* Takes one line, or what there is of it, off *in.  A line has at most `max`
 * bytes, the same until it ends; `pages` are objects of at least that.  *line
 * is valid until line_give, which must follow every result but LINE_MORE. */
enum line_result line_next(struct line *l, struct pool *pages, size_t max,
    struct slice *in, struct slice *line);

/* Whether a part of a line has come, and the rest is waited for. */
static inline bool line_pending(const struct line *l)
{
	return l->held_len > 0 || l->held_cr || l->skipped;
}

/* Forgets the line; a fresh one begins. */
void line_give(struct line *l);

#endif
