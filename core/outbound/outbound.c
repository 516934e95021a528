/* outbound.c -- one connection to a next hop: the driver of proto/smtp_client.
 *
 *   route -> connect (next address on failure) -> greeting, EHLO, TLS, AUTH
 *   -> take an entry -> load -> transaction -> settle -> take the next ...
 *   -> idle for a while -> QUIT
 *
 * outbound_run() asks the machine what it needs and meets the need; completions
 * record and call outbound_run().  The server's bytes are received while ours
 * are sent, so pipelining cannot dead-lock.
 *
 * Must hold: an attempt that was begun is settled or untaken, however the
 * connection ends; the object is given back when no operation is under way. */
#include "core/outbound/outbound.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/outbound/dial.h"
#include "core/outbound/hangup.h"
#include "core/outbound/secure.h"

#define IDLE_MS 5000
#define IDLE_LOOK_MS 250
#define QUIT_MS 5000

_Static_assert(OUTBOUND_HELD_MAX >= STREAM_PIECE_MAX,
    "what is received at once can be held");

static void after_settle(struct attempt *a, void *arg);

/* The outcomes of the transaction are final. */
void outbound_settle(struct outbound *c)
{
	struct attempt *a = c->attempt;

	memcpy(a->relay, c->relay, sizeof(a->relay));
	memcpy(a->relay_name, c->relay_name, sizeof(a->relay_name));
	a->relay_has_dsn = c->client.offers.dsn;
	outbound_secure_tell(c, a);
	if (attempt_has_more(a)) {
		if (c->state != OUTBOUND_CLOSING)
			c->state = OUTBOUND_SETTLING;
	} else {
		c->attempt = NULL;
	}
	attempt_settle(a, after_settle, c);
}

static void lost(struct outbound *c)
{
	outbound_lost_because(c, (const uint8_t[3]){4, 4, 2},
	    "the server closed the connection unexpectedly");
}

static void on_received(struct stream *stream, int result);

static void receive(struct outbound *c)
{
	if (!stream_receiving(&c->stream))
		stream_recv(&c->stream, on_received);
}

static void hold(struct outbound *c, struct slice in)
{
	if (in.len == 0) {
		outbound_give_held(c);
		return;
	}
	if (c->held == NULL)
		c->held = pool_take(&c->service->held_pool);
	check(c->held != NULL); /* one for each connection */
	check(in.len <= OUTBOUND_HELD_MAX);
	memmove(c->held, in.at, in.len);
	c->held_len = (uint16_t)in.len;
}

static void run_held(struct outbound *c)
{
	outbound_run(c, slice_of(c->held, c->held_len));
}

static void send_body(struct outbound *c);

static void on_sent(struct stream *stream, int result)
{
	struct outbound *c = container_of(stream, struct outbound, stream);

	if (outbound_is_over(c))
		return;
	buf_clear(&c->out);
	/* The reply that explains it may have come, or be on its way; if not,
	 * receive says that the connection is gone. */
	if (result < 0 || (size_t)result != c->send_len)
		c->mute = true;
	if (c->state == OUTBOUND_TALKING)
		run_held(c);
	else if (c->state == OUTBOUND_BODY && !c->mute)
		send_body(c);
	else if (c->state == OUTBOUND_BODY)
		receive(c);
}

static void begin_send(struct outbound *c, struct slice first)
{
	c->iov[0] = (struct iovec){(void *)(uintptr_t)first.at, first.len};
	c->iov[1] = (struct iovec){c->out.at, c->out.len};
	c->message = (struct msghdr){
	    .msg_iov = first.len > 0 ? &c->iov[0] : &c->iov[1],
	    .msg_iovlen = first.len > 0 && c->out.len > 0 ? 2 : 1,
	};
	c->send_len = first.len + c->out.len;
	stream_send(&c->stream, &c->message, on_sent);
}

static void flush(struct outbound *c)
{
	if (c->mute)
		buf_clear(&c->out);
	else if (c->out.len > 0 && !stream_sending(&c->stream))
		begin_send(c, (struct slice){NULL, 0});
}

static struct outcome unreadable(void)
{
	return outcome_of_error(OUTCOME_DEFERRED, (const uint8_t[3]){4, 3, 0},
	    false, "the message cannot be read from the spool");
}

/* RFC 3463, 3.8: X.7.0, other security status. */
static struct outcome unsigned_for(const struct attempt *a)
{
	char text[160];

	snprintf(
	    text, sizeof(text), "it cannot be signed (DKIM): %s", a->sign_why);
	return outcome_of_error(
	    OUTCOME_DEFERRED, (const uint8_t[3]){4, 7, 0}, false, text);
}

static void on_block(struct attempt *a, void *arg)
{
	struct outbound *c = arg;

	check(a == c->attempt);
	if (!outbound_is_over(c))
		send_body(c);
}

/* Sends what lies in a->body; behind the last block the machine's dot. */
static void send_body(struct outbound *c)
{
	struct attempt *a = c->attempt;
	bool ended = attempt_body_ended(a);

	if (a->body_len < 0) {
		smtp_client_body_sent(&c->client, false, unreadable());
		c->state = OUTBOUND_TALKING;
		run_held(c);
		return;
	}
	outbound_arm(c, c->service->settings.timeout.data_block);
	if (a->body_len == 0) {
		if (!ended) {
			attempt_read(a, on_block, c);
			return;
		}
		smtp_client_body_sent(&c->client, true, (struct outcome){0});
		c->state = OUTBOUND_TALKING;
		run_held(c);
		return;
	}
	struct slice block = attempt_block(a);

	a->body_len = 0;
	if (ended) {
		/* The dot goes out with the last block. */
		struct slice nothing = {NULL, 0};

		smtp_client_body_sent(&c->client, true, (struct outcome){0});
		c->state = OUTBOUND_TALKING;
		(void)smtp_client_next(&c->client, &nothing, &c->out);
		outbound_arm(c, c->service->settings.timeout.data_end);
	}
	begin_send(c, block);
	receive(c);
}

static uint32_t wait_ms(const struct outbound *c)
{
	const struct outbound_timeouts *t = &c->service->settings.timeout;

	switch (smtp_client_waits_for(&c->client)) {
	case CLIENT_WAIT_GREETING: return t->greeting;
	case CLIENT_WAIT_HELLO: return t->hello;
	case CLIENT_WAIT_MAIL: return t->mail;
	case CLIENT_WAIT_RCPT: return t->rcpt;
	case CLIENT_WAIT_DATA: return t->data_init;
	case CLIENT_WAIT_BODY: return t->data_block;
	case CLIENT_WAIT_DOT: return t->data_end;
	case CLIENT_WAIT_RESET: return QUIT_MS;
	}
	return t->mail;
}

static void on_loaded(struct attempt *a, void *arg)
{
	struct outbound *c = arg;

	if (c->state == OUTBOUND_CLOSING) { /* it was lost meanwhile */
		attempt_give_all(a, &c->last);
		outbound_ended(c);
		return;
	}
	c->state = OUTBOUND_TALKING;
	if (a->load_failed || a->transaction.rcpt_count == 0 ||
	    a->body_len < 0 || a->sign_why != NULL) {
		struct outcome why =
		    a->sign_why != NULL ? unsigned_for(a) : unreadable();

		attempt_give_all(a, &why);
		outbound_settle(c);
		if (c->state != OUTBOUND_TALKING)
			return; /* the rest of its recipients */
	} else {
		smtp_client_send(&c->client, &a->transaction);
	}
	run_held(c);
}

static void after_settle(struct attempt *a, void *arg)
{
	struct outbound *c = arg;

	if (c->state == OUTBOUND_CLOSING) {
		/* The rest of the recipients is tried later. */
		c->attempt = NULL;
		attempt_put_off(a);
		outbound_finish(c);
		return;
	}
	attempt_next(a);
	attempt_rewind(a, on_loaded, c);
	c->state = OUTBOUND_LOADING;
}

static void become_idle(struct outbound *c)
{
	c->state = OUTBOUND_IDLE;
	list_push_front(&c->destination->idle_connections, &c->idle_link);
	scheduler_idle_count(c->service->scheduler, c->destination, 1);
	receive(c); /* to see it close */
	c->idle_since_ms = loop_now_ms(c->service->loop);
	outbound_arm(c, IDLE_LOOK_MS);
}

/* Ready for a transaction.  False: nothing to run now. */
static bool next_message(struct outbound *c)
{
	struct outbound_service *s = c->service;

	if (!c->connected)
		outbound_secure_opened(c);
	c->connected = true;
	if (c->attempt != NULL) { /* brought along from another host */
		attempt_rewind(c->attempt, on_loaded, c);
		c->state = OUTBOUND_LOADING;
		return false;
	}
	if (s->draining ||
	    c->client.message_count >= s->settings.messages_per_connection) {
		smtp_client_quit(&c->client);
		return true;
	}
	struct entry *e =
	    scheduler_take(s->scheduler, c->destination, loop_wall_s(s->loop));

	if (e == NULL) {
		if (scheduler_keep(s->scheduler, c->destination)) {
			become_idle(c);
			return false;
		}
		smtp_client_quit(&c->client);
		return true;
	}
	c->attempt = attempt_begin(s, e, on_loaded, c);
	if (c->attempt == NULL) {
		scheduler_untake(s->scheduler, e);
		smtp_client_quit(&c->client);
		return true;
	}
	c->state = OUTBOUND_LOADING;
	return false;
}

/* False: nothing to run now. */
static bool result(struct outbound *c)
{
	struct attempt *a = c->attempt;
	bool answered = false;

	/* An answer about the mail, even a no, is the answer of a good site. */
	for (uint32_t i = 0; i < a->transaction.rcpt_count; i++)
		answered |= !a->rcpts[i].outcome.site;
	if (answered)
		scheduler_site_good(c->service->scheduler, c->destination);
	if (smtp_client_is_over(&c->client)) {
		c->last = c->client.closed_by;
		outbound_ended(c);
		return false;
	}
	if (c->mute) {
		lost(c);
		return false;
	}
	outbound_give_route(c);
	outbound_settle(c);
	return c->state == OUTBOUND_TALKING; /* else: more recipients */
}

static void need_body(struct outbound *c)
{
	bool begun = c->state == OUTBOUND_BODY;

	c->state = OUTBOUND_BODY;
	if (begun || c->mute)
		receive(c);
	else
		send_body(c);
}

void outbound_run(struct outbound *c, struct slice in)
{
	for (;;) {
		switch (smtp_client_next(&c->client, &in, &c->out)) {
		case CLIENT_NEED_INPUT:
		case CLIENT_NEED_OUTPUT:
			outbound_give_held(c);
			flush(c);
			if (c->turn_seen != c->client.turn_count) {
				/* Not with each byte: a reply as a whole has
				 * its time (RFC 5321, 4.5.3.2). */
				c->turn_seen = c->client.turn_count;
				outbound_arm(c, wait_ms(c));
			}
			receive(c);
			return;
		case CLIENT_NEED_TLS:
			outbound_give_held(c);
			outbound_secure_handshake(c);
			return;
		case CLIENT_NEED_MESSAGE:
			outbound_give_held(c);
			if (c->mute) {
				lost(c);
				return;
			}
			if (!next_message(c))
				return;
			break;
		case CLIENT_NEED_BODY:
			outbound_give_held(c);
			need_body(c);
			return;
		case CLIENT_NEED_RESULT:
			hold(c, in);
			if (!result(c))
				return;
			in = slice_of(c->held, c->held_len);
			break;
		case CLIENT_NEED_CLOSE:
			flush(c);
			c->last = c->client.closed_by;
			outbound_ended(c);
			return;
		}
	}
}

static void on_received(struct stream *stream, int result_len)
{
	struct outbound *c = container_of(stream, struct outbound, stream);

	if (outbound_is_over(c))
		return;
	if (result_len <= 0) {
		lost(c);
	} else if (c->state == OUTBOUND_IDLE) {
		outbound_close(c); /* 421, or words nobody asked for */
	} else if (c->state == OUTBOUND_BODY ||
		   (c->state == OUTBOUND_TALKING && !stream_sending(stream))) {
		/* In the middle of the body only the end of it is news. */
		outbound_run(c, stream->received);
	} else {
		hold(c, stream->received);
	}
}

/* Not for long, and not while other workers wait for its place. */
static bool is_worth_keeping(struct outbound *c)
{
	struct outbound_service *s = c->service;

	return loop_now_ms(s->loop) - c->idle_since_ms < IDLE_MS &&
	       scheduler_keep(s->scheduler, c->destination);
}

static void end_idle(struct outbound *c)
{
	outbound_unidle(c);
	c->state = OUTBOUND_TALKING;
	smtp_client_quit(&c->client);
	outbound_run(c, (struct slice){NULL, 0});
}

void outbound_timer(struct timer *t)
{
	struct outbound *c = container_of(t, struct outbound, timer);

	switch (c->state) {
	case OUTBOUND_IDLE:
		if (is_worth_keeping(c))
			outbound_arm(c, IDLE_LOOK_MS);
		else
			end_idle(c);
		return;
	case OUTBOUND_CONNECTING:
		outbound_lost_errno(c, "connecting to", -ETIMEDOUT);
		return;
	case OUTBOUND_HANDSHAKE:
		outbound_lost_because(c, (const uint8_t[3]){4, 7, 5},
		    "timed out in the TLS handshake");
		return;
	case OUTBOUND_TALKING:
	case OUTBOUND_BODY:
		if (c->attempt != NULL && c->attempt->body_read.busy) {
			outbound_arm(c, QUIT_MS); /* our own disk is slow */
			return;
		}
		outbound_lost_because(c, (const uint8_t[3]){4, 4, 2},
		    "timed out while waiting for the server");
		return;
	case OUTBOUND_ROUTING:
	case OUTBOUND_SWITCHING:
	case OUTBOUND_LOADING:
	case OUTBOUND_SETTLING:
	case OUTBOUND_CLOSING: return;
	}
}

void outbound_wake(struct outbound *c)
{
	check(c->state == OUTBOUND_IDLE);
	outbound_unidle(c);
	c->state = OUTBOUND_TALKING;
	outbound_run(c, (struct slice){NULL, 0});
}

void outbound_drain(struct outbound *c)
{
	switch (c->state) {
	case OUTBOUND_IDLE: end_idle(c); return;
	case OUTBOUND_ROUTING:
	case OUTBOUND_SWITCHING:
	case OUTBOUND_CONNECTING:
	case OUTBOUND_HANDSHAKE: outbound_give_up(c); return;
	case OUTBOUND_TALKING:
		if (!c->connected)
			outbound_give_up(c);
		return;
	case OUTBOUND_LOADING:
	case OUTBOUND_BODY:
	case OUTBOUND_SETTLING:
	case OUTBOUND_CLOSING: return;
	}
}
