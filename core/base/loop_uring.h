/* loop_uring.h -- the ring's insides, shared by loop_uring.c and
 * loop_uring_ops.c alone. */
#ifndef CORE_BASE_LOOP_URING_H
#define CORE_BASE_LOOP_URING_H

#include <liburing.h>

#include "core/base/loop_backend.h"

#define LOOP_ENTRIES_DEFAULT 1024
#define LOOP_COMPLETIONS 8192
#define LOOP_CHAIN_MAX 16
#define LOOP_BUFFER_COUNT_DEFAULT 64
#define LOOP_BUFFER_GROUP 0
#define LOOP_TURN_COMPLETIONS_MAX 1024 /* then timers and submit come first */

enum op_kind { OP_OTHER = OP_KIND_OWN, OP_ACCEPT, OP_RECV };

struct loop_uring {
	struct loop base;
	struct io_uring ring;
	struct io_uring_buf_ring *buffer_ring; /* NULL = no receiving */
	uint8_t *buffers;
	unsigned buffer_count;
	bool chaining; /* what was begun last is chained to what comes next */
};

static inline struct loop_uring *loop_uring_of(struct loop *loop)
{
	return container_of(loop, struct loop_uring, base);
}

/* The functions of loop_uring_ops.c; the rest is the ring's own. */
extern const struct loop_calls loop_uring_calls;

/* Begins the operation of an OP_ACCEPT or OP_RECV (again); it is marked. */
void loop_uring_accept(struct loop *loop, struct op *op);
void loop_uring_recv(struct loop *loop, struct op *op);
void loop_uring_close_down(struct loop *loop);
void loop_uring_wait_and_run(struct loop *loop, uint64_t wait_ms);

#endif
