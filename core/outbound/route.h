/* route.h -- from a destination to the addresses of its hosts, in order.
 *
 * RFC 5321, 5.1: MX by preference, at random among equals, A/AAAA of the name
 * itself when there is no MX; RFC 7505: null MX = never.  CNAMEs are followed
 * by the resolver.  Hosts are looked up as far as needed: all addresses of the
 * most preferred hosts first.  Own address in the list (a mail loop): that MX
 * and all less preferred ones are dropped (RFC 5321, 5.1). */
#ifndef CORE_OUTBOUND_ROUTE_H
#define CORE_OUTBOUND_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/loop.h"
#include "core/base/rng.h"
#include "core/base/slice.h"
#include "core/outbound/dns.h"
#include "proto/outcome.h"

#define ROUTE_HOSTS_MAX 16     /* MX hosts that are looked at */
#define ROUTE_ADDRESSES_MAX 32 /* addresses that are tried */

struct route_address {
	union socket_address address;	/* with the port */
	uint8_t host;		/* index into hosts */
};

struct route_host {
	char name[256];		/* NUL-terminated, without the final dot */
	uint16_t preference;
	bool secure;		/* address records validated (for DANE later) */
};

/* One resolution; lies in its owner until done() ran. */
struct route {
	void (*done)(struct route *r);
	void *owner; /* for done() */
	/* the result: */
	struct outcome failure;	 /* kind OUTCOME_NONE = good */
	bool mx_secure;
	unsigned host_count;
	struct route_host hosts[ROUTE_HOSTS_MAX];
	unsigned address_count;	 /* >= 1 when good */
	struct route_address addresses[ROUTE_ADDRESSES_MAX];
	/* private: */
	struct dns_query query[2];
	bool busy;
};

struct route_options {
	struct dns *dns;
	struct rng *rng;
	uint16_t port;		 /* of MX hosts */
	bool use_v4, use_v6;
};

/* `next_hop`: a domain, "[1.2.3.4]" or "[IPv6:...]" (address literal of a
 * recipient), or with `relay` = config.relay.host: host, host:port,
 * [host]:port, [::1]:port; brackets = no MX (configuration.md).  done() never
 * runs inside the call. */
void route_find(const struct route_options *options, struct slice next_hop,
    bool relay, struct route *r);

/* config.relay.host's parts; false when it is none of the forms. */
struct relay_host {
	struct slice host;  /* without brackets */
	uint16_t port;
	bool use_mx;
};
bool relay_host_parse(struct slice text, struct relay_host *relay);

#endif
