/* rsa.c -- RSA signatures over SHA-256: keys, and who makes which signature.
 *
 * A key is kept as its DER in the vault, and small.  All that a signature needs
 * besides is made when it is needed: what the engine works with at the first
 * signature (rsa_warm.h), wolfSSL's form of the key for each.
 *
 * A batch is signed by the engine in groups of keys of one size, even a single
 * signature: it is faster there too.  What the engine does not take or does not
 * get right wolfSSL signs, one by one. */
#include "dkim/rsa.h"

#include <string.h>

#include "dkim/rsa_batch.h"
#include "dkim/rsa_engine.h"
#include "dkim/rsa_private.h"
#include "dkim/rsa_selfcheck.h"
#include "dkim/rsa_warm.h"

/* Addresses, not memory: 100 000 keys with all that belongs to them. */
#define VAULT_BYTES ((size_t)1 << 30)

/* RSA_IFMA only with kernels that were seen to work. */
static void choose_engine(struct rsa *r, const char **why)
{
	r->sizes = rsa_engine_find(why);
	if (r->sizes == NULL)
		return;
	r->batch = rsa_batch_open(r);
	if (r->batch == NULL) {
		*why = "no memory for the AVX-512 kernel";
		return;
	}
	r->engine = RSA_IFMA;
	if (!rsa_selfcheck(r)) {
		r->engine = RSA_WOLFSSL;
		*why = "the self-check of the AVX-512 kernel failed";
	}
}

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
	choose_engine(r, why);
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
	rsa_warm_drop(key);
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

/* Those of the jobs from `first` on that the engine can sign in one batch with
 * it; 0 when it cannot sign that one. */
static unsigned take_batch(struct rsa_job *const *jobs, unsigned count,
    unsigned first, struct rsa_job **batch)
{
	const struct rsa_size *size = rsa_warm_size(jobs[first]->key);
	unsigned taken = 0;

	if (size == NULL)
		return 0;
	for (unsigned i = first; i < count && taken < RSA_BATCH_MAX; i++)
		if (!jobs[i]->good && !jobs[i]->faulted &&
		    rsa_warm_size(jobs[i]->key) == size &&
		    rsa_warm_make(jobs[i]->key))
			batch[taken++] = jobs[i];
	return taken;
}

void rsa_sign(struct rsa *r, struct rsa_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		check(jobs[i]->key->rsa == r);
		jobs[i]->good = false;
		jobs[i]->faulted = false;
	}
	for (unsigned i = 0; i < count; i++) {
		struct rsa_job *batch[RSA_BATCH_MAX], *job = jobs[i];
		unsigned taken = 0;

		if (!job->good && !job->faulted)
			taken = take_batch(jobs, count, i, batch);
		if (taken > 0)
			rsa_batch_sign(r, batch, taken);
		if (!job->good)
			job->good = rsa_single_sign(
			    job->key, job->digest, job->signature);
	}
}
