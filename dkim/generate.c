/* generate.c -- new private keys, by wolfCrypt's generator of randomness. */
#include "dkim/generate.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/rsa.h>

#include "core/base/base64.h"
#include "dkim/rsa.h"

#define PEM_LINE 64

/* RFC 7468, 2 */
static const char *put_pem(struct buf *pem, const char *label, struct slice der)
{
	uint8_t room[BASE64_LEN(DKIM_PEM_MAX)];
	struct buf text = buf_over(room, sizeof(room));

	base64_encode(der, &text);
	struct slice rest = buf_slice(&text);

	buf_printf(pem, "-----BEGIN %s-----\n", label);
	while (rest.len > 0) {
		buf_put(pem, slice_cut(&rest,
				 rest.len < PEM_LINE ? rest.len : PEM_LINE));
		buf_put_byte(pem, '\n');
	}
	buf_printf(pem, "-----END %s-----\n", label);
	explicit_bzero(room, sizeof(room));
	return pem->overflowed || text.overflowed ? "no room for the key"
						  : NULL;
}

static const char *generate_rsa(WC_RNG *rng, unsigned bits, struct buf *pem)
{
	uint8_t der[DKIM_PEM_MAX];
	const char *why = "wolfSSL cannot make such a key";
	RsaKey key;

	if (wc_InitRsaKey(&key, NULL) != 0)
		return "no memory";
	if (wc_MakeRsaKey(&key, (int)bits, WC_RSA_EXPONENT, rng) == 0) {
		int len = wc_RsaKeyToDer(&key, der, sizeof(der));

		if (len > 0)
			why = put_pem(
			    pem, "RSA PRIVATE KEY", slice_of(der, (size_t)len));
		explicit_bzero(der, sizeof(der));
	}
	wc_FreeRsaKey(&key);
	return why;
}

/* RFC 8410, 7: PKCS #8 around 32 random bytes. */
static const char *generate_ed25519(WC_RNG *rng, struct buf *pem)
{
	uint8_t der[48] = {0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70,
	    4, 0x22, 4, 0x20};
	const char *why = "no source of randomness";

	if (wc_RNG_GenerateBlock(rng, der + 16, 32) == 0)
		why = put_pem(pem, "PRIVATE KEY", slice_of(der, sizeof(der)));
	explicit_bzero(der, sizeof(der));
	return why;
}

const char *dkim_generate(
    enum dkim_algorithm algorithm, unsigned bits, struct buf *pem)
{
	const char *why = NULL;
	WC_RNG rng;

	if (wc_InitRng(&rng) != 0)
		return "no source of randomness";
	switch (algorithm) {
	case DKIM_RSA_SHA256: why = generate_rsa(&rng, bits, pem); break;
	case DKIM_ED25519_SHA256: why = generate_ed25519(&rng, pem); break;
	}
	wc_FreeRng(&rng);
	return why;
}
