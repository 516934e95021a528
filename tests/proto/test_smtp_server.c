/* test_smtp_server.c -- conversations, in the notation of the RFC.
 *
 *   S: line      what the server says
 *   C: line      what the client sends, with CR LF; <CR> <LF> <NUL> are bytes
 *   c: bytes     the same without CR LF
 *   E: reply     smtp_server_end with it; without one: the peer's end
 *   D: event     what the driver is asked: abort, commit FROM TO..., close,
 *                tls (a handshake), auth MECHANISM RESPONSE
 *   M: line      a line of the stored message, behind commit
 *
 * Each conversation runs in lock step, then with everything sent at once, byte
 * by byte, and cut in two at every point: what comes back must be the same.
 * The driver judges by local parts: see answer(). */
#include "proto/smtp_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"

#define TEXT_MAX 32768

static const struct smtp_server_options options = {
    .hostname = {(const uint8_t *)"relay.example", 13},
    .size_max = 100,
    .rcpt_count_max = 3,
    .error_count_max = 6,
};

/* With all that is about trust: AUTH in clear too, nothing required. */
static const struct smtp_server_options trusting = {
    .hostname = {(const uint8_t *)"relay.example", 13},
    .size_max = 100,
    .rcpt_count_max = 3,
    .error_count_max = 30,
    .starttls_offered = true,
    .mechanisms = 1u << SASL_PLAIN | 1u << SASL_SCRAM_SHA_256 |
		  1u << SASL_SCRAM_SHA_256_PLUS,
};

/* Nothing without TLS, and no mail without AUTH. */
static const struct smtp_server_options locked = {
    .hostname = {(const uint8_t *)"relay.example", 13},
    .size_max = 100,
    .rcpt_count_max = 3,
    .error_count_max = 30,
    .starttls_offered = true,
    .tls_required = true,
    .auth_required = true,
    .mechanisms = 1u << SASL_PLAIN | 1u << SASL_LOGIN,
};

/* TLS may be, but AUTH never without it. */
static const struct smtp_server_options private_auth = {
    .hostname = {(const uint8_t *)"relay.example", 13},
    .size_max = 100,
    .rcpt_count_max = 3,
    .error_count_max = 30,
    .starttls_offered = true,
    .auth_needs_tls = true,
    .mechanisms = 1u << SASL_PLAIN | 1u << SASL_LOGIN,
};

struct talk {
	struct smtp_server s;
	struct pool pages;
	struct pool responses;
	struct buf out;	 /* the server's, as small as it may be */
	struct buf got;	 /* all that came back, and the driver's events */
	struct buf want; /* the same by the script, as far as it has run */
	struct buf message;
	struct buf sent; /* of the client, not yet fed */
	unsigned commit_count;
	char id[16];
	bool closed;
};

static struct buf room(size_t len)
{
	return buf_over(malloc(len), len);
}

static void talk_begin(struct talk *t, const struct smtp_server_options *with)
{
	*t = (struct talk){.closed = false};
	cr_assert_eq(pool_init(&t->pages, "pages", ARENA_PAGE_LEN, 300), 0);
	cr_assert_eq(
	    pool_init(&t->responses, "responses", LINE_RESPONSE_MAX, 1), 0);
	smtp_server_init(&t->s, with, &t->pages, &t->responses);
	t->out = room(SMTP_SERVER_OUT_MIN);
	t->got = room(TEXT_MAX);
	t->want = room(TEXT_MAX);
	t->message = room(TEXT_MAX);
	t->sent = room(TEXT_MAX);
}

static void talk_init(struct talk *t)
{
	talk_begin(t, &options);
}

static void talk_deinit(struct talk *t)
{
	smtp_server_deinit(&t->s);
	cr_assert_eq(t->pages.count_used, 0);
	cr_assert_eq(t->responses.count_used, 0);
	pool_deinit(&t->responses);
	pool_deinit(&t->pages);
	free(t->out.at);
	free(t->got.at);
	free(t->want.at);
	free(t->message.at);
	free(t->sent.at);
}

static bool local_is(struct address a, const char *name)
{
	return slice_eq(a.local, slice_of_str(name));
}

static void log_commit(struct talk *t)
{
	struct slice message = buf_slice(&t->message);

	buf_printf(&t->got, "D: commit <%.*s>",
	    (int)t->s.envelope.from.path.full.len,
	    t->s.envelope.from.path.full.at);
	for (struct smtp_server_rcpt *r = t->s.envelope.rcpts; r != NULL;
	     r = r->next)
		buf_printf(&t->got, " <%.*s>", (int)r->params.path.full.len,
		    r->params.path.full.at);
	buf_put_str(&t->got, "\r\n");
	cr_assert_eq(t->s.body_len, message.len);
	while (message.len > 0) {
		struct slice line = slice_cut_at(&message, '\n');

		buf_put_str(&t->got, "M: ");
		buf_put(&t->got, line);
		buf_put_str(&t->got, "\n");
	}
	buf_clear(&t->message);
}

/* "good" and "bad" are what they say; "more" and nothing at all are asked
 * again. */
static void answer_auth(struct talk *t, enum smtp_server_need need)
{
	struct slice response = t->s.piece;

	buf_printf(&t->got, "D: auth %s ", sasl_name(t->s.mechanism));
	buf_put(&t->got, response);
	cr_assert(buf_put_str(&t->got, "\r\n"));
	if (need == SMTP_NEED_AUTH)
		cr_assert_eq(t->s.has_initial, response.len > 0);
	if (slice_eq(response, SLICE("good")))
		smtp_server_accept(&t->s, SLICE(""));
	else if (slice_eq(response, SLICE("bye")))
		smtp_server_refuse(
		    &t->s, reply_of(421, "4.7.0", "too many failures"));
	else if (slice_eq(response, SLICE("*")))
		smtp_server_refuse(&t->s, reply_of(501, "5.7.0", "cancelled"));
	else if (slice_eq(response, SLICE("bad")))
		smtp_server_refuse(&t->s, reply_of(535, "5.7.8", "wrong"));
	else
		smtp_server_challenge(
		    &t->s, response.len == 0 ? SLICE("") : SLICE("YW5k"));
}

static void answer(struct talk *t, enum smtp_server_need need)
{
	struct address from = t->s.envelope.from.path;
	struct reply no = {.code = 0};
	struct slice id = SLICE("");

	if (need == SMTP_NEED_MAIL && local_is(from, "no"))
		no = reply_of(550, "5.7.1", "not you");
	if (need == SMTP_NEED_MAIL && local_is(from, "busy"))
		no = reply_of(452, "4.3.1", "no room");
	if (need == SMTP_NEED_MAIL && local_is(from, "bye"))
		no = reply_of(421, "4.3.2", "shutting down");
	if (need == SMTP_NEED_RCPT && local_is(t->s.rcpt.path, "no"))
		no = reply_of(554, "5.7.1", "relay access denied");
	if (need == SMTP_NEED_RCPT && local_is(t->s.rcpt.path, "later"))
		no = reply_of(450, "4.2.0", "later");
	if (need == SMTP_NEED_DATA && local_is(from, "full"))
		no = reply_of(452, "4.3.1", "no room");
	if (need == SMTP_NEED_DATA && local_is(from, "fullbye"))
		no = reply_of(421, "4.3.1", "no room");
	if (need == SMTP_NEED_COMMIT && local_is(from, "loop"))
		no = reply_of(554, "5.4.6", "it loops");
	if (need == SMTP_NEED_COMMIT) {
		log_commit(t);
		snprintf(t->id, sizeof(t->id), "ID%u", ++t->commit_count);
		id = slice_of_str(t->id);
	}
	if (need == SMTP_NEED_RCPT) /* not yet in the list */
		for (struct smtp_server_rcpt *r = t->s.envelope.rcpts;
		     r != NULL; r = r->next)
			cr_assert_neq(
			    r->params.path.full.at, t->s.rcpt.path.full.at);
	if (no.code != 0)
		smtp_server_refuse(&t->s, no);
	else
		smtp_server_accept(&t->s, id);
}

static void flush(struct talk *t)
{
	cr_assert(buf_put(&t->got, buf_slice(&t->out)));
	buf_clear(&t->out);
}

/* The driver: until more input is needed. */
static void drive(struct talk *t, struct slice *in)
{
	while (!t->closed) {
		enum smtp_server_need need =
		    smtp_server_next(&t->s, in, &t->out);

		flush(t);
		switch (need) {
		case SMTP_NEED_INPUT: cr_assert_eq(in->len, 0); return;
		case SMTP_NEED_OUTPUT: break;
		case SMTP_NEED_MAIL:
		case SMTP_NEED_RCPT:
		case SMTP_NEED_DATA:
		case SMTP_NEED_COMMIT:
			cr_assert_eq(
			    smtp_server_next(&t->s, in, &t->out), need);
			answer(t, need);
			break;
		case SMTP_NEED_TLS:
			cr_assert_eq(
			    smtp_server_next(&t->s, in, &t->out), need);
			if (slice_eq(t->s.helo, SLICE("busy")))
				smtp_server_refuse(
				    &t->s, reply_of(454, "4.7.0", "not now"));
			else
				smtp_server_accept(&t->s, SLICE(""));
			break;
		case SMTP_NEED_HANDSHAKE:
			cr_assert_eq(
			    smtp_server_next(&t->s, in, &t->out), need);
			buf_put_str(&t->got, "D: tls\r\n");
			smtp_server_tls_started(
			    &t->s, !slice_eq(t->s.helo, SLICE("unbound")));
			break;
		case SMTP_NEED_AUTH:
		case SMTP_NEED_RESPONSE:
			cr_assert(smtp_server_in_auth(&t->s));
			answer_auth(t, need);
			cr_assert_eq(smtp_server_in_auth(&t->s), true);
			break;
		case SMTP_NEED_BODY:
			cr_assert_gt(t->s.piece.len, 0);
			cr_assert(buf_put(&t->message, t->s.piece));
			break;
		case SMTP_NEED_ABORT:
			buf_clear(&t->message);
			buf_put_str(&t->got, "D: abort\r\n");
			break;
		case SMTP_NEED_CLOSE:
			buf_put_str(&t->got, "D: close\r\n");
			t->closed = true;
			break;
		}
	}
}

/* In memory of its own that is gone afterwards, so that nobody keeps it. */
static void feed(struct talk *t, struct slice bytes)
{
	uint8_t *exact = malloc(bytes.len + 1);
	struct slice in = slice_of(exact, bytes.len);

	if (bytes.len > 0)
		memcpy(exact, bytes.at, bytes.len);
	drive(t, &in);
	free(exact);
}

static void put_client(struct buf *b, struct slice text)
{
	static const struct {
		struct slice name, byte;
	} names[] = {
	    {SLICE("<CR>"), SLICE("\r")},
	    {SLICE("<LF>"), SLICE("\n")},
	    {SLICE("<NUL>"), SLICE("\0")},
	};

	while (text.len > 0) {
		struct slice byte = slice_of(text.at, 1);
		size_t len = 1;

		for (size_t i = 0; i < COUNT(names); i++)
			if (slice_starts_nocase(text, names[i].name)) {
				byte = names[i].byte;
				len = names[i].name.len;
			}
		cr_assert(buf_put(b, byte));
		slice_cut(&text, len);
	}
}

static struct slice next_line(struct slice *script)
{
	struct slice line = slice_cut_at(script, '\n');

	cr_assert_geq(line.len, 2);
	cr_assert_eq(line.at[1], ':');
	return line;
}

static struct slice rest_of(struct slice line)
{
	slice_cut(&line, line.len > 2 ? 3 : 2);
	return line;
}

static bool is_client(struct slice script)
{
	return script.len > 0 && (script.at[0] | 0x20) == 'c';
}

static bool is_end(struct slice script)
{
	return script.len > 0 && script.at[0] == 'E';
}

static void gather_client(struct talk *t, struct slice *script)
{
	while (is_client(*script)) {
		struct slice line = next_line(script);

		put_client(&t->sent, rest_of(line));
		if (line.at[0] == 'C')
			cr_assert(buf_put_str(&t->sent, "\r\n"));
	}
}

static void gather_want(struct talk *t, struct slice *script)
{
	while (script->len > 0 && !is_client(*script) && !is_end(*script)) {
		struct slice line = next_line(script);

		buf_put(&t->want, line.at[0] == 'S' ? rest_of(line) : line);
		cr_assert(buf_put_str(&t->want, "\r\n"));
	}
}

static void end(struct talk *t, struct slice line)
{
	struct slice text = rest_of(line);
	uint64_t code = 0;

	slice_number(slice_cut_at(&text, ' '), &code);
	smtp_server_end(&t->s, (struct reply){(uint16_t)code, NULL, text});
}

static void compare(struct talk *t, const char *how, size_t n)
{
	cr_assert(slice_eq(buf_slice(&t->got), buf_slice(&t->want)),
	    "%s %zu, got:\n%.*swant:\n%.*s", how, n, (int)t->got.len, t->got.at,
	    (int)t->want.len, t->want.at);
}

/* Each turn must bring at once what the script has behind it. */
static void run_in_lock_step(
    const char *text, const struct smtp_server_options *with)
{
	struct slice script = slice_of_str(text);
	struct talk t;

	talk_begin(&t, with);
	while (script.len > 0) {
		gather_client(&t, &script);
		if (t.sent.len > 0 || !is_end(script))
			feed(&t, buf_slice(&t.sent));
		buf_clear(&t.sent);
		if (is_end(script)) {
			end(&t, next_line(&script));
			feed(&t, SLICE(""));
		}
		gather_want(&t, &script);
		compare(&t, "lock step", 0);
	}
	talk_deinit(&t);
}

/* The first piece has `first` bytes, the others `others`; returns how many
 * bytes there are before the first end. */
static size_t run_in_pieces(const char *text,
    const struct smtp_server_options *with, size_t first, size_t others)
{
	struct slice script = slice_of_str(text);
	size_t sent_len = 0;
	struct talk t;

	talk_begin(&t, with);
	while (script.len > 0) {
		while (script.len > 0 && !is_end(script)) {
			gather_client(&t, &script);
			gather_want(&t, &script);
		}
		struct slice bytes = buf_slice(&t.sent);

		if (sent_len == 0)
			sent_len = bytes.len;
		for (size_t len = first; bytes.len > 0; len = others)
			feed(&t, slice_cut(&bytes,
				     len < bytes.len ? len : bytes.len));
		buf_clear(&t.sent);
		if (is_end(script)) {
			end(&t, next_line(&script));
			feed(&t, SLICE(""));
			gather_want(&t, &script);
		}
	}
	feed(&t, SLICE(""));
	compare(&t, "pieces", first);
	talk_deinit(&t);
	return sent_len;
}

static void TALK_WITH(
    const struct smtp_server_options *with, const char *script)
{
	run_in_lock_step(script, with);
	size_t len = run_in_pieces(script, with, TEXT_MAX, TEXT_MAX);
	run_in_pieces(script, with, 1, 1);
	run_in_pieces(script, with, 3, 3);
	for (size_t cut = 1; cut < len; cut++)
		run_in_pieces(script, with, cut, TEXT_MAX);
}

static void TALK(const char *script)
{
	TALK_WITH(&options, script);
}

#define HELLO                                                                  \
	"S: 220 relay.example ESMTP smarthost\n"                               \
	"C: EHLO me\n"                                                         \
	"S: 250-relay.example\n"                                               \
	"S: 250-PIPELINING\n"                                                  \
	"S: 250-SIZE 100\n"                                                    \
	"S: 250-8BITMIME\n"                                                    \
	"S: 250-SMTPUTF8\n"                                                    \
	"S: 250-ENHANCEDSTATUSCODES\n"                                         \
	"S: 250-CHUNKING\n"                                                    \
	"S: 250 DSN\n"
#define ENVELOPE                                                               \
	"C: MAIL FROM:<a@b>\n"                                                 \
	"S: 250 2.1.0 ok\n"                                                    \
	"C: RCPT TO:<c@d>\n"                                                   \
	"S: 250 2.1.5 ok\n"
#define DATA                                                                   \
	"C: DATA\n"                                                            \
	"S: 354 end data with <CR><LF>.<CR><LF>\n"
#define QUIT                                                                   \
	"C: QUIT\n"                                                            \
	"S: 221 2.0.0 bye\n"                                                   \
	"D: close\n"

#define BANNER "S: 220 relay.example ESMTP smarthost\n"
#define EHLO(name)                                                             \
	"C: EHLO " name "\n"                                                   \
	"S: 250-relay.example\n"                                               \
	"S: 250-PIPELINING\n"                                                  \
	"S: 250-SIZE 100\n"                                                    \
	"S: 250-8BITMIME\n"                                                    \
	"S: 250-SMTPUTF8\n"                                                    \
	"S: 250-ENHANCEDSTATUSCODES\n"                                         \
	"S: 250-CHUNKING\n"
#define STARTTLS                                                               \
	"C: STARTTLS\n"                                                        \
	"S: 220 2.0.0 ready to start TLS\n"                                    \
	"D: tls\n"
#define OFFERS_TLS "S: 250-STARTTLS\n"
#define DSN "S: 250 DSN\n"

Test(smtp_server, offers_neither_tls_nor_auth_unasked)
{
	TALK(HELLO "C: STARTTLS\n"
		   "S: 502 5.5.1 TLS is not offered here\n"
		   "C: AUTH PLAIN AAA=\n"
		   "S: 502 5.5.1 AUTH is not offered here\n" QUIT);
}

Test(smtp_server, forgets_everything_when_tls_starts)
{
	TALK_WITH(&trusting,
	    BANNER "C: STARTTLS\n"
		   "S: 503 5.5.1 say EHLO or HELO first\n" EHLO("me") OFFERS_TLS
	    "S: 250-AUTH SCRAM-SHA-256 PLAIN\n" DSN "C: AUTH PLAIN good\n"
	    "D: auth PLAIN good\n"
	    "S: 235 2.7.0 welcome\n" STARTTLS "C: MAIL FROM:<a@b>\n"
	    "S: 503 5.5.1 say EHLO or HELO first\n" EHLO(
		"me") "S: 250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN\n" DSN
		      "C: STARTTLS\n"
		      "S: 503 5.5.1 this is TLS already\n"
		      "C: AUTH PLAIN good\n"
		      "D: auth PLAIN good\n"
		      "S: 235 2.7.0 welcome\n" ENVELOPE "C: STARTTLS\n"
		      "S: 503 5.5.1 not inside of a transaction\n" QUIT);
}

Test(smtp_server, starts_tls_only_when_the_driver_can)
{
	TALK_WITH(&trusting, BANNER EHLO("busy") OFFERS_TLS
	    "S: 250-AUTH SCRAM-SHA-256 PLAIN\n" DSN "C: STARTTLS now\n"
	    "S: 501 5.5.4 STARTTLS takes no arguments\n"
	    "C: STARTTLS\n"
	    "S: 454 4.7.0 not now\n"
	    "C: MAIL FROM:<a@b> AUTH=<>\n"
	    "S: 250 2.1.0 ok\n" QUIT);
}

Test(smtp_server, offers_plus_only_with_a_binding)
{
	TALK_WITH(&trusting, BANNER EHLO("unbound") OFFERS_TLS
	    "S: 250-AUTH SCRAM-SHA-256 PLAIN\n" DSN
	    "C: AUTH SCRAM-SHA-256-PLUS\n"
	    "S: 504 5.5.4 that mechanism is not offered\n" STARTTLS EHLO(
		"me") "S: 250-AUTH SCRAM-SHA-256 PLAIN\n" DSN QUIT);
}

Test(smtp_server, locks_what_must_be_inside_of_tls)
{
	TALK_WITH(&locked, BANNER EHLO("me") OFFERS_TLS DSN
	    "C: NOOP\n"
	    "S: 250 2.0.0 ok\n"
	    "C: RSET\n"
	    "S: 250 2.0.0 ok\n"
	    "C: MAIL FROM:<a@b>\n"
	    "S: 530 5.7.0 say STARTTLS first\n"
	    "C: AUTH PLAIN good\n"
	    "S: 530 5.7.0 say STARTTLS first\n"
	    "C: VRFY x\n"
	    "S: 530 5.7.0 say STARTTLS first\n"
	    "C: HELP\n"
	    "S: 530 5.7.0 say STARTTLS first\n"
	    "C: DATA\n"
	    "S: 530 5.7.0 say STARTTLS first\n"
	    "C: BDAT 6 LAST\n"
	    "C: QUIT\n"
	    "S: 530 5.7.0 say STARTTLS first\n"
	    "C: BDAT x\n"
	    "S: 501 5.5.4 syntax: BDAT size [LAST]\n"
	    "D: close\n");
	TALK_WITH(&locked,
	    BANNER EHLO("me") OFFERS_TLS DSN STARTTLS EHLO(
		"me") "S: 250-AUTH LOGIN PLAIN\n" DSN "C: MAIL FROM:<a@b>\n"
		      "S: 530 5.7.0 authentication required\n"
		      "C: RCPT TO:<a@b>\n"
		      "S: 503 5.5.1 say MAIL first\n"
		      "C: AUTH PLAIN bad\n"
		      "D: auth PLAIN bad\n"
		      "S: 535 5.7.8 wrong\n"
		      "C: MAIL FROM:<a@b>\n"
		      "S: 530 5.7.0 authentication required\n"
		      "C: AUTH PLAIN good\n"
		      "D: auth PLAIN good\n"
		      "S: 235 2.7.0 welcome\n" ENVELOPE QUIT);
}

Test(smtp_server, hides_auth_before_tls)
{
	TALK_WITH(&private_auth, BANNER EHLO("me") OFFERS_TLS DSN
	    "C: AUTH PLAIN good\n"
	    "S: 538 5.7.11 say STARTTLS before AUTH\n"
	    "C: MAIL FROM:<a@b>\n"
	    "S: 250 2.1.0 ok\n"
	    "C: RSET\n"
	    "S: 250 2.0.0 ok\n" STARTTLS EHLO(
		"me") "S: 250-AUTH LOGIN PLAIN\n" DSN "C: AUTH LOGIN\n"
		      "D: auth LOGIN \n"
		      "S: 334 \n"
		      "C: good\n"
		      "D: auth LOGIN good\n"
		      "S: 235 2.7.0 welcome\n" QUIT);
}

#define TRUSTED                                                                \
	BANNER EHLO("me") OFFERS_TLS "S: 250-AUTH SCRAM-SHA-256 PLAIN\n" DSN

Test(smtp_server, leads_the_exchange_of_auth)
{
	TALK_WITH(&trusting,
	    TRUSTED "C: AUTH\n"
		    "S: 501 5.5.4 syntax: AUTH mechanism [initial response]\n"
		    "C: AUTH LOGIN\n"
		    "S: 504 5.5.4 that mechanism is not offered\n"
		    "C: AUTH GSSAPI x\n"
		    "S: 504 5.5.4 that mechanism is not offered\n"
		    "C: auth scram-sha-256\n"
		    "D: auth SCRAM-SHA-256 \n"
		    "S: 334 \n"
		    "C: more\n"
		    "D: auth SCRAM-SHA-256 more\n"
		    "S: 334 YW5k\n"
		    "C: \n"
		    "D: auth SCRAM-SHA-256 \n"
		    "S: 334 \n"
		    "C: *\n"
		    "D: auth SCRAM-SHA-256 *\n"
		    "S: 501 5.7.0 cancelled\n"
		    "C: AUTH PLAIN more\n"
		    "D: auth PLAIN more\n"
		    "S: 334 YW5k\n"
		    "C: QUIT\n"
		    "D: auth PLAIN QUIT\n"
		    "S: 334 YW5k\n"
		    "C: bad\n"
		    "D: auth PLAIN bad\n"
		    "S: 535 5.7.8 wrong\n" ENVELOPE "C: AUTH PLAIN good\n"
		    "S: 503 5.5.1 not inside of a transaction\n"
		    "C: RSET\n"
		    "S: 250 2.0.0 ok\n"
		    "C: AUTH PLAIN good\n"
		    "D: auth PLAIN good\n"
		    "S: 235 2.7.0 welcome\n"
		    "C: AUTH PLAIN good\n"
		    "S: 503 5.5.1 you have authenticated already\n"
		    "C: AUTH PLAIN bye\n"
		    "S: 503 5.5.1 you have authenticated already\n" QUIT);
}

Test(smtp_server, ends_inside_of_auth)
{
	TALK_WITH(&trusting, TRUSTED "C: AUTH PLAIN bye\n"
				     "D: auth PLAIN bye\n"
				     "S: 421 4.7.0 too many failures\n"
				     "D: close\n"
				     "C: NOOP\n");
	TALK_WITH(&trusting, TRUSTED "C: AUTH PLAIN\n"
				     "D: auth PLAIN \n"
				     "S: 334 \n"
				     "c: AAA\n"
				     "E: 421 4.4.2 timeout\n"
				     "S: 421 4.4.2 timeout\n"
				     "D: close\n");
	TALK_WITH(&trusting, TRUSTED "C: AUTH PLAIN\n"
				     "D: auth PLAIN \n"
				     "S: 334 \n"
				     "c: AAA\n"
				     "E:\n"
				     "D: close\n");
}

Test(smtp_server, refuses_bad_lines_inside_of_auth)
{
	TALK_WITH(&trusting, TRUSTED "C: AUTH PLAIN\n"
				     "D: auth PLAIN \n"
				     "S: 334 \n"
				     "c: good<LF>\n"
				     "S: 500 5.5.2 a line ends with CR LF\n"
				     "C: NOOP\n"
				     "S: 250 2.0.0 ok\n" QUIT);
}

/* Exactly RFC 4954's limit, and a byte more. */
Test(smtp_server, bounds_a_response)
{
	static uint8_t line[LINE_RESPONSE_MAX + 1];

	for (size_t len = LINE_RESPONSE_MAX; len <= sizeof(line); len++)
		for (size_t step = 1; step <= 16384; step = step * 3 + 1) {
			struct slice in = slice_of(line, len);
			struct talk t;

			talk_begin(&t, &trusting);
			feed(&t, SLICE("HELO x\r\nAUTH PLAIN\r\n"));
			buf_clear(&t.got);
			memset(line, 'x', len);
			memcpy(line + len - 2, "\r\n", 2);
			while (in.len > 0)
				feed(&t, slice_cut(&in,
					     step < in.len ? step : in.len));
			buf_put(
			    &t.want, len == LINE_RESPONSE_MAX
					 ? SLICE("D: auth PLAIN ")
					 : SLICE("500 5.5.6 the line is too "
						 "long\r\n"));
			if (len == LINE_RESPONSE_MAX) {
				buf_put(&t.want, slice_of(line, len - 2));
				buf_put_str(&t.want, "\r\n334 YW5k\r\n");
			}
			compare(&t, "response", step);
			talk_deinit(&t);
		}
}

/* While a wrong password has to wait for its answer, nothing else happens. */
Test(smtp_server, waits_with_the_answer_to_auth)
{
	struct slice in =
	    SLICE("HELO x\r\nAUTH PLAIN bad\r\nMAIL FROM:<a@b>\r\n");
	struct talk t;

	talk_begin(&t, &trusting);
	while (smtp_server_next(&t.s, &in, &t.out) != SMTP_NEED_AUTH)
		buf_clear(&t.out);
	cr_assert_eq(in.len, 17);
	smtp_server_end(&t.s, reply_of(421, "4.3.2", "stop"));
	cr_assert_eq(smtp_server_next(&t.s, &in, &t.out), SMTP_NEED_AUTH);
	buf_clear(&t.out);
	smtp_server_refuse(&t.s, reply_of(535, "5.7.8", "wrong"));
	drive(&t, &in);
	buf_put_str(
	    &t.want, "535 5.7.8 wrong\r\n421 4.3.2 stop\r\nD: close\r\n");
	compare(&t, "wait", 0);
	talk_deinit(&t);
}

/* Implicit TLS: it began before the greeting. */
Test(smtp_server, greets_inside_of_tls)
{
	struct talk t;

	talk_begin(&t, &locked);
	smtp_server_tls_started(&t.s, true);
	feed(&t, SLICE("HELO x\r\nAUTH PLAIN good\r\nMAIL FROM:<a@b>\r\n"));
	buf_put_str(&t.want,
	    "220 relay.example ESMTP smarthost\r\n250 relay.example\r\n"
	    "D: auth PLAIN good\r\n235 2.7.0 welcome\r\n250 2.1.0 ok\r\n");
	compare(&t, "greeting", 0);
	talk_deinit(&t);
}

Test(smtp_server, takes_a_message)
{
	TALK(HELLO ENVELOPE "C: RCPT TO:<e@f> NOTIFY=NEVER\n"
			    "S: 250 2.1.5 ok\n" DATA "C: Subject: x\n"
			    "C: \n"
			    "C: ..dot\n"
			    "C: .\n"
			    "D: commit <a@b> <c@d> <e@f>\n"
			    "M: Subject: x\n"
			    "M: \n"
			    "M: ..dot\n"
			    "S: 250 2.0.0 queued as ID1\n" QUIT);
}

Test(smtp_server, takes_one_message_after_another)
{
	TALK("S: 220 relay.example ESMTP smarthost\n"
	     "C: HELO me\n"
	     "S: 250 relay.example\n" ENVELOPE DATA "C: one\n"
	     "C: .\n"
	     "D: commit <a@b> <c@d>\n"
	     "M: one\n"
	     "S: 250 2.0.0 queued as ID1\n"
	     "C: MAIL FROM:<>\n"
	     "S: 250 2.1.0 ok\n"
	     "C: RCPT TO:<postmaster>\n"
	     "S: 250 2.1.5 ok\n" DATA "C: .\n"
	     "D: commit <> <postmaster>\n"
	     "S: 250 2.0.0 queued as ID2\n" QUIT);
}

Test(smtp_server, wants_things_in_order)
{
	TALK("S: 220 relay.example ESMTP smarthost\n"
	     "C: MAIL FROM:<a@b>\n"
	     "S: 503 5.5.1 say EHLO or HELO first\n"
	     "C: EHLO\n"
	     "S: 501 5.5.4 syntax: EHLO name\n"
	     "C: HELO  [192.0.2.1]\n"
	     "S: 250 relay.example\n"
	     "C: RCPT TO:<a@b>\n"
	     "S: 503 5.5.1 say MAIL first\n"
	     "C: MAIL FROM:<a@b>\n"
	     "S: 250 2.1.0 ok\n"
	     "C: MAIL FROM:<a@b>\n"
	     "S: 503 5.5.1 a transaction is open already\n"
	     "C: DATA\n"
	     "S: 503 5.5.1 say RCPT first\n"
	     "C: RSET\n"
	     "S: 250 2.0.0 ok\n"
	     "C: DATA\n"
	     "S: 503 5.5.1 say MAIL first\n" QUIT);
}

Test(smtp_server, answers_the_small_commands)
{
	TALK("S: 220 relay.example ESMTP smarthost\n"
	     "C: NOOP\n"
	     "S: 250 2.0.0 ok\n"
	     "C: noop anything\n"
	     "S: 250 2.0.0 ok\n"
	     "C: VRFY a@b\n"
	     "S: 252 2.0.0 send some mail, I will try\n"
	     "C: EXPN list\n"
	     "S: 502 5.5.1 there are no lists\n"
	     "C: HELP\n"
	     "S: 214 2.0.0 EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET "
	     "NOOP VRFY HELP QUIT\n"
	     "C: TURN\n"
	     "S: 500 5.5.1 command not known\n"
	     "C: \n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: NOOP<NUL>\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: EHLO <NUL>\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: EHLO \x01\n"
	     "S: 501 5.5.4 that is no name\n" QUIT);
}

Test(smtp_server, lets_the_driver_refuse)
{
	TALK(HELLO "C: MAIL FROM:<no@b>\n"
		   "S: 550 5.7.1 not you\n"
		   "C: MAIL FROM:<busy@b>\n"
		   "S: 452 4.3.1 no room\n"
		   "C: MAIL FROM:<a@b>\n"
		   "S: 250 2.1.0 ok\n"
		   "C: RCPT TO:<no@x>\n"
		   "S: 554 5.7.1 relay access denied\n"
		   "C: RCPT TO:<later@x>\n"
		   "S: 450 4.2.0 later\n"
		   "C: DATA\n"
		   "S: 554 5.5.1 no valid recipients\n"
		   "C: RCPT TO:<c@d>\n"
		   "S: 250 2.1.5 ok\n" DATA "C: .\n"
		   "D: commit <a@b> <c@d>\n"
		   "S: 250 2.0.0 queued as ID1\n"
		   "C: MAIL FROM:<full@b>\n"
		   "S: 250 2.1.0 ok\n"
		   "C: RCPT TO:<c@d>\n"
		   "S: 250 2.1.5 ok\n"
		   "C: DATA\n"
		   "S: 452 4.3.1 no room\n"
		   "C: MAIL FROM:<loop@b>\n"
		   "S: 250 2.1.0 ok\n"
		   "C: RCPT TO:<c@d>\n"
		   "S: 250 2.1.5 ok\n" DATA "C: x\n"
		   "C: .\n"
		   "D: commit <loop@b> <c@d>\n"
		   "M: x\n"
		   "S: 554 5.4.6 it loops\n"
		   "C: MAIL FROM:<bye@b>\n"
		   "S: 421 4.3.2 shutting down\n"
		   "D: close\n"
		   "C: NOOP\n");
}

Test(smtp_server, tells_no_valid_recipients_from_none)
{
	TALK(HELLO "C: MAIL FROM:<a@b>\n"
		   "S: 250 2.1.0 ok\n"
		   "C: RCPT TO:<>\n"
		   "S: 501 5.1.3 that is no address: expected <local@domain>\n"
		   "C: DATA\n"
		   "S: 554 5.5.1 no valid recipients\n"
		   "C: BDAT 3 LAST\n"
		   "c: abc\n"
		   "S: 554 5.5.1 no valid recipients\n"
		   "C: NOOP\n"
		   "S: 250 2.0.0 ok\n" QUIT);
}

Test(smtp_server, bounds_the_recipients)
{
	TALK(HELLO ENVELOPE "C: RCPT TO:<2@d>\n"
			    "S: 250 2.1.5 ok\n"
			    "C: RCPT TO:<3@d>\n"
			    "S: 250 2.1.5 ok\n"
			    "C: RCPT TO:<4@d>\n"
			    "S: 452 4.5.3 too many recipients\n" DATA "C: .\n"
			    "D: commit <a@b> <c@d> <2@d> <3@d>\n"
			    "S: 250 2.0.0 queued as ID1\n" QUIT);
}

#define LONE "S: 550 5.6.11 a CR or LF stands alone in the message\n"

Test(smtp_server, is_not_to_be_smuggled_through)
{
	static const char *const bodies[] = {
	    "c: a<LF>.<LF>MAIL FROM:<x@y><CR><LF>\n",
	    "c: a<LF>.<CR><LF>MAIL FROM:<x@y><CR><LF>\n",
	    "c: a<CR>.<CR>MAIL FROM:<x@y><CR><LF>\n",
	    "c: a<CR><LF>.<LF>MAIL FROM:<x@y><CR><LF>\n",
	    "c: a<CR><LF>.<CR>MAIL FROM:<x@y><CR><LF>\n",
	    "c: a<CR><CR><LF>.<CR><CR><LF>MAIL FROM:<x@y><CR><LF>\n",
	};

	for (size_t i = 0; i < COUNT(bodies); i++) {
		char script[2048];

		snprintf(script, sizeof(script), "%s%sC: .\nD: abort\n%s%s",
		    HELLO ENVELOPE DATA, bodies[i], LONE, QUIT);
		/* The abort comes early, the refusal at the end. */
		TALK(script);
	}
}

Test(smtp_server, refuses_a_nul_at_the_end)
{
	TALK(HELLO ENVELOPE DATA "C: a<NUL>b\n"
				 "D: abort\n"
				 "C: more\n"
				 "C: .\n"
				 "S: 550 5.6.0 a NUL is in the message\n"
				 "C: MAIL FROM:<a@b>\n"
				 "S: 250 2.1.0 ok\n" QUIT);
}

#define NINETY                                                                 \
	"0123456789012345678901234567890123456789"                             \
	"01234567890123456789012345678901234567890123456789"

Test(smtp_server, bounds_the_message)
{
	TALK(
	    HELLO "C: MAIL FROM:<a@b> SIZE=101\n"
		  "S: 552 5.3.4 the message is larger than SIZE allows\n"
		  "C: MAIL FROM:<a@b> SIZE=100\n"
		  "S: 250 2.1.0 ok\n"
		  "C: RCPT TO:<c@d>\n"
		  "S: 250 2.1.5 ok\n" DATA
		  /* exactly 100, the doubled dot not counted */
		  "C: " NINETY "\n"
		  "C: ..12345\n"
		  "C: .\n"
		  "D: commit <a@b> <c@d>\n"
		  "M: " NINETY "\n"
		  "M: ..12345\n"
		  "S: 250 2.0.0 queued as ID1\n" ENVELOPE DATA "C: " NINETY "\n"
		  "C: ..123456\n"
		  "D: abort\n"
		  "C: and so on\n"
		  "C: .\n"
		  "S: 552 5.3.4 the message is too large\n" ENVELOPE QUIT);
}

/* Several flaws: the reply must not depend on which was seen first. */
Test(smtp_server, has_one_verdict_for_several_flaws)
{
	TALK(HELLO ENVELOPE DATA "c: a<NUL>b<CR>\n"
				 "D: abort\n"
				 "C: c " NINETY NINETY "\n"
				 "C: .\n" LONE ENVELOPE "C: BDAT 6 LAST\n"
				 "c: <NUL>\n"
				 "D: abort\n"
				 "c: abcd<LF>\n" LONE QUIT);
}

Test(smtp_server, takes_chunks)
{
	TALK(HELLO ENVELOPE "C: BDAT 7\n"
			    "c: .a<CR><LF>.b<CR>\n"
			    "S: 250 2.0.0 7 octets so far\n"
			    "C: BDAT 0\n"
			    "S: 250 2.0.0 7 octets so far\n"
			    "C: BDAT 4 LAST\n"
			    "c: <LF>c<CR><LF>\n"
			    "D: commit <a@b> <c@d>\n"
			    "M: ..a\n"
			    "M: ..b\n"
			    "M: c\n"
			    "S: 250 2.0.0 queued as ID1\n" ENVELOPE
			    /* without the last line's end, which is added */
			    "C: BDAT 3 LAST\n"
			    "c: abc\n"
			    "D: commit <a@b> <c@d>\n"
			    "M: abc\n"
			    "S: 250 2.0.0 queued as ID2\n" ENVELOPE
			    "C: BDAT 0 LAST\n"
			    "D: commit <a@b> <c@d>\n"
			    "S: 250 2.0.0 queued as ID3\n" QUIT);
}

Test(smtp_server, eats_the_chunks_that_it_refuses)
{
	TALK("S: 220 relay.example ESMTP smarthost\n"
	     "C: BDAT 6\n"
	     "C: QUIT\n"
	     "S: 503 5.5.1 say EHLO or HELO first\n"
	     "C: HELO x\n"
	     "S: 250 relay.example\n"
	     "C: BDAT 6 LAST\n"
	     "C: QUIT\n"
	     "S: 503 5.5.1 say MAIL first\n" ENVELOPE "C: BDAT 101\n"
	     "C: " NINETY "\n"
	     "c: 123456789\n"
	     "S: 552 5.3.4 the message is too large\n"
	     "C: BDAT 6 LAST\n"
	     "C: QUIT\n"
	     "S: 503 5.5.1 say MAIL first\n" QUIT);
}

Test(smtp_server, gives_a_chunked_message_up)
{
	TALK(HELLO ENVELOPE
	    "C: BDAT 92\n"
	    "C: " NINETY "\n"
	    "S: 250 2.0.0 92 octets so far\n"
	    "C: BDAT 9 LAST\n"
	    "D: abort\n"
	    "c: 123456789\n"
	    "S: 552 5.3.4 the message is too large\n" ENVELOPE "C: BDAT 4\n"
	    "c: a<LF>bc\n"
	    "D: abort\n" LONE "C: BDAT 4 LAST\n"
	    "c: abcd\n"
	    "S: 503 5.5.1 say MAIL first\n" ENVELOPE "C: BDAT 4 LAST\n"
	    "c: abc<CR>\n"
	    "D: abort\n" LONE ENVELOPE "C: BDAT 4\n"
	    "c: a<NUL>bc\n"
	    "D: abort\n"
	    "S: 550 5.6.0 a NUL is in the message\n" QUIT);
}

Test(smtp_server, keeps_chunks_and_other_commands_apart)
{
	TALK(HELLO ENVELOPE "C: BDAT 3\n"
			    "c: abc\n"
			    "S: 250 2.0.0 3 octets so far\n"
			    "C: DATA\n"
			    "S: 503 5.5.1 a BDAT message is open\n"
			    "C: RCPT TO:<c@d>\n"
			    "S: 503 5.5.1 a BDAT message is open\n"
			    "C: MAIL FROM:<c@d>\n"
			    "S: 503 5.5.1 a BDAT message is open\n"
			    "C: NOOP\n"
			    "S: 250 2.0.0 ok\n"
			    "C: RSET\n"
			    "S: 250 2.0.0 ok\n"
			    "D: abort\n" ENVELOPE "C: BDAT 3\n"
			    "c: abc\n"
			    "S: 250 2.0.0 3 octets so far\n"
			    "C: HELO again\n"
			    "S: 250 relay.example\n"
			    "D: abort\n" ENVELOPE "C: BDAT 3\n"
			    "c: abc\n"
			    "S: 250 2.0.0 3 octets so far\n"
			    "C: QUIT\n"
			    "S: 221 2.0.0 bye\n"
			    "D: abort\n"
			    "D: close\n");
}

Test(smtp_server, refuses_chunks_as_the_driver_says)
{
	TALK(HELLO "C: MAIL FROM:<full@b>\n"
		   "S: 250 2.1.0 ok\n"
		   "C: RCPT TO:<c@d>\n"
		   "S: 250 2.1.5 ok\n"
		   "C: BDAT 6\n"
		   "C: QUIT\n"
		   "S: 452 4.3.1 no room\n"
		   "C: BDAT 6 LAST\n"
		   "C: QUIT\n"
		   "S: 503 5.5.1 say MAIL first\n"
		   "C: MAIL FROM:<fullbye@b>\n"
		   "S: 250 2.1.0 ok\n"
		   "C: RCPT TO:<c@d>\n"
		   "S: 250 2.1.5 ok\n"
		   "C: BDAT 6\n"
		   "S: 421 4.3.1 no room\n"
		   "D: close\n");
}

Test(smtp_server, does_not_guess_the_size_of_a_chunk)
{
	TALK(HELLO ENVELOPE "C: BDAT x LAST\n"
			    "S: 501 5.5.4 syntax: BDAT size [LAST]\n"
			    "D: close\n"
			    "C: NOOP\n");
	TALK(HELLO ENVELOPE "C: BDAT 3\n"
			    "c: abc\n"
			    "S: 250 2.0.0 3 octets so far\n"
			    "C: BDAT 18446744073709551615\n"
			    "D: abort\n"
			    "c: it\n"
			    "E:\n"
			    "D: close\n");
}

Test(smtp_server, refuses_other_line_ends)
{
	TALK("S: 220 relay.example ESMTP smarthost\n"
	     "c: EHLO x<LF>\n"
	     "S: 500 5.5.2 a line ends with CR LF\n"
	     "c: EHLO x<CR>y\n"
	     "S: 500 5.5.2 a line ends with CR LF\n"
	     "C: \n"
	     "S: 500 5.5.1 command not known\n"
	     "C: HELO x\n"
	     "S: 250 relay.example\n"
	     "c: <LF>\n"
	     "S: 500 5.5.2 a line ends with CR LF\n"
	     "c: RSET<CR><CR><LF>\n"
	     "S: 500 5.5.2 a line ends with CR LF\n"
	     "S: 500 5.5.2 that is no command\n" QUIT);
}

Test(smtp_server, ends_after_too_many_errors)
{
	TALK("S: 220 relay.example ESMTP smarthost\n"
	     "C: 1\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: 2\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: 3\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: 4\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: 5\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: 6\n"
	     "S: 500 5.5.2 that is no command\n"
	     "C: 7\n"
	     "S: 421 4.7.0 too many errors\n"
	     "D: close\n"
	     "C: 8\n");
}

Test(smtp_server, ends_when_the_driver_says_so)
{
	TALK("E: 421 4.3.2 stop\n"
	     "S: 421 4.3.2 stop\n"
	     "D: close\n");
	TALK(HELLO "c: MAIL FR\n"
		   "E: 421 4.4.2 timeout\n"
		   "S: 421 4.4.2 timeout\n"
		   "D: close\n");
	TALK(HELLO ENVELOPE "E: 421 4.4.2 timeout\n"
			    "S: 421 4.4.2 timeout\n"
			    "D: close\n");
	TALK(HELLO ENVELOPE DATA "C: abc\n"
				 "E: 421 4.4.2 timeout\n"
				 "D: abort\n"
				 "S: 421 4.4.2 timeout\n"
				 "D: close\n");
	TALK(HELLO ENVELOPE "C: BDAT 5\n"
			    "c: abc\n"
			    "E: 421 4.4.2 timeout\n"
			    "D: abort\n"
			    "S: 421 4.4.2 timeout\n"
			    "D: close\n");
	TALK(HELLO ENVELOPE DATA "C: abc\n"
				 "E:\n"
				 "D: abort\n"
				 "D: close\n");
	TALK(HELLO ENVELOPE DATA "C: a<NUL>bc\n"
				 "D: abort\n"
				 "E:\n"
				 "D: close\n");
	TALK(HELLO QUIT "E: 421 4.4.2 timeout\n");
}

/* The client has sent all it had, and its end: all of it is obeyed. */
Test(smtp_server, obeys_what_came_before_the_end)
{
	struct slice in = SLICE("HELO x\r\nMAIL FROM:<a@b>\r\nQUIT\r\n");
	struct talk t;

	talk_init(&t);
	smtp_server_end(&t.s, (struct reply){.code = 0});
	drive(&t, &in);
	buf_put_str(&t.want,
	    "220 relay.example ESMTP smarthost\r\n250 relay.example\r\n"
	    "250 2.1.0 ok\r\n221 2.0.0 bye\r\nD: close\r\n");
	compare(&t, "end", 0);
	talk_deinit(&t);
}

/* While the driver makes the message durable nothing else happens. */
Test(smtp_server, answers_the_commit_before_it_ends)
{
	struct slice in = SLICE("HELO x\r\nMAIL FROM:<a@b>\r\n"
				"RCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nNOOP\r\n");
	struct talk t;
	enum smtp_server_need need;

	talk_init(&t);
	while (
	    (need = smtp_server_next(&t.s, &in, &t.out)) != SMTP_NEED_COMMIT) {
		if (need != SMTP_NEED_BODY && need != SMTP_NEED_OUTPUT)
			smtp_server_accept(&t.s, SLICE(""));
		flush(&t);
	}
	cr_assert_eq(in.len, 6);
	smtp_server_end(&t.s, reply_of(421, "4.3.2", "stop"));
	cr_assert_eq(smtp_server_next(&t.s, &in, &t.out), SMTP_NEED_COMMIT);
	smtp_server_accept(&t.s, SLICE("X"));
	buf_clear(&t.got);
	drive(&t, &in);
	buf_put_str(
	    &t.want, "250 2.0.0 queued as X\r\n421 4.3.2 stop\r\nD: close\r\n");
	compare(&t, "commit", 0);
	talk_deinit(&t);
}

Test(smtp_server, keeps_the_envelope)
{
	struct talk t;

	talk_init(&t);
	feed(&t, SLICE("EHLO a name\r\n"));
	cr_assert(slice_eq(t.s.helo, SLICE("a name")));
	cr_assert(t.s.esmtp);
	cr_assert_eq(t.pages.count_used, 0);
	feed(&t, SLICE("MAIL FROM:<a@b> ENVID=e RET=HDRS SMTPUTF8 "
		       "BODY=8BITMIME SIZE=9\r\n"));
	feed(&t, SLICE("RCPT TO:<\xc3\xa4@d> NOTIFY=DELAY "
		       "ORCPT=rfc822;x@y\r\n"));
	feed(&t, SLICE("RCPT TO:<\"q q\"@e>\r\n"));
	struct smtp_server_envelope *e = &t.s.envelope;
	cr_assert(slice_eq(e->from.path.local, SLICE("a")));
	cr_assert(slice_eq(e->from.path.domain, SLICE("b")));
	cr_assert(slice_eq(e->from.envid, SLICE("e")));
	cr_assert_eq(e->from.ret, DSN_RET_HDRS);
	cr_assert_eq(e->from.size, 9);
	cr_assert(e->from.smtputf8);
	cr_assert(e->from.body_8bit);
	cr_assert_eq(e->rcpt_count, 2);
	struct rcpt_params *r = &e->rcpts->params;
	cr_assert(slice_eq(r->path.full, SLICE("\xc3\xa4@d")));
	cr_assert_eq(r->notify, DSN_NOTIFY_DELAY);
	cr_assert(slice_eq(r->orcpt, SLICE("rfc822;x@y")));
	r = &e->rcpts->next->params;
	cr_assert(slice_eq(r->path.local, SLICE("\"q q\"")));
	cr_assert(slice_eq(r->path.domain, SLICE("e")));
	cr_assert_null(e->rcpts->next->next);
	feed(&t, SLICE("RSET\r\n"));
	cr_assert_eq(t.pages.count_used, 0);
	cr_assert_eq(e->rcpt_count, 0);
	talk_deinit(&t);
}

Test(smtp_server, cuts_a_long_name)
{
	struct talk t;
	char line[400];

	talk_init(&t);
	snprintf(line, sizeof(line), "EHLO %0300d\r\n", 7);
	feed(&t, slice_of_str(line));
	cr_assert_eq(t.s.helo.len, SMTP_SERVER_HELO_MAX);
	talk_deinit(&t);
}

Test(smtp_server, eats_a_line_that_is_too_long)
{
	for (size_t step = 1; step <= 4000; step += 333) {
		struct talk t;
		char line[4000];
		struct slice bytes = slice_of(line, sizeof(line));

		memset(line, 'x', sizeof(line));
		memcpy(line + 3992, "\r\nQUIT\r\n", 8);
		talk_init(&t);
		while (bytes.len > 0)
			feed(&t, slice_cut(&bytes,
				     step < bytes.len ? step : bytes.len));
		buf_put_str(&t.want, "220 relay.example ESMTP smarthost\r\n"
				     "500 5.5.6 the line is too long\r\n"
				     "221 2.0.0 bye\r\nD: close\r\n");
		compare(&t, "long line", step);
		cr_assert_eq(t.pages.count_used, 0);
		talk_deinit(&t);
	}
}

Test(smtp_server, says_when_there_is_no_memory)
{
	struct talk t;
	struct pool none;

	talk_init(&t);
	cr_assert_eq(pool_init(&none, "none", ARENA_PAGE_LEN, 1), 0);
	void *page = pool_take(&none);
	smtp_server_init(&t.s, &options, &none, &none);
	feed(&t, SLICE("HELO x\r\nMAIL FROM:<a@b>\r\n"));
	pool_give(&none, page);
	feed(&t, SLICE("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
	feed(&t, SLICE("NOO"));
	buf_put_str(&t.want,
	    "220 relay.example ESMTP smarthost\r\n250 relay.example\r\n"
	    "452 4.3.1 out of memory, try again later\r\n"
	    "250 2.1.0 ok\r\n250 2.1.5 ok\r\n"
	    "421 4.3.1 out of memory\r\nD: close\r\n");
	compare(&t, "no memory", 0);
	cr_assert_eq(none.count_used, 0);
	pool_deinit(&none);
	talk_deinit(&t);
}

Test(smtp_server, has_room_for_1000_recipients_with_orcpt)
{
	struct smtp_server_options many = options;
	struct talk t;
	char line[1024];
	unsigned count = 0;

	many.rcpt_count_max = 100000;
	talk_init(&t);
	t.s.options = &many;
	feed(&t, SLICE("HELO x\r\nMAIL FROM:<a@b>\r\n"));
	while (!local_is(t.s.rcpt.path, "enough") && count < 10000) {
		buf_clear(&t.got);
		snprintf(line, sizeof(line),
		    "RCPT TO:<%030u@%030u> ORCPT=rfc822;%0490u\r\n", count, 1u,
		    1u);
		feed(&t, slice_of_str(line));
		if (t.got.at[0] != '2')
			break;
		count++;
	}
	cr_assert_geq(count, 1000);
	buf_put_str(&t.want, "452 4.5.3 too much recipient data\r\n");
	compare(&t, "recipients", count);
	cr_assert_eq(t.s.envelope.rcpt_count, count);
	talk_deinit(&t);
}

Test(smtp_server, waits_until_there_is_room_for_a_reply)
{
	uint8_t bytes[SMTP_SERVER_OUT_MIN];
	struct buf out = buf_over(bytes, sizeof(bytes));
	struct slice in = SLICE("NOOP\r\nNOOP\r\n");
	struct talk t;

	talk_init(&t);
	cr_assert_eq(smtp_server_next(&t.s, &in, &out), SMTP_NEED_OUTPUT);
	cr_assert_eq(in.len, 12);
	buf_clear(&out);
	cr_assert_eq(smtp_server_next(&t.s, &in, &out), SMTP_NEED_OUTPUT);
	cr_assert_eq(in.len, 6);
	buf_clear(&out);
	cr_assert_eq(smtp_server_next(&t.s, &in, &out), SMTP_NEED_OUTPUT);
	buf_clear(&out);
	cr_assert_eq(smtp_server_next(&t.s, &in, &out), SMTP_NEED_INPUT);
	talk_deinit(&t);
}

Test(smtp_server, knows_when_a_message_is_coming)
{
	struct talk t;

	talk_init(&t);
	feed(&t, SLICE("HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"));
	cr_assert_not(smtp_server_in_message(&t.s));
	feed(&t, SLICE("DATA\r\n"));
	cr_assert(smtp_server_in_message(&t.s));
	feed(&t, SLICE(".\r\n"));
	cr_assert_not(smtp_server_in_message(&t.s));
	talk_deinit(&t);
}

#define TO_READY "HELO x\r\n"
#define TO_MAIL TO_READY "MAIL FROM:<a@b>\r\n"
#define TO_RCPT TO_MAIL "RCPT TO:<c@d>\r\n"

/* Each phase with each verb: the code, and the phase that is next. */
Test(smtp_server, answers_each_verb_in_each_phase)
{
	static const struct {
		const char *way;
		enum command_phase phase;
	} phases[] = {
	    {"", PHASE_HELLO},
	    {TO_READY, PHASE_READY},
	    {TO_MAIL, PHASE_MAIL},
	    {TO_MAIL "RCPT TO:<no@d>\r\n", PHASE_REFUSED},
	    {TO_RCPT, PHASE_RCPT},
	    {TO_RCPT "BDAT 1\r\nx", PHASE_CHUNKS},
	};
	enum { HEL = PHASE_HELLO, REA, MAI, REF, RCP, CHU };
	static const struct {
		const char *line;
		uint16_t codes[COUNT(phases)];
		uint8_t next[COUNT(phases)];
	} verbs[] = {
	    {"EHLO x\r\n", {250, 250, 250, 250, 250, 250},
		{REA, REA, REA, REA, REA, REA}},
	    {"HELO x\r\n", {250, 250, 250, 250, 250, 250},
		{REA, REA, REA, REA, REA, REA}},
	    {"MAIL FROM:<e@f>\r\n", {503, 250, 503, 503, 503, 503},
		{HEL, MAI, MAI, REF, RCP, CHU}},
	    {"RCPT TO:<e@f>\r\n", {503, 503, 250, 250, 250, 503},
		{HEL, REA, RCP, RCP, RCP, CHU}},
	    {"RCPT TO:<no@f>\r\n", {503, 503, 554, 554, 554, 503},
		{HEL, REA, REF, REF, RCP, CHU}},
	    {"DATA\r\n", {503, 503, 503, 554, 354, 503},
		{HEL, REA, MAI, REF, RCP, CHU}},
	    {"DATA\r\n.\r\n", {503, 503, 503, 554, 354, 503},
		{HEL, REA, MAI, REF, REA, CHU}},
	    /* A refused chunk ends the transaction: RFC 3030, 2. */
	    {"BDAT 1\r\ny", {503, 503, 503, 554, 250, 250},
		{HEL, REA, REA, REA, CHU, CHU}},
	    {"BDAT 1 LAST\r\ny", {503, 503, 503, 554, 250, 250},
		{HEL, REA, REA, REA, REA, REA}},
	    {"RSET\r\n", {250, 250, 250, 250, 250, 250},
		{HEL, REA, REA, REA, REA, REA}},
	    {"NOOP\r\n", {250, 250, 250, 250, 250, 250},
		{HEL, REA, MAI, REF, RCP, CHU}},
	    {"VRFY x\r\n", {252, 252, 252, 252, 252, 252},
		{HEL, REA, MAI, REF, RCP, CHU}},
	    {"EXPN x\r\n", {502, 502, 502, 502, 502, 502},
		{HEL, REA, MAI, REF, RCP, CHU}},
	    {"HELP\r\n", {214, 214, 214, 214, 214, 214},
		{HEL, REA, MAI, REF, RCP, CHU}},
	    {"TURN\r\n", {500, 500, 500, 500, 500, 500},
		{HEL, REA, MAI, REF, RCP, CHU}},
	    {"QUIT\r\n", {221, 221, 221, 221, 221, 221},
		{HEL, REA, REA, REA, REA, REA}},
	};

	for (size_t p = 0; p < COUNT(phases); p++)
		for (size_t v = 0; v < COUNT(verbs); v++) {
			struct talk t;
			uint64_t code = 0;

			talk_init(&t);
			feed(&t, slice_of_str(phases[p].way));
			cr_assert_eq(t.s.phase, phases[p].phase);
			buf_clear(&t.got);
			feed(&t, slice_of_str(verbs[v].line));
			/* A commit's or an abort's line may come first. */
			if (t.got.at[0] == 'D')
				buf_drop(
				    &t.got, slice_find(buf_slice(&t.got), '2'));
			slice_number(slice_of(t.got.at, 3), &code);
			cr_assert_eq(code, verbs[v].codes[p], "%s in phase %zu",
			    verbs[v].line, p);
			cr_assert_eq(t.s.phase, verbs[v].next[p],
			    "%s in phase %zu", verbs[v].line, p);
			talk_deinit(&t);
		}
}

Test(smtp_server, believes_that_an_answer_was_asked_for, .signal = SIGABRT)
{
	struct talk t;

	talk_init(&t);
	smtp_server_accept(&t.s, SLICE(""));
}
