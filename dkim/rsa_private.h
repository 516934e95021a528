/* rsa_private.h -- what the files of RSA share among themselves. */
#ifndef DKIM_RSA_PRIVATE_H
#define DKIM_RSA_PRIVATE_H

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include "dkim/rsa.h"
#include "dkim/rsa_der.h"
#include "dkim/rsa_vault.h"

struct rsa {
	struct rsa_vault vault; /* holds this too */
	enum rsa_engine engine;
	const struct rsa_size *sizes; /* RSA_SIZES of them, with RSA_IFMA */
	struct rsa_batch *batch;      /* likewise: room for a batch at work */
	WC_RNG rng;
	RsaKey single; /* a key as wolfSSL wants it, while it signs */
};

/* Some 1.5 KB for 2048 bits. */
struct rsa_key {
	struct rsa *rsa;
	size_t len;	       /* of this, as it was taken from the vault */
	unsigned bits;	       /* of n */
	struct rsa_warm *warm; /* NULL until the engine signs with it */
	struct rsa_der der;
	uint8_t bytes[]; /* what `der` points to */
};

/* RFC 8017, 9.2, notes 1: DigestInfo of SHA-256. */
#define RSA_INFO_LEN 51
void rsa_digest_info(const uint8_t *digest, uint8_t *info);

/* One signature by wolfSSL, checked. */
bool rsa_single_sign(
    struct rsa_key *key, const uint8_t *digest, uint8_t *signature);

#endif
