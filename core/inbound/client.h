/* client.h -- how many of something one client has: sessions, handshakes. */
#ifndef CORE_INBOUND_CLIENT_H
#define CORE_INBOUND_CLIENT_H

#include "core/base/map.h"
#include "core/base/pool.h"
#include "core/base/socket_address.h"

struct inbound_client {
	struct map_node node;
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t count;
};

struct inbound_clients {
	struct map map;
	struct pool pool;
	bool by_network; /* IPv6: a /64 is one client */
};

/* For so many clients at once.  Returns 0 or -ENOMEM. */
MUST_USE int inbound_clients_init(
    struct inbound_clients *t, const char *name, size_t count_max);

/* Counts one; NULL when the client has `max` already, or max is 0 (nothing is
 * counted then). */
struct inbound_client *inbound_client_take(struct inbound_clients *t,
    const union socket_address *address, uint32_t max);
/* One less; NULL is good. */
void inbound_client_give(
    struct inbound_clients *t, struct inbound_client *client);

#endif
