/* socket_address.c -- an address of the network as text. */
#include "core/base/socket_address.h"

#include <arpa/inet.h>

struct socket_address_text socket_address_format(const union socket_address *a)
{
	struct socket_address_text text = {"unknown", 0};

	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->v4.sin_addr, text.at, sizeof(text.at));
	else if (a->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->v6.sin6_addr, text.at, sizeof(text.at));
	text.len = strlen(text.at);
	return text;
}
