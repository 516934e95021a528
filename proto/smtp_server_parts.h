/* smtp_server_parts.h -- what the files of the session that answers call of
 * each other; nobody else includes it. */
#ifndef PROTO_SMTP_SERVER_PARTS_H
#define PROTO_SMTP_SERVER_PARTS_H

#include "proto/smtp_server.h"

/* smtp_server.c */
void server_say(
    struct buf *out, uint16_t code, const char *enhanced, const char *text);
/* Refuses what the client asked.  Too many mistakes end the session, and so
 * does a 421 of the driver. */
void server_say_no(struct smtp_server *s, struct buf *out, struct reply reply);
/* Waits for the driver's answer to a need. */
void server_ask(struct smtp_server *s, enum smtp_server_need need);
void server_drop_message(struct smtp_server *s);
void server_transaction_end(struct smtp_server *s);
void server_session_end(struct smtp_server *s);

/* smtp_server_body.c.  A step returns true when it needs something, which is
 * then in *need.  `no`: why BDAT may not stand here, or NULL; the octets follow
 * in any case, and are eaten. */
void server_bdat(struct smtp_server *s, struct slice args,
    const struct reply *no, struct buf *out);
bool server_step_data(struct smtp_server *s, struct slice *in, struct buf *out,
    enum smtp_server_need *need);
bool server_step_chunk(struct smtp_server *s, struct slice *in, struct buf *out,
    enum smtp_server_need *need);
void server_answered_data(
    struct smtp_server *s, struct reply reply, struct buf *out);
void server_answered_commit(
    struct smtp_server *s, struct reply reply, struct buf *out);

/* smtp_server_security.c */
/* Whether TLS or AUTH has to come before this command: *no then says so. */
bool server_is_locked(
    const struct smtp_server *s, enum command_verb verb, struct reply *no);
/* What EHLO's answer offers, a line each. */
void server_offer_security(const struct smtp_server *s, struct buf *out);
void server_starttls(struct smtp_server *s, struct buf *out);
void server_auth(struct smtp_server *s, struct slice args, struct buf *out);
bool server_step_response(struct smtp_server *s, struct slice *in,
    struct buf *out, enum smtp_server_need *need);
void server_answered_tls(
    struct smtp_server *s, struct reply reply, struct buf *out);
void server_answered_auth(
    struct smtp_server *s, struct reply reply, struct buf *out);

#endif
