/* stream.c -- a connection on the loop.
 *
 * In clear it only passes on: what the loop received is what the user sees, in
 * the loop's own buffer, and what the user sends is what the kernel is given.
 * That is the path of most messages; it copies and allocates nothing. */
#include "tls/stream.h"

int stream_service_open(
    struct stream_service *service, struct loop *loop, size_t tls_max)
{
	(void)tls_max;
	*service = (struct stream_service){.loop = loop};
	list_init(&service->handshakes);
	return 0;
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
	loop_send(s->service->loop, &s->send, s->fd, message, on_sent);
}

void stream_cancel(struct stream *s)
{
	loop_cancel(s->service->loop, &s->recv);
	loop_cancel(s->service->loop, &s->send);
}

void stream_shutdown(struct stream *s)
{
	check(!stream_sending(s));
	shutdown(s->fd, SHUT_WR);
}

void stream_close(struct stream *s, bool notify)
{
	(void)notify; /* in clear there is nothing to say */
	check(!stream_busy(s));
	loop_close(s->service->loop, s->fd);
	s->fd = -1;
}
