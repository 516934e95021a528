/* dns_resolver.h -- one context of libunbound, set up as we want it. */
#ifndef CORE_OUTBOUND_DNS_RESOLVER_H
#define CORE_OUTBOUND_DNS_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/check.h"
#include "core/base/slice.h"
#include "core/outbound/dns.h"
#include "core/outbound/dns_event.h"

#define DNS_SERVER_LEN_MAX 63 /* address, scope and port */

struct ub_ctx;

struct dns_resolver_options {
	unsigned server_count; /* 0 = from the root */
	char servers[DNS_SERVERS_MAX][DNS_SERVER_LEN_MAX + 1];
	bool root_anchors;	 /* validate what is below the root's keys */
	const char *anchor_file; /* validate what it has anchors for; or NULL */
};

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0", each perhaps with "@port". */
bool dns_server_valid(struct slice text);

/* Opens no socket yet.  NULL with a sentence in *why.  It is given back by
 * ub_ctx_delete. */
MUST_USE struct ub_ctx *dns_resolver_open(
    const struct dns_resolver_options *options, struct dns_events *events,
    const char **why);

#endif
