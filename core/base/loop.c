/* loop.c -- the loop, whichever implementation of it runs.
 *
 * A turn: submit and wait (at most until the next timer is due), run the done()
 * of what completed, then the timers, then what was deferred.  Deferred
 * operations that are added meanwhile wait for the next turn.
 *
 * io_uring (loop_uring.c) is the fast one.  Where it is forbidden, as in
 * Docker's default seccomp profile, epoll (loop_epoll.c) does the same. */
#include <errno.h>
#include <time.h>

#include "core/base/loop_backend.h"

static uint64_t clock_read_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void loop_read_clocks(struct loop *loop)
{
	loop->now_ms = clock_read_ms(CLOCK_MONOTONIC);
	loop->wall_ms = clock_read_ms(CLOCK_REALTIME);
}

void loop_init(struct loop *loop, const struct loop_calls *calls)
{
	loop->calls = calls;
	loop_read_clocks(loop);
	timers_init(&loop->timers, loop->now_ms);
}

static bool is_refused(int err)
{
	return err == -EPERM || err == -EACCES || err == -ENOSYS ||
	       err == -EINVAL;
}

int loop_open(
    struct loop **loop, const struct loop_options *options, const char **why)
{
	const char *epoll_why = "";

	*why = "";
	if (options->backend == LOOP_BACKEND_EPOLL)
		return loop_epoll_open(loop, options, why);
	int err = loop_uring_open(loop, options, why);

	if (!is_refused(err) || options->backend != LOOP_BACKEND_AUTO)
		return err;
	err = loop_epoll_open(loop, options, &epoll_why);
	if (err < 0)
		*why = epoll_why;
	return err;
}

const char *loop_name(const struct loop *loop)
{
	return loop->calls->name;
}

void loop_close_down(struct loop *loop)
{
	loop->calls->close_down(loop);
}

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

static void defer(struct loop *loop, struct op *op, int result)
{
	op->kind = OP_DEFERRED;
	op->result = result;
	op->next = NULL;
	if (loop->deferred_last == NULL)
		loop->deferred_first = op;
	else
		loop->deferred_last->next = op;
	loop->deferred_last = op;
}

void loop_end_later(struct loop *loop, struct op *op, int result)
{
	check(op->busy);
	op->received = (struct slice){NULL, 0};
	defer(loop, op, result);
}

void loop_defer(struct loop *loop, struct op *op, int result)
{
	check(!op->busy);
	op->busy = true;
	defer(loop, op, result);
}

static void run_deferred(struct loop *loop)
{
	struct op *op = loop->deferred_first;

	loop->deferred_first = NULL;
	loop->deferred_last = NULL;
	while (op != NULL) {
		struct op *next = op->next;

		op->busy = false;
		op->next = NULL;
		op->done(op, op->result);
		op = next;
	}
}

void loop_turn(struct loop *loop)
{
	uint64_t wait_ms =
	    loop->deferred_first != NULL
		? 0
		: timers_wait_ms(&loop->timers, LOOP_WAIT_MAX_MS);

	loop->calls->wait_and_run(loop, wait_ms);
	timers_run(&loop->timers, loop->now_ms);
	run_deferred(loop);
}

void loop_accept(struct loop *loop, struct op *op, int fd, op_done *done)
{
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->accept(loop, op);
}

void loop_connect(struct loop *loop, struct op *op, int fd,
    const union socket_address *to, op_done *done)
{
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->connect(loop, op, to);
}

void loop_recv(struct loop *loop, struct op *op, int fd, op_done *done)
{
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->recv(loop, op);
}

void loop_send(struct loop *loop, struct op *op, int fd,
    const struct msghdr *message, op_done *done)
{
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->send(loop, op, message);
}

void loop_write(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, uint64_t offset, bool durable, op_done *done)
{
	check(len <= UINT32_MAX);
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->write(loop, op, at, len, offset, durable);
}

void loop_read(struct loop *loop, struct op *op, int fd, void *at, size_t len,
    uint64_t offset, op_done *done)
{
	check(len <= UINT32_MAX);
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->read(loop, op, at, len, offset);
}

void loop_fdatasync(struct loop *loop, struct op *op, int fd, op_done *done)
{
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->fdatasync(loop, op);
}

void loop_write_stream(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, bool chained, op_done *done)
{
	check(len <= UINT32_MAX);
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->write_stream(loop, op, at, len, chained);
}

void loop_poll(
    struct loop *loop, struct op *op, int fd, int events, op_done *done)
{
	loop_mark(op, OP_KIND_OWN, fd, done);
	loop->calls->poll(loop, op, events);
}

void loop_cancel(struct loop *loop, struct op *op)
{
	if (op->busy && op->kind != OP_DEFERRED)
		loop->calls->cancel(loop, op);
}

void loop_submit(struct loop *loop)
{
	loop->calls->submit(loop);
}

void loop_close(struct loop *loop, int fd)
{
	check(fd >= 0);
	loop->calls->close(loop, fd);
}
