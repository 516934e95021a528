/* dns.h -- questions to the DNS, by libunbound on our loop.
 *
 * One resolver a worker.  Answers are parsed into the query before done() runs;
 * done() never runs inside dns_ask. */
#ifndef CORE_OUTBOUND_DNS_H
#define CORE_OUTBOUND_DNS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/log.h"
#include "core/base/loop.h"
#include "core/base/slice.h"
#include "proto/dns_packet.h"

#define DNS_SERVERS_MAX 8
#define DNS_TIMEOUT_MS 20000
#define DNS_IN_FLIGHT_MAX 200

struct dns;

struct dns_options {
	const char *const *servers; /* "192.0.2.1", "127.0.0.1@5353"; none =
				     * resolv.conf; {"recursive"} = root */
	unsigned server_count;
	const char *resolv_conf; /* NULL = /etc/resolv.conf */
	bool dnssec;
	const char *trust_anchor_file; /* NULL = none */
	unsigned timeout_ms;	       /* of one question; 0 = DNS_TIMEOUT_MS */
	unsigned in_flight_max;	       /* more wait their turn; 0 =
					* DNS_IN_FLIGHT_MAX */
};

/* Reads resolv.conf and the anchor file's existence; opens no socket and asks
 * nothing before the first question.  What the options point to may go.
 * -EINVAL for a server that is no address (a log line says which). */
MUST_USE int dns_open(struct dns **dns, const struct dns_options *options,
    struct loop *loop, struct log *log);
/* Questions still open end with DNS_FAILED in the loop's next turn. */
void dns_close(struct dns *dns);

enum dns_status {
	DNS_FOUND,   /* records of the type asked */
	DNS_NO_DATA, /* the name exists, without such records */
	DNS_NO_NAME, /* NXDOMAIN, or not a name at all */
	DNS_FAILED,  /* SERVFAIL, time-out, bogus signature: try later */
};

struct dns_query {
	void (*done)(struct dns_query *q);
	enum dns_status status;
	bool secure;	/* validated by DNSSEC; also of "there is none" */
	char why[120];	/* DNS_FAILED: a sentence */
	uint32_t ttl_s; /* of the records; 0 when there are none */
	struct dns_answer answer; /* proto/dns_packet.h: bounded records */
	/* private */
	struct op op;
	struct timer timer;
	struct list link;
	struct dns *dns;
	int async_id;
	uint16_t type;
	uint8_t resolver; /* index of the one that was asked */
	bool busy;
	char name[DNS_NAME_MAX + 1];
};

/* `name` (text as in RFC 1035, 5.1; absolute with or without the final dot) is
 * read before the call returns.  Types: DNS_TYPE_A, _AAAA, _MX, _TLSA, _TXT,
 * _PTR. */
void dns_ask(
    struct dns *dns, struct slice name, uint16_t type, struct dns_query *q);

/* Asks nothing, but runs done() in the next turn, with DNS_NO_DATA: for who
 * has the answer already and may not give it at once. */
void dns_defer(struct dns *dns, struct dns_query *q);

/* The `i`th domain of resolv.conf's search list, without dots at its ends; an
 * empty slice behind the last. */
struct slice dns_search_domain(const struct dns *dns, unsigned i);

#endif
