/* sasl_scram.c -- SCRAM-SHA-256 and -PLUS (RFC 5802, 7677): the side that asks.
 *
 * `text`: the client's gs2-header up to mark[0], client-first-message-bare up
 * to mark[1], a comma, server-first-message: the last three are the front of
 * AuthMessage as they lie. */
#include "proto/sasl_scram.h"

#include "core/base/base64.h"
#include "proto/sasl_mechanism.h"

#define NONCE_MAX 512

enum stage {
	STAGE_FIRST, /* client-first-message */
	STAGE_FINAL, /* client-final-message */
	STAGE_DONE,  /* the client has to agree with our proof */
};

bool scram_cut(struct slice *text, char name, struct slice *value)
{
	if (text->len < 2 || text->at[0] != (uint8_t)name || text->at[1] != '=')
		return false;
	slice_cut(text, 2);
	*value = slice_cut_at(text, ',');
	return true;
}

/* RFC 5802, 7: printable, without commas */
bool scram_nonce_good(struct slice nonce)
{
	for (size_t i = 0; i < nonce.len; i++)
		if (nonce.at[i] <= 0x20 || nonce.at[i] >= 0x7f ||
		    nonce.at[i] == ',')
			return false;
	return nonce.len > 0 && nonce.len <= NONCE_MAX;
}

void scram_sign(struct slice key, struct slice client_first,
    struct slice server_first, struct slice client_final,
    uint8_t signature[HASH_SHA256_LEN])
{
	struct slice parts[] = {
	    client_first, SLICE(","), server_first, SLICE(","), client_final};

	hash_hmac_sha256(key, parts, COUNT(parts), signature);
}

void scram_put_channel(
    struct buf *out, struct slice gs2_header, const uint8_t *binding)
{
	uint8_t room[BASE64_BYTES(SCRAM_CHANNEL_MAX)];
	struct buf channel = buf_over(room, sizeof(room));

	buf_put(&channel, gs2_header);
	if (binding != NULL)
		buf_put(&channel, slice_of(binding, SASL_BINDING_LEN));
	if (channel.overflowed)
		out->overflowed = true;
	base64_encode(buf_slice(&channel), out);
}

static void begin(struct sasl_server *s, struct buf *challenge)
{
	(void)s;
	(void)challenge;
}

/* RFC 5802, 5.1: "=2C" and "=3D" stand for comma and equals sign. */
static bool read_name(struct slice name, struct buf *out)
{
	while (name.len > 0) {
		uint8_t c = slice_cut(&name, 1).at[0];

		if (c == '=') {
			struct slice code =
			    slice_cut(&name, name.len < 2 ? name.len : 2);

			if (slice_eq(code, SLICE("2C")))
				c = ',';
			else if (!slice_eq(code, SLICE("3D")))
				return false;
		}
		if (!buf_put_byte(out, c))
			return false;
	}
	return out->len > 0;
}

/* RFC 5802, 6: what the client says of channel binding.  SASL_NEED_SECRET: it
 * is good. */
static enum sasl_need judge_flag(const struct sasl_server *s, struct slice flag)
{
	bool plus = s->mechanism == SASL_SCRAM_SHA_256_PLUS;

	if (slice_eq(flag, SLICE("n")))
		return plus ? SASL_MALFORMED : SASL_NEED_SECRET;
	/* It would have, and believes that we cannot: somebody between us took
	 * it out of what we offered. */
	if (slice_eq(flag, SLICE("y")))
		return plus			 ? SASL_MALFORMED
		       : s->options.plus_offered ? SASL_WRONG
						 : SASL_NEED_SECRET;
	if (flag.len < 2 || flag.at[0] != 'p' || flag.at[1] != '=' || !plus)
		return SASL_MALFORMED;
	return s->options.has_binding &&
		       slice_eq(flag, SLICE("p=" SCRAM_BINDING_NAME))
		   ? SASL_NEED_SECRET
		   : SASL_WRONG;
}

/* gs2-header client-first-message-bare */
static enum sasl_need first(struct sasl_server *s, struct slice message)
{
	struct slice rest = message;
	struct slice flag = slice_cut_at(&rest, ',');
	struct slice authorize = slice_cut_at(&rest, ',');
	struct slice name, nonce;
	uint8_t room[2][SASL_USER_MAX + 1];
	struct buf user = buf_over(room[0], SASL_USER_MAX);
	struct buf other = buf_over(room[1], SASL_USER_MAX);
	enum sasl_need need = judge_flag(s, flag);

	s->mark[0] = (uint16_t)(message.len - rest.len);
	s->mark[1] = (uint16_t)message.len;
	/* "m=" would come first: an extension that must be understood. */
	if (!scram_cut(&rest, 'n', &name) || !read_name(name, &user) ||
	    !scram_cut(&rest, 'r', &nonce) || !scram_nonce_good(nonce) ||
	    !sasl_server_set_user(s, buf_slice(&user)) ||
	    !sasl_server_keep(s, message))
		return SASL_MALFORMED;
	if (authorize.len == 0)
		return need;
	if (!scram_cut(&authorize, 'a', &name) || !read_name(name, &other))
		return SASL_MALFORMED;
	if (need == SASL_NEED_SECRET &&
	    !slice_eq(buf_slice(&other), buf_slice(&user)))
		return SASL_WRONG;
	return need;
}

/* server-first-message: r=,s=,i= */
static enum sasl_need judge(struct sasl_server *s, struct buf *challenge)
{
	struct slice bare = sasl_server_kept(s);
	struct slice name, nonce;

	slice_cut(&bare, s->mark[0]);
	if (!scram_cut(&bare, 'n', &name) || !scram_cut(&bare, 'r', &nonce))
		return SASL_MALFORMED;
	buf_put_str(challenge, "r=");
	buf_put(challenge, nonce);
	sasl_put_nonce(s->options.nonce, challenge);
	buf_put_str(challenge, ",s=");
	base64_encode(slice_of(s->secret.salt, s->secret.salt_len), challenge);
	buf_put_str(challenge, ",i=");
	buf_put_number(challenge, s->secret.iterations);
	s->stage = STAGE_FINAL;
	return sasl_server_keep(s, SLICE(",")) &&
		       sasl_server_keep(s, buf_slice(challenge))
		   ? SASL_NEED_RESPONSE
		   : SASL_MALFORMED;
}

/* RFC 5802, 3: the client's proof gives its key, whose hash we have. */
static bool proof_fits(const struct sasl_server *s, struct slice unproved,
    const uint8_t proof[HASH_SHA256_LEN], const struct scram_keys *keys,
    struct buf *challenge)
{
	struct slice client_first = sasl_server_kept(s);
	struct slice server_first, key;
	uint8_t signature[HASH_SHA256_LEN], client_key[HASH_SHA256_LEN];
	uint8_t stored[HASH_SHA256_LEN];

	slice_cut(&client_first, s->mark[0]);
	server_first = client_first;
	client_first =
	    slice_cut(&server_first, (size_t)(s->mark[1] - s->mark[0]));
	slice_cut(&server_first, 1);
	scram_sign(slice_of(keys->stored, sizeof(keys->stored)), client_first,
	    server_first, unproved, signature);
	for (size_t i = 0; i < sizeof(client_key); i++)
		client_key[i] = proof[i] ^ signature[i];
	key = slice_of(client_key, sizeof(client_key));
	hash_sha256(&key, 1, stored);
	scram_sign(slice_of(keys->server, sizeof(keys->server)), client_first,
	    server_first, unproved, signature);
	buf_put_str(challenge, "v=");
	base64_encode(slice_of(signature, sizeof(signature)), challenge);
	explicit_bzero(client_key, sizeof(client_key));
	return hash_equal(stored, keys->stored, sizeof(stored));
}

/* What "c" and "r" must be. */
static void put_expected(
    const struct sasl_server *s, struct buf *channel, struct slice *nonce)
{
	struct slice kept = sasl_server_kept(s);
	struct slice server_first = kept;
	bool plus = s->mechanism == SASL_SCRAM_SHA_256_PLUS;

	scram_put_channel(channel, slice_of(kept.at, s->mark[0]),
	    plus ? s->options.binding : NULL);
	slice_cut(&server_first, (size_t)s->mark[1] + 1);
	*nonce = slice_of(NULL, 0);
	scram_cut(&server_first, 'r', nonce);
}

/* client-final-message: c=,r=,...,p= */
static enum sasl_need final(
    struct sasl_server *s, struct slice message, struct buf *challenge)
{
	uint8_t room[SCRAM_CHANNEL_MAX], proof[HASH_SHA256_LEN];
	struct buf expected = buf_over(room, sizeof(room));
	struct buf proof_buf = buf_over(proof, sizeof(proof));
	struct slice rest = message;
	struct slice channel, nonce, our_nonce, text, unproved;
	struct scram_keys keys;
	bool derived, good;

	if (!scram_cut(&rest, 'c', &channel) || !scram_cut(&rest, 'r', &nonce))
		return SASL_MALFORMED;
	unproved = slice_of(message.at, message.len - rest.len);
	while (rest.len > 0 && rest.at[0] != 'p') { /* extensions */
		slice_cut_at(&rest, ',');
		unproved.len = message.len - rest.len;
	}
	/* Without the comma, of which there is one: else no "p" would come. */
	if (!scram_cut(&rest, 'p', &text) || rest.len > 0 ||
	    !base64_decode(text, &proof_buf) || proof_buf.len != sizeof(proof))
		return SASL_MALFORMED;
	unproved.len--;
	put_expected(s, &expected, &our_nonce);
	secret_scram_keys(&s->secret, &keys, &derived);
	good = proof_fits(s, unproved, proof, &keys, challenge);
	good = hash_equal_text(buf_slice(&expected), channel) && good;
	good = hash_equal_text(our_nonce, nonce) && good &&
	       !s->secret.is_decoy && s->secret.kind != SECRET_CRYPT;
	if (good)
		secret_scram_good(&s->secret, &keys);
	else
		secret_scram_wrong(&s->secret, derived);
	explicit_bzero(&keys, sizeof(keys));
	s->stage = STAGE_DONE;
	return good ? SASL_NEED_RESPONSE : SASL_WRONG;
}

static enum sasl_need answer(
    struct sasl_server *s, struct slice response, struct buf *challenge)
{
	switch ((enum stage)s->stage) {
	case STAGE_FIRST:
		/* After an empty challenge there is no empty answer. */
		return response.len > SASL_TEXT_MAX ? SASL_MALFORMED
						    : first(s, response);
	case STAGE_FINAL: return final(s, response, challenge);
	case STAGE_DONE: return response.len == 0 ? SASL_GOOD : SASL_MALFORMED;
	}
	return SASL_MALFORMED;
}

const struct sasl_server_mechanism sasl_server_scram = {
    .client_first = true,
    .begin = begin,
    .answer = answer,
    .judge = judge,
};
