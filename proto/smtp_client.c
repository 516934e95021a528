/* smtp_client.c -- the session that asks.
 *
 * The commands of a transaction are numbered: RSET 0, MAIL 1, the RCPTs from 2
 * on, DATA last.  `written` and `answered` walk over these numbers; with
 * PIPELINING the first may run ahead of the second (RFC 2920), without it may
 * not.  Commands that a transaction does not need are stepped over by both.
 *
 * A recipient without outcome is one that may still be delivered: it has not
 * been answered, or it was accepted.  What refuses the message as a whole
 * (MAIL, DATA, the dot, the end of the session) gives its outcome to those.
 *
 * The end of a session, and what the transaction under way makes of it:
 *
 *   greeting ... AUTH                OTHER_HOST, the site is at fault
 *   421 or nonsense up to 354        OTHER_HOST: nothing was taken; the site is
 *                                    at fault when it is a session's first MAIL
 *                                    that is answered so
 *   a reply while the body is sent   what it says, DEFERRED if it makes no
 * sense 421, nonsense or silence to "."  DEFERRED: the message may have arrived
 *
 * Otherwise 4xx is DEFERRED and 5xx FAILED.  "Too many recipients" is DEFERRED
 * for those that were one too many; t->accepted_count tells the driver that it
 * may offer them again at once. */
#include "proto/smtp_client.h"

#include "core/base/check.h"
#include "proto/smtp_client_login.h"
#include "proto/smtp_client_state.h"
#include "proto/smtp_commands.h"

/* The numbers of a transaction's commands. */
enum { STEP_RSET, STEP_MAIL, STEP_RCPT };

_Static_assert(sizeof(struct smtp_client) <= 2048, "a session is small");

void smtp_client_init(struct smtp_client *s, struct slice helo)
{
	*s = (struct smtp_client){.helo = helo,
	    .state = CLIENT_GREETING,
	    .spoken = true,
	    .awaited_count = 1};
	reply_reader_init(&s->reply);
}

struct outcome smtp_client_reply_outcome(
    const struct smtp_client *s, enum outcome_kind kind_of_4xx)
{
	return outcome_of_reply(
	    s->reply.code, reply_reader_text(&s->reply), kind_of_4xx);
}

/* Every recipient that may still be delivered. */
static void give_outcome(
    struct smtp_client_transaction *t, const struct outcome *o)
{
	for (uint32_t i = 0; i < t->rcpt_count; i++)
		if (t->rcpts[i].outcome.kind == OUTCOME_NONE)
			t->rcpts[i].outcome = *o;
}

static void end_transaction(struct smtp_client *s)
{
	s->message_count++;
	smtp_client_enter(s, CLIENT_RESULT);
}

static bool in_transaction(enum smtp_client_state state)
{
	switch (state) {
	case CLIENT_ENVELOPE:
	case CLIENT_BODY:
	case CLIENT_DOT:
	case CLIENT_EMPTY_DOT: return true;
	case CLIENT_GREETING:
	case CLIENT_EHLO:
	case CLIENT_HELO:
	case CLIENT_STARTTLS:
	case CLIENT_TLS:
	case CLIENT_LOGIN:
	case CLIENT_IDLE:
	case CLIENT_RESULT:
	case CLIENT_LAST_RESULT:
	case CLIENT_QUIT:
	case CLIENT_CLOSED: return false;
	}
	return false;
}

void smtp_client_end(struct smtp_client *s, struct outcome why)
{
	bool result_due = in_transaction(s->state) || s->state == CLIENT_RESULT;

	/* Once QUIT was sent it does not matter how the server takes it. */
	if (s->state != CLIENT_QUIT)
		s->closed_by = why;
	if (in_transaction(s->state)) {
		give_outcome(s->transaction, &why);
		s->message_count++;
	}
	smtp_client_enter(s, result_due ? CLIENT_LAST_RESULT : CLIENT_CLOSED);
}

static bool before_mail(enum smtp_client_state state)
{
	return state < CLIENT_IDLE;
}

/* What a 4xx that ends the session means here. */
static enum outcome_kind kind_of_end(const struct smtp_client *s)
{
	bool in_doubt = s->state == CLIENT_BODY || s->state == CLIENT_DOT;

	return in_doubt ? OUTCOME_DEFERRED : OUTCOME_OTHER_HOST;
}

/* Nothing is known about the site before its first MAIL was answered. */
static bool site_at_fault(const struct smtp_client *s)
{
	return before_mail(s->state) ||
	       (s->state == CLIENT_ENVELOPE && s->message_count == 0 &&
		   s->answered <= STEP_MAIL);
}

void smtp_client_protocol_error(struct smtp_client *s, const char *sentence)
{
	const uint8_t status[3] = {4, 5, 0};

	smtp_client_end(s, outcome_of_error(kind_of_end(s), status,
			       site_at_fault(s), sentence));
}

static void end_by_reply(struct smtp_client *s)
{
	struct outcome why = smtp_client_reply_outcome(s, kind_of_end(s));

	why.site = site_at_fault(s);
	smtp_client_end(s, why);
}

/* What the server says without having been asked.  A 421 announces its end
 * (RFC 5321, 3.8); a refusal in the middle of the body is a verdict on it, but
 * nobody knows what the server makes of the rest. */
static void spoke_out_of_turn(struct smtp_client *s)
{
	bool in_body = s->state == CLIENT_BODY || s->state == CLIENT_DOT;

	if (s->reply.code == 421 || (in_body && s->reply.code >= 400))
		end_by_reply(s);
	else
		smtp_client_protocol_error(s, "reply without a command");
}

/* --- a transaction's replies -------------------------------------------- */

static uint32_t step_of_data(const struct smtp_client *s)
{
	return STEP_RCPT + s->transaction->rcpt_count;
}

static struct smtp_client_rcpt *rcpt_of(
    const struct smtp_client *s, uint32_t step)
{
	check(step >= STEP_RCPT && step < step_of_data(s));
	return &s->transaction->rcpts[step - STEP_RCPT];
}

static bool is_skipped(const struct smtp_client *s, uint32_t step)
{
	if (step < STEP_RCPT || step >= step_of_data(s))
		return false;
	return !smtp_commands_take_address(rcpt_of(s, step)->address);
}

static void step_forward(const struct smtp_client *s, uint32_t *step)
{
	do
		(*step)++;
	while (is_skipped(s, *step));
}

/* Whether anyone is left to whom the message may still be delivered. */
static bool has_takers(const struct smtp_client_transaction *t)
{
	for (uint32_t i = 0; i < t->rcpt_count; i++)
		if (t->rcpts[i].outcome.kind == OUTCOME_NONE)
			return true;
	return false;
}

static void on_mail(struct smtp_client *s)
{
	struct outcome o = smtp_client_reply_outcome(s, OUTCOME_DEFERRED);

	if (s->reply.code / 100 == 2) {
		s->mail_open = true;
		return;
	}
	give_outcome(s->transaction, &o);
	s->stopped = true;
}

static void on_rcpt(struct smtp_client *s, struct smtp_client_rcpt *rcpt)
{
	/* MAIL was refused, what is said to RCPT then means nothing. */
	if (rcpt->outcome.kind != OUTCOME_NONE)
		return;
	if (s->reply.code / 100 == 2) {
		s->transaction->accepted_count++;
		return;
	}
	rcpt->outcome = smtp_client_reply_outcome(s, OUTCOME_DEFERRED);
	/* RFC 5321, 4.5.3.1.10: here 552 is an old form of 452. */
	if (s->reply.code == 552) {
		rcpt->outcome.kind = OUTCOME_DEFERRED;
		rcpt->outcome.status[0] = 4;
	}
}

static void on_data(struct smtp_client *s)
{
	struct outcome o = smtp_client_reply_outcome(s, OUTCOME_DEFERRED);

	if (s->reply.code / 100 != 3)
		give_outcome(s->transaction, &o);
	else if (has_takers(s->transaction))
		smtp_client_enter(s, CLIENT_BODY);
	else /* RFC 2920, 3.1: send the end of data, nothing else. */
		smtp_client_enter(s, CLIENT_EMPTY_DOT);
}

static void on_envelope(struct smtp_client *s)
{
	uint32_t step = s->answered;
	uint16_t class = s->reply.code / 100;
	bool is_data = step == step_of_data(s);

	if (class == (is_data ? 2 : 3)) {
		smtp_client_protocol_error(s, "unexpected reply");
		return;
	}
	step_forward(s, &s->answered);
	if (step == STEP_RSET && class != 2)
		smtp_client_protocol_error(s, "RSET was refused");
	else if (step == STEP_RSET)
		s->mail_open = false;
	else if (step == STEP_MAIL)
		on_mail(s);
	else if (is_data)
		on_data(s);
	else
		on_rcpt(s, rcpt_of(s, step));
}

static void on_dot(struct smtp_client *s)
{
	struct outcome o = smtp_client_reply_outcome(s, OUTCOME_DEFERRED);

	if (s->reply.code / 100 == 3) {
		smtp_client_protocol_error(s, "unexpected reply");
		return;
	}
	s->mail_open = false;
	give_outcome(s->transaction, &o);
	end_transaction(s);
}

static void on_reply(struct smtp_client *s)
{
	if (s->out_of_turn) {
		spoke_out_of_turn(s);
		return;
	}
	check(s->awaited_count > 0);
	s->awaited_count--;
	if (s->reply.code == 421 && s->state != CLIENT_QUIT) {
		end_by_reply(s);
		return;
	}
	switch (s->state) {
	case CLIENT_GREETING: smtp_client_on_greeting(s); return;
	case CLIENT_EHLO:
	case CLIENT_HELO: smtp_client_on_hello(s); return;
	case CLIENT_STARTTLS: smtp_client_on_starttls(s); return;
	case CLIENT_LOGIN: smtp_client_on_login(s); return;
	case CLIENT_ENVELOPE: on_envelope(s); return;
	case CLIENT_DOT: on_dot(s); return;
	case CLIENT_EMPTY_DOT:
		s->mail_open = false;
		end_transaction(s);
		return;
	case CLIENT_QUIT: smtp_client_enter(s, CLIENT_CLOSED); return;
	case CLIENT_TLS:
	case CLIENT_IDLE:
	case CLIENT_BODY:
	case CLIENT_RESULT:
	case CLIENT_LAST_RESULT:
	case CLIENT_CLOSED: check(!"a reply is awaited in this state");
	}
}

static void take_reply(struct smtp_client *s, struct slice *in)
{
	if (s->state == CLIENT_TLS) {
		/* Somebody put them in: none of it may be taken for what the
		 * server says inside of TLS. */
		slice_cut(in, in->len);
		smtp_client_protocol_error(s, "bytes in clear behind STARTTLS");
		return;
	}
	if (s->reply.byte_count == 0)
		s->out_of_turn = s->awaited_count == 0;
	switch (reply_reader_feed(&s->reply, in)) {
	case REPLY_MORE: return;
	case REPLY_BAD: smtp_client_protocol_error(s, "malformed reply"); break;
	case REPLY_COMPLETE:
		s->turn_count++;
		s->tls_proven = s->tls_on;
		on_reply(s);
		break;
	}
	reply_reader_init(&s->reply);
}

/* --- commands ------------------------------------------------------------ */

static void put_step(
    const struct smtp_client *s, uint32_t step, struct buf *out)
{
	if (step == STEP_RSET)
		buf_put_str(out, "RSET\r\n");
	else if (step == STEP_MAIL)
		smtp_commands_put_mail(out, &s->offers, s->transaction);
	else if (step == step_of_data(s))
		buf_put_str(out, "DATA\r\n");
	else
		smtp_commands_put_rcpt(out, &s->offers, rcpt_of(s, step));
}

/* Takes a command back that did not fit whole. */
static bool fitted(struct buf *out, size_t len_before)
{
	if (!out->overflowed)
		return true;
	out->len = len_before;
	out->overflowed = false;
	check(len_before > 0);
	return false;
}

static bool write_envelope(struct smtp_client *s, struct buf *out)
{
	uint32_t awaited_count_max =
	    s->offers.pipelining ? SMTP_CLIENT_PIPELINE_MAX : 1;

	while (!s->stopped && s->awaited_count < awaited_count_max) {
		size_t len_before = out->len;
		bool is_data = s->written == step_of_data(s);

		if (is_data && !has_takers(s->transaction)) {
			s->stopped = true;
			break;
		}
		put_step(s, s->written, out);
		if (!fitted(out, len_before))
			return false;
		step_forward(s, &s->written);
		s->awaited_count++;
		s->turn_count++;
		s->stopped = is_data;
	}
	/* Nothing to send a body for: the envelope is all there was. */
	if (s->stopped && s->awaited_count == 0)
		end_transaction(s);
	return true;
}

static bool write_command(struct smtp_client *s, struct buf *out,
    const char *verb, struct slice argument)
{
	size_t len_before = out->len;

	if (s->spoken)
		return true;
	buf_put_str(out, verb);
	buf_put(out, argument);
	buf_put_str(out, "\r\n");
	if (!fitted(out, len_before))
		return false;
	s->spoken = true;
	s->awaited_count++;
	s->turn_count++;
	return true;
}

/* What this state has to say; false when `out` has no room for it. */
static bool write_out(struct smtp_client *s, struct buf *out)
{
	switch (s->state) {
	case CLIENT_EHLO: return write_command(s, out, "EHLO ", s->helo);
	case CLIENT_HELO: return write_command(s, out, "HELO ", s->helo);
	case CLIENT_STARTTLS:
		return write_command(s, out, "STARTTLS", SLICE(""));
	case CLIENT_LOGIN:
		return write_command(s, out, "", buf_slice(&s->login->line));
	case CLIENT_ENVELOPE: return write_envelope(s, out);
	case CLIENT_DOT:
	case CLIENT_EMPTY_DOT: return write_command(s, out, ".", SLICE(""));
	case CLIENT_QUIT: return write_command(s, out, "QUIT", SLICE(""));
	case CLIENT_CLOSED:
		if (!s->quit_due)
			return true;
		return write_command(s, out, "QUIT", SLICE(""));
	case CLIENT_GREETING:
	case CLIENT_TLS:
	case CLIENT_IDLE:
	case CLIENT_BODY:
	case CLIENT_RESULT:
	case CLIENT_LAST_RESULT: return true;
	}
	return true;
}

/* --- what the driver sees ------------------------------------------------ */

/* Says the result; from here on the transaction is the driver's. */
static enum smtp_client_need say_result(struct smtp_client *s)
{
	smtp_client_enter(
	    s, s->state == CLIENT_RESULT ? CLIENT_IDLE : CLIENT_CLOSED);
	return CLIENT_NEED_RESULT;
}

static bool has_result(enum smtp_client_state state)
{
	return state == CLIENT_RESULT || state == CLIENT_LAST_RESULT;
}

static bool listens(enum smtp_client_state state)
{
	return !has_result(state) && state != CLIENT_CLOSED;
}

enum smtp_client_need smtp_client_next(
    struct smtp_client *s, struct slice *in, struct buf *out)
{
	enum smtp_client_state state;

	check(!out->overflowed);
	if (!in_transaction(s->state) && !has_result(s->state))
		s->transaction = NULL;
	do {
		while (in->len > 0 && listens(s->state))
			take_reply(s, in);
		state = s->state;
		if (!write_out(s, out))
			return CLIENT_NEED_OUTPUT;
	} while (s->state != state);

	switch (s->state) {
	case CLIENT_TLS: return CLIENT_NEED_TLS;
	case CLIENT_IDLE: return CLIENT_NEED_MESSAGE;
	case CLIENT_BODY: return CLIENT_NEED_BODY;
	case CLIENT_RESULT:
	case CLIENT_LAST_RESULT: return say_result(s);
	case CLIENT_CLOSED: return CLIENT_NEED_CLOSE;
	case CLIENT_GREETING:
	case CLIENT_EHLO:
	case CLIENT_HELO:
	case CLIENT_STARTTLS:
	case CLIENT_LOGIN:
	case CLIENT_ENVELOPE:
	case CLIENT_DOT:
	case CLIENT_EMPTY_DOT:
	case CLIENT_QUIT: return CLIENT_NEED_INPUT;
	}
	return CLIENT_NEED_CLOSE;
}

enum smtp_client_wait smtp_client_waits_for(const struct smtp_client *s)
{
	switch (s->state) {
	case CLIENT_GREETING: return CLIENT_WAIT_GREETING;
	case CLIENT_EHLO:
	case CLIENT_HELO:
	case CLIENT_STARTTLS:
	case CLIENT_TLS:
	case CLIENT_LOGIN: return CLIENT_WAIT_HELLO;
	case CLIENT_ENVELOPE:
		if (s->answered == STEP_RSET)
			return CLIENT_WAIT_RESET;
		if (s->answered == STEP_MAIL)
			return CLIENT_WAIT_MAIL;
		return s->answered == step_of_data(s) ? CLIENT_WAIT_DATA
						      : CLIENT_WAIT_RCPT;
	case CLIENT_BODY: return CLIENT_WAIT_BODY;
	case CLIENT_DOT:
	case CLIENT_EMPTY_DOT: return CLIENT_WAIT_DOT;
	case CLIENT_IDLE:
	case CLIENT_RESULT:
	case CLIENT_LAST_RESULT:
	case CLIENT_QUIT:
	case CLIENT_CLOSED: return CLIENT_WAIT_RESET;
	}
	return CLIENT_WAIT_RESET;
}

void smtp_client_send(struct smtp_client *s, struct smtp_client_transaction *t)
{
	check(s->state == CLIENT_IDLE);
	check(t->rcpt_count > 0);
	s->transaction = t;
	if (!smtp_commands_prepare(&s->offers, t)) {
		end_transaction(s);
		return;
	}
	smtp_client_enter(s, CLIENT_ENVELOPE);
	s->stopped = false;
	s->written = s->answered = s->mail_open ? STEP_RSET : STEP_MAIL;
}

void smtp_client_quit(struct smtp_client *s)
{
	check(s->state == CLIENT_IDLE);
	s->transaction = NULL;
	smtp_client_enter(s, CLIENT_QUIT);
}

void smtp_client_body_sent(
    struct smtp_client *s, bool complete, struct outcome why)
{
	check(s->state == CLIENT_BODY);
	if (complete) {
		smtp_client_enter(s, CLIENT_DOT);
		return;
	}
	check(why.kind != OUTCOME_NONE && why.kind != OUTCOME_DELIVERED);
	smtp_client_end(s, why);
}

void smtp_client_fail(struct smtp_client *s, struct outcome why)
{
	check(why.kind != OUTCOME_NONE && why.kind != OUTCOME_DELIVERED);
	if (s->state == CLIENT_CLOSED || s->state == CLIENT_LAST_RESULT)
		return;
	/* RFC 1047: the message may have been taken, and only the reply lost.
	 */
	if (s->state == CLIENT_DOT && s->spoken)
		why.kind = OUTCOME_DEFERRED;
	smtp_client_end(s, why);
}
