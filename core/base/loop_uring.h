/* loop_uring.h -- the ring's insides, shared by loop_uring.c and loop_ops.c
 * alone. */
#ifndef CORE_BASE_LOOP_URING_H
#define CORE_BASE_LOOP_URING_H

#include <liburing.h>

#include "core/base/loop.h"

#define LOOP_ENTRIES_DEFAULT 1024
#define LOOP_COMPLETIONS 8192
#define LOOP_CHAIN_MAX 16
#define LOOP_BUFFER_COUNT_DEFAULT 64
#define LOOP_BUFFER_LEN 16384
#define LOOP_BUFFER_GROUP 0
#define LOOP_TURN_COMPLETIONS_MAX 1024 /* then timers and submit come first */
#define LOOP_WAIT_MAX_MS 60000

enum op_kind { OP_OTHER, OP_ACCEPT, OP_RECV, OP_DEFERRED };

struct loop {
	struct io_uring ring;
	uint64_t now_ms;
	uint64_t wall_ms;
	struct op *deferred_first;
	struct op *deferred_last;
	struct io_uring_buf_ring *buffer_ring; /* NULL = no receiving */
	uint8_t *buffers;
	unsigned buffer_count;
	bool chaining; /* what was begun last is chained to what comes next */
	struct timers timers;
};

/* The only way to an SQE: flushes a full queue, never fails. */
struct io_uring_sqe *loop_sqe(struct loop *loop);
/* Marks the operation as begun and ties it to the SQE. */
void loop_begin(struct io_uring_sqe *sqe, struct op *op, enum op_kind kind,
    int fd, op_done *done);
/* Begins the operation of an OP_ACCEPT or OP_RECV (again). */
void loop_arm_accept(struct loop *loop, struct op *op);
void loop_arm_recv(struct loop *loop, struct op *op);

#endif
