/* sendmail_rcpts.c -- the recipients of sendmail.
 *
 * Programs that call sendmail write `root` and mean root@here, so this reader
 * is a lenient one, unlike that of From in proto/mailbox.h: blanks, comments
 * and the names in front of <...> are passed over; what is left must be an
 * address.  Nothing is trusted because of it: the relay judges all of them. */
#include "core/sendmail_rcpts.h"

#include <stdio.h>

#include "core/base/buf.h"
#include "proto/address.h"

bool sendmail_rcpts_init(struct sendmail_rcpts *r, const char *hostname)
{
	r->hostname = hostname;
	r->wrong[0] = '\0';
	r->count = 0;
	return pool_init(&r->pool, "recipients", SENDMAIL_ADDRESS_MAX,
		   SUBMISSION_RCPTS_MAX) == 0;
}

void sendmail_rcpts_deinit(struct sendmail_rcpts *r)
{
	if (r->pool.base != NULL)
		pool_deinit(&r->pool);
}

static bool is_there(const struct sendmail_rcpts *r, struct slice address)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (slice_eq(r->at[i].address, address))
			return true;
	return false;
}

static void complain(
    struct sendmail_rcpts *r, struct slice address, const char *why)
{
	if (r->wrong[0] == '\0')
		snprintf(r->wrong, sizeof(r->wrong), "%.*s: %s",
		    (int)(address.len < 600 ? address.len : 600),
		    (const char *)address.at, why);
}

static void add(struct sendmail_rcpts *r, struct slice text)
{
	struct address a;
	struct buf address;
	uint8_t *room;

	if (text.len == 0)
		return;
	if (r->count == SUBMISSION_RCPTS_MAX) {
		complain(r, text, "there are too many recipients");
		return;
	}
	room = pool_take(&r->pool);
	check(room != NULL); /* one for each of SUBMISSION_RCPTS_MAX */
	address = buf_over(room, SENDMAIL_ADDRESS_MAX);
	buf_put(&address, text);
	if (slice_find(text, '@') == text.len)
		buf_printf(&address, "@%s", r->hostname);
	if (address.overflowed || !address_parse(buf_slice(&address), true, &a))
		complain(r, text, "not an address");
	else if (!is_there(r, buf_slice(&address))) {
		r->at[r->count++] =
		    (struct smtp_client_rcpt){.address = buf_slice(&address)};
		return;
	}
	pool_give(&r->pool, room);
}

/* A list as it is read: what was gathered of the address that is next. */
struct reading {
	struct buf text;
	bool in_angles;
	bool had_angles; /* what follows them is no part of the address */
	bool quoted;
	unsigned comment_depth;
	uint8_t room[SENDMAIL_ADDRESS_MAX];
};

static void flush(struct sendmail_rcpts *r, struct reading *at)
{
	if (at->text.overflowed)
		complain(r, buf_slice(&at->text), "too long for an address");
	else
		add(r, buf_slice(&at->text));
	buf_clear(&at->text);
	at->in_angles = false;
	at->had_angles = false;
}

/* Outside of quotes and comments. */
static void read_mark(struct sendmail_rcpts *r, struct reading *at, uint8_t c)
{
	switch (c) {
	case '(': at->comment_depth++; return;
	case ',':
	case ';': flush(r, at); return;
	case '<':
		buf_clear(&at->text); /* it was a name */
		at->in_angles = true;
		return;
	case '>':
		at->in_angles = false;
		at->had_angles = true;
		return;
	case ':':
		/* The name of a group; but a@[IPv6:::1] has colons, too. */
		if (!at->in_angles &&
		    slice_find(buf_slice(&at->text), '@') == at->text.len) {
			buf_clear(&at->text);
			return;
		}
		break;
	case ' ':
	case '\t':
	case '\r':
	case '\n': return;
	default: break;
	}
	if (!at->had_angles)
		buf_put_byte(&at->text, c);
}

void sendmail_rcpts_add_list(struct sendmail_rcpts *r, struct slice list)
{
	struct reading at = {.quoted = false};

	at.text = buf_over(at.room, sizeof(at.room));
	for (size_t i = 0; i < list.len; i++) {
		uint8_t c = list.at[i];
		bool pair = c == '\\' && i + 1 < list.len;

		if (at.comment_depth > 0) {
			i += pair;
			at.comment_depth += c == '(';
			at.comment_depth -= c == ')';
			continue;
		}
		if (c == '"')
			at.quoted = !at.quoted;
		if ((c != '"' && !at.quoted) || at.had_angles) {
			read_mark(r, &at, c);
			continue;
		}
		buf_put_byte(&at.text, c);
		if (at.quoted && pair)
			buf_put_byte(&at.text, list.at[++i]);
	}
	flush(r, &at);
}
