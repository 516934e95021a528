/* header.c -- header fields from a stream of stored bytes; what we add.
 *
 * The scanner is one state for each place in a line.  Lines end with CR LF
 * (proto/dot.c sees to it), so LF alone is looked for.  A line that begins with
 * a dot is doubled in the stored form; no field is called so, and it is taken
 * as the end of the header section as any other line that is no field. */
#include "proto/header.h"

#include "core/base/check.h"

enum state {
	LINE_START, /* the first byte of a line */
	NAME,	    /* inside a field's name */
	NAME_BLANK, /* blanks between name and colon (RFC 5322, 4.5) */
	VALUE,	    /* behind the colon, or in a folded line */
};

void header_init(struct header *h)
{
	*h = (struct header){.state = LINE_START};
}

void header_keep_from(struct header *h, struct header_from *from)
{
	/* `text` is written before it is read. */
	from->count = 0;
	from->too_long = false;
	from->torn = false;
	from->len = 0;
	h->from = from;
}

static void note_from(struct header *h)
{
	h->has_from = true;
	if (h->from == NULL)
		return;
	h->in_from = h->from->count++ == 0;
}

static void keep_from(struct header *h, uint8_t c)
{
	if (h->from->len == HEADER_FROM_MAX)
		h->from->too_long = true;
	else
		h->from->text[h->from->len++] = c;
}

static void note_field(struct header *h)
{
	struct slice name = slice_of(h->name, h->name_len);

	h->in_from = false;
	if (slice_eq_nocase(name, SLICE("Received")))
		h->received_count++;
	else if (slice_eq_nocase(name, SLICE("Date")))
		h->has_date = true;
	else if (slice_eq_nocase(name, SLICE("Message-ID")))
		h->has_message_id = true;
	else if (slice_eq_nocase(name, SLICE("From")))
		note_from(h);
	else if (slice_eq_nocase(name, SLICE("To")) ||
		 slice_eq_nocase(name, SLICE("Cc")))
		h->has_to_or_cc = true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void no_field(struct header *h)
{
	h->ended = true;
	h->needs_separator = h->len == 0;
	h->torn = h->len > 0;
	if (h->from != NULL && h->len > 0)
		h->from->torn = true;
}

static void feed_name(struct header *h, uint8_t c)
{
	if (c == ':' && h->name_len > 0) {
		note_field(h);
		h->state = VALUE;
	} else if (is_blank(c) && h->name_len > 0) {
		h->state = NAME_BLANK;
	} else if (h->state == NAME && c > ' ' && c < 0x7f && c != ':') {
		/* A name that fills the room is none of those we look for. */
		if (h->name_len < HEADER_NAME_MAX)
			h->name[h->name_len++] = c;
	} else {
		no_field(h);
	}
}

static void feed_byte(struct header *h, uint8_t c)
{
	switch ((enum state)h->state) {
	case LINE_START:
		h->name_len = 0;
		if (c == '\r' || c == '\n') {
			h->ended = true;
			return;
		}
		if (c == '.' || (is_blank(c) && h->len == 0)) {
			no_field(h);
			return;
		}
		h->state = is_blank(c) ? VALUE : NAME;
		if (h->state == NAME)
			feed_name(h, c);
		else if (h->in_from)
			keep_from(h, c);
		break;
	case NAME:
	case NAME_BLANK: feed_name(h, c); break;
	case VALUE:
		if (h->in_from)
			keep_from(h, c);
		if (c & 0x80)
			h->has_8bit = true;
		if (c != '\n')
			break;
		h->len += h->line_len + 1;
		h->line_len = 0;
		h->state = LINE_START;
		return;
	}
	h->line_len++;
}

void header_feed(struct header *h, struct slice piece)
{
	for (size_t i = 0; i < piece.len && !h->ended; i++)
		feed_byte(h, piece.at[i]);
}

void header_end(struct header *h)
{
	h->ended = true;
}

static void put_name(struct buf *out, struct slice name)
{
	if (name.len == 0)
		buf_put_str(out, "unknown");
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.at[i];
		bool plain =
		    c > ' ' && c < 0x7f && strchr("()<>\"\\;,", c) == NULL;

		buf_put_byte(out, plain ? c : '?');
	}
}

/* RFC 5321, 4.4 */
bool received_put(struct buf *out, const struct received *r)
{
	size_t start = out->len;

	buf_put_str(out, "Received: from ");
	put_name(out, r->helo);
	buf_put_str(out, r->client_v6 ? " ([IPv6:" : " ([");
	buf_put(out, r->client);
	buf_put_str(out, "])\r\n\t");
	if (r->tls_version != NULL)
		buf_printf(out, "(using TLSv%s with cipher %s)\r\n\t",
		    r->tls_version, r->tls_cipher);
	buf_put_str(out, "by ");
	buf_put(out, r->hostname);
	buf_put_str(out, " (smarthost) with ");
	buf_put(out, r->with);
	buf_put_str(out, " id ");
	buf_put(out, r->id);
	if (r->rcpt.len > 0) {
		buf_put_str(out, "\r\n\tfor <");
		buf_put(out, r->rcpt);
		buf_put_str(out, ">");
	}
	buf_put_str(out, ";\r\n\t");
	date_put(out, r->wall_s);
	buf_put_str(out, "\r\n");
	if (out->overflowed)
		out->len = start;
	return !out->overflowed;
}

bool header_missing_put(struct buf *out, const struct header *h,
    struct slice from, struct slice hostname, struct slice unique,
    uint64_t wall_s)
{
	size_t start = out->len;

	if (!h->has_date) {
		buf_put_str(out, "Date: ");
		date_put(out, wall_s);
		buf_put_str(out, "\r\n");
	}
	if (!h->has_message_id) {
		buf_put_str(out, "Message-ID: <");
		buf_put(out, unique);
		buf_put_byte(out, '.');
		buf_put_number(out, wall_s);
		buf_put_byte(out, '@');
		buf_put(out, hostname);
		buf_put_str(out, ">\r\n");
	}
	if (!h->has_from) {
		buf_put_str(out, "From: ");
		if (from.len == 0) {
			buf_put_str(out, "MAILER-DAEMON@");
			from = hostname;
		}
		buf_put(out, from);
		buf_put_str(out, "\r\n");
	}
	if (!h->has_to_or_cc)
		buf_put_str(out, "To: undisclosed-recipients:;\r\n");
	if (out->overflowed)
		out->len = start;
	return !out->overflowed;
}

/* The civil date of a day, days since 1970: years are counted from March, so
 * that the leap day is the last of a year. */
static void civil_of(
    uint64_t day, uint64_t *year, unsigned *month, unsigned *month_day)
{
	uint64_t days = day + 719468; /* since 0000-03-01 */
	uint64_t era = days / 146097; /* of 400 years */
	uint64_t of_era = days % 146097;
	uint64_t year_of_era =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year =
	    of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned from_march = (unsigned)((5 * of_year + 2) / 153);

	*month_day = (unsigned)of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = era * 400 + year_of_era + (*month <= 2 ? 1 : 0);
}

static void put_two(struct buf *out, char before, unsigned number)
{
	uint8_t text[3] = {(uint8_t)before, (uint8_t)('0' + number / 10),
	    (uint8_t)('0' + number % 10)};

	buf_put(out, slice_of(text, sizeof(text)));
}

bool date_put(struct buf *out, uint64_t wall_s)
{
	static const char days[7][4] = {
	    "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	uint64_t day = wall_s / 86400;
	unsigned second = (unsigned)(wall_s % 86400);
	uint64_t year;
	unsigned month, month_day;

	civil_of(day, &year, &month, &month_day);
	buf_put_str(out, days[day % 7]);
	buf_put_str(out, ", ");
	buf_put_number(out, month_day);
	buf_put_byte(out, ' ');
	buf_put_str(out, months[month - 1]);
	buf_put_byte(out, ' ');
	buf_put_number(out, year);
	put_two(out, ' ', second / 3600);
	put_two(out, ':', second / 60 % 60);
	put_two(out, ':', second % 60);
	return buf_put_str(out, " +0000");
}
