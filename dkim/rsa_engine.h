/* rsa_engine.h -- what a kernel is given, and the kernels there are.
 *
 * A number is an array of limbs of 52 bits in 64, the lowest first.  A prime
 * has `blocks` blocks of the kernel's size, the modulus n twice as many. */
#ifndef DKIM_RSA_ENGINE_H
#define DKIM_RSA_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "dkim/rsa.h"

#define LIMB_BITS 52
#define LIMB_MASK (((uint64_t)1 << LIMB_BITS) - 1)
#define RSA_PRIME_LIMBS_MAX 40
#define RSA_MODULUS_LIMBS_MAX (2 * RSA_PRIME_LIMBS_MAX)

/* The window of an exponent: digits of five bits. */
#define RSA_WINDOW 5
#define RSA_DIGITS_MAX ((RSA_BITS_MAX / 2 + RSA_WINDOW - 1) / RSA_WINDOW)

/* A modulus; R is 2^52 to the number of its limbs. */
struct rsa_modulus {
	const uint64_t *n;
	const uint64_t *one;	/* R mod n */
	const uint64_t *raised; /* R^2 mod n; of a prime R^3 */
	uint64_t inverse;	/* -1/n mod 2^52 */
};

/* base^exponent mod a prime, in one lane. */
struct rsa_power {
	struct rsa_modulus prime;
	const uint8_t *digits; /* of the exponent, the lowest first */
	const uint64_t *base;  /* as long as n, below 2 n */
	uint64_t *result;      /* as long as the prime, below it */
};

/* One signature, in one lane. */
struct rsa_lane {
	struct rsa_modulus p, q, n;
	const uint64_t *q_inverse;	    /* 1/q * R mod p */
	const uint8_t *digits_p, *digits_q; /* of d mod p - 1 and mod q - 1 */
	const uint64_t *padded;		    /* what is to be signed, below n */
	uint64_t *mask, *unmask;	    /* r^e * R and 1/r * R, below 2 n */
	uint64_t *base;			    /* padded * r^e */
	uint64_t *by_p, *by_q;		    /* the powers of base */
	uint64_t *result;		    /* the signature, below n */
};

struct rsa_kernel {
	unsigned lanes, block;
	/* Bytes of the work area for primes of so many blocks. */
	size_t (*work_len)(unsigned blocks);
	/* base = padded * r^e; mask and unmask are squared for the next. */
	void (*mask)(void *work, const struct rsa_lane *lane, unsigned blocks);
	/* result = base^exponent, `digits` of it. */
	void (*power)(void *work, const struct rsa_power *lane, unsigned blocks,
	    unsigned digits);
	/* result = the number below n that is by_p and by_q. */
	void (*join)(void *work, const struct rsa_lane *lane, unsigned blocks);
	/* result *= 1/r.  Returns a bit for each lane whose result, raised to
	 * 65537, is not `padded`. */
	unsigned (*unmask)(
	    void *work, const struct rsa_lane *lane, unsigned blocks);
	/* mask *= R and unmask *= R. */
	void (*enter)(void *work, const struct rsa_lane *lane, unsigned blocks);
};

/* A size of key, and who signs with it. */
struct rsa_size {
	unsigned bits;	 /* of n */
	unsigned blocks; /* of a prime */
	const struct rsa_kernel *narrow, *wide;
};
#define RSA_SIZES 4

/* The sizes that this machine has kernels for, RSA_SIZES of them; or NULL.
 * *why: a static sentence in both cases. */
const struct rsa_size *rsa_engine_find(const char **why);

#endif
