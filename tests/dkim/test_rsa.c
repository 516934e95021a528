/* test_rsa.c -- keys, and signatures that another implementation opens. */
#include "dkim/rsa.h"

#include <wolfssl/options.h>

#include <criterion/criterion.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include "core/base/rng.h"
#include "tests/dkim/rsa_keys.h"

static struct rsa *r;
static struct rng rng = {.state = 7};

static void open_rsa(void)
{
	const char *why;

	r = rsa_open(&why);
	cr_assert_not_null(r, "%s", why);
	cr_assert(strlen(why) > 0);
}

static void close_rsa(void)
{
	rsa_close(r);
}

TestSuite(rsa, .init = open_rsa, .fini = close_rsa);

static struct rsa_key *open_key(
    const char *p, const char *q, unsigned e, int form)
{
	uint8_t der[KEY_DER_MAX];
	const char *why = "";
	struct rsa_key *key =
	    rsa_key_open(r, der, key_of(p, q, e, form, der), &why);

	cr_assert_not_null(key, "%s", why);
	return key;
}

/* Opens a signature with nothing but the published key. */
static void assert_verifies(struct rsa_key *key, const struct rsa_job *job)
{
	static const uint8_t head[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
	    0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
	    0x20};
	uint8_t spki[RSA_PUBLIC_MAX], opened[RSA_SIGNATURE_MAX];
	word32 at = 0;
	RsaKey public;
	size_t len = rsa_key_public(key, spki, sizeof(spki));

	cr_assert_gt(len, 0);
	cr_assert_eq(wc_InitRsaKey(&public, NULL), 0);
	cr_assert_eq(wc_RsaPublicKeyDecode(spki, &at, &public, (word32)len), 0);
	cr_assert_eq(at, len);
	cr_assert_eq(
	    wc_RsaEncryptSize(&public), (int)rsa_key_signature_len(key));
	cr_assert_eq(
	    wc_RsaSSL_Verify(job->signature, (word32)rsa_key_signature_len(key),
		opened, sizeof(opened), &public),
	    51);
	cr_assert_arr_eq(opened, head, sizeof(head));
	cr_assert_arr_eq(opened + sizeof(head), job->digest, 32);
	wc_FreeRsaKey(&public);
}

static void sign_one(struct rsa_key *key)
{
	struct rsa_job job = {.key = key}, *jobs[] = {&job};

	for (size_t i = 0; i < sizeof(job.digest); i++)
		job.digest[i] = (uint8_t)rng_next(&rng);
	rsa_sign(r, jobs, 1);
	cr_assert(job.good);
	cr_assert_not(job.faulted);
	assert_verifies(key, &job);
}

static const struct {
	const char *const *p, *const *q;
	unsigned e;
	int form;
	unsigned bits;
} keys[] = {
    {&primes_512[0], &primes_512[1], 65537, KEY_PKCS1, 1024},
    {&primes_512[1], &primes_512[0], 65537, KEY_PKCS8, 1024},
    {&primes_512[3], &primes_512[4], 3, KEY_PKCS8, 1024},
    {&primes_1024[2], &primes_1024[3], 65537, KEY_PKCS1, 2048},
    {&primes_1024[0], &primes_1024[3], 3, KEY_PKCS8, 2048},
    {&primes_1536[2], &primes_1536[3], 65537, KEY_PKCS8, 3072},
    {&primes_2048[0], &primes_2048[1], 65537, KEY_PKCS1, 4096},
    /* primes of unequal length, bits that are no multiple of eight */
    {&primes_odd[0], &primes_odd[1], 65537, KEY_PKCS1, 1024},
    {&primes_1024[0], &primes_512[0], 65537, KEY_PKCS1, 1536},
    {&primes_odd[1], &primes_512[2], 65537, KEY_PKCS1, 1032},
    {&primes_1024[2], &primes_odd[2], 65537, KEY_PKCS1, 1524},
};

Test(rsa, signs_with_every_kind_of_key)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct rsa_key *key =
		    open_key(*keys[i].p, *keys[i].q, keys[i].e, keys[i].form);

		cr_assert_eq(rsa_key_bits(key), keys[i].bits, "key %zu: %u", i,
		    rsa_key_bits(key));
		cr_assert_eq(
		    rsa_key_signature_len(key), (keys[i].bits + 7) / 8);
		sign_one(key);
		rsa_key_close(key);
	}
}

Test(rsa, has_no_public_key_in_too_small_a_room)
{
	struct rsa_key *key =
	    open_key(primes_512[0], primes_512[2], 65537, KEY_PKCS1);
	uint8_t spki[RSA_PUBLIC_MAX];
	size_t len = rsa_key_public(key, spki, sizeof(spki));

	cr_assert_eq(len, 162);
	cr_assert_eq(rsa_key_public(key, spki, len - 1), 0);
	cr_assert_eq(rsa_key_public(key, spki, len), len);
	rsa_key_close(key);
}

static void assert_refused(const uint8_t *der, size_t len, const char *want)
{
	const char *why = NULL;

	cr_assert_null(rsa_key_open(r, der, len, &why));
	cr_assert_str_eq(why, want);
}

#define NO_KEY "not an RSA private key (PKCS #1 or PKCS #8)"

Test(rsa, refuses_what_is_no_key)
{
	uint8_t der[KEY_DER_MAX];
	size_t len;

	len = key_of(primes_odd[3], primes_odd[4], 65537, KEY_PKCS1, der);
	assert_refused(der, len, "the key is shorter than 1024 bits");
	for (int form = KEY_PKCS1; form <= KEY_PKCS8; form++) {
		len = key_of(primes_512[0], primes_512[2], 65537, form, der);
		for (size_t cut = 0; cut < len; cut++)
			assert_refused(der, cut, NO_KEY);
		der[len] = 0;
		assert_refused(der, len + 1, NO_KEY);
	}
	/* the second prime is not there, though the length says so */
	der[1] = 0x80;
	assert_refused(der, len, NO_KEY);
}

/* Whatever bit is wrong in a key: it is refused, or it signs correctly (p-1
 * and q-1 have a common factor, so that another d may do). */
Test(rsa, refuses_a_key_with_a_wrong_number)
{
	uint8_t der[KEY_DER_MAX];
	size_t len =
	    key_of(primes_512[3], primes_512[4], 65537, KEY_PKCS1, der);
	unsigned refused = 0, tried = 0;

	for (size_t at = 0; at < len; at += 7, tried++) {
		const char *why = NULL;

		der[at] ^= 0x10;
		struct rsa_key *key = rsa_key_open(r, der, len, &why);
		der[at] ^= 0x10;
		if (key == NULL) {
			refused++;
			continue;
		}
		sign_one(key);
		rsa_key_close(key);
	}
	cr_assert_gt(refused, tried / 2);
}

/* Opened and closed often: what a key had is used again, and nothing of it is
 * found there. */
Test(rsa, wipes_a_closed_key)
{
	struct rsa_key *first =
	    open_key(primes_512[0], primes_512[2], 65537, KEY_PKCS1);
	const uint8_t *bytes = (const uint8_t *)first;

	rsa_key_close(first);
	for (size_t i = sizeof(void *); i < 600; i++)
		cr_assert_eq(bytes[i], 0, "byte %zu", i);
	for (int i = 0; i < 20; i++) {
		struct rsa_key *key =
		    open_key(primes_512[0], primes_512[2], 65537, KEY_PKCS1);

		cr_assert_eq(key, first);
		rsa_key_close(key);
	}
}
