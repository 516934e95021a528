/* smtp_offers.h -- what a server offers in its reply to EHLO.
 *
 * RFC 5321, 4.1.1.1: a keyword a line, with parameters.  Facts, not states;
 * keywords that we do not know are none of our business. */
#ifndef PROTO_SMTP_OFFERS_H
#define PROTO_SMTP_OFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

struct smtp_offers {
	bool esmtp, pipelining, size, eightbitmime, smtputf8, dsn, starttls,
	    chunking, auth_offered;
	uint8_t auth;	   /* set of 1 << enum sasl_mechanism: those we know */
	uint64_t size_max; /* 0 = no limit named */
};

/* Reads the lines (ended by '\n', without codes) of a 250 to EHLO; the first
 * is the server's name.  `cut`: the text was cut at its end, so that its last
 * line is not to be trusted. */
void smtp_offers_read(struct smtp_offers *o, struct slice text, bool cut);

#endif
