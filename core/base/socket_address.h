/* socket_address.h -- where somebody is on the network: IPv4 or IPv6, a port.
 */
#ifndef CORE_BASE_SOCKET_ADDRESS_H
#define CORE_BASE_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/slice.h"

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct socket_address_text {
	char at[INET6_ADDRSTRLEN]; /* NUL-terminated */
	size_t len;
};

/* The address without the port; "unknown" for another family. */
struct socket_address_text socket_address_format(const union socket_address *a);

/* 127.0.0.0/8, ::1. */
static inline bool socket_address_is_loopback(const union socket_address *a)
{
	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
	return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

static inline struct slice socket_address_slice(
    const struct socket_address_text *text)
{
	return slice_of(text->at, text->len);
}

#endif
