/* dns.c -- questions to the DNS, by libunbound on our loop.
 *
 * A question waits for its turn, is asked, and is answered; each of these is a
 * list.  libunbound may answer inside ub_resolve_event, so an answer is only
 * noted there, and done() runs in the loop's next turn.  libunbound has no
 * time-out for a whole question: each has a timer of ours.
 *
 * There are two resolvers, made when they are first asked (made, they cost
 * memory).  One validates with the root's keys, the other only with the keys
 * that the operator gave.  The second is asked for names that the root does
 * not know, such as Docker's and Kubernetes' (else every one of them would be
 * taken for a forgery), and for everything when DNSSEC is off.
 *
 * It is also asked when our servers do not hand on signatures, as many routers
 * do: then nothing could be validated and no mail would flow.  So the first
 * question of all is for the root's keys.  The others wait for its answer for
 * two seconds at most.  When it is not validated DNSSEC is off, a line in the
 * log says so, and ten minutes later the servers are tried again. */
#include "core/outbound/dns.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unbound-event.h>
#include <unbound.h>
#include <unistd.h>

#include "core/outbound/dns_event.h"
#include "core/outbound/dns_resolver.h"
#include "core/outbound/resolv_conf.h"

#define PROBE_WAIT_MS 2000
#define PROBE_AGAIN_MS 600000
#define CLASS_IN 1
#define TYPE_DNSKEY 48
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define RCODE_REFUSED 5

enum { RESOLVER_ROOT, RESOLVER_OWN, RESOLVER_COUNT };

enum sec { SEC_INSECURE, SEC_BOGUS, SEC_SECURE }; /* libunbound's */

enum probe_state {
	PROBE_NEVER,   /* DNSSEC is off, or we ask the root's servers */
	PROBE_DUE,     /* with the first question */
	PROBE_AWAITED, /* asked, and the questions wait for it */
	PROBE_ASKED,   /* asked, and nobody waits */
	PROBE_ENDED,   /* not validated; waiting to try again */
	PROBE_GOOD,    /* for ever */
};

struct dns {
	struct loop *loop;
	struct log *log;
	struct dns_events *events;
	struct ub_ctx *resolvers[RESOLVER_COUNT]; /* NULL = not yet needed */
	struct dns_resolver_options options;
	unsigned timeout_ms;
	unsigned in_flight_max;
	struct list waiting;
	struct list asked;
	struct list answered; /* done() runs in the next turn */
	unsigned asked_count;
	bool validating; /* by the root's keys */
	enum probe_state probe;
	struct timer probe_timer; /* how long the state may last */
	int probe_id;
	bool probe_answered;
	char probe_why[120]; /* "" = validated */
	char anchor_file[PATH_MAX];
	struct resolv_conf conf;
};

/* Whether the root has nothing to say about it: a name of one label, or below
 * a domain that private networks use (RFC 6761, 6762, 8375, and habit). */
static bool name_is_private(struct slice name)
{
	const struct slice domains[] = {SLICE("local"), SLICE("internal"),
	    SLICE("lan"), SLICE("home"), SLICE("corp"), SLICE("localdomain"),
	    SLICE("intranet"), SLICE("private"), SLICE("test"),
	    SLICE("home.arpa")};

	if (slice_find(name, '.') == name.len)
		return true;
	for (size_t i = 0; i < COUNT(domains); i++) {
		struct slice end = domains[i];

		if (name.len <= end.len ||
		    name.at[name.len - end.len - 1] != '.')
			continue;
		if (slice_eq_nocase(
			slice_of(name.at + name.len - end.len, end.len), end))
			return true;
	}
	return false;
}

/* NULL, with a sentence, when it cannot be made. */
static struct ub_ctx *resolver_open(
    struct dns *dns, unsigned which, const char **why)
{
	if (dns->resolvers[which] == NULL) {
		dns->options.root_anchors = which == RESOLVER_ROOT;
		dns->resolvers[which] =
		    dns_resolver_open(&dns->options, dns->events, why);
	}
	return dns->resolvers[which];
}

static void run(struct dns *dns);

static void on_settled(struct op *op, int result)
{
	struct dns_query *q = container_of(op, struct dns_query, op);
	struct dns *dns = q->dns;

	(void)result;
	list_remove(&q->link);
	q->busy = false;
	if (dns != NULL)
		run(dns);
	q->done(q);
}

/* Its status is known; it is on no list. */
static void settle(struct dns *dns, struct dns_query *q, enum dns_status status)
{
	q->status = status;
	list_push_back(&dns->answered, &q->link);
	q->op.done = on_settled;
	loop_defer(dns->loop, &q->op, 0);
}

__attribute__((format(printf, 3, 4))) static void settle_failed(
    struct dns *dns, struct dns_query *q, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(q->why, sizeof(q->why), format, args);
	va_end(args);
	settle(dns, q, DNS_FAILED);
}

static const char *rcode_text(int rcode)
{
	switch (rcode) {
	case RCODE_SERVFAIL: return "the DNS servers fail (SERVFAIL)";
	case RCODE_REFUSED: return "the DNS servers refuse to answer";
	}
	return "the DNS servers answer with an error";
}

/* Off the list of those asked. */
static void unask(struct dns *dns, struct dns_query *q)
{
	check(dns->asked_count > 0);
	dns->asked_count--;
	list_remove(&q->link);
	timer_disarm(&q->timer);
}

static void on_resolved(void *argument, int rcode, void *packet, int packet_len,
    int sec, char *why_bogus, int ratelimited)
{
	struct dns_query *q = argument;
	struct dns *dns = q->dns;

	(void)ratelimited;
	unask(dns, q);
	q->secure = sec == SEC_SECURE;
	if (rcode == RCODE_NXDOMAIN) {
		settle(dns, q, DNS_NO_NAME);
		return;
	}
	if (sec == SEC_BOGUS) {
		settle_failed(dns, q, "DNSSEC: %s",
		    why_bogus != NULL ? why_bogus : "validation failed");
		return;
	}
	if (rcode != 0) {
		settle_failed(dns, q, "%s", rcode_text(rcode));
		return;
	}
	if (!dns_packet_read(
		slice_of(packet, (size_t)packet_len), q->type, &q->answer)) {
		q->answer.count = 0;
		settle_failed(dns, q, "the answer is malformed");
		return;
	}
	q->ttl_s = q->answer.ttl_s;
	if (q->answer.rcode == RCODE_NXDOMAIN)
		settle(dns, q, DNS_NO_NAME);
	else if (q->answer.rcode != 0)
		settle_failed(dns, q, "%s", rcode_text(q->answer.rcode));
	else
		settle(dns, q, q->answer.count > 0 ? DNS_FOUND : DNS_NO_DATA);
}

static void on_timeout(struct timer *timer)
{
	struct dns_query *q = container_of(timer, struct dns_query, timer);
	struct dns *dns = q->dns;

	ub_cancel(dns->resolvers[q->resolver], q->async_id);
	unask(dns, q);
	settle_failed(dns, q, "no answer from the DNS servers");
}

static void ask(struct dns *dns, struct dns_query *q)
{
	bool root = dns->validating && !name_is_private(slice_of_str(q->name));
	const char *why = NULL;

	q->resolver = root ? RESOLVER_ROOT : RESOLVER_OWN;
	struct ub_ctx *resolver = resolver_open(dns, q->resolver, &why);

	if (resolver == NULL) {
		settle_failed(dns, q, "%s", why);
		return;
	}
	list_push_back(&dns->asked, &q->link);
	dns->asked_count++;
	timer_arm(loop_timers(dns->loop), &q->timer, dns->timeout_ms);
	int err = ub_resolve_event(
	    resolver, q->name, q->type, CLASS_IN, q, on_resolved, &q->async_id);

	if (err == 0)
		return;
	unask(dns, q);
	if (err == UB_SYNTAX)
		settle(dns, q, DNS_NO_NAME);
	else
		settle_failed(dns, q, "libunbound: %s", ub_strerror(err));
}

/* Runs inside libunbound: on_probe_timer decides. */
static void on_probe_resolved(void *argument, int rcode, void *packet,
    int packet_len, int sec, char *why_bogus, int ratelimited)
{
	struct dns *dns = argument;
	const char *why = "";

	(void)packet;
	(void)packet_len;
	(void)ratelimited;
	if (rcode != 0)
		why = rcode_text(rcode);
	else if (sec == SEC_BOGUS)
		why = why_bogus != NULL ? why_bogus : "validation failed";
	else if (sec != SEC_SECURE)
		why = "the root is not signed";
	snprintf(dns->probe_why, sizeof(dns->probe_why), "%s", why);
	dns->probe_answered = true;
	timer_arm(loop_timers(dns->loop), &dns->probe_timer, 0);
}

static void log_validating(struct dns *dns, bool validating, const char *why)
{
	dns->validating = validating;
	log_begin(dns->log, validating ? LOG_INFO : LOG_WARN,
	    validating ? "dnssec_on" : "dnssec_off");
	if (!validating)
		log_str(dns->log, "why", why);
	log_end(dns->log);
}

static void probe_ask(struct dns *dns, enum probe_state state, unsigned wait_ms)
{
	const char *why = NULL;
	struct ub_ctx *resolver = resolver_open(dns, RESOLVER_ROOT, &why);

	dns->probe = state;
	dns->probe_answered = false;
	timer_arm(loop_timers(dns->loop), &dns->probe_timer, wait_ms);
	if (resolver == NULL ||
	    ub_resolve_event(resolver, ".", TYPE_DNSKEY, CLASS_IN, dns,
		on_probe_resolved, &dns->probe_id) != 0) {
		snprintf(dns->probe_why, sizeof(dns->probe_why), "%s",
		    why != NULL ? why : "libunbound fails");
		dns->probe_answered = true;
		timer_arm(loop_timers(dns->loop), &dns->probe_timer, 0);
	}
}

static void probe_end(struct dns *dns)
{
	bool good = dns->probe_answered && dns->probe_why[0] == '\0';

	if (good && !dns->validating)
		log_validating(dns, true, NULL);
	if (!good && dns->validating)
		log_validating(dns, false, dns->probe_why);
	dns->probe = good ? PROBE_GOOD : PROBE_ENDED;
	if (!good)
		timer_arm(
		    loop_timers(dns->loop), &dns->probe_timer, PROBE_AGAIN_MS);
}

static void on_probe_timer(struct timer *timer)
{
	struct dns *dns = container_of(timer, struct dns, probe_timer);

	switch (dns->probe) {
	case PROBE_AWAITED:
		if (dns->probe_answered) {
			probe_end(dns);
			break;
		}
		/* It may still be answered, but the mail waits no longer. */
		log_validating(dns, false,
		    "the DNS servers do not answer for the root's keys");
		dns->probe = PROBE_ASKED;
		timer_arm(
		    loop_timers(dns->loop), &dns->probe_timer, dns->timeout_ms);
		break;
	case PROBE_ASKED:
		if (!dns->probe_answered)
			ub_cancel(dns->resolvers[RESOLVER_ROOT], dns->probe_id);
		probe_end(dns);
		break;
	case PROBE_ENDED: probe_ask(dns, PROBE_ASKED, dns->timeout_ms); break;
	case PROBE_NEVER:
	case PROBE_DUE:
	case PROBE_GOOD: check(false); break;
	}
	run(dns);
}

/* Asks what may be asked now. */
static void run(struct dns *dns)
{
	if (dns->probe == PROBE_DUE && !list_empty(&dns->waiting))
		probe_ask(dns, PROBE_AWAITED, PROBE_WAIT_MS);
	while (dns->probe != PROBE_AWAITED &&
	       dns->asked_count < dns->in_flight_max &&
	       !list_empty(&dns->waiting)) {
		struct list *node = list_pop_front(&dns->waiting);

		ask(dns, container_of(node, struct dns_query, link));
	}
}

static void begin(struct dns *dns, uint16_t type, struct dns_query *q)
{
	check(!q->busy);
	q->busy = true;
	q->dns = dns;
	q->type = type;
	q->secure = false;
	q->why[0] = '\0';
	q->ttl_s = 0;
	q->answer.count = 0;
	list_init(&q->link);
	timer_init(&q->timer, on_timeout);
}

void dns_ask(
    struct dns *dns, struct slice name, uint16_t type, struct dns_query *q)
{
	begin(dns, type, q);
	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || name.len >= sizeof(q->name) ||
	    slice_find(name, '\0') < name.len) {
		settle(dns, q, DNS_NO_NAME);
		return;
	}
	memcpy(q->name, name.at, name.len);
	q->name[name.len] = '\0';
	list_push_back(&dns->waiting, &q->link);
	run(dns);
}

void dns_defer(struct dns *dns, struct dns_query *q)
{
	begin(dns, 0, q);
	settle(dns, q, DNS_NO_DATA);
}

struct slice dns_search_domain(const struct dns *dns, unsigned i)
{
	return i < dns->conf.search_count ? dns->conf.search[i] : SLICE("");
}

static bool server_add(struct dns *dns, struct slice server)
{
	struct dns_resolver_options *options = &dns->options;

	if (!dns_server_valid(server)) {
		log_begin(dns->log, LOG_WARN, "dns_server_refused");
		log_slice(dns->log, "server", server);
		log_end(dns->log);
		return false;
	}
	if (options->server_count < DNS_SERVERS_MAX) {
		char *room = options->servers[options->server_count++];

		memcpy(room, server.at, server.len);
		room[server.len] = '\0';
	}
	return true;
}

/* Sets *recursive when there are to be none. */
static int servers_read(
    struct dns *dns, const struct dns_options *options, bool *recursive)
{
	*recursive = options->server_count == 1 &&
		     strcmp(options->servers[0], "recursive") == 0;
	resolv_conf_read(&dns->conf, options->resolv_conf != NULL
					 ? options->resolv_conf
					 : "/etc/resolv.conf");
	if (*recursive)
		return 0;
	for (unsigned i = 0; i < options->server_count; i++)
		if (!server_add(dns, slice_of_str(options->servers[i])))
			return -EINVAL;
	if (options->server_count > 0)
		return 0;
	for (unsigned i = 0; i < dns->conf.server_count; i++)
		(void)server_add(dns, dns->conf.servers[i]);
	/* Without any, libunbound would go to the root. */
	if (dns->options.server_count == 0)
		(void)server_add(dns, SLICE("127.0.0.1"));
	return 0;
}

static int anchor_file_find(struct dns *dns, const char *path)
{
	size_t len = strlen(path);

	if (len >= sizeof(dns->anchor_file))
		return -ENAMETOOLONG;
	memcpy(dns->anchor_file, path, len + 1);
	if (access(path, R_OK) < 0)
		return -errno;
	dns->options.anchor_file = dns->anchor_file;
	return 0;
}

int dns_open(struct dns **out, const struct dns_options *options,
    struct loop *loop, struct log *log)
{
	struct dns *dns = mmap(NULL, sizeof(*dns), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool recursive;

	if (dns == MAP_FAILED)
		return -ENOMEM;
	dns->loop = loop;
	dns->log = log;
	dns->timeout_ms =
	    options->timeout_ms > 0 ? options->timeout_ms : DNS_TIMEOUT_MS;
	dns->in_flight_max = options->in_flight_max > 0 ? options->in_flight_max
							: DNS_IN_FLIGHT_MAX;
	list_init(&dns->waiting);
	list_init(&dns->asked);
	list_init(&dns->answered);
	timer_init(&dns->probe_timer, on_probe_timer);
	int err = servers_read(dns, options, &recursive);

	if (err == 0 && options->dnssec && options->trust_anchor_file != NULL)
		err = anchor_file_find(dns, options->trust_anchor_file);
	if (err < 0)
		goto unmap;
	dns->validating = options->dnssec;
	dns->probe = options->dnssec && !recursive ? PROBE_DUE : PROBE_NEVER;
	err = dns_events_open(&dns->events, loop);
	if (err < 0)
		goto unmap;
	*out = dns;
	return 0;
unmap:
	munmap(dns, sizeof(*dns));
	return err;
}

void dns_close(struct dns *dns)
{
	struct list *node;

	if (dns->probe == PROBE_AWAITED || dns->probe == PROBE_ASKED)
		if (!dns->probe_answered)
			ub_cancel(dns->resolvers[RESOLVER_ROOT], dns->probe_id);
	timer_disarm(&dns->probe_timer);
	LIST_EACH_SAFE (each, &dns->asked) {
		struct dns_query *q =
		    container_of(each, struct dns_query, link);

		ub_cancel(dns->resolvers[q->resolver], q->async_id);
		unask(dns, q);
		list_push_back(&dns->waiting, &q->link);
	}
	while ((node = list_pop_front(&dns->waiting)) != NULL)
		settle_failed(dns, container_of(node, struct dns_query, link),
		    "the resolver was closed");
	while ((node = list_pop_front(&dns->answered)) != NULL)
		container_of(node, struct dns_query, link)->dns = NULL;
	for (size_t i = 0; i < RESOLVER_COUNT; i++)
		if (dns->resolvers[i] != NULL)
			ub_ctx_delete(dns->resolvers[i]);
	dns_events_close(dns->events);
	munmap(dns, sizeof(*dns));
}
