/* params.h -- the arguments of MAIL and RCPT: path and ESMTP parameters.
 *
 * RFC 5321 4.1.1.2 and 4.1.1.3, RFC 1870 (SIZE), 6152 (8BITMIME), 6531
 * (SMTPUTF8), 3461 (RET, ENVID, NOTIFY, ORCPT), 6533 (ORCPT in UTF-8), 4954
 * (AUTH, which is read and forgotten). */
#ifndef PROTO_PARAMS_H
#define PROTO_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/slice.h"
#include "proto/address.h"
#include "proto/reply.h"

enum dsn_ret { DSN_RET_ABSENT, DSN_RET_FULL, DSN_RET_HDRS };

/* RFC 3461, 4.1; 0 = the parameter was absent. */
enum dsn_notify {
	DSN_NOTIFY_NEVER = 1,
	DSN_NOTIFY_SUCCESS = 2,
	DSN_NOTIFY_FAILURE = 4,
	DSN_NOTIFY_DELAY = 8,
};

struct mail_params {
	struct address path; /* both parts empty: the null sender <> */
	uint64_t size;	     /* declared SIZE, 0 = absent */
	bool body_8bit;	     /* BODY=8BITMIME */
	bool smtputf8;
	enum dsn_ret ret;
	struct slice envid; /* xtext, as received; empty = absent */
};

struct rcpt_params {
	struct address path;
	uint8_t notify;	    /* set of enum dsn_notify */
	struct slice orcpt; /* "rfc822;xtext" as received; empty = absent */
};

/* `args` is what follows the verb, e.g. "FROM:<a@b> SIZE=5".  True on success,
 * all slices then look into `args`; false with *reply = why (501, 555, 553,
 * 552 is the caller's). */
bool params_mail(
    struct slice args, struct mail_params *mail, struct reply *reply);
/* `smtputf8`: whether MAIL declared it (else non-ASCII is 553 5.6.7). */
bool params_rcpt(struct slice args, bool smtputf8, struct rcpt_params *rcpt,
    struct reply *reply);

/* Moves what the slices look at into the arena; false when there is no room. */
bool mail_params_keep(struct mail_params *mail, struct arena *arena);
bool rcpt_params_keep(struct rcpt_params *rcpt, struct arena *arena);

#endif
