/* sasl_digest.h -- what both sides of DIGEST-MD5 (RFC 2831) read and compute.
 *
 * Only what SMTP uses: qop=auth, algorithm=md5-sess, the first use of a nonce.
 */
#ifndef PROTO_SASL_DIGEST_H
#define PROTO_SASL_DIGEST_H

#include "core/base/buf.h"
#include "core/base/slice.h"

#define DIGEST_HEX_LEN 32

enum digest_field {
	DIGEST_USERNAME,
	DIGEST_REALM,
	DIGEST_NONCE,
	DIGEST_CNONCE,
	DIGEST_NC,
	DIGEST_QOP,
	DIGEST_URI,
	DIGEST_RESPONSE,
	DIGEST_CHARSET,
	DIGEST_ALGORITHM,
	DIGEST_AUTHZID,
	DIGEST_RSPAUTH,
	DIGEST_FIELD_COUNT,
};

struct digest_fields {
	bool has[DIGEST_FIELD_COUNT];
	struct slice at[DIGEST_FIELD_COUNT]; /* in the room that was given */
};

/* Reads name=value, name="value"...; unknown names are passed over, a known
 * one may come once (of several realms the first counts).  `room` must be as
 * long as the text. */
bool digest_read(struct slice text, struct buf *room, struct digest_fields *f);

/* RFC 2831, 2.1.2.1: what "response" must be; with an empty `method` what
 * "rspauth" must. */
void digest_compute(const struct digest_fields *f, struct slice password,
    const char *method, uint8_t hex[DIGEST_HEX_LEN]);

#endif
