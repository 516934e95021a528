/* sign.c -- signature fields, up to eight in one go.
 *
 *   prepare   the field is written up to "b="; what it signs is hashed
 *   sign      RSA of all jobs in one batch, Ed25519 one by one; each checked
 *   complete  the signature behind "b="
 *
 * The field's lines end where RFC 6376 allows blanks, under 78 characters, each
 * folded line begins with one space and none ends with a blank or is empty: no
 * MTA has a reason to touch it. */
#include "core/base/base64.h"
#include "dkim/key.h"
#include "dkim/signed_fields.h"

#define LINE_MAX 76
#define NAME "DKIM-Signature"

/* Where in a line of the field we are. */
struct folded {
	struct buf *out;
	size_t column;
};

static void new_line(struct folded *f)
{
	buf_put_str(f->out, "\r\n ");
	f->column = 1;
}

/* Text that is not to be broken; on this line if it fits. */
static void put_whole(struct folded *f, struct slice text)
{
	if (f->column > 1 && f->column + text.len > LINE_MAX)
		new_line(f);
	buf_put(f->out, text);
	f->column += text.len;
}

/* A tag: behind the one before it, and a space. */
static void put_tag(struct folded *f, const char *name, struct slice value)
{
	size_t name_len = strlen(name);

	if (f->column > 1 &&
	    f->column + 1 + name_len + value.len + 1 > LINE_MAX) {
		new_line(f);
	} else if (f->column > 1) {
		buf_put_byte(f->out, ' ');
		f->column++;
	}
	buf_put_str(f->out, name);
	buf_put(f->out, value);
	buf_put_byte(f->out, ';');
	f->column += name_len + value.len + 1;
}

static void put_number_tag(struct folded *f, const char *name, uint64_t number)
{
	uint8_t room[24];
	struct buf text = buf_over(room, sizeof(room));

	buf_put_number(&text, number);
	put_tag(f, name, buf_slice(&text));
}

/* Base64 may be broken anywhere. */
static void put_base64(struct folded *f, struct slice bytes)
{
	uint8_t room[BASE64_LEN(RSA_SIGNATURE_MAX)];
	struct buf text = buf_over(room, sizeof(room));

	base64_encode(bytes, &text);
	struct slice rest = buf_slice(&text);

	while (rest.len > 0) {
		if (f->column >= LINE_MAX)
			new_line(f);
		size_t left = LINE_MAX - f->column;

		put_whole(
		    f, slice_cut(&rest, rest.len < left ? rest.len : left));
	}
}

static const char *algorithm_of(const struct dkim_key *key)
{
	switch (key->algorithm) {
	case DKIM_RSA_SHA256: return "rsa-sha256";
	case DKIM_ED25519_SHA256: return "ed25519-sha256";
	}
	return "";
}

static const char *canon_of(const struct dkim_job *job)
{
	static const char *const names[DKIM_CANON_COUNT][DKIM_CANON_COUNT] = {
	    {"simple/simple", "simple/relaxed"},
	    {"relaxed/simple", "relaxed/relaxed"},
	};

	return names[job->header_canon][job->body_canon];
}

static void put_names(struct folded *f, const struct signed_fields *fields)
{
	uint8_t room[64];

	for (unsigned i = 0; i < fields->count; i++) {
		struct buf text = buf_over(room, sizeof(room));

		buf_put_str(&text, i == 0 ? "h=" : "");
		buf_put(&text, fields->names[i]);
		buf_put_byte(&text, i + 1 < fields->count ? ':' : ';');
		check(!text.overflowed);
		put_whole(f, buf_slice(&text));
	}
}

/* RFC 6376, 3.5; up to and with "b=". */
static void put_tags(struct folded *f, const struct dkim_job *job,
    const struct signed_fields *fields)
{
	uint8_t room[260];
	struct buf text = buf_over(room, sizeof(room));

	buf_put_str(f->out, NAME ": v=1;");
	f->column = sizeof(NAME ": v=1;") - 1;
	put_tag(f, "a=", slice_of_str(algorithm_of(job->key)));
	put_tag(f, "c=", slice_of_str(canon_of(job)));
	put_tag(f, "d=", job->domain);
	put_tag(f, "s=", job->selector);
	if (job->identity.len > 0 &&
	    !slice_eq_nocase(job->identity, job->domain)) {
		buf_put_byte(&text, '@');
		buf_put(&text, job->identity);
		if (text.overflowed)
			f->out->overflowed = true;
		put_tag(f, "i=", buf_slice(&text));
	}
	put_number_tag(f, "t=", job->time_s);
	if (job->expire_s > 0)
		put_number_tag(f, "x=", job->expire_s);
	buf_clear(&text);
	base64_encode(slice_of(job->body_hash, DKIM_HASH_LEN), &text);
	put_tag(f, "bh=", buf_slice(&text));
	new_line(f);
	put_names(f, fields);
	new_line(f);
	put_whole(f, SLICE("b="));
}

/* RFC 6376, 3.7: the chosen fields, then this one with an empty b=. */
static void hash_all(const struct dkim_job *job,
    const struct signed_fields *fields, struct slice own,
    uint8_t digest[DKIM_HASH_LEN])
{
	struct dkim_field field;
	wc_Sha256 sha256;

	wc_InitSha256(&sha256);
	for (unsigned i = 0; i < fields->count; i++) {
		struct slice whole = fields->whole[i];

		if (dkim_field_next(&whole, &field))
			dkim_field_hash(
			    &sha256, &field, job->header_canon, false);
	}
	bool good = dkim_field_next(&own, &field);

	check(good);
	dkim_field_hash(&sha256, &field, job->header_canon, true);
	wc_Sha256Final(&sha256, digest);
}

static const char *prepare(
    struct dkim_job *job, struct folded *f, uint8_t digest[DKIM_HASH_LEN])
{
	struct signed_fields fields;
	size_t begin = job->out->len;
	const char *why = signed_fields_choose(&fields, job->header);

	if (why != NULL)
		return why;
	*f = (struct folded){.out = job->out};
	put_tags(f, job, &fields);
	if (job->out->overflowed)
		return "the signature's field is too long";
	hash_all(job, &fields,
	    slice_of(job->out->at + begin, job->out->len - begin), digest);
	return NULL;
}

static const char *complete(
    struct dkim_job *job, struct folded *f, struct slice signature)
{
	put_base64(f, signature);
	buf_put_str(job->out, "\r\n");
	return job->out->overflowed ? "the signature's field is too long"
				    : NULL;
}

static const char *sign_ed25519(
    struct dkim_job *job, struct folded *f, const uint8_t digest[DKIM_HASH_LEN])
{
	uint8_t signature[ED25519_SIGNATURE_LEN];

	if (!dkim_key_sign_ed25519(job->key, digest, signature))
		return "the signature did not pass its check";
	return complete(job, f, slice_of(signature, sizeof(signature)));
}

static const char *finish_rsa(
    struct dkim_job *job, struct folded *f, const struct rsa_job *rsa)
{
	job->faulted = rsa->faulted;
	if (!rsa->good)
		return "the signature did not pass its check";
	return complete(
	    job, f, slice_of(rsa->signature, rsa_key_signature_len(rsa->key)));
}

void dkim_sign(struct dkim *d, struct dkim_job *const *jobs, unsigned count)
{
	struct rsa_job rsa[DKIM_BATCH_MAX];
	struct rsa_job *batch[DKIM_BATCH_MAX] = {NULL};
	struct dkim_job *owners[DKIM_BATCH_MAX];
	struct folded folded[DKIM_BATCH_MAX];
	size_t begins[DKIM_BATCH_MAX];
	unsigned rsa_count = 0;

	check(count <= DKIM_BATCH_MAX);
	for (unsigned i = 0; i < count; i++) {
		struct dkim_job *job = jobs[i];
		uint8_t digest[DKIM_HASH_LEN];

		begins[i] = job->out->len;
		job->faulted = false;
		job->why = prepare(job, &folded[i], digest);
		if (job->why != NULL)
			continue;
		if (job->key->algorithm == DKIM_ED25519_SHA256) {
			job->why = sign_ed25519(job, &folded[i], digest);
			continue;
		}
		rsa[rsa_count].key = job->key->rsa;
		memcpy(rsa[rsa_count].digest, digest, DKIM_HASH_LEN);
		batch[rsa_count] = &rsa[rsa_count];
		owners[rsa_count++] = job;
	}
	rsa_sign(d->rsa, batch, rsa_count);
	for (unsigned i = 0, n = 0; i < count; i++) {
		if (n < rsa_count && owners[n] == jobs[i]) {
			jobs[i]->why = finish_rsa(jobs[i], &folded[i], &rsa[n]);
			n++;
		}
		if (jobs[i]->why != NULL) {
			jobs[i]->out->len = begins[i];
			jobs[i]->out->overflowed = false;
		}
	}
}
