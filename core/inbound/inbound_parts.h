/* inbound_parts.h -- what the files of a session call of each other. */
#ifndef CORE_INBOUND_INBOUND_PARTS_H
#define CORE_INBOUND_INBOUND_PARTS_H

#include "core/inbound/inbound.h"

/* inbound.c: the driver.  run() goes on with the dialogue; `in` is what came,
 * or what was held. */
void inbound_run(struct inbound *c, struct slice in);
void inbound_run_held(struct inbound *c);
/* Keeps what has not been eaten; `in` may be a part of what is held. */
void inbound_hold(struct inbound *c, struct slice in);
void inbound_receive(struct inbound *c);
/* Begins to send what the machine wrote, if anything. */
void inbound_flush(struct inbound *c);
void inbound_arm(struct inbound *c, uint64_t in_ms);
/* INBOUND_CLOSING: gives the session back, when nothing is under way. */
void inbound_finish(struct inbound *c);
/* The client may read our last words before the connection goes. */
void inbound_timer(struct timer *t);

/* door.c: how it begins.  Bytes before the PROXY header is whole; all of them
 * so far. */
void door_proxy(struct inbound *c, struct slice in);
/* The client's address is known, and TLS is there if it comes first. */
void door_admit(struct inbound *c, struct slice in);

/* handshake.c: TLS.  Whether another handshake may begin now; then it counts,
 * and handshake_begin follows, or handshake_forget. */
bool handshake_reserve(struct inbound *c);
/* Nothing is under way but, maybe, the 220. */
void handshake_begin(struct inbound *c);
void handshake_sent(struct inbound *c);
void handshake_timeout(struct inbound *c);
void handshake_forget(struct inbound *c);
/* tls= and cipher=, when there is TLS. */
void handshake_log(struct log *log, const struct inbound *c);

/* login.c: AUTH.  True when the session must wait for its answer. */
bool login_begin(struct inbound *c);
bool login_next(struct inbound *c);
/* The wait is over: gives the answer. */
void login_answer(struct inbound *c);
/* The session ends while its password waits to be looked at. */
void login_leave_line(struct inbound *c);
void login_line_init(struct inbound_service *s);
/* Gives back what an exchange needs. */
void login_forget(struct inbound *c);

#endif
