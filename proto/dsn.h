/* dsn.h -- reports to a sender: RFC 3464 in RFC 6522, 6533 for UTF-8.
 *
 * A report is a message of three parts: text for people, the same for programs,
 * and the original or its header.  It is written in the stored form (dot.h), so
 * that it goes into the spool like any other message.  Its envelope is from <>
 * to the original's sender; an original from <> has no report. */
#ifndef PROTO_DSN_H
#define PROTO_DSN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/outcome.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED, /* taken by a next hop that does not offer DSN */
};

struct dsn_rcpt {
	struct slice address; /* without <> */
	struct slice orcpt;   /* ORCPT as received, empty = absent */
	enum dsn_action action;
	const struct outcome *outcome; /* of the last attempt */
	struct slice host;	 /* whose reply it is; empty = none was asked */
	uint64_t attempt_wall_s; /* when; 0 = not known */
};

/* What of the original comes back (RFC 3461, 4.3: RET). */
enum dsn_original { DSN_ORIGINAL_NONE, DSN_ORIGINAL_HEADER, DSN_ORIGINAL_FULL };

struct dsn_report {
	enum dsn_action kind;	  /* of the worst recipient: subject and text */
	struct slice hostname;	  /* ours */
	struct slice id;	  /* the report's own: Message-ID, boundaries */
	struct slice original_id; /* the original's queue id */
	struct slice sender;	  /* of the original: who gets the report */
	struct slice envid;	  /* ENVID as received, empty = absent */
	uint64_t arrival_wall_s;  /* of the original */
	uint64_t now_wall_s;
	uint64_t retry_until_wall_s; /* DSN_DELAYED */
	const struct dsn_rcpt *rcpts;
	uint32_t rcpt_count;
	enum dsn_original original_form; /* at most this comes back */
	struct slice original; /* stored bytes from its first field on; may be
				* cut when its body is not wanted */
	bool smtputf8;	       /* the original was sent with SMTPUTF8 */
};

/* What the report's own envelope must declare. */
struct dsn_needs {
	bool body_8bit;
	bool smtputf8;
};

/* A room in which a report always fits, if without the original. */
#define DSN_LEN_MAX(rcpt_count) (32768 + (size_t)512 * (rcpt_count))

/* Writes the whole report.  When the room is too small the original's body, its
 * header, and at last the servers' texts are left out; when even that does not
 * help it returns false and leaves `out` as it was. */
bool dsn_put(
    struct buf *out, const struct dsn_report *r, struct dsn_needs *needs);

/* Whether NOTIFY (a set of enum dsn_notify, 0 = absent) asks for it.  Absent
 * means failure and delay (RFC 3461, 4.1 leaves delay to us). */
bool dsn_wanted(uint8_t notify, enum dsn_action action);

#endif
