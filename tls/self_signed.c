/* self_signed.c -- see self_signed.h.
 *
 * The certificate is written from the inside out: each element's body is there
 * before its length is put before it (RFC 5280, 4.1). */
#include "tls/self_signed.h"

#include <stdio.h>
#include <time.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "tls/der.h"
#include "tls/pem.h"

#define DAY_S 86400u
#define VALID_S (3650u * DAY_S)
#define DER_MAX 1400
#define NAME_LEN_MAX 253
#define COMMON_NAME_MAX 64 /* RFC 5280, A.1: ub-common-name */
#define POINT_LEN 65

#define OID_COMMON_NAME SLICE("\x06\x03\x55\x04\x03")
#define OID_NAMES SLICE("\x06\x03\x55\x1d\x11")
#define OID_BASIC SLICE("\x06\x03\x55\x1d\x13")
/* AlgorithmIdentifiers, whole: ecdsa-with-SHA256; a key of P-256. */
#define SIGNED_WITH SLICE("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")
#define KEY_IS                                                                 \
	SLICE("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86"   \
	      "\x48\xce\x3d\x03\x01\x07")

/* Makes what was written since `from` the body of an element. */
static void wrap(struct buf *out, size_t from, uint8_t tag)
{
	size_t len = out->len - from;
	size_t head = len < 0x80 ? 2 : len < 0x100 ? 3 : 4;

	if (out->overflowed || buf_left(out) < head) {
		out->overflowed = true;
		return;
	}
	uint8_t *at = out->at + from;

	memmove(at + head, at, len);
	at[0] = tag;
	if (head == 2) {
		at[1] = (uint8_t)len;
	} else if (head == 3) {
		at[1] = 0x81;
		at[2] = (uint8_t)len;
	} else {
		at[1] = 0x82;
		at[2] = (uint8_t)(len >> 8);
		at[3] = (uint8_t)len;
	}
	out->len += head;
}

static void put(struct buf *out, uint8_t tag, struct slice body)
{
	size_t from = out->len;

	buf_put(out, body);
	wrap(out, from, tag);
}

/* A name that is too long for a CN is in the list of names all the same. */
static void put_name(struct buf *out, struct slice hostname)
{
	size_t from = out->len;

	if (hostname.len > COMMON_NAME_MAX)
		hostname = SLICE("localhost");
	buf_put(out, OID_COMMON_NAME);
	put(out, DER_UTF8_STRING, hostname);
	wrap(out, from, DER_SEQUENCE);
	wrap(out, from, DER_SET);
	wrap(out, from, DER_SEQUENCE);
}

static void put_time(struct buf *out, uint64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[32];

	if (gmtime_r(&t, &tm) == NULL) {
		out->overflowed = true;
		return;
	}
	/* RFC 5280, 4.1.2.5: two digits of the year until 2049. */
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	if (tm.tm_year < 150)
		put(out, DER_UTC_TIME, slice_of_str(text + 2));
	else
		put(out, DER_GENERALIZED_TIME, slice_of_str(text));
}

static void put_extensions(struct buf *out, struct slice hostname)
{
	size_t all = out->len;

	buf_put(out, OID_NAMES);
	size_t value = out->len;

	put(out, DER_CONTEXT(2), hostname);
	put(out, DER_CONTEXT(2), SLICE("localhost"));
	put(out, DER_CONTEXT(7), SLICE("\x7f\x00\x00\x01"));
	wrap(out, value, DER_SEQUENCE);
	wrap(out, value, DER_OCTET_STRING);
	wrap(out, all, DER_SEQUENCE);
	size_t basic = out->len;

	buf_put(out, OID_BASIC);
	put(out, DER_BOOLEAN, SLICE("\xff"));	       /* critical */
	put(out, DER_OCTET_STRING, SLICE("\x30\x00")); /* no authority */
	wrap(out, basic, DER_SEQUENCE);
	wrap(out, all, DER_SEQUENCE);
	wrap(out, all, DER_CONTEXT_HOLDS(3));
}

static void put_key(struct buf *out, struct slice point)
{
	size_t all = out->len;

	buf_put(out, KEY_IS);
	size_t bits = out->len;

	buf_put_byte(out, 0); /* no unused bits */
	buf_put(out, point);
	wrap(out, bits, DER_BIT_STRING);
	wrap(out, all, DER_SEQUENCE);
}

static bool put_to_be_signed(struct buf *out, struct slice hostname,
    uint64_t now_s, struct slice point, WC_RNG *rng)
{
	uint8_t serial[16];

	if (wc_RNG_GenerateBlock(rng, serial, sizeof(serial)) != 0)
		return false;
	/* Positive, and no shorter than it looks. */
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	put(out, DER_INTEGER, SLICE("\x02")); /* version 3 */
	wrap(out, 0, DER_CONTEXT_HOLDS(0));
	put(out, DER_INTEGER, slice_of(serial, sizeof(serial)));
	buf_put(out, SIGNED_WITH);
	put_name(out, hostname);
	size_t validity = out->len;

	put_time(out, now_s - DAY_S);
	put_time(out, now_s + VALID_S);
	wrap(out, validity, DER_SEQUENCE);
	put_name(out, hostname);
	put_key(out, point);
	put_extensions(out, hostname);
	wrap(out, 0, DER_SEQUENCE);
	return !out->overflowed;
}

static bool put_signature(struct buf *out, ecc_key *key, WC_RNG *rng)
{
	uint8_t digest[WC_SHA256_DIGEST_SIZE];
	uint8_t signature[ECC_MAX_SIG_SIZE];
	word32 len = sizeof(signature);

	if (wc_Sha256Hash(out->at, (word32)out->len, digest) != 0 ||
	    wc_ecc_sign_hash(
		digest, sizeof(digest), signature, &len, rng, key) != 0)
		return false;
	buf_put(out, SIGNED_WITH);
	size_t bits = out->len;

	buf_put_byte(out, 0);
	buf_put(out, slice_of(signature, len));
	wrap(out, bits, DER_BIT_STRING);
	wrap(out, 0, DER_SEQUENCE);
	return !out->overflowed;
}

/* ECPrivateKey (RFC 5915). */
static bool put_private(struct buf *out, ecc_key *key, struct slice point)
{
	uint8_t secret[32];
	word32 len = sizeof(secret);
	bool good = wc_ecc_export_private_only(key, secret, &len) == 0 &&
		    len == sizeof(secret);
	size_t at;

	if (good) {
		put(out, DER_INTEGER, SLICE("\x01"));
		put(out, DER_OCTET_STRING, slice_of(secret, len));
		put(out, DER_CONTEXT_HOLDS(0),
		    SLICE("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"));
		at = out->len;
		buf_put_byte(out, 0);
		buf_put(out, point);
		wrap(out, at, DER_BIT_STRING);
		wrap(out, at, DER_CONTEXT_HOLDS(1));
		wrap(out, 0, DER_SEQUENCE);
	}
	explicit_bzero(secret, sizeof(secret));
	return good && !out->overflowed;
}

static bool make(struct slice hostname, uint64_t now_s, ecc_key *key,
    WC_RNG *rng, struct buf *crt_pem, struct buf *key_pem)
{
	uint8_t room[DER_MAX];
	uint8_t point[POINT_LEN];
	word32 point_len = sizeof(point);
	struct buf der = buf_over(room, sizeof(room));

	if (wc_ecc_make_key_ex(rng, 32, key, ECC_SECP256R1) != 0 ||
	    wc_ecc_export_x963(key, point, &point_len) != 0)
		return false;
	struct slice public = slice_of(point, point_len);

	if (!put_to_be_signed(&der, hostname, now_s, public, rng) ||
	    !put_signature(&der, key, rng))
		return false;
	pem_put(crt_pem, "CERTIFICATE", buf_slice(&der));
	buf_clear(&der);
	bool good = put_private(&der, key, public);

	if (good)
		pem_put(key_pem, "EC PRIVATE KEY", buf_slice(&der));
	explicit_bzero(room, sizeof(room));
	return good && !crt_pem->overflowed && !key_pem->overflowed;
}

bool self_signed_make(struct slice hostname, uint64_t now_s,
    struct buf *crt_pem, struct buf *key_pem)
{
	ecc_key key;
	WC_RNG rng;
	bool made = false;

	if (hostname.len == 0 || hostname.len > NAME_LEN_MAX ||
	    wc_InitRng(&rng) != 0)
		return false;
	if (wc_ecc_init(&key) == 0) {
		/* Blinds the private operation. */
		(void)wc_ecc_set_rng(&key, &rng);
		made = make(hostname, now_s, &key, &rng, crt_pem, key_pem);
		wc_ecc_free(&key);
	}
	wc_FreeRng(&rng);
	return made;
}
