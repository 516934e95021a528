/* network.h -- addresses and CIDR networks, IPv4 and IPv6. */
#ifndef CORE_CONFIG_NETWORK_H
#define CORE_CONFIG_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "core/base/slice.h"

struct network {
	uint8_t base[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t bits;	  /* of 128 that must match */
};

struct network_list {
	struct network *at;
	size_t count;
};

/* "10.0.0.0/8", "::1", "[fe80::]/10", "*" is the caller's (two networks).
 * Host bits behind the mask must be zero (false otherwise, *why says so). */
bool network_parse(struct slice text, struct network *n, const char **why);

/* As network_parse reads it; an address alone has no mask. */
#define NETWORK_TEXT_MAX 64
void network_format(const struct network *n, char text[NETWORK_TEXT_MAX]);

/* An address without brackets, mask or port; IPv4 becomes ::ffff:a.b.c.d. */
bool address_bytes(struct slice text, uint8_t bytes[16]);

/* An IPv4-mapped IPv6 address counts as IPv4. */
bool network_list_has(
    const struct network_list *list, const struct sockaddr *address);

#endif
