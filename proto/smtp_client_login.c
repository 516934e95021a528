/* smtp_client_login.c -- how a client proves who it is: AUTH (RFC 4954). */
#include "proto/smtp_client_login.h"

#include "core/base/check.h"

/* No mechanism has more; a server may not keep us answering for ever. */
#define CHALLENGES_MAX 6

bool smtp_client_login_begin(
    struct smtp_client_login *l, const struct smtp_offers *offers, bool tls_on)
{
	enum sasl_mechanism m;
	bool has_initial;

	l->cancelled = false;
	l->challenge_count = 0;
	l->line = buf_over(l->line_room, sizeof(l->line_room));
	if (!sasl_client_choose(offers->auth, l->options.has_binding,
		tls_on || l->clear_allowed, &m))
		return false;
	buf_put_str(&l->line, "AUTH ");
	buf_put_str(&l->line, sasl_name(m));
	buf_put_byte(&l->line, ' ');
	sasl_client_init(&l->sasl, m, &l->options, &has_initial, &l->line);
	if (!has_initial)
		l->line.len--; /* the blank */
	return !l->line.overflowed;
}

void smtp_client_login_challenge(
    struct smtp_client_login *l, struct slice challenge)
{
	buf_clear(&l->line);
	if (!l->cancelled && l->challenge_count < CHALLENGES_MAX &&
	    challenge.len < REPLY_TEXT_MAX && /* else it was cut */
	    sasl_client_next(&l->sasl, challenge, &l->line) &&
	    !l->line.overflowed) {
		l->challenge_count++;
		return;
	}
	/* RFC 4954, 4: the client cancels by a line with a single "*". */
	l->cancelled = true;
	buf_clear(&l->line);
	buf_put_byte(&l->line, '*');
}

bool smtp_client_login_is_good(const struct smtp_client_login *l)
{
	return !l->cancelled && sasl_client_is_satisfied(&l->sasl);
}

void smtp_client_login_wipe(struct smtp_client_login *l)
{
	sasl_client_wipe(&l->sasl);
	explicit_bzero(l->line_room, sizeof(l->line_room));
}
