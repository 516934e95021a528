/* stream.c -- a connection on the loop.
 *
 * In clear it only passes on: what the loop received is what the user sees, in
 * the loop's own buffer, and what the user sends is what the kernel is given.
 * That is the path of most messages; it copies and allocates nothing.  TLS is
 * in stream_tls.c, its handshake in stream_shake.c. */
#include "tls/stream.h"

#include "tls/stream_tls.h"

int stream_service_open(
    struct stream_service *service, struct loop *loop, size_t tls_max)
{
	*service = (struct stream_service){.loop = loop};
	list_init(&service->handshakes);
	return tls_max > 0 ? stream_tls_open(service, tls_max) : 0;
}

void stream_service_close(struct stream_service *service)
{
	check(service->tls_count == 0);
	if (service->tls_max > 0)
		stream_tls_close_down(service);
}

void stream_init(struct stream *s, struct stream_service *service, int fd)
{
	*s = (struct stream){.service = service, .fd = fd};
	list_init(&s->link);
}

static void on_received(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, recv);
	stream_done *done = s->recv_done;

	s->recv_done = NULL;
	s->received = op->received;
	done(s, result);
}

void stream_recv(struct stream *s, stream_done *done)
{
	check(s->recv_done == NULL);
	s->recv_done = done;
	s->recv_cancelled = false;
	if (s->tls != NULL)
		stream_tls_recv(s);
	else
		loop_recv(s->service->loop, &s->recv, s->fd, on_received);
}

static void on_sent(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, send);
	stream_done *done = s->send_done;

	s->send_done = NULL;
	done(s, result);
}

void stream_send(
    struct stream *s, const struct msghdr *message, stream_done *done)
{
	check(s->send_done == NULL);
	s->send_done = done;
	s->send_cancelled = false;
	if (s->tls == NULL) {
		loop_send(s->service->loop, &s->send, s->fd, message, on_sent);
		return;
	}
	s->message = message;
	stream_tls_send(s);
}

void stream_cancel(struct stream *s)
{
	s->recv_cancelled = true;
	s->send_cancelled = true;
	loop_cancel(s->service->loop, &s->recv);
	loop_cancel(s->service->loop, &s->send);
}

void stream_shutdown(struct stream *s)
{
	check(!stream_sending(s));
	if (s->tls != NULL)
		stream_tls_notify(s);
	shutdown(s->fd, SHUT_WR);
}

void stream_close(struct stream *s, bool notify)
{
	check(!stream_busy(s));
	if (s->tls != NULL) {
		if (notify)
			stream_tls_notify(s);
		stream_tls_end(s);
	}
	loop_close(s->service->loop, s->fd);
	s->fd = -1;
}
