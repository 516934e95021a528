/* relay_host.h -- config.relay.host: to whom all mail goes. */
#ifndef CORE_OUTBOUND_RELAY_HOST_H
#define CORE_OUTBOUND_RELAY_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

#define RELAY_PORT_DEFAULT 25

struct relay_host {
	struct slice host; /* a name, or an address; without brackets, without
			    * the final dot; looks into the text */
	uint16_t port;
	bool use_mx; /* a name without brackets */
};

/* host, host:port, [host], [host]:port, an IPv4 or IPv6 address in place of
 * host (IPv6 with a port only in brackets).  A port is a number, or smtp,
 * submission, submissions, smtps.  False when the text is none of these. */
bool relay_host_parse(struct slice text, struct relay_host *relay);

#endif
