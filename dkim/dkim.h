/* dkim.h -- DKIM signatures (RFC 6376, RFC 8463) of stored messages.
 *
 *   at acceptance  struct dkim_body eats the body while it streams in and gives
 *                  a hash for each canonicalisation that is asked for
 *   at delivery    dkim_sign() makes the header fields of up to
 *                  DKIM_BATCH_MAX signatures in one go: RSA in one batch
 *
 * Everything here is pure: bytes in, bytes out, the time given.  Bodies are
 * eaten as they are stored: CR LF, dots doubled (RFC 5321, 4.5.2). */
#ifndef DKIM_DKIM_H
#define DKIM_DKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/base/slice.h"

#define DKIM_HASH_LEN 32
#define DKIM_BATCH_MAX 8
/* The longest field that dkim_sign writes. */
#define DKIM_FIELD_MAX 3072

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };
#define DKIM_CANON_COUNT 2

/* The body hashes of one message while it streams in.  Fed from the first byte
 * of the message: header section and separator are skipped by it, exactly as
 * proto/header.h finds their end. */
struct dkim_body; /* dkim/body.h */

/* What signing needs besides keys: memory for secrets, randomness, and whatever
 * this CPU signs with.  One for each thread. */
struct dkim;
/* *why: a static sentence: how RSA signatures are made here; or, with NULL,
 * what is missing. */
MUST_USE struct dkim *dkim_open(const char **why);
/* After all its keys were closed. */
void dkim_close(struct dkim *d);
/* Whether the keys are locked into memory; they are never in a core dump. */
bool dkim_locked(const struct dkim *d);

/* A private key; its domain and selector are not part of it. */
struct dkim_key;
enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256 };
/* PEM, PKCS #1 or #8; or their base64 alone.  NULL: *why.  *warning: NULL, or
 * e.g. "shorter than 2048 bits".  Signs and verifies once. */
MUST_USE struct dkim_key *dkim_key_open(
    struct dkim *d, struct slice pem, const char **why, const char **warning);
void dkim_key_close(struct dkim_key *key);
enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *key);
/* The TXT record: "v=DKIM1; k=rsa; p=...". */
void dkim_key_record(struct dkim_key *key, struct buf *out);

/* One signature to be made. */
struct dkim_job {
	struct dkim_key *key;
	struct slice domain;	  /* d= */
	struct slice selector;	  /* s= */
	struct slice identity;	  /* i= without "@", or empty: the domain */
	struct slice header;	  /* the whole header section as it will be sent
				   * (our own fields in front included), each
				   * field with its CR LF; without the empty line;
				   * as stored: dots doubled */
	const uint8_t *body_hash; /* DKIM_HASH_LEN bytes, for body_canon */
	enum dkim_canon header_canon, body_canon;
	uint64_t time_s;   /* t= */
	uint64_t expire_s; /* x=, absolute; 0: none */
	struct buf *out; /* the whole field is appended here, folded, with CR LF
			  */
	const char *why; /* the answer: NULL, signed and checked; or why not,
			  * and `out` is as it was */
	bool faulted;	 /* worth a warning: see struct rsa_job */
};
/* Signs all of them with keys of `d`; at most DKIM_BATCH_MAX. */
void dkim_sign(struct dkim *d, struct dkim_job *const *jobs, unsigned count);

#endif
