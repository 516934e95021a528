/* proxy.c -- the PROXY protocol header, versions 1 and 2 (receiver's side).
 *
 * Version 1 is a line:  PROXY TCP4 192.0.2.1 198.51.100.7 56324 25 CR LF
 * of at most 107 bytes.  Version 2 is
 *
 *   0   12  signature  0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A
 *   12  1   version 2 in the upper half, command (0 LOCAL, 1 PROXY) in the
 * lower 13  1   family and transport: 0x11 TCP4, 0x21 TCP6, 0x31 Unix, 0x00
 * none 14  2   length of what follows, big endian 16  .   source, destination,
 * source port, destination port; then TLVs
 *
 * The sender is a proxy that we trust, so nothing is guessed: what differs from
 * the form by a blank is no header. */
#include "proto/proxy.h"

#include <arpa/inet.h>

#include "core/base/check.h"

#define V1_LEN_MAX 107
#define V2_FIXED_LEN 16

static const uint8_t v2_signature[12] = {
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

/* Whether `in` and `form` are equal as far as both go. */
static bool agrees(struct slice in, struct slice form)
{
	size_t len = in.len < form.len ? in.len : form.len;

	return slice_eq(slice_of(in.at, len), slice_of(form.at, len));
}

static bool read_port(struct slice text, in_port_t *port)
{
	uint64_t number;

	if (!slice_number(text, &number) || number > 65535)
		return false;
	if (text.len > 1 && text.at[0] == '0')
		return false;
	*port = htons((uint16_t)number);
	return true;
}

static bool read_host(int family, struct slice text, void *address)
{
	char room[INET6_ADDRSTRLEN];

	if (text.len >= sizeof(room) || slice_find(text, '\0') < text.len)
		return false;
	memcpy(room, text.at, text.len);
	room[text.len] = '\0';
	return inet_pton(family, room, address) == 1;
}

static bool v1_endpoint(int family, struct slice host, struct slice port,
    struct sockaddr_storage *address)
{
	*address = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	if (family == AF_INET) {
		struct sockaddr_in in = {.sin_family = AF_INET};

		if (!read_host(AF_INET, host, &in.sin_addr) ||
		    !read_port(port, &in.sin_port))
			return false;
		memcpy(address, &in, sizeof(in));
		return true;
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (!read_host(AF_INET6, host, &in6.sin6_addr) ||
	    !read_port(port, &in6.sin6_port))
		return false;
	memcpy(address, &in6, sizeof(in6));
	return true;
}

/* The line behind "PROXY ", without its end. */
static enum proxy_result v1_line(struct slice line, struct proxy_client *client)
{
	struct slice words[4];
	struct slice protocol = slice_cut_at(&line, ' ');
	int family;

	if (slice_eq(protocol, SLICE("UNKNOWN")))
		return PROXY_LOCAL; /* whatever follows is to be ignored */
	if (slice_eq(protocol, SLICE("TCP4")))
		family = AF_INET;
	else if (slice_eq(protocol, SLICE("TCP6")))
		family = AF_INET6;
	else
		return PROXY_BAD;
	for (size_t i = 0; i < COUNT(words) - 1; i++)
		words[i] = slice_cut_at(&line, ' ');
	words[3] = line; /* a blank too many stands in it, and is refused */
	if (!v1_endpoint(family, words[0], words[2], &client->address) ||
	    !v1_endpoint(family, words[1], words[3], &client->destination))
		return PROXY_BAD;
	return PROXY_KNOWN;
}

static enum proxy_result v1_decode(
    struct slice in, struct proxy_client *client, size_t *header_len)
{
	struct slice line = in;

	if (line.len > V1_LEN_MAX)
		line.len = V1_LEN_MAX;
	size_t end = slice_find(line, '\n');
	size_t cr = slice_find(line, '\r');

	if (end == line.len) { /* a CR may only be what came last */
		if (line.len == V1_LEN_MAX || cr + 1 < line.len)
			return PROXY_BAD;
		return PROXY_MORE;
	}
	if (cr + 1 != end)
		return PROXY_BAD;
	*header_len = end + 1;
	line.len = cr;
	if (line.len < sizeof("PROXY ") - 1)
		return PROXY_BAD;
	slice_cut(&line, sizeof("PROXY ") - 1);
	return v1_line(line, client);
}

static enum proxy_result v2_addresses(
    uint8_t family, struct slice in, struct proxy_client *client)
{
	client->address = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	client->destination = client->address;
	if (family == 0x11) {
		struct sockaddr_in a = {.sin_family = AF_INET};
		struct sockaddr_in b = a;

		memcpy(&a.sin_addr, in.at, 4);
		memcpy(&b.sin_addr, in.at + 4, 4);
		memcpy(&a.sin_port, in.at + 8, 2);
		memcpy(&b.sin_port, in.at + 10, 2);
		memcpy(&client->address, &a, sizeof(a));
		memcpy(&client->destination, &b, sizeof(b));
		return PROXY_KNOWN;
	}
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	struct sockaddr_in6 b = a;

	memcpy(&a.sin6_addr, in.at, 16);
	memcpy(&b.sin6_addr, in.at + 16, 16);
	memcpy(&a.sin6_port, in.at + 32, 2);
	memcpy(&b.sin6_port, in.at + 34, 2);
	memcpy(&client->address, &a, sizeof(a));
	memcpy(&client->destination, &b, sizeof(b));
	return PROXY_KNOWN;
}

/* Bytes that the addresses of a family take; SIZE_MAX when it is not one that
 * an SMTP connection can have. */
static size_t v2_addresses_len(uint8_t family)
{
	switch (family) {
	case 0x00: return 0;
	case 0x11: return 12;
	case 0x21: return 36;
	case 0x31: return 216;
	default: return SIZE_MAX; /* any byte of a stranger */
	}
}

static enum proxy_result v2_decode(
    struct slice in, struct proxy_client *client, size_t *header_len)
{
	bool local;

	if (in.len > 12 && in.at[12] != 0x20 && in.at[12] != 0x21)
		return PROXY_BAD;
	if (in.len < V2_FIXED_LEN)
		return PROXY_MORE;
	local = in.at[12] == 0x20;
	uint8_t family = in.at[13];
	size_t len = (size_t)in.at[14] << 8 | in.at[15];

	if (V2_FIXED_LEN + len > PROXY_HEADER_MAX)
		return PROXY_BAD;
	if (!local && len < v2_addresses_len(family))
		return PROXY_BAD;
	if (in.len < V2_FIXED_LEN + len)
		return PROXY_MORE;
	*header_len = V2_FIXED_LEN + len;
	if (local || family == 0x00 || family == 0x31)
		return PROXY_LOCAL;
	slice_cut(&in, V2_FIXED_LEN);
	return v2_addresses(family, in, client);
}

enum proxy_result proxy_decode(
    struct slice in, struct proxy_client *client, size_t *header_len)
{
	*header_len = 0;
	if (in.len == 0)
		return PROXY_MORE;
	if (agrees(in, slice_of(v2_signature, sizeof(v2_signature))))
		return v2_decode(in, client, header_len);
	if (agrees(in, SLICE("PROXY ")))
		return v1_decode(in, client, header_len);
	return PROXY_BAD;
}
