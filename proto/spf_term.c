/* spf_term.c -- one term of an SPF record.
 *
 *   [+-?~] name [":" domain] ["/" bits4] ["//" bits6]      a mechanism
 *   name "=" text                                          a modifier */
#include "proto/spf_term.h"

#include <arpa/inet.h>

enum argument {
	NOTHING,
	DOMAIN,
	MAYBE_DOMAIN,
	NETWORK, /* a domain perhaps, and prefix lengths perhaps */
	ADDRESS4,
	ADDRESS6,
};

static const struct {
	const char *name;
	enum spf_kind kind;
	enum argument argument;
} mechanisms[] = {
    {"all", SPF_KIND_ALL, NOTHING},
    {"include", SPF_KIND_INCLUDE, DOMAIN},
    {"a", SPF_KIND_A, NETWORK},
    {"mx", SPF_KIND_MX, NETWORK},
    {"ptr", SPF_KIND_PTR, MAYBE_DOMAIN},
    {"ip4", SPF_KIND_IP4, ADDRESS4},
    {"ip6", SPF_KIND_IP6, ADDRESS6},
    {"exists", SPF_KIND_EXISTS, DOMAIN},
};

bool spf_is_v4(const uint8_t address[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, 0xff};

	return memcmp(address, prefix, sizeof(prefix)) == 0;
}

bool spf_same_network(
    const uint8_t a[16], const uint8_t b[16], uint8_t bits4, uint8_t bits6)
{
	unsigned bits = spf_is_v4(a) ? 96u + bits4 : bits6;
	unsigned bytes = bits / 8, left = bits % 8;

	if (spf_is_v4(a) != spf_is_v4(b) || memcmp(a, b, bytes) != 0)
		return false;
	return left == 0 || ((a[bytes] ^ b[bytes]) >> (8 - left)) == 0;
}

/* RFC 7208, 5.6 and 12: a number without leading zeros. */
static bool read_bits(struct slice text, unsigned max, uint8_t *bits)
{
	uint64_t number;

	if (!slice_number(text, &number) || number > max ||
	    (text.len > 1 && text.at[0] == '0'))
		return false;
	*bits = (uint8_t)number;
	return true;
}

/* Behind the first slash: "24", "24//64", "/64". */
static bool read_prefixes(struct slice text, struct spf_term *t)
{
	struct slice first;

	if (text.len > 0 && text.at[text.len - 1] == '/')
		return false;
	first = slice_cut_at(&text, '/');
	if (first.len > 0 && !read_bits(first, 32, &t->bits4))
		return false;
	if (text.at == NULL || text.len == 0)
		return first.len > 0 && text.len == 0;
	if (first.len > 0 && slice_cut(&text, 1).at[0] != '/')
		return false;
	return read_bits(text, 128, &t->bits6);
}

static bool read_address(
    struct slice text, enum argument kind, struct spf_term *t)
{
	struct slice address = slice_cut_at(&text, '/');
	bool has_bits = address.at + address.len < text.at;
	char room[INET6_ADDRSTRLEN + 1];

	if (address.len == 0 || address.len >= sizeof(room) ||
	    memchr(address.at, 0, address.len) != NULL)
		return false;
	memcpy(room, address.at, address.len);
	room[address.len] = '\0';
	memset(t->address, 0, sizeof(t->address));
	if (kind == ADDRESS4) {
		t->address[10] = t->address[11] = 0xff;
		return inet_pton(AF_INET, room, t->address + 12) == 1 &&
		       (!has_bits || read_bits(text, 32, &t->bits4));
	}
	return inet_pton(AF_INET6, room, t->address) == 1 &&
	       (!has_bits || read_bits(text, 128, &t->bits6));
}

/* RFC 7208, 7.1: visible characters; what a name may be, the DNS says. */
static bool is_domain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return false;
	return text.len > 0 && text.len <= DNS_NAME_MAX;
}

/* The first slash that is not within a macro: "%{d/}" has its own. */
static size_t find_slash(struct slice text)
{
	bool inside = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '{')
			inside = true;
		else if (text.at[i] == '}')
			inside = false;
		else if (text.at[i] == '/' && !inside)
			return i;
	}
	return text.len;
}

/* `text`: behind the name, with the ':' or '/' that ended it. */
static bool read_argument(
    struct slice text, enum argument kind, struct spf_term *t)
{
	bool colon = text.len > 0 && text.at[0] == ':';

	if (colon)
		(void)slice_cut(&text, 1);
	switch (kind) {
	case NOTHING: return text.len == 0 && !colon;
	case ADDRESS4:
	case ADDRESS6: return colon && read_address(text, kind, t);
	case DOMAIN:
	case MAYBE_DOMAIN:
		t->domain = text;
		return colon ? is_domain(text)
			     : kind == MAYBE_DOMAIN && text.len == 0;
	case NETWORK: break;
	}
	t->domain = slice_cut(&text, find_slash(text));
	if (colon ? !is_domain(t->domain) : t->domain.len > 0)
		return false;
	if (text.len == 0)
		return true;
	(void)slice_cut(&text, 1);
	return read_prefixes(text, t);
}

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = byte_lower(name.at[i]);
		bool letter = c >= 'a' && c <= 'z';

		if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '-' &&
					      c != '_' && c != '.')))
			return false;
	}
	return name.len > 0;
}

/* True when it is a modifier, good or not; *good says which. */
static bool read_modifier(struct slice text, struct spf_term *t, bool *good)
{
	size_t equals = slice_find(text, '=');
	struct slice name = slice_of(text.at, equals);

	if (equals == text.len || !is_name(name))
		return false;
	t->domain = slice_of(text.at + equals + 1, text.len - equals - 1);
	t->kind = SPF_KIND_MODIFIER;
	*good = true;
	if (slice_eq_nocase(name, SLICE("redirect"))) {
		t->kind = SPF_KIND_REDIRECT;
		*good = is_domain(t->domain);
	}
	return true;
}

static enum spf_result take_qualifier(struct slice *text)
{
	if (text->len == 0)
		return SPF_PASS;
	switch (text->at[0]) {
	case '+': (void)slice_cut(text, 1); return SPF_PASS;
	case '-': (void)slice_cut(text, 1); return SPF_FAIL;
	case '~': (void)slice_cut(text, 1); return SPF_SOFTFAIL;
	case '?': (void)slice_cut(text, 1); return SPF_NEUTRAL;
	default: return SPF_PASS;
	}
}

bool spf_term_read(struct slice text, struct spf_term *t)
{
	bool good;
	size_t len = 0;

	*t = (struct spf_term){.bits4 = 32, .bits6 = 128};
	if (read_modifier(text, t, &good))
		return good;
	t->result = take_qualifier(&text);
	while (len < text.len && text.at[len] != ':' && text.at[len] != '/')
		len++;
	struct slice name = slice_cut(&text, len);

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(*mechanisms); i++)
		if (slice_eq_nocase(name, slice_of_str(mechanisms[i].name))) {
			t->kind = mechanisms[i].kind;
			return read_argument(text, mechanisms[i].argument, t);
		}
	return false;
}
