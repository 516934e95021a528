/* line.h -- where a command line ends: at CR LF and at nothing else.
 *
 * This is the one definition of it.  A CR or an LF that stands alone does not
 * end a line, but a client that sends one and waits must not wait for ever: it
 * is reported at once as the end of a bad line, which is refused whole. */
#ifndef PROTO_LINE_H
#define PROTO_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/slice.h"

/* RFC 5321, 4.5.3.1.4 has 512 with the CR LF; the parameters of SIZE, DSN, AUTH
 * and SMTPUTF8 add to it. */
#define LINE_LEN_MAX 2048

enum line_end {
	LINE_MORE, /* not in these bytes; all of them belong to the line */
	LINE_CRLF, /* *len bytes, CR LF included */
	LINE_BARE, /* *len bytes up to a CR or LF that stands alone */
};

/* Looks for the end of the line whose next bytes are `in`; *len is how many of
 * them belong to it.  `after_cr`: the line's bytes that came before end in CR;
 * then LINE_BARE may come with a *len of 0.  Nothing else needs to be known of
 * those bytes. */
enum line_end line_find(struct slice in, bool after_cr, size_t *len);

#endif
