/* route.h -- from a destination to the addresses of its hosts, in order.
 *
 * RFC 5321, 5.1: MX by preference, at random among equals, A/AAAA of the name
 * itself when there is no MX; RFC 7505: null MX = never.  CNAMEs are followed
 * by the resolver.  All addresses of the most preferred hosts come first, of
 * one host IPv6 and IPv4 by turns. */
#ifndef CORE_OUTBOUND_ROUTE_H
#define CORE_OUTBOUND_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/loop.h"
#include "core/base/rng.h"
#include "core/base/slice.h"
#include "core/outbound/dns.h"
#include "core/outbound/relay_host.h"
#include "proto/outcome.h"

#define ROUTE_HOSTS_MAX 16     /* MX hosts that are looked at */
#define ROUTE_ADDRESSES_MAX 32 /* addresses that are tried */

struct route_address {
	union socket_address address; /* with the port */
	uint8_t host;		      /* index into hosts */
};

struct route_host {
	char name[DNS_NAME_MAX + 2]; /* NUL-terminated, no final dot */
	uint16_t preference;
	bool secure; /* address records validated (for DANE) */
};

struct route_options {
	struct dns *dns;
	struct rng *rng;
	uint16_t port; /* of MX hosts */
	bool use_v4, use_v6;
};

enum route_state {
	ROUTE_MX,	 /* waiting for the MX records of `name` */
	ROUTE_ADDRESSES, /* waiting for A and AAAA of hosts[host_next] */
	ROUTE_KNOWN,	 /* nothing to ask: waiting for our turn */
};

/* One resolution; lies in its owner until done() ran. */
struct route {
	void (*done)(struct route *r);
	void *owner; /* for done() */
	/* the result: */
	struct outcome failure; /* kind OUTCOME_NONE = good */
	bool mx_secure;
	bool relay;		     /* it was asked for the relay host, */
	bool literal;		     /* or for an address; else the name, */
	char name[DNS_NAME_MAX + 2]; /* with a search domain if need be */
	unsigned host_count;
	struct route_host hosts[ROUTE_HOSTS_MAX];
	unsigned address_count; /* >= 1 when good */
	struct route_address addresses[ROUTE_ADDRESSES_MAX];
	/* private: */
	bool busy;
	bool use_mx;
	bool no_such_name;  /* all answers so far said so */
	bool lookup_failed; /* one of them; `why` says how */
	enum route_state state;
	unsigned host_next;
	unsigned search_next; /* in the search list */
	unsigned waiting_count;
	struct route_options options;
	char domain[DNS_NAME_MAX + 2]; /* as it was given */
	char why[120];
	struct dns_query query[2]; /* AAAA, A */
};

/* `next_hop`: a domain, "[1.2.3.4]" or "[IPv6:...]" (address literal of a
 * recipient), or with `relay` = config.relay.host, see relay_host.h.  A relay
 * host that cannot be found is never the recipient's fault: always deferred,
 * and looked for in resolv.conf's search domains.  done() never runs inside
 * the call. */
void route_find(const struct route_options *options, struct slice next_hop,
    bool relay, struct route *r);

#endif
