/* sasl_client.c -- the side that has a password: base64, and the order. */
#include "core/base/base64.h"
#include "core/base/check.h"
#include "proto/sasl_mechanism.h"

static const struct sasl_client_mechanism *const mechanisms[] = {
    [SASL_PLAIN] = &sasl_client_plain,
    [SASL_LOGIN] = &sasl_client_login,
    [SASL_CRAM_MD5] = &sasl_client_cram,
    [SASL_DIGEST_MD5] = &sasl_client_digest,
    [SASL_SCRAM_SHA_256] = &sasl_client_scram,
    [SASL_SCRAM_SHA_256_PLUS] = &sasl_client_scram,
};
_Static_assert(COUNT(mechanisms) == SASL_MECHANISM_COUNT, "one each");

bool sasl_client_keep(struct sasl_client *s, struct slice text)
{
	if (text.len > sizeof(s->text) - s->text_len)
		return false;
	if (text.len > 0)
		memcpy(s->text + s->text_len, text.at, text.len);
	s->text_len = (uint16_t)(s->text_len + text.len);
	return true;
}

void sasl_client_init(struct sasl_client *s, enum sasl_mechanism m,
    const struct sasl_client_options *options, bool *has_initial,
    struct buf *out)
{
	const struct sasl_client_mechanism *mechanism = mechanisms[m];
	uint8_t room[SASL_PLAIN_MAX];
	struct buf answer = buf_over(room, sizeof(room));

	check(m != SASL_SCRAM_SHA_256_PLUS || options->has_binding);
	s->mechanism = m;
	s->options = *options;
	s->step = 0;
	s->text_len = 0;
	memset(s->proof, 0, sizeof(s->proof));
	*has_initial = mechanism->client_first;
	if (!mechanism->client_first)
		return;
	if (mechanism->begin(s, &answer))
		base64_encode(buf_slice(&answer), out);
	else
		out->overflowed = true;
	explicit_bzero(room, answer.len);
}

bool sasl_client_next(
    struct sasl_client *s, struct slice challenge, struct buf *out)
{
	uint8_t text_room[SASL_PLAIN_MAX], room[SASL_PLAIN_MAX];
	struct buf text = buf_over(text_room, sizeof(text_room));
	struct buf answer = buf_over(room, sizeof(room));
	bool good =
	    s->step != SASL_CLIENT_PROVED && base64_decode(challenge, &text) &&
	    mechanisms[s->mechanism]->answer(s, buf_slice(&text), &answer) &&
	    !answer.overflowed;

	if (good)
		base64_encode(buf_slice(&answer), out);
	if (good && s->step != SASL_CLIENT_PROVED)
		s->step++;
	explicit_bzero(room, answer.len);
	return good && !out->overflowed;
}

bool sasl_client_is_satisfied(const struct sasl_client *s)
{
	return !mechanisms[s->mechanism]->proves ||
	       s->step == SASL_CLIENT_PROVED;
}

void sasl_client_wipe(struct sasl_client *s)
{
	explicit_bzero(&s->options, sizeof(s->options));
	explicit_bzero(s->proof, sizeof(s->proof));
	explicit_bzero(s->text, sizeof(s->text));
	s->text_len = 0;
}
