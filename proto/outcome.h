/* outcome.h -- what became of one recipient in one attempt. */
#ifndef PROTO_OUTCOME_H
#define PROTO_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

enum outcome_kind {
	OUTCOME_NONE,	    /* not yet */
	OUTCOME_DELIVERED,  /* 2xx to the final dot */
	OUTCOME_DEFERRED,   /* 4xx or a failure that may pass: try later */
	OUTCOME_OTHER_HOST, /* this host did not take it; another one may, in
			     * the same attempt (no connection, 421 or 4xx
			     * greeting, lost before anything was accepted) */
	OUTCOME_FAILED,	    /* 5xx: never */
};

#define OUTCOME_TEXT_MAX 400

struct outcome {
	enum outcome_kind kind;
	uint16_t code;	    /* SMTP reply code; 0 = no reply (network, DNS) */
	uint16_t status[3]; /* enhanced status, {4,4,1}; always set; up to
			     * 999 each (RFC 3463, 2) */
	bool site;	    /* the site is at fault, not this message: connect,
			     * greeting, EHLO, DNS */
	uint16_t text_len;
	char text[OUTCOME_TEXT_MAX]; /* the reply without CRLF (lines joined by
				      * a blank), or our own sentence */
};

/* From a complete reply.  `text` is without the code, lines ended by '\n'; an
 * enhanced status at its front is taken off and used when its class is the
 * code's, else one is derived from the code (RFC 3463: {class,0,0}).  2xx is
 * DELIVERED, 5xx FAILED, 4xx (and 3xx, which nobody asked for) kind_of_4xx. */
struct outcome outcome_of_reply(
    uint16_t code, struct slice text, enum outcome_kind kind_of_4xx);

/* From something that is not a reply. */
struct outcome outcome_of_error(enum outcome_kind kind, const uint8_t status[3],
    bool site, const char *sentence);

#endif
