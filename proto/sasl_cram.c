/* sasl_cram.c -- CRAM-MD5 (RFC 2195), both sides. */
#include "proto/hash.h"
#include "proto/sasl_mechanism.h"

#define HEX_LEN 32

static void put_hex(struct buf *out, const uint8_t hash[HASH_MD5_LEN])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_MD5_LEN; i++) {
		buf_put_byte(out, (uint8_t)digits[hash[i] >> 4]);
		buf_put_byte(out, (uint8_t)digits[hash[i] & 15]);
	}
}

static void put_digest(
    struct buf *out, struct slice password, struct slice challenge)
{
	uint8_t hash[HASH_MD5_LEN];

	hash_hmac_md5(password, &challenge, 1, hash);
	put_hex(out, hash);
}

/* `text`: the challenge, and behind mark[0] the client's digest.  RFC 2195, 2:
 * the challenge has the form of a Message-ID and is never the same. */
static void begin(struct sasl_server *s, struct buf *challenge)
{
	buf_put_byte(challenge, '<');
	sasl_put_nonce(s->options.nonce, challenge);
	buf_put_byte(challenge, '.');
	buf_put_number(challenge, s->options.wall_s);
	buf_put_byte(challenge, '@');
	buf_put(challenge, s->options.hostname);
	buf_put_byte(challenge, '>');
	if (!sasl_server_keep(s, buf_slice(challenge)))
		challenge->overflowed = true;
	s->mark[0] = s->text_len;
}

/* The name may have blanks, the digest has none. */
static enum sasl_need answer(
    struct sasl_server *s, struct slice response, struct buf *challenge)
{
	struct slice name = response;

	(void)challenge;
	if (response.len < HEX_LEN + 2)
		return SASL_MALFORMED;
	name.len -= HEX_LEN + 1;
	if (name.at[name.len] != ' ' || !sasl_server_set_user(s, name))
		return SASL_MALFORMED;
	slice_cut(&response, name.len + 1);
	return sasl_server_keep(s, response) ? SASL_NEED_SECRET
					     : SASL_MALFORMED;
}

static enum sasl_need judge(struct sasl_server *s, struct buf *challenge)
{
	struct slice digest = sasl_server_kept(s);
	struct slice asked = slice_cut(&digest, s->mark[0]);
	uint8_t room[HEX_LEN];
	struct buf expected = buf_over(room, sizeof(room));
	bool good;

	(void)challenge;
	put_digest(&expected, s->secret.text, asked);
	good = hash_equal_text(buf_slice(&expected), digest);
	return good && !s->secret.is_decoy && s->secret.kind == SECRET_CLEAR
		   ? SASL_GOOD
		   : SASL_WRONG;
}

const struct sasl_server_mechanism sasl_server_cram = {
    .begin = begin,
    .answer = answer,
    .judge = judge,
};

static bool client_answer(
    struct sasl_client *s, struct slice challenge, struct buf *answer_out)
{
	if (s->step > 0)
		return false;
	buf_put(answer_out, s->options.user);
	buf_put_byte(answer_out, ' ');
	put_digest(answer_out, s->options.password, challenge);
	return !answer_out->overflowed;
}

const struct sasl_client_mechanism sasl_client_cram = {
    .answer = client_answer,
};
