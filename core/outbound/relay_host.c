/* relay_host.c -- config.relay.host: to whom all mail goes.
 *
 * The forms are Postfix's relayhost: without brackets the name's MX records
 * say which hosts, with brackets the name is the host. */
#include "core/outbound/relay_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/base/check.h"

#define HOST_LEN_MAX 253

struct port_name {
	struct slice name;
	uint16_t port;
};

static bool port_parse(struct slice text, uint16_t *port)
{
	const struct port_name names[] = {
	    {SLICE("smtp"), 25},
	    {SLICE("smtps"), 465},
	    {SLICE("submission"), 587},
	    {SLICE("submissions"), 465},
	};
	uint64_t number;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (slice_eq_nocase(text, names[i].name)) {
			*port = names[i].port;
			return true;
		}
	}
	if (!slice_number(text, &number) || number == 0 || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool is_address(struct slice host, int family)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = '\0';
	return strlen(text) == host.len &&
	       inet_pton(family, text, &address) == 1;
}

static bool is_name_byte(uint8_t c)
{
	c = byte_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

/* Labels of 1 to 63 bytes.  An underscore is not for host names, but Docker
 * and others make such names. */
static bool is_name(struct slice host)
{
	size_t label_len = 0;

	if (host.len == 0 || host.len > HOST_LEN_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		if (host.at[i] == '.' && label_len > 0) {
			label_len = 0;
			continue;
		}
		if (!is_name_byte(host.at[i]) || ++label_len > 63)
			return false;
	}
	return label_len > 0;
}

static bool host_parse(struct slice host, struct relay_host *relay)
{
	const struct slice tag = SLICE("IPv6:");

	if (is_address(host, AF_INET) || is_address(host, AF_INET6)) {
		relay->use_mx = false;
		relay->host = host;
		return true;
	}
	/* As an address literal has it (RFC 5321, 4.1.3). */
	if (!relay->use_mx && slice_starts_nocase(host, tag)) {
		slice_cut(&host, tag.len);
		relay->host = host;
		return is_address(host, AF_INET6);
	}
	if (host.len > 0 && host.at[host.len - 1] == '.')
		host.len--;
	relay->host = host;
	return is_name(host);
}

bool relay_host_parse(struct slice text, struct relay_host *relay)
{
	text = slice_trim(text);
	*relay = (struct relay_host){.port = RELAY_PORT_DEFAULT};
	if (text.len > 0 && text.at[0] == '[') {
		if (slice_find(text, ']') == text.len)
			return false;
		slice_cut(&text, 1);
		struct slice host = slice_cut_at(&text, ']');

		if (text.len > 0 &&
		    (text.at[0] != ':' ||
			!port_parse(
			    slice_of(text.at + 1, text.len - 1), &relay->port)))
			return false;
		return host_parse(host, relay);
	}
	relay->use_mx = true;
	if (slice_find(text, ':') == text.len || is_address(text, AF_INET6))
		return host_parse(text, relay);
	struct slice host = slice_cut_at(&text, ':');

	return port_parse(text, &relay->port) && host_parse(host, relay);
}
