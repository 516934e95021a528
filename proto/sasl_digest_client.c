/* sasl_digest_client.c -- DIGEST-MD5 (RFC 2831): the side that has a password.
 *
 * `proof` is what the server's "rspauth" has to be. */
#include "proto/hash.h"
#include "proto/sasl_digest.h"
#include "proto/sasl_mechanism.h"

_Static_assert(DIGEST_HEX_LEN == HASH_SHA256_LEN, "`proof` has room for it");

static void put_quoted(struct buf *out, const char *name, struct slice value)
{
	buf_put_str(out, name);
	buf_put_str(out, "=\"");
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == '"' || value.at[i] == '\\')
			buf_put_byte(out, '\\');
		buf_put_byte(out, value.at[i]);
	}
	buf_put_str(out, "\",");
}

/* Whether a list like "auth,auth-int" has the word. */
static bool list_has(struct slice list, struct slice word)
{
	while (list.len > 0)
		if (slice_eq_nocase(slice_trim(slice_cut_at(&list, ',')), word))
			return true;
	return false;
}

static bool challenge_good(const struct digest_fields *f)
{
	return f->at[DIGEST_NONCE].len > 0 &&
	       slice_eq_nocase(f->at[DIGEST_ALGORITHM], SLICE("md5-sess")) &&
	       (!f->has[DIGEST_QOP] ||
		   list_has(f->at[DIGEST_QOP], SLICE("auth"))) &&
	       (!f->has[DIGEST_CHARSET] ||
		   slice_eq_nocase(f->at[DIGEST_CHARSET], SLICE("utf-8")));
}

static bool respond(
    struct sasl_client *s, struct slice challenge, struct buf *answer)
{
	uint8_t bytes[SASL_PLAIN_MAX], uri_bytes[280], nonce_bytes[24];
	uint8_t hex[DIGEST_HEX_LEN];
	struct buf room = buf_over(bytes, sizeof(bytes));
	struct buf uri = buf_over(uri_bytes, sizeof(uri_bytes));
	struct buf nonce = buf_over(nonce_bytes, sizeof(nonce_bytes));
	struct digest_fields f;

	if (!digest_read(challenge, &room, &f) || !challenge_good(&f))
		return false;
	buf_put_str(&uri, "smtp/");
	buf_put(&uri, s->options.hostname);
	sasl_put_nonce(s->options.nonce, &nonce);
	f.at[DIGEST_USERNAME] = s->options.user;
	f.at[DIGEST_CNONCE] = buf_slice(&nonce);
	f.at[DIGEST_URI] = buf_slice(&uri);
	f.has[DIGEST_AUTHZID] = false;
	digest_compute(&f, s->options.password, "AUTHENTICATE", hex);
	digest_compute(&f, s->options.password, "", s->proof);
	if (f.has[DIGEST_CHARSET])
		buf_put_str(answer, "charset=utf-8,");
	put_quoted(answer, "username", s->options.user);
	if (f.has[DIGEST_REALM])
		put_quoted(answer, "realm", f.at[DIGEST_REALM]);
	put_quoted(answer, "nonce", f.at[DIGEST_NONCE]);
	put_quoted(answer, "cnonce", f.at[DIGEST_CNONCE]);
	put_quoted(answer, "digest-uri", f.at[DIGEST_URI]);
	buf_put_str(answer, "nc=00000001,qop=auth,response=");
	buf_put(answer, slice_of(hex, sizeof(hex)));
	return !uri.overflowed;
}

static bool believe(struct sasl_client *s, struct slice challenge)
{
	uint8_t bytes[SASL_PLAIN_MAX];
	struct buf room = buf_over(bytes, sizeof(bytes));
	struct digest_fields f;

	if (!digest_read(challenge, &room, &f) ||
	    f.at[DIGEST_RSPAUTH].len != DIGEST_HEX_LEN ||
	    !hash_equal(f.at[DIGEST_RSPAUTH].at, s->proof, DIGEST_HEX_LEN))
		return false;
	s->step = SASL_CLIENT_PROVED;
	return true;
}

static bool answer(
    struct sasl_client *s, struct slice challenge, struct buf *answer_out)
{
	if (s->step == 0)
		return respond(s, challenge, answer_out);
	return s->step == 1 && believe(s, challenge);
}

const struct sasl_client_mechanism sasl_client_digest = {
    .answer = answer,
    .proves = true,
};
