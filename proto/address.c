/* address.c -- a mailbox in an SMTP path: RFC 5321 4.1.2, 6531 for UTF-8.
 *
 * More is read than the grammar allows where mail is really sent that way:
 * dots anywhere in a local part, underscores in a domain. */
#include "proto/address.h"

#include <arpa/inet.h>

#define LABEL_MAX 63

static bool is_alnum(uint8_t c)
{
	return (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') ||
	       (c >= '0' && c <= '9');
}

/* RFC 5322, 3.2.3 */
static bool is_atext(uint8_t c)
{
	return is_alnum(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* The length of the UTF-8 sequence at the front of `s`, 0 when it is none:
 * RFC 3629, without surrogates and overlong forms. */
static size_t utf8_sequence(struct slice s)
{
	uint8_t c = s.at[0];
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || len > s.len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s.at[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && s.at[1] < 0xa0) || (c == 0xed && s.at[1] > 0x9f) ||
	    (c == 0xf0 && s.at[1] < 0x90) || (c == 0xf4 && s.at[1] > 0x8f))
		return 0;
	return len;
}

bool utf8_valid(struct slice s)
{
	while (s.len > 0) {
		size_t len = utf8_sequence(s);

		if (len == 0)
			return false;
		slice_cut(&s, len);
	}
	return true;
}

bool ascii_only(struct slice s)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < s.len; i++)
		bits |= s.at[i];
	return bits < 0x80;
}

/* The length of a quoted string with its quotes, 0 when it is none. */
static size_t quoted_len(struct slice s)
{
	if (s.len == 0 || s.at[0] != '"')
		return 0;
	for (size_t i = 1; i < s.len; i++) {
		if (s.at[i] == '"')
			return i + 1;
		if (s.at[i] == '\\')
			i++;
		if (i == s.len || s.at[i] < 0x20 || s.at[i] == 0x7f)
			return 0;
	}
	return 0;
}

static bool local_good(struct slice local)
{
	if (local.len == 0 || local.len > ADDRESS_LOCAL_MAX)
		return false;
	if (local.at[0] == '"')
		return quoted_len(local) == local.len;
	for (size_t i = 0; i < local.len; i++) {
		uint8_t c = local.at[i];

		if (!is_atext(c) && c != '.' && c < 0x80)
			return false;
	}
	return true;
}

/* RFC 5321, 4.1.3: what stands between [ and ]. */
static bool literal_good(struct slice literal)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];
	int family = AF_INET;

	if (slice_starts_nocase(literal, SLICE("IPv6:"))) {
		slice_cut(&literal, 5);
		family = AF_INET6;
	}
	if (literal.len == 0 || literal.len >= sizeof(text) ||
	    slice_find(literal, '\0') < literal.len)
		return false;
	memcpy(text, literal.at, literal.len);
	text[literal.len] = '\0';
	return inet_pton(family, text, address) == 1;
}

static bool domain_good(struct slice domain)
{
	size_t label_len = 0;

	if (domain.len == 0 || domain.len > ADDRESS_DOMAIN_MAX)
		return false;
	if (domain.at[0] == '[') {
		if (domain.len < 2 || domain.at[domain.len - 1] != ']')
			return false;
		return literal_good(slice_of(domain.at + 1, domain.len - 2));
	}
	for (size_t i = 0; i < domain.len; i++) {
		uint8_t c = domain.at[i];

		if (c == '.') {
			if (label_len == 0)
				return false;
			label_len = 0;
			continue;
		}
		if (!is_alnum(c) && c != '-' && c != '_' && c < 0x80)
			return false;
		if (++label_len > LABEL_MAX)
			return false;
	}
	return label_len > 0;
}

bool address_parse(struct slice text, bool utf8, struct address *a)
{
	size_t at = quoted_len(text);

	if (at == 0)
		at = slice_find(text, '@');
	if (at >= text.len || text.at[at] != '@')
		return false;
	*a = (struct address){
	    .full = text,
	    .local = slice_of(text.at, at),
	    .domain = slice_of(text.at + at + 1, text.len - at - 1),
	};
	if (!local_good(a->local) || !domain_good(a->domain))
		return false;
	return utf8 ? utf8_valid(text) : ascii_only(text);
}

/* The length of what stands before the first `end` outside of quotes, or
 * text.len when there is none. */
static size_t find_unquoted(struct slice text, uint8_t end)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == end)
			return i;
	}
	return text.len;
}

/* RFC 5321, 4.1.1.3: source routes are accepted and ignored. */
static bool drop_route(struct slice *path)
{
	if (path->len == 0 || path->at[0] != '@')
		return true;
	struct slice route = slice_cut(path, find_unquoted(*path, ':'));

	if (path->len == 0)
		return false;
	slice_cut(path, 1);
	while (route.len > 0) {
		struct slice hop = slice_cut_at(&route, ',');

		if (hop.len == 0 || hop.at[0] != '@')
			return false;
		slice_cut(&hop, 1);
		if (!domain_good(hop))
			return false;
	}
	return true;
}

bool path_parse(struct slice *text, bool null_ok, bool postmaster_ok, bool utf8,
    struct address *a)
{
	struct slice rest = *text;

	if (rest.len == 0 || rest.at[0] != '<')
		return false;
	slice_cut(&rest, 1);
	struct slice path = slice_cut(&rest, find_unquoted(rest, '>'));

	if (rest.len == 0)
		return false;
	slice_cut(&rest, 1);
	if (path.len == 0) {
		*a = (struct address){.full = SLICE("")};
		*text = rest;
		return null_ok;
	}
	if (postmaster_ok && slice_eq_nocase(path, SLICE("postmaster"))) {
		*a = (struct address){.full = path, .local = path};
		*text = rest;
		return true;
	}
	if (!drop_route(&path) || !address_parse(path, utf8, a))
		return false;
	*text = rest;
	return true;
}
