/* loop_epoll_ops.c -- one function an operation, for the loop on epoll. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/base/loop_epoll.h"

/* The descriptor's place, known to epoll as a stream; NULL: the operation ended
 * with the reason. */
static struct watched *stream_of(struct loop *base, struct op *op)
{
	struct loop_epoll *loop = loop_epoll_of(base);
	struct watched *w = loop_epoll_watched(loop, op->fd);
	int err = -EMFILE;

	if (w != NULL && w->mode != WATCH_STREAM) {
		w->may_read = true;
		w->may_write = true;
		w->hung_up = false;
		err = loop_epoll_watch(loop, w, WATCH_STREAM,
		    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	} else if (w != NULL) {
		err = 0;
	}
	if (err == 0)
		return w;
	loop_end_later(base, op, err);
	return NULL;
}

static void begin_reading(
    struct loop *base, struct op *op, enum epoll_op_kind kind)
{
	struct watched *w = stream_of(base, op);

	if (w == NULL)
		return;
	check(w->reader == NULL);
	op->kind = (uint8_t)kind;
	w->reader = op;
	if (w->may_read)
		loop_epoll_try(loop_epoll_of(base), w);
}

static void begin_recv(struct loop *base, struct op *op)
{
	begin_reading(base, op, EPOLL_RECV);
}

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && (flags & O_NONBLOCK) == 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void begin_accept(struct loop *base, struct op *op)
{
	set_nonblocking(op->fd);
	begin_reading(base, op, EPOLL_ACCEPT);
}

static void begin_connect(
    struct loop *base, struct op *op, const union socket_address *to)
{
	socklen_t len =
	    to->any.sa_family == AF_INET ? sizeof(to->v4) : sizeof(to->v6);

	set_nonblocking(op->fd);
	if (connect(op->fd, &to->any, len) == 0) {
		loop_end_later(base, op, 0);
		return;
	}
	if (errno != EINPROGRESS) {
		loop_end_later(base, op, -errno);
		return;
	}
	struct watched *w = stream_of(base, op);

	if (w == NULL)
		return;
	check(w->writer == NULL);
	op->kind = EPOLL_CONNECT;
	w->writer = op;
	w->may_write = false;
}

static void begin_send(
    struct loop *base, struct op *op, const struct msghdr *message)
{
	struct watched *w = stream_of(base, op);

	if (w == NULL)
		return;
	check(w->writer == NULL);
	op->kind = EPOLL_SEND;
	w->writer = op;
	w->message = message;
	w->sent = 0;
	if (w->may_write)
		loop_epoll_try(loop_epoll_of(base), w);
}

/* `job` but for its operation. */
static void begin_file(struct loop *base, struct op *op, struct file_job job)
{
	struct loop_epoll *loop = loop_epoll_of(base);

	op->kind = EPOLL_FILE;
	job.op = op;
	job.fd = op->fd;
	int err = loop_threads_begin(loop->threads, &job);

	/* More than there is room for, as with the shards of many workers in
	 * one: a write that only has to wait must not look like a bad disk. */
	if (err == -EAGAIN && job.kind != JOB_STREAM)
		loop_end_later(base, op, loop_threads_run_now(&job));
	else if (err < 0)
		loop_end_later(base, op, err);
}

static void begin_write(struct loop *base, struct op *op, const void *at,
    size_t len, uint64_t offset, bool durable)
{
	begin_file(base, op,
	    (struct file_job){
		.kind = JOB_WRITE,
		.at = (void *)(uintptr_t)at,
		.len = len,
		.offset = offset,
		.durable = durable,
	    });
}

static void begin_read(
    struct loop *base, struct op *op, void *at, size_t len, uint64_t offset)
{
	begin_file(base, op,
	    (struct file_job){
		.kind = JOB_READ,
		.at = at,
		.len = len,
		.offset = offset,
	    });
}

static void begin_fdatasync(struct loop *base, struct op *op)
{
	begin_file(base, op, (struct file_job){.kind = JOB_FDATASYNC});
}

static void begin_write_stream(
    struct loop *base, struct op *op, const void *at, size_t len, bool chained)
{
	begin_file(base, op,
	    (struct file_job){
		.kind = JOB_STREAM,
		.at = (void *)(uintptr_t)at,
		.len = len,
		.chained = chained,
	    });
}

static void begin_poll(struct loop *base, struct op *op, int events)
{
	struct loop_epoll *loop = loop_epoll_of(base);
	struct watched *w = loop_epoll_watched(loop, op->fd);

	if (w == NULL) {
		loop_end_later(base, op, -EMFILE);
		return;
	}
	check(w->reader == NULL);
	op->kind = EPOLL_POLL;
	int err = loop_epoll_watch(
	    loop, w, WATCH_POLL, (uint32_t)events | EPOLLONESHOT);

	if (err < 0)
		loop_end_later(base, op, err);
	else
		w->reader = op;
}

static void cancel(struct loop *base, struct op *op)
{
	struct loop_epoll *loop = loop_epoll_of(base);
	struct watched *w;

	if (op->kind == EPOLL_FILE) {
		if (loop_threads_cancel(loop->threads, op))
			loop_end_later(base, op, -ECANCELED);
		return;
	}
	w = loop_epoll_watched(loop, op->fd);
	if (op == w->reader)
		w->reader = NULL;
	else if (op == w->writer)
		w->writer = NULL;
	if (op->kind == EPOLL_POLL)
		loop_epoll_unwatch(loop, w);
	loop_end_later(base, op, -ECANCELED);
}

/* Whatever is begun is begun at once. */
static void submit(struct loop *base)
{
	(void)base;
}

static void close_now(struct loop *base, int fd)
{
	struct loop_epoll *loop = loop_epoll_of(base);
	struct watched *w = loop_epoll_watched(loop, fd);

	if (w != NULL) {
		if (w->reader != NULL)
			cancel(base, w->reader);
		if (w->writer != NULL)
			cancel(base, w->writer);
		/* Also when other processes still have it. */
		loop_epoll_unwatch(loop, w);
	}
	close(fd);
}

const struct loop_calls loop_epoll_calls = {
    .name = "epoll",
    .close_down = loop_epoll_close_down,
    .wait_and_run = loop_epoll_wait_and_run,
    .accept = begin_accept,
    .connect = begin_connect,
    .recv = begin_recv,
    .send = begin_send,
    .write = begin_write,
    .read = begin_read,
    .fdatasync = begin_fdatasync,
    .write_stream = begin_write_stream,
    .poll = begin_poll,
    .cancel = cancel,
    .submit = submit,
    .close = close_now,
};
