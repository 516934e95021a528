/* envelope.h -- sender, recipients and the facts of a message, as bytes.
 *
 * Pure.  Encoded once when a message is committed, decoded at recovery, at each
 * attempt, for reports and for `queue show`.  The encoding is versioned; an
 * unknown tag is skipped, so that an older program can read a newer spool. */
#ifndef SPOOL_ENVELOPE_H
#define SPOOL_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

#define ENVELOPE_LEN_MAX (1u << 20)
#define ENVELOPE_HASH_LEN 32
#define ENVELOPE_HASH_COUNT 2

struct envelope_rcpt {
	struct slice address; /* without <> */
	struct slice orcpt;   /* RFC 3461 ORCPT as received; empty = absent */
	uint8_t notify;	      /* set of enum dsn_notify; 0 = absent */
};

struct envelope {
	struct slice sender; /* without <>; empty = null sender */
	struct slice envid;
	struct slice client; /* its address as text, for the log and reports */
	struct slice user;   /* who authenticated; empty = nobody */
	/* SHA-256 of the body in the canonical forms of RFC 6376, 3.4, in the
	 * order of enum dkim_canon; ENVELOPE_HASH_LEN bytes, or empty: it was
	 * not wanted when the message came */
	struct slice body_hash[ENVELOPE_HASH_COUNT];
	uint8_t ret;	/* enum dsn_ret */
	bool body_8bit; /* the body has 8-bit bytes */
	bool smtputf8;	/* needs SMTPUTF8 (address or header) */
	uint32_t rcpt_count;
};

/* Writes the fixed part, then rcpt_count times envelope_put_rcpt, in order. */
bool envelope_put(struct buf *out, const struct envelope *e);
bool envelope_put_rcpt(struct buf *out, const struct envelope_rcpt *r);

/* Reads the fixed part; *rest is then at the first recipient.  False when the
 * bytes are not an envelope.  Slices look into `bytes`. */
bool envelope_get(struct slice bytes, struct envelope *e, struct slice *rest);
/* The next recipient; false at the end or when damaged (then rest->len > 0). */
bool envelope_get_rcpt(struct slice *rest, struct envelope_rcpt *r);

#endif
