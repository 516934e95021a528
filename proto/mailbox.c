/* mailbox.c -- the addresses in a From header field, read strictly.
 *
 * A reader goes once from left to right.  A name or a local part is a word: a
 * run of letters and dots, or a quoted string.  What follows the words says
 * what they were: "@" (one word only) a local part, "<" a display name, ":" a
 * group's name.  Everything else is refused, and so are the obsolete forms (RFC
 * 5322, 4.4) in which readers differ: routes, comments between the parts of a
 * local part or domain, empty elements of a list. */
#include "proto/mailbox.h"

#include "core/base/buf.h"
#include "core/base/check.h"
#include "proto/address.h"

#define COMMENT_DEPTH_MAX 16

struct reader {
	struct slice rest;
	struct buf room;
	struct mailbox_list *list;
	const char *why; /* NULL: nothing is wrong */
	bool in_group;
};

static bool refuse(struct reader *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
	return false;
}

static uint8_t peek(const struct reader *r)
{
	return r->rest.len > 0 ? r->rest.at[0] : '\0';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322, 3.2.3, and 6532, 3.2; dots too. */
static bool is_run(uint8_t c)
{
	return c >= 0x80 || c == '.' || (c >= '0' && c <= '9') ||
	       (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* A blank, or CR LF and a blank, at the front: its length, else 0. */
static size_t blank_len(struct slice s)
{
	if (s.len > 0 && is_blank(s.at[0]))
		return 1;
	if (s.len > 2 && s.at[0] == '\r' && s.at[1] == '\n' &&
	    is_blank(s.at[2]))
		return 3;
	return 0;
}

/* One character of a comment or a quoted string, which may be quoted itself;
 * false: it may not stand there. */
static bool skip_text(struct reader *r)
{
	uint8_t c = peek(r);
	size_t blank = blank_len(r->rest);

	if (blank > 0) {
		slice_cut(&r->rest, blank);
		return true;
	}
	if (c == '\\' && r->rest.len > 1) {
		slice_cut(&r->rest, 1);
		c = peek(r);
		if (is_blank(c)) {
			slice_cut(&r->rest, 1);
			return true;
		}
	}
	if (c < 0x21 || c == 0x7f)
		return refuse(r, "a control character, or it is cut off");
	slice_cut(&r->rest, 1);
	return true;
}

static bool skip_comment(struct reader *r)
{
	unsigned depth = 0;

	do {
		uint8_t c = peek(r);

		if (r->rest.len == 0)
			return refuse(r, "a comment does not end");
		if (c == '(' && ++depth > COMMENT_DEPTH_MAX)
			return refuse(r, "too many comments in each other");
		if (c == ')')
			depth--;
		if (!skip_text(r))
			return false;
	} while (depth > 0);
	return true;
}

/* Comments and blanks. */
static bool skip_space(struct reader *r)
{
	for (;;) {
		size_t blank = blank_len(r->rest);

		if (blank > 0)
			slice_cut(&r->rest, blank);
		else if (peek(r) != '(')
			return true;
		else if (!skip_comment(r))
			return false;
	}
}

static bool read_quoted(struct reader *r, struct slice *word)
{
	word->at = r->rest.at;
	slice_cut(&r->rest, 1);
	while (peek(r) != '"')
		if (!skip_text(r))
			return false;
	slice_cut(&r->rest, 1);
	word->len = (size_t)(r->rest.at - word->at);
	return true;
}

static void read_run(struct reader *r, struct slice *word)
{
	size_t len = 0;

	while (len < r->rest.len && is_run(r->rest.at[len]))
		len++;
	*word = slice_cut(&r->rest, len);
}

/* The words that come next; *word is the last. */
static bool read_words(struct reader *r, unsigned *count, struct slice *word)
{
	*count = 0;
	for (;; ++*count) {
		if (!skip_space(r))
			return false;
		if (peek(r) == '"') {
			if (!read_quoted(r, word))
				return false;
		} else if (is_run(peek(r))) {
			read_run(r, word);
		} else {
			return true;
		}
	}
}

static bool read_domain(struct reader *r, struct slice *domain)
{
	size_t len;

	if (peek(r) != '[') {
		read_run(r, domain);
		return true;
	}
	len = slice_find(r->rest, ']');
	if (len == r->rest.len)
		return refuse(r, "an address literal does not end");
	*domain = slice_cut(&r->rest, len + 1);
	return true;
}

/* RFC 2047, 5: never within an address.  Who decodes it all the same would see
 * another one. */
static bool has_encoded_word(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.at[i] == '=' && s.at[i + 1] == '?')
			return true;
	return false;
}

static bool add(struct reader *r, struct slice local, struct slice domain)
{
	struct slice full = slice_of(r->room.at + r->room.len, 0);
	struct address a;

	if (r->list->count == MAILBOX_MAX)
		return refuse(r, "too many addresses");
	if (domain.len > 1 && domain.at[domain.len - 1] == '.')
		domain.len--;
	buf_put(&r->room, local);
	buf_put_byte(&r->room, '@');
	buf_put(&r->room, domain);
	full.len = local.len + 1 + domain.len;
	if (r->room.overflowed || !address_parse(full, true, &a) ||
	    !slice_eq(a.local, local))
		return refuse(r, "an address is malformed");
	if (has_encoded_word(full))
		return refuse(r, "an encoded word in an address");
	r->list->at[r->list->count++] = (struct mailbox){
	    .full = full, .local = a.local, .domain = a.domain};
	return true;
}

/* Behind the local part; the next character is "@". */
static bool read_rest_of_address(struct reader *r, struct slice local)
{
	struct slice domain;

	slice_cut(&r->rest, 1);
	return skip_space(r) && read_domain(r, &domain) && skip_space(r) &&
	       add(r, local, domain);
}

/* Behind "<". */
static bool read_angle(struct reader *r)
{
	struct slice local;
	unsigned count;

	slice_cut(&r->rest, 1);
	if (!read_words(r, &count, &local))
		return false;
	if (peek(r) == '@' && count == 0)
		return refuse(r, "a route in an address");
	if (peek(r) != '@' || count != 1)
		return refuse(r, "what stands in <> is no address");
	if (!read_rest_of_address(r, local))
		return false;
	if (peek(r) != '>')
		return refuse(r, "an address is not followed by >");
	slice_cut(&r->rest, 1);
	return skip_space(r);
}

/* RFC 6854: a group begins; its end is met where a list goes on. */
static bool begin_group(struct reader *r, unsigned word_count)
{
	if (word_count == 0 || r->in_group)
		return refuse(r, "a colon that begins no group");
	slice_cut(&r->rest, 1);
	r->in_group = true;
	return skip_space(r);
}

static bool end_group(struct reader *r)
{
	if (!r->in_group)
		return refuse(r, "a semicolon that ends no group");
	slice_cut(&r->rest, 1);
	r->in_group = false;
	return skip_space(r);
}

/* A mailbox, or a group's name. */
static bool read_element(struct reader *r, bool *was_name)
{
	struct slice word;
	unsigned count;

	*was_name = false;
	if (!read_words(r, &count, &word))
		return false;
	switch (peek(r)) {
	case '<': return read_angle(r);
	case ':': *was_name = true; return begin_group(r, count);
	case '@':
		if (count != 1)
			return refuse(r, "an address with blanks in it");
		return read_rest_of_address(r, word);
	}
	return refuse(r, count == 0 ? "an address is missing"
				    : "an address without a domain");
}

static bool read_list(struct reader *r)
{
	for (;;) {
		bool was_name;

		if (!read_element(r, &was_name))
			return false;
		if (was_name && peek(r) != ';')
			continue; /* the group's first */
		if (peek(r) == ';' && !end_group(r))
			return false;
		if (r->rest.len == 0)
			break;
		if (peek(r) != ',')
			return refuse(r, "something behind an address");
		slice_cut(&r->rest, 1);
	}
	if (r->in_group)
		return refuse(r, "a group does not end");
	return true;
}

bool mailbox_list_parse(struct slice value, uint8_t *room,
    struct mailbox_list *list, const char **why)
{
	struct reader r = {
	    .rest = value, .room = buf_over(room, value.len), .list = list};

	list->count = 0;
	/* The end of the field's last line. */
	if (r.rest.len > 1 && r.rest.at[r.rest.len - 1] == '\n' &&
	    r.rest.at[r.rest.len - 2] == '\r')
		r.rest.len -= 2;
	if (!utf8_valid(value))
		refuse(&r, "it is neither ASCII nor UTF-8");
	else if (read_list(&r) && list->count == 0)
		refuse(&r, "it has no address");
	*why = r.why;
	return r.why == NULL;
}
