/* test_rsa_kernel.c -- each kernel's functions against wolfSSL's arithmetic,
 * with extreme moduli, bases and exponents.  Skipped where they cannot run. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "dkim/rsa_engine.h"
#include "tests/dkim/rsa_limbs.h"

#define LANES_MAX 8

static const struct rsa_size *sizes;
static void *area;

static void find_kernels(void)
{
	const char *why;
	size_t len = 0;

	sizes = rsa_engine_find(&why);
	if (sizes == NULL)
		cr_skip_test("%s", why);
	for (size_t i = 0; i < RSA_SIZES; i++)
		if (sizes[i].wide->work_len(sizes[i].blocks) > len)
			len = sizes[i].wide->work_len(sizes[i].blocks);
	/* exactly as long as it says: ASan sees what is beyond */
	cr_assert_eq(posix_memalign(&area, 64, len), 0);
}

static void free_area(void)
{
	free(area);
}

TestSuite(rsa_kernel, .init = find_kernels, .fini = free_area);

/* The two kernels of a size. */
#define EACH_KERNEL(size, kernel)                                              \
	for (const struct rsa_size *size = sizes; size < sizes + RSA_SIZES;    \
	     size++)                                                           \
		for (const struct rsa_kernel *kernel = size->narrow;           \
		     kernel != NULL;                                           \
		     kernel = kernel == size->narrow ? size->wide : NULL)

struct number {
	uint64_t n[RSA_MODULUS_LIMBS_MAX], one[RSA_MODULUS_LIMBS_MAX];
	uint64_t raised[RSA_MODULUS_LIMBS_MAX];
};

/* R^2 in `raised`; with `cubed`, R^3. */
static struct rsa_modulus modulus_of(
    struct number *room, unsigned limbs, unsigned bits, bool cubed)
{
	struct rsa_modulus m = {room->n, room->one, room->raised, 0};

	m.inverse = rsa_limb_inverse(room->n[0]);
	rsa_limb_raise(
	    room->one, room->raised, room->n, m.inverse, limbs, bits);
	if (cubed)
		rsa_limb_multiply(room->raised, room->raised, room->raised,
		    room->n, m.inverse, limbs);
	return m;
}

static void assert_power(const struct rsa_power *lane, const uint64_t *exponent,
    unsigned limbs, unsigned bits)
{
	mp_int m, b, e, want;
	uint64_t below[RSA_PRIME_LIMBS_MAX];

	to_mp(&m, lane->prime.n, limbs, bits);
	to_mp(&b, lane->base, 2 * limbs, 2 * bits);
	to_mp(&e, exponent, limbs, bits);
	cr_assert_eq(mp_init(&want), 0);
	cr_assert_eq(mp_mod(&b, &m, &b), 0);
	if (mp_iszero(&e))
		cr_assert_eq(mp_set(&want, 1), 0);
	else
		cr_assert_eq(mp_exptmod(&b, &e, &m, &want), 0);
	assert_mp(&want, lane->result, limbs, &m);
	/* not only the same, but below the modulus */
	memcpy(below, lane->result, limbs * sizeof(*below));
	to_mp(&b, below, limbs, (LIMB_BITS * limbs) / 8 * 8);
	cr_assert_eq(mp_cmp(&b, &m), MP_LT);
}

static void power_once(const struct rsa_size *size,
    const struct rsa_kernel *kernel, unsigned limbs)
{
	static struct number primes[LANES_MAX];
	static uint64_t base[LANES_MAX][RSA_MODULUS_LIMBS_MAX];
	static uint64_t exponent[LANES_MAX][RSA_PRIME_LIMBS_MAX];
	static uint64_t result[LANES_MAX][RSA_PRIME_LIMBS_MAX];
	static uint8_t digits[LANES_MAX][RSA_DIGITS_MAX];
	struct rsa_power lanes[LANES_MAX];
	unsigned bits = size->bits / 2, count = (bits + 4) / RSA_WINDOW;

	for (unsigned l = 0; l < kernel->lanes; l++) {
		pick_modulus(primes[l].n, limbs, bits);
		pick(exponent[l], limbs, bits);
		pick(base[l], 2 * limbs, 2 * bits);
		/* n and n - 1 */
		if (rng_below(&rng, 6) == 0) {
			memset(base[l], 0, sizeof(base[l]));
			memcpy(base[l], primes[l].n, 8 * limbs);
			base[l][0] -= rng_below(&rng, 2);
		}
		rsa_limb_digits(digits[l], count, exponent[l], limbs);
		lanes[l] = (struct rsa_power){
		    .prime = modulus_of(&primes[l], limbs, bits, true),
		    .digits = digits[l],
		    .base = base[l],
		    .result = result[l],
		};
	}
	kernel->power(area, lanes, size->blocks, count);
	for (unsigned l = 0; l < kernel->lanes; l++)
		assert_power(&lanes[l], exponent[l], limbs, bits);
}

Test(rsa_kernel, raises_to_a_power)
{
	EACH_KERNEL(size, kernel)
	{
		unsigned rounds = 4 * (4096 / size->bits) * (4096 / size->bits);

		for (unsigned n = 0; n < (rounds < 60 ? rounds : 60); n++)
			power_once(size, kernel, size->blocks * kernel->block);
	}
}

static uint64_t rooms[6][LANES_MAX][RSA_MODULUS_LIMBS_MAX];
static struct number moduli[LANES_MAX];

/* Lanes with any odd modulus in place of n, and any numbers below it. */
static void fill(struct rsa_lane *lanes, const struct rsa_kernel *kernel,
    unsigned limbs, unsigned bits)
{
	for (unsigned l = 0; l < kernel->lanes; l++) {
		pick_modulus(moduli[l].n, limbs, bits);
		for (unsigned i = 0; i < COUNT(rooms); i++)
			pick(rooms[i][l], limbs, bits);
		lanes[l] = (struct rsa_lane){
		    .n = modulus_of(&moduli[l], limbs, bits, false),
		    .padded = rooms[0][l],
		    .mask = rooms[1][l],
		    .unmask = rooms[2][l],
		    .base = rooms[3][l],
		    .result = rooms[4][l],
		};
	}
}

/* base = padded * mask^2 / R^2; mask = mask^2 / R */
Test(rsa_kernel, masks)
{
	EACH_KERNEL(size, kernel)
	{
		unsigned limbs = 2 * size->blocks * kernel->block;
		struct rsa_lane lanes[LANES_MAX];

		for (unsigned n = 0; n < 40; n++) {
			mp_int m, r, old[LANES_MAX], padded, mask;

			fill(lanes, kernel, limbs, size->bits);
			for (unsigned l = 0; l < kernel->lanes; l++)
				to_mp(
				    &old[l], lanes[l].mask, limbs, size->bits);
			kernel->mask(area, lanes, size->blocks);
			for (unsigned l = 0; l < kernel->lanes; l++) {
				unsigned room = LIMB_BITS * limbs / 8 * 8;

				to_mp(&m, moduli[l].n, limbs, size->bits);
				to_mp(&padded, lanes[l].padded, limbs,
				    size->bits);
				to_mp(&mask, lanes[l].mask, limbs, room);
				r_mod(&r, &m, limbs);
				assert_products(&old[l], &old[l], &r,
				    lanes[l].mask, limbs, &m);
				assert_products(&padded, &mask, &r,
				    lanes[l].base, limbs, &m);
			}
		}
	}
}

/* result = result * unmask / R, and right when its power is `padded`. */
Test(rsa_kernel, unmasks_and_checks)
{
	EACH_KERNEL(size, kernel)
	{
		unsigned limbs = 2 * size->blocks * kernel->block;
		struct rsa_lane lanes[LANES_MAX];

		for (unsigned n = 0; n < 12; n++) {
			uint64_t before[LANES_MAX][RSA_MODULUS_LIMBS_MAX];
			unsigned wrong = (unsigned)rng_below(&rng, 256);
			mp_int m, r, s, e, power;

			wrong &= (1u << kernel->lanes) - 1;
			fill(lanes, kernel, limbs, size->bits);
			memcpy(before, rooms[4], sizeof(before));
			kernel->unmask(area, lanes, size->blocks);
			/* now that the results are known: what is right */
			for (unsigned l = 0; l < kernel->lanes; l++) {
				uint8_t bytes[512];

				to_mp(&m, moduli[l].n, limbs, size->bits);
				to_mp(&s, before[l], limbs, size->bits);
				to_mp(&e, lanes[l].unmask, limbs, size->bits);
				r_mod(&r, &m, limbs);
				assert_products(
				    &s, &e, &r, lanes[l].result, limbs, &m);
				to_mp(&s, lanes[l].result, limbs, size->bits);
				cr_assert_eq(mp_cmp(&s, &m), MP_LT);
				cr_assert_eq(mp_set_int(&e, 65537), 0);
				cr_assert_eq(mp_init(&power), 0);
				cr_assert_eq(mp_exptmod(&s, &e, &m, &power), 0);
				cr_assert_eq(mp_to_unsigned_bin_len(&power,
						 bytes, (int)size->bits / 8),
				    0);
				rsa_limb_read(rooms[0][l], limbs,
				    slice_of(bytes, size->bits / 8));
				if (wrong >> l & 1)
					rooms[0][l][rng_below(&rng, limbs)] ^=
					    1u << rng_below(&rng, 20);
			}
			memcpy(rooms[4], before, sizeof(before));
			cr_assert_eq(
			    kernel->unmask(area, lanes, size->blocks), wrong);
		}
	}
}

/* mask * R and unmask * R */
Test(rsa_kernel, enters)
{
	EACH_KERNEL(size, kernel)
	{
		unsigned limbs = 2 * size->blocks * kernel->block;
		struct rsa_lane lanes[LANES_MAX];
		mp_int m, r, one, old[LANES_MAX][2];

		fill(lanes, kernel, limbs, size->bits);
		cr_assert_eq(mp_init(&one), 0);
		cr_assert_eq(mp_set(&one, 1), 0);
		for (unsigned l = 0; l < kernel->lanes; l++)
			for (unsigned i = 0; i < 2; i++)
				to_mp(&old[l][i], rooms[1 + i][l], limbs,
				    size->bits);
		kernel->enter(area, lanes, size->blocks);
		for (unsigned l = 0; l < kernel->lanes; l++) {
			to_mp(&m, moduli[l].n, limbs, size->bits);
			r_mod(&r, &m, limbs);
			for (unsigned i = 0; i < 2; i++)
				assert_products(&old[l][i], &r, &one,
				    rooms[1 + i][l], limbs, &m);
		}
	}
}
