/* network.c -- addresses and CIDR networks, IPv4 and IPv6.
 *
 * IPv4 is kept as ::ffff:a.b.c.d, 96 bits longer.  The families stay apart all
 * the same: ::/0 means every IPv6 address and no IPv4 one. */
#include "core/config/network.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const uint8_t base[16])
{
	return memcmp(base, mapped, sizeof(mapped)) == 0;
}

bool address_bytes(struct slice text, uint8_t bytes[16])
{
	char copy[INET6_ADDRSTRLEN + 1] = {0};

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.at, text.len);
	if (strlen(copy) != text.len)
		return false;
	memcpy(bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, copy, bytes + 12) == 1 ||
	       inet_pton(AF_INET6, copy, bytes) == 1;
}

static bool bits_beyond(const uint8_t base[16], unsigned bits)
{
	for (unsigned bit = bits; bit < 128; bit++)
		if (base[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

/* Takes the brackets off "[fe80::]". */
static struct slice unbracketed(struct slice s)
{
	if (s.len >= 2 && s.at[0] == '[' && s.at[s.len - 1] == ']')
		return slice_of(s.at + 1, s.len - 2);
	return s;
}

bool network_parse(struct slice text, struct network *n, const char **why)
{
	bool masked = slice_find(text, '/') < text.len;
	struct slice address = slice_cut_at(&text, '/');
	uint64_t bits = 128;

	*n = (struct network){.bits = 128};
	if (!address_bytes(unbracketed(address), n->base)) {
		*why = "not an IPv4 or IPv6 address or network";
		return false;
	}
	bool v4 = is_v4(n->base) && slice_find(address, ':') == address.len;
	if (masked) {
		uint64_t widest = v4 ? 32 : 128;

		if (!slice_number(text, &bits) || bits > widest) {
			*why = v4 ? "the number after / must be 0 to 32"
				  : "the number after / must be 0 to 128";
			return false;
		}
		if (v4)
			bits += 96;
	}
	if (bits_beyond(n->base, (unsigned)bits)) {
		*why = "bits behind the mask are not zero";
		return false;
	}
	n->bits = (uint8_t)bits;
	return true;
}

static bool network_has(const struct network *n, const uint8_t at[16])
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	bool v4_only = is_v4(n->base) && n->bits >= 96;

	if (v4_only != is_v4(at))
		return false;
	if (memcmp(n->base, at, whole) != 0)
		return false;
	return rest == 0 || (n->base[whole] ^ at[whole]) >> (8 - rest) == 0;
}

bool network_list_has(
    const struct network_list *list, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	uint8_t at[16];

	if (address->sa_family == AF_INET) {
		memcpy(at, mapped, sizeof(mapped));
		memcpy(at + 12, &v4->sin_addr, 4);
	} else if (address->sa_family == AF_INET6) {
		memcpy(at, &v6->sin6_addr, 16);
	} else {
		return false;
	}
	for (size_t i = 0; i < list->count; i++)
		if (network_has(&list->at[i], at))
			return true;
	return false;
}

void network_format(const struct network *n, char text[NETWORK_TEXT_MAX])
{
	bool v4 = is_v4(n->base) && n->bits >= 96;
	unsigned bits = v4 ? n->bits - 96u : n->bits;

	if (v4)
		inet_ntop(AF_INET, n->base + 12, text, NETWORK_TEXT_MAX);
	else
		inet_ntop(AF_INET6, n->base, text, NETWORK_TEXT_MAX);
	size_t len = strlen(text);
	if (bits < (v4 ? 32 : 128))
		snprintf(text + len, NETWORK_TEXT_MAX - len, "/%u", bits);
}
