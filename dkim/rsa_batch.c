/* rsa_batch.c -- a batch of signatures by the engine's kernels.
 *
 * A signature takes two exponentiations, mod p and mod q, and each is a lane of
 * its own: so one signature fills two lanes, and what is left in a kernel of
 * eight costs at most half of it (the kernel of four lanes does the rest).
 * Idle lanes repeat the first one and write the same result again.
 *
 * Blinding: instead of the message m its product with a random r^e is raised to
 * d, and the result divided by r.  A pair (r^e, 1/r) comes from a random a in
 * place of r^e: then 1/r is a^-d, for which the same kernels serve, with the
 * exponents p - 1 - d and q - 1 - d.  There is a pair for each signature that a
 * batch makes with the same key; it is squared with each use and made anew
 * after RSA_PAIR_USES, which costs as much as a signature.
 *
 * Check: each signature is raised to e = 65537, and all of the padded block is
 * compared.  A fault in a half would tell the factors of n to whoever saw the
 * signature; so a wrong one is wiped, and its key's constants with it. */
#include "dkim/rsa_batch.h"

#include <string.h>
#include <sys/random.h>

#include "dkim/rsa_limb.h"
#include "dkim/rsa_warm.h"

#define LANES_MAX 8

struct rsa_batch {
	uint64_t padded[RSA_BATCH_MAX][RSA_MODULUS_LIMBS_MAX];
	uint64_t base[RSA_BATCH_MAX][RSA_MODULUS_LIMBS_MAX];
	uint64_t by_p[RSA_BATCH_MAX][RSA_PRIME_LIMBS_MAX];
	uint64_t by_q[RSA_BATCH_MAX][RSA_PRIME_LIMBS_MAX];
	uint64_t result[RSA_BATCH_MAX][RSA_MODULUS_LIMBS_MAX];
	struct rsa_lane lanes[LANES_MAX];
	struct rsa_power powers[2 * RSA_BATCH_MAX];
	/* the largest that a kernel wants */
	uint8_t area[] __attribute__((aligned(RSA_VAULT_GRAIN)));
};

struct rsa_batch *rsa_batch_open(struct rsa *r)
{
	size_t area_len = 0;

	for (size_t i = 0; i < RSA_SIZES; i++) {
		const struct rsa_size *size = &r->sizes[i];
		size_t len = size->wide->work_len(size->blocks);

		check(len >= size->narrow->work_len(size->blocks));
		check(size->wide->lanes <= LANES_MAX);
		if (len > area_len)
			area_len = len;
	}
	return rsa_vault_take(&r->vault, sizeof(struct rsa_batch) + area_len);
}

/* RFC 8017, 9.2: 00 01 FF ... FF 00 DigestInfo. */
static void pad(uint64_t *padded, const struct rsa_job *job)
{
	const struct rsa_key *key = job->key;
	size_t len = rsa_key_signature_len(key);
	uint8_t block[RSA_SIGNATURE_MAX];

	memset(block, 0xff, len);
	block[0] = 0;
	block[1] = 1;
	block[len - RSA_INFO_LEN - 1] = 0;
	rsa_digest_info(job->digest, block + len - RSA_INFO_LEN);
	rsa_limb_read(padded, 2 * key->warm->prime_limbs, slice_of(block, len));
}

/* Which signature with its key job i of the batch is. */
static unsigned number_of(struct rsa_job *const *jobs, unsigned i)
{
	unsigned number = 0;

	for (unsigned j = 0; j < i; j++)
		number += jobs[j]->key == jobs[i]->key;
	return number;
}

static struct rsa_lane lane_of_job(
    struct rsa_batch *b, unsigned i, const struct rsa_warm *w, unsigned pair)
{
	return (struct rsa_lane){
	    .p = w->p,
	    .q = w->q,
	    .n = w->n,
	    .q_inverse = w->q_inverse,
	    .digits_p = w->digits[0],
	    .digits_q = w->digits[1],
	    .padded = b->padded[i],
	    .mask = w->pairs[pair]->mask,
	    .unmask = w->pairs[pair]->unmask,
	    .base = b->base[i],
	    .by_p = b->by_p[i],
	    .by_q = b->by_q[i],
	    .result = b->result[i],
	};
}

static const struct rsa_kernel *kernel_for(
    const struct rsa_size *size, unsigned lanes)
{
	return lanes <= size->narrow->lanes ? size->narrow : size->wide;
}

/* Raises the base of `count` lanes to their two exponents. */
static void raise(struct rsa_batch *b, const struct rsa_size *size,
    unsigned count, unsigned digit_count)
{
	const struct rsa_kernel *kernel;

	for (unsigned i = 0; i < 2 * count; i++) {
		const struct rsa_lane *lane = &b->lanes[i / 2];

		b->powers[i] = (struct rsa_power){
		    .prime = i % 2 == 0 ? lane->p : lane->q,
		    .digits = i % 2 == 0 ? lane->digits_p : lane->digits_q,
		    .base = lane->base,
		    .result = i % 2 == 0 ? lane->by_p : lane->by_q,
		};
	}
	for (unsigned done = 0; done < 2 * count; done += kernel->lanes) {
		unsigned left = 2 * count - done;
		struct rsa_power powers[LANES_MAX];

		kernel = kernel_for(size, left);
		for (unsigned l = 0; l < kernel->lanes; l++)
			powers[l] = b->powers[done + (l < left ? l : 0)];
		kernel->power(b->area, powers, size->blocks, digit_count);
	}
}

static void repeat_first(struct rsa_batch *b, unsigned count)
{
	for (unsigned l = count; l < LANES_MAX; l++)
		b->lanes[l] = b->lanes[0];
}

/* Below 2^bits, and so below 2 n. */
static bool random_number(uint64_t *x, unsigned limbs, unsigned bits)
{
	uint8_t bytes[RSA_BITS_MAX / 8];

	for (size_t at = 0; at < bits / 8; at += 128)
		/* so few are never given in part */
		if (getrandom(bytes + at, 128, 0) != 128)
			return false;
	rsa_limb_read(x, limbs, slice_of(bytes, bits / 8));
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

/* Makes the pairs that are missing or used up.  A pair counts as used up until
 * all of it is there. */
static bool make_pairs(struct rsa_batch *b, const struct rsa_size *size,
    struct rsa_job *const *jobs, unsigned count)
{
	struct rsa_pair *pairs[RSA_BATCH_MAX];
	unsigned made = 0;

	for (unsigned i = 0; i < count; i++) {
		struct rsa_key *key = jobs[i]->key;
		unsigned number = number_of(jobs, i);

		if (!rsa_warm_pair(key, number))
			return false;
		const struct rsa_warm *w = key->warm;
		struct rsa_pair *pair = w->pairs[number];
		if (pair->uses_left > 0)
			continue;
		if (!random_number(pair->mask, 2 * w->prime_limbs, size->bits))
			return false;
		b->lanes[made] = lane_of_job(b, made, w, number);
		b->lanes[made].base = pair->mask;
		b->lanes[made].result = pair->unmask;
		b->lanes[made].digits_p = w->undo_digits[0];
		b->lanes[made].digits_q = w->undo_digits[1];
		pairs[made++] = pair;
	}
	if (made == 0)
		return true;
	const struct rsa_kernel *kernel = kernel_for(size, made);
	raise(b, size, made, jobs[0]->key->warm->digit_count);
	repeat_first(b, made);
	kernel->join(b->area, b->lanes, size->blocks);
	kernel->enter(b->area, b->lanes, size->blocks);
	for (unsigned i = 0; i < made; i++)
		pairs[i]->uses_left = RSA_PAIR_USES;
	return true;
}

static void hand_out(struct rsa_batch *b, unsigned wrong,
    struct rsa_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct rsa_job *job = jobs[i];

		job->faulted = wrong >> i & 1;
		job->good = !job->faulted;
		if (job->good)
			rsa_limb_write(b->result[i],
			    2 * job->key->warm->prime_limbs, job->signature,
			    rsa_key_signature_len(job->key));
	}
	for (unsigned i = 0; i < count; i++)
		if (jobs[i]->faulted)
			rsa_warm_drop(jobs[i]->key);
}

void rsa_batch_sign(struct rsa *r, struct rsa_job *const *jobs, unsigned count)
{
	const struct rsa_size *size = rsa_warm_size(jobs[0]->key);
	const struct rsa_kernel *kernel = kernel_for(size, count);
	struct rsa_batch *b = r->batch;

	check(count > 0 && count <= RSA_BATCH_MAX);
	if (!make_pairs(b, size, jobs, count))
		goto wipe;
	for (unsigned i = 0; i < count; i++) {
		const struct rsa_warm *w = jobs[i]->key->warm;
		unsigned number = number_of(jobs, i);

		check(rsa_warm_size(jobs[i]->key) == size);
		pad(b->padded[i], jobs[i]);
		b->lanes[i] = lane_of_job(b, i, w, number);
		w->pairs[number]->uses_left--;
	}
	repeat_first(b, count);
	kernel->mask(b->area, b->lanes, size->blocks);
	raise(b, size, count, jobs[0]->key->warm->digit_count);
	kernel->join(b->area, b->lanes, size->blocks);
	hand_out(
	    b, kernel->unmask(b->area, b->lanes, size->blocks), jobs, count);
wipe:
	explicit_bzero(b, sizeof(*b) + size->wide->work_len(size->blocks));
	rsa_wipe_stack();
}
