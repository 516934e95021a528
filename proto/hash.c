/* hash.c -- the few hashes that SASL is made of, over wolfCrypt.
 *
 * HMAC with SHA-256 is built here from the hash: Hi() does it 4096 times with
 * one key, and so starts each from two states that have eaten the key already;
 * half the work.  A state is a plain value in the builds that we use. */
#include "proto/hash.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/md5.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "core/base/check.h"

/* SHA-256 of a key and two pads: RFC 2104. */
struct keyed {
	wc_Sha256 inner, outer;
};

void hash_md5(
    const struct slice *parts, size_t count, uint8_t out[HASH_MD5_LEN])
{
	wc_Md5 md5;
	int bad = wc_InitMd5(&md5);

	for (size_t i = 0; i < count; i++)
		bad |= wc_Md5Update(&md5, parts[i].at, (word32)parts[i].len);
	bad |= wc_Md5Final(&md5, out);
	check(bad == 0); /* software cannot fail to add */
	explicit_bzero(&md5, sizeof(md5));
}

static void sha256_put(wc_Sha256 *sha, struct slice s)
{
	check(wc_Sha256Update(sha, s.at, (word32)s.len) == 0);
}

void hash_sha256(
    const struct slice *parts, size_t count, uint8_t out[HASH_SHA256_LEN])
{
	wc_Sha256 sha;

	check(wc_InitSha256(&sha) == 0);
	for (size_t i = 0; i < count; i++)
		sha256_put(&sha, parts[i]);
	check(wc_Sha256Final(&sha, out) == 0);
	explicit_bzero(&sha, sizeof(sha));
}

void hash_hmac_md5(struct slice key, const struct slice *parts, size_t count,
    uint8_t out[HASH_MD5_LEN])
{
	static const uint8_t none;
	Hmac hmac;
	int bad = wc_HmacInit(&hmac, NULL, INVALID_DEVID);

	bad |= wc_HmacSetKey(
	    &hmac, WC_MD5, key.len > 0 ? key.at : &none, (word32)key.len);
	for (size_t i = 0; i < count; i++)
		bad |= wc_HmacUpdate(&hmac, parts[i].at, (word32)parts[i].len);
	bad |= wc_HmacFinal(&hmac, out);
	check(bad == 0);
	wc_HmacFree(&hmac);
	explicit_bzero(&hmac, sizeof(hmac));
}

static void pad_put(
    wc_Sha256 *sha, const uint8_t key[WC_SHA256_BLOCK_SIZE], uint8_t with)
{
	uint8_t pad[WC_SHA256_BLOCK_SIZE];

	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] = key[i] ^ with;
	check(wc_InitSha256(sha) == 0);
	sha256_put(sha, slice_of(pad, sizeof(pad)));
	explicit_bzero(pad, sizeof(pad));
}

static void keyed_init(struct keyed *k, struct slice key)
{
	uint8_t block[WC_SHA256_BLOCK_SIZE] = {0};

	if (key.len > sizeof(block))
		hash_sha256(&key, 1, block);
	else if (key.len > 0)
		memcpy(block, key.at, key.len);
	pad_put(&k->inner, block, 0x36);
	pad_put(&k->outer, block, 0x5c);
	explicit_bzero(block, sizeof(block));
}

static void keyed_hash(const struct keyed *k, const struct slice *parts,
    size_t count, uint8_t out[HASH_SHA256_LEN])
{
	struct keyed work = *k;

	for (size_t i = 0; i < count; i++)
		sha256_put(&work.inner, parts[i]);
	check(wc_Sha256Final(&work.inner, out) == 0);
	sha256_put(&work.outer, slice_of(out, HASH_SHA256_LEN));
	check(wc_Sha256Final(&work.outer, out) == 0);
}

void hash_hmac_sha256(struct slice key, const struct slice *parts, size_t count,
    uint8_t out[HASH_SHA256_LEN])
{
	struct keyed k;

	keyed_init(&k, key);
	keyed_hash(&k, parts, count, out);
	explicit_bzero(&k, sizeof(k));
}

void hash_hi(struct slice password, struct slice salt, uint32_t iterations,
    uint8_t out[HASH_SHA256_LEN])
{
	static const uint8_t one[4] = {0, 0, 0, 1};
	struct slice parts[] = {salt, slice_of(one, sizeof(one))};
	uint8_t u[HASH_SHA256_LEN];
	struct keyed k;

	keyed_init(&k, password);
	keyed_hash(&k, parts, COUNT(parts), u);
	memcpy(out, u, sizeof(u));
	parts[0] = slice_of(u, sizeof(u));
	for (uint32_t i = 1; i < iterations; i++) {
		keyed_hash(&k, parts, 1, u);
		for (size_t n = 0; n < sizeof(u); n++)
			out[n] ^= u[n];
	}
	explicit_bzero(&k, sizeof(k));
	explicit_bzero(u, sizeof(u));
}

bool hash_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	volatile uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ = (uint8_t)(differ | (a[i] ^ b[i]));
	return differ == 0;
}

bool hash_equal_text(struct slice a, struct slice b)
{
	uint8_t of_a[HASH_SHA256_LEN], of_b[HASH_SHA256_LEN];

	hash_sha256(&a, 1, of_a);
	hash_sha256(&b, 1, of_b);
	return hash_equal(of_a, of_b, sizeof(of_a)) && a.len == b.len;
}
