/* loop_backend.h -- what every implementation of loop.h shares: the clocks, the
 * timers, what was deferred, and the table of its own functions.  For the
 * loop*.c files alone. */
#ifndef CORE_BASE_LOOP_BACKEND_H
#define CORE_BASE_LOOP_BACKEND_H

#include "core/base/loop.h"

#define LOOP_WAIT_MAX_MS 60000
#define LOOP_BUFFER_LEN 16384

struct loop_calls {
	const char *name;
	void (*close_down)(struct loop *loop);
	/* Submits and waits: until something happened, at most wait_ms.  Reads
	 * the clocks afterwards and runs what completed. */
	void (*wait_and_run)(struct loop *loop, uint64_t wait_ms);
	void (*accept)(struct loop *loop, struct op *op);
	void (*connect)(
	    struct loop *loop, struct op *op, const union socket_address *to);
	void (*recv)(struct loop *loop, struct op *op);
	void (*send)(
	    struct loop *loop, struct op *op, const struct msghdr *message);
	void (*write)(struct loop *loop, struct op *op, const void *at,
	    size_t len, uint64_t offset, bool durable);
	void (*read)(struct loop *loop, struct op *op, void *at, size_t len,
	    uint64_t offset);
	void (*fdatasync)(struct loop *loop, struct op *op);
	void (*write_stream)(struct loop *loop, struct op *op, const void *at,
	    size_t len, bool chained);
	void (*poll)(struct loop *loop, struct op *op, int events);
	void (*cancel)(struct loop *loop, struct op *op);
	void (*submit)(struct loop *loop);
	void (*close)(struct loop *loop, int fd);
};

/* The first member of each implementation's own struct. */
struct loop {
	const struct loop_calls *calls;
	uint64_t now_ms;
	uint64_t wall_ms;
	struct op *deferred_first;
	struct op *deferred_last;
	struct timers timers;
};

/* op->kind of what was deferred; the implementations begin theirs after it. */
#define OP_DEFERRED 1u
#define OP_KIND_OWN 2u

/* Both open a loop or give back what they took; see loop_open. */
MUST_USE int loop_uring_open(
    struct loop **loop, const struct loop_options *options, const char **why);
MUST_USE int loop_epoll_open(
    struct loop **loop, const struct loop_options *options, const char **why);

void loop_init(struct loop *loop, const struct loop_calls *calls);
void loop_read_clocks(struct loop *loop);
/* Marks an operation as begun. */
static inline void loop_mark(
    struct op *op, unsigned kind, int fd, op_done *done)
{
	check(!op->busy);
	op->done = done;
	op->kind = (uint8_t)kind;
	op->fd = fd;
	op->busy = true;
}
/* The operation is over with this result, but done() runs later. */
void loop_end_later(struct loop *loop, struct op *op, int result);

#endif
