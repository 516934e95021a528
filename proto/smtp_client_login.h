/* smtp_client_login.h -- how a client proves who it is: AUTH (RFC 4954).
 *
 * The session takes the best mechanism that the server offers.  A server that
 * does not know the password, where the mechanism makes it show that it does
 * (SCRAM), gets no mail. */
#ifndef PROTO_SMTP_CLIENT_LOGIN_H
#define PROTO_SMTP_CLIENT_LOGIN_H

#include "proto/sasl.h"
#include "proto/smtp_client.h"

struct smtp_client_login {
	/* The user's; the slices must stay.  The binding may be set until
	 * smtp_client_tls_started is called. */
	struct sasl_client_options options;
	bool clear_allowed; /* PLAIN and LOGIN without TLS, too */
	/* private */
	struct sasl_client sasl;
	bool cancelled; /* "*" was said */
	uint8_t challenge_count;
	struct buf line; /* what is to be said next */
	uint8_t line_room[SMTP_CLIENT_OUT_MIN - 2];
};

/* Makes the first line.  False: the server offers nothing that we can use. */
bool smtp_client_login_begin(
    struct smtp_client_login *l, const struct smtp_offers *offers, bool tls_on);
/* 334: makes the answer; "*" when there is none. */
void smtp_client_login_challenge(
    struct smtp_client_login *l, struct slice challenge);
/* 235: whether to believe it. */
bool smtp_client_login_is_good(const struct smtp_client_login *l);
/* Forgets what is secret (not the slices' bytes). */
void smtp_client_login_wipe(struct smtp_client_login *l);

#endif
