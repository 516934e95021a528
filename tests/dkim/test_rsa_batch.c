/* test_rsa_batch.c -- the engine's signatures are wolfSSL's, byte by byte, or
 * they are not given out.  Without AVX-512 IFMA wolfSSL makes them all. */
#include "dkim/rsa_batch.h"

#include <criterion/criterion.h>

#include "core/base/rng.h"
#include "dkim/rsa_warm.h"
#include "tests/dkim/rsa_keys.h"

static struct rsa *r;
static struct rng rng = {.state = 11};
static struct rsa_job job[RSA_BATCH_MAX], *jobs[RSA_BATCH_MAX];

static void open_rsa(void)
{
	const char *why;

	r = rsa_open(&why);
	cr_assert_not_null(r, "%s", why);
	for (unsigned i = 0; i < RSA_BATCH_MAX; i++)
		jobs[i] = &job[i];
}

static void close_rsa(void)
{
	rsa_close(r);
}

TestSuite(rsa_batch, .init = open_rsa, .fini = close_rsa);

static struct rsa_key *open_key(const char *p, const char *q, unsigned e)
{
	uint8_t der[KEY_DER_MAX];
	const char *why = "";
	struct rsa_key *key =
	    rsa_key_open(r, der, key_of(p, q, e, KEY_PKCS1, der), &why);

	cr_assert_not_null(key, "%s", why);
	return key;
}

static void new_job(unsigned i, struct rsa_key *key)
{
	job[i] = (struct rsa_job){.key = key};
	for (unsigned k = 0; k < sizeof(job[i].digest); k++)
		job[i].digest[k] = (uint8_t)rng_next(&rng);
	memset(job[i].signature, 0xaa, sizeof(job[i].signature));
}

/* What wolfSSL makes of job i; nothing behind its end was written. */
static void assert_same(unsigned i)
{
	uint8_t want[RSA_SIGNATURE_MAX];
	size_t len = rsa_key_signature_len(job[i].key);

	cr_assert(job[i].good);
	cr_assert(rsa_single_sign(job[i].key, job[i].digest, want));
	cr_assert_arr_eq(job[i].signature, want, len);
	for (size_t k = len; k < sizeof(job[i].signature); k++)
		cr_assert_eq(job[i].signature[k], 0xaa);
}

/* Any keys in batches of any length. */
static void sign_some(struct rsa_key *const *keys, size_t key_count,
    unsigned batches, unsigned checked)
{
	for (unsigned n = 0; n < batches; n++) {
		unsigned count = 1 + (unsigned)rng_below(&rng, RSA_BATCH_MAX);

		for (unsigned i = 0; i < count; i++)
			new_job(i, keys[rng_below(&rng, key_count)]);
		rsa_sign(r, jobs, count);
		for (unsigned i = 0; i < count; i++) {
			cr_assert(job[i].good);
			cr_assert_not(job[i].faulted);
			if (rng_below(&rng, checked) == 0)
				assert_same(i);
		}
	}
}

static void sign_with_primes(
    const char *const *primes, size_t count, unsigned batches, unsigned checked)
{
	struct rsa_key *keys[64];
	size_t key_count = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (i != j)
				keys[key_count++] =
				    open_key(primes[i], primes[j], 65537);
	cr_assert_leq(key_count, COUNT(keys));
	sign_some(keys, key_count, batches, checked);
	while (key_count > 0)
		rsa_key_close(keys[--key_count]);
}

/* Every signature of the engine is checked by itself; against wolfSSL as many
 * as there is time for. */
Test(rsa_batch, signs_like_wolfssl_with_1024_bits)
{
	sign_with_primes(primes_512, COUNT(primes_512), 500, 1);
}

Test(rsa_batch, signs_like_wolfssl_with_2048_bits)
{
	sign_with_primes(primes_1024, COUNT(primes_1024), 160, 2);
}

Test(rsa_batch, signs_like_wolfssl_with_3072_bits)
{
	sign_with_primes(primes_1536, COUNT(primes_1536), 24, 2);
}

Test(rsa_batch, signs_like_wolfssl_with_4096_bits)
{
	sign_with_primes(primes_2048, COUNT(primes_2048), 10, 2);
}

Test(rsa_batch, signs_with_keys_that_differ_in_all_ways)
{
	struct rsa_key *keys[] = {
	    open_key(primes_512[0], primes_512[1], 65537),
	    open_key(primes_512[1], primes_512[0], 65537),
	    open_key(primes_512[2], primes_512[3], 3),
	    open_key(primes_1024[0], primes_1024[1], 65537),
	    open_key(primes_1024[2], primes_1024[3], 65537),
	    open_key(primes_1024[2], primes_1024[3], 3),
	    open_key(primes_1536[2], primes_1536[3], 65537),
	    open_key(primes_2048[2], primes_2048[3], 65537),
	    open_key(primes_odd[0], primes_odd[1], 65537),
	    open_key(primes_1024[0], primes_512[0], 65537),
	};

	sign_some(keys, COUNT(keys), 40, 2);
	for (size_t i = 0; i < COUNT(keys); i++)
		rsa_key_close(keys[i]);
}

/* The same key in every lane, until all its pairs were made anew twice. */
Test(rsa_batch, signs_for_ever_with_one_key)
{
	struct rsa_key *key = open_key(primes_512[4], primes_512[5], 65537);

	for (unsigned n = 0; n < 2 * RSA_PAIR_USES + 3; n++) {
		for (unsigned i = 0; i < RSA_BATCH_MAX; i++)
			new_job(i, key);
		rsa_sign(r, jobs, RSA_BATCH_MAX);
		for (unsigned i = 0; i < RSA_BATCH_MAX; i++)
			cr_assert(job[i].good && !job[i].faulted);
		assert_same(n % RSA_BATCH_MAX);
	}
	rsa_key_close(key);
}

Test(rsa_batch, leaves_to_wolfssl_what_the_kernels_are_not_made_for)
{
	static const struct {
		const char *const *p, *const *q;
		unsigned e;
		bool taken;
	} cases[] = {
	    {&primes_1024[0], &primes_1024[1], 65537, true},
	    {&primes_1024[0], &primes_1024[1], 3, false},
	    {&primes_odd[0], &primes_odd[1], 65537, false},
	    {&primes_1024[0], &primes_512[0], 65537, false},
	};

	if (rsa_engine(r) != RSA_IFMA)
		cr_skip_test("no AVX-512 IFMA");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rsa_key *key =
		    open_key(*cases[i].p, *cases[i].q, cases[i].e);

		cr_assert_null(key->warm, "not before it is needed");
		new_job(0, key);
		rsa_sign(r, jobs, 1);
		assert_same(0);
		cr_assert_eq(key->warm != NULL, cases[i].taken, "case %zu", i);
		rsa_key_close(key);
	}
}

/* An engine that is not there, or that failed its check. */
Test(rsa_batch, signs_without_the_engine)
{
	struct rsa_key *key = open_key(primes_1024[2], primes_1024[3], 65537);

	r->engine = RSA_WOLFSSL;
	for (unsigned i = 0; i < 3; i++)
		new_job(i, key);
	rsa_sign(r, jobs, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_same(i);
	cr_assert_null(key->warm);
	rsa_key_close(key);
}

/* Something of a key's constants that a fault hits. */
enum damage {
	P,
	Q,
	N,
	P_RAISED,
	P_ONE,
	N_RAISED,
	P_INVERSE,
	Q_INVERSE,
	DIGIT_P,
	DIGIT_Q,
	MASK,
	UNMASK,
	DAMAGES
};

static void flip(const void *bytes, size_t len)
{
	uint8_t *at = (uint8_t *)(uintptr_t)bytes;
	size_t k = rng_below(&rng, len / 8) * 8 + rng_below(&rng, 6);

	at[k] ^= (uint8_t)(1u << rng_below(&rng, 8));
}

static void damage(struct rsa_warm *w, enum damage what)
{
	size_t len = 8 * (size_t)w->prime_limbs;
	uint8_t *digit = (uint8_t *)(uintptr_t)w->digits[what == DIGIT_Q] + 7;

	switch (what) {
	case P: flip(w->p.n, len); break;
	case Q: flip(w->q.n, len); break;
	case N: flip(w->n.n, 2 * len); break;
	case P_RAISED: flip(w->p.raised, len); break;
	case P_ONE: flip(w->p.one, len); break;
	case N_RAISED: flip(w->n.raised, 2 * len); break;
	case P_INVERSE: flip(&w->p.inverse, 8); break;
	case Q_INVERSE: flip(w->q_inverse, len); break;
	case DIGIT_P:
	case DIGIT_Q: *digit ^= 4; break;
	case MASK: flip(w->pairs[0]->mask, 2 * len); break;
	case UNMASK: flip(w->pairs[0]->unmask, 2 * len); break;
	case DAMAGES: break;
	}
}

/* Whatever is damaged: that lane's signature is wolfSSL's, and the key has
 * sound constants the next time; the other lanes do not notice. */
static void fault(struct rsa_key *key, struct rsa_key *other, enum damage what)
{
	unsigned hit = (unsigned)rng_below(&rng, RSA_BATCH_MAX);
	uint8_t digits = 0;

	for (unsigned again = 0; again < 3; again++) {
		for (unsigned i = 0; i < RSA_BATCH_MAX; i++)
			new_job(i, i == hit ? key : other);
		if (again == 1) {
			digits = key->warm->digits[what == DIGIT_Q][7];
			damage(key->warm, what);
		}
		rsa_sign(r, jobs, RSA_BATCH_MAX);
		for (unsigned i = 0; i < RSA_BATCH_MAX; i++) {
			bool caught = again == 1 && i == hit;

			cr_assert(job[i].good);
			/* 0 * R is as good as 1 * R where no digit is 0 */
			if (what != P_ONE)
				cr_assert_eq(job[i].faulted, caught,
				    "damage %d, lane %u (%u)", what, i, hit);
		}
		assert_same(hit);
		assert_same((hit + 1) % RSA_BATCH_MAX);
		if (key->warm != NULL && again == 2)
			cr_assert_eq(
			    key->warm->digits[what == DIGIT_Q][7], digits);
	}
}

Test(rsa_batch, gives_no_wrong_signature_out)
{
	static const char *const *primes[] = {primes_512 + 2, primes_1024 + 2};

	if (rsa_engine(r) != RSA_IFMA)
		cr_skip_test("no AVX-512 IFMA");
	for (size_t i = 0; i < COUNT(primes); i++) {
		struct rsa_key *key =
		    open_key(primes[i][0], primes[i][1], 65537);
		struct rsa_key *other =
		    open_key(primes[i][0], primes[i][3], 65537);

		for (int n = 0; n < 3; n++)
			for (int what = P; what < DAMAGES; what++)
				fault(key, other, what);
		rsa_key_close(key);
		rsa_key_close(other);
	}
}

/* Nothing of a signature stays in the room where it was made. */
Test(rsa_batch, leaves_an_empty_room)
{
	if (rsa_engine(r) != RSA_IFMA)
		cr_skip_test("no AVX-512 IFMA");
	struct rsa_key *key = open_key(primes_2048[2], primes_2048[3], 65537);
	const uint8_t *room = (const uint8_t *)r->batch;
	const struct rsa_size *size = rsa_warm_size(key);
	size_t len = size->wide->work_len(size->blocks) + 8192;

	for (unsigned i = 0; i < RSA_BATCH_MAX; i++)
		new_job(i, key);
	rsa_sign(r, jobs, RSA_BATCH_MAX);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(room[i], 0, "byte %zu", i);
	rsa_key_close(key);
}

/* What 10 000 domains take, and that all of it is given back. */
Test(rsa_batch, takes_little_memory)
{
	struct rsa_key *key = open_key(primes_1024[2], primes_1024[3], 65537);
	size_t cold = r->vault.used, warm;

	cr_assert_leq(key->len, 1536);
	new_job(0, key);
	rsa_sign(r, jobs, 1);
	warm = r->vault.used;
	cr_assert_leq(warm - cold, 4096);
	for (int i = 0; i < 5; i++) {
		rsa_key_close(key);
		key = open_key(primes_1024[2], primes_1024[3], 65537);
		new_job(0, key);
		rsa_sign(r, jobs, 1);
	}
	cr_assert_eq(r->vault.used, warm);
	rsa_key_close(key);
}
