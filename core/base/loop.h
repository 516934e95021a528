/* loop.h -- the seam to the kernel: everything that may wait is begun here.
 *
 * An operation is a `struct op` inside the object that began it.  From the call
 * until done() runs, the kernel owns the operation and the memory it was given;
 * the object must outlive that, whether the operation was cancelled or not.
 * done() always runs in a later part of loop_turn(), never inside the call that
 * began the operation, not even for errors.  A cancelled operation completes
 * with -ECANCELED (or with its result, when it was quicker).
 *
 * Results are what the system call would return, or -errno.
 *
 * io_uring implements it (loop_uring.c), or epoll where io_uring is forbidden
 * (loop_epoll.c); nothing above this header knows which. */
#ifndef CORE_BASE_LOOP_H
#define CORE_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/check.h"
#include "core/base/slice.h"
#include "core/base/socket_address.h"
#include "core/base/timer.h"

struct loop;
struct op;

typedef void op_done(struct op *op, int result);

struct op {
	op_done *done;
	struct slice received; /* recv: the bytes; valid inside done() only */
	bool busy;	       /* begun and not yet done */
	/* private: the loop's */
	uint8_t kind;
	int fd;
	int result;
	struct op *next; /* deferred list */
};

enum loop_backend {
	LOOP_BACKEND_AUTO, /* io_uring, or epoll where that is refused */
	LOOP_BACKEND_IO_URING,
	LOOP_BACKEND_EPOLL,
};

struct loop_options {
	enum loop_backend backend;
	unsigned entries; /* submission queue; 0 = default */
	unsigned
	    buffer_count;  /* receive buffers, a power of two; 0 = default */
	bool without_recv; /* no receive buffers (tools) */
};

/* Makes the loop of this process (after fork: the ring belongs to the thread).
 * On failure returns -errno; `why` then points to a static sentence for the
 * operator (io_uring missing, forbidden by seccomp or sysctl, ...).  On success
 * with AUTO and epoll it says why io_uring could not be used; else it is "". */
MUST_USE int loop_open(
    struct loop **loop, const struct loop_options *options, const char **why);
void loop_close_down(struct loop *loop);
/* "io_uring" or "epoll". */
const char *loop_name(const struct loop *loop);

/* One turn: submits what was begun, waits until something happens or the next
 * timer is due, runs done() of each completion and the timers that are due. */
void loop_turn(struct loop *loop);

/* Milliseconds of a clock that never jumps (CLOCK_MONOTONIC) and seconds since
 * 1970; both read once a turn.  loop_wall_ms is CLOCK_REALTIME in ms. */
uint64_t loop_now_ms(const struct loop *loop);
uint64_t loop_wall_s(const struct loop *loop);
uint64_t loop_wall_ms(const struct loop *loop);

/* The wheel on which everybody's timers hang (timer.h). */
struct timers *loop_timers(struct loop *loop);

/* Runs done(op, result) in the next turn. */
void loop_defer(struct loop *loop, struct op *op, int result);

/* Accepts connections until cancelled: done() runs once for each with the new
 * descriptor (>= 0), and may run with -EMFILE and the like; op->busy stays true
 * until the operation ended for good (then the result is negative and op->busy
 * is false).  New sockets are close-on-exec. */
void loop_accept(struct loop *loop, struct op *op, int fd, op_done *done);

void loop_connect(struct loop *loop, struct op *op, int fd,
    const union socket_address *to, op_done *done);

/* Receives into a buffer of the loop that is taken only when bytes are there;
 * op->received holds them inside done().  0 = the peer has sent all it will. */
void loop_recv(struct loop *loop, struct op *op, int fd, op_done *done);

/* Sends all of it (fewer only with an error).  The bytes and the iovec array
 * must stay until done(). */
void loop_send(struct loop *loop, struct op *op, int fd,
    const struct msghdr *message, op_done *done);

/* File I/O at an offset.  `durable` = the bytes are on stable storage when it
 * completes (RWF_DSYNC).  May be short. */
void loop_write(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, uint64_t offset, bool durable, op_done *done);
void loop_read(struct loop *loop, struct op *op, int fd, void *at, size_t len,
    uint64_t offset, op_done *done);
void loop_fdatasync(struct loop *loop, struct op *op, int fd, op_done *done);

/* Writes to a stream (pipe, terminal, log file), without an offset.  `chained`:
 * the operation begun next starts when this one has written all, and completes
 * with -ECANCELED when it has not.  At most 16 make a chain. */
void loop_write_stream(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, bool chained, op_done *done);

/* Waits once until the descriptor is ready; `events` and the result are those
 * of poll(2). */
void loop_poll(
    struct loop *loop, struct op *op, int fd, int events, op_done *done);

/* Asks the kernel to end a busy operation soon; harmless on one that is not
 * busy.  done() runs all the same. */
void loop_cancel(struct loop *loop, struct op *op);

/* Submits at once what was begun so far (libunbound closes sockets itself). */
void loop_submit(struct loop *loop);

/* Closes a descriptor after everything begun on it before; no done(). */
void loop_close(struct loop *loop, int fd);

#endif
