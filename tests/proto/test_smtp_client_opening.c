/* test_smtp_client_opening.c -- from the greeting to the first message.
 *
 * A script has a line for everything that is said: "S: " the server, "C: " the
 * client; "T" is the driver's handshake, "X" the end of the connection.  Each
 * is played in pieces of every size and broken off at every byte. */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "proto/smtp_client_login.h"

enum { MAY = 1, MUST = 2, LOGIN = 4, CLEAR = 8 };

struct talk {
	const char *name;
	unsigned want;
	const char *script;
	/* "ready", or what closed the session; "?" TLS is in doubt. */
	const char *end;
};

#define EHLO "C: EHLO me.example\n"
#define HELLO "S: 220 mx ESMTP\n" EHLO
#define OFFER HELLO "S: 250-mx\nS: 250 STARTTLS\n"
#define STARTTLS OFFER "C: STARTTLS\nS: 220 go\nT\n" EHLO
#define AUTHS(what) STARTTLS "S: 250-mx\nS: 250 AUTH " what "\n"
#define PLAIN "C: AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\n"
#define CRAM                                                                   \
	"C: AUTH CRAM-MD5\n"                                                   \
	"S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n"    \
	"C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\n"

static const struct talk talks[] = {
    /* TLS. */
    {"not wanted", 0, OFFER, "ready"},
    {"not offered", MAY, HELLO "S: 250 mx\n", "ready"},
    {"not offered, but a must", MUST, HELLO "S: 250 mx\nC: QUIT\n",
	"O 0 4.7.4! TLS is required, but the server does not offer it"},
    {"a must with HELO", MUST,
	HELLO "S: 500 what?\nC: HELO me.example\nS: 250 mx\nC: QUIT\n",
	"O 0 4.7.4! TLS is required, but the server does not offer it"},
    {"offered", MAY, STARTTLS "S: 250 mx\n", "ready"},
    {"offered, a must", MUST, STARTTLS "S: 250 mx\n", "ready"},
    {"offered again inside", MUST, STARTTLS "S: 250-mx\nS: 250 STARTTLS\n",
	"ready"},
    {"EHLO is refused inside", MUST,
	STARTTLS "S: 502 no\nC: HELO me.example\nS: 250 mx\n", "ready"},
    {"the greeting inside is none", MAY, STARTTLS "S: SSH-2.0\n",
	"O 0 4.5.0! malformed reply?"},
    {"a refusal inside is one", MAY, STARTTLS "S: 421 4.3.2 busy\n",
	"O 421 4.3.2! busy"},
    {"454", MAY, OFFER "C: STARTTLS\nS: 454 4.7.0 not now\n", "ready"},
    {"502", MAY, OFFER "C: STARTTLS\nS: 502 5.5.1 what?\n", "ready"},
    {"454, a must", MUST, OFFER "C: STARTTLS\nS: 454 4.7.0 not now\nC: QUIT\n",
	"O 454 4.7.0! not now"},
    {"554, a must: not the recipient's fault", MUST,
	OFFER "C: STARTTLS\nS: 554 5.7.0 never\nC: QUIT\n",
	"O 554 5.7.0! never"},
    {"421 to STARTTLS", MAY, OFFER "C: STARTTLS\nS: 421 4.3.2 bye\n",
	"O 421 4.3.2! bye?"},
    {"250 to STARTTLS", MAY, OFFER "C: STARTTLS\nS: 250 ok\n",
	"O 0 4.5.0! unexpected reply to STARTTLS"},
    {"354 to STARTTLS", MUST, OFFER "C: STARTTLS\nS: 354 ok\n",
	"O 0 4.5.0! unexpected reply to STARTTLS"},
    {"the handshake fails", MAY, OFFER "C: STARTTLS\nS: 220 go\nX\n",
	"O 0 4.4.2 lost?"},
    {"silence to STARTTLS", MAY, OFFER "C: STARTTLS\nX\n", "O 0 4.4.2 lost?"},
    {"silence inside", MAY, STARTTLS "X\n", "O 0 4.4.2 lost?"},

    /* AUTH. */
    {"PLAIN", MUST | LOGIN,
	AUTHS("DIGEST-MD5 PLAIN") PLAIN "S: 235 2.7.0 hello\n", "ready"},
    {"any 2xx will do", MUST | LOGIN, AUTHS("PLAIN") PLAIN "S: 250 hello\n",
	"ready"},
    {"CRAM-MD5 before PLAIN", MUST | LOGIN,
	AUTHS("PLAIN LOGIN CRAM-MD5") CRAM "S: 235 hello\n", "ready"},
    {"LOGIN", MUST | LOGIN,
	AUTHS("LOGIN") "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dGlt\n"
		       "S: 334 UGFzc3dvcmQ6\nC: dGFuc3RhYWZ0YW5zdGFhZg==\n"
		       "S: 235 hello\n",
	"ready"},
    {"offers in clear do not count", MUST | LOGIN,
	HELLO "S: 250-mx\nS: 250-AUTH PLAIN\nS: 250 STARTTLS\n"
	      "C: STARTTLS\nS: 220 go\nT\n" EHLO "S: 250 mx\nC: QUIT\n",
	"O 0 4.7.0! a user is configured, but the server does not offer AUTH"},
    {"not offered", LOGIN, HELLO "S: 250 mx\nC: QUIT\n",
	"O 0 4.7.0! a user is configured, but the server does not offer AUTH"},
    {"only what we do not know", MUST | LOGIN,
	AUTHS("GSSAPI NTLM XOAUTH2") "C: QUIT\n",
	"O 0 4.7.0! no mechanism of AUTH that the server offers will do"},
    {"PLAIN in clear is not allowed", LOGIN,
	HELLO "S: 250-mx\nS: 250 AUTH PLAIN LOGIN\nC: QUIT\n",
	"O 0 4.7.0! no mechanism of AUTH that the server offers will do"},
    {"CRAM-MD5 in clear is", LOGIN,
	HELLO "S: 250-mx\nS: 250 AUTH CRAM-MD5 PLAIN\n" CRAM "S: 235 hello\n",
	"ready"},
    {"PLAIN in clear where it is allowed", MAY | LOGIN | CLEAR,
	OFFER "C: STARTTLS\nS: 454 no\nC: QUIT\n",
	"O 0 4.7.0! a user is configured, but the server does not offer AUTH"},
    {"PLAIN in clear where it is allowed", MAY | LOGIN | CLEAR,
	HELLO "S: 250-mx\nS: 250 AUTH PLAIN\n" PLAIN "S: 235 hello\n", "ready"},
    {"wrong password", MUST | LOGIN,
	AUTHS("PLAIN") PLAIN "S: 535 5.7.8 wrong\nC: QUIT\n",
	"O 535 5.7.8! wrong"},
    {"not now", MUST | LOGIN,
	AUTHS("PLAIN") PLAIN "S: 454 4.7.0 later\nC: QUIT\n",
	"O 454 4.7.0! later"},
    {"421 to AUTH", MUST | LOGIN, AUTHS("PLAIN") PLAIN "S: 421 4.7.0 bye\n",
	"O 421 4.7.0! bye"},
    {"a challenge that is no base64", MUST | LOGIN,
	AUTHS("CRAM-MD5") "C: AUTH CRAM-MD5\nS: 334 <1@x>\nC: *\n"
			  "S: 501 5.7.0 cancelled\nC: QUIT\n",
	"O 0 4.7.0! the server's part in AUTH makes no sense, or it does not "
	"know the password"},
    {"a challenge of two lines", MUST | LOGIN,
	AUTHS("CRAM-MD5") "C: AUTH CRAM-MD5\nS: 334-PDE4\nS: 334 OTYu\nC: *\n"
			  "S: 501 5.7.0 cancelled\nC: QUIT\n",
	"O 0 4.7.0! the server's part in AUTH makes no sense, or it does not "
	"know the password"},
    {"a welcome after \"*\"", MUST | LOGIN,
	AUTHS("CRAM-MD5") "C: AUTH CRAM-MD5\nS: 334 =\nC: *\n"
			  "S: 235 welcome\nC: QUIT\n",
	"O 0 4.7.0! the server has not proved that it knows the password"},
    {"a welcome without a proof", MUST | LOGIN,
	AUTHS("SCRAM-SHA-256") "C: AUTH SCRAM-SHA-256 "
			       "biwsbj10aW0scj1NREV5TXpRMU5qYzRPVEF4TWpNME5UWTM"
			       "=\n"
			       "S: 235 welcome\nC: QUIT\n",
	"O 0 4.7.0! the server has not proved that it knows the password"},
    {"the connection breaks in AUTH", MUST | LOGIN, AUTHS("PLAIN") PLAIN "X\n",
	"O 0 4.4.2 lost"},
};

struct play {
	const char *script;
	const char *name;
	size_t step, budget;
	bool broken;
	struct smtp_client client;
	struct smtp_client_login login;
	uint8_t in_room[1024], out_room[SMTP_CLIENT_OUT_MIN], said_room[4096];
	struct slice in;
	struct buf out, said;
	size_t line_at;
};

static const struct outcome lost = {.kind = OUTCOME_OTHER_HOST,
    .status = {4, 4, 2},
    .text_len = 4,
    .text = "lost"};

static void break_off(struct play *p)
{
	p->broken = true;
	p->in.len = 0;
	smtp_client_fail(&p->client, lost);
}

/* The next of the server's bytes; its turn ends where the client's begins. */
static void serve(struct play *p)
{
	size_t len = 0;

	while (p->script[0] == 'S' && len < p->step && p->budget > 0) {
		const char *end = strchr(p->script, '\n');
		size_t line_len = (size_t)(end - p->script) - 3;

		p->in_room[len++] =
		    p->line_at < line_len
			? (uint8_t)p->script[3 + p->line_at]
			: (uint8_t) "\r\n"[p->line_at - line_len];
		p->budget--;
		if (++p->line_at == line_len + 2) {
			p->line_at = 0;
			p->script = end + 1;
		}
	}
	p->in = slice_of(p->in_room, len);
	if (len == 0)
		break_off(p);
}

static void match(struct play *p)
{
	while (p->script[0] == 'C' && p->said.len > 0) {
		const char *end = strchr(p->script, '\n');
		size_t len = (size_t)(end - p->script) - 3;

		cr_assert(p->said.len >= len + 2 &&
			      memcmp(p->said.at, p->script + 3, len) == 0 &&
			      memcmp(p->said.at + len, "\r\n", 2) == 0,
		    "%s: said %.*s for %.*s", p->name, (int)p->said.len,
		    p->said.at, (int)len, p->script + 3);
		buf_drop(&p->said, len + 2);
		p->script = end + 1;
	}
	cr_assert(p->said.len == 0, "%s: said too much: %.*s", p->name,
	    (int)p->said.len, p->said.at);
}

static bool play_on(struct play *p)
{
	enum smtp_client_need need =
	    smtp_client_next(&p->client, &p->in, &p->out);

	buf_put(&p->said, buf_slice(&p->out));
	buf_clear(&p->out);
	if (!p->broken)
		match(p);
	switch (need) {
	case CLIENT_NEED_INPUT: serve(p); return true;
	case CLIENT_NEED_TLS:
		cr_assert_eq(
		    smtp_client_waits_for(&p->client), CLIENT_WAIT_HELLO);
		if (p->script[0] != 'T') {
			break_off(p);
			return true;
		}
		p->script += 2;
		smtp_client_tls_started(&p->client);
		return true;
	case CLIENT_NEED_OUTPUT: return true;
	case CLIENT_NEED_MESSAGE: return false;
	case CLIENT_NEED_CLOSE: return false;
	case CLIENT_NEED_BODY:
	case CLIENT_NEED_RESULT: cr_assert_fail("%s", p->name);
	}
	return false;
}

static void play(
    struct play *p, const struct talk *t, size_t step, size_t budget)
{
	*p = (struct play){.name = t->name,
	    .script = t->script,
	    .step = step,
	    .budget = budget};
	p->out = buf_over(p->out_room, sizeof(p->out_room));
	p->said = buf_over(p->said_room, sizeof(p->said_room));
	smtp_client_init(&p->client, SLICE("me.example"));
	p->client.tls = t->want & MUST	? CLIENT_TLS_MUST
			: t->want & MAY ? CLIENT_TLS_MAY
					: CLIENT_TLS_NONE;
	p->login.options.user = SLICE("tim");
	p->login.options.password = SLICE("tanstaaftanstaaf");
	memcpy(p->login.options.nonce, "012345678901234567", SASL_NONCE_LEN);
	p->login.clear_allowed = t->want & CLEAR;
	if (t->want & LOGIN)
		p->client.login = &p->login;
	while (play_on(p))
		;
}

static bool is_ready(const struct play *p)
{
	return p->client.state == CLIENT_IDLE;
}

static void expect(const struct play *p, const struct talk *t)
{
	uint8_t room[1024];
	struct buf b = buf_over(room, sizeof(room));
	const struct outcome *o = &p->client.closed_by;

	if (is_ready(p))
		buf_put_str(&b, "ready");
	else
		buf_printf(&b, "%c %u %u.%u.%u%s %.*s%s", "?DLOF"[o->kind],
		    o -> code, o -> status[0], o -> status[1], o -> status[2],
		    o -> site ? "!" : "", o->text_len, o->text,
		    smtp_client_tls_in_doubt(&p->client) ? "?" : "");
	cr_assert(slice_eq(buf_slice(&b), slice_of_str(t->end)),
	    "%s, step %zu: %.*s", t->name, p->step, (int)b.len, b.at);
	cr_assert(strstr(p->script, "C: ") == NULL && p->script[0] != 'T',
	    "%s: not done: %s", t->name, p->script);
}

static struct play p;

Test(smtp_client_opening, goes_the_same_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t step = 1; step < 80; step++) {
			play(&p, &talks[i], step, SIZE_MAX);
			expect(&p, &talks[i]);
		}
}

Test(smtp_client_opening, is_never_ready_when_it_broke_off)
{
	for (size_t i = 0; i < COUNT(talks); i++) {
		size_t said = 0;

		play(&p, &talks[i], 80, SIZE_MAX);
		said = SIZE_MAX - p.budget;
		for (size_t budget = 0; budget < said; budget++) {
			play(&p, &talks[i], budget % 7 + 1, budget);
			cr_assert(!is_ready(&p), "%s", talks[i].name);
			cr_assert_neq(p.client.closed_by.kind, OUTCOME_NONE);
		}
	}
}

static enum smtp_client_need hear(const char *said)
{
	struct slice in = slice_of_str(said);
	enum smtp_client_need need = smtp_client_next(&p.client, &in, &p.out);

	cr_assert_eq(in.len, 0);
	buf_clear(&p.out);
	return need;
}

static void start(enum smtp_client_tls tls)
{
	p = (struct play){.out = buf_over(p.out_room, sizeof(p.out_room))};
	smtp_client_init(&p.client, SLICE("me.example"));
	p.client.tls = tls;
}

/* Whoever puts bytes behind the 220 wants them to be taken for the server's. */
Test(smtp_client_opening, believes_nothing_in_clear_behind_starttls)
{
	static const char *const injected[] = {"220 go\r\n2",
	    "220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n", "220 go\r\n\r\n",
	    "220 go\r\n\x16\x03\x03"};

	for (size_t i = 0; i < COUNT(injected); i++) {
		start(CLIENT_TLS_MAY);
		hear("220 mx\r\n");
		hear("250-mx\r\n250 STARTTLS\r\n");
		cr_assert_eq(hear(injected[i]), CLIENT_NEED_CLOSE);
		cr_assert(smtp_client_tls_in_doubt(&p.client));
		cr_assert(p.client.closed_by.site);
	}
	/* The same before the 220, as an answer to a command not yet said. */
	start(CLIENT_TLS_MAY);
	hear("220 mx\r\n");
	cr_assert_eq(
	    hear("250-mx\r\n250 STARTTLS\r\n220 go\r\n"), CLIENT_NEED_CLOSE);
	cr_assert(!p.client.tls_on);
}

Test(smtp_client_opening, forgets_what_was_offered_in_clear)
{
	start(CLIENT_TLS_MUST);
	hear("220 mx\r\n");
	hear("250-mx\r\n250-PIPELINING\r\n250-SIZE 9\r\n250 STARTTLS\r\n");
	cr_assert(p.client.offers.pipelining);
	cr_assert_eq(hear("220 go\r\n"), CLIENT_NEED_TLS);
	smtp_client_tls_started(&p.client);
	cr_assert(!p.client.offers.esmtp && !p.client.offers.pipelining);
	hear("");
	cr_assert(!p.client.tls_proven);
	cr_assert_eq(hear("250-mx\r\n250 DSN\r\n"), CLIENT_NEED_MESSAGE);
	cr_assert(p.client.tls_proven);
	cr_assert(p.client.offers.dsn && !p.client.offers.pipelining);
	cr_assert_eq(p.client.offers.size_max, 0);
}

/* A driver's time-out begins with these, not with every byte. */
Test(smtp_client_opening, counts_commands_and_whole_replies)
{
	uint32_t count;

	start(CLIENT_TLS_NONE);
	count = p.client.turn_count;
	for (const char *c = "220-mx\r\n220-no\r\n220 hello"; *c != '\0'; c++) {
		const char byte[2] = {*c, '\0'};

		hear(byte);
		cr_assert_eq(p.client.turn_count, count);
	}
	hear("\r\n");
	cr_assert_gt(p.client.turn_count, count);
}
