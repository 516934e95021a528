/* stream_shake.c -- the handshake of a stream.
 *
 * A step of a handshake is the longest thing that a turn of the loop does (a
 * signature: 0.05 to 2 ms).  So what was received is only laid aside, and the
 * streams that have something to do wait in line; a few of them are served in
 * each turn, and all others go on in between. */
#include <errno.h>

#include "tls/stream_tls.h"

#define STEPS_A_TURN 4

static void on_turn(struct op *op, int result);

static void line_up(struct stream *s)
{
	struct stream_service *service = s->service;

	list_push_back(&service->handshakes, &s->link);
	if (service->handshake_turn.busy)
		return;
	service->handshake_turn.done = on_turn;
	loop_defer(service->loop, &service->handshake_turn, 0);
}

static void end(struct stream *s, int result)
{
	stream_done *done = s->send_done;

	check(s->service->handshake_count > 0);
	s->service->handshake_count--;
	s->send_done = NULL;
	done(s, result);
}

static void on_received(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, recv);

	if (result <= 0) {
		end(s, result == 0 ? -ECONNRESET : result);
		return;
	}
	stream_hold(s, op->received);
	line_up(s);
}

static void go_on(struct stream *s)
{
	switch (tls_state_of(s->tls)) {
	case TLS_OPEN:
	case TLS_ENDED: end(s, 0); return;
	case TLS_FAILED: end(s, -EPROTO); return;
	case TLS_HANDSHAKE: break;
	}
	if (s->send_cancelled)
		end(s, -ECANCELED);
	else if (stream_held(s).len > 0)
		line_up(s);
	else
		loop_recv(s->service->loop, &s->recv, s->fd, on_received);
}

static void on_sent(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, send);

	if (stream_out_ended(s, result))
		go_on(s);
	else
		end(s, result < 0	   ? result
		       : s->send_cancelled ? -ECANCELED
					   : -EPIPE);
}

static void step(struct stream *s)
{
	struct slice in = stream_held(s);
	struct buf *out;
	enum tls_state state;

	if (s->send_cancelled) {
		end(s, -ECANCELED);
		return;
	}
	out = stream_out_take(s);
	state = tls_handshake(s->tls, &in, out);
	stream_hold(s, in);
	if (state != TLS_FAILED && out->len > 0) {
		stream_out_begin(s, on_sent);
		return;
	}
	stream_out_now(s); /* an alert, if anything */
	go_on(s);
}

static void on_turn(struct op *op, int result)
{
	struct stream_service *service =
	    container_of(op, struct stream_service, handshake_turn);

	(void)result;
	for (int i = 0; i < STEPS_A_TURN; i++) {
		struct list *node = list_pop_front(&service->handshakes);

		if (node == NULL)
			return;
		step(container_of(node, struct stream, link));
	}
	if (!list_empty(&service->handshakes) && !op->busy) {
		op->done = on_turn;
		loop_defer(service->loop, op, 0);
	}
}

static void on_refused(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, send);
	stream_done *done = s->send_done;

	s->send_done = NULL;
	done(s, result);
}

/* Whether there may be one more; done() hears it when not. */
static bool begin(struct stream *s, stream_done *done)
{
	struct stream_service *service = s->service;

	check(!stream_busy(s) && s->tls == NULL);
	s->send_done = done;
	s->recv_cancelled = false;
	s->send_cancelled = false;
	return service->tls_count < service->tls_max;
}

static void go(struct stream *s, struct tls *tls)
{
	struct stream_service *service = s->service;

	if (tls == NULL) {
		s->send.done = on_refused;
		loop_defer(service->loop, &s->send, -ENOMEM);
		return;
	}
	s->tls = tls;
	s->over = false;
	service->tls_count++;
	service->handshake_count++;
}

void stream_accept_tls(
    struct stream *s, struct tls_context *context, stream_done *done)
{
	go(s, begin(s, done) ? tls_accept(context) : NULL);
	if (s->tls != NULL)
		loop_recv(s->service->loop, &s->recv, s->fd, on_received);
}

void stream_connect_tls(struct stream *s, struct tls_context *context,
    const struct tls_peer *peer, stream_done *done)
{
	go(s, begin(s, done) ? tls_connect(context, peer) : NULL);
	if (s->tls != NULL)
		line_up(s); /* we speak first */
}
