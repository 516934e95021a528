/* sasl_server.c -- the side that asks for a password.
 *
 * What mechanisms have in common: base64, "*", the initial response, and the
 * order of things.  A mechanism is three functions (sasl_mechanism.h). Whatever
 * the client sends, the machine ends in SASL_GOOD only when `judge` or `answer`
 * said so of the secret that was given. */
#include "proto/sasl.h"

#include "core/base/base64.h"
#include "core/base/check.h"
#include "proto/sasl_mechanism.h"
#include "proto/saslprep.h"

enum step {
	STEP_BEGIN,  /* sasl_server_start comes */
	STEP_ANSWER, /* the client has to answer */
	STEP_SECRET, /* the caller has to give the secret */
	STEP_JUDGE,  /* it did */
	STEP_OVER,
};

static const struct sasl_server_mechanism *const mechanisms[] = {
    [SASL_PLAIN] = &sasl_server_plain,
    [SASL_LOGIN] = &sasl_server_login,
    [SASL_CRAM_MD5] = &sasl_server_cram,
    [SASL_DIGEST_MD5] = &sasl_server_digest,
    [SASL_SCRAM_SHA_256] = &sasl_server_scram,
    [SASL_SCRAM_SHA_256_PLUS] = &sasl_server_scram,
};
_Static_assert(COUNT(mechanisms) == SASL_MECHANISM_COUNT, "one each");

void sasl_server_init(struct sasl_server *s, enum sasl_mechanism m,
    const struct sasl_server_options *options)
{
	/* `text` is written before it is read. */
	s->user_len = 0;
	s->user[0] = '\0';
	s->mechanism = m;
	s->step = STEP_BEGIN;
	s->stage = 0;
	s->mark[0] = s->mark[1] = 0;
	s->options = *options;
	s->secret = (struct sasl_secret){.is_decoy = true};
	s->text_len = 0;
}

bool sasl_server_set_user(struct sasl_server *s, struct slice name)
{
	if (name.len == 0 || name.len > SASL_USER_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] < 0x20 || name.at[i] == 0x7f)
			return false;
	memcpy(s->user, name.at, name.len);
	s->user[name.len] = '\0';
	s->user_len = (uint8_t)name.len;
	return true;
}

bool sasl_server_keep(struct sasl_server *s, struct slice text)
{
	if (text.len > sizeof(s->text) - s->text_len)
		return false;
	if (text.len > 0)
		memcpy(s->text + s->text_len, text.at, text.len);
	s->text_len = (uint16_t)(s->text_len + text.len);
	return true;
}

void sasl_put_nonce(const uint8_t nonce[SASL_NONCE_LEN], struct buf *out)
{
	base64_encode(slice_of(nonce, SASL_NONCE_LEN), out);
}

/* What the mechanism said becomes what the machine waits for. */
static enum sasl_need conclude(struct sasl_server *s, enum sasl_need need,
    const struct buf *challenge, struct buf *out)
{
	if (challenge->overflowed)
		need = SASL_MALFORMED;
	switch (need) {
	case SASL_NEED_RESPONSE:
		base64_encode(buf_slice(challenge), out);
		s->step = STEP_ANSWER;
		break;
	case SASL_NEED_SECRET: s->step = STEP_SECRET; break;
	case SASL_GOOD:
		check(!s->secret.is_decoy);
		s->step = STEP_OVER;
		break;
	case SASL_WRONG:
	case SASL_MALFORMED:
	case SASL_CANCELLED: s->step = STEP_OVER; break;
	}
	return need;
}

static enum sasl_need take_text(
    struct sasl_server *s, struct slice base64, struct buf *challenge)
{
	uint8_t room[SASL_PLAIN_MAX];
	struct buf text = buf_over(room, sizeof(room));
	enum sasl_need need = SASL_MALFORMED;

	if (base64_decode(base64, &text))
		need = mechanisms[s->mechanism]->answer(
		    s, buf_slice(&text), challenge);
	explicit_bzero(room, text.len);
	return need;
}

enum sasl_need sasl_server_start(struct sasl_server *s, bool has_initial,
    struct slice initial, struct buf *out)
{
	const struct sasl_server_mechanism *m = mechanisms[s->mechanism];
	uint8_t room[SASL_PLAIN_MAX];
	struct buf challenge = buf_over(room, sizeof(room));
	enum sasl_need need = SASL_NEED_RESPONSE;

	check(s->step == STEP_BEGIN);
	/* RFC 4954, 4: an empty one is sent as "="; where the server speaks
	 * first there is none. */
	if (!has_initial)
		m->begin(s, &challenge);
	else if (!m->client_first)
		need = SASL_MALFORMED;
	else if (slice_eq(initial, SLICE("=")))
		need = take_text(s, slice_of(NULL, 0), &challenge);
	else
		need = initial.len == 0 ? SASL_MALFORMED
					: take_text(s, initial, &challenge);
	return conclude(s, need, &challenge, out);
}

enum sasl_need sasl_server_next(
    struct sasl_server *s, struct slice response, struct buf *out)
{
	uint8_t room[SASL_PLAIN_MAX];
	struct buf challenge = buf_over(room, sizeof(room));
	enum sasl_need need;

	check(s->step == STEP_ANSWER || s->step == STEP_JUDGE);
	if (s->step == STEP_JUDGE)
		need = mechanisms[s->mechanism]->judge(s, &challenge);
	else if (slice_eq(response, SLICE("*")))
		need = SASL_CANCELLED;
	else
		need = take_text(s, response, &challenge);
	return conclude(s, need, &challenge, out);
}

void sasl_server_secret(struct sasl_server *s, const struct sasl_secret *secret)
{
	static const struct sasl_secret nobody = {
	    .kind = SECRET_CLEAR,
	    .is_decoy = true,
	    .iterations = SECRET_ITERATIONS,
	    .salt_len = SECRET_SALT_LEN,
	};

	check(s->step == STEP_SECRET);
	s->secret = secret == NULL ? nobody : *secret;
	s->step = STEP_JUDGE;
}

void sasl_server_wipe(struct sasl_server *s)
{
	explicit_bzero(s->text, sizeof(s->text));
	explicit_bzero(&s->secret, sizeof(s->secret));
	explicit_bzero(&s->options, sizeof(s->options));
	s->text_len = 0;
	s->step = STEP_OVER;
}
