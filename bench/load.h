/* load.h -- what all sessions of the load generator share: what is sent and
 * when, what came of it, how long it took. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/histogram.h"
#include "bench/letter.h"
#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/pool.h"
#include "tls/stream.h"

#define LOAD_RCPTS_MAX 64 /* of a message */
#define LOAD_RETRY_MS 50
#define LOAD_FAILURES_MAX 2000 /* in a row: nobody is there */

struct load_options {
	union socket_address to;
	uint64_t count;		 /* messages; 0 = no limit */
	uint64_t seconds;	 /* no new messages after; 0 = no limit */
	uint64_t rate;		 /* messages a second; 0 = closed loop */
	uint32_t sessions;	 /* at one time */
	uint32_t per_connection; /* messages; 0 = no limit */
	bool pipelining;	 /* where it is offered */
	bool starttls;
	bool retry; /* what was refused for now is sent again */
	bool idle;  /* sessions that say EHLO and then nothing */
	const char *user;
	const char *password;
};

enum load_time {
	LOAD_CONNECT,
	LOAD_GREETING,
	LOAD_EHLO,
	LOAD_TLS, /* STARTTLS and the handshake */
	LOAD_AUTH,
	LOAD_MAIL,
	LOAD_RCPT,
	LOAD_DATA,
	LOAD_DOT, /* from handing the final dot to the kernel, to its 250 */
	LOAD_QUIT,
	LOAD_MESSAGE, /* from when it was due, to its 250: what a client that
		       * does not wait for a slow server would see */
};
#define LOAD_TIMES (LOAD_MESSAGE + 1)

struct load_counts {
	uint64_t connections;
	uint64_t connections_failed; /* no session: refused, lost, no TLS */
	uint64_t sent;		     /* transactions that came to their dot */
	uint64_t accepted;	     /* 2xx to the dot */
	uint64_t accepted_rcpts;
	uint64_t refused;	/* for good, or for now without --retry */
	uint64_t retried;	/* refused for now, or lost, and sent again */
	uint64_t broken;	/* lost before the dot, without --retry */
	uint64_t unknown;	/* lost between the dot and its answer */
	uint64_t refused_rcpts; /* at RCPT */
	uint64_t bytes;		/* of accepted messages */
};

struct load {
	struct loop *loop;
	struct load_options options;
	struct letter letter;
	struct stream_service streams;
	struct tls_context *tls;
	struct load_counts counts;
	struct histogram *times; /* LOAD_TIMES of them */
	uint64_t begun_ns;
	uint64_t ended_ns; /* when the last answer came */
	bool stopping;	   /* no new messages */
	bool hopeless;	   /* nobody is there */
	uint32_t live_count;
	uint32_t quiet_count; /* --idle: sessions that have said EHLO */
	/* private */
	uint64_t taken;	   /* messages that sessions have taken */
	uint64_t released; /* rate: messages that are due */
	uint32_t failures; /* in a row */
	struct list free;  /* rate: sessions without a message */
	struct pool sessions;
	int timer_fd;
	struct op timer_read;
	uint64_t timer_count;
	struct timer end;
};

/* `options` and `letter` are filled by the caller.  Or -errno; *why then is a
 * sentence. */
int load_open(struct load *l, struct loop *loop, const char **why);
/* Begins all sessions. */
void load_begin(struct load *l);
/* No more messages; sessions end after the one that they are at. */
void load_stop(struct load *l);
static inline bool load_is_over(const struct load *l)
{
	return l->live_count == 0;
}

/* For sessions: the number of the next message and when it was (or is) due.
 * False: there is none (now). */
bool load_take(struct load *l, uint64_t *seq, uint64_t *due_ns);
/* Whether there will never be one again. */
bool load_is_done(const struct load *l);
void load_time(struct load *l, enum load_time what, uint64_t since_ns);
/* A connection failed, or one was good. */
void load_failed(struct load *l);
void load_good(struct load *l);

/* What came of it, as text or as one line of JSON. */
void load_report(const struct load *l, uint64_t cpu_ns, bool json, FILE *out);

#endif
