/* smtp_server_security.c -- the part of a session that is about trust: STARTTLS
 * (RFC 3207) and AUTH (RFC 4954).
 *
 * The machine knows when each may be said and what it is answered with; the
 * handshake and the mechanisms are the driver's.  Responses have lines of their
 * own length, in pages of their own, which are wiped: there may be a password
 * in them.
 *
 * Must hold: what was said in clear is forgotten when TLS begins; nothing that
 * was asked for under a lock (TLS required, AUTH required) is begun before it
 * is open. */
#include "core/base/check.h"
#include "proto/smtp_server_parts.h"

static bool is_free(enum command_verb verb)
{
	return verb == COMMAND_EHLO || verb == COMMAND_HELO ||
	       verb == COMMAND_NOOP || verb == COMMAND_RSET ||
	       verb == COMMAND_STARTTLS || verb == COMMAND_QUIT;
}

bool server_is_locked(
    const struct smtp_server *s, enum command_verb verb, struct reply *no)
{
	const struct smtp_server_options *o = s->options;

	if (o->tls_required && !s->tls && !is_free(verb)) { /* RFC 3207, 4 */
		*no = reply_of(530, "5.7.0", "say STARTTLS first");
		return true;
	}
	/* RFC 4954, 6 */
	if (o->auth_required && !s->authenticated && verb == COMMAND_MAIL) {
		*no = reply_of(530, "5.7.0", "authentication required");
		return true;
	}
	return false;
}

/* The mechanisms that may be used now, as a set. */
static unsigned offered(const struct smtp_server *s)
{
	unsigned set = s->options->mechanisms;

	if (!s->tls && (s->options->auth_needs_tls || s->options->tls_required))
		return 0;
	if (!s->has_binding)
		set &= ~(1u << SASL_SCRAM_SHA_256_PLUS);
	return set;
}

void server_offer_security(const struct smtp_server *s, struct buf *out)
{
	unsigned set = offered(s);

	if (s->options->starttls_offered && !s->tls)
		check(buf_put_str(out, "250-STARTTLS\r\n"));
	if (set == 0)
		return;
	check(buf_put_str(out, "250-AUTH"));
	/* The best first: some clients take the first that they know. */
	for (unsigned m = SASL_MECHANISM_COUNT; m-- > 0;)
		if (set & 1u << m)
			check(buf_printf(
			    out, " %s", sasl_name((enum sasl_mechanism)m)));
	check(buf_put_str(out, "\r\n"));
}

void server_starttls(struct smtp_server *s, struct buf *out)
{
	if (!s->options->starttls_offered)
		server_say_no(
		    s, out, reply_of(502, "5.5.1", "TLS is not offered here"));
	else if (s->tls)
		server_say_no(
		    s, out, reply_of(503, "5.5.1", "this is TLS already"));
	else
		server_ask(s, SMTP_NEED_TLS);
}

void server_answered_tls(
    struct smtp_server *s, struct reply reply, struct buf *out)
{
	if (reply.code != 0) {
		server_say_no(s, out, reply);
		return;
	}
	server_say(out, 220, "2.0.0", "ready to start TLS");
	s->state = SERVER_HANDSHAKE;
}

void smtp_server_tls_started(struct smtp_server *s, bool has_binding)
{
	check(s->state == SERVER_HANDSHAKE || s->state == SERVER_GREETING);
	/* RFC 3207, 4.2: all that was learned before is forgotten. */
	server_transaction_end(s);
	s->phase = PHASE_HELLO;
	s->helo = (struct slice){NULL, 0};
	s->esmtp = false;
	s->authenticated = false;
	s->error_count = 0;
	s->tls = true;
	s->has_binding = has_binding;
	if (s->state == SERVER_HANDSHAKE)
		s->state = SERVER_COMMAND;
}

void server_auth(struct smtp_server *s, struct slice args, struct buf *out)
{
	struct slice name = slice_cut_at(&args, ' ');
	bool known = sasl_find(name, &s->mechanism);
	struct reply no = {.code = 0};

	if (s->options->mechanisms == 0)
		no = reply_of(502, "5.5.1", "AUTH is not offered here");
	else if (s->authenticated) /* RFC 4954, 4 */
		no = reply_of(503, "5.5.1", "you have authenticated already");
	else if (!s->tls && s->options->auth_needs_tls)
		no = reply_of(538, "5.7.11", "say STARTTLS before AUTH");
	else if (!known || !(offered(s) & 1u << s->mechanism))
		no = reply_of(504, "5.5.4", "that mechanism is not offered");
	if (no.code != 0) {
		server_say_no(s, out, no);
		return;
	}
	s->piece = slice_trim(args);
	s->has_initial = s->piece.len > 0;
	server_ask(s, SMTP_NEED_AUTH);
}

/* The line may hold a password. */
static void wipe_line(struct smtp_server *s)
{
	if (s->line.held != NULL)
		explicit_bzero(s->line.held, s->line.held_len);
	line_give(&s->line);
	s->piece = (struct slice){NULL, 0};
}

bool server_step_response(struct smtp_server *s, struct slice *in,
    struct buf *out, enum smtp_server_need *need)
{
	struct reply no = {.code = 0};

	switch (line_next(
	    &s->line, s->responses, LINE_RESPONSE_MAX, in, &s->piece)) {
	case LINE_MORE: *need = SMTP_NEED_INPUT; return true;
	case LINE_CRLF: server_ask(s, SMTP_NEED_RESPONSE); return false;
	case LINE_BARE:
		no = reply_of(500, "5.5.2", "a line ends with CR LF");
		break;
	case LINE_LONG: /* RFC 4954, 4 */
		no = reply_of(500, "5.5.6", "the line is too long");
		break;
	case LINE_NO_ROOM: no = reply_of(421, "4.3.1", "out of memory"); break;
	}
	wipe_line(s);
	s->state = SERVER_COMMAND;
	server_say_no(s, out, no);
	return false;
}

void server_answered_auth(
    struct smtp_server *s, struct reply reply, struct buf *out)
{
	wipe_line(s);
	if (reply.code == 334) {
		check(buf_printf(
		    out, "334 %.*s\r\n", (int)reply.text.len, reply.text.at));
		s->state = SERVER_RESPONSE;
	} else if (reply.code != 0) {
		server_say_no(s, out, reply);
	} else {
		s->authenticated = true;
		server_say(out, 235, "2.7.0", "welcome");
	}
}

bool smtp_server_in_auth(const struct smtp_server *s)
{
	return s->state == SERVER_RESPONSE ||
	       (s->state == SERVER_ANSWER &&
		   (s->question == SMTP_NEED_AUTH ||
		       s->question == SMTP_NEED_RESPONSE));
}
