/* loop_uring_ops.c -- one function an operation, for the loop on io_uring. */
#include <poll.h>

#include "core/base/loop_uring.h"

/* The only way to an SQE: flushes a full queue, never fails. */
static struct io_uring_sqe *next_sqe(struct loop *base)
{
	struct loop_uring *loop = loop_uring_of(base);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&loop->ring);

	while (sqe == NULL) {
		io_uring_submit(&loop->ring);
		sqe = io_uring_get_sqe(&loop->ring);
	}
	return sqe;
}

/* Ties the operation to the SQE. */
static void tie(struct io_uring_sqe *sqe, struct op *op, enum op_kind kind)
{
	op->kind = (uint8_t)kind;
	io_uring_sqe_set_data(sqe, op);
}

void loop_uring_accept(struct loop *loop, struct op *op)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_multishot_accept(sqe, op->fd, NULL, NULL, SOCK_CLOEXEC);
	tie(sqe, op, OP_ACCEPT);
}

static void begin_connect(
    struct loop *loop, struct op *op, const union socket_address *to)
{
	struct io_uring_sqe *sqe = next_sqe(loop);
	socklen_t len =
	    to->any.sa_family == AF_INET ? sizeof(to->v4) : sizeof(to->v6);

	io_uring_prep_connect(sqe, op->fd, &to->any, len);
	tie(sqe, op, OP_OTHER);
}

void loop_uring_recv(struct loop *loop, struct op *op)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	check(loop_uring_of(loop)->buffer_ring != NULL);
	io_uring_prep_recv(sqe, op->fd, NULL, LOOP_BUFFER_LEN, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = LOOP_BUFFER_GROUP;
	/* The answer to what we have just sent is not here yet: to look for it
	 * first is a call in vain.  It is when the last buffer was full. */
	if (op->received.len < LOOP_BUFFER_LEN)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
	tie(sqe, op, OP_RECV);
}

static void begin_send(
    struct loop *loop, struct op *op, const struct msghdr *message)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_sendmsg(sqe, op->fd, message, MSG_NOSIGNAL | MSG_WAITALL);
	tie(sqe, op, OP_OTHER);
}

static void begin_write(struct loop *loop, struct op *op, const void *at,
    size_t len, uint64_t offset, bool durable)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_write(sqe, op->fd, at, (unsigned)len, offset);
	if (durable)
		sqe->rw_flags = RWF_DSYNC;
	tie(sqe, op, OP_OTHER);
}

static void begin_read(
    struct loop *loop, struct op *op, void *at, size_t len, uint64_t offset)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_read(sqe, op->fd, at, (unsigned)len, offset);
	tie(sqe, op, OP_OTHER);
}

static void begin_fdatasync(struct loop *loop, struct op *op)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC);
	tie(sqe, op, OP_OTHER);
}

static void begin_write_stream(
    struct loop *base, struct op *op, const void *at, size_t len, bool chained)
{
	struct loop_uring *loop = loop_uring_of(base);

	/* A chain ends where a submission does: it must fit in one. */
	if (!loop->chaining &&
	    io_uring_sq_space_left(&loop->ring) < LOOP_CHAIN_MAX)
		io_uring_submit(&loop->ring);
	loop->chaining = chained;
	struct io_uring_sqe *sqe = next_sqe(base);

	/* Offset -1: the file's own position, as write(2) has it. */
	io_uring_prep_write(sqe, op->fd, at, (unsigned)len, (uint64_t)-1);
	if (chained)
		sqe->flags |= IOSQE_IO_LINK;
	tie(sqe, op, OP_OTHER);
}

static void begin_poll(struct loop *loop, struct op *op, int events)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_poll_add(sqe, op->fd, (unsigned)events);
	tie(sqe, op, OP_OTHER);
}

static void cancel(struct loop *loop, struct op *op)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_cancel(sqe, op, 0);
	io_uring_sqe_set_data(sqe, NULL);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void submit(struct loop *loop)
{
	io_uring_submit(&loop_uring_of(loop)->ring);
}

static void close_later(struct loop *loop, int fd)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_close(sqe, fd);
	io_uring_sqe_set_data(sqe, NULL);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

const struct loop_calls loop_uring_calls = {
    .name = "io_uring",
    .close_down = loop_uring_close_down,
    .wait_and_run = loop_uring_wait_and_run,
    .accept = loop_uring_accept,
    .connect = begin_connect,
    .recv = loop_uring_recv,
    .send = begin_send,
    .write = begin_write,
    .read = begin_read,
    .fdatasync = begin_fdatasync,
    .write_stream = begin_write_stream,
    .poll = begin_poll,
    .cancel = cancel,
    .submit = submit,
    .close = close_later,
};
