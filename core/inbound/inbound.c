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

#define LINGER_MS 2000
/* A client that sends less than this in data_ms is not sending a message. */
#define DATA_PIECE_MIN 1024

static void run(struct inbound *c, struct slice in);

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
static void finish(struct inbound *c)
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
	smtp_server_deinit(&c->smtp);
	timer_disarm(&c->timer);
	inbound_client_give(s, c->counted);
	stream_close(&c->stream, true);
	list_remove(&c->link);
	inbound_settings_give(c->settings);
	pool_give(&s->session_pool, c);
	s->session_count--;
}

void inbound_abort(struct inbound *c)
{
	c->state = INBOUND_CLOSING;
	stream_cancel(&c->stream);
	finish(c);
}

static void arm(struct inbound *c, uint64_t in_ms)
{
	c->received_armed = c->received_len;
	timer_arm(loop_timers(c->service->loop), &c->timer, in_ms);
}

static void on_received(struct stream *stream, int result);

static void receive(struct inbound *c)
{
	if (!stream_receiving(&c->stream))
		stream_recv(&c->stream, on_received);
}

/* Keeps what has not been eaten; `in` may be a part of what is held. */
static void hold(struct inbound *c, struct slice in)
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

static void run_held(struct inbound *c)
{
	run(c, slice_of(c->held, c->held_len));
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
	arm(c, LINGER_MS);
	receive(c);
}

static void on_sent(struct stream *stream, int result)
{
	struct inbound *c = container_of(stream, struct inbound, stream);
	bool whole = result >= 0 && (size_t)result == c->out->buf.len;

	give_out(c);
	if (c->state == INBOUND_CLOSING)
		finish(c);
	else if (!whole)
		inbound_abort(c);
	else if (c->state == INBOUND_ENDING)
		say_goodbye(c);
	else if (!c->waiting)
		run_held(c);
}

/* Begins to send what the machine wrote, if anything. */
static void flush(struct inbound *c)
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
	flush(c);
	if (stream_sending(
		&c->stream)) /* a client may not even read its last reply */
		arm(c, c->settings->command_ms);
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
		finish(c);
	else if (!stream_sending(&c->stream))
		run_held(c);
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
	log_number(
	    log, "ms", (int64_t)(loop_now_ms(c->service->loop) - m->begun_ms));
	log_end(log);
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
		log_accepted(c, m);
		c->id = id_format(m->draft.id);
		smtp_server_accept(&c->smtp, slice_of(c->id.at, c->id.len));
	} else {
		smtp_server_refuse(&c->smtp, no_storage());
	}
	message_end(m);
	c->message = NULL;
	if (c->state == INBOUND_CLOSING)
		finish(c);
	else if (!stream_sending(&c->stream))
		run_held(c);
}

static void refuse_data(struct inbound *c, struct reply reply)
{
	struct log *log = c->service->log;

	log_begin(log, LOG_WARN, "refused");
	log_address(log, "client", &c->client);
	log_slice(log, "from", c->smtp.envelope.from.path.full);
	log_number(log, "code", reply.code);
	log_slice(log, "reply", reply.text);
	log_end(log);
	smtp_server_refuse(&c->smtp, reply);
}

static void mail(struct inbound *c)
{
	if (spool_accepts(c->service->spool))
		smtp_server_accept(&c->smtp, SLICE(""));
	else
		refuse_data(c, no_storage());
}

static void data(struct inbound *c)
{
	c->message = message_begin(c);
	if (c->message == NULL) {
		refuse_data(c, no_storage());
		return;
	}
	smtp_server_accept(&c->smtp, SLICE(""));
	arm(c, c->settings->data_ms);
}

/* Whether the session must wait for the spool now. */
static bool body(struct inbound *c)
{
	if (message_put(c->message, c->smtp.piece, on_piece_written) ==
	    MESSAGE_PUT_WAIT)
		c->waiting = true;
	return c->waiting;
}

static bool commit(struct inbound *c)
{
	struct reply reply;

	if (message_commit(c->message, &reply, on_committed)) {
		c->waiting = true;
		return true;
	}
	refuse_data(c, reply);
	message_end(c->message);
	c->message = NULL;
	return false;
}

static void drop_message(struct inbound *c)
{
	if (c->message != NULL)
		message_end(c->message);
	c->message = NULL;
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
	flush(c);
	/* RFC 5321, 4.5.3.2: a command, not each byte of it, has its time, and
	 * so has each piece of a message that is worth the name. */
	if (in_message) {
		if (c->received_len - c->received_armed >= DATA_PIECE_MIN)
			arm(c, c->settings->data_ms);
	} else if (!timer_armed(&c->timer) || !line_pending(&c->smtp.line))
		arm(c, c->settings->command_ms);
	receive(c);
	return true;
}

static void run(struct inbound *c, struct slice in)
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
			hold(c, in);
			flush(c);
			arm(c, c->settings->command_ms);
			return;
		case SMTP_NEED_MAIL: mail(c); break;
		case SMTP_NEED_RCPT:
			smtp_server_accept(&c->smtp, SLICE(""));
			break;
		case SMTP_NEED_DATA: data(c); break;
		case SMTP_NEED_BODY:
			if (!body(c))
				break;
			hold(c, in);
			flush(c);
			return;
		case SMTP_NEED_COMMIT:
			if (!commit(c))
				break;
			hold(c, in);
			flush(c);
			return;
		case SMTP_NEED_ABORT: drop_message(c); break;
		case SMTP_NEED_CLOSE: end(c, in); return;
		}
	}
}

/* The client's address is known: may it talk to us at all? */
static void admit(struct inbound *c, struct slice in)
{
	struct inbound_service *s = c->service;
	uint8_t room[160];
	struct buf why = buf_over(room, sizeof(room));
	struct reply no = {0};
	struct socket_address_text text = socket_address_format(&c->client);

	c->state = INBOUND_TALKING;
	c->counted = inbound_client_take(
	    s, &c->client, c->settings->client_connection_max);
	if (!network_list_has(c->settings->allowed_networks, &c->client.any)) {
		buf_printf(
		    &why, "client [%s] is not in an allowed network", text.at);
		no = (struct reply){554, "5.7.1", buf_slice(&why)};
	} else if (c->counted == NULL &&
		   c->settings->client_connection_max > 0) {
		buf_printf(&why, "too many connections from [%s]", text.at);
		no = (struct reply){421, "4.7.0", buf_slice(&why)};
	}
	log_begin(s->log, LOG_INFO, no.code == 0 ? "connect" : "refused");
	log_str(s->log, "client", text.at);
	log_number(s->log, "port", ntohs(c->client.v4.sin_port));
	if (no.code != 0) {
		log_number(s->log, "code", no.code);
		log_slice(s->log, "reply", no.text);
		c->polite = true;
		smtp_server_end(&c->smtp, no);
	}
	log_end(s->log);
	run(c, in);
}

static void proxy_refuse(struct inbound *c, const char *why)
{
	struct log *log = c->service->log;

	log_begin(log, LOG_INFO, "refused");
	log_address(log, "client", &c->client);
	log_str(log, "reply", why);
	log_end(log);
	inbound_abort(c);
}

/* A proxy that listens on :: gives IPv4 clients as ::ffff:a.b.c.d. */
static void unmap(union socket_address *a)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (a->any.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return;
	v4.sin_port = a->v6.sin6_port;
	memcpy(&v4.sin_addr, a->v6.sin6_addr.s6_addr + 12, 4);
	a->v4 = v4;
}

/* Bytes before the PROXY header is whole; all of them so far. */
static void proxy(struct inbound *c, struct slice in)
{
	struct proxy_client client;
	size_t header_len = 0;

	switch (proxy_decode(in, &client, &header_len)) {
	case PROXY_MORE:
		if (in.len > PROXY_HEADER_MAX) {
			proxy_refuse(c, "endless PROXY header");
			return;
		}
		hold(c, in);
		receive(c);
		return;
	case PROXY_BAD: proxy_refuse(c, "no PROXY header"); return;
	case PROXY_KNOWN:
		memcpy(&c->client, &client.address, sizeof(c->client));
		unmap(&c->client);
		break;
	case PROXY_LOCAL: break;
	}
	slice_cut(&in, header_len);
	admit(c, in);
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
		proxy(c, in);
		return;
	case INBOUND_TALKING:
		if (stream_sending(&c->stream) || c->waiting)
			hold(c, in);
		else
			run(c, in);
		return;
	case INBOUND_ENDING: c->polite = true; return;
	case INBOUND_LINGER: receive(c); return;
	case INBOUND_CLOSING: return;
	}
}

static void on_received(struct stream *stream, int result)
{
	struct inbound *c = container_of(stream, struct inbound, stream);

	if (c->state == INBOUND_CLOSING) {
		finish(c);
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
		run(c, (struct slice){NULL, 0});
}

static void on_timer(struct timer *t)
{
	struct inbound *c = container_of(t, struct inbound, timer);
	struct log *log = c->service->log;

	if (c->waiting) {
		arm(c, c->settings->command_ms);
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
	run(c, (struct slice){NULL, 0});
}

void inbound_drain(struct inbound *c)
{
	if (c->state == INBOUND_PROXY)
		inbound_abort(c);
	else if (c->state == INBOUND_TALKING && !stream_sending(&c->stream) &&
		 !c->waiting)
		run(c, (struct slice){NULL, 0});
}

void inbound_cut(struct inbound *c)
{
	if (c->state == INBOUND_PROXY) {
		inbound_abort(c);
	} else if (c->state == INBOUND_TALKING) {
		end_because_we_stop(c);
		if (!stream_sending(&c->stream) && !c->waiting)
			run(c, (struct slice){NULL, 0});
	}
}

void inbound_begin(struct inbound_service *s, int fd, enum listener_kind kind)
{
	union socket_address peer = {0};
	socklen_t len = sizeof(peer);
	struct inbound *c = NULL;

	if (getpeername(fd, &peer.any, &len) == 0)
		c = pool_take(&s->session_pool);
	if (c == NULL) {
		loop_close(s->loop, fd);
		return;
	}
	*c = (struct inbound){
	    .service = s,
	    .settings = s->settings,
	    .client = peer,
	    .state = INBOUND_PROXY,
	};
	s->session_count++;
	s->settings->session_count++;
	stream_init(&c->stream, s->streams, fd);
	list_init(&c->link);
	list_push_back(&s->sessions, &c->link);
	timer_init(&c->timer, on_timer);
	smtp_server_init(&c->smtp, &s->settings->smtp, &s->page_pool);
	if (kind != LISTENER_PROXY) {
		admit(c, (struct slice){NULL, 0});
	} else if (!network_list_has(c->settings->proxy_networks, &peer.any)) {
		proxy_refuse(c, "may not speak the PROXY protocol");
	} else {
		arm(c, c->settings->command_ms < PROXY_TIMEOUT_MS
			   ? c->settings->command_ms
			   : PROXY_TIMEOUT_MS);
		receive(c);
	}
}
