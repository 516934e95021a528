/* secure.h -- what makes a connection to a next hop a safe one: TLS and AUTH.
 * Within core/outbound. */
#ifndef CORE_OUTBOUND_SECURE_H
#define CORE_OUTBOUND_SECURE_H

#include "core/outbound/outbound.h"
#include "proto/smtp_client_login.h"

/* Who we are, for the relay host; a copy, since a reload changes it. */
struct outbound_login {
	struct smtp_client_login login;
	uint8_t user[SASL_USER_MAX];
	uint8_t password[SASL_PASSWORD_MAX];
};

/* A session begins: what the machine shall want of the server.  False: there is
 * no randomness for AUTH (outbound_lost was said). */
bool outbound_secure_begin(struct outbound *c);
/* CLIENT_NEED_TLS. */
void outbound_secure_handshake(struct outbound *c);
/* The first CLIENT_NEED_MESSAGE: what this host's TLS is worth is known. */
void outbound_secure_opened(struct outbound *c);
/* The session ended before it was opened.  True: because of TLS, and the same
 * address is to be tried once more, in another way. */
bool outbound_secure_again(struct outbound *c);
/* The connection is about to be closed; nothing is under way. */
void outbound_secure_end(struct outbound *c);

/* For the log: what TLS the attempt's messages went through. */
void outbound_secure_tell(struct outbound *c, struct attempt *a);

#endif
