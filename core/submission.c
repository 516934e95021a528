/* submission.c -- one message, handed to one server by a command-line tool.
 *
 * A blocking driver of proto/smtp_client: what the machine needs is done at
 * once.  What it says and hears is shown by dialogue.h. */
#include "core/submission.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>

#include "core/config/value.h"
#include "core/dialogue.h"
#include "core/wire.h"
#include "proto/smtp_client_login.h"

struct talk {
	const struct submission *s;
	struct wire wire;
	struct dialogue dialogue;
	struct tls_context *context;
	struct smtp_client client;
	struct smtp_client_login login;
	struct outcome ended; /* OUTCOME_NONE: the session went well */
	struct buf in, out;
	uint8_t in_room[16384], out_room[SMTP_CLIENT_OUT_MIN * 2];
};

bool submission_tls_parse(const char *word, enum submission_tls *tls)
{
	static const char *const words[] = {
	    [SUBMISSION_NONE] = "none",
	    [SUBMISSION_MAY] = "may",
	    [SUBMISSION_ENCRYPT] = "encrypt",
	    [SUBMISSION_VERIFY] = "verify",
	    [SUBMISSION_IMPLICIT] = "implicit",
	};

	for (unsigned i = 0; i < COUNT(words); i++)
		if (strcmp(word, words[i]) == 0) {
			*tls = (enum submission_tls)i;
			return true;
		}
	return false;
}

static enum submission_tls tls_here(const struct config *c)
{
	switch (c->tls.level) {
	case TLS_LEVEL_NONE: return SUBMISSION_NONE;
	case TLS_LEVEL_MAY: return SUBMISSION_MAY;
	case TLS_LEVEL_ENCRYPT: return SUBMISSION_ENCRYPT;
	}
	return SUBMISSION_MAY;
}

static bool is_any_address(const uint8_t address[16])
{
	static const uint8_t v4_any[16] = {[10] = 0xff, 0xff};
	static const uint8_t v6_any[16] = {0};

	return memcmp(address, v4_any, 16) == 0 ||
	       memcmp(address, v6_any, 16) == 0;
}

/* Where the relay listens on all addresses, it is asked on loopback. */
static bool read_endpoint(
    struct submission_server *server, const struct string_list *list)
{
	static const uint8_t v4_prefix[12] = {[10] = 0xff, 0xff};
	union socket_address at = {.any.sa_family = AF_INET6};
	struct endpoint e;
	const char *why;

	if (list->count == 0 ||
	    !endpoint_parse(slice_of_str(list->at[0]), &e, &why))
		return false;
	server->port = e.port;
	if (e.every || is_any_address(e.address)) {
		bool v6 = !e.every && e.address[10] == 0;

		snprintf(server->host, sizeof(server->host), "%s",
		    v6 ? "::1" : "127.0.0.1");
		return true;
	}
	if (memcmp(e.address, v4_prefix, sizeof(v4_prefix)) == 0) {
		at.any.sa_family = AF_INET;
		memcpy(&at.v4.sin_addr, e.address + 12, 4);
	} else {
		memcpy(&at.v6.sin6_addr, e.address, 16);
	}
	snprintf(server->host, sizeof(server->host), "%s",
	    socket_address_format(&at).at);
	return true;
}

static bool is_clear_text(const char *password)
{
	return password[0] != '{' && password[0] != '$';
}

bool submission_server_here(
    struct submission_server *server, const struct config *c)
{
	*server = (struct submission_server){
	    .host = "127.0.0.1",
	    .port = 587,
	    .tls = SUBMISSION_MAY,
	    .clear_allowed = true,
	};
	if (c == NULL)
		return true;
	server->tls = tls_here(c);
	if (!read_endpoint(server, &c->listen_submission)) {
		server->tls = SUBMISSION_IMPLICIT;
		if (!read_endpoint(server, &c->listen_submissions))
			return false;
	}
	for (size_t i = 0; c->auth && i < c->user_count; i++)
		if (is_clear_text(c->users[i].password)) {
			server->user = c->users[i].name;
			server->password = slice_of_str(c->users[i].password);
			break;
		}
	return true;
}

static void fail_because(
    struct talk *t, const uint8_t status[3], const char *what, const char *why)
{
	char text[300];

	snprintf(text, sizeof(text), "%s%s", what, why);
	smtp_client_fail(&t->client,
	    outcome_of_error(OUTCOME_OTHER_HOST, status, true, text));
}

static void lost(struct talk *t, int err)
{
	const uint8_t status[3] = {4, 4, 2};

	if (err == -EPROTO && t->wire.tls != NULL)
		fail_because(t, status, "TLS: ", tls_error(t->wire.tls));
	else if (err == -ETIMEDOUT)
		fail_because(t, status, "the server does not answer", "");
	else
		fail_because(t, status, "the connection was lost",
		    err == 0 ? "" : strerror(-err));
}

static bool send_bytes(struct talk *t, struct slice bytes)
{
	int err = wire_send(&t->wire, bytes);

	/* What the server said before it went may explain it. */
	if (err == 0 || wire_has_input(&t->wire))
		return true;
	lost(t, err);
	return false;
}

static void flush(struct talk *t)
{
	struct slice out = buf_slice(&t->out);

	if (out.len > 0) {
		dialogue_sent(&t->dialogue, out);
		(void)send_bytes(t, out);
	}
	explicit_bzero(t->out_room, sizeof(t->out_room));
	buf_clear(&t->out);
}

static void receive(struct talk *t)
{
	int len;

	buf_clear(&t->in);
	len = wire_receive(&t->wire, &t->in);
	if (len > 0)
		dialogue_received(&t->dialogue, buf_slice(&t->in));
	else
		lost(t, len);
}

static void start_tls(struct talk *t)
{
	const struct submission_server *server = t->s->server;
	struct tls_peer peer = {
	    .name = server->host,
	    .verify = server->tls == SUBMISSION_VERIFY ? TLS_VERIFY_NAME
						       : TLS_VERIFY_LOOK,
	};
	const char *why = wire_start_tls(&t->wire, t->context, &peer);

	if (why != NULL) {
		fail_because(
		    t, (const uint8_t[3]){4, 7, 5}, "TLS handshake: ", why);
		return;
	}
	dialogue_note(&t->dialogue, "TLS %s, %s, certificate %s",
	    tls_version(t->wire.tls), tls_cipher(t->wire.tls),
	    tls_is_verified(t->wire.tls) ? "verified" : "not verified");
	t->login.options.has_binding =
	    tls_exporter(t->wire.tls, t->login.options.binding);
	if (server->tls != SUBMISSION_IMPLICIT)
		smtp_client_tls_started(&t->client);
}

static void send_body(struct talk *t)
{
	flush(t);
	dialogue_note(&t->dialogue, "the message, %zu bytes", t->s->body.len);
	if (send_bytes(t, t->s->body))
		smtp_client_body_sent(&t->client, true, (struct outcome){0});
}

/* The machine's needs, one after the other, up to its end. */
static void converse(struct talk *t)
{
	bool sent = false;
	struct slice in = {NULL, 0};

	for (;;) {
		switch (smtp_client_next(&t->client, &in, &t->out)) {
		case CLIENT_NEED_OUTPUT: flush(t); break;
		case CLIENT_NEED_INPUT:
			flush(t);
			receive(t);
			in = buf_slice(&t->in);
			break;
		case CLIENT_NEED_TLS: start_tls(t); break;
		case CLIENT_NEED_MESSAGE:
			if (sent)
				smtp_client_quit(&t->client);
			else
				smtp_client_send(&t->client, t->s->transaction);
			sent = true;
			break;
		case CLIENT_NEED_BODY: send_body(t); break;
		case CLIENT_NEED_RESULT: break;
		case CLIENT_NEED_CLOSE:
			flush(t);
			t->ended = t->client.closed_by;
			return;
		}
	}
}

static void begin(struct talk *t)
{
	const struct submission_server *server = t->s->server;

	smtp_client_init(&t->client, t->s->helo);
	switch (server->tls) {
	case SUBMISSION_NONE: break;
	case SUBMISSION_MAY: t->client.tls = CLIENT_TLS_MAY; break;
	case SUBMISSION_ENCRYPT:
	case SUBMISSION_VERIFY: t->client.tls = CLIENT_TLS_MUST; break;
	case SUBMISSION_IMPLICIT:
		t->client.tls_on = true;
		start_tls(t);
		break;
	}
	if (server->user == NULL)
		return;
	t->login.options.user = slice_of_str(server->user);
	t->login.options.password = server->password;
	t->login.options.hostname = slice_of_str(server->host);
	t->login.clear_allowed = server->clear_allowed;
	if (getrandom(t->login.options.nonce, SASL_NONCE_LEN, 0) !=
	    SASL_NONCE_LEN)
		fail_because(t, (const uint8_t[3]){4, 3, 0},
		    "no random numbers for AUTH", "");
	t->client.login = &t->login;
}

static int exit_of(const struct outcome *o)
{
	if (o->kind == OUTCOME_NONE || o->kind == OUTCOME_DELIVERED)
		return 0;
	if (o->code == 530 || o->code == 534 || o->code == 535)
		return EX_NOPERM;
	if (o->code / 100 == 5)
		return o->status[1] == 1 ? EX_NOUSER : EX_UNAVAILABLE;
	if (o->code == 0 && o->status[1] == 7)
		return EX_PROTOCOL;
	return o->kind == OUTCOME_FAILED ? EX_UNAVAILABLE : EX_TEMPFAIL;
}

static void complain(
    const struct submission *s, struct slice whose, const struct outcome *o)
{
	fprintf(s->err, "%s%.*s%s%s", whose.len > 0 ? "<" : "", (int)whose.len,
	    (const char *)whose.at, whose.len > 0 ? ">: " : "",
	    o->code != 0 ? "the server says: " : "");
	if (o->code != 0)
		fprintf(s->err, "%u ", o->code);
	for (size_t i = 0; i < o->text_len; i++)
		fputc(o->text[i] >= 0 && o->text[i] < ' ' ? ' ' : o->text[i],
		    s->err);
	fputc('\n', s->err);
}

/* The session's end explains all only when no recipient knows better. */
static int conclude(struct talk *t)
{
	const struct submission *s = t->s;
	int status = 0;

	for (uint32_t i = 0; i < s->transaction->rcpt_count; i++) {
		const struct smtp_client_rcpt *r = &s->transaction->rcpts[i];

		if (r->outcome.kind == OUTCOME_NONE) {
			complain(s, (struct slice){NULL, 0}, &t->ended);
			return exit_of(&t->ended);
		}
		if (exit_of(&r->outcome) == 0)
			continue;
		complain(s, r->address, &r->outcome);
		/* What may pass later is not for good. */
		if (status == 0 || exit_of(&r->outcome) == EX_TEMPFAIL)
			status = exit_of(&r->outcome);
	}
	return status;
}

static int open_wire(struct talk *t)
{
	const struct submission *s = t->s;
	const struct submission_server *server = s->server;
	const char *why = "";
	int status = EX_TEMPFAIL;

	switch (
	    wire_open(&t->wire, server->host, server->port, s->wait_s, &why)) {
	case WIRE_OPEN:
		dialogue_note(&t->dialogue, "connected to %s, port %u",
		    socket_address_format(&t->wire.peer).at, server->port);
		return 0;
	case WIRE_NO_HOST: status = EX_NOHOST; break;
	case WIRE_LATER:
	case WIRE_REFUSED: break;
	}
	fprintf(s->err, "no connection to %s, port %u: %s\n", server->host,
	    server->port, why);
	return status;
}

int submission_run(const struct submission *s)
{
	struct talk t = {.s = s, .dialogue.out = s->show, .wire.fd = -1};
	struct tls_client_options tls = {.ca_file = getenv("SSL_CERT_FILE")};
	char why[200] = "";
	int status;

	t.in = buf_over(t.in_room, sizeof(t.in_room));
	t.out = buf_over(t.out_room, sizeof(t.out_room));
	t.context = tls_client_context(&tls, why, sizeof(why));
	if (t.context == NULL) {
		fprintf(s->err, "%s\n", why);
		return EX_OSERR;
	}
	status = open_wire(&t);
	if (status == 0) {
		begin(&t);
		converse(&t);
		status = conclude(&t);
		if (t.wire.tls != NULL)
			dialogue_note(&t.dialogue, "closed");
	}
	smtp_client_login_wipe(&t.login);
	wire_close(&t.wire);
	tls_context_give(t.context);
	return status;
}
