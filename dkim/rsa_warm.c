/* rsa_warm.c -- what the engine makes of a key when it first signs with it.
 *
 * Constants of Montgomery's multiplication for p, q and n, and the exponents'
 * digits: about 20 microseconds for 2048 bits.  None of them is trusted: what
 * a wrong one would do to a signature is found by checking that. */
#include "dkim/rsa_warm.h"

#include <string.h>

#include "dkim/rsa_limb.h"

static unsigned bits_of_prime(struct slice prime)
{
	return (prime.at[0] & 0x80) && (prime.at[prime.len - 1] & 1)
		   ? (unsigned)prime.len * 8
		   : 0;
}

const struct rsa_size *rsa_warm_size(const struct rsa_key *key)
{
	static const uint8_t e[] = {1, 0, 1};
	const struct rsa_der *der = &key->der;
	unsigned bits = key->bits / 2;

	/* rsa_number.h and rsa_kernel.h build on both. */
	if (key->rsa->engine != RSA_IFMA ||
	    !slice_eq(der->e, slice_of(e, sizeof(e))) ||
	    bits_of_prime(der->p) != bits || bits_of_prime(der->q) != bits)
		return NULL;
	if (der->dp.len * 8 > bits || der->dq.len * 8 > bits ||
	    der->qinv.len * 8 > bits)
		return NULL;
	for (size_t i = 0; i < RSA_SIZES; i++)
		if (key->rsa->sizes[i].bits == key->bits)
			return &key->rsa->sizes[i];
	return NULL;
}

static uint64_t *cut(uint64_t **at, unsigned count)
{
	*at += count;
	return *at - count;
}

/* R^2 is left in m->raised. */
static void make_modulus(
    struct rsa_modulus *m, uint64_t **at, unsigned limbs, struct slice bytes)
{
	uint64_t *n = cut(at, limbs), *one = cut(at, limbs);
	uint64_t *two = cut(at, limbs);

	rsa_limb_read(n, limbs, bytes);
	m->inverse = rsa_limb_inverse(n[0]);
	rsa_limb_raise(one, two, n, m->inverse, limbs, (unsigned)bytes.len * 8);
	m->n = n;
	m->one = one;
	m->raised = two;
}

/* The digits of `exponent`, and of p - 1 - exponent: a number raised to that is
 * one over the number raised to `exponent`. */
static void make_digits(struct rsa_warm *w, unsigned which,
    const struct rsa_modulus *prime, struct slice exponent, uint8_t *at)
{
	uint64_t x[RSA_PRIME_LIMBS_MAX];

	rsa_limb_read(x, w->prime_limbs, exponent);
	rsa_limb_digits(at, w->digit_count, x, w->prime_limbs);
	w->digits[which] = at;
	at += w->digit_count;
	rsa_limb_between(x, prime->n, x, w->prime_limbs);
	rsa_limb_digits(at, w->digit_count, x, w->prime_limbs);
	w->undo_digits[which] = at;
	explicit_bzero(x, sizeof(x));
}

/* Of a prime R^3 instead of R^2: it brings back what a reduction has taken from
 * a number before it is multiplied. */
static void make_prime(
    struct rsa_modulus *m, uint64_t **at, unsigned limbs, struct slice bytes)
{
	make_modulus(m, at, limbs, bytes);
	uint64_t *raised = *at - limbs;
	rsa_limb_multiply(raised, raised, raised, m->n, m->inverse, limbs);
}

/* 1/q * R mod p. */
static void make_q_inverse(
    struct rsa_warm *w, uint64_t *x, struct slice inverse)
{
	static const uint64_t unit[RSA_PRIME_LIMBS_MAX] = {1};
	const struct rsa_modulus *p = &w->p;

	rsa_limb_read(x, w->prime_limbs, inverse);
	rsa_limb_multiply(x, x, p->raised, p->n, p->inverse, w->prime_limbs);
	rsa_limb_multiply(x, x, unit, p->n, p->inverse, w->prime_limbs);
	w->q_inverse = x;
}

bool rsa_warm_make(struct rsa_key *key)
{
	const struct rsa_size *size = rsa_warm_size(key);
	const struct rsa_der *der = &key->der;

	if (key->warm != NULL)
		return true;
	if (size == NULL)
		return false;
	unsigned limbs = size->blocks * size->wide->block;
	unsigned digits = (key->bits / 2 + RSA_WINDOW - 1) / RSA_WINDOW;
	/* three numbers for p, q and (twice as long) n, and 1/q */
	size_t numbers = 3 * 4 * (size_t)limbs + limbs;
	size_t len = sizeof(struct rsa_warm) + 8 * numbers + 4 * (size_t)digits;
	struct rsa_warm *w = rsa_vault_take(&key->rsa->vault, len);
	if (w == NULL)
		return false;
	uint64_t *at = w->numbers;
	w->len = len;
	w->pair_len = sizeof(struct rsa_pair) + 8 * 4 * (size_t)limbs;
	w->prime_limbs = limbs;
	w->digit_count = digits;
	make_prime(&w->p, &at, limbs, der->p);
	make_prime(&w->q, &at, limbs, der->q);
	make_modulus(&w->n, &at, 2 * limbs, der->n);
	make_q_inverse(w, cut(&at, limbs), der->qinv);
	make_digits(w, 0, &w->p, der->dp, (uint8_t *)at);
	make_digits(w, 1, &w->q, der->dq, (uint8_t *)at + 2 * digits);
	key->warm = w;
	rsa_wipe_stack();
	return true;
}

bool rsa_warm_pair(struct rsa_key *key, unsigned i)
{
	struct rsa_warm *w = key->warm;

	if (w->pairs[i] != NULL)
		return true;
	struct rsa_pair *pair = rsa_vault_take(&key->rsa->vault, w->pair_len);
	if (pair == NULL)
		return false;
	pair->mask = pair->numbers;
	pair->unmask = pair->numbers + 2 * w->prime_limbs;
	w->pairs[i] = pair;
	return true;
}

void rsa_warm_drop(struct rsa_key *key)
{
	struct rsa_warm *w = key->warm;

	if (w == NULL)
		return;
	for (unsigned i = 0; i < RSA_BATCH_MAX; i++)
		if (w->pairs[i] != NULL)
			rsa_vault_give(
			    &key->rsa->vault, w->pairs[i], w->pair_len);
	rsa_vault_give(&key->rsa->vault, w, w->len);
	key->warm = NULL;
}

__attribute__((noinline)) void rsa_wipe_stack(void)
{
	/* More than any of our functions has; the kernels' own are less. */
	uint8_t below[16 << 10];

	explicit_bzero(below, sizeof(below));
}
