/* A stream in clear, over a real loop and real sockets. */
#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "tls/stream.h"

struct end {
	struct stream stream;
	uint8_t got[64];
	size_t got_len;
	int received;
	int sent;
	bool recv_done;
	bool send_done;
};

static struct loop *loop;
static struct stream_service service;
static struct end a, b;

static void set_up(void)
{
	struct loop_options options = {.buffer_count = 4};
	const char *why = "";
	int pair[2];

	cr_assert_eq(loop_open(&loop, &options, &why), 0, "%s", why);
	cr_assert_eq(stream_service_open(&service, loop, 4), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	a = (struct end){0};
	b = (struct end){0};
	stream_init(&a.stream, &service, pair[0]);
	stream_init(&b.stream, &service, pair[1]);
}

static void on_received(struct stream *s, int result)
{
	struct end *e = container_of(s, struct end, stream);

	cr_assert_not(stream_receiving(s));
	e->recv_done = true;
	e->received = result;
	if (result > 0) {
		cr_assert_eq(s->received.len, (size_t)result);
		cr_assert_leq(e->got_len + s->received.len, sizeof(e->got));
		memcpy(e->got + e->got_len, s->received.at, s->received.len);
		e->got_len += s->received.len;
	}
}

static void on_sent(struct stream *s, int result)
{
	struct end *e = container_of(s, struct end, stream);

	cr_assert_not(stream_sending(s));
	e->send_done = true;
	e->sent = result;
}

static void turn_until(const bool *flag)
{
	for (int i = 0; i < 1000 && !*flag; i++)
		loop_turn(loop);
	cr_assert(*flag);
}

Test(stream, passes_bytes_and_the_end_in_clear)
{
	char hello[] = "hello, ", world[] = "world";
	struct iovec iov[2] = {{hello, 7}, {world, 5}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};

	set_up();
	stream_recv(&b.stream, on_received);
	stream_send(&a.stream, &message, on_sent);
	cr_assert(stream_busy(&a.stream) && stream_sending(&a.stream));
	cr_assert(stream_receiving(&b.stream));
	cr_assert_not(a.send_done);
	turn_until(&a.send_done);
	turn_until(&b.recv_done);
	cr_assert_eq(a.sent, 12);
	cr_assert_eq(b.got_len, 12);
	cr_assert_eq(memcmp(b.got, "hello, world", 12), 0);
	b.recv_done = false;
	stream_recv(&b.stream, on_received);
	stream_shutdown(&a.stream);
	turn_until(&b.recv_done);
	cr_assert_eq(b.received, 0);
	stream_close(&a.stream, true);
	cr_assert_eq(a.stream.fd, -1);
	stream_close(&b.stream, false);
	loop_close_down(loop);
}

Test(stream, what_is_cancelled_completes)
{
	static char big[1 << 22];
	struct iovec iov = {big, sizeof(big)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	set_up();
	stream_recv(&a.stream, on_received);
	stream_send(&a.stream, &message, on_sent);
	loop_submit(loop);
	stream_cancel(&a.stream);
	cr_assert(stream_receiving(&a.stream) && stream_sending(&a.stream));
	turn_until(&a.recv_done);
	turn_until(&a.send_done);
	cr_assert_eq(a.received, -ECANCELED);
	cr_assert(a.sent < (int)sizeof(big));
	stream_close(&a.stream, false);
	loop_close_down(loop);
}

Test(stream, a_peer_that_is_gone_is_an_error_of_the_send)
{
	char hello[] = "hello";
	struct iovec iov = {hello, 5};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	set_up();
	close(b.stream.fd);
	stream_send(&a.stream, &message, on_sent);
	turn_until(&a.send_done);
	cr_assert_eq(a.sent, -EPIPE);
	stream_close(&a.stream, true);
	loop_close_down(loop);
}
