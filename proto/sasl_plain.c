/* sasl_plain.c -- PLAIN (RFC 4616) and LOGIN, both sides: the password as it
 * is. */
#include "proto/sasl_mechanism.h"

/* `text`: the password, kept until the secret is known. */
static enum sasl_need judge(struct sasl_server *s, struct buf *challenge)
{
	(void)challenge;
	return secret_matches(&s->secret, sasl_server_kept(s)) ? SASL_GOOD
							       : SASL_WRONG;
}

static enum sasl_need take_password(
    struct sasl_server *s, struct slice password)
{
	if (password.len == 0 || password.len > SASL_PASSWORD_MAX)
		return SASL_WRONG;
	return sasl_server_keep(s, password) ? SASL_NEED_SECRET : SASL_WRONG;
}

static void plain_begin(struct sasl_server *s, struct buf *challenge)
{
	(void)s;
	(void)challenge;
}

/* RFC 4616, 2: [authzid] NUL authcid NUL passwd */
static enum sasl_need plain_answer(
    struct sasl_server *s, struct slice response, struct buf *challenge)
{
	struct slice rest = response;
	struct slice authorize = slice_cut_at(&rest, '\0');

	(void)challenge;
	if (authorize.len == response.len)
		return SASL_MALFORMED;
	size_t name_len = slice_find(rest, '\0');
	if (name_len == rest.len)
		return SASL_MALFORMED;
	struct slice name = slice_cut_at(&rest, '\0');
	if (!sasl_server_set_user(s, name) || slice_find(rest, '\0') < rest.len)
		return SASL_MALFORMED;
	/* Nobody may act for another. */
	if (authorize.len > 0 && !slice_eq(authorize, name))
		return SASL_WRONG;
	return take_password(s, rest);
}

const struct sasl_server_mechanism sasl_server_plain = {
    .client_first = true,
    .begin = plain_begin,
    .answer = plain_answer,
    .judge = judge,
};

static void login_begin(struct sasl_server *s, struct buf *challenge)
{
	(void)s;
	buf_put_str(challenge, "Username:");
}

static enum sasl_need login_answer(
    struct sasl_server *s, struct slice response, struct buf *challenge)
{
	if (s->user_len > 0)
		return slice_find(response, '\0') < response.len
			   ? SASL_MALFORMED
			   : take_password(s, response);
	if (!sasl_server_set_user(s, response))
		return SASL_MALFORMED;
	buf_put_str(challenge, "Password:");
	return SASL_NEED_RESPONSE;
}

const struct sasl_server_mechanism sasl_server_login = {
    .client_first = true,
    .begin = login_begin,
    .answer = login_answer,
    .judge = judge,
};

static bool client_plain_begin(struct sasl_client *s, struct buf *answer)
{
	buf_put_byte(answer, '\0');
	buf_put(answer, s->options.user);
	buf_put_byte(answer, '\0');
	return buf_put(answer, s->options.password);
}

static bool client_plain_answer(
    struct sasl_client *s, struct slice challenge, struct buf *answer)
{
	(void)s;
	(void)challenge;
	(void)answer;
	return false;
}

const struct sasl_client_mechanism sasl_client_plain = {
    .client_first = true,
    .begin = client_plain_begin,
    .answer = client_plain_answer,
};

/* What servers ask in words differs; the order does not. */
static bool client_login_answer(
    struct sasl_client *s, struct slice challenge, struct buf *answer)
{
	(void)challenge;
	if (s->step > 1)
		return false;
	return buf_put(
	    answer, s->step == 0 ? s->options.user : s->options.password);
}

const struct sasl_client_mechanism sasl_client_login = {
    .answer = client_login_answer,
};
