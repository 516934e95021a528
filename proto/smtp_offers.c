/* smtp_offers.c -- what a server offers in its reply to EHLO. */
#include "proto/smtp_offers.h"

#include "core/base/check.h"
#include "proto/sasl.h"

_Static_assert(SASL_MECHANISM_COUNT <= 8, "a bit for each");

static void add_auth(struct smtp_offers *o, struct slice words)
{
	o->auth_offered = true;
	while (words.len > 0) {
		enum sasl_mechanism m;

		if (sasl_find(slice_cut_at(&words, ' '), &m))
			o->auth |= (uint8_t)(1u << m);
	}
}

static void read_line(struct smtp_offers *o, struct slice line)
{
	const struct {
		struct slice keyword;
		bool *offered;
	} plain[] = {{SLICE("PIPELINING"), &o->pipelining},
	    {SLICE("8BITMIME"), &o->eightbitmime},
	    {SLICE("SMTPUTF8"), &o->smtputf8}, {SLICE("DSN"), &o->dsn},
	    {SLICE("STARTTLS"), &o->starttls},
	    {SLICE("CHUNKING"), &o->chunking}, {SLICE("SIZE"), &o->size}};

	line = slice_trim(line);
	/* "AUTH=LOGIN" is the way of old servers. */
	if (slice_starts_nocase(line, SLICE("AUTH ")) ||
	    slice_starts_nocase(line, SLICE("AUTH="))) {
		slice_cut(&line, 5);
		add_auth(o, line);
		return;
	}
	struct slice keyword = slice_cut_at(&line, ' ');
	for (size_t i = 0; i < COUNT(plain); i++)
		if (slice_eq_nocase(keyword, plain[i].keyword))
			*plain[i].offered = true;
	/* RFC 1870, 4: no number, or 0, is no limit. */
	if (slice_eq_nocase(keyword, SLICE("SIZE")) &&
	    !slice_number(slice_trim(line), &o->size_max))
		o->size_max = 0;
}

void smtp_offers_read(struct smtp_offers *o, struct slice text, bool cut)
{
	*o = (struct smtp_offers){.esmtp = true};
	slice_cut_at(&text, '\n');
	while (text.len > 0) {
		struct slice line = slice_cut_at(&text, '\n');

		/* "SIZE 10000000" must not be read as "SIZE 100". */
		if (text.len > 0 || !cut)
			read_line(o, line);
	}
}
