/* header.c -- the fields of a header section, and their canonical forms.
 *
 * Fields are read where they lie.  What begins a line decides: a blank goes on
 * with the field before, a name and a colon begin a field, and anything else
 * (an empty line above all) ends the section. */
#include "dkim/header.h"

#define ROOM_LEN 512

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The name at the front, when a colon follows; else nothing. */
static struct slice name_at(struct slice in, size_t *colon)
{
	size_t len = 0;

	while (len < in.len && in.at[len] > ' ' && in.at[len] < 0x7f &&
	       in.at[len] != ':')
		len++;
	size_t i = len;

	/* RFC 5322, 4.5: obsolete, but a field */
	while (i < in.len && is_blank(in.at[i]))
		i++;
	*colon = i;
	if (len == 0 || in.at[0] == '.' || i == in.len || in.at[i] != ':')
		return (struct slice){NULL, 0};
	return slice_of(in.at, len);
}

/* Bytes up to the end of the line and of those folded behind it; in.len + 1:
 * it is not all there. */
static size_t field_len(struct slice in)
{
	size_t len = 0;

	do {
		struct slice rest = slice_of(in.at + len, in.len - len);
		size_t end = slice_find(rest, '\n');

		if (end == rest.len)
			return in.len + 1;
		len += end + 1;
	} while (len < in.len && is_blank(in.at[len]));
	return len;
}

bool dkim_field_next(struct slice *section, struct dkim_field *field)
{
	size_t colon;

	if (section->len == 0)
		return false;
	field->name = name_at(*section, &colon);
	if (field->name.len == 0)
		return false;
	size_t len = field_len(*section);

	if (len > section->len)
		len = section->len;
	field->whole = slice_cut(section, len);
	field->value =
	    slice_of(field->whole.at + colon + 1, field->whole.len - colon - 1);
	return true;
}

bool dkim_field_find(
    struct slice section, struct slice name, struct dkim_field *field)
{
	while (dkim_field_next(&section, field))
		if (slice_eq_nocase(field->name, name))
			return true;
	return false;
}

bool dkim_header_section(struct slice message, bool over, struct slice *section)
{
	struct slice rest = message;

	while (rest.len > 0) {
		size_t colon;
		size_t len = field_len(rest);
		bool cut = len >= rest.len; /* its next line may be folded */

		if (rest.at[0] == '\r' || rest.at[0] == '\n')
			break;
		if (name_at(rest, &colon).len == 0) {
			if (colon == rest.len && !over)
				return false; /* of a name there is more */
			break;
		}
		if (cut && !over)
			return false;
		slice_cut(&rest, len > rest.len ? rest.len : len);
	}
	*section = slice_of(message.at, message.len - rest.len);
	return rest.len > 0 || over;
}

/* Bytes on their way into the hash. */
struct room {
	wc_Sha256 *sha256;
	size_t len;
	uint8_t at[ROOM_LEN];
};

static void room_flush(struct room *r)
{
	wc_Sha256Update(r->sha256, r->at, (word32)r->len);
	r->len = 0;
}

static void room_put(struct room *r, uint8_t c)
{
	if (r->len == ROOM_LEN)
		room_flush(r);
	r->at[r->len++] = c;
}

/* RFC 6376, 3.4.2: name in lower case, lines unfolded, blanks as one space, but
 * none around the colon or at the end. */
static void hash_relaxed(
    wc_Sha256 *sha256, const struct dkim_field *field, bool last)
{
	struct room room;
	bool begun = false;
	bool blank = false;

	room.sha256 = sha256;
	room.len = 0;
	for (size_t i = 0; i < field->name.len; i++)
		room_put(&room, byte_lower(field->name.at[i]));
	room_put(&room, ':');
	for (size_t i = 0; i < field->value.len; i++) {
		uint8_t c = field->value.at[i];

		if (c == '\r' || c == '\n')
			continue;
		if (is_blank(c)) {
			blank = true;
			continue;
		}
		if (blank && begun)
			room_put(&room, ' ');
		blank = false;
		begun = true;
		room_put(&room, c);
	}
	if (!last) {
		room_put(&room, '\r');
		room_put(&room, '\n');
	}
	room_flush(&room);
}

static void hash_simple(
    wc_Sha256 *sha256, const struct dkim_field *field, bool last)
{
	size_t len = field->whole.len;

	if (last && len >= 2 && field->whole.at[len - 1] == '\n')
		len -= 2;
	wc_Sha256Update(sha256, field->whole.at, (word32)len);
}

void dkim_field_hash(wc_Sha256 *sha256, const struct dkim_field *field,
    enum dkim_canon canon, bool last)
{
	switch (canon) {
	case DKIM_SIMPLE: hash_simple(sha256, field, last); break;
	case DKIM_RELAXED: hash_relaxed(sha256, field, last); break;
	}
}
