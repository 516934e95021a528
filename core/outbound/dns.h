/* dns.h -- questions to the DNS, by libunbound on our loop.
 *
 * One context a worker.  Answers are parsed into the query before done() runs;
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

struct dns;

struct dns_options {
	const char *const *servers; /* "192.0.2.1", "127.0.0.1@5353"; none =
				     * resolv.conf; {"recursive"} = root */
	unsigned server_count;
	const char *resolv_conf;    /* NULL = /etc/resolv.conf */
	bool dnssec;
	const char *trust_anchor_file; /* NULL = none */
	unsigned timeout_ms;	    /* of one question; 0 = 20 s */
	unsigned in_flight_max;	    /* 0 = 200; more wait their turn */
};

MUST_USE int dns_open(struct dns **dns, const struct dns_options *options,
    struct loop *loop, struct log *log);
void dns_close(struct dns *dns);

enum dns_status {
	DNS_FOUND,     /* records of the type asked */
	DNS_NO_DATA,   /* the name exists, without such records */
	DNS_NO_NAME,   /* NXDOMAIN */
	DNS_FAILED,    /* SERVFAIL, time-out, bogus signature: try later */
};

struct dns_query {
	void (*done)(struct dns_query *q);
	enum dns_status status;
	bool secure;	       /* validated by DNSSEC */
	char why[120];	       /* DNS_FAILED: a sentence */
	uint32_t ttl_s;
	struct dns_answer answer; /* proto/dns_packet.h: bounded records */
	/* private */
	struct op op;
	struct timer timer;
	struct list link;
	struct dns *dns;
	int async_id;
	bool busy;
};

/* `name` is read before the call returns.  Types: DNS_TYPE_A, _AAAA, _MX,
 * _TLSA, _TXT, _PTR. */
void dns_ask(struct dns *dns, struct slice name, uint16_t type,
    struct dns_query *q);

#endif
