/* service.h -- what all deliveries of a worker share: settings, pools, and the
 * hook by which messages become known. */
#ifndef CORE_OUTBOUND_SERVICE_H
#define CORE_OUTBOUND_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/loop.h"
#include "core/base/id.h"
#include "core/base/metrics.h"
#include "core/base/pool.h"
#include "core/outbound/dns.h"
#include "core/outbound/policy.h"
#include "core/outbound/route.h"
#include "core/outbound/scheduler.h"
#include "core/outbound/signer.h"
#include "core/outbound/tls_memory.h"
#include "spool/envelope.h"
#include "spool/spool.h"
#include "tls/stream.h"

/* Shards that a worker may have adopted besides its own. */
#define OUTBOUND_SPOOLS_MAX 256

/* RFC 5321, 4.5.3.2; in ms. */
struct outbound_timeouts {
	uint32_t connect, greeting, hello, mail, rcpt, data_init, data_block,
	    data_end;
};

/* What the configuration says; replaced as a whole by a reload. */
struct outbound_settings {
	struct slice hostname;
	struct slice helo;
	struct slice relay_host; /* empty = to the recipients' MX hosts */
	struct slice relay_user; /* empty = no AUTH */
	struct slice relay_password;
	struct policy_settings tls;
	const char *tls_ca_file; /* NULL: the system's */
	const char *const *bind; /* source addresses */
	unsigned bind_count;
	uint16_t port; /* of MX hosts */
	uint32_t messages_per_connection;
	struct outbound_timeouts timeout;
	struct retry_policy retry;
	struct dkim_table *dkim; /* NULL: nothing is signed */
};

struct outbound_service_options {
	struct loop *loop;
	struct log *log;
	struct metrics *metrics;
	struct dns *dns;
	struct stream_service *streams;
	struct scheduler *scheduler;
	uint32_t connection_count_max; /* of this worker */
	uint64_t seed;
};

struct outbound_service {
	struct loop *loop;
	struct log *log;
	struct metrics *metrics; /* NULL: nobody counts */
	struct stream_service *streams;
	struct scheduler *scheduler;
	struct spool
	    *spools[OUTBOUND_SPOOLS_MAX]; /* by shard; NULL = not ours */
	struct outbound_settings settings;
	struct route_options route;
	struct signer signer;
	struct rng rng;
	struct tls_context *tls; /* whom to trust */
	uint32_t tls_made;	 /* how many of these there were */
	struct tls_memory tls_memory;
	struct list connections;
	uint32_t connection_count;
	uint32_t attempt_count; /* under way */
	bool draining;
	struct pool connection_pool;
	struct pool route_pool;
	struct pool attempt_pool;
	struct pool report_pool;
	struct pool held_pool;
	struct pool login_pool;
	struct op dispatch; /* deferred: look for work at the turn's end */
	struct timer wake;  /* when the scheduler has something again */
	struct timer poll;  /* for connections that other workers give back */
};

MUST_USE int outbound_service_open(struct outbound_service *s,
    const struct outbound_service_options *options,
    const struct outbound_settings *settings);
/* The slices and strings in `settings` must outlive the next configure. */
void outbound_service_configure(
    struct outbound_service *s, const struct outbound_settings *settings);

/* The spool's hook (struct spool_options, ready): `arg` is the service. */
void outbound_service_ready(
    void *arg, struct message *m, struct slice envelope);

/* Something changed: the scheduler is asked for work at the end of this turn.
 */
void outbound_service_dispatch(struct outbound_service *s);

/* An entry for each domain among the recipients (of an envelope, from the
 * first) that are not finished.  False when the queue is full. */
bool outbound_service_add_domains(
    struct outbound_service *s, struct message *m, struct slice rcpts);

/* Begins nothing new; deliveries under way may end.  connection_count and
 * attempt_count then fall to 0. */
void outbound_service_drain(struct outbound_service *s);
/* Recipients of a message whose fate is sealed by hand: `queue delete`.  False
 * while an attempt of it is under way. */
bool outbound_service_delete(struct outbound_service *s, struct message *m);

static inline struct spool *outbound_spool_of(
    const struct outbound_service *s, const struct message *m)
{
	struct spool *spool = s->spools[m->id >> ID_SHARD_SHIFT];

	check(spool != NULL);
	return spool;
}

/* A destination's name when all mail goes to the relay host, whichever that is
 * now: no domain can look like it. */
#define OUTBOUND_RELAY_NAME SLICE("(relay)")

/* The destination of a recipient by its domain, lower case, in `room` of
 * DESTINATION_NAME_MAX bytes. */
struct slice outbound_destination_of(
    const struct outbound_service *s, struct slice recipient, char *room);

#endif
