/* smtp_offers.h -- what a server offers in its reply to EHLO.
 *
 * RFC 5321, 4.1.1.1: a keyword a line, with parameters.  Facts, not states;
 * keywords that we do not know are none of our business. */
#ifndef PROTO_SMTP_OFFERS_H
#define PROTO_SMTP_OFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

#define SMTP_OFFERS_AUTH_MAX 128 /* kept of the mechanisms' words */

struct smtp_offers {
	bool esmtp, pipelining, size, eightbitmime, smtputf8, dsn, starttls,
	    chunking;
	uint8_t auth_len;
	uint64_t size_max;		 /* 0 = no limit named */
	char auth[SMTP_OFFERS_AUTH_MAX]; /* the mechanisms, one blank between */
};

/* Reads the lines (ended by '\n', without codes) of a 250 to EHLO; the first
 * is the server's name.  `cut`: the text was cut at its end, so that its last
 * line is not to be trusted. */
void smtp_offers_read(struct smtp_offers *o, struct slice text, bool cut);

static inline struct slice smtp_offers_auth(const struct smtp_offers *o)
{
	return slice_of(o->auth, o->auth_len);
}

#endif
