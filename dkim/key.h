/* key.h -- what a key is, for those who sign with it. */
#ifndef DKIM_KEY_H
#define DKIM_KEY_H

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ed25519.h>

#include "dkim/dkim.h"
#include "dkim/rsa.h"
#include "dkim/rsa_vault.h"

#define ED25519_SIGNATURE_LEN 64

struct dkim {
	struct rsa *rsa;
	struct rsa_vault vault;
};

struct dkim_key {
	struct dkim *dkim;
	enum dkim_algorithm algorithm;
	struct rsa_key *rsa;
	ed25519_key ed25519;
};

/* Checked with the public key.  False: there is no signature. */
MUST_USE bool dkim_key_sign_ed25519(struct dkim_key *key,
    const uint8_t digest[DKIM_HASH_LEN],
    uint8_t signature[ED25519_SIGNATURE_LEN]);

#endif
