/* rsa_single.c -- one signature, or a key's check, by wolfSSL.
 *
 * wolfSSL's form of a key is about ten times as large as its DER, and making
 * it takes less than a hundredth of a signature's time; so it exists only while
 * wolfSSL works, in the vault. */
#include "dkim/rsa_private.h"

#include <string.h>

void rsa_digest_info(const uint8_t *digest, uint8_t *info)
{
	static const uint8_t head[RSA_INFO_LEN - 32] = {0x30, 0x31, 0x30, 0x0d,
	    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
	    0x05, 0x00, 0x04, 0x20};

	memcpy(info, head, sizeof(head));
	memcpy(info + sizeof(head), digest, 32);
}

/* To be followed by wc_FreeRsaKey, which wipes. */
static bool load(struct rsa_key *key)
{
	struct rsa *r = key->rsa;
	word32 at = 0;

	if (wc_InitRsaKey(&r->single, NULL) != 0)
		return false;
	if (wc_RsaPrivateKeyDecode(key->der.whole.at, &at, &r->single,
		(word32)key->der.whole.len) != 0 ||
	    wc_RsaSetRNG(&r->single, &r->rng) != 0) {
		wc_FreeRsaKey(&r->single);
		return false;
	}
	return true;
}

/* The signature opened with the public exponent must be the DigestInfo.  The
 * padding before it is as long as RFC 8017, 9.2 wants it because wolfSSL has
 * checked its form and the rest has the right length. */
static bool verify(struct rsa_key *key, const uint8_t *info, uint8_t *signature)
{
	uint8_t opened[RSA_SIGNATURE_MAX];
	int len =
	    wc_RsaSSL_Verify(signature, (word32)rsa_key_signature_len(key),
		opened, sizeof(opened), &key->rsa->single);

	return len == RSA_INFO_LEN && memcmp(opened, info, RSA_INFO_LEN) == 0;
}

bool rsa_single_sign(
    struct rsa_key *key, const uint8_t *digest, uint8_t *signature)
{
	struct rsa *r = key->rsa;
	size_t len = rsa_key_signature_len(key);
	uint8_t info[RSA_INFO_LEN];
	bool good = false;

	rsa_digest_info(digest, info);
	if (load(key)) {
		good = wc_RsaSSL_Sign(info, sizeof(info), signature,
			   (word32)len, &r->single, &r->rng) == (int)len &&
		       verify(key, info, signature);
		wc_FreeRsaKey(&r->single);
	}
	/* A wrong signature would tell the factors of n. */
	if (!good)
		explicit_bzero(signature, len);
	return good;
}

size_t rsa_key_public(struct rsa_key *key, uint8_t *out, size_t room)
{
	int len = 0;

	if (load(key)) {
		len =
		    wc_RsaKeyToPublicDer(&key->rsa->single, out, (word32)room);
		wc_FreeRsaKey(&key->rsa->single);
	}
	return len > 0 ? (size_t)len : 0;
}
