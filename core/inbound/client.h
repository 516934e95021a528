/* client.h -- how many sessions one client address has. */
#ifndef CORE_INBOUND_CLIENT_H
#define CORE_INBOUND_CLIENT_H

#include "core/inbound/service.h"

struct inbound_client {
	struct map_node node;
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t session_count;
};

/* Counts a session; NULL when the address has `max` already, or max is 0
 * (nothing is counted then). */
struct inbound_client *inbound_client_take(struct inbound_service *s,
    const union socket_address *address, uint32_t max);
/* The session is over; NULL is good. */
void inbound_client_give(
    struct inbound_service *s, struct inbound_client *client);

#endif
