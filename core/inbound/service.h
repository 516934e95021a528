/* service.h -- what all inbound sessions of a worker share: settings, pools,
 * listeners, counters. */
#ifndef CORE_INBOUND_SERVICE_H
#define CORE_INBOUND_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/loop.h"
#include "core/base/metrics.h"
#include "core/base/pool.h"
#include "core/config/network.h"
#include "core/inbound/client.h"
#include "core/inbound/penalty.h"
#include "core/inbound/sender.h"
#include "core/inbound/users.h"
#include "proto/smtp_server.h"
#include "spool/spool.h"
#include "tls/stream.h"

/* What the configuration says, for sessions that begin from now on.  Counted:
 * a session keeps the settings it began with; release() is called when the
 * last one is gone. */
struct inbound_settings {
	struct smtp_server_options smtp;
	const struct network_list *allowed_networks;
	const struct network_list *proxy_networks;
	struct tls_context *tls; /* NULL: no TLS */
	const struct users *users;
	const struct sender_rules *senders;
	uint32_t command_ms;		/* RFC 5321, 4.5.3.2.7 */
	uint32_t data_ms;		/* 4.5.3.2.5 */
	uint32_t client_connection_max; /* 0 = none */
	unsigned dkim_canons; /* set of 1 << enum dkim_canon; 0: nothing is
			       * going to be signed */
	uint32_t session_count;
	bool retired; /* a newer one has taken its place */
	void (*release)(struct inbound_settings *s);
};

/* What is spoken first on a connection. */
enum listener_kind {
	LISTENER_SMTP,
	LISTENER_PROXY, /* the PROXY protocol, then SMTP */
	LISTENER_TLS,	/* TLS, then SMTP */
	LISTENER_ADMIN, /* HTTP; the supervisor's */
};

struct listener {
	struct inbound_service *service;
	struct op accept;
	struct timer again;   /* after EMFILE and the like */
	struct timer relook;  /* see service.c */
	uint8_t relook_count; /* of RELOOKS */
	bool relooking;	      /* the accept under way is being cancelled */
	int fd;
	bool failing; /* it was said that accepting fails */
	enum listener_kind kind;
};

#define LISTENERS_MAX 64

/* Handshakes in progress, of a worker: 454 4.7.0 past it.  They may take 30 s
 * each. */
#define INBOUND_HANDSHAKES_MAX 2000
/* Of these, of one client, unless the configuration limits its connections. */
#define INBOUND_HANDSHAKES_CLIENT_MAX 250
/* Passwords that wait to be looked at: 454 4.7.0 past it. */
#define INBOUND_LOGINS_MAX 64

struct inbound_service {
	struct loop *loop;
	struct log *log;
	struct metrics *metrics; /* NULL: nobody counts */
	struct spool *spool;
	struct stream_service *streams;
	struct inbound_settings *settings;
	struct list sessions;
	uint32_t session_count;
	uint32_t session_count_max;
	uint32_t handshake_count; /* in progress */
	bool clear_said;	  /* that a password came in clear */
	struct penalty penalty;
	bool draining;
	struct pool session_pool;
	struct pool page_pool;	   /* ARENA_PAGE_LEN: envelopes */
	struct pool login_pool;	   /* AUTH: exchanges going on */
	struct pool response_pool; /* AUTH: lines that are not yet whole */
	struct pool out_pool;	   /* replies: one for each session */
	struct pool held_pool;	  /* bytes that came before we could use them */
	struct pool message_pool; /* messages being received */
	struct inbound_clients clients;	    /* by sessions, with a limit */
	struct inbound_clients handshakers; /* by handshakes in progress */
	struct list logins;	    /* passwords that wait to be looked at */
	unsigned login_count;	    /* of these */
	uint64_t login_next_ms;	    /* not earlier */
	struct timer login_turn;    /* of the first */
	char text[SENDER_TEXT_MAX]; /* of a reply, until it is written */
	struct buf envelope; /* where envelopes are encoded, one at a time */
	struct listener listeners[LISTENERS_MAX];
	unsigned listener_count;
};

struct inbound_service_options {
	struct loop *loop;
	struct log *log;
	struct metrics *metrics;
	struct spool *spool;
	struct stream_service *streams;
	uint32_t session_count_max;
	uint64_t seed;
};

MUST_USE int inbound_service_open(struct inbound_service *s,
    const struct inbound_service_options *options,
    struct inbound_settings *settings);

/* A session is done with its settings. */
void inbound_settings_give(struct inbound_settings *settings);

/* Sessions that begin later get these. */
void inbound_service_configure(
    struct inbound_service *s, struct inbound_settings *settings);

/* Begins to accept on a listening socket; drain closes it. */
void inbound_service_listen(
    struct inbound_service *s, int fd, enum listener_kind kind);

/* Closes the listeners; each session ends with 421 at its next chance, at once
 * where nothing is under way.  session_count then falls to 0. */
void inbound_service_drain(struct inbound_service *s);
/* Time is up: those that are still there get 421, whatever they are doing. */
void inbound_service_cut(struct inbound_service *s);
/* Ends what is still there without a word. */
void inbound_service_abort(struct inbound_service *s);

#endif
