/* dot.h -- the bytes of a message: where they end, and what form they take.
 *
 * The stored form of a message is what DATA carries: lines ended by CR LF and
 * by nothing else, a dot doubled at the beginning of a line, without the final
 * "." line.  So the client can send it as it lies.  dot_read() turns DATA's
 * bytes into it; dot_stuff() turns BDAT's (RFC 3030) into it; dot_unstuff()
 * turns it back into the message (for hashing and reports).
 *
 * The stored form is canonical: what dot_read gives is what dot_stuff would
 * make of the message.
 *
 * Must hold: a bare CR, a bare LF or a NUL is seen in each of them and never
 * ends a line: two readings of one message are how SMTP smuggling works. */
#ifndef PROTO_DOT_H
#define PROTO_DOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

enum dot_state {
	DOT_LINE_START, /* at the beginning of a line */
	DOT_TEXT,	/* inside a line */
	DOT_CR,		/* a CR was seen: LF must follow */
	DOT_DOT,	/* a dot at the beginning of a line was seen */
	DOT_DOT_CR,	/* that dot and a CR */
	DOT_END,	/* the end was seen */
};

struct dot {
	enum dot_state state;
	bool bare_seen; /* a CR or LF that stood alone */
	bool nul_seen;
	bool line_too_long; /* over 998 octets + CRLF (noted, not refused) */
	bool has_8bit;
	uint64_t line_len;	/* of the line so far, without its end */
	uint64_t stuffed_count; /* dots in the stored form that are not the
				 * message's own: its size is the stored
				 * bytes less these */
};

enum dot_result {
	DOT_PIECE, /* *piece has bytes of the stored form; call again */
	DOT_MORE,  /* all of *in eaten */
	DOT_DONE,  /* the message is over; *in is what follows it */
};

void dot_init(struct dot *d);

/* DATA: takes bytes off *in.  *piece looks into *in or at a constant.  When a
 * bare CR or LF was seen the bytes still come (the caller throws them away) and
 * only CRLF.CRLF ends the message. */
enum dot_result dot_read(struct dot *d, struct slice *in, struct slice *piece);

/* BDAT: the same for bytes of a chunk; never DOT_DONE: the caller counts.
 * dot_stuff_end gives the CRLF that a last line without one still needs (empty
 * otherwise). */
enum dot_result dot_stuff(struct dot *d, struct slice *in, struct slice *piece);
struct slice dot_stuff_end(struct dot *d);

/* Stored form to message: takes bytes off *in; DOT_MORE when all is eaten. */
enum dot_result dot_unstuff(
    struct dot *d, struct slice *in, struct slice *piece);

#endif
