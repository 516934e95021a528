/* outbound.h -- one connection to a next hop: the driver of proto/smtp_client.
 */
#ifndef CORE_OUTBOUND_OUTBOUND_H
#define CORE_OUTBOUND_OUTBOUND_H

#include "core/outbound/attempt.h"
#include "core/outbound/policy.h"
#include "core/outbound/service.h"
#include "tls/stream.h"

#define OUTBOUND_OUT_LEN 4096
#define OUTBOUND_HELD_MAX 16384

enum outbound_state {
	OUTBOUND_ROUTING,    /* for the addresses of the next hop */
	OUTBOUND_SWITCHING,  /* for the end of the last address's operations */
	OUTBOUND_CONNECTING, /* for the TCP connection */
	OUTBOUND_HANDSHAKE,  /* for TLS */
	OUTBOUND_TALKING,    /* for the server's reply */
	OUTBOUND_LOADING,    /* for the spool: envelope */
	OUTBOUND_BODY,	     /* for the spool, or the server to take the body */
	OUTBOUND_SETTLING,   /* for the spool: outcomes, before the next part */
	OUTBOUND_IDLE,	     /* for another message */
	OUTBOUND_CLOSING,    /* until no operation is under way */
};

struct outbound {
	struct outbound_service *service;
	struct destination *destination;
	struct list link;
	struct list idle_link; /* destination->idle */
	struct route *route;   /* until a transaction has ended */
	unsigned address_next;
	union socket_address address;
	enum outbound_state state;
	bool connected; /* a greeting was good on this connection */
	bool mute;	/* a send failed: only what the server said counts */
	bool unsettled; /* CLOSING: the attempt has its outcomes, and is to be
			 * settled when no operation uses it */
	bool in_clear;	/* TLS failed with this address: now without */
	enum policy_level tls_level; /* of this connection, */
	char tls_name[256];	     /* and whom it asks for */
	bool session_used;	     /* one of an earlier connection, */
	bool session_refused;	     /* which failed: now without */
	bool session_kept;	     /* for the next connection */
	uint32_t tls_made;	     /* service->tls_made when it began */
	struct op connect;
	struct stream stream; /* fd -1 = none */
	struct timer timer;
	struct attempt *attempt;
	struct outcome last; /* why the address before did not do */
	struct msghdr message;
	struct iovec iov[2];
	size_t send_len;
	struct smtp_client client;
	struct outbound_login *login; /* secure.h; until AUTH is done */
	uint32_t turn_seen; /* client.turn_count when the timer was armed */
	uint64_t idle_since_ms;
	char helo[255]; /* our name in this session */
	char relay[360];
	char relay_name[256];
	uint16_t held_len;
	uint8_t *held;
	struct buf out;
	uint8_t out_room[OUTBOUND_OUT_LEN];
};

/* SCHEDULE_CONNECT: the destination's slot is taken.  False: no memory (the
 * slot is still to be given back). */
bool outbound_begin(struct outbound_service *s, struct destination *d);
/* Asks the machine what it needs and meets the need.  `in`: bytes from the
 * server. */
void outbound_run(struct outbound *c, struct slice in);
/* The transaction's outcomes are final: the attempt is settled. */
void outbound_settle(struct outbound *c);
/* The time for what is waited for is over. */
void outbound_timer(struct timer *t);
/* An idle connection gets work. */
void outbound_wake(struct outbound *c);
/* Quits when idle; a busy one quits after its message. */
void outbound_drain(struct outbound *c);

#endif
