/* The loop, on io_uring and on epoll: what its header promises, with real
 * descriptors. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/loop.h"

/* Each case runs on both. */
#define BOTH(name)                                                             \
	static void name(enum loop_backend backend);                           \
	Test(loop_io_uring, name)                                              \
	{                                                                      \
		(name)(LOOP_BACKEND_IO_URING);                                 \
	}                                                                      \
	Test(loop_epoll, name)                                                 \
	{                                                                      \
		(name)(LOOP_BACKEND_EPOLL);                                    \
	}                                                                      \
	static void name(enum loop_backend backend)

static struct loop *open_loop(enum loop_backend backend)
{
	struct loop *loop;
	struct loop_options options = {.backend = backend, .buffer_count = 4};
	const char *why = "";

	cr_assert_eq(loop_open(&loop, &options, &why), 0, "%s", why);
	return loop;
}

struct seen {
	struct op op;
	int count;
	int result;
	uint8_t bytes[64];
	size_t len;
};

static void on_done(struct op *op, int result)
{
	struct seen *s = container_of(op, struct seen, op);

	s->count++;
	s->result = result;
	if (op->received.len > 0 && op->received.len <= sizeof(s->bytes)) {
		memcpy(s->bytes, op->received.at, op->received.len);
		s->len = op->received.len;
	}
}

static void turn_until(struct loop *loop, struct seen *s)
{
	for (int i = 0; i < 1000 && s->count == 0; i++)
		loop_turn(loop);
	cr_assert_eq(s->count, 1);
}

BOTH(deferred_runs_later_and_once)
{
	struct loop *loop = open_loop(backend);
	struct seen s = {0};

	loop_defer(loop, &s.op, -7);
	s.op.done = on_done;
	cr_assert_eq(s.count, 0);
	turn_until(loop, &s);
	cr_assert_eq(s.result, -7);
	cr_assert_not(s.op.busy);
	loop_close_down(loop);
}

BOTH(sends_and_receives_and_sees_the_end)
{
	struct loop *loop = open_loop(backend);
	struct seen r = {0}, w = {0};
	int pair[2];
	char hello[] = "hello";
	struct iovec iov = {hello, 5};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	loop_recv(loop, &r.op, pair[0], on_done);
	loop_send(loop, &w.op, pair[1], &message, on_done);
	turn_until(loop, &w);
	turn_until(loop, &r);
	cr_assert_eq(r.result, 5);
	cr_assert_eq(memcmp(r.bytes, "hello", 5), 0);
	r.count = 0;
	loop_close(loop, pair[1]);
	loop_recv(loop, &r.op, pair[0], on_done);
	turn_until(loop, &r);
	cr_assert_eq(r.result, 0);
	loop_close_down(loop);
}

BOTH(more_receivers_than_buffers_all_get_their_bytes)
{
	struct loop *loop = open_loop(backend);
	enum { PAIRS = 64 };
	static struct seen r[PAIRS];

	for (int i = 0; i < PAIRS; i++) {
		int pair[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		cr_assert_eq(write(pair[1], &i, sizeof(i)), sizeof(i));
		loop_recv(loop, &r[i].op, pair[0], on_done);
	}
	for (int i = 0; i < PAIRS; i++) {
		int got;

		turn_until(loop, &r[i]);
		memcpy(&got, r[i].bytes, sizeof(got));
		cr_assert_eq(got, i);
	}
	loop_close_down(loop);
}

BOTH(cancelled_receive_completes)
{
	struct loop *loop = open_loop(backend);
	struct seen r = {0};
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	loop_recv(loop, &r.op, pair[0], on_done);
	loop_submit(loop);
	loop_cancel(loop, &r.op);
	turn_until(loop, &r);
	cr_assert_eq(r.result, -ECANCELED);
	loop_close_down(loop);
}

BOTH(accepts_until_cancelled)
{
	struct loop *loop = open_loop(backend);
	struct seen a = {0};
	union socket_address at = {
	    .v4 = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at.v4);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, &at.any, len), 0);
	cr_assert_eq(listen(fd, 10), 0);
	cr_assert_eq(getsockname(fd, &at.any, &len), 0);
	loop_accept(loop, &a.op, fd, on_done);
	for (int i = 0; i < 3; i++) {
		struct seen c = {0};
		int client = socket(AF_INET, SOCK_STREAM, 0);

		loop_connect(loop, &c.op, client, &at, on_done);
		turn_until(loop, &c);
		cr_assert_eq(c.result, 0);
		turn_until(loop, &a);
		cr_assert_geq(a.result, 0);
		cr_assert(a.op.busy);
		a.count = 0;
	}
	loop_cancel(loop, &a.op);
	turn_until(loop, &a);
	cr_assert_eq(a.result, -ECANCELED);
	cr_assert_not(a.op.busy);
	loop_close_down(loop);
}

static void on_fire(struct timer *t)
{
	t->fire = NULL;
}

BOTH(timer_ends_the_wait)
{
	struct loop *loop = open_loop(backend);
	struct timer t;
	uint64_t start_ms = loop_now_ms(loop);

	timer_init(&t, on_fire);
	timer_arm(loop_timers(loop), &t, 50);
	while (t.fire != NULL)
		loop_turn(loop);
	cr_assert_geq(loop_now_ms(loop), start_ms + 50);
	loop_close_down(loop);
}

BOTH(writes_a_file_and_reads_it_back)
{
	struct loop *loop = open_loop(backend);
	struct seen s = {0};
	char path[] = "/tmp/test_loop_XXXXXX";
	char got[4] = "";
	int fd = mkstemp(path);

	unlink(path);
	loop_write(loop, &s.op, fd, "mail", 4, 100, true, on_done);
	turn_until(loop, &s);
	cr_assert_eq(s.result, 4);
	s.count = 0;
	loop_read(loop, &s.op, fd, got, 4, 100, on_done);
	turn_until(loop, &s);
	cr_assert_eq(memcmp(got, "mail", 4), 0);
	loop_close_down(loop);
}

/* Wherever the submission queue is full: the first fails, the others must
 * not happen. */
BOTH(a_chain_is_never_torn)
{
	struct loop *loop;
	struct loop_options options = {
	    .backend = backend, .entries = 32, .without_recv = true};
	const char *why = "";
	int ends[2];

	cr_assert_eq(loop_open(&loop, &options, &why), 0, "%s", why);
	cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
	/* Of the queue's 32 places; epoll has none. */
	int before_max = backend == LOOP_BACKEND_IO_URING ? 32 : 1;

	for (int before = 0; before < before_max; before++) {
		struct seen others[32] = {0};
		struct seen chain[16] = {0};
		char byte;

		for (int i = 0; i < before; i++)
			loop_poll(
			    loop, &others[i].op, ends[1], POLLOUT, on_done);
		for (int i = 0; i < 16; i++)
			loop_write_stream(loop, &chain[i].op,
			    i == 0 ? -1 : ends[1], "x", 1, i < 15, on_done);
		for (int i = 0; i < 16; i++) {
			turn_until(loop, &chain[i]);
			cr_assert_eq(chain[i].result,
			    i == 0 ? -EBADF : -ECANCELED, "%d of chain at %d",
			    i, before);
		}
		for (int i = 0; i < before; i++)
			turn_until(loop, &others[i]);
		cr_assert_lt(read(ends[0], &byte, 1), 0);
	}
	loop_close_down(loop);
}

BOTH(connects_or_says_why_not)
{
	struct loop *loop = open_loop(backend);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	union socket_address at = {
	    .v4 = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at.v4);
	struct seen yes = {0}, no = {0};

	cr_assert_eq(bind(server, &at.any, len), 0);
	cr_assert_eq(getsockname(server, &at.any, &len), 0);
	cr_assert_eq(listen(server, 1), 0);
	loop_connect(loop, &yes.op, client, &at, on_done);
	turn_until(loop, &yes);
	cr_assert_eq(yes.result, 0);
	loop_close(loop, client);
	close(server);
	client = socket(AF_INET, SOCK_STREAM, 0);
	loop_connect(loop, &no.op, client, &at, on_done);
	turn_until(loop, &no);
	cr_assert_eq(no.result, -ECONNREFUSED);
	loop_close(loop, client);
	loop_close_down(loop);
}

/* More than a socket holds, to one that reads slowly: sent in many pieces. */
BOTH(a_long_send_waits_for_its_reader)
{
	struct loop *loop = open_loop(backend);
	static uint8_t first[3000], second[1 << 20];
	struct iovec iov[2] = {
	    {first, sizeof(first)}, {second, sizeof(second)}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
	struct seen sent = {0};
	uint8_t in[4096];
	size_t total = 0;
	bool right = true;
	int ends[2];

	for (size_t i = 0; i < sizeof(first); i++)
		first[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(second); i++)
		second[i] = (uint8_t)(i + sizeof(first));
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	loop_send(loop, &sent.op, ends[0], &message, on_done);
	while (total < sizeof(first) + sizeof(second)) {
		struct seen deferred = {0};

		loop_defer(loop, &deferred.op, 0);
		deferred.op.done = on_done;
		turn_until(loop, &deferred);
		ssize_t n = recv(ends[1], in, sizeof(in), MSG_DONTWAIT);

		for (ssize_t i = 0; i < n; i++)
			right &= in[i] == (uint8_t)(total + (size_t)i);
		total += n > 0 ? (size_t)n : 0;
	}
	cr_assert(right);
	turn_until(loop, &sent);
	cr_assert_eq(sent.result, (int)(sizeof(first) + sizeof(second)));
	close(ends[1]);
	loop_close(loop, ends[0]);
	loop_close_down(loop);
}

/* libunbound's way: what is polled is closed behind the loop's back, and its
 * number is another descriptor's afterwards. */
BOTH(polls_what_others_close)
{
	struct loop *loop = open_loop(backend);
	int number = -1;

	for (int round = 0; round < 4; round++) {
		struct seen ready = {0}, cancelled = {0}, received = {0};
		int ends[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		cr_assert(number < 0 || number == ends[0]);
		number = ends[0];
		loop_poll(loop, &ready.op, ends[0], POLLIN, on_done);
		cr_assert_eq(write(ends[1], "x", 1), 1);
		turn_until(loop, &ready);
		cr_assert_eq(ready.result & POLLIN, POLLIN);
		if (round % 2 == 0) {
			cr_assert_eq(read(ends[0], received.bytes, 1), 1);
			loop_poll(
			    loop, &cancelled.op, ends[0], POLLIN, on_done);
			loop_cancel(loop, &cancelled.op);
			loop_submit(loop);
			close(ends[0]);
			turn_until(loop, &cancelled);
		} else {
			loop_recv(loop, &received.op, ends[0], on_done);
			turn_until(loop, &received);
			cr_assert_eq(received.result, 1);
			loop_close(loop, ends[0]);
			loop_submit(loop);
		}
		close(ends[1]);
	}
	loop_close_down(loop);
}

/* More at one time than any queue holds: none is refused. */
BOTH(many_writes_at_once_are_all_done)
{
	struct loop *loop = open_loop(backend);
	static struct seen writes[2000];
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	memset(writes, 0, sizeof(writes));
	for (size_t i = 0; i < COUNT(writes); i++)
		loop_write(loop, &writes[i].op, fileno(file), "x", 1, i, false,
		    on_done);
	for (size_t i = 0; i < COUNT(writes); i++) {
		turn_until(loop, &writes[i]);
		cr_assert_eq(
		    writes[i].result, 1, "%zu: %d", i, writes[i].result);
	}
	fclose(file);
	loop_close_down(loop);
}
