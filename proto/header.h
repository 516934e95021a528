/* header.h -- header fields from a stream of stored bytes; what we add.
 *
 * The scanner is fed the pieces of the body as they come, keeps facts and no
 * text, and looks at nothing behind the empty line, or behind a line that is no
 * field: what follows it is body to some readers, so it is to us. */
#ifndef PROTO_HEADER_H
#define PROTO_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

#define HEADER_RECEIVED_MAX 50 /* more is a loop: 554 5.4.6 */
#define HEADER_NAME_MAX 24     /* longest name that we look for */

#define HEADER_FROM_MAX 8192 /* longer than From is read with certainty */

/* What a message says of its author, for who must judge it. */
struct header_from {
	uint32_t count; /* From fields; only the first one's text is kept */
	bool too_long;
	bool torn; /* a line that is no field stands in the header section:
		    * some readers go on behind it, and may find another From */
	uint16_t len;
	uint8_t text[HEADER_FROM_MAX]; /* behind the colon, up to and with the
					* last line's CR LF */
};

struct header {
	bool ended; /* the empty line, or a line that is no field, came */
	bool has_date, has_message_id, has_from, has_to_or_cc;
	bool has_8bit;	      /* bytes over 127 in the header section */
	bool needs_separator; /* the message has no header section: its first
			       * line is no field.  What we put in front of it
			       * must end with an empty line */
	bool torn; /* a line that is no field ended it, behind some that are:
		    * there should be an empty line in front of it */
	uint32_t received_count;
	uint64_t len; /* stored bytes of the header section, without the
		       * empty line */
	/* private: where in a line we are, the name so far */
	struct header_from *from; /* NULL: nobody asks */
	bool in_from;
	uint64_t line_len;
	uint8_t state;
	uint8_t name_len;
	uint8_t name[HEADER_NAME_MAX];
};

void header_init(struct header *h);
/* Right after header_init: what From says goes into *from, which must stay as
 * long as the header is fed. */
void header_keep_from(struct header *h, struct header_from *from);
/* Any cut is good; after h->ended it costs nothing. */
void header_feed(struct header *h, struct slice piece);
/* The message is over (it may have had no empty line). */
void header_end(struct header *h);

/* What a Received field needs (RFC 5321, 4.4). */
struct received {
	struct slice helo;   /* what the client called itself */
	struct slice client; /* its address as text, IPv6 without prefix */
	bool client_v6;
	const char *tls_version; /* "1.3"; NULL: in clear */
	const char *tls_cipher;
	struct slice hostname; /* ours */
	struct slice with;     /* "ESMTP", "UTF8SMTPSA", ... */
	struct slice id;
	struct slice rcpt; /* "for <>": only when there is one recipient */
	uint64_t wall_s;
};
/* What a client could have put into its name to confuse a reader (blanks,
 * brackets, quotes, non-ASCII) becomes '?'. */
bool received_put(struct buf *out, const struct received *r);

/* The fields that are absent: Date, Message-ID, From (envelope sender, or
 * MAILER-DAEMON@hostname for <>), To ("undisclosed-recipients:;", as Postfix).
 * `unique` makes the Message-ID: the queue id. */
bool header_missing_put(struct buf *out, const struct header *h,
    struct slice from, struct slice hostname, struct slice unique,
    uint64_t wall_s);

/* An RFC 5322 date in UTC: "Sun, 22 Nov 2026 19:33:00 +0000". */
bool date_put(struct buf *out, uint64_t wall_s);

#endif
