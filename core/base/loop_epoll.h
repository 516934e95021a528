/* loop_epoll.h -- the insides of the loop on epoll, shared by loop_epoll.c and
 * loop_epoll_ops.c alone. */
#ifndef CORE_BASE_LOOP_EPOLL_H
#define CORE_BASE_LOOP_EPOLL_H

#include "core/base/loop_backend.h"
#include "core/base/loop_threads.h"

enum epoll_op_kind {
	EPOLL_ACCEPT = OP_KIND_OWN,
	EPOLL_CONNECT,
	EPOLL_RECV,
	EPOLL_SEND,
	EPOLL_POLL,
	EPOLL_FILE,
};

enum watch_mode {
	WATCH_NONE,   /* epoll does not know the descriptor */
	WATCH_STREAM, /* edge-triggered, for good: may_read, may_write */
	WATCH_POLL,   /* one event, then it must be asked for again */
};

/* What is known of a descriptor; by its number. */
struct watched {
	struct op *reader; /* ACCEPT, RECV or POLL; NULL = none */
	struct op *writer; /* CONNECT or SEND */
	const struct msghdr *message;
	size_t sent;
	struct watched *next; /* loop->tries */
	uint8_t mode;
	bool queued;	/* on loop->tries */
	bool may_read;	/* try, do not wait */
	bool may_write; /* likewise */
	bool hung_up;	/* no further edge will come */
};

struct loop_epoll {
	struct loop base;
	int epoll_fd;
	struct loop_threads *threads;
	struct watched *watched;
	unsigned watched_max;
	struct watched *tries_first; /* with something that may be done now */
	struct watched *tries_last;
	uint8_t *buffer; /* LOOP_BUFFER_LEN: what recv's done() looks at */
};

static inline struct loop_epoll *loop_epoll_of(struct loop *loop)
{
	return container_of(loop, struct loop_epoll, base);
}

extern const struct loop_calls loop_epoll_calls;
void loop_epoll_close_down(struct loop *loop);
void loop_epoll_wait_and_run(struct loop *loop, uint64_t wait_ms);

static inline int watched_fd(
    const struct loop_epoll *loop, const struct watched *w)
{
	return (int)(w - loop->watched);
}

/* The descriptor's place; NULL: its number is too high. */
struct watched *loop_epoll_watched(struct loop_epoll *loop, int fd);
/* Tells epoll of it; 0 or -errno. */
MUST_USE int loop_epoll_watch(struct loop_epoll *loop, struct watched *w,
    enum watch_mode mode, uint32_t events);
void loop_epoll_unwatch(struct loop_epoll *loop, struct watched *w);
/* In this or the next turn it is tried. */
void loop_epoll_try(struct loop_epoll *loop, struct watched *w);

#endif
