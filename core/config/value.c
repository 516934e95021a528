/* value.c -- booleans, sizes, durations, names, addresses with ports. */
#include "core/config/value.h"

#include "core/base/check.h"
#include "core/config/network.h"

bool value_bool(struct slice text, bool *truth)
{
	static const struct {
		const char *word;
		bool truth;
	} words[] = {
	    {"true", true},
	    {"yes", true},
	    {"on", true},
	    {"1", true},
	    {"false", false},
	    {"no", false},
	    {"off", false},
	    {"0", false},
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!slice_eq_nocase(text, slice_of_str(words[i].word)))
			continue;
		*truth = words[i].truth;
		return true;
	}
	return false;
}

struct unit {
	char letter;
	uint64_t factor;
};

static const struct unit size_units[] = {
    {'T', 1ull << 40},
    {'G', 1ull << 30},
    {'M', 1ull << 20},
    {'K', 1ull << 10},
};

static const struct unit duration_units[] = {
    {'w', 7 * 86400},
    {'d', 86400},
    {'h', 3600},
    {'m', 60},
    {'s', 1},
};

static bool number_with_unit(
    struct slice text, const struct unit *units, size_t count, uint64_t *number)
{
	if (text.len == 0)
		return false;
	uint8_t letter = byte_lower(text.at[text.len - 1]);

	for (size_t i = 0; i < count; i++) {
		if (letter != byte_lower((uint8_t)units[i].letter))
			continue;
		text.len--;
		return slice_number(text, number) &&
		       !__builtin_mul_overflow(
			   *number, units[i].factor, number);
	}
	return false;
}

bool value_size(struct slice text, uint64_t *bytes)
{
	return slice_number(text, bytes) ||
	       number_with_unit(text, size_units, COUNT(size_units), bytes);
}

bool value_duration(struct slice text, uint64_t *seconds)
{
	return number_with_unit(
	    text, duration_units, COUNT(duration_units), seconds);
}

void value_size_put(struct buf *b, uint64_t bytes)
{
	for (size_t i = 0; i < COUNT(size_units); i++) {
		uint64_t factor = size_units[i].factor;

		if (bytes == 0 || bytes % factor != 0)
			continue;
		buf_put_number(b, bytes / factor);
		buf_put_byte(b, (uint8_t)size_units[i].letter);
		return;
	}
	buf_put_number(b, bytes);
}

void value_duration_put(struct buf *b, uint64_t seconds)
{
	for (size_t i = 0; i < COUNT(duration_units); i++) {
		uint64_t factor = duration_units[i].factor;

		/* Nobody says 1w for 7d of retrying. */
		if (duration_units[i].letter == 'w')
			continue;
		if (factor > 1 && (seconds == 0 || seconds % factor != 0))
			continue;
		buf_put_number(b, seconds / factor);
		buf_put_byte(b, (uint8_t)duration_units[i].letter);
		return;
	}
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_byte(uint8_t c)
{
	uint8_t lower = byte_lower(c);

	return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-' ||
	       c == '_';
}

static bool label_good(struct slice label, const char **why)
{
	if (label.len == 0 || label.len > 63) {
		*why = "each part between the dots must have 1 to 63 letters";
		return false;
	}
	for (size_t i = 0; i < label.len; i++) {
		if (is_name_byte(label.at[i]))
			continue;
		*why = label.at[i] >= 0x80
			   ? "must be ASCII (write the xn-- form of the name)"
			   : "may have letters, digits, hyphens and dots only";
		return false;
	}
	if (label.at[0] == '-' || label.at[label.len - 1] == '-') {
		*why = "no part may begin or end with a hyphen";
		return false;
	}
	return true;
}

bool value_labels(struct slice text, const char **why)
{
	for (bool last = false; !last;) {
		last = slice_find(text, '.') == text.len;
		if (!label_good(slice_cut_at(&text, '.'), why))
			return false;
	}
	return true;
}

bool value_hostname(struct slice text, const char **why)
{
	uint8_t bytes[16];
	bool digits_only = true;

	if (text.len == 0) {
		*why = "must not be empty";
		return false;
	}
	if (text.len > 253) {
		*why = "must not be longer than 253 letters";
		return false;
	}
	if (address_bytes(text, bytes)) {
		*why = "must be a name, not an address";
		return false;
	}
	for (bool last = false; !last;) {
		last = slice_find(text, '.') == text.len;
		struct slice label = slice_cut_at(&text, '.');

		if (!label_good(label, why))
			return false;
		digits_only = true;
		for (size_t i = 0; i < label.len; i++)
			if (!is_digit(label.at[i]))
				digits_only = false;
	}
	/* No top-level domain is a number; what ends in one is a mistyped
	 * address. */
	if (digits_only) {
		*why = "must be a name, not a number";
		return false;
	}
	return true;
}

/* Takes "[...]" apart; false when it is not in brackets. */
static bool unbracket(struct slice text, struct slice *inner)
{
	if (text.len < 2 || text.at[0] != '[' || text.at[text.len - 1] != ']')
		return false;
	*inner = slice_of(text.at + 1, text.len - 2);
	return true;
}

bool value_helo(struct slice text, const char **why)
{
	struct slice inner;
	uint8_t bytes[16];

	if (!unbracket(text, &inner))
		return value_hostname(text, why);
	if (slice_starts_nocase(inner, SLICE("IPv6:"))) {
		slice_cut(&inner, 5);
		if (slice_find(inner, ':') < inner.len &&
		    address_bytes(inner, bytes))
			return true;
	} else if (slice_find(inner, ':') == inner.len &&
		   address_bytes(inner, bytes)) {
		return true;
	}
	*why = "must be [IPv4 address] or [IPv6:address] in brackets";
	return false;
}

static bool port_good(struct slice text, uint16_t *port)
{
	uint64_t number;

	if (!slice_number(text, &number) || number < 1 || number > 65535)
		return false;
	*port = (uint16_t)number;
	return true;
}

/* Cuts ":port" off; brackets keep the colons of an IPv6 address.  *port is
 * empty and *masked false when there is none. */
static struct slice cut_port(struct slice text, struct slice *port, bool *given)
{
	size_t at = text.len;

	*port = (struct slice){0};
	while (at > 0 && text.at[at - 1] != ':' && text.at[at - 1] != ']')
		at--;
	*given = at > 0 && text.at[at - 1] == ':';
	if (!*given)
		return text;
	*port = slice_of(text.at + at, text.len - at);
	return slice_of(text.at, at - 1);
}

bool value_relay_host(struct slice text, const char **why)
{
	struct slice host, port, inner;
	uint8_t bytes[16];
	uint16_t number;
	bool given;

	if (address_bytes(text, bytes) && slice_find(text, ':') < text.len) {
		*why = "an IPv6 address is written in brackets: [::1]";
		return false;
	}
	host = cut_port(text, &port, &given);
	if (given && !port_good(port, &number)) {
		*why = "the port must be 1 to 65535";
		return false;
	}
	bool bracketed = unbracket(host, &inner);
	if (!bracketed)
		inner = host;
	if (address_bytes(inner, bytes)) {
		if (bracketed || slice_find(inner, ':') == inner.len)
			return true;
		*why = "an IPv6 address is written in brackets: [::1]:25";
		return false;
	}
	return value_hostname(inner, why);
}

bool value_dns_server(struct slice text, const char **why)
{
	bool ported = slice_find(text, '@') < text.len;
	struct slice address = slice_cut_at(&text, '@');
	uint8_t bytes[16];
	uint16_t port;

	if (!ported && slice_eq_nocase(address, SLICE("recursive")))
		return true;
	if (!address_bytes(address, bytes)) {
		*why = "must be an address, address@port, or recursive";
		return false;
	}
	if (ported && !port_good(text, &port)) {
		*why = "the port must be 1 to 65535";
		return false;
	}
	return true;
}

bool endpoint_parse(struct slice text, struct endpoint *e, const char **why)
{
	struct slice host, port, inner;
	bool given;

	*e = (struct endpoint){0};
	host = cut_port(text, &port, &given);
	if (!given || !port_good(port, &e->port)) {
		*why = "must end with a port, 1 to 65535: *:587";
		return false;
	}
	if (slice_eq(host, SLICE("*"))) {
		e->every = true;
		return true;
	}
	bool bracketed = unbracket(host, &inner);
	if (!bracketed)
		inner = host;
	if (!address_bytes(inner, e->address)) {
		*why = "must be *:port, address:port or [IPv6 address]:port";
		return false;
	}
	if (!bracketed && slice_find(inner, ':') < inner.len) {
		*why = "an IPv6 address is written in brackets: [::1]:587";
		return false;
	}
	return true;
}
