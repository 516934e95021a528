/* test_header.c -- fields of a stream, cut anywhere; fields that we add. */
#include "proto/header.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "core/base/check.h"
#include "core/base/rng.h"

static const struct {
	struct slice in;
	/* What is there: D Date, M Message-ID, F From, T To or Cc, 8 8-bit,
	 * S needs a separator, E ended before header_end */
	const char *facts;
	uint32_t received_count;
	uint64_t len;
} cases[] = {
    {SLICE("Date: x\r\nMessage-ID: y\r\nFrom: a\r\nTo: b\r\n\r\nbody\r\n"),
	"DMFTE", 0, 40},
    {SLICE("dAtE:x\r\nCC :b\r\nfrom\t: \r\n\r\n"), "DFTE", 0, 24},
    {SLICE("Subject: x\r\n"), "", 0, 12},
    {SLICE("Received: 1\r\n\tDate: no\r\n From: no\r\nRECEIVED:2\r\n\r\n"), "E",
	2, 47},
    {SLICE("Subject: Date: x\r\n\r\nDate: x\r\n"), "E", 0, 18},
    {SLICE("X-Date: 1\r\nDates: 1\r\nDat: 1\r\n\r\n"), "E", 0, 29},
    {SLICE("Date-and-a-name-longer-than-room: 1\r\nTo:\r\n\r\n"), "TE", 0, 42},
    {SLICE("Subject: \xc3\xa4\r\n\r\n"), "8E", 0, 13},
    {SLICE("Subject: a\r\n\r\n\xc3\xa4\r\n"), "E", 0, 12},
    {SLICE("\r\nbody\r\n"), "E", 0, 0},
    {SLICE(""), "", 0, 0},
    /* no header section */
    {SLICE("just text\r\nDate: x\r\n"), "SE", 0, 0},
    {SLICE("text\r\n"), "SE", 0, 0},
    {SLICE(" folded from the start\r\nDate: x\r\n"), "SE", 0, 0},
    {SLICE(": x\r\n"), "SE", 0, 0},
    {SLICE("..x: y\r\n"), "SE", 0, 0},
    {SLICE("From a@b Sat Jan 1\r\nDate: x\r\n"), "SE", 0, 0},
    {SLICE("N\xc3\xa4me: x\r\n"), "SE", 0, 0},
    /* one that breaks off */
    {SLICE("Date: x\r\ntext\r\nFrom: y\r\n"), "DE", 0, 9},
    {SLICE("Date: x\r\n..From: y\r\n"), "DE", 0, 9},
    {SLICE("Date: x\r\nFrom y:\r\n"), "DE", 0, 9},
};

static void facts_of(const struct header *h, bool ended, char *text)
{
	struct buf b = buf_over(text, 16);

	buf_put_str(&b, h->has_date ? "D" : "");
	buf_put_str(&b, h->has_message_id ? "M" : "");
	buf_put_str(&b, h->has_from ? "F" : "");
	buf_put_str(&b, h->has_to_or_cc ? "T" : "");
	buf_put_str(&b, h->has_8bit ? "8" : "");
	buf_put_str(&b, h->needs_separator ? "S" : "");
	buf_put_str(&b, ended ? "E" : "");
	buf_put_byte(&b, '\0');
}

Test(header, is_the_same_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step <= cases[i].in.len + 1; step++) {
			struct slice in = cases[i].in;
			struct header h;
			char facts[16];

			header_init(&h);
			while (in.len > 0)
				header_feed(
				    &h, slice_cut(&in,
					    step < in.len ? step : in.len));
			bool ended = h.ended;

			header_end(&h);
			cr_assert(h.ended);
			facts_of(&h, ended, facts);
			cr_assert_str_eq(
			    facts, cases[i].facts, "case %zu/%zu", i, step);
			cr_assert_eq(h.received_count, cases[i].received_count);
			cr_assert_eq(
			    h.len, cases[i].len, "case %zu/%zu", i, step);
		}
}

Test(header, writes_received)
{
	uint8_t room[512];
	struct buf out = buf_over(room, sizeof(room));
	struct received r = {
	    .helo = SLICE("client.example"),
	    .client = SLICE("192.0.2.1"),
	    .hostname = SLICE("relay.example"),
	    .with = SLICE("ESMTP"),
	    .id = SLICE("5KX9"),
	    .rcpt = SLICE("a@b"),
	    .wall_s = 1795375980,
	};

	cr_assert(received_put(&out, &r));
	cr_assert(slice_eq(buf_slice(&out),
	    SLICE("Received: from client.example ([192.0.2.1])\r\n"
		  "\tby relay.example (smarthost) with ESMTP id 5KX9\r\n"
		  "\tfor <a@b>;\r\n"
		  "\tSun, 22 Nov 2026 19:33:00 +0000\r\n")));

	buf_clear(&out);
	r.helo = SLICE("a (b)\r\n<x>;\xc3\"\\");
	r.client = SLICE("2001:db8::1");
	r.client_v6 = true;
	r.rcpt = SLICE("");
	cr_assert(received_put(&out, &r));
	cr_assert(slice_eq(buf_slice(&out),
	    SLICE("Received: from a??b????x????? ([IPv6:2001:db8::1])\r\n"
		  "\tby relay.example (smarthost) with ESMTP id 5KX9;\r\n"
		  "\tSun, 22 Nov 2026 19:33:00 +0000\r\n")));
}

Test(header, writes_what_is_missing)
{
	uint8_t room[512];
	struct buf out = buf_over(room, sizeof(room));
	struct header h;

	header_init(&h);
	header_end(&h);
	cr_assert(header_missing_put(&out, &h, SLICE("a@b"),
	    SLICE("relay.example"), SLICE("5KX9"), 1795375980));
	cr_assert(slice_eq(buf_slice(&out),
	    SLICE("Date: Sun, 22 Nov 2026 19:33:00 +0000\r\n"
		  "Message-ID: <5KX9.1795375980@relay.example>\r\n"
		  "From: a@b\r\n"
		  "To: undisclosed-recipients:;\r\n")));

	buf_clear(&out);
	h.has_date = h.has_message_id = h.has_to_or_cc = true;
	cr_assert(header_missing_put(&out, &h, SLICE(""),
	    SLICE("relay.example"), SLICE("5KX9"), 1795375980));
	cr_assert(slice_eq(
	    buf_slice(&out), SLICE("From: MAILER-DAEMON@relay.example\r\n")));

	buf_clear(&out);
	h.has_from = true;
	cr_assert(header_missing_put(&out, &h, SLICE(""),
	    SLICE("relay.example"), SLICE("5KX9"), 1795375980));
	cr_assert_eq(out.len, 0);
}

Test(header, writes_whole_fields_or_none)
{
	struct received r = {
	    .helo = SLICE("x"),
	    .client = SLICE("192.0.2.1"),
	    .hostname = SLICE("relay.example"),
	    .with = SLICE("ESMTP"),
	    .id = SLICE("5KX9"),
	};
	struct header h;

	header_init(&h);
	for (size_t len = 0; len < 100; len++) {
		uint8_t room[128];
		struct buf out = buf_over(room, len);

		buf_put_byte(&out, 'x');
		cr_assert_not(received_put(&out, &r));
		cr_assert_leq(out.len, 1);
		out = buf_over(room, len);
		cr_assert_not(header_missing_put(&out, &h, SLICE("a@b"),
		    SLICE("relay.example"), SLICE("5KX9"), 1));
		cr_assert_eq(out.len, 0);
	}
}

Test(header, knows_the_calendar)
{
	static const struct {
		uint64_t wall_s;
		const char *date;
	} dates[] = {
	    {0, "Thu, 1 Jan 1970 00:00:00 +0000"},
	    {951782399, "Mon, 28 Feb 2000 23:59:59 +0000"},
	    {951782400, "Tue, 29 Feb 2000 00:00:00 +0000"},
	    {1709251199, "Thu, 29 Feb 2024 23:59:59 +0000"},
	    {4107542400, "Mon, 1 Mar 2100 00:00:00 +0000"},
	};
	struct rng rng = {3};

	for (size_t i = 0; i < COUNT(dates) + 2000; i++) {
		uint8_t room[64];
		char want[64];
		struct buf out = buf_over(room, sizeof(room));
		time_t wall_s = i < COUNT(dates)
				    ? (time_t)dates[i].wall_s
				    : (time_t)rng_below(&rng, 8000000000u);
		struct tm tm;

		cr_assert(date_put(&out, (uint64_t)wall_s));
		gmtime_r(&wall_s, &tm);
		strftime(want, sizeof(want), "%a, %e %b %Y %T +0000", &tm);
		char *two = strstr(want, ",  "); /* %e pads */
		if (two != NULL)
			memmove(two + 2, two + 3, strlen(two + 3) + 1);
		cr_assert(slice_eq(buf_slice(&out), slice_of_str(want)));
		if (i < COUNT(dates))
			cr_assert_str_eq(want, dates[i].date);
	}
}

static const struct {
	struct slice in;
	const char *text;
	uint32_t count;
	bool torn;
} froms[] = {
    {SLICE("From: a@b\r\n\r\nFrom: c\r\n"), " a@b\r\n", 1, false},
    {SLICE("X: y\r\nFROM\t:a\r\n b\r\n\tc\r\nTo: x\r\n y\r\n\r\n"),
	"a\r\n b\r\n\tc\r\n", 1, false},
    {SLICE("From:\r\nFrom: c\r\n d\r\nfrom: e\r\n\r\n"), "\r\n", 3, false},
    {SLICE("From: a"), " a", 1, false},
    {SLICE("Fromm: a\r\nFro: b\r\n\r\n"), "", 0, false},
    {SLICE("\r\nFrom: a\r\n"), "", 0, false},
    {SLICE("text\r\nFrom: a\r\n"), "", 0, false},
    {SLICE("From: a\r\ntext\r\nFrom: b\r\n"), " a\r\n", 1, true},
    {SLICE("From: a\r\n..From: b\r\n"), " a\r\n", 1, true},
};

Test(header, keeps_what_from_says)
{
	for (size_t i = 0; i < COUNT(froms); i++) {
		for (size_t step = 1; step <= froms[i].in.len; step++) {
			struct slice rest = froms[i].in;
			struct header_from from;
			struct header h;

			header_init(&h);
			header_keep_from(&h, &from);
			while (rest.len > 0)
				header_feed(
				    &h, slice_cut(&rest,
					    step < rest.len ? step : rest.len));
			header_end(&h);
			cr_assert_eq(from.count, froms[i].count, "%zu", i);
			cr_assert_eq(from.torn, froms[i].torn, "%zu", i);
			cr_assert_not(from.too_long);
			cr_assert(slice_eq(slice_of(from.text, from.len),
				      slice_of_str(froms[i].text)),
			    "%zu: %.*s", i, (int)from.len, from.text);
		}
	}
}

Test(header, says_that_from_is_too_long)
{
	for (size_t over = 0; over < 2; over++) {
		uint8_t value[HEADER_FROM_MAX + 1];
		struct header_from from;
		struct header h;

		memset(value, 'x', sizeof(value));
		header_init(&h);
		header_keep_from(&h, &from);
		header_feed(&h, SLICE("From:"));
		header_feed(&h, slice_of(value, HEADER_FROM_MAX - 2 + over));
		header_feed(&h, SLICE("\r\nTo: x\r\n\r\n"));
		cr_assert_eq(from.too_long, over == 1);
		cr_assert_eq(from.len, HEADER_FROM_MAX);
	}
}
