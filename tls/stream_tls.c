/* stream_tls.c -- a stream inside of TLS.
 *
 * Receiving: the loop's buffer is decrypted into the service's, which the user
 * looks at inside of done().  What does not fit there is held, as records, in a
 * buffer of the stream's own until the next receive; that is rare, and nearly
 * always there is none.
 *
 * Sending: records are written to a buffer from a pool, several at a time when
 * there is much to send, and go to the kernel in one operation; when that is
 * done the buffer is filled again, or given back.  Small pieces are gathered
 * into one record.
 *
 * What the protocol itself has to say while we read (an alert, the answer to a
 * key update) goes behind what is being sent, or, when nothing is, to the
 * socket at once; should it be full, it waits for the next send.
 *
 * Must hold: whoever is inside of TLS (tls_count) can have a small buffer and
 * one for held records: the pools are that large.  Bytes behind `flight` are
 * not yet the kernel's. */
#include "tls/stream_tls.h"

#include <errno.h>
#include <sys/mman.h>

#define RECORDS_LARGE 4
#define RECORD_ROOM (16384 + 128)
#define PROTOCOL_ROOM 1024
#define SMALL_ROOM (RECORD_ROOM + PROTOCOL_ROOM)
#define LARGE_ROOM (RECORDS_LARGE * RECORD_ROOM + PROTOCOL_ROOM)
#define LARGE_MAX 256
_Static_assert(SMALL_ROOM >= TLS_OUT_MIN, "a handshake can go on");

struct stream_held {
	size_t at;
	size_t len;
	uint8_t bytes[STREAM_PIECE_MAX]; /* the loop's buffers are no longer */
};

struct stream_out {
	struct buf buf;
	size_t flight; /* bytes that the kernel has been given */
	size_t plain;  /* of the user's, that they carry */
	struct iovec iov;
	struct msghdr message;
	bool large;
	uint8_t room[];
};

int stream_tls_open(struct stream_service *service, size_t tls_max)
{
	size_t large_max = tls_max < LARGE_MAX ? tls_max : LARGE_MAX;
	int err;

	service->plain = mmap(NULL, 2 * STREAM_PIECE_MAX,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (service->plain == MAP_FAILED)
		return -ENOMEM;
	service->gather = service->plain + STREAM_PIECE_MAX;
	err = pool_init(&service->held_pool, "tls held",
	    sizeof(struct stream_held), tls_max);
	if (err < 0)
		goto unmap;
	err = pool_init(&service->small_pool, "tls out",
	    sizeof(struct stream_out) + SMALL_ROOM, tls_max);
	if (err < 0)
		goto held;
	err = pool_init(&service->large_pool, "tls bodies",
	    sizeof(struct stream_out) + LARGE_ROOM, large_max);
	if (err < 0)
		goto small;
	service->tls_max = tls_max;
	return 0;
small:
	pool_deinit(&service->small_pool);
held:
	pool_deinit(&service->held_pool);
unmap:
	munmap(service->plain, 2 * STREAM_PIECE_MAX);
	return err;
}

void stream_tls_close_down(struct stream_service *service)
{
	pool_deinit(&service->large_pool);
	pool_deinit(&service->small_pool);
	pool_deinit(&service->held_pool);
	munmap(service->plain, 2 * STREAM_PIECE_MAX);
	service->tls_max = 0;
}

struct slice stream_held(const struct stream *s)
{
	if (s->held == NULL)
		return (struct slice){NULL, 0};
	return slice_of(s->held->bytes + s->held->at, s->held->len);
}

void stream_hold(struct stream *s, struct slice in)
{
	struct pool *pool = &s->service->held_pool;

	if (in.len == 0) {
		if (s->held != NULL)
			pool_give(pool, s->held);
		s->held = NULL;
		return;
	}
	if (s->held != NULL) {
		/* What is left of what was held already. */
		s->held->at = (size_t)(in.at - s->held->bytes);
		s->held->len = in.len;
		check(s->held->at + in.len <= sizeof(s->held->bytes));
		return;
	}
	s->held = pool_take(pool);
	check(s->held != NULL); /* one for each stream in TLS */
	check(in.len <= sizeof(s->held->bytes));
	s->held->at = 0;
	s->held->len = in.len;
	memcpy(s->held->bytes, in.at, in.len);
}

static struct stream_out *take_out(struct stream *s, bool large)
{
	struct stream_service *service = s->service;

	if (s->out != NULL)
		return s->out;
	struct stream_out *out = large ? pool_take(&service->large_pool) : NULL;
	size_t room = LARGE_ROOM;

	large = out != NULL;
	if (!large) {
		out = pool_take(&service->small_pool);
		check(out != NULL); /* one for each stream in TLS */
		room = SMALL_ROOM;
	}
	out->buf = buf_over(out->room, room);
	out->flight = 0;
	out->plain = 0;
	out->large = large;
	s->out = out;
	return out;
}

static void give_out(struct stream *s)
{
	struct stream_service *service = s->service;
	struct stream_out *out = s->out;

	s->out = NULL;
	if (out != NULL)
		pool_give(
		    out->large ? &service->large_pool : &service->small_pool,
		    out);
}

struct buf *stream_out_take(struct stream *s)
{
	return &take_out(s, false)->buf;
}

void stream_out_begin(struct stream *s, op_done *done)
{
	struct stream_out *out = s->out;

	check(out->flight == 0 && out->buf.len > 0);
	out->flight = out->buf.len;
	out->iov = (struct iovec){out->buf.at, out->flight};
	out->message = (struct msghdr){.msg_iov = &out->iov, .msg_iovlen = 1};
	loop_send(s->service->loop, &s->send, s->fd, &out->message, done);
}

/* What was given to the kernel is sent, all of it or not. */
bool stream_out_ended(struct stream *s, int result)
{
	struct stream_out *out = s->out;
	bool whole = result >= 0 && (size_t)result == out->flight;

	if (whole)
		buf_drop(&out->buf, out->flight);
	out->flight = 0;
	if (!whole || out->buf.len == 0)
		give_out(s);
	return whole;
}

void stream_out_now(struct stream *s)
{
	struct stream_out *out = s->out;

	if (out == NULL || out->flight > 0)
		return;
	while (out->buf.len > 0) {
		ssize_t count = send(s->fd, out->buf.at, out->buf.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (count <= 0)
			return; /* with the next send, should there be one */
		buf_drop(&out->buf, (size_t)count);
	}
	give_out(s);
}

static void end_recv(struct stream *s, int result)
{
	stream_done *done = s->recv_done;

	s->recv_done = NULL;
	done(s, result);
}

static void on_sealed(struct op *op, int result);

static void open_records(struct stream *s, struct slice in)
{
	struct buf plain = buf_over(s->service->plain, STREAM_PIECE_MAX);
	struct stream_out *out = take_out(s, false);
	enum tls_state state = tls_read(s->tls, &in, &plain, &out->buf);

	stream_out_now(s);
	s->over = state != TLS_OPEN;
	stream_hold(s, s->over ? slice_of(NULL, 0) : in);
	s->received = buf_slice(&plain);
	if (plain.len > 0)
		end_recv(s, (int)plain.len);
	else if (state == TLS_ENDED)
		end_recv(s, 0);
	else if (state == TLS_FAILED)
		end_recv(s, -EPROTO);
	else if (s->recv_cancelled)
		end_recv(s, -ECANCELED);
	else
		loop_recv(s->service->loop, &s->recv, s->fd, on_sealed);
}

static void on_sealed(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, recv);

	s->received = (struct slice){NULL, 0};
	if (result > 0)
		open_records(s, op->received);
	else /* an end that the peer did not announce may be anybody's */
		end_recv(s, result == 0 ? -ECONNRESET : result);
}

static void on_rest(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, recv);

	(void)result;
	open_records(s, stream_held(s));
}

void stream_tls_recv(struct stream *s)
{
	if (s->held == NULL && !s->over && !tls_pending(s->tls)) {
		loop_recv(s->service->loop, &s->recv, s->fd, on_sealed);
		return;
	}
	s->recv.done = on_rest;
	loop_defer(s->service->loop, &s->recv, 0);
}

static void end_send(struct stream *s, int result)
{
	stream_done *done = s->send_done;

	s->send_done = NULL;
	s->message = NULL;
	done(s, result);
}

static void on_send_over(struct op *op, int result)
{
	end_send(container_of(op, struct stream, send), result);
}

/* Ends it without being called from within the call that began it. */
static void defer_end(struct stream *s, int result)
{
	s->send.done = on_send_over;
	loop_defer(s->service->loop, &s->send, result);
}

static bool all_written(const struct stream *s)
{
	return s->iov_index == (size_t)s->message->msg_iovlen;
}

static void advance(struct stream *s, size_t len)
{
	s->iov_at += len;
	while (!all_written(s) &&
	       s->iov_at >= s->message->msg_iov[s->iov_index].iov_len) {
		s->iov_at -= s->message->msg_iov[s->iov_index].iov_len;
		s->iov_index++;
	}
}

static struct slice piece_of(const struct stream *s, size_t index, size_t at)
{
	const struct iovec *iov = &s->message->msg_iov[index];

	return slice_of((const uint8_t *)iov->iov_base + at, iov->iov_len - at);
}

/* The next bytes to send: where they lie, or, small pieces, gathered. */
static struct slice next_piece(struct stream *s)
{
	size_t count = (size_t)s->message->msg_iovlen;
	struct slice piece = piece_of(s, s->iov_index, s->iov_at);
	struct buf together = buf_over(s->service->gather, STREAM_PIECE_MAX);

	if (piece.len >= STREAM_PIECE_MAX || s->iov_index + 1 == count)
		return piece;
	for (size_t i = s->iov_index; i < count; i++) {
		piece = piece_of(s, i, i == s->iov_index ? s->iov_at : 0);
		if (piece.len > buf_left(&together))
			piece.len = buf_left(&together);
		if (piece.len > 0)
			buf_put(&together, piece);
	}
	return buf_slice(&together);
}

/* Records, as many as there is room for; false: TLS failed. */
static bool fill(struct stream *s, struct stream_out *out)
{
	struct buf room = out->buf;

	room.room -= PROTOCOL_ROOM;
	while (!all_written(s) && buf_left(&room) > 0) {
		struct slice piece = next_piece(s);
		size_t had = piece.len;

		if (tls_write(s->tls, &piece, &room) == TLS_FAILED)
			return false;
		if (piece.len == had)
			break;
		out->plain += had - piece.len;
		advance(s, had - piece.len);
	}
	out->buf.len = room.len;
	return true;
}

static void on_flushed(struct op *op, int result);

static void send_on(struct stream *s)
{
	size_t left = 0;

	for (size_t i = s->iov_index;
	     left <= RECORD_ROOM && i < (size_t)s->message->msg_iovlen; i++)
		left += s->message->msg_iov[i].iov_len;
	struct stream_out *out = take_out(s, left > RECORD_ROOM);

	if (out->buf.len < out->buf.room - PROTOCOL_ROOM && !fill(s, out)) {
		give_out(s);
		defer_end(s, -EPROTO);
	} else if (out->buf.len == 0) {
		give_out(s);
		defer_end(s, (int)s->sent);
	} else {
		stream_out_begin(s, on_flushed);
	}
}

static void on_flushed(struct op *op, int result)
{
	struct stream *s = container_of(op, struct stream, send);

	s->sent += s->out->plain;
	s->out->plain = 0;
	if (!stream_out_ended(s, result)) {
		/* Some of a record is worth nothing. */
		if (result >= 0)
			result = s->send_cancelled ? -ECANCELED : -EPIPE;
		end_send(s, result);
	} else if (all_written(s) && s->out == NULL) {
		end_send(s, (int)s->sent);
	} else if (s->send_cancelled) {
		give_out(s);
		end_send(s, -ECANCELED);
	} else {
		send_on(s);
	}
}

void stream_tls_send(struct stream *s)
{
	s->iov_index = 0;
	s->iov_at = 0;
	s->sent = 0;
	advance(s, 0);
	if (tls_state_of(s->tls) == TLS_FAILED)
		defer_end(s, -EPROTO);
	else
		send_on(s);
}

void stream_tls_notify(struct stream *s)
{
	tls_close_notify(s->tls, stream_out_take(s));
	stream_out_now(s);
}

void stream_tls_end(struct stream *s)
{
	stream_hold(s, slice_of(NULL, 0));
	give_out(s);
	tls_free(s->tls);
	s->tls = NULL;
	check(s->service->tls_count > 0);
	s->service->tls_count--;
}
