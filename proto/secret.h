/* secret.h -- a user's password as it is stored: in clear, as a SCRAM verifier
 * (RFC 5803: {SCRAM-SHA-256}iterations,salt:StoredKey:ServerKey), or as a
 * crypt(3) hash. */
#ifndef PROTO_SECRET_H
#define PROTO_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/sasl.h"

enum secret_kind { SECRET_CLEAR, SECRET_SCRAM_SHA_256, SECRET_CRYPT };

struct sasl_secret {
	enum secret_kind kind;
	struct slice text; /* as configured; must stay */
	/* SCRAM: parsed, or derived once from a clear password */
	bool has_scram;
	uint32_t iterations;
	uint8_t salt_len;
	uint8_t salt[64];
	uint8_t stored_key[32];
	uint8_t server_key[32];
};

/* False: *why (static) says what is wrong with the text. */
bool secret_parse(
    struct slice text, struct sasl_secret *secret, const char **why);
/* The set (1 << mechanism) that can work with it. */
unsigned secret_mechanisms(const struct sasl_secret *secret);
/* Constant-time in the password. */
bool secret_matches(const struct sasl_secret *secret, struct slice password);
/* Derives has_scram from a clear password (a few ms); salt: 16 random bytes. */
void secret_derive_scram(struct sasl_secret *secret, const uint8_t salt[16]);
/* What `smarthost passwd` prints. */
void secret_put_scram(
    struct slice password, const uint8_t salt[16], struct buf *out);

#endif
