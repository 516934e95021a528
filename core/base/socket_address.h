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

static inline struct slice socket_address_slice(
    const struct socket_address_text *text)
{
	return slice_of(text->at, text->len);
}

#endif
