/* smtp_client_opening.c -- from the greeting to the first message.
 *
 *   220, EHLO (or HELO)
 *   -> STARTTLS when the driver wants it: 220, handshake, EHLO again.  Refused
 *      or not offered: in clear, or no further, as the driver said
 *   -> AUTH when the driver has a user: 235, or no further
 *
 * A host that goes no further leaves the mail to another one, or for later: it
 * is never the recipient's fault. */
#include "core/base/check.h"
#include "proto/smtp_client_login.h"
#include "proto/smtp_client_state.h"

static const uint8_t no_tls[3] = {4, 7, 4};
static const uint8_t no_auth[3] = {4, 7, 0};

/* The QUIT is a courtesy (RFC 5321, 3.1); nobody waits for its reply. */
static void refuse(struct smtp_client *s, struct outcome why)
{
	s->quit_due = true;
	smtp_client_end(s, why);
}

static void refuse_because(
    struct smtp_client *s, const uint8_t status[3], const char *sentence)
{
	refuse(s, outcome_of_error(OUTCOME_OTHER_HOST, status, true, sentence));
}

/* Postfix, too, takes a 5xx here for this host's word, not for the site's. */
static void refuse_by_reply(struct smtp_client *s)
{
	struct outcome why = smtp_client_reply_outcome(s, OUTCOME_OTHER_HOST);

	why.kind = OUTCOME_OTHER_HOST;
	why.site = true;
	refuse(s, why);
}

void smtp_client_on_greeting(struct smtp_client *s)
{
	/* Any 2xx: a few servers greet by 200. */
	if (s->reply.code / 100 == 2)
		smtp_client_enter(s, CLIENT_EHLO);
	else if (s->reply.code / 100 == 3)
		smtp_client_protocol_error(s, "unexpected greeting");
	else
		refuse_by_reply(s);
}

/* TLS is on, or there will be none. */
static void log_in(struct smtp_client *s)
{
	if (s->login == NULL)
		smtp_client_enter(s, CLIENT_IDLE);
	else if (smtp_client_login_begin(s->login, &s->offers, s->tls_on))
		smtp_client_enter(s, CLIENT_LOGIN);
	else
		refuse_because(s, no_auth,
		    s->offers.auth_offered
			? "no mechanism of AUTH that the server offers will do"
			: "a user is configured, but the server does not offer "
			  "AUTH");
}

/* We know what the server offers. */
static void go_on(struct smtp_client *s)
{
	if (!s->tls_on && s->offers.starttls && s->tls != CLIENT_TLS_NONE) {
		s->tls_begun = true;
		smtp_client_enter(s, CLIENT_STARTTLS);
	} else if (!s->tls_on && s->tls == CLIENT_TLS_MUST) {
		refuse_because(s, no_tls,
		    "TLS is required, but the server does not offer it");
	} else {
		log_in(s);
	}
}

void smtp_client_on_hello(struct smtp_client *s)
{
	struct slice text = reply_reader_text(&s->reply);

	switch (s->reply.code / 100) {
	case 2:
		if (s->state == CLIENT_EHLO)
			smtp_offers_read(
			    &s->offers, text, text.len == REPLY_TEXT_MAX);
		go_on(s);
		return;
	case 5:
		/* RFC 5321, 3.2 and 4.1.4: 5xx to EHLO means try HELO. */
		if (s->state == CLIENT_EHLO) {
			smtp_client_enter(s, CLIENT_HELO);
			return;
		}
		refuse_by_reply(s);
		return;
	case 4: refuse_by_reply(s); return;
	default:
		smtp_client_protocol_error(s, "unexpected reply to EHLO");
		return;
	}
}

void smtp_client_on_starttls(struct smtp_client *s)
{
	/* RFC 3207, 4: 220, 454, or a refusal as of any command. */
	if (s->reply.code == 220) {
		smtp_client_enter(s, CLIENT_TLS);
		return;
	}
	s->tls_begun = false;
	if (s->reply.code < 400)
		smtp_client_protocol_error(s, "unexpected reply to STARTTLS");
	else if (s->tls == CLIENT_TLS_MUST)
		refuse_by_reply(s);
	else
		log_in(s);
}

void smtp_client_tls_started(struct smtp_client *s)
{
	check(s->state == CLIENT_TLS);
	check(s->awaited_count == 0 && s->reply.byte_count == 0);
	s->tls_on = true;
	s->offers = (struct smtp_offers){0};
	smtp_client_enter(s, CLIENT_EHLO);
}

void smtp_client_on_login(struct smtp_client *s)
{
	struct smtp_client_login *l = s->login;

	switch (s->reply.code / 100) {
	case 2:
		if (!smtp_client_login_is_good(l)) {
			refuse_because(s, no_auth,
			    "the server has not proved that it knows the "
			    "password");
			return;
		}
		s->login = NULL;
		smtp_client_login_wipe(l);
		smtp_client_enter(s, CLIENT_IDLE);
		return;
	case 3:
		smtp_client_login_challenge(l, reply_reader_text(&s->reply));
		smtp_client_enter(s, CLIENT_LOGIN);
		return;
	default:
		if (l->cancelled)
			refuse_because(s, no_auth,
			    "the server's part in AUTH makes no sense, or it "
			    "does not know the password");
		else
			refuse_by_reply(s);
		return;
	}
}
