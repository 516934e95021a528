/* reply_reader.h -- an SMTP reply that we are given, line by line.
 *
 * RFC 5321, 4.2.1.  Lenient where it does no harm (LF alone ends a line here:
 * replies carry no message), bounded everywhere. */
#ifndef PROTO_REPLY_READER_H
#define PROTO_REPLY_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

#define REPLY_TEXT_MAX 1024 /* what is kept of a reply's text */
#define REPLY_LINES_MAX 128 /* more is an attack */
#define REPLY_BYTES_MAX 65536

enum reply_result { REPLY_MORE, REPLY_COMPLETE, REPLY_BAD };

struct reply_reader {
	uint16_t code;	   /* of the reply */
	uint16_t text_len; /* lines without codes, joined by '\n' */
	uint16_t line_count;
	uint32_t byte_count;
	/* private: the line being read */
	uint16_t line_code;
	uint8_t digit_count;
	bool last;    /* it is the reply's last */
	bool cr_held; /* a CR came: its end, or text? */
	uint8_t state;
	char text[REPLY_TEXT_MAX];
};

void reply_reader_init(struct reply_reader *r);
/* Takes bytes off *in up to the end of one reply.  After COMPLETE and BAD call
 * reply_reader_init before the next. */
enum reply_result reply_reader_feed(struct reply_reader *r, struct slice *in);

static inline struct slice reply_reader_text(const struct reply_reader *r)
{
	return slice_of(r->text, r->text_len);
}

#endif
