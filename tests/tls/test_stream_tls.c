/* Streams inside of TLS, over a real loop and real sockets. */
#include <errno.h>
#include <unistd.h>

#include "tests/tls/pair.h"
#include "tls/stream.h"

#define BULK (1024 * 1024)

static struct loop *loop;
static struct stream_service service;
static struct tls_context *server_context, *client_context;

struct end {
	struct stream stream;
	int shaken; /* results; 1: not yet */
	int sent;
	int received;
	int sends;
	size_t got;
	uint8_t salt;
	bool wrong;
	bool go_on;
};

static struct end a, b; /* client, server */

static void set_up(size_t tls_max)
{
	struct loop_options options = {.buffer_count = 16};
	const char *why = "";
	int pair[2];

	cr_assert_eq(loop_open(&loop, &options, &why), 0, "%s", why);
	cr_assert_eq(stream_service_open(&service, loop, tls_max), 0);
	server_context = server_of("mx-chain.pem", "mx.key", NULL);
	client_context = client_of(FIXTURES "ca.pem");
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	a = (struct end){.shaken = 1, .sent = 1, .received = 1, .salt = 3};
	b = (struct end){.shaken = 1, .sent = 1, .received = 1, .salt = 5};
	stream_init(&a.stream, &service, pair[0]);
	stream_init(&b.stream, &service, pair[1]);
}

static void tear_down(void)
{
	tls_context_give(server_context);
	tls_context_give(client_context);
	stream_service_close(&service);
	loop_close_down(loop);
}

static void on_shaken(struct stream *s, int result)
{
	struct end *e = container_of(s, struct end, stream);

	cr_assert_eq(e->shaken, 1);
	cr_assert_not(stream_busy(s));
	e->shaken = result;
}

static void on_sent(struct stream *s, int result)
{
	struct end *e = container_of(s, struct end, stream);

	e->sent = result;
	e->sends++;
}

static uint8_t byte_at(size_t at, uint8_t salt)
{
	return (uint8_t)(at * 31 + (at >> 8) + salt);
}

static void on_received(struct stream *s, int result)
{
	struct end *e = container_of(s, struct end, stream);
	uint8_t salt = e == &a ? b.salt : a.salt;

	e->received = result;
	for (size_t i = 0; result > 0 && i < s->received.len; i++)
		if (s->received.at[i] != byte_at(e->got + i, salt))
			e->wrong = true;
	if (result > 0) {
		cr_assert_eq(s->received.len, (size_t)result);
		cr_assert_leq(s->received.len, STREAM_PIECE_MAX);
		e->got += s->received.len;
		if (e->go_on)
			stream_recv(s, on_received);
	}
}

#define TURN_UNTIL(fact)                                                       \
	do {                                                                   \
		for (int turns_ = 0; turns_ < 3000 && !(fact); turns_++)       \
			loop_turn(loop);                                       \
		cr_assert(fact);                                               \
	} while (0)

static void shake(const char *name, enum tls_verify verify)
{
	struct tls_peer peer = {.name = name, .verify = verify};

	stream_accept_tls(&b.stream, server_context, on_shaken);
	stream_connect_tls(&a.stream, client_context, &peer, on_shaken);
	TURN_UNTIL(a.shaken != 1 && b.shaken != 1);
}

static void close_both(void)
{
	stream_close(&a.stream, true);
	stream_close(&b.stream, true);
	cr_assert_eq(service.handshake_count, 0);
	cr_assert_eq(service.tls_count, 0);
	cr_assert_eq(service.held_pool.count_used, 0);
	cr_assert_eq(service.small_pool.count_used, 0);
	cr_assert_eq(service.large_pool.count_used, 0);
}

static struct msghdr message_of(
    struct end *e, uint8_t *bytes, size_t len, struct iovec *iov, size_t count)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(i, e->salt);
	/* Pieces of all sizes: nothing, one byte, more than a record. */
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		size_t piece = i + 1 == count ? len - at
			       : i % 5 == 0   ? 0
			       : i % 5 == 1   ? 1
			       : i % 5 == 2   ? 40000
					      : 777 * (i % 5);

		if (piece > len - at)
			piece = len - at;
		iov[i] = (struct iovec){bytes + at, piece};
		at += piece;
	}
	return (struct msghdr){.msg_iov = iov, .msg_iovlen = count};
}

Test(stream_tls, a_mebibyte_in_both_directions_at_once)
{
	static uint8_t up[BULK], down[BULK];
	struct iovec up_iov[50], down_iov[9];

	set_up(2);
	shake("mx.example.org", TLS_VERIFY_NAME);
	cr_assert_eq(a.shaken, 0, "%s", tls_error(a.stream.tls));
	cr_assert_eq(b.shaken, 0, "%s", tls_error(b.stream.tls));
	cr_assert(tls_is_verified(a.stream.tls));
	struct msghdr m = message_of(&a, up, BULK, up_iov, COUNT(up_iov));
	struct msghdr n = message_of(&b, down, BULK, down_iov, COUNT(down_iov));

	a.go_on = b.go_on = true;
	stream_recv(&a.stream, on_received);
	stream_recv(&b.stream, on_received);
	stream_send(&a.stream, &m, on_sent);
	stream_send(&b.stream, &n, on_sent);
	TURN_UNTIL(a.got == BULK && b.got == BULK && a.sends && b.sends);
	cr_assert_eq(a.sent, BULK);
	cr_assert_eq(b.sent, BULK);
	cr_assert_not(a.wrong || b.wrong);
	/* And now the end, announced. */
	stream_shutdown(&a.stream);
	TURN_UNTIL(b.received == 0);
	stream_cancel(&a.stream);
	TURN_UNTIL(!stream_busy(&a.stream));
	close_both();
	tear_down();
}

/* One side's receive is slow to be asked for: the rest is held. */
Test(stream_tls, what_does_not_fit_is_held_until_the_next_receive)
{
	static uint8_t up[BULK];
	struct iovec iov[3];

	set_up(2);
	shake("mx.example.org", TLS_VERIFY_NAME);
	struct msghdr m = message_of(&a, up, 100000, iov, COUNT(iov));
	size_t got = 0;

	stream_send(&a.stream, &m, on_sent);
	while (b.got < 100000) {
		stream_recv(&b.stream, on_received);
		TURN_UNTIL(b.got > got);
		got = b.got;
	}
	TURN_UNTIL(a.sends);
	cr_assert_not(b.wrong);
	close_both();
	tear_down();
}

Test(stream_tls, small_messages_one_after_the_other)
{
	uint8_t bytes[64];
	struct iovec iov[1];

	set_up(2);
	shake("mx.example.org", TLS_VERIFY_NAME);
	for (size_t len = 0; len < 64; len++) {
		struct msghdr m = message_of(&a, bytes, len, iov, 1);

		a.sends = 0;
		b.got = 0;
		if (len > 0)
			stream_recv(&b.stream, on_received);
		stream_send(&a.stream, &m, on_sent);
		cr_assert_eq(a.sends, 0);
		TURN_UNTIL(a.sends == 1 && b.got == len);
		cr_assert_eq(a.sent, (int)len);
	}
	close_both();
	tear_down();
}

Test(stream_tls, an_end_without_close_notify_is_no_end)
{
	set_up(2);
	shake("mx.example.org", TLS_VERIFY_NAME);
	stream_recv(&b.stream, on_received);
	shutdown(a.stream.fd, SHUT_WR);
	TURN_UNTIL(b.received != 1);
	cr_assert_eq(b.received, -ECONNRESET);
	close_both();
	tear_down();
}

Test(stream_tls, close_notify_and_the_descriptor_in_one_go)
{
	uint8_t bytes[1000];
	struct iovec iov[1];

	set_up(2);
	shake("mx.example.org", TLS_VERIFY_NAME);
	struct msghdr m = message_of(&a, bytes, sizeof(bytes), iov, 1);

	stream_send(&a.stream, &m, on_sent);
	TURN_UNTIL(a.sends);
	stream_close(&a.stream, true);
	b.go_on = true;
	stream_recv(&b.stream, on_received);
	TURN_UNTIL(b.received == 0);
	cr_assert_eq(b.got, sizeof(bytes));
	/* It stays at its end. */
	b.received = 1;
	stream_recv(&b.stream, on_received);
	TURN_UNTIL(b.received == 0);
	stream_close(&b.stream, true);
	tear_down();
}

Test(stream_tls, a_name_that_is_not_the_peers_fails)
{
	struct tls_peer peer = {
	    .name = "other.example.org", .verify = TLS_VERIFY_NAME};

	set_up(2);
	stream_accept_tls(&b.stream, server_context, on_shaken);
	stream_connect_tls(&a.stream, client_context, &peer, on_shaken);
	TURN_UNTIL(a.shaken != 1);
	cr_assert_eq(a.shaken, -EPROTO);
	cr_assert_str_eq(
	    tls_error(a.stream.tls), "certificate is for another name");
	stream_close(&a.stream, true);
	TURN_UNTIL(b.shaken != 1);
	cr_assert_eq(b.shaken, -EPROTO);
	stream_close(&b.stream, true);
	tear_down();
}

Test(stream_tls, garbage_fails_and_the_peer_is_told)
{
	char garbage[] = "EHLO me, in clear\r\n";

	set_up(2);
	stream_accept_tls(&b.stream, server_context, on_shaken);
	cr_assert_eq(write(a.stream.fd, garbage, sizeof(garbage)),
	    (ssize_t)sizeof(garbage));
	TURN_UNTIL(b.shaken != 1);
	cr_assert_eq(b.shaken, -EPROTO);
	cr_assert_gt(strlen(tls_error(b.stream.tls)), 0);
	stream_close(&b.stream, true);
	stream_close(&a.stream, false);
	tear_down();
}

/* Each byte of a record that was sealed: one bit is turned, and it is found. */
Test(stream_tls, a_bit_that_was_turned_on_the_way_fails)
{
	struct tls_peer peer = {.name = "mx.example.org"};
	static struct pair p;
	char got[64];

	server_context = server_of("mx-chain.pem", "mx.key", NULL);
	client_context = client_of(NULL);
	for (size_t i = 0; i < 5 + 1 + 5 + 16; i++) {
		pair_open(&p, client_context, server_context, &peer);
		pair_shake(&p, WIRE_MAX);
		pair_write(p.client, &p.up, "hello", 5);
		cr_assert_lt(i, p.up.buf.len);
		p.up.buf.at[i] ^= 1;
		long count = pair_read(p.server, &p.up, &p.down, got, 64);

		/* A longer length only waits for more. */
		cr_assert(count == -1 || (count == 0 && (i == 3 || i == 4)),
		    "%zu: %ld", i, count);
		pair_close(&p);
	}
	tls_context_give(server_context);
	tls_context_give(client_context);
}

Test(stream_tls, a_cancelled_handshake_completes_at_every_stage)
{
	for (int turns = 0; turns < 8; turns++) {
		struct tls_peer peer = {.name = "mx.example.org"};

		set_up(2);
		stream_accept_tls(&b.stream, server_context, on_shaken);
		stream_connect_tls(&a.stream, client_context, &peer, on_shaken);
		for (int i = 0; i < turns && b.shaken == 1; i++)
			loop_turn(loop);
		stream_cancel(&b.stream);
		TURN_UNTIL(b.shaken != 1);
		cr_assert(b.shaken == -ECANCELED || b.shaken == 0);
		if (turns == 0)
			cr_assert_eq(b.shaken, -ECANCELED);
		stream_cancel(&a.stream);
		TURN_UNTIL(a.shaken != 1);
		close_both();
		tear_down();
	}
}

Test(stream_tls, one_too_many_is_refused_and_the_others_go_on)
{
	struct tls_peer peer = {.name = "mx.example.org"};

	set_up(1);
	stream_accept_tls(&b.stream, server_context, on_shaken);
	stream_connect_tls(&a.stream, client_context, &peer, on_shaken);
	cr_assert_eq(a.shaken, 1);
	TURN_UNTIL(a.shaken != 1);
	cr_assert_eq(a.shaken, -ENOMEM);
	cr_assert_eq(b.shaken, 1);
	cr_assert_null(a.stream.tls);
	stream_cancel(&b.stream);
	TURN_UNTIL(b.shaken != 1);
	close_both();
	tear_down();
}

/* Bytes that come right behind the client's last handshake message. */
Test(stream_tls, data_behind_the_handshake_is_not_lost)
{
	struct tls_peer peer = {.name = "mx.example.org"};
	static struct wire up, down;
	uint8_t bytes[100];
	struct slice in, plain;

	set_up(2);
	struct tls *client = tls_connect(client_context, &peer);

	up.buf = buf_over(up.room, sizeof(up.room));
	in = slice_of(NULL, 0);
	stream_accept_tls(&b.stream, server_context, on_shaken);
	tls_handshake(client, &in, &up.buf);
	cr_assert_eq(
	    write(a.stream.fd, up.buf.at, up.buf.len), (ssize_t)up.buf.len);
	while (tls_state_of(client) == TLS_HANDSHAKE) {
		loop_turn(loop);
		ssize_t count = recv(
		    a.stream.fd, down.room, sizeof(down.room), MSG_DONTWAIT);

		in = slice_of(down.room, count > 0 ? (size_t)count : 0);
		buf_clear(&up.buf);
		cr_assert_neq(tls_handshake(client, &in, &up.buf), TLS_FAILED);
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = byte_at(i, a.salt);
	plain = slice_of(bytes, sizeof(bytes));
	cr_assert_eq(tls_write(client, &plain, &up.buf), TLS_OPEN);
	cr_assert_eq(
	    write(a.stream.fd, up.buf.at, up.buf.len), (ssize_t)up.buf.len);
	TURN_UNTIL(b.shaken != 1);
	cr_assert_eq(b.shaken, 0);
	stream_recv(&b.stream, on_received);
	TURN_UNTIL(b.received != 1);
	cr_assert_eq(b.got, sizeof(bytes));
	cr_assert_not(b.wrong);
	tls_free(client);
	close_both();
	tear_down();
}
