/* rsa_limb.c -- numbers in limbs of 52 bits, one at a time.
 *
 * Intermediate values are on the stack: the caller wipes it (rsa_wipe_stack).
 */
#include "dkim/rsa_limb.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide;

void rsa_limb_read(uint64_t *x, unsigned count, struct slice bytes)
{
	check(bytes.len * 8 <= (size_t)count * LIMB_BITS);
	memset(x, 0, count * sizeof(*x));
	for (size_t i = 0; i < bytes.len; i++) {
		size_t bit = 8 * i, k = bit / LIMB_BITS, s = bit % LIMB_BITS;
		uint64_t byte = bytes.at[bytes.len - 1 - i];

		x[k] |= byte << s & LIMB_MASK;
		if (s > LIMB_BITS - 8)
			x[k + 1] |= byte >> (LIMB_BITS - s);
	}
}

/* Up to eight bits of x from `bit` on. */
static uint64_t bits_at(const uint64_t *x, unsigned count, size_t bit)
{
	size_t k = bit / LIMB_BITS, s = bit % LIMB_BITS;
	uint64_t bits = x[k] >> s;

	if (s > LIMB_BITS - 8 && k + 1 < count)
		bits |= x[k + 1] << (LIMB_BITS - s);
	return bits;
}

void rsa_limb_write(const uint64_t *x, unsigned count, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[len - 1 - i] = (uint8_t)bits_at(x, count, 8 * i);
}

void rsa_limb_digits(
    uint8_t *digits, unsigned digit_count, const uint64_t *x, unsigned count)
{
	for (size_t i = 0; i < digit_count; i++)
		digits[i] =
		    bits_at(x, count, i * RSA_WINDOW) & ((1 << RSA_WINDOW) - 1);
}

uint64_t rsa_limb_inverse(uint64_t n0)
{
	uint64_t v = 1;

	/* Newton: right in 1, 2, 4, ... 64 bits. */
	for (int i = 0; i < 6; i++)
		v *= 2 - n0 * v;
	return (0 - v) & LIMB_MASK;
}

/* x -= n where x >= n, for x < 2 n. */
static void subtract_once(uint64_t *x, const uint64_t *n, unsigned count)
{
	uint64_t less[RSA_MODULUS_LIMBS_MAX], borrow = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t y = x[i] - n[i] - borrow;

		less[i] = y & LIMB_MASK;
		borrow = y >> 63;
	}
	for (unsigned i = 0; i < count; i++)
		x[i] = (x[i] & (0 - borrow)) | (less[i] & (borrow - 1));
}

/* x = 2 x mod n, for x < n. */
static void twice(uint64_t *x, const uint64_t *n, unsigned count)
{
	uint64_t carry = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t y = x[i] << 1 | carry;

		x[i] = y & LIMB_MASK;
		carry = y >> LIMB_BITS;
	}
	subtract_once(x, n, count);
}

void rsa_limb_multiply(uint64_t *out, const uint64_t *a, const uint64_t *b,
    const uint64_t *n, uint64_t inverse, unsigned count)
{
	/* A column takes up to 160 products of 104 bits. */
	wide t[2 * RSA_MODULUS_LIMBS_MAX] = {0};

	check(count <= RSA_MODULUS_LIMBS_MAX);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < count; j++)
			t[i + j] += (wide)a[i] * b[j];
	for (unsigned i = 0; i < count; i++) {
		uint64_t q = (uint64_t)t[i] * inverse & LIMB_MASK;

		for (unsigned j = 0; j < count; j++)
			t[i + j] += (wide)q * n[j];
		t[i + 1] += t[i] >> LIMB_BITS;
	}
	for (unsigned i = count; i < 2 * count; i++) {
		out[i - count] = (uint64_t)t[i] & LIMB_MASK;
		if (i + 1 < 2 * count)
			t[i + 1] += t[i] >> LIMB_BITS;
	}
}

/* R by doubling 2^(bits - 1).  Then from R * 2^k to R * 2^2k and so on to R *
 * R: each product by itself takes one R away. */
void rsa_limb_raise(uint64_t *one, uint64_t *two, const uint64_t *n,
    uint64_t inverse, unsigned count, unsigned bits)
{
	unsigned k = LIMB_BITS * count, squarings = 0;

	memset(one, 0, count * sizeof(*one));
	one[(bits - 1) / LIMB_BITS] = (uint64_t)1 << (bits - 1) % LIMB_BITS;
	for (unsigned i = bits - 1; i < LIMB_BITS * count; i++)
		twice(one, n, count);
	memcpy(two, one, count * sizeof(*two));
	for (; k % 2 == 0; k /= 2)
		squarings++;
	for (unsigned i = 0; i < k; i++)
		twice(two, n, count);
	for (unsigned i = 0; i < squarings; i++)
		rsa_limb_multiply(two, two, two, n, inverse, count);
}

void rsa_limb_between(
    uint64_t *out, const uint64_t *a, const uint64_t *b, unsigned count)
{
	uint64_t borrow = 1;

	for (unsigned i = 0; i < count; i++) {
		uint64_t y = a[i] - b[i] - borrow;

		out[i] = y & LIMB_MASK;
		borrow = y >> 63;
	}
}
