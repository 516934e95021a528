/* smtp_client_state.h -- what the files of the client's machine share. */
#ifndef PROTO_SMTP_CLIENT_STATE_H
#define PROTO_SMTP_CLIENT_STATE_H

#include "proto/smtp_client.h"

/* The next thing to wait for; what has to be said for it is yet to be said. */
static inline void smtp_client_enter(
    struct smtp_client *s, enum smtp_client_state state)
{
	s->state = state;
	s->spoken = false;
}

/* The outcome that the reply just read makes. */
struct outcome smtp_client_reply_outcome(
    const struct smtp_client *s, enum outcome_kind kind_of_4xx);
/* The session is over, and with it the transaction under way. */
void smtp_client_end(struct smtp_client *s, struct outcome why);
/* The same: the server does not speak SMTP as we know it. */
void smtp_client_protocol_error(struct smtp_client *s, const char *sentence);

/* smtp_client_opening.c: the replies to what comes before the first message. */
void smtp_client_on_greeting(struct smtp_client *s);
void smtp_client_on_hello(struct smtp_client *s);
void smtp_client_on_starttls(struct smtp_client *s);
void smtp_client_on_login(struct smtp_client *s);

#endif
