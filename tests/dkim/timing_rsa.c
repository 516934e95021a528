/* timing_rsa.c -- does the time of a private operation depend on its secrets?
 *
 * As dudect does it: two classes of input, one fixed and one random, in random
 * turn, prepared in the same memory; Welch's t-test over the cycles, once for
 * all measurements and once for the fastest ones.  A leak is a |t| over LIMIT
 * in each of ROUNDS rounds (a disturbed machine gives one now and then).  That
 * the test can see one is shown with an exponent that is shorter.
 *
 *   timing_rsa [MEASUREMENTS] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "core/base/rng.h"
#include "dkim/rsa_batch.h"
#include "dkim/rsa_limb.h"
#include "dkim/rsa_warm.h"
#include "tests/dkim/rsa_keys.h"

#define LIMIT 4.5
#define ROUNDS 3
#define CLASSES 2
#define LANES_MAX 8

/* Lanes with one prime; exponent and base are what a class differs in. */
struct subject {
	const struct rsa_size *size;
	const struct rsa_kernel *kernel;
	unsigned limbs, digit_count, digits_left_out;
	bool exponent_varies, base_varies;
	uint64_t n[40], one[40], raised[40];
	uint64_t base[LANES_MAX][80], result[LANES_MAX][40];
	uint8_t digits[LANES_MAX][RSA_DIGITS_MAX];
	struct rsa_power lanes[LANES_MAX];
};

static struct rng rng = {.state = 5};

static void prepare(struct subject *s, bool random)
{
	unsigned bits = s->size->bits / 2;

	for (unsigned l = 0; l < LANES_MAX; l++) {
		bool digits = random && s->exponent_varies;
		bool base = random && s->base_varies;

		for (unsigned i = 0; i < s->digit_count; i++) {
			unsigned digit = (unsigned)rng_below(&rng, 32);

			s->digits[l][i] = (uint8_t)(digits ? digit : 0);
		}
		for (unsigned i = 0; i < 2 * s->limbs; i++) {
			uint64_t limb = rng_next(&rng) & LIMB_MASK;

			if (i > 2 * bits / LIMB_BITS - 1)
				limb = 0;
			s->base[l][i] = base ? limb : i == 0;
		}
	}
}

static void set_up(struct subject *s, const struct rsa_size *size,
    const struct rsa_kernel *kernel, const char *prime)
{
	uint8_t bytes[256];
	size_t len = hex_bytes(prime, bytes);

	*s = (struct subject){.size = size, .kernel = kernel};
	s->limbs = size->blocks * kernel->block;
	s->digit_count = (size->bits / 2 + RSA_WINDOW - 1) / RSA_WINDOW;
	rsa_limb_read(s->n, s->limbs, slice_of(bytes, len));
	struct rsa_modulus m = {
	    s->n, s->one, s->raised, rsa_limb_inverse(s->n[0])};
	rsa_limb_raise(
	    s->one, s->raised, s->n, m.inverse, s->limbs, size->bits / 2);
	rsa_limb_multiply(
	    s->raised, s->raised, s->raised, s->n, m.inverse, s->limbs);
	for (unsigned l = 0; l < LANES_MAX; l++)
		s->lanes[l] = (struct rsa_power){
		    m, s->digits[l], s->base[l], s->result[l]};
}

static uint64_t measure(struct subject *s, void *area, bool random)
{
	unsigned unused, digits = s->digit_count;

	if (random)
		digits -= s->digits_left_out;
	_mm_lfence();
	uint64_t begin = __rdtscp(&unused);
	s->kernel->power(area, s->lanes, s->size->blocks, digits);
	return __rdtscp(&unused) - begin;
}

/* Welch's t of the measurements below `limit`. */
static double t_of(const uint64_t *cycles, const uint8_t *classes,
    unsigned count, uint64_t limit)
{
	double n[CLASSES] = {0}, mean[CLASSES] = {0}, m2[CLASSES] = {0};

	for (unsigned i = 0; i < count; i++) {
		unsigned c = classes[i];

		if (cycles[i] > limit)
			continue;
		double delta = (double)cycles[i] - mean[c];
		n[c]++;
		mean[c] += delta / n[c];
		m2[c] += delta * ((double)cycles[i] - mean[c]);
	}
	if (n[0] < 100 || n[1] < 100)
		return 0;
	return (mean[0] - mean[1]) / sqrt(m2[0] / (n[0] - 1) / n[0] +
					  m2[1] / (n[1] - 1) / n[1] + 1e-9);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The largest |t| over all measurements, and over the fastest of them. */
static double largest_t(struct subject *s, void *area, unsigned count)
{
	static const double parts[] = {1, 0.95, 0.75, 0.5};
	uint64_t *cycles = calloc(3 * count, sizeof(*cycles));
	uint64_t *sorted = cycles + count;
	uint8_t *classes = (uint8_t *)(sorted + count);
	double largest = 0;

	check(cycles != NULL);
	for (unsigned i = 0; i < count; i++) {
		classes[i] = rng_below(&rng, CLASSES) != 0;
		prepare(s, classes[i]);
		cycles[i] = measure(s, area, classes[i]);
	}
	memcpy(sorted, cycles, count * sizeof(*cycles));
	qsort(sorted, count, sizeof(*sorted), compare);
	for (size_t i = 0; i < COUNT(parts); i++) {
		unsigned last = (unsigned)((count - 1) * parts[i]);
		double t = fabs(t_of(cycles, classes, count, sorted[last]));

		if (t > largest)
			largest = t;
	}
	free(cycles);
	return largest;
}

static bool leaks(
    struct subject *s, void *area, unsigned count, const char *what)
{
	bool leak = true;

	printf("%4u bits, %u lanes, %-26s |t| =", s->size->bits,
	    s->kernel->lanes, what);
	for (unsigned round = 0; round < ROUNDS && leak; round++) {
		double t = largest_t(s, area, count);

		printf(" %.1f", t);
		fflush(stdout);
		leak = t > LIMIT;
	}
	puts(leak ? "  leaks" : "");
	return leak;
}

static bool judge(const struct rsa_size *size, const struct rsa_kernel *kernel,
    const char *prime, void *area, unsigned count)
{
	static struct subject s;
	bool good = true;

	count = count / (size->bits / 1024) / (size->bits / 1024);
	if (count < 1000)
		count = 1000;
	set_up(&s, size, kernel, prime);
	s.exponent_varies = true;
	good &= !leaks(&s, area, count, "exponent 0 or random");
	s.exponent_varies = false;
	s.base_varies = true;
	good &= !leaks(&s, area, count, "base 1 or random");
	s.base_varies = false;
	s.digits_left_out = s.digit_count / 16;
	good &= leaks(&s, area, count, "1/16 shorter (must leak)");
	return good;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 16000;
	const char *why, *primes[] = {primes_512[3], primes_1024[3],
			     primes_1536[3], primes_2048[3]};
	const struct rsa_size *sizes = rsa_engine_find(&why);
	bool good = true;

	if (sizes == NULL) {
		printf("nothing to measure: %s\n", why);
		return 0;
	}
	for (unsigned i = 0; i < RSA_SIZES; i++) {
		void *area = NULL;
		size_t len = sizes[i].wide->work_len(sizes[i].blocks);

		check(posix_memalign(&area, 64, len) == 0);
		good &= judge(&sizes[i], sizes[i].wide, primes[i], area, count);
		good &=
		    judge(&sizes[i], sizes[i].narrow, primes[i], area, count);
		free(area);
	}
	puts(good ? "no leak" : "NOT as it should be");
	return !good;
}
