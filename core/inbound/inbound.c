/* inbound.c -- one client's session: the driver of proto/smtp_server.
 *
 * run() is the story: ask the machine what it needs and meet the need, until it
 * needs something that has to be waited for.  Completions only record what
 * happened and call run() again.
 *
 * While a reply is being sent the next bytes may already be on their way: both
 * are begun together.  While the spool is waited for nothing is received: that
 * is the back pressure.  Bytes that came too early are kept in `held`, so that
 * the loop gets its buffer back.
 *
 * Must hold: at most one receive and one send are under way; a session is given
 * back only when neither is, and the spool has answered. */
#include "core/inbound/inbound.h"

#include "core/inbound/inbound_parts.h"

#define LINGER_MS 2000
/* A client that sends less than this in data_ms is not sending a message. */
#define DATA_PIECE_MIN 1024

static void give_held(struct inbound *c)
{
	if (c->held != NULL)
		pool_give(&c->service->held_pool, c->held);
	c->held = NULL;
	c->held_len = 0;
}

static void give_out(struct inbound *c)
{
	if (c->out != NULL)
		pool_give(&c->service->out_pool, c->out);
	c->out = NULL;
}

/* The session's end, when nothing is under way any more. */
void inbound_finish(struct inbound *c)
{
	struct inbound_service *s = c->service;

	check(c->state == INBOUND_CLOSING);
	if (stream_busy(&c->stream) || c->waiting)
		return; /* the last completion brings us here again */
	if (c->message != NULL)
		message_end(c->message);
	log_begin(s->log, LOG_INFO, "disconnect");
	log_address(s->log, "client", &c->client);
	log_end(s->log);
	give_held(c);
	give_out(c);
	login_forget(c);
	handshake_forget(c);
	smtp_server_deinit(&c->smtp);
	timer_disarm(&c->timer);
	inbound_client_give(&s->clients, c->counted);
	stream_close(&c->stream, true);
	list_remove(&c->link);
	inbound_settings_give(c->settings);
	pool_give(&s->session_pool, c);
	s->session_count--;
}

void inbound_abort(struct inbound *c)
{
	c->state = INBOUND_CLOSING;
	if (c->delayed)
		c->waiting = c->delayed = false;
	login_leave_line(c);
	stream_cancel(&c->stream);
	inbound_finish(c);
}

void inbound_arm(struct inbound *c, uint64_t in_ms)
{
	c->received_armed = c->received_len;
	timer_arm(loop_timers(c->service->loop), &c->timer, in_ms);
}

static void on_received(struct stream *stream, int result);

void inbound_receive(struct inbound *c)
{
	if (!stream_receiving(&c->stream))
		stream_recv(&c->stream, on_received);
}

void inbound_hold(struct inbound *c, struct slice in)
{
	if (in.len == 0) {
		give_held(c);
		return;
	}
	if (c->held == NULL) {
		c->held = pool_take(&c->service->held_pool);
		check(c->held != NULL); /* one for each session */
	}
	check(in.len <= INBOUND_HELD_MAX);
	memmove(c->held, in.at, in.len);
	c->held_len = (uint16_t)in.len;
}

void inbound_run_held(struct inbound *c)
{
	inbound_run(c, slice_of(c->held, c->held_len));
}

/* Our last words are sent: lets the client read them before the connection
 * goes, for a close with unread input would reset it. */
static void say_goodbye(struct inbound *c)
{
	if (!c->polite || c->input_ended) {
		inbound_abort(c);
		return;
	}
	c->state = INBOUND_LINGER;
	stream_shutdown(&c->stream);
	give_held(c);
	timer_disarm(&c->timer);
	inbound_arm(c, LINGER_MS);
	inbound_receive(c);
}

static void on_sent(struct stream *stream, int result)
{
	struct inbound *c = container_of(stream, struct inbound, stream);
	bool whole = result >= 0 && (size_t)result == c->out->buf.len;

	give_out(c);
	if (c->state == INBOUND_CLOSING)
		inbound_finish(c);
	else if (!whole)
		inbound_abort(c);
	else if (c->state == INBOUND_ENDING)
		say_goodbye(c);
	else if (c->state == INBOUND_HANDSHAKE)
		handshake_sent(c);
	else if (!c->waiting)
		inbound_run_held(c);
}

void inbound_flush(struct inbound *c)
{
	struct inbound_out *out = c->out;

	if (out == NULL || stream_sending(&c->stream))
		return;
	if (out->buf.len == 0) {
		give_out(c);
		return;
	}
	out->iov = (struct iovec){out->buf.at, out->buf.len};
	out->message = (struct msghdr){.msg_iov = &out->iov, .msg_iovlen = 1};
	stream_send(&c->stream, &out->message, on_sent);
}

static void take_out(struct inbound *c)
{
	if (c->out != NULL)
		return;
	c->out = pool_take(&c->service->out_pool);
	check(c->out != NULL); /* one for each session */
	c->out->buf = buf_over(c->out->room, sizeof(c->out->room));
}

/* Sends the rest and goes; `left` is input that nobody will read. */
static void end(struct inbound *c, struct slice left)
{
	if (left.len > 0)
		c->polite = true;
	c->state = INBOUND_ENDING;
	inbound_flush(c);
	if (stream_sending(
		&c->stream)) /* a client may not even read its last reply */
		inbound_arm(c, c->settings->command_ms);
	else
		say_goodbye(c);
}

static void on_piece_written(struct spool_wait *w, int result)
{
	struct inbound_message *m =
	    container_of(w, struct inbound_message, wait);
	struct inbound *c = m->session;

	if (result < 0)
		m->failed = true;
	if (message_written(m, on_piece_written) == MESSAGE_PUT_WAIT)
		return;
	c->waiting = false;
	if (c->state == INBOUND_CLOSING)
		inbound_finish(c);
	else if (!stream_sending(&c->stream))
		inbound_run_held(c);
}

static void log_accepted(struct inbound *c, struct inbound_message *m)
{
	struct log *log = c->service->log;
	struct slice from = c->smtp.envelope.from.path.full;

	log_begin(log, LOG_INFO, "accepted");
	log_id(log, "id", m->draft.id);
	log_address(log, "client", &c->client);
	log_slice(log, "from", from.len > 0 ? from : SLICE("<>"));
	log_number(log, "size", (int64_t)c->smtp.body_len);
	log_number(log, "rcpts", c->smtp.envelope.rcpt_count);
	if (c->user != NULL)
		log_slice(log, "user", c->user->name);
	handshake_log(log, c);
	log_number(
	    log, "ms", (int64_t)(loop_now_ms(c->service->loop) - m->begun_ms));
	log_end(log);
}

static void count_accepted(struct inbound *c)
{
	struct metrics *metrics = c->service->metrics;

	metric_inc(metrics, METRIC_MESSAGES);
	metric_add(metrics, METRIC_MESSAGE_BYTES, c->smtp.body_len);
	metric_add(metrics, METRIC_RECIPIENTS, c->smtp.envelope.rcpt_count);
}

static struct reply no_storage(void)
{
	return (struct reply){452, "4.3.1",
	    SLICE("insufficient system storage, try again later")};
}

static void on_committed(struct spool_wait *w, int result)
{
	struct inbound_message *m =
	    container_of(w, struct inbound_message, wait);
	struct inbound *c = m->session;

	c->waiting = false;
	if (result == 0) {
		count_accepted(c);
		log_accepted(c, m);
		c->id = id_format(m->draft.id);
		smtp_server_accept(&c->smtp, slice_of(c->id.at, c->id.len));
	} else {
		metric_inc(c->service->metrics, METRIC_MESSAGES_REFUSED);
		smtp_server_refuse(&c->smtp, no_storage());
	}
	message_end(m);
	c->message = NULL;
	if (c->state == INBOUND_CLOSING)
		inbound_finish(c);
	else if (!stream_sending(&c->stream))
		inbound_run_held(c);
}

static void refuse_as(struct inbound *c, struct reply reply, enum metric what)
{
	struct log *log = c->service->log;

	metric_inc(c->service->metrics, what);
	log_begin(log, LOG_WARN, "refused");
	log_address(log, "client", &c->client);
	log_slice(log, "from", c->smtp.envelope.from.path.full);
	log_number(log, "code", reply.code);
	log_slice(log, "reply", reply.text);
	log_end(log);
	smtp_server_refuse(&c->smtp, reply);
}

/* The text of a verdict: until the machine has written it, which is next. */
static struct buf text_room(struct inbound *c)
{
	return buf_over(c->service->text, sizeof(c->service->text));
}

static bool may_send(enum sender_verdict verdict, uint16_t code,
    const struct buf *text, struct reply *no)
{
	switch (verdict) {
	case SENDER_ALLOWED: return true;
	case SENDER_LOGIN_FIRST:
		*no = (struct reply){530, "5.7.0", buf_slice(text)};
		return false;
	case SENDER_REFUSED:
		*no = (struct reply){code, "5.7.1", buf_slice(text)};
		return false;
	}
	return false;
}

static void mail(struct inbound *c)
{
	struct buf text = text_room(c);
	struct reply no = no_storage();

	if (!spool_accepts(c->service->spool))
		refuse_as(c, no, METRIC_MESSAGES_REFUSED);
	else if (!may_send(sender_judge_envelope(c->settings->senders, c->user,
			       &c->smtp.envelope.from.path, &text),
		     553, &text, &no))
		refuse_as(c, no, METRIC_SENDERS_REFUSED);
	else
		smtp_server_accept(&c->smtp, SLICE(""));
}

static void data(struct inbound *c)
{
	c->message = message_begin(c);
	if (c->message == NULL) {
		refuse_as(c, no_storage(), METRIC_MESSAGES_REFUSED);
		return;
	}
	smtp_server_accept(&c->smtp, SLICE(""));
	inbound_arm(c, c->settings->data_ms);
}

/* Whether the session must wait for the spool now. */
static bool body(struct inbound *c)
{
	if (message_put(c->message, c->smtp.piece, on_piece_written) ==
	    MESSAGE_PUT_WAIT)
		c->waiting = true;
	return c->waiting;
}

static void on_room(struct spool_wait *w, int result)
{
	struct inbound *c =
	    container_of(w, struct inbound_message, wait)->session;

	(void)result; /* what is wrong the commit will say */
	c->waiting = false;
	if (c->state == INBOUND_CLOSING)
		inbound_finish(c);
	else if (!stream_sending(&c->stream))
		inbound_run_held(c);
}

static bool commit(struct inbound *c)
{
	struct buf text = text_room(c);
	struct reply reply;
	enum metric refused = METRIC_SENDERS_REFUSED;

	if (!spool_has_room(c->service->spool)) {
		c->message->wait.done = on_room;
		spool_await_room(c->service->spool, &c->message->wait);
		c->waiting = true;
		return true;
	}
	message_is_whole(c->message);
	if (may_send(sender_judge_header(c->settings->senders, c->user,
			 &c->message->from, &text),
		550, &text, &reply)) {
		if (message_commit(c->message, &reply, on_committed)) {
			c->waiting = true;
			return true;
		}
		refused = METRIC_MESSAGES_REFUSED;
	}
	refuse_as(c, reply, refused);
	message_end(c->message);
	c->message = NULL;
	return false;
}

static void drop_message(struct inbound *c)
{
	/* Refused while it came, not given up by the client. */
	if (smtp_server_in_message(&c->smtp))
		metric_inc(c->service->metrics, METRIC_MESSAGES_REFUSED);
	if (c->message != NULL)
		message_end(c->message);
	c->message = NULL;
}

static void starttls(struct inbound *c)
{
	if (handshake_reserve(c))
		smtp_server_accept(&c->smtp, SLICE(""));
	else
		smtp_server_refuse(&c->smtp,
		    reply_of(454, "4.7.0", "no TLS now, try again later"));
}

/* What came behind STARTTLS in clear was meant to be taken for something that
 * came inside of TLS. */
static void go_into_tls(struct inbound *c, struct slice in)
{
	struct log *log = c->service->log;

	if (in.len > 0) {
		log_begin(log, LOG_WARN, "starttls_injection");
		log_address(log, "client", &c->client);
		log_number(log, "bytes_dropped", (int64_t)in.len);
		log_end(log);
	}
	give_held(c);
	c->user = NULL;
	handshake_begin(c);
}

static void end_because_we_stop(struct inbound *c)
{
	c->polite = true;
	smtp_server_end(
	    &c->smtp, (struct reply){421, "4.3.2",
			  SLICE("the relay is going down, try again later")});
}

/* Nothing more to eat.  False: the machine has something to say after all. */
static bool await_input(struct inbound *c)
{
	bool in_message = smtp_server_in_message(&c->smtp);

	if (c->input_ended) {
		smtp_server_end(&c->smtp, (struct reply){0});
		return false;
	}
	if (c->service->draining && !in_message) {
		end_because_we_stop(c);
		return false;
	}
	give_held(c);
	if (!smtp_server_in_auth(&c->smtp))
		login_forget(c);
	inbound_flush(c);
	/* RFC 5321, 4.5.3.2: a command, not each byte of it, has its time, and
	 * so has each piece of a message that is worth the name. */
	if (in_message) {
		if (c->received_len - c->received_armed >= DATA_PIECE_MIN)
			inbound_arm(c, c->settings->data_ms);
	} else if (!timer_armed(&c->timer) || !line_pending(&c->smtp.line))
		inbound_arm(c, c->settings->command_ms);
	inbound_receive(c);
	return true;
}

void inbound_run(struct inbound *c, struct slice in)
{
	for (;;) {
		enum smtp_server_need need;

		take_out(c);
		need = smtp_server_next(&c->smtp, &in, &c->out->buf);
		switch (need) {
		case SMTP_NEED_INPUT:
			if (await_input(c))
				return;
			break;
		case SMTP_NEED_OUTPUT:
			inbound_hold(c, in);
			inbound_flush(c);
			inbound_arm(c, c->settings->command_ms);
			return;
		case SMTP_NEED_MAIL: mail(c); break;
		case SMTP_NEED_RCPT:
			smtp_server_accept(&c->smtp, SLICE(""));
			break;
		case SMTP_NEED_DATA: data(c); break;
		case SMTP_NEED_BODY:
			if (!body(c))
				break;
			inbound_hold(c, in);
			inbound_flush(c);
			return;
		case SMTP_NEED_COMMIT:
			if (!commit(c))
				break;
			inbound_hold(c, in);
			inbound_flush(c);
			return;
		case SMTP_NEED_ABORT: drop_message(c); break;
		case SMTP_NEED_TLS: starttls(c); break;
		case SMTP_NEED_HANDSHAKE: go_into_tls(c, in); return;
		case SMTP_NEED_AUTH:
		case SMTP_NEED_RESPONSE:
			if (need == SMTP_NEED_AUTH ? !login_begin(c)
						   : !login_next(c))
				break;
			inbound_hold(c, in);
			inbound_flush(c);
			return;
		case SMTP_NEED_CLOSE: end(c, in); return;
		}
	}
}

static void received(struct inbound *c, struct slice in)
{
	c->received_len += in.len;
	switch (c->state) {
	case INBOUND_PROXY:
		if (c->held_len > 0) {
			memcpy(c->held + c->held_len, in.at, in.len);
			c->held_len = (uint16_t)(c->held_len + in.len);
			in = slice_of(c->held, c->held_len);
		}
		door_proxy(c, in);
		return;
	case INBOUND_TALKING:
		if (stream_sending(&c->stream) || c->waiting)
			inbound_hold(c, in);
		else
			inbound_run(c, in);
		return;
	case INBOUND_HANDSHAKE: check(false); /* the stream's alone */
	case INBOUND_ENDING: c->polite = true; return;
	case INBOUND_LINGER: inbound_receive(c); return;
	case INBOUND_CLOSING: return;
	}
}

static void on_received(struct stream *stream, int result)
{
	struct inbound *c = container_of(stream, struct inbound, stream);

	if (c->state == INBOUND_CLOSING) {
		inbound_finish(c);
		return;
	}
	if (result > 0) {
		received(c, stream->received);
		return;
	}
	c->input_ended = true;
	if (result < 0 || c->state != INBOUND_TALKING)
		inbound_abort(c);
	else if (!stream_sending(&c->stream) && !c->waiting)
		inbound_run(c, (struct slice){NULL, 0});
}

void inbound_timer(struct timer *t)
{
	struct inbound *c = container_of(t, struct inbound, timer);
	struct log *log = c->service->log;

	if (c->delayed) {
		login_answer(c);
		if (!stream_sending(&c->stream))
			inbound_run_held(c);
		return;
	}
	if (c->state == INBOUND_HANDSHAKE) {
		handshake_timeout(c);
		return;
	}
	if (c->waiting) {
		inbound_arm(c, c->settings->command_ms);
		return;
	}
	if (c->state == INBOUND_LINGER) {
		inbound_abort(c);
		return;
	}
	log_begin(log, LOG_INFO, "timeout");
	log_address(log, "client", &c->client);
	log_end(log);
	if (c->state != INBOUND_TALKING || stream_sending(&c->stream)) {
		inbound_abort(c); /* it does not even read our replies */
		return;
	}
	c->polite = true;
	smtp_server_end(
	    &c->smtp, (struct reply){421, "4.4.2", SLICE("timeout, closing")});
	inbound_run(c, (struct slice){NULL, 0});
}

void inbound_drain(struct inbound *c)
{
	if (c->state == INBOUND_PROXY || c->state == INBOUND_HANDSHAKE)
		inbound_abort(c);
	else if (c->state == INBOUND_TALKING && !stream_sending(&c->stream) &&
		 !c->waiting)
		inbound_run(c, (struct slice){NULL, 0});
}

void inbound_cut(struct inbound *c)
{
	if (c->state == INBOUND_PROXY || c->state == INBOUND_HANDSHAKE) {
		inbound_abort(c);
	} else if (c->state == INBOUND_TALKING) {
		end_because_we_stop(c);
		if (!stream_sending(&c->stream) && !c->waiting)
			inbound_run(c, (struct slice){NULL, 0});
	}
}
