/* smtp_server.c -- the session that answers: RFC 5321 as a machine.
 *
 * smtp_server_next() takes one step after the other until a step needs
 * something from outside.  `state` is what the machine waits for, `phase`
 * (command.h) how far the transaction has come; command.c's table has already
 * refused what may not stand where it stands.  A message's bytes are
 * smtp_server_body.c's, TLS and AUTH smtp_server_security.c's.
 *
 * Must hold: a step writes at most one reply, and only when there is room for
 * the longest; from the moment the driver accepted DATA, exactly one ABORT or
 * COMMIT follows. */
#include "proto/smtp_server.h"

#include "core/base/check.h"
#include "proto/smtp_server_parts.h"

void server_say(
    struct buf *out, uint16_t code, const char *enhanced, const char *text)
{
	check(reply_put(out, reply_of(code, enhanced, text)));
}

void server_drop_message(struct smtp_server *s)
{
	if (s->receiving)
		s->abort_due = true;
	s->receiving = false;
}

void server_transaction_end(struct smtp_server *s)
{
	server_drop_message(s);
	arena_reset(&s->arena);
	s->envelope = (struct smtp_server_envelope){.rcpts = NULL};
	s->envelope.rcpts_end = &s->envelope.rcpts;
	s->rcpt = (struct rcpt_params){.notify = 0};
	s->chunked = false;
	if (s->phase != PHASE_HELLO)
		s->phase = PHASE_READY;
}

void server_session_end(struct smtp_server *s)
{
	server_transaction_end(s);
	line_give(&s->line);
	s->state = SERVER_CLOSING;
}

void server_say_no(struct smtp_server *s, struct buf *out, struct reply reply)
{
	if (reply.code >= 500 && ++s->error_count > s->options->error_count_max)
		reply = reply_of(421, "4.7.0", "too many errors");
	check(reply_put(out, reply));
	if (reply.code == 421)
		server_session_end(s);
}

void server_ask(struct smtp_server *s, enum smtp_server_need need)
{
	s->state = SERVER_ANSWER;
	s->question = need;
	s->answered = false;
	s->reply = (struct reply){.code = 0};
}

/* RFC 5321, 4.1.1.1.  The name is only noted, so nearly anything may stand
 * there; a new EHLO ends a transaction as RSET does (4.1.4). */
static void hello(
    struct smtp_server *s, bool esmtp, struct slice name, struct buf *out)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] < 0x20 || name.at[i] == 0x7f) {
			server_say_no(
			    s, out, reply_of(501, "5.5.4", "that is no name"));
			return;
		}
	server_transaction_end(s);
	s->phase = PHASE_READY;
	s->esmtp = esmtp;
	if (name.len > SMTP_SERVER_HELO_MAX)
		name.len = SMTP_SERVER_HELO_MAX;
	memcpy(s->helo_room, name.at, name.len);
	s->helo = slice_of(s->helo_room, name.len);
	if (!esmtp) {
		check(reply_put(
		    out, (struct reply){250, NULL, s->options->hostname}));
		return;
	}
	check(buf_printf(out,
	    "250-%.*s\r\n"
	    "250-PIPELINING\r\n"
	    "250-SIZE %llu\r\n"
	    "250-8BITMIME\r\n"
	    "250-SMTPUTF8\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n"
	    "250-CHUNKING\r\n",
	    (int)s->options->hostname.len, s->options->hostname.at,
	    (unsigned long long)s->options->size_max));
	server_offer_security(s, out);
	check(buf_put_str(out, "250 DSN\r\n"));
}

static struct reply no_room(const struct smtp_server *s)
{
	if (s->arena.page_count == s->arena.page_count_max)
		return reply_of(452, "4.5.3", "too much recipient data");
	return reply_of(452, "4.3.1", "out of memory, try again later");
}

static void mail(struct smtp_server *s, struct slice args, struct buf *out)
{
	struct mail_params *from = &s->envelope.from;
	struct reply reply;
	bool good = params_mail(args, from, &reply);

	if (good && from->size > s->options->size_max) { /* RFC 1870, 6.1 */
		good = false;
		reply = reply_of(
		    552, "5.3.4", "the message is larger than SIZE allows");
	}
	if (good && !mail_params_keep(from, &s->arena)) {
		good = false;
		reply = no_room(s);
	}
	if (good) {
		server_ask(s, SMTP_NEED_MAIL);
		return;
	}
	server_transaction_end(s);
	server_say_no(s, out, reply);
}

static void rcpt_no(struct smtp_server *s, struct reply reply, struct buf *out)
{
	if (s->phase == PHASE_MAIL)
		s->phase = PHASE_REFUSED;
	server_say_no(s, out, reply);
}

static void rcpt(struct smtp_server *s, struct slice args, struct buf *out)
{
	struct reply reply;

	if (!params_rcpt(args, s->envelope.from.smtputf8, &s->rcpt, &reply)) {
		rcpt_no(s, reply, out);
		return;
	}
	/* RFC 5321, 4.5.3.1.10 */
	if (s->envelope.rcpt_count >= s->options->rcpt_count_max) {
		rcpt_no(s, reply_of(452, "4.5.3", "too many recipients"), out);
		return;
	}
	s->rcpt_asked = arena_take(&s->arena, sizeof(*s->rcpt_asked));
	if (s->rcpt_asked == NULL || !rcpt_params_keep(&s->rcpt, &s->arena)) {
		rcpt_no(s, no_room(s), out);
		return;
	}
	server_ask(s, SMTP_NEED_RCPT);
}

static void obey(struct smtp_server *s, struct command command, struct buf *out)
{
	switch (command.verb) {
	case COMMAND_EHLO: hello(s, true, command.args, out); break;
	case COMMAND_HELO: hello(s, false, command.args, out); break;
	case COMMAND_MAIL: mail(s, command.args, out); break;
	case COMMAND_RCPT: rcpt(s, command.args, out); break;
	case COMMAND_DATA: server_ask(s, SMTP_NEED_DATA); break;
	case COMMAND_BDAT: server_bdat(s, command.args, NULL, out); break;
	case COMMAND_RSET:
		server_transaction_end(s);
		server_say(out, 250, "2.0.0", "ok");
		break;
	case COMMAND_NOOP: server_say(out, 250, "2.0.0", "ok"); break;
	case COMMAND_VRFY: /* RFC 5321, 7.3 */
		server_say(out, 252, "2.0.0", "send some mail, I will try");
		break;
	case COMMAND_EXPN:
		server_say_no(
		    s, out, reply_of(502, "5.5.1", "there are no lists"));
		break;
	case COMMAND_HELP:
		server_say(out, 214, "2.0.0",
		    "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP "
		    "VRFY HELP QUIT");
		break;
	case COMMAND_STARTTLS: server_starttls(s, out); break;
	case COMMAND_AUTH: server_auth(s, command.args, out); break;
	case COMMAND_QUIT:
		server_say(out, 221, "2.0.0", "bye");
		server_session_end(s);
		break;
	}
}

static void command_line(
    struct smtp_server *s, struct slice line, struct buf *out)
{
	struct command command;
	struct reply reply;
	bool verb_known;
	bool good = command_read(line, s->phase, &command, &verb_known, &reply);

	if (verb_known && server_is_locked(s, command.verb, &reply))
		good = false;
	if (good)
		obey(s, command, out);
	else if (verb_known && command.verb == COMMAND_BDAT)
		server_bdat(s, command.args, &reply, out);
	else
		server_say_no(s, out, reply);
}

/* Each step returns true when it needs something, which is then in *need. */

static bool step_command(struct smtp_server *s, struct slice *in,
    struct buf *out, enum smtp_server_need *need)
{
	struct slice line;

	switch (line_next(&s->line, s->arena.pages, LINE_LEN_MAX, in, &line)) {
	case LINE_MORE: *need = SMTP_NEED_INPUT; return true;
	case LINE_CRLF: command_line(s, line, out); break;
	case LINE_BARE:
		server_say_no(
		    s, out, reply_of(500, "5.5.2", "a line ends with CR LF"));
		break;
	case LINE_LONG:
		server_say_no(
		    s, out, reply_of(500, "5.5.6", "the line is too long"));
		break;
	case LINE_NO_ROOM:
		server_say_no(s, out, reply_of(421, "4.3.1", "out of memory"));
		break;
	}
	/* AUTH's initial response lies in its line. */
	if (s->state != SERVER_ANSWER || s->question != SMTP_NEED_AUTH)
		line_give(&s->line);
	return false;
}

static void answered_rcpt(
    struct smtp_server *s, struct reply reply, struct buf *out)
{
	if (reply.code != 0) {
		rcpt_no(s, reply, out);
		return;
	}
	*s->rcpt_asked = (struct smtp_server_rcpt){.params = s->rcpt};
	*s->envelope.rcpts_end = s->rcpt_asked;
	s->envelope.rcpts_end = &s->rcpt_asked->next;
	s->envelope.rcpt_count++;
	s->phase = PHASE_RCPT;
	server_say(out, 250, "2.1.5", "ok");
}

static bool step_answer(
    struct smtp_server *s, struct buf *out, enum smtp_server_need *need)
{
	struct reply reply = s->reply;

	if (!s->answered) {
		*need = s->question;
		return true;
	}
	s->reply = (struct reply){.code = 0};
	s->state = SERVER_COMMAND;
	switch (s->question) {
	case SMTP_NEED_MAIL:
		if (reply.code != 0) {
			server_transaction_end(s);
			server_say_no(s, out, reply);
			break;
		}
		s->phase = PHASE_MAIL;
		server_say(out, 250, "2.1.0", "ok");
		break;
	case SMTP_NEED_RCPT: answered_rcpt(s, reply, out); break;
	case SMTP_NEED_DATA: server_answered_data(s, reply, out); break;
	case SMTP_NEED_COMMIT: server_answered_commit(s, reply, out); break;
	case SMTP_NEED_TLS: server_answered_tls(s, reply, out); break;
	case SMTP_NEED_AUTH:
	case SMTP_NEED_RESPONSE: server_answered_auth(s, reply, out); break;
	case SMTP_NEED_INPUT:
	case SMTP_NEED_OUTPUT:
	case SMTP_NEED_BODY:
	case SMTP_NEED_ABORT:
	case SMTP_NEED_HANDSHAKE:
	case SMTP_NEED_CLOSE: check(false); /* no question */
	}
	return false;
}

static bool step(struct smtp_server *s, struct slice *in, struct buf *out,
    enum smtp_server_need *need)
{
	switch (s->state) {
	case SERVER_GREETING:
		check(buf_printf(out, "220 %.*s ESMTP smarthost\r\n",
		    (int)s->options->hostname.len, s->options->hostname.at));
		s->state = SERVER_COMMAND;
		return false;
	case SERVER_COMMAND: return step_command(s, in, out, need);
	case SERVER_ANSWER: return step_answer(s, out, need);
	case SERVER_DATA: return server_step_data(s, in, out, need);
	case SERVER_CHUNK: return server_step_chunk(s, in, out, need);
	case SERVER_RESPONSE: return server_step_response(s, in, out, need);
	case SERVER_HANDSHAKE: *need = SMTP_NEED_HANDSHAKE; return true;
	case SERVER_CLOSING: break;
	}
	*need = SMTP_NEED_CLOSE;
	return true;
}

/* Gives the message up, and when that was said writes the reply of
 * smtp_server_end, if there is one. */
static void end(struct smtp_server *s, struct buf *out)
{
	if (s->receiving) {
		server_drop_message(s);
		return;
	}
	if (s->end_reply.code != 0)
		check(reply_put(out, s->end_reply));
	server_session_end(s);
}

enum smtp_server_need smtp_server_next(
    struct smtp_server *s, struct slice *in, struct buf *out)
{
	enum smtp_server_need need;

	check(out->room >= SMTP_SERVER_OUT_MIN);
	for (;;) {
		if (s->abort_due) {
			s->abort_due = false;
			return SMTP_NEED_ABORT;
		}
		if (s->state != SERVER_CLOSING &&
		    buf_left(out) < SMTP_SERVER_OUT_MIN)
			return SMTP_NEED_OUTPUT;
		if (s->ending && s->end_reply.code != 0 &&
		    s->state != SERVER_ANSWER && s->state != SERVER_HANDSHAKE &&
		    s->state != SERVER_CLOSING) {
			end(s, out);
			continue;
		}
		if (!step(s, in, out, &need))
			continue;
		if (need != SMTP_NEED_INPUT || !s->ending)
			return need;
		end(s, out); /* the peer's end, and all it said before it */
	}
}

static void answer(struct smtp_server *s, struct reply reply)
{
	check(s->state == SERVER_ANSWER);
	check(!s->answered);
	s->answered = true;
	s->reply = reply;
}

void smtp_server_accept(struct smtp_server *s, struct slice text)
{
	answer(s, (struct reply){.code = 0, .text = text});
}

void smtp_server_challenge(struct smtp_server *s, struct slice text)
{
	check(smtp_server_in_auth(s));
	check(text.len <= SMTP_SERVER_CHALLENGE_MAX);
	answer(s, (struct reply){.code = 334, .text = text});
}

void smtp_server_refuse(struct smtp_server *s, struct reply reply)
{
	check(reply.code >= 400);
	answer(s, reply);
}

void smtp_server_end(struct smtp_server *s, struct reply reply)
{
	s->ending = true;
	s->end_reply = reply;
}

bool smtp_server_in_message(const struct smtp_server *s)
{
	return s->state == SERVER_DATA || s->state == SERVER_CHUNK;
}

void smtp_server_init(struct smtp_server *s,
    const struct smtp_server_options *options, struct pool *pages,
    struct pool *responses)
{
	check(options->hostname.len <= 255);
	*s = (struct smtp_server){
	    .options = options,
	    .state = SERVER_GREETING,
	    .phase = PHASE_HELLO,
	    .responses = responses,
	};
	arena_init(&s->arena, pages, SMTP_SERVER_PAGES_MAX);
	server_transaction_end(s);
}

void smtp_server_deinit(struct smtp_server *s)
{
	arena_reset(&s->arena);
	line_give(&s->line);
}
