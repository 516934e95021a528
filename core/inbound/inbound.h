/* inbound.h -- one client's session: the driver of proto/smtp_server. */
#ifndef CORE_INBOUND_INBOUND_H
#define CORE_INBOUND_INBOUND_H

#include "core/base/id.h"
#include "core/inbound/client.h"
#include "core/inbound/message.h"
#include "core/inbound/service.h"
#include "proto/proxy.h"

/* What waits for its turn: input that came while the session was busy. */
#define INBOUND_HELD_MAX (16384 + PROXY_HEADER_MAX)

#define INBOUND_OUT_ROOM 3584

/* A proxy sends its header with its first segment. */
#define PROXY_TIMEOUT_MS 30000

/* Replies that are being gathered or sent. */
struct inbound_out {
	struct msghdr message;
	struct iovec iov;
	struct buf buf;
	uint8_t room[INBOUND_OUT_ROOM];
};

/* AUTH, while it goes on. */
struct inbound_login {
	struct sasl_server sasl;
	struct inbound *session;
	struct list link; /* service->logins, while `lined_up` */
	bool lined_up;	  /* its password waits to be looked at */
	bool good;	  /* delayed: what the answer will be */
	uint8_t room[SMTP_SERVER_CHALLENGE_MAX];
};

enum inbound_state {
	INBOUND_PROXY,	   /* waiting for the rest of the PROXY header */
	INBOUND_HANDSHAKE, /* TLS is beginning */
	INBOUND_TALKING,   /* the SMTP session */
	INBOUND_ENDING,	   /* the last reply is on its way */
	INBOUND_LINGER,	 /* last reply sent, our end shut: until the client has
			  * read it (a close would reset the connection) */
	INBOUND_CLOSING, /* until no operation is under way */
};

struct inbound {
	struct inbound_service *service;
	struct inbound_settings *settings;
	struct list link;
	struct stream stream;
	struct timer timer;
	enum inbound_state state;
	bool waiting;	       /* for the spool, delayed, or lined up: no
				* input is read */
	bool delayed;	       /* the answer to AUTH waits for the timer */
	bool admitted;	       /* its address was looked at */
	bool handshaking;      /* counted in service->handshake_count */
	uint8_t failure_count; /* of AUTH */
	bool input_ended;      /* the client has sent all it will */
	bool polite;	       /* linger after the last reply */
	uint16_t held_len;
	uint8_t *held;			 /* INBOUND_HELD_MAX bytes, or NULL */
	struct inbound_out *out;	 /* replies, while there are any */
	struct inbound_message *message; /* from DATA to its end */
	struct inbound_login *login;	 /* while AUTH goes on, or NULL */
	const struct user *user;	 /* who authenticated, or NULL */
	struct inbound_client *counted;	 /* its address's counter, or NULL */
	struct inbound_client *shaking;	 /* the same, of handshakes */
	union socket_address client;
	uint64_t received_len;	 /* bytes from the client, so far */
	uint64_t received_armed; /* of these: when the timer was armed */
	struct id_text id;	 /* of the message just committed */
	struct smtp_server smtp;
};

/* A new connection; takes the descriptor. */
void inbound_begin(struct inbound_service *s, int fd, enum listener_kind kind);
/* The relay stops: 421 as soon as the dialogue allows one. */
void inbound_drain(struct inbound *c);
/* Time is up: 421 whatever the client is doing. */
void inbound_cut(struct inbound *c);
/* Ends it now. */
void inbound_abort(struct inbound *c);

#endif
