/* fake_loop.c -- a loop with a clock and a disk of its own, from a seed. */
#include "tests/support/fake_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/rng.h"

#define PENDING_MAX 256
#define SECTOR 512

enum kind { READ, WRITE, SYNC };

struct pending {
	struct op *op;
	enum kind kind;
	int fd;
	uint8_t *at;
	size_t len;
	uint64_t offset;
	bool durable;
	uint64_t serial;
	unsigned turns;
};

/* What a write that is not durable has replaced. */
struct undo {
	struct undo *next;
	dev_t device;
	ino_t inode;
	char path[64];
	uint64_t serial;
	uint64_t offset;
	size_t len;
	int fd; /* a descriptor of our own, not direct */
	uint8_t old[];
};

struct loop {
	struct rng rng;
	uint64_t now_ms;
	uint64_t wall_ms;
	struct op *deferred_first;
	struct op *deferred_last;
	struct pending pending[PENDING_MAX];
	size_t pending_count;
	struct undo *undo; /* newest first */
	uint64_t serial;
	uint64_t write_count;
	unsigned fail_one_in;
	bool broken;
	struct timers timers;
};

struct loop *fake_loop_open(uint64_t seed, uint64_t wall_s)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	loop->rng.state = seed;
	loop->now_ms = 1000;
	loop->wall_ms = wall_s * 1000;
	timers_init(&loop->timers, loop->now_ms);
	return loop;
}

static void undo_free(struct undo *u)
{
	close(u->fd);
	free(u);
}

void fake_loop_close(struct loop *loop)
{
	while (loop->undo != NULL) {
		struct undo *next = loop->undo->next;

		undo_free(loop->undo);
		loop->undo = next;
	}
	free(loop);
}

void fake_loop_fail(struct loop *loop, unsigned one_in)
{
	loop->fail_one_in = one_in;
}

void fake_loop_break(struct loop *loop, bool broken)
{
	loop->broken = broken;
}

uint64_t fake_loop_writes(const struct loop *loop)
{
	return loop->write_count;
}

/* The same file without O_DIRECT, for odd offsets. */
static int reopen(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int own = open(path, O_RDWR | O_CLOEXEC);

	check(own >= 0);
	return own;
}

static void remember(struct loop *loop, const struct pending *p)
{
	struct undo *u = calloc(1, sizeof(*u) + p->len);
	struct stat facts;

	u->fd = reopen(p->fd);
	check(fstat(u->fd, &facts) == 0);
	u->device = facts.st_dev;
	u->inode = facts.st_ino;
	u->serial = loop->serial++;
	u->offset = p->offset;
	u->len = p->len;
	check(pread(u->fd, u->old, p->len, (off_t)p->offset) >= 0);
	u->next = loop->undo;
	loop->undo = u;
}

static void synced(struct loop *loop, const struct pending *p)
{
	struct stat facts;

	check(fstat(p->fd, &facts) == 0);
	for (struct undo **at = &loop->undo; *at != NULL;) {
		struct undo *u = *at;

		if (u->inode == facts.st_ino && u->device == facts.st_dev &&
		    u->serial < p->serial) {
			*at = u->next;
			undo_free(u);
		} else {
			at = &u->next;
		}
	}
}

/* Some sectors of what was being written, or none. */
static void tear(struct loop *loop, const struct pending *p)
{
	int fd = reopen(p->fd);
	uint64_t how = rng_below(&loop->rng, 4);

	for (size_t at = 0; how != 0 && at < p->len; at += SECTOR) {
		if (how == 1 && rng_below(&loop->rng, 2) == 0)
			continue;
		if (how == 2 && rng_below(&loop->rng, 20) == 0)
			break;
		size_t len = p->len - at < SECTOR ? p->len - at : SECTOR;

		check(pwrite(fd, p->at + at, len, (off_t)(p->offset + at)) ==
		      (ssize_t)len);
	}
	close(fd);
}

void fake_loop_crash(struct loop *loop)
{
	for (size_t i = 0; i < loop->pending_count; i++)
		if (loop->pending[i].kind == WRITE)
			tear(loop, &loop->pending[i]);
	for (struct undo *u = loop->undo; u != NULL; u = u->next)
		for (size_t at = 0; at < u->len; at += SECTOR)
			if (rng_below(&loop->rng, 3) == 0)
				check(pwrite(u->fd, u->old + at,
					  u->len - at < SECTOR ? u->len - at
							       : SECTOR,
					  (off_t)(u->offset + at)) > 0);
	loop->pending_count = 0;
	loop->deferred_first = NULL;
	loop->deferred_last = NULL;
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

void loop_defer(struct loop *loop, struct op *op, int result)
{
	check(!op->busy);
	op->busy = true;
	op->result = result;
	op->next = NULL;
	if (loop->deferred_last == NULL)
		loop->deferred_first = op;
	else
		loop->deferred_last->next = op;
	loop->deferred_last = op;
}

static void begin(
    struct loop *loop, struct op *op, struct pending p, op_done *done)
{
	check(!op->busy);
	check(loop->pending_count < PENDING_MAX);
	op->busy = true;
	op->done = done;
	p.op = op;
	p.serial = loop->serial++;
	p.turns = (unsigned)rng_below(&loop->rng, 6);
	loop->pending[loop->pending_count++] = p;
}

void loop_write(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, uint64_t offset, bool durable, op_done *done)
{
	begin(loop, op,
	    (struct pending){.kind = WRITE,
		.fd = fd,
		.at = (uint8_t *)(uintptr_t)at,
		.len = len,
		.offset = offset,
		.durable = durable},
	    done);
}

void loop_read(struct loop *loop, struct op *op, int fd, void *at, size_t len,
    uint64_t offset, op_done *done)
{
	begin(loop, op,
	    (struct pending){
		.kind = READ, .fd = fd, .at = at, .len = len, .offset = offset},
	    done);
}

void loop_fdatasync(struct loop *loop, struct op *op, int fd, op_done *done)
{
	begin(loop, op, (struct pending){.kind = SYNC, .fd = fd}, done);
}

static int write_now(struct loop *loop, const struct pending *p)
{
	size_t len = p->len;

	/* Short now and then, on a block. */
	if (len > 8192 && rng_below(&loop->rng, 16) == 0)
		len = 4096 + rng_below(&loop->rng, len / 4096 - 1) * 4096;
	if (!p->durable) {
		struct pending part = *p;

		part.len = len;
		remember(loop, &part);
	}
	ssize_t n = pwrite(p->fd, p->at, len, (off_t)p->offset);

	return n < 0 ? -errno : (int)n;
}

static int perform(struct loop *loop, const struct pending *p)
{
	if (p->kind == READ) {
		ssize_t n = pread(p->fd, p->at, p->len, (off_t)p->offset);

		return n < 0 ? -errno : (int)n;
	}
	loop->write_count++;
	if (loop->broken ||
	    (loop->fail_one_in > 0 &&
		rng_below(&loop->rng, loop->fail_one_in) == 0)) {
		/* What it leaves behind nobody knows. */
		if (p->kind == WRITE)
			tear(loop, p);
		return -EIO;
	}
	if (p->kind == WRITE)
		return write_now(loop, p);
	synced(loop, p);
	return 0;
}

static void run_pending(struct loop *loop)
{
	struct pending due[PENDING_MAX];
	size_t due_count = 0;
	size_t kept = 0;

	for (size_t i = 0; i < loop->pending_count; i++) {
		struct pending *p = &loop->pending[i];

		if (p->turns-- == 0)
			due[due_count++] = *p;
		else
			loop->pending[kept++] = *p;
	}
	loop->pending_count = kept;
	while (due_count > 0) {
		size_t i = rng_below(&loop->rng, due_count);
		struct pending p = due[i];
		int result = perform(loop, &p);

		due[i] = due[--due_count];
		p.op->busy = false;
		p.op->done(p.op, result);
	}
}

void loop_turn(struct loop *loop)
{
	uint64_t step_ms = rng_below(&loop->rng, 2);

	if (loop->deferred_first == NULL && loop->pending_count == 0)
		step_ms = timers_wait_ms(&loop->timers, 1000) + 1;
	loop->now_ms += step_ms;
	loop->wall_ms += step_ms;
	run_pending(loop);
	timers_run(&loop->timers, loop->now_ms);
	struct op *op = loop->deferred_first;

	loop->deferred_first = NULL;
	loop->deferred_last = NULL;
	while (op != NULL) {
		struct op *next = op->next;

		op->busy = false;
		op->done(op, op->result);
		op = next;
	}
}

/* No network here. */
int loop_open(
    struct loop **loop, const struct loop_options *options, const char **why)
{
	(void)options;
	(void)why;
	*loop = fake_loop_open(1, 1000000);
	return 0;
}

void loop_close_down(struct loop *loop)
{
	fake_loop_close(loop);
}

void loop_write_stream(struct loop *loop, struct op *op, int fd, const void *at,
    size_t len, bool chained, op_done *done)
{
	(void)chained; /* here nothing begun later can be quicker */
	ssize_t n = write(fd, at, len);

	op->done = done;
	loop_defer(loop, op, n < 0 ? -errno : (int)n);
}
