/* session.h -- one client of the load generator. */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include "bench/load.h"
#include "proto/reply_reader.h"

enum session_step {
	SESSION_PAUSED, /* a moment, before it is tried again */
	SESSION_FREE,	/* no message is due */
	SESSION_CONNECTING,
	/* a reply is awaited to: */
	SESSION_GREETING,
	SESSION_EHLO,
	SESSION_STARTTLS,
	SESSION_HANDSHAKE,
	SESSION_AUTH,
	SESSION_MAIL,
	SESSION_RCPT,
	SESSION_DATA,
	SESSION_BODY, /* the long part of a message is being sent */
	SESSION_DOT,
	SESSION_RSET,
	SESSION_QUIT,
	SESSION_QUIET, /* --idle */
	SESSION_CLOSING,
	SESSION_OVER,
};

struct session {
	struct load *load;
	struct list link; /* load->free */
	struct stream stream;
	struct op connect;
	struct op closing;
	struct timer pause;
	enum session_step step;
	bool connected;
	bool in_tls;
	bool offers_pipelining, offers_starttls;
	bool pipelined; /* this message's commands went out together */
	bool has_message;
	bool retried;  /* ... and is sent again */
	uint32_t made; /* messages on this connection */
	uint32_t rcpt; /* the next to be answered */
	uint32_t rcpts_taken;
	uint64_t seq;
	uint64_t due_ns;
	uint64_t step_ns;	/* when the command was written */
	struct slice text_rest; /* what goes out with the dot */
	struct iovec iov[3];
	struct msghdr message;
	struct reply_reader reply;
	struct buf out;
	uint8_t room[6144];
};

void session_begin(struct session *s, struct load *l);
/* A message is due, or none will be. */
void session_wake(struct session *s);
/* Ends it without a word (--idle). */
void session_drop(struct session *s);

#endif
