/* rsa.h -- RSA signatures over SHA-256 (PKCS #1 v1.5), one or up to eight at
 * once.
 *
 * Where the CPU has AVX-512 IFMA (and the operating system saves its
 * registers) the private operations of a batch run side by side in our own
 * kernel; elsewhere, and for whatever the kernel does not take (another public
 * exponent than 65537, primes of unequal length), wolfSSL signs one by one.
 * Every signature is checked with the public exponent before it is given out.
 */
#ifndef DKIM_RSA_H
#define DKIM_RSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 4096
#define RSA_SIGNATURE_MAX (RSA_BITS_MAX / 8)
#define RSA_BATCH_MAX 8
#define RSA_PUBLIC_MAX (RSA_BITS_MAX / 8 * 2 + 64)

/* How signatures are made here, the memory that holds keys and intermediate
 * values, and a source of randomness.  One for each thread. */
struct rsa;
struct rsa_key;
enum rsa_engine { RSA_WOLFSSL, RSA_IFMA };

/* Looks at the CPU, then signs and compares with wolfSSL: a difference means
 * wolfSSL for good.  *why: a static sentence for the log ("AVX-512 IFMA",
 * "this CPU has no ...", "the self-check failed").  NULL: no memory or no
 * randomness, and *why says which.  A child of fork() does not have it. */
MUST_USE struct rsa *rsa_open(const char **why);
/* After all its keys were closed. */
void rsa_close(struct rsa *r);
enum rsa_engine rsa_engine(const struct rsa *r);
/* Whether all secrets are locked into memory: the limit on that
 * (RLIMIT_MEMLOCK) may be too small.  They are never part of a core dump. */
bool rsa_locked(const struct rsa *r);

/* A key from DER (PKCS #1 or PKCS #8).  NULL: *why says what is wrong with it.
 * A new key signs and verifies once.  Close wipes it. */
MUST_USE struct rsa_key *rsa_key_open(
    struct rsa *r, const uint8_t *der, size_t len, const char **why);
void rsa_key_close(struct rsa_key *key);
unsigned rsa_key_bits(const struct rsa_key *key);
/* Bytes of a signature: the bits, rounded up. */
size_t rsa_key_signature_len(const struct rsa_key *key);
/* The public key as SubjectPublicKeyInfo, DER: what p= holds.  Returns its
 * length, at most RSA_PUBLIC_MAX; 0: it does not fit. */
size_t rsa_key_public(struct rsa_key *key, uint8_t *out, size_t room);

struct rsa_job {
	struct rsa_key *key;
	uint8_t digest[32];
	bool good;    /* the answer; false: nothing usable is in `signature` */
	bool faulted; /* worth a warning: the kernel's signature was wrong, and
		       * wolfSSL was asked instead */
	uint8_t
	    signature[RSA_SIGNATURE_MAX]; /* rsa_key_signature_len() bytes */
};

/* Signs all of them; keys of `r` that may differ in any way. */
void rsa_sign(struct rsa *r, struct rsa_job *const *jobs, unsigned count);

#endif
