/* rsa_warm.h -- what the engine makes of a key when it first signs with it. */
#ifndef DKIM_RSA_WARM_H
#define DKIM_RSA_WARM_H

#include "dkim/rsa_engine.h"
#include "dkim/rsa_private.h"

/* A pair for blinding, in Montgomery form: r^e and 1/r.  Squared with each use,
 * made anew after RSA_PAIR_USES. */
struct rsa_pair {
	unsigned uses_left;
	uint64_t *mask, *unmask;
	uint64_t numbers[];
};
#define RSA_PAIR_USES 128

/* Some 2.7 KB for 2048 bits, and 0.7 KB for each pair. */
struct rsa_warm {
	size_t len, pair_len; /* bytes taken from the vault */
	unsigned prime_limbs, digit_count;
	struct rsa_modulus p, q, n;
	const uint64_t *q_inverse;
	/* of d mod p - 1 and d mod q - 1; and of what undoes their effect: the
	 * exponents -d */
	const uint8_t *digits[2], *undo_digits[2];
	struct rsa_pair *pairs[RSA_BATCH_MAX]; /* one for each signature of a
						* batch with this key */
	uint64_t numbers[];
};

/* Whether the engine takes this key: its size, or NULL. */
const struct rsa_size *rsa_warm_size(const struct rsa_key *key);
/* Makes key->warm if it is not there.  False: no memory for it. */
MUST_USE bool rsa_warm_make(struct rsa_key *key);
/* Makes key->warm->pairs[i], still without numbers. */
MUST_USE bool rsa_warm_pair(struct rsa_key *key, unsigned i);
void rsa_warm_drop(struct rsa_key *key);
/* Wipes what the compiler may have left of a secret on the stack below the
 * caller, and the vector registers. */
void rsa_wipe_stack(void);

#endif
