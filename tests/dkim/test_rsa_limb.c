/* test_rsa_limb.c -- the arithmetic of a key's constants, against wolfSSL's. */
#include "dkim/rsa_limb.h"

#include <criterion/criterion.h>

#include "core/base/rng.h"
#include "tests/dkim/rsa_limbs.h"

static const struct {
	unsigned limbs, bits;
} sizes[] = {{10, 512}, {20, 1024}, {30, 1536}, {40, 2048}, {60, 3072}};

Test(rsa_limb, reads_and_writes_bytes)
{
	uint8_t bytes[256], back[256];
	uint64_t x[40];

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)rng_next(&rng);
		rsa_limb_read(x, 40, slice_of(bytes, len));
		for (size_t i = 0; i < 40; i++)
			cr_assert_eq(x[i] & ~LIMB_MASK, 0);
		memset(back, 0xaa, sizeof(back));
		rsa_limb_write(x, 40, back, sizeof(back));
		cr_assert_arr_eq(back + sizeof(back) - len, bytes, len);
		for (size_t i = 0; i < sizeof(back) - len; i++)
			cr_assert_eq(back[i], 0);
	}
}

Test(rsa_limb, cuts_digits)
{
	/* 0x8421 in windows of five bits, from the end */
	uint64_t x[10] = {0x8421, 0x1, [9] = 1};
	uint8_t digits[103];

	rsa_limb_digits(digits, 103, x, 10);
	for (unsigned i = 0; i < 103; i++) {
		unsigned want = i < 4 ? 1 : 0;

		if (i == 52 / 5)
			want = 1 << 52 % 5;
		if (i == 9 * 52 / 5)
			want = 1 << 9 * 52 % 5;
		cr_assert_eq(digits[i], want, "digit %u: %u", i, digits[i]);
	}
}

Test(rsa_limb, multiplies_like_wolfssl)
{
	for (size_t s = 0; s < COUNT(sizes); s++)
		for (unsigned n = 0; n < 60; n++) {
			unsigned limbs = sizes[s].limbs, bits = sizes[s].bits;
			uint64_t a[80], b[80], m[80], one[80], two[80], out[80];
			mp_int ma, mb, mm, r, want;

			pick_modulus(m, limbs, bits);
			pick(a, limbs, bits);
			pick(b, limbs, bits);
			uint64_t inverse = rsa_limb_inverse(m[0]);
			cr_assert_eq((m[0] * inverse + 1) & LIMB_MASK, 0);
			rsa_limb_raise(one, two, m, inverse, limbs, bits);
			rsa_limb_multiply(out, a, b, m, inverse, limbs);

			to_mp(&mm, m, limbs, bits);
			to_mp(&ma, a, limbs, bits);
			to_mp(&mb, b, limbs, bits);
			r_mod(&r, &mm, limbs);
			assert_mp(&r, one, limbs, &mm);
			cr_assert_eq(mp_init(&want), 0);
			cr_assert_eq(mp_mulmod(&r, &r, &mm, &want), 0);
			assert_mp(&want, two, limbs, &mm);
			/* a * b = out * R */
			assert_products(&ma, &mb, &r, out, limbs, &mm);
		}
}

Test(rsa_limb, takes_the_rest_of_a_number)
{
	uint64_t a[10] = {5, 0, 1}, b[10] = {6, 0, 0}, out[10];

	rsa_limb_between(out, a, b, 10);
	cr_assert_eq(out[0], LIMB_MASK - 1);
	cr_assert_eq(out[1], LIMB_MASK);
	for (unsigned i = 2; i < 10; i++)
		cr_assert_eq(out[i], 0);
}
