/* reply.h -- an SMTP reply that we give: code, enhanced code, one text.
 *
 * RFC 5321, 4.2; RFC 2034 and 3463 for the enhanced code. */
#ifndef PROTO_REPLY_H
#define PROTO_REPLY_H

#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

/* Longest reply line that reply_put writes, CRLF included (RFC 5321 allows
 * 512); a longer text is cut. */
#define REPLY_LINE_MAX 512

struct reply {
	uint16_t code;	      /* 250, 421, ...; 0 = no reply */
	const char *enhanced; /* "4.3.1", static; NULL = none */
	struct slice text;    /* one line, printable, without CR and LF */
};

/* With a text that is static. */
static inline struct reply reply_of(
    uint16_t code, const char *enhanced, const char *text)
{
	return (struct reply){code, enhanced, slice_of_str(text)};
}

/* One line with its CRLF.  Bytes that may not stand in a reply become '?'. */
bool reply_put(struct buf *out, struct reply reply);

#endif
