/* rsa.c -- RSA signatures over SHA-256: keys, and who makes which signature.
 *
 * A key is kept as its DER in the vault, and small.  All that a signature needs
 * besides is made when it is needed. */
#include "dkim/rsa.h"

#include <string.h>

#include "dkim/rsa_private.h"

/* Addresses, not memory: 100 000 keys with all that belongs to them. */
#define VAULT_BYTES ((size_t)1 << 30)

struct rsa *rsa_open(const char **why)
{
	struct rsa_vault vault;

	*why = "no memory for keys";
	if (rsa_vault_init(&vault, VAULT_BYTES) != 0)
		return NULL;
	struct rsa *r = rsa_vault_take(&vault, sizeof(*r));
	if (r == NULL)
		goto deinit;
	*why = "no source of randomness";
	if (wc_InitRng(&r->rng) != 0)
		goto deinit;
	r->vault = vault;
	r->engine = RSA_WOLFSSL;
	*why = "wolfSSL";
	return r;
deinit:
	rsa_vault_deinit(&vault);
	return NULL;
}

void rsa_close(struct rsa *r)
{
	wc_FreeRng(&r->rng);
	struct rsa_vault vault = r->vault;
	rsa_vault_deinit(&vault);
}

enum rsa_engine rsa_engine(const struct rsa *r)
{
	return r->engine;
}

bool rsa_locked(const struct rsa *r)
{
	return r->vault.locked;
}

/* A number's length in bits, from its bytes without leading zeros. */
static unsigned bits_of(struct slice number)
{
	unsigned bits = (unsigned)number.len * 8;

	for (uint8_t top = number.at[0]; bits > 0 && !(top & 0x80); bits--)
		top = (uint8_t)(top << 1);
	return bits;
}

static const char *flaw_of_public(const struct rsa_der *der)
{
	unsigned bits = bits_of(der->n);

	if (bits < RSA_BITS_MIN)
		return "the key is shorter than 1024 bits";
	if (bits > RSA_BITS_MAX)
		return "the key is longer than 4096 bits";
	if (!(der->n.at[der->n.len - 1] & 1) ||
	    !(der->e.at[der->e.len - 1] & 1))
		return "the key's numbers are even";
	/* What verifiers take; wolfSSL's limit is the same. */
	if (der->e.len > 8 || (der->e.len == 1 && der->e.at[0] < 3))
		return "the key's public exponent is out of range";
	return NULL;
}

struct rsa_key *rsa_key_open(
    struct rsa *r, const uint8_t *bytes, size_t len, const char **why)
{
	static const uint8_t digest[32] = "a key's first signature is this.";
	uint8_t signature[RSA_SIGNATURE_MAX];
	struct rsa_der der;

	if (!rsa_der_read(slice_of(bytes, len), &der, why))
		return NULL;
	if ((*why = flaw_of_public(&der)) != NULL)
		return NULL;
	size_t total = sizeof(struct rsa_key) + der.whole.len;
	struct rsa_key *key = total <= RSA_VAULT_PIECE_MAX
				  ? rsa_vault_take(&r->vault, total)
				  : NULL;
	if (key == NULL) {
		*why = "no memory for another key";
		return NULL;
	}
	memcpy(key->bytes, der.whole.at, der.whole.len);
	key->rsa = r;
	key->len = total;
	key->bits = bits_of(der.n);
	check(
	    rsa_der_read(slice_of(key->bytes, der.whole.len), &key->der, why));
	if (!rsa_single_sign(key, digest, signature)) {
		*why = "the key's signatures are wrong: its numbers do not "
		       "belong together";
		rsa_key_close(key);
		return NULL;
	}
	return key;
}

void rsa_key_close(struct rsa_key *key)
{
	rsa_vault_give(&key->rsa->vault, key, key->len);
}

unsigned rsa_key_bits(const struct rsa_key *key)
{
	return key->bits;
}

size_t rsa_key_signature_len(const struct rsa_key *key)
{
	return (key->bits + 7) / 8;
}

void rsa_sign(struct rsa *r, struct rsa_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct rsa_job *job = jobs[i];

		check(job->key->rsa == r);
		job->faulted = false;
		job->good =
		    rsa_single_sign(job->key, job->digest, job->signature);
	}
}
