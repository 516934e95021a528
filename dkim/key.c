/* key.c -- private keys: from PEM, to the TXT record.
 *
 * Text and DER pass through the vault only, which wipes them; a key stays
 * there.  RSA is rsa.h's, Ed25519 wolfCrypt's.  An Ed25519 key is 32 random
 * bytes, from which the public key is made anew: what the file says of it is
 * not asked. */
#include "dkim/key.h"

#include <wolfssl/wolfcrypt/asn_public.h>

#include "core/base/base64.h"
#include "dkim/rsa_der.h"

/* Addresses for Ed25519 keys and PEM that is being read. */
#define VAULT_BYTES ((size_t)256 << 20)
#define TEXT_MAX RSA_VAULT_PIECE_MAX

struct dkim *dkim_open(const char **why)
{
	struct rsa_vault vault;

	*why = "no memory for keys";
	if (rsa_vault_init(&vault, VAULT_BYTES) != 0)
		return NULL;
	struct dkim *d = rsa_vault_take(&vault, sizeof(*d));
	if (d == NULL)
		goto deinit;
	d->rsa = rsa_open(why);
	if (d->rsa == NULL)
		goto deinit;
	d->vault = vault;
	return d;
deinit:
	rsa_vault_deinit(&vault);
	return NULL;
}

void dkim_close(struct dkim *d)
{
	struct rsa_vault vault = d->vault;

	rsa_close(d->rsa);
	rsa_vault_deinit(&vault);
}

bool dkim_locked(const struct dkim *d)
{
	return d->vault.locked && rsa_locked(d->rsa);
}

static struct slice slice_between(
    struct slice text, struct slice begin, struct slice end)
{
	const uint8_t *at = memmem(text.at, text.len, begin.at, begin.len);

	if (at == NULL)
		return (struct slice){NULL, 0};
	slice_cut(&text, (size_t)(at - text.at) + begin.len);
	at = memmem(text.at, text.len, end.at, end.len);
	return at == NULL ? (struct slice){NULL, 0}
			  : slice_of(text.at, (size_t)(at - text.at));
}

/* The base64 inside of the PEM, line ends and all.  Empty: *why. */
static struct slice pem_inside(struct slice pem, const char **why)
{
	struct slice begin = SLICE("-----BEGIN ");
	struct slice inside;

	if (memmem(pem.at, pem.len, begin.at, begin.len) == NULL)
		return pem; /* base64 alone, as OpenDKIM allows */
	*why = "an encrypted key: nobody is there to type its password";
	inside = SLICE("ENCRYPTED");
	if (memmem(pem.at, pem.len, inside.at, inside.len) != NULL)
		return (struct slice){NULL, 0};
	*why = "no private key of RSA or Ed25519 in it";
	inside = slice_between(pem, SLICE("-----BEGIN RSA PRIVATE KEY-----"),
	    SLICE("-----END RSA PRIVATE KEY-----"));
	if (inside.len == 0)
		inside =
		    slice_between(pem, SLICE("-----BEGIN PRIVATE KEY-----"),
			SLICE("-----END PRIVATE KEY-----"));
	return inside;
}

static bool decode(struct slice text, struct buf *stripped, struct buf *der)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr(" \t\r\n", text.at[i]) == NULL)
			buf_put_byte(stripped, text.at[i]);
	return !stripped->overflowed &&
	       base64_decode(buf_slice(stripped), der) && der->len > 0;
}

/* RFC 8410, 3: 1.3.101.112, without parameters. */
static bool is_ed25519(struct slice der)
{
	static const uint8_t ed25519[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
	struct slice algorithm, inside;

	return rsa_der_unwrap(der, &algorithm, &inside) &&
	       slice_eq(algorithm, slice_of(ed25519, sizeof(ed25519)));
}

static const char *open_ed25519(struct dkim_key *key, struct slice der)
{
	static const uint8_t digest[DKIM_HASH_LEN] =
	    "a key's first signature is this";
	uint8_t seed[ED25519_KEY_SIZE], public[ED25519_PUB_KEY_SIZE];
	uint8_t signature[ED25519_SIGNATURE_LEN];
	word32 seed_len = sizeof(seed);
	word32 offset = 0;
	int err;

	err = wc_Ed25519PrivateKeyDecode(
	    der.at, &offset, &key->ed25519, (word32)der.len);
	if (err == 0)
		err = wc_ed25519_export_private_only(
		    &key->ed25519, seed, &seed_len);
	if (err == 0)
		err = wc_ed25519_make_public(
		    &key->ed25519, public, sizeof(public));
	if (err == 0)
		err = wc_ed25519_import_private_key(
		    seed, sizeof(seed), public, sizeof(public), &key->ed25519);
	explicit_bzero(seed, sizeof(seed));
	if (err != 0)
		return "not a private key of Ed25519";
	return dkim_key_sign_ed25519(key, digest, signature)
		   ? NULL
		   : "the key's signatures are wrong";
}

static const char *open_der(
    struct dkim_key *key, struct slice der, const char **warning)
{
	const char *why = NULL;

	if (is_ed25519(der)) {
		key->algorithm = DKIM_ED25519_SHA256;
		if (wc_ed25519_init(&key->ed25519) != 0)
			return "no memory for another key";
		why = open_ed25519(key, der);
		if (why != NULL)
			wc_ed25519_free(&key->ed25519);
		return why;
	}
	key->algorithm = DKIM_RSA_SHA256;
	key->rsa = rsa_key_open(key->dkim->rsa, der.at, der.len, &why);
	if (key->rsa == NULL)
		return why;
	/* RFC 8301, 3.2 */
	if (rsa_key_bits(key->rsa) < 2048)
		*warning = "the key is shorter than 2048 bits";
	return NULL;
}

static const char *open_text(
    struct dkim_key *key, struct slice text, const char **warning)
{
	struct rsa_vault *v = &key->dkim->vault;
	const char *why = "no memory for another key";
	uint8_t *room[2] = {
	    rsa_vault_take(v, TEXT_MAX), rsa_vault_take(v, TEXT_MAX)};

	if (room[0] != NULL && room[1] != NULL) {
		struct buf stripped = buf_over(room[0], TEXT_MAX);
		struct buf der = buf_over(room[1], TEXT_MAX);

		why = decode(text, &stripped, &der)
			  ? open_der(key, buf_slice(&der), warning)
			  : "its base64 cannot be read";
	}
	for (unsigned i = 0; i < 2; i++)
		if (room[i] != NULL)
			rsa_vault_give(v, room[i], TEXT_MAX);
	return why;
}

struct dkim_key *dkim_key_open(
    struct dkim *d, struct slice pem, const char **why, const char **warning)
{
	struct slice text = pem_inside(pem, why);

	*warning = NULL;
	if (text.len == 0) {
		if (pem.len == 0)
			*why = "the key is empty";
		return NULL;
	}
	struct dkim_key *key = rsa_vault_take(&d->vault, sizeof(*key));
	if (key == NULL) {
		*why = "no memory for another key";
		return NULL;
	}
	key->dkim = d;
	*why = open_text(key, text, warning);
	if (*why == NULL)
		return key;
	rsa_vault_give(&d->vault, key, sizeof(*key));
	return NULL;
}

void dkim_key_close(struct dkim_key *key)
{
	switch (key->algorithm) {
	case DKIM_RSA_SHA256: rsa_key_close(key->rsa); break;
	case DKIM_ED25519_SHA256: wc_ed25519_free(&key->ed25519); break;
	}
	rsa_vault_give(&key->dkim->vault, key, sizeof(*key));
}

enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *key)
{
	return key->algorithm;
}

/* RFC 6376, 3.6.1; RFC 8463, 4 */
void dkim_key_record(struct dkim_key *key, struct buf *out)
{
	uint8_t bytes[RSA_PUBLIC_MAX];
	word32 ed25519_len = sizeof(bytes);
	size_t len = 0;

	switch (key->algorithm) {
	case DKIM_RSA_SHA256:
		buf_put_str(out, "v=DKIM1; k=rsa; p=");
		len = rsa_key_public(key->rsa, bytes, sizeof(bytes));
		break;
	case DKIM_ED25519_SHA256:
		buf_put_str(out, "v=DKIM1; k=ed25519; p=");
		if (wc_ed25519_export_public(
			&key->ed25519, bytes, &ed25519_len) == 0)
			len = ed25519_len;
		break;
	}
	check(len > 0); /* it has signed with it */
	base64_encode(slice_of(bytes, len), out);
}

bool dkim_key_sign_ed25519(struct dkim_key *key,
    const uint8_t digest[DKIM_HASH_LEN],
    uint8_t signature[ED25519_SIGNATURE_LEN])
{
	word32 len = ED25519_SIGNATURE_LEN;
	int good = 0;

	if (wc_ed25519_sign_msg(
		digest, DKIM_HASH_LEN, signature, &len, &key->ed25519) != 0)
		return false;
	return len == ED25519_SIGNATURE_LEN &&
	       wc_ed25519_verify_msg(signature, len, digest, DKIM_HASH_LEN,
		   &good, &key->ed25519) == 0 &&
	       good == 1;
}
