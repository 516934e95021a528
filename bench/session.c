/* session.c -- one client: a reply comes, the next command goes.
 *
 * Not proto/smtp_client.h, on purpose: what measures the relay shares no mail
 * code with it but the reader of replies, is lighter, and knows when each
 * command left.  The receive stays armed as long as the connection is open.
 *
 * A message that was refused for now, or whose connection was lost before the
 * dot, is sent again with --retry, after a moment and under its own number; one
 * that was lost after the dot is not: its fate is unknown. */
#include "bench/session.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "bench/machine.h"
#include "core/base/base64.h"

/* The end of a long message goes out with the dot, the rest before it. */
#define LAST_LEN 65536

static void run(struct session *s);
static void on_received(struct stream *stream, int result);
static void start_message(struct session *s);

static void receive(struct session *s)
{
	if (!stream_receiving(&s->stream))
		stream_recv(&s->stream, on_received);
}

/* ---- the end of a connection ---- */

static void pause_then_go(struct session *s)
{
	s->step = SESSION_PAUSED;
	timer_arm(loop_timers(s->load->loop), &s->pause, LOAD_RETRY_MS);
}

static void over(struct session *s)
{
	s->step = SESSION_OVER;
	timer_disarm(&s->pause);
	s->load->live_count--;
}

static void closed(struct session *s)
{
	struct load *l = s->load;

	stream_close(&s->stream, false);
	s->connected = false;
	if (l->options.idle || (load_is_done(l) && !s->has_message))
		over(s);
	else if (s->retried)
		pause_then_go(s);
	else
		run(s);
}

static void on_closing(struct op *op, int result)
{
	(void)result;
	closed(container_of(op, struct session, closing));
}

/* Not at once: the stream is in the middle of telling us something. */
static void close_when_quiet(struct session *s)
{
	if (!stream_busy(&s->stream) && !s->closing.busy) {
		s->closing.done = on_closing;
		loop_defer(s->load->loop, &s->closing, 0);
	}
}

static void hang_up(struct session *s)
{
	s->step = SESSION_CLOSING;
	if (stream_busy(&s->stream))
		stream_cancel(&s->stream);
	close_when_quiet(s);
}

/* This attempt at the message is over without a yes. */
static void give_back(struct session *s, bool may_retry, uint64_t *count)
{
	struct load *l = s->load;

	if (!s->has_message)
		return;
	if (may_retry && l->options.retry && !l->stopping) {
		l->counts.retried++;
		s->retried = true;
		return;
	}
	(*count)++;
	s->has_message = false;
}

static void lost(struct session *s)
{
	struct load *l = s->load;

	if (s->step == SESSION_DOT)
		give_back(s, false, &l->counts.unknown);
	else
		give_back(s, true, &l->counts.broken);
	if (s->step >= SESSION_CONNECTING && s->step <= SESSION_AUTH) {
		load_failed(l);
		s->retried = true; /* do not knock in a hot loop */
	}
	hang_up(s);
}

/* ---- sending ---- */

static void on_sent(struct stream *stream, int result);

static void send_out(struct session *s, struct slice first, struct slice last)
{
	unsigned n = 0;

	if (s->out.len > 0)
		s->iov[n++] = (struct iovec){s->out.at, s->out.len};
	if (first.len > 0)
		s->iov[n++] =
		    (struct iovec){(void *)(uintptr_t)first.at, first.len};
	if (last.len > 0)
		s->iov[n++] =
		    (struct iovec){(void *)(uintptr_t)last.at, last.len};
	s->message = (struct msghdr){.msg_iov = s->iov, .msg_iovlen = n};
	check(!s->out.overflowed);
	s->step_ns = machine_ns();
	stream_send(&s->stream, &s->message, on_sent);
}

static void say(struct session *s, enum session_step step)
{
	s->step = step;
	send_out(s, (struct slice){0}, (struct slice){0});
}

static void say_text(struct session *s, enum session_step step, const char *t)
{
	buf_clear(&s->out);
	buf_put_str(&s->out, t);
	say(s, step);
}

static void send_dot(struct session *s)
{
	s->load->counts.sent++;
	s->step = SESSION_DOT;
	send_out(s, s->text_rest, SLICE("\r\n.\r\n"));
}

static void on_sent(struct stream *stream, int result)
{
	struct session *s = container_of(stream, struct session, stream);

	if (s->step == SESSION_CLOSING) {
		close_when_quiet(s);
		return;
	}
	buf_clear(&s->out);
	if (result < 0)
		lost(s);
	else if (s->step == SESSION_BODY)
		send_dot(s);
}

/* ---- the message ---- */

static void put_mail(struct session *s)
{
	buf_put_str(&s->out, "MAIL FROM:<");
	letter_put_sender(&s->load->letter, s->seq, &s->out);
	buf_put_str(&s->out, ">\r\n");
}

static void put_rcpt(struct session *s, uint32_t rcpt)
{
	buf_put_str(&s->out, "RCPT TO:<");
	letter_put_rcpt(&s->load->letter, s->seq, rcpt, &s->out);
	buf_put_str(&s->out, ">\r\n");
}

static void send_envelope(struct session *s)
{
	struct load *l = s->load;

	s->retried = false;
	s->rcpt = 0;
	s->rcpts_taken = 0;
	s->pipelined = s->offers_pipelining && l->options.pipelining;
	s->made++;
	buf_clear(&s->out);
	put_mail(s);
	if (s->pipelined) {
		for (uint32_t i = 0; i < l->letter.rcpt_count; i++)
			put_rcpt(s, i);
		buf_put_str(&s->out, "DATA\r\n");
	}
	say(s, SESSION_MAIL);
}

static void send_body(struct session *s)
{
	buf_clear(&s->out);
	letter_put_head(&s->load->letter, s->seq, s->due_ns, &s->out);
	s->text_rest = letter_text(&s->load->letter, s->seq, s->out.len);
	if (s->text_rest.len <= LAST_LEN) {
		send_dot(s);
		return;
	}
	s->step = SESSION_BODY;
	send_out(s, slice_cut(&s->text_rest, s->text_rest.len - LAST_LEN),
	    (struct slice){0});
}

/* Between two messages, and where a session begins. */
static void run(struct session *s)
{
	struct load *l = s->load;
	uint32_t limit = l->options.per_connection;

	if (s->connected && limit > 0 && s->made >= limit) {
		say_text(s, SESSION_QUIT, "QUIT\r\n");
		return;
	}
	if (!s->has_message && !l->options.idle) {
		s->has_message = load_take(l, &s->seq, &s->due_ns);
		if (!s->has_message && !load_is_done(l)) {
			s->step = SESSION_FREE;
			list_push_back(&l->free, &s->link);
			return;
		}
		if (!s->has_message) {
			if (s->connected)
				say_text(s, SESSION_QUIT, "QUIT\r\n");
			else
				over(s);
			return;
		}
	}
	start_message(s);
}

static void on_connected(struct op *op, int result)
{
	struct session *s = container_of(op, struct session, connect);

	load_time(s->load, LOAD_CONNECT, s->step_ns);
	s->step_ns = machine_ns();
	if (result < 0 || s->step == SESSION_CLOSING) {
		lost(s);
		return;
	}
	s->step = SESSION_GREETING;
	receive(s);
}

static void start_message(struct session *s)
{
	static const struct linger none = {.l_onoff = 1};
	static const int yes = 1;
	struct load *l = s->load;

	if (s->connected) {
		send_envelope(s);
		return;
	}
	int fd = socket(l->options.to.any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		load_failed(l);
		pause_then_go(s);
		return;
	}
	/* No port is left in TIME_WAIT, which would be the end of a long run of
	 * short connections. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	stream_init(&s->stream, &l->streams, fd);
	reply_reader_init(&s->reply);
	s->connected = true;
	s->in_tls = false;
	s->made = 0;
	l->counts.connections++;
	s->step = SESSION_CONNECTING;
	s->step_ns = machine_ns();
	loop_connect(l->loop, &s->connect, fd, &l->options.to, on_connected);
}

/* ---- replies ---- */

static void send_auth(struct session *s)
{
	const struct load_options *o = &s->load->options;
	uint8_t plain[512], text[BASE64_LEN(sizeof(plain))];
	struct buf p = buf_over(plain, sizeof(plain));
	struct buf t = buf_over(text, sizeof(text));

	buf_put_byte(&p, 0);
	buf_put_str(&p, o->user);
	buf_put_byte(&p, 0);
	buf_put_str(&p, o->password);
	check(!p.overflowed);
	base64_encode(buf_slice(&p), &t);
	buf_clear(&s->out);
	buf_put_str(&s->out, "AUTH PLAIN ");
	buf_put(&s->out, buf_slice(&t));
	buf_put_str(&s->out, "\r\n");
	say(s, SESSION_AUTH);
}

static void session_ready(struct session *s)
{
	load_good(s->load);
	if (s->load->options.idle) {
		s->step = SESSION_QUIET;
		s->load->quiet_count++;
		return;
	}
	send_envelope(s);
}

static void on_ehlo(struct session *s)
{
	struct load *l = s->load;
	struct slice rest = reply_reader_text(&s->reply);

	s->offers_pipelining = false;
	s->offers_starttls = false;
	while (rest.len > 0) {
		struct slice line = slice_cut_at(&rest, '\n');

		s->offers_pipelining |=
		    slice_eq_nocase(line, SLICE("PIPELINING"));
		s->offers_starttls |= slice_eq_nocase(line, SLICE("STARTTLS"));
	}
	if (l->options.starttls && !s->in_tls && !s->offers_starttls)
		lost(s);
	else if (l->options.starttls && !s->in_tls)
		say_text(s, SESSION_STARTTLS, "STARTTLS\r\n");
	else if (l->options.user != NULL)
		send_auth(s);
	else
		session_ready(s);
}

static void on_handshake(struct stream *stream, int result)
{
	struct session *s = container_of(stream, struct session, stream);

	if (s->step == SESSION_CLOSING) {
		close_when_quiet(s);
		return;
	}
	if (result < 0) {
		lost(s);
		return;
	}
	load_time(s->load, LOAD_TLS, s->step_ns);
	s->in_tls = true;
	receive(s);
	say_text(s, SESSION_EHLO, "EHLO blast.bench.example\r\n");
}

static void begin_tls(struct session *s)
{
	static const struct tls_peer peer = {.verify = TLS_VERIFY_NONE};

	s->step = SESSION_HANDSHAKE;
	stream_connect_tls(&s->stream, s->load->tls, &peer, on_handshake);
}

static void refused(struct session *s, uint16_t code)
{
	give_back(s, code < 500, &s->load->counts.refused);
}

/* Behind a refusal the server may have a transaction open. */
static void on_envelope_end(struct session *s, uint16_t code)
{
	refused(s, code);
	say_text(s, SESSION_RSET, "RSET\r\n");
}

static void on_mail(struct session *s, uint16_t code)
{
	load_time(s->load, LOAD_MAIL, s->step_ns);
	if (s->pipelined) {
		s->step = SESSION_RCPT;
		return;
	}
	if (code >= 300) {
		on_envelope_end(s, code);
		return;
	}
	buf_clear(&s->out);
	put_rcpt(s, 0);
	say(s, SESSION_RCPT);
}

static void on_rcpt(struct session *s, uint16_t code)
{
	struct load *l = s->load;

	load_time(l, LOAD_RCPT, s->step_ns);
	if (code < 300)
		s->rcpts_taken++;
	else
		l->counts.refused_rcpts++;
	if (++s->rcpt < l->letter.rcpt_count) {
		if (s->pipelined)
			return;
		buf_clear(&s->out);
		put_rcpt(s, s->rcpt);
		say(s, SESSION_RCPT);
		return;
	}
	if (s->pipelined)
		s->step = SESSION_DATA;
	else if (s->rcpts_taken == 0)
		on_envelope_end(s, code);
	else
		say_text(s, SESSION_DATA, "DATA\r\n");
}

static void on_data(struct session *s, uint16_t code)
{
	load_time(s->load, LOAD_DATA, s->step_ns);
	if (code != 354) {
		on_envelope_end(s, code);
	} else if (s->rcpts_taken == 0) {
		/* RFC 2920, 3.1: 354 though nobody is to have it. */
		refused(s, 450);
		say_text(s, SESSION_RSET, ".\r\n");
	} else {
		send_body(s);
	}
}

static void on_dot(struct session *s, uint16_t code)
{
	struct load *l = s->load;

	load_time(l, LOAD_DOT, s->step_ns);
	if (code >= 300) {
		refused(s, code);
	} else {
		load_time(l, LOAD_MESSAGE, s->due_ns);
		l->counts.accepted++;
		l->counts.accepted_rcpts += s->rcpts_taken;
		l->counts.bytes += letter_size(&l->letter, s->seq);
		s->has_message = false;
	}
	run(s);
}

static void on_reply(struct session *s)
{
	uint16_t code = s->reply.code;
	struct load *l = s->load;

	if (code == 421 && s->step != SESSION_QUIT) {
		give_back(s, true, &l->counts.refused);
		if (s->step == SESSION_GREETING) {
			load_failed(l);
			s->retried = true;
		}
		hang_up(s);
		return;
	}
	switch (s->step) {
	case SESSION_GREETING:
		load_time(l, LOAD_GREETING, s->step_ns);
		if (code != 220)
			lost(s);
		else
			say_text(
			    s, SESSION_EHLO, "EHLO blast.bench.example\r\n");
		return;
	case SESSION_EHLO:
		load_time(l, LOAD_EHLO, s->step_ns);
		if (code != 250)
			lost(s);
		else
			on_ehlo(s);
		return;
	case SESSION_STARTTLS:
		if (code != 220)
			lost(s);
		else
			begin_tls(s);
		return;
	case SESSION_AUTH:
		load_time(l, LOAD_AUTH, s->step_ns);
		if (code != 235)
			lost(s);
		else
			session_ready(s);
		return;
	case SESSION_MAIL: on_mail(s, code); return;
	case SESSION_RCPT: on_rcpt(s, code); return;
	case SESSION_DATA: on_data(s, code); return;
	case SESSION_DOT: on_dot(s, code); return;
	case SESSION_RSET:
		if (s->retried)
			pause_then_go(s);
		else
			run(s);
		return;
	case SESSION_QUIT:
		load_time(l, LOAD_QUIT, s->step_ns);
		hang_up(s);
		return;
	case SESSION_PAUSED:
	case SESSION_FREE:
	case SESSION_CONNECTING:
	case SESSION_HANDSHAKE:
	case SESSION_BODY:
	case SESSION_QUIET:
	case SESSION_CLOSING:
	case SESSION_OVER: lost(s); return; /* words that nobody asked for */
	}
}

static void take_replies(struct session *s, struct slice in)
{
	while (in.len > 0 && s->step != SESSION_CLOSING) {
		switch (reply_reader_feed(&s->reply, &in)) {
		case REPLY_MORE: return;
		case REPLY_BAD: lost(s); return;
		case REPLY_COMPLETE: on_reply(s); reply_reader_init(&s->reply);
		}
	}
}

static void on_received(struct stream *stream, int result)
{
	struct session *s = container_of(stream, struct session, stream);

	if (s->step == SESSION_CLOSING) {
		close_when_quiet(s);
		return;
	}
	if (result <= 0) {
		if (s->step == SESSION_FREE)
			list_remove(&s->link);
		if (s->step == SESSION_PAUSED)
			timer_disarm(&s->pause);
		lost(s);
		return;
	}
	take_replies(s, stream->received);
	if (s->connected && s->step != SESSION_CLOSING &&
	    s->step != SESSION_CONNECTING && s->step != SESSION_HANDSHAKE)
		receive(s);
}

static void on_pause(struct timer *t)
{
	run(container_of(t, struct session, pause));
}

void session_begin(struct session *s, struct load *l)
{
	*s = (struct session){.load = l, .step = SESSION_PAUSED};
	s->out = buf_over(s->room, sizeof(s->room));
	list_init(&s->link);
	timer_init(&s->pause, on_pause);
	run(s);
}

void session_wake(struct session *s)
{
	run(s);
}

void session_drop(struct session *s)
{
	if (s->step == SESSION_OVER || s->step == SESSION_CLOSING)
		return;
	if (s->step == SESSION_CONNECTING) {
		s->step = SESSION_CLOSING;
		loop_cancel(s->load->loop, &s->connect);
	} else if (s->connected) {
		hang_up(s);
	} else {
		over(s);
	}
}
