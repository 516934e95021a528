/* test_dsn.c -- reports: one to the letter, the others by their form. */
#include "proto/dsn.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/check.h"
#include "proto/dot.h"
#include "proto/params.h"

#define ORIGINAL "From: s@a.example\r\nSubject: hello\r\n\r\n..dots\r\nbody\r\n"

static struct outcome outcome(
    enum outcome_kind kind, unsigned code, const char *reply)
{
	struct outcome o =
	    outcome_of_reply(code, slice_of_str(reply), OUTCOME_DEFERRED);

	o.kind = kind;
	return o;
}

static struct dsn_report report_of(
    const struct dsn_rcpt *rcpts, uint32_t rcpt_count)
{
	return (struct dsn_report){.kind = DSN_FAILED,
	    .hostname = SLICE("relay.example"),
	    .id = SLICE("5KX9"),
	    .original_id = SLICE("5KX8"),
	    .sender = SLICE("s@a.example"),
	    .arrival_wall_s = 1795375980,
	    .now_wall_s = 1795376040,
	    .rcpts = rcpts,
	    .rcpt_count = rcpt_count,
	    .original_form = DSN_ORIGINAL_FULL,
	    .original = SLICE(ORIGINAL)};
}

static uint8_t room[1 << 20];

/* The report; its form as a stored message is checked on the way. */
static struct slice put(const struct dsn_report *r, struct dsn_needs *needs)
{
	struct buf out = buf_over(room, sizeof(room) - 3);
	struct dot d;
	struct slice piece;
	size_t line_len = 0;

	cr_assert(dsn_put(&out, r, needs));
	memcpy(room + out.len, ".\r\n", 3);
	struct slice in = slice_of(room, out.len + 3);
	dot_init(&d);
	while (dot_read(&d, &in, &piece) == DOT_PIECE)
		;
	cr_assert_eq(d.state, DOT_END);
	cr_assert_eq(in.len, 0);
	cr_assert(!d.bare_seen && !d.nul_seen && !d.line_too_long);
	cr_assert_eq(d.has_8bit, needs->body_8bit);
	for (size_t i = 0; i < out.len; i++) {
		line_len = out.at[i] == '\n' ? 0 : line_len + 1;
		cr_assert_leq(line_len, 998);
	}
	return buf_slice(&out);
}

static bool has(struct slice report, const char *text)
{
	return memmem(report.at, report.len, text, strlen(text)) != NULL;
}

static unsigned count_of(struct slice report, const char *text)
{
	unsigned count = 0;

	while (report.len > 0) {
		const uint8_t *hit =
		    memmem(report.at, report.len, text, strlen(text));

		if (hit == NULL)
			break;
		count++;
		slice_cut(&report, (size_t)(hit - report.at) + strlen(text));
	}
	return count;
}

#define EXPECT(report, text)                                                   \
	cr_assert(has(report, text), "%s is not in\n%.*s", text,               \
	    (int)(report).len, (report).at)
#define EXPECT_NOT(report, text)                                               \
	cr_assert(!has(report, text), "%s is in\n%.*s", text,                  \
	    (int)(report).len, (report).at)

static const char to_the_letter[] =
    "From: Mail Delivery System <MAILER-DAEMON@relay.example>\r\n"
    "To: <s@a.example>\r\n"
    "Subject: Undelivered Mail Returned to Sender\r\n"
    "Date: Sun, 22 Nov 2026 19:34:00 +0000\r\n"
    "Message-ID: <5KX9@relay.example>\r\n"
    "Auto-Submitted: auto-replied\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
    "\tboundary=\"=_0.5KX9/report\"\r\n"
    "\r\n"
    "This is a report in MIME format.\r\n"
    "\r\n"
    "--=_0.5KX9/report\r\n"
    "Content-Description: Notification\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "\r\n"
    "This is the mail relay at host relay.example.\r\n"
    "\r\n"
    "I'm sorry to say that your message could not be delivered to the\r\n"
    "recipients below.  It will not be tried again.  What their mail\r\n"
    "servers answered stands under each address.\r\n"
    "\r\n"
    "<b@x.example>\r\n"
    "    failed: mx.x.example said: 550 5.1.1 no such user here, and none that "
    "is\r\n"
    "    anything like it\r\n"
    "\r\n"
    "<c@x.example>\r\n"
    "    failed, tried for too long; at last: connection refused\r\n"
    "\r\n"
    "--=_0.5KX9/report\r\n"
    "Content-Description: Delivery report\r\n"
    "Content-Type: message/delivery-status\r\n"
    "\r\n"
    "Original-Envelope-Id: a+b c\r\n"
    "Reporting-MTA: dns; relay.example\r\n"
    "X-Smarthost-Queue-ID: 5KX8\r\n"
    "Arrival-Date: Sun, 22 Nov 2026 19:33:00 +0000\r\n"
    "\r\n"
    "Original-Recipient: rfc822;old+b@x.example\r\n"
    "Final-Recipient: rfc822;b@x.example\r\n"
    "Action: failed\r\n"
    "Status: 5.1.1\r\n"
    "Remote-MTA: dns; mx.x.example\r\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no such user here, and none that is\r\n"
    "    anything like it\r\n"
    "Last-Attempt-Date: Sun, 22 Nov 2026 19:34:00 +0000\r\n"
    "\r\n"
    "Final-Recipient: rfc822;c@x.example\r\n"
    "Action: failed\r\n"
    "Status: 4.4.1\r\n"
    "Diagnostic-Code: X-Smarthost; connection refused\r\n"
    "\r\n"
    "--=_0.5KX9/report\r\n"
    "Content-Description: Undelivered Message\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n" ORIGINAL "\r\n--=_0.5KX9/report--\r\n";

Test(dsn, of_a_failure_to_the_letter)
{
	struct outcome refused = outcome(OUTCOME_FAILED, 550,
	    "5.1.1 no such user here, and none that is anything like it");
	struct outcome silent = outcome_of_error(OUTCOME_OTHER_HOST,
	    (const uint8_t[]){4, 4, 1}, true, "connection refused");
	const struct dsn_rcpt rcpts[] = {
	    {.address = SLICE("b@x.example"),
		.orcpt = SLICE("rfc822;old+2Bb@x.example"),
		.action = DSN_FAILED,
		.outcome = &refused,
		.host = SLICE("mx.x.example"),
		.attempt_wall_s = 1795376040},
	    {.address = SLICE("c@x.example"),
		.action = DSN_FAILED,
		.outcome = &silent}};
	struct dsn_report r = report_of(rcpts, COUNT(rcpts));
	struct dsn_needs needs;

	r.envid = SLICE("a+2Bb+20c");
	struct slice got = put(&r, &needs);
	size_t same = 0;
	while (same < got.len && (char)got.at[same] == to_the_letter[same])
		same++;
	cr_assert(slice_eq(got, slice_of_str(to_the_letter)), "from %zu: %.*s",
	    same, (int)(got.len - same), got.at + same);
	cr_assert(!needs.body_8bit && !needs.smtputf8);
}

Test(dsn, of_a_delay_and_of_a_success)
{
	struct outcome later = outcome(OUTCOME_DEFERRED, 450, "4.2.0 later");
	struct outcome good = outcome(OUTCOME_DELIVERED, 250, "ok");
	struct dsn_rcpt rcpt = {.address = SLICE("b@x"),
	    .action = DSN_DELAYED,
	    .outcome = &later,
	    .host = SLICE("mx")};
	struct dsn_report r = report_of(&rcpt, 1);
	struct dsn_needs needs;

	r.kind = DSN_DELAYED;
	r.retry_until_wall_s = 1795462380;
	struct slice got = put(&r, &needs);
	EXPECT(got, "Subject: Delayed Mail (still being retried)\r\n");
	EXPECT(got, "tried until Mon, 23 Nov 2026 19:33:00 +0000\r\n");
	EXPECT(got, "\r\nAction: delayed\r\nStatus: 4.2.0\r\n");
	EXPECT(got, "Will-Retry-Until: Mon, 23 Nov 2026 19:33:00 +0000\r\n");

	r.kind = rcpt.action = DSN_RELAYED;
	rcpt.outcome = &good;
	r.original_form = DSN_ORIGINAL_HEADER;
	got = put(&r, &needs);
	EXPECT(got, "Subject: Successful Mail Delivery Report\r\n");
	EXPECT(got, "\r\n    relayed: mx said: 250 ok\r\n");
	EXPECT(got, "\r\nAction: relayed\r\nStatus: 2.0.0\r\n");
	EXPECT_NOT(got, "Will-Retry-Until");
	EXPECT(got,
	    "Content-Type: text/rfc822-headers\r\n\r\n"
	    "From: s@a.example\r\nSubject: hello\r\n\r\n--=_0.5KX9/report--");
	EXPECT_NOT(got, "dots");
}

Test(dsn, lets_nothing_from_outside_end_a_line)
{
	struct outcome o = outcome(OUTCOME_FAILED, 550, "a\r\nX-Evil: 1");
	struct dsn_rcpt rcpt = {.address = SLICE("b\r\n.\r\n@x"),
	    .orcpt = SLICE("rfc822;a+0D+0AX-Evil:+201+00+C3+zz+2"),
	    .action = DSN_FAILED,
	    .outcome = &o,
	    .host = SLICE("mx\nX-Evil: 1")};
	struct dsn_report r = report_of(&rcpt, 1);
	struct dsn_needs needs;

	r.envid = SLICE("+0a.+0d");
	r.sender = SLICE("s\r\nX-Evil: 1");
	struct slice got = put(&r, &needs);
	EXPECT_NOT(got, "\nX-Evil");
	EXPECT(got, "Original-Recipient: rfc822;a??X-Evil: 1??+zz+2\r\n");
	EXPECT(got, "Original-Envelope-Id: ?.?\r\n");
}

Test(dsn, of_addresses_in_utf8)
{
	struct outcome o = outcome(OUTCOME_FAILED, 550, "5.1.1 no");
	const struct dsn_rcpt rcpts[] = {{.address = SLICE("b\xc3\xab@x"),
					     .orcpt = SLICE("utf-8;b\\x{EB}@x"),
					     .action = DSN_FAILED,
					     .outcome = &o},
	    {.address = SLICE("c@x"), .action = DSN_FAILED, .outcome = &o}};
	struct dsn_report r = report_of(rcpts, COUNT(rcpts));
	struct dsn_needs needs;

	r.smtputf8 = true;
	struct slice got = put(&r, &needs);
	cr_assert(needs.body_8bit && !needs.smtputf8);
	EXPECT(got, "Content-Type: message/global-delivery-status\r\n");
	EXPECT(got, "Final-Recipient: utf-8;b\xc3\xab@x\r\n");
	EXPECT(got, "Original-Recipient: utf-8;b\\x{EB}@x\r\n");
	EXPECT(got, "Final-Recipient: rfc822;c@x\r\n");
	EXPECT(got, "Content-Type: text/plain; charset=utf-8\r\n");
	/* Its header is ASCII all the same. */
	EXPECT(got, "Content-Type: message/rfc822\r\n");

	r.rcpts++, r.rcpt_count--;
	got = put(&r, &needs);
	cr_assert(!needs.body_8bit && !needs.smtputf8);
	EXPECT(got, "Content-Type: message/delivery-status\r\n");

	r.original = SLICE("Subject: \xc3\xab\r\n\r\nbody\r\n");
	got = put(&r, &needs);
	cr_assert(needs.body_8bit && !needs.smtputf8);
	EXPECT(got, "Content-Type: message/global\r\n");
	EXPECT(got, "Content-Transfer-Encoding: 8bit\r\n");

	r.original_form = DSN_ORIGINAL_HEADER;
	got = put(&r, &needs);
	EXPECT(got, "Content-Type: message/global-headers\r\n");

	/* The sender's own address, in the report's header. */
	r.sender = SLICE("s\xc3\xab@a.example");
	got = put(&r, &needs);
	cr_assert(needs.body_8bit && needs.smtputf8);
	EXPECT(got, "\r\nTo: <s\xc3\xab@a.example>\r\n");
	r.sender = SLICE("s@a.example");

	/* 8-bit text in the body makes no international message. */
	r.original = SLICE("Subject: x\r\n\r\n\xc3\xab\r\n");
	r.original_form = DSN_ORIGINAL_FULL;
	got = put(&r, &needs);
	cr_assert(needs.body_8bit && !needs.smtputf8);
	EXPECT(got, "Content-Type: message/rfc822\r\n");
}

Test(dsn, returns_the_header_of_any_original)
{
	static const struct {
		const char *original, *header;
	} cases[] = {{"A: b\r\n\r\nbody\r\n", "A: b\r\n"},
	    {"A: b\r\nC: cut", "A: b\r\n"}, {"A: b\r\n", "A: b\r\n"},
	    {"\r\nbody\r\n", ""}, {"", ""},
	    {"A: b\r\n c\r\n\r\n\r\n", "A: b\r\n c\r\n"}};
	struct outcome o = outcome(OUTCOME_FAILED, 550, "no");
	struct dsn_rcpt rcpt = {
	    .address = SLICE("b@x"), .action = DSN_FAILED, .outcome = &o};
	struct dsn_report r = report_of(&rcpt, 1);
	struct dsn_needs needs;
	char want[128];

	r.original_form = DSN_ORIGINAL_HEADER;
	for (size_t i = 0; i < COUNT(cases); i++) {
		r.original = slice_of_str(cases[i].original);
		struct slice got = put(&r, &needs);
		snprintf(want, sizeof(want),
		    "rfc822-headers\r\n\r\n%s\r\n--=", cases[i].header);
		EXPECT(got, want);
	}
}

Test(dsn, takes_a_boundary_that_the_original_does_not_have)
{
	struct outcome o = outcome(OUTCOME_FAILED, 550, "no");
	struct dsn_rcpt rcpt = {
	    .address = SLICE("b@x"), .action = DSN_FAILED, .outcome = &o};
	struct dsn_report r = report_of(&rcpt, 1);
	struct dsn_needs needs;

	r.original =
	    SLICE("A: b\r\n\r\n--=_0.5KX9/report--\r\n--=_1.5KX9/report\r\n");
	struct slice got = put(&r, &needs);
	EXPECT(got, "boundary=\"=_2.5KX9/report\"");
	cr_assert_eq(count_of(got, "\r\n--=_2.5KX9/report"), 4);
}

#define MANY 1000

Test(dsn, of_a_thousand_recipients_stays_in_bounds)
{
	static struct dsn_rcpt rcpts[MANY];
	static uint8_t address[320], small[DSN_LEN_MAX(MANY)];
	char text[OUTCOME_TEXT_MAX];
	struct dsn_needs needs;

	memset(address, 'a', sizeof(address));
	address[64] = '@';
	memset(text, '.', sizeof(text));
	struct outcome o = outcome_of_reply(
	    550, slice_of(text, sizeof(text)), OUTCOME_DEFERRED);
	for (size_t i = 0; i < MANY; i++)
		rcpts[i] = (struct dsn_rcpt){
		    .address = slice_of(address, sizeof(address)),
		    .orcpt = SLICE("rfc822;x@y"),
		    .action = DSN_FAILED,
		    .outcome = &o,
		    .host = slice_of(address + 65, 255)};
	struct dsn_report r = report_of(rcpts, MANY);
	struct buf out = buf_over(small, sizeof(small));
	cr_assert(dsn_put(&out, &r, &needs));
	struct slice got = buf_slice(&out);
	cr_assert_eq(count_of(got, "\nFinal-Recipient: "), MANY);
	cr_assert_eq(count_of(got, "\n<aaa"), 20);
	EXPECT(got, "(and 980 more;");
	EXPECT_NOT(got, "Diagnostic-Code");
	EXPECT_NOT(got, "rfc822-headers");

	/* Usual ones have room for everything. */
	for (size_t i = 0; i < MANY; i++) {
		rcpts[i].address = SLICE("somebody@some.example");
		rcpts[i].host = SLICE("mx.some.example");
	}
	o = outcome(OUTCOME_FAILED, 550, "5.1.1 no such user");
	got = put(&r, &needs);
	cr_assert_leq(got.len, sizeof(small));
	cr_assert_eq(count_of(got, "\nDiagnostic-Code: "), MANY);
	EXPECT(got, "..dots");
}

Test(dsn, leaves_out_what_does_not_fit)
{
	struct outcome o = outcome(OUTCOME_FAILED, 550, "5.1.1 no such user");
	struct dsn_rcpt rcpt = {.address = SLICE("b@x"),
	    .action = DSN_FAILED,
	    .outcome = &o,
	    .host = SLICE("mx")};
	struct dsn_report r = report_of(&rcpt, 1);
	struct dsn_needs needs;
	unsigned last = 0;

	for (size_t len = 0; len < 3000; len++) {
		struct buf out = buf_over(room, len);
		buf_put_str(&out, "before");
		size_t len_before = out.len;
		out.overflowed = false;
		bool done = dsn_put(&out, &r, &needs);
		struct slice got = buf_slice(&out);
		unsigned now = done + has(got, "Diagnostic-Code") +
			       has(got, "text/rfc822-headers") +
			       2 * has(got, "..dots");

		if (!done)
			cr_assert_eq(out.len, len_before);
		cr_assert(!out.overflowed);
		cr_assert_geq(now, last, "%zu", len);
		last = now;
	}
	cr_assert_eq(last, 4);
}

Test(dsn, is_wanted_as_notify_says)
{
	static const struct {
		uint8_t notify;
		bool failed, delayed, delivered;
	} cases[] = {{0, true, true, false},
	    {DSN_NOTIFY_NEVER, false, false, false},
	    {DSN_NOTIFY_FAILURE, true, false, false},
	    {DSN_NOTIFY_DELAY, false, true, false},
	    {DSN_NOTIFY_SUCCESS, false, false, true},
	    {DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE, true, false, true}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t n = cases[i].notify;

		cr_assert_eq(dsn_wanted(n, DSN_FAILED), cases[i].failed);
		cr_assert_eq(dsn_wanted(n, DSN_DELAYED), cases[i].delayed);
		cr_assert_eq(dsn_wanted(n, DSN_DELIVERED), cases[i].delivered);
		cr_assert_eq(dsn_wanted(n, DSN_RELAYED), cases[i].delivered);
	}
}
