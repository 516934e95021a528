/* rsa_limbs.h -- numbers in limbs for a test, extreme ones among them, and the
 * same in wolfSSL's form. */
#ifndef TESTS_DKIM_RSA_LIMBS_H
#define TESTS_DKIM_RSA_LIMBS_H

#include <wolfssl/options.h>

#include <criterion/criterion.h>
#include <wolfssl/wolfcrypt/integer.h>

#include "core/base/rng.h"
#include "dkim/rsa_limb.h"

static struct rng rng = {.state = 3};

/* Below 2^bits: zero, one, all ones, half of them, long runs, anything. */
static inline void pick(uint64_t *x, unsigned limbs, unsigned bits)
{
	uint8_t bytes[512] = {0};
	size_t len = bits / 8;
	unsigned kind = (unsigned)rng_below(&rng, 8);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)rng_next(&rng);
	switch (kind) {
	case 0: memset(bytes, 0xff, len); break;
	case 1: memset(bytes, 0, len); break;
	case 2:
		memset(bytes, 0, len);
		bytes[len - 1] = 1;
		break;
	case 3: memset(bytes, 0xff, len / 2); break;
	case 4: memset(bytes + len / 2, 0xff, len - len / 2); break;
	case 5: memset(bytes + 1, 0, len - 1); break;
	}
	rsa_limb_read(x, limbs, slice_of(bytes, len));
}

/* Odd, and of exactly so many bits. */
static inline void pick_modulus(uint64_t *x, unsigned limbs, unsigned bits)
{
	pick(x, limbs, bits);
	x[0] |= 1;
	x[(bits - 1) / LIMB_BITS] |= (uint64_t)1 << (bits - 1) % LIMB_BITS;
}

static inline void to_mp(
    mp_int *to, const uint64_t *x, unsigned limbs, unsigned bits)
{
	uint8_t bytes[520];

	rsa_limb_write(x, limbs, bytes, bits / 8);
	cr_assert_eq(mp_init(to), 0);
	cr_assert_eq(mp_read_unsigned_bin(to, bytes, (int)bits / 8), 0);
}

/* R mod m, R = 2^(52 limbs). */
static inline void r_mod(mp_int *r, mp_int *m, unsigned limbs)
{
	cr_assert_eq(mp_init(r), 0);
	cr_assert_eq(mp_2expt(r, (int)(LIMB_BITS * limbs)), 0);
	cr_assert_eq(mp_mod(r, m, r), 0);
}

/* The same modulo m, and below 2 m; limbs below 2^52. */
static inline void assert_mp(
    mp_int *want, const uint64_t *x, unsigned limbs, mp_int *m)
{
	mp_int got;

	for (unsigned i = 0; i < limbs; i++)
		cr_assert_eq(x[i] & ~LIMB_MASK, 0);
	to_mp(&got, x, limbs, (LIMB_BITS * limbs) / 8 * 8);
	if (mp_cmp(&got, m) != MP_LT)
		cr_assert_eq(mp_sub(&got, m, &got), 0);
	cr_assert_eq(mp_cmp(&got, m), MP_LT);
	cr_assert_eq(mp_cmp(&got, want), MP_EQ);
}

/* a * b = x * y modulo m. */
static inline void assert_products(mp_int *a, mp_int *b, mp_int *x,
    const uint64_t *y, unsigned limbs, mp_int *m)
{
	mp_int my, left, right;

	to_mp(&my, y, limbs, (LIMB_BITS * limbs) / 8 * 8);
	cr_assert_eq(mp_init(&left), 0);
	cr_assert_eq(mp_init(&right), 0);
	if (mp_cmp(&my, m) != MP_LT)
		cr_assert_eq(mp_sub(&my, m, &my), 0);
	cr_assert_eq(mp_cmp(&my, m), MP_LT);
	cr_assert_eq(mp_mod(a, m, &left), 0);
	cr_assert_eq(mp_mulmod(&left, b, m, &left), 0);
	cr_assert_eq(mp_mulmod(x, &my, m, &right), 0);
	cr_assert_eq(mp_cmp(&left, &right), MP_EQ);
}

#endif
