/* catcher.h -- the receiving end of a connection, and what all of them share.
 */
#ifndef BENCH_CATCHER_H
#define BENCH_CATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/arrivals.h"
#include "core/base/buf.h"
#include "core/base/pool.h"
#include "core/base/rng.h"
#include "tls/stream.h"

#define CATCHER_SESSIONS_MAX 65536
#define CATCHER_LISTEN_MAX 8
#define CATCHER_GREYLIST (1u << 22) /* slots */

/* How real receivers behave. */
struct catcher_manners {
	uint32_t greylist_s;	/* 450 to a new sender and recipient, so long */
	uint32_t defer_percent; /* 450 to RCPT */
	uint32_t refuse_percent; /* 550 to RCPT */
	uint32_t slow_ms;	 /* before the 250 to the dot */
	uint32_t quit_after;	 /* messages, then 421 */
	uint32_t limit;		 /* connections at one time, then 421 */
	bool silent;		 /* never a word */
	bool pipelining;
	bool starttls;
	const char *defer_prefix; /* 450 to recipients that begin so, or NULL */
};

struct catcher_counts {
	uint64_t connections;
	uint64_t connections_max; /* at one time */
	uint64_t turned_away;	  /* 421 for their number */
	uint64_t messages;
	uint64_t deferred; /* 450 to RCPT */
	uint64_t refused;  /* 550 to RCPT */
	uint64_t bad;	   /* sessions that broke the protocol */
};

struct catchers {
	struct loop *loop;
	struct catcher_manners manners;
	struct catcher_counts counts;
	struct arrivals arrivals;
	struct stream_service streams;
	struct tls_context *tls;
	uint32_t live_count;
	/* private */
	struct pool pool;
	struct rng rng;
	uint64_t *greylist; /* hash and time of those seen */
	struct catcher_door {
		struct op op;
		struct catchers *all;
	} doors[CATCHER_LISTEN_MAX];
};

/* `manners`, `arrivals` and `tls` are filled by the caller; or -errno. */
int catchers_open(struct catchers *all, struct loop *loop);
/* Accepts on a socket that listens; at most CATCHER_LISTEN_MAX of them. */
void catchers_accept(struct catchers *all, unsigned index, int fd);

#endif
