/* loop_uring.c -- the loop on io_uring: the ring, a turn, dispatch.
 *
 * One ring a process, made by the thread that uses it.  SINGLE_ISSUER and
 * DEFER_TASKRUN make the kernel complete work only while we wait for it, which
 * is what makes io_uring cheaper than epoll; kernels without them (before 6.1)
 * get COOP_TASKRUN.
 *
 * What was begun since the last turn is submitted together, by the call that
 * waits; completions are taken off the ring in batches.
 *
 * Receive buffers belong to the ring and go back to it when done() returns, so
 * an idle connection has none and the kernel rarely runs out.  When it does
 * (-ENOBUFS) the receive is begun again: by then buffers are back.
 *
 * Must hold: an operation's user_data is its address or 0 (nobody waits);
 * whoever owns it keeps it until done() ran. */
#include "core/base/loop_uring.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>

static void *map_zeroed(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

static int try_ring(
    struct io_uring *ring, unsigned flags, unsigned entries, unsigned cq)
{
	struct io_uring_params params = {
	    .flags = flags | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE |
		     IORING_SETUP_CLAMP,
	    .cq_entries = cq,
	};

	return io_uring_queue_init_params(entries, ring, &params);
}

/* From the richest set of flags down: probe, do not compare versions, since
 * distributions backport.  Where locked memory is short (ulimit -l) a smaller
 * ring does, too. */
static int open_ring(struct io_uring *ring, unsigned entries)
{
	static const unsigned flags[] = {
	    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN,
	};
	int err = -EINVAL;

	for (size_t i = 0; i < COUNT(flags) && err == -EINVAL; i++) {
		err = try_ring(ring, flags[i], entries, LOOP_COMPLETIONS);
		if (err == -ENOMEM)
			err = try_ring(
			    ring, flags[i], entries / 8, LOOP_COMPLETIONS / 8);
	}
	return err;
}

static const char *why_no_ring(int err)
{
	if (err == -EPERM)
		return "io_uring is forbidden here (a seccomp profile, or "
		       "sysctl kernel.io_uring_disabled): allow "
		       "io_uring_setup, "
		       "io_uring_enter and io_uring_register";
	if (err == -ENOSYS)
		return "this kernel has no io_uring: Linux 6.1 or newer is "
		       "needed";
	if (err == -EINVAL)
		return "this kernel's io_uring is too old: Linux 6.1 or newer "
		       "is needed";
	if (err == -ENOMEM)
		return "no memory for io_uring (look at ulimit -l and the "
		       "memory limit)";
	if (err == -EMFILE || err == -ENFILE)
		return "no file descriptor left for io_uring (ulimit -n)";
	return "io_uring cannot be set up";
}

/* liburing 2.3 has no io_uring_setup_buf_ring yet. */
static int open_buffers(struct loop_uring *loop, unsigned count)
{
	size_t ring_len = count * sizeof(struct io_uring_buf);

	check(count > 0 && (count & (count - 1)) == 0);
	loop->buffer_ring = map_zeroed(ring_len);
	if (loop->buffer_ring == NULL)
		return -ENOMEM;
	loop->buffers = map_zeroed((size_t)count * LOOP_BUFFER_LEN);
	if (loop->buffers == NULL)
		goto unmap_ring;
	struct io_uring_buf_reg reg = {
	    .ring_addr = (uint64_t)(uintptr_t)loop->buffer_ring,
	    .ring_entries = count,
	    .bgid = LOOP_BUFFER_GROUP,
	};
	int err = io_uring_register_buf_ring(&loop->ring, &reg, 0);
	if (err < 0)
		goto unmap_buffers;
	loop->buffer_count = count;
	io_uring_buf_ring_init(loop->buffer_ring);
	for (unsigned i = 0; i < count; i++)
		io_uring_buf_ring_add(loop->buffer_ring,
		    loop->buffers + (size_t)i * LOOP_BUFFER_LEN,
		    LOOP_BUFFER_LEN, (unsigned short)i,
		    io_uring_buf_ring_mask(count), (int)i);
	io_uring_buf_ring_advance(loop->buffer_ring, (int)count);
	return 0;
unmap_buffers:
	munmap(loop->buffers, (size_t)count * LOOP_BUFFER_LEN);
	munmap(loop->buffer_ring, ring_len);
	loop->buffer_ring = NULL;
	return err;
unmap_ring:
	munmap(loop->buffer_ring, ring_len);
	loop->buffer_ring = NULL;
	return -ENOMEM;
}

int loop_uring_open(
    struct loop **loop, const struct loop_options *options, const char **why)
{
	struct loop_uring *l = map_zeroed(sizeof(*l));
	unsigned entries =
	    options->entries > 0 ? options->entries : LOOP_ENTRIES_DEFAULT;
	unsigned buffer_count = options->buffer_count > 0
				    ? options->buffer_count
				    : LOOP_BUFFER_COUNT_DEFAULT;

	if (l == NULL) {
		*why = "no memory for the loop";
		return -ENOMEM;
	}
	int err = open_ring(&l->ring, entries);
	if (err < 0) {
		*why = why_no_ring(err);
		goto unmap;
	}
	/* One lookup of the ring's descriptor less in each call; optional. */
	(void)io_uring_register_ring_fd(&l->ring);
	if (!options->without_recv) {
		err = open_buffers(l, buffer_count);
		if (err < 0) {
			*why = why_no_ring(err);
			goto exit_ring;
		}
	}
	loop_init(&l->base, &loop_uring_calls);
	*loop = &l->base;
	return 0;
exit_ring:
	io_uring_queue_exit(&l->ring);
unmap:
	munmap(l, sizeof(*l));
	return err;
}

void loop_uring_close_down(struct loop *base)
{
	struct loop_uring *loop = loop_uring_of(base);

	io_uring_queue_exit(&loop->ring);
	if (loop->buffer_ring != NULL) {
		munmap(loop->buffer_ring,
		    loop->buffer_count * sizeof(struct io_uring_buf));
		munmap(loop->buffers,
		    (size_t)loop->buffer_count * LOOP_BUFFER_LEN);
	}
	munmap(loop, sizeof(*loop));
}

static void accepted(
    struct loop_uring *loop, struct op *op, int result, bool more)
{
	if (!more) {
		/* The kernel ended the multishot though nothing is wrong with
		 * it: nobody above need know. */
		if (result >= 0 || result == -ECONNABORTED || result == -EINTR)
			loop_uring_accept(&loop->base, op);
		else
			op->busy = false;
	}
	if (result == -ECONNABORTED || result == -EINTR)
		return;
	op->done(op, result);
}

static void received(
    struct loop_uring *loop, struct op *op, int result, uint32_t flags)
{
	if (result == -ENOBUFS) {
		loop_uring_recv(&loop->base, op);
		return;
	}
	op->busy = false;
	op->received = (struct slice){NULL, 0};
	if ((flags & IORING_CQE_F_BUFFER) == 0) {
		op->done(op, result);
		return;
	}
	unsigned id = flags >> IORING_CQE_BUFFER_SHIFT;
	uint8_t *buffer = loop->buffers + (size_t)id * LOOP_BUFFER_LEN;

	check(id < loop->buffer_count);
	if (result > 0)
		op->received = slice_of(buffer, (size_t)result);
	op->done(op, result);
	io_uring_buf_ring_add(loop->buffer_ring, buffer, LOOP_BUFFER_LEN,
	    (unsigned short)id, io_uring_buf_ring_mask(loop->buffer_count), 0);
	io_uring_buf_ring_advance(loop->buffer_ring, 1);
}

struct completion {
	struct op *op;
	int result;
	uint32_t flags;
};

static void dispatch(struct loop_uring *loop, const struct completion *c)
{
	struct op *op = c->op;

	if (op == NULL)
		return;
	check(op->busy);
	switch ((enum op_kind)op->kind) {
	case OP_ACCEPT:
		accepted(loop, op, c->result, c->flags & IORING_CQE_F_MORE);
		return;
	case OP_RECV: received(loop, op, c->result, c->flags); return;
	case OP_OTHER:
		op->busy = false;
		op->done(op, c->result);
		return;
	}
}

static void run_completions(struct loop_uring *loop)
{
	struct io_uring_cqe *ready[64];
	struct completion batch[64];
	unsigned total = 0;

	while (total < LOOP_TURN_COMPLETIONS_MAX) {
		unsigned count =
		    io_uring_peek_batch_cqe(&loop->ring, ready, COUNT(ready));

		if (count == 0)
			return;
		for (unsigned i = 0; i < count; i++)
			batch[i] = (struct completion){
			    .op = io_uring_cqe_get_data(ready[i]),
			    .result = ready[i]->res,
			    .flags = ready[i]->flags,
			};
		io_uring_cq_advance(&loop->ring, count);
		for (unsigned i = 0; i < count; i++)
			dispatch(loop, &batch[i]);
		total += count;
	}
}

void loop_uring_wait_and_run(struct loop *base, uint64_t wait_ms)
{
	struct loop_uring *loop = loop_uring_of(base);

	if (wait_ms == 0) {
		io_uring_submit_and_get_events(&loop->ring);
	} else {
		struct io_uring_cqe *first;
		struct __kernel_timespec timeout = {
		    .tv_sec = (long long)(wait_ms / 1000),
		    .tv_nsec = (long long)(wait_ms % 1000) * 1000000,
		};
		io_uring_submit_and_wait_timeout(
		    &loop->ring, &first, 1, &timeout, NULL);
	}
	loop_read_clocks(base);
	run_completions(loop);
}
