/* secret.h -- a user's password as it is stored: in clear, as a SCRAM verifier
 * ({SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey: what `smarthost passwd`,
 * gsasl and Dovecot write), or as a crypt(3) hash.
 *
 * A wrong password costs the same whether its user exists or not: a decoy is
 * asked in the place of a user that does not, and what a good login taught
 * (the memo) makes the next good one quick, never a bad one. */
#ifndef PROTO_SECRET_H
#define PROTO_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"
#include "proto/hash.h"

#define SECRET_PASSWORD_MAX 1024
#define SECRET_SALT_MAX 64
#define SECRET_SALT_LEN 16     /* of those that we make */
#define SECRET_ITERATIONS 4096 /* RFC 7677, 4: at least */
#define SECRET_ITERATIONS_MAX 1000000
/* "{SCRAM-SHA-256}4096," and so on, as secret_put_scram writes it */
#define SECRET_SCRAM_LEN 136

enum secret_kind { SECRET_CLEAR, SECRET_SCRAM_SHA_256, SECRET_CRYPT };

/* StoredKey and ServerKey of RFC 5802, 3. */
struct scram_keys {
	uint8_t stored[HASH_SHA256_LEN];
	uint8_t server[HASH_SHA256_LEN];
};

/* The same with ClientKey: what the side with the password has. */
struct scram_secret_keys {
	struct scram_keys verifier;
	uint8_t client[HASH_SHA256_LEN];
};

/* What a good login taught, in memory that the secret's owner gives: the keys
 * of a password in clear; of a hashed one, the password that fitted, as an
 * HMAC with a key of this process. */
struct secret_memo {
	bool has_keys, has_password;
	struct scram_keys keys;
	uint8_t password[HASH_SHA256_LEN];
};

struct sasl_secret {
	enum secret_kind kind;
	bool is_decoy;	   /* nothing fits it */
	struct slice text; /* as configured; must stay */
	/* SCRAM: the verifier's; of the other kinds, see secret_season */
	uint32_t iterations;
	uint8_t salt_len;
	uint8_t salt[SECRET_SALT_MAX];
	struct scram_keys keys;	  /* of a verifier only */
	struct secret_memo *memo; /* NULL: nothing is remembered */
	const uint8_t *key;	  /* of this process, HASH_SHA256_LEN bytes;
				   * NULL without memo */
};

/* False: *why (static) says what is wrong with the text. */
bool secret_parse(
    struct slice text, struct sasl_secret *secret, const char **why);
/* Gives what is no verifier the salt that SCRAM tells a client: always the same
 * for a name, and without `key` not to be told from a random one. */
void secret_season(struct sasl_secret *secret, struct slice name,
    const uint8_t key[HASH_SHA256_LEN]);
/* The set (1 << sasl_mechanism) that can work with it. */
unsigned secret_mechanisms(const struct sasl_secret *secret);
/* Constant-time in the password. */
bool secret_matches(const struct sasl_secret *secret, struct slice password);
/* The keys that SCRAM works with.  *derived: they cost a derivation (some
 * milliseconds); for a secret that has none, keys that nothing fits. */
void secret_scram_keys(
    const struct sasl_secret *secret, struct scram_keys *keys, bool *derived);
/* The keys fitted: the next login need not derive them.  They did not: takes
 * as long as if they had been derived now. */
void secret_scram_good(
    const struct sasl_secret *secret, const struct scram_keys *keys);
void secret_scram_wrong(const struct sasl_secret *secret, bool derived);
/* The client's: of a clear text, with the salt and iterations in it. */
void secret_client_keys(
    const struct sasl_secret *secret, struct scram_secret_keys *keys);
/* Appends what `smarthost passwd` prints. */
void secret_put_scram(struct slice password,
    const uint8_t salt[SECRET_SALT_LEN], struct buf *out);

#endif
