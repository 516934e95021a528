/* loop_ops.c -- one function an operation, for the loop on io_uring. */
#include <poll.h>

#include "core/base/loop_uring.h"

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

uint64_t loop_wall_s(const struct loop *loop)
{
	return loop->wall_ms / 1000;
}

uint64_t loop_wall_ms(const struct loop *loop)
{
	return loop->wall_ms;
}

struct timers *loop_timers(struct loop *loop)
{
	return &loop->timers;
}

void loop_defer(struct loop *loop, struct op *op, int result)
{
	check(!op->busy);
	op->busy = true;
	op->kind = OP_DEFERRED;
	op->result = result;
	op->next = NULL;
	if (loop->deferred_last == NULL)
		loop->deferred_first = op;
	else
		loop->deferred_last->next = op;
	loop->deferred_last = op;
}

void loop_arm_accept(struct loop *loop, struct op *op)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	io_uring_prep_multishot_accept(sqe, op->fd, NULL, NULL, SOCK_CLOEXEC);
	loop_begin(sqe, op, OP_ACCEPT, op->fd, op->done);
}

void loop_accept(struct loop *loop, struct op *op, int fd, op_done *done)
{
	check(!op->busy);
	op->fd = fd;
	op->done = done;
	loop_arm_accept(loop, op);
}

void loop_connect(struct loop *loop, struct op *op, int fd,
    const union socket_address *to, op_done *done)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);
	socklen_t len =
	    to->any.sa_family == AF_INET ? sizeof(to->v4) : sizeof(to->v6);

	io_uring_prep_connect(sqe, fd, &to->any, len);
	loop_begin(sqe, op, OP_OTHER, fd, done);
}

void loop_arm_recv(struct loop *loop, struct op *op)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	io_uring_prep_recv(sqe, op->fd, NULL, LOOP_BUFFER_LEN, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = LOOP_BUFFER_GROUP;
	loop_begin(sqe, op, OP_RECV, op->fd, op->done);
}

void loop_recv(struct loop *loop, struct op *op, int fd, op_done *done)
{
	check(!op->busy);
	check(loop->buffer_ring != NULL);
	op->fd = fd;
	op->done = done;
	loop_arm_recv(loop, op);
}

void loop_send(struct loop *loop, struct op *op, int fd,
    const struct msghdr *message, op_done *done)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	io_uring_prep_sendmsg(sqe, fd, message, MSG_NOSIGNAL | MSG_WAITALL);
	loop_begin(sqe, op, OP_OTHER, fd, done);
}

void loop_write(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, uint64_t offset, bool durable, op_done *done)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	check(len <= UINT32_MAX);
	io_uring_prep_write(sqe, fd, at, (unsigned)len, offset);
	if (durable)
		sqe->rw_flags = RWF_DSYNC;
	loop_begin(sqe, op, OP_OTHER, fd, done);
}

void loop_read(struct loop *loop, struct op *op, int fd, void *at, size_t len,
    uint64_t offset, op_done *done)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	check(len <= UINT32_MAX);
	io_uring_prep_read(sqe, fd, at, (unsigned)len, offset);
	loop_begin(sqe, op, OP_OTHER, fd, done);
}

void loop_fdatasync(struct loop *loop, struct op *op, int fd, op_done *done)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
	loop_begin(sqe, op, OP_OTHER, fd, done);
}

void loop_write_stream(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, bool chained, op_done *done)
{
	/* A chain ends where a submission does: it must fit in one. */
	if (!loop->chaining &&
	    io_uring_sq_space_left(&loop->ring) < LOOP_CHAIN_MAX)
		io_uring_submit(&loop->ring);
	loop->chaining = chained;
	struct io_uring_sqe *sqe = loop_sqe(loop);

	check(len <= UINT32_MAX);
	/* Offset -1: the file's own position, as write(2) has it. */
	io_uring_prep_write(sqe, fd, at, (unsigned)len, (uint64_t)-1);
	if (chained)
		sqe->flags |= IOSQE_IO_LINK;
	loop_begin(sqe, op, OP_OTHER, fd, done);
}

void loop_poll(
    struct loop *loop, struct op *op, int fd, int events, op_done *done)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	io_uring_prep_poll_add(sqe, fd, (unsigned)events);
	loop_begin(sqe, op, OP_OTHER, fd, done);
}

void loop_cancel(struct loop *loop, struct op *op)
{
	if (!op->busy || op->kind == OP_DEFERRED)
		return;
	struct io_uring_sqe *sqe = loop_sqe(loop);

	io_uring_prep_cancel(sqe, op, 0);
	io_uring_sqe_set_data(sqe, NULL);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void loop_submit(struct loop *loop)
{
	io_uring_submit(&loop->ring);
}

void loop_close(struct loop *loop, int fd)
{
	struct io_uring_sqe *sqe = loop_sqe(loop);

	check(fd >= 0);
	io_uring_prep_close(sqe, fd);
	io_uring_sqe_set_data(sqe, NULL);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}
