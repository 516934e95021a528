/* shard.h -- a spool in a directory of its own, for a test. */
#ifndef TESTS_SPOOL_SHARD_H
#define TESTS_SPOOL_SHARD_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/loop.h"
#include "spool/envelope.h"
#include "spool/spool.h"
#include "spool/state.h"

#define READY_MAX 4096

struct shard {
	struct spool_options options;
	struct loop *loop;
	struct log log;
	int log_fd;
	char dir[64];
	struct spool *spool;
	struct message *ready[READY_MAX]; /* as told, in this life */
	size_t ready_count;
	char envelope[256]; /* of the last one: "sender rcpt rcpt" */
	bool finish_when_ready;
};

static inline void shard_ready(void *arg, struct message *m, struct slice bytes)
{
	struct shard *shard = arg;
	struct envelope e;
	struct envelope_rcpt r;
	struct slice rest;
	int len;

	cr_assert(shard->ready_count < READY_MAX);
	shard->ready[shard->ready_count++] = m;
	cr_assert(envelope_get(bytes, &e, &rest));
	len = snprintf(shard->envelope, sizeof(shard->envelope), "%.*s",
	    (int)e.sender.len, (const char *)e.sender.at);
	while (envelope_get_rcpt(&rest, &r) && len < 200)
		len += snprintf(shard->envelope + len,
		    sizeof(shard->envelope) - (size_t)len, " %.*s",
		    (int)r.address.len, (const char *)r.address.at);
	if (shard->finish_when_ready)
		spool_finish(shard->spool, m);
}

static inline int shard_try_open(struct shard *shard)
{
	shard->ready_count = 0;
	return spool_open(
	    &shard->spool, &shard->options, shard->loop, &shard->log);
}

static inline void shard_open(struct shard *shard)
{
	cr_assert_eq(shard_try_open(shard), 0);
}

/* A fresh one; `where` is a directory: /dev/shm or /tmp. */
static inline struct shard *shard_make(const char *where, bool plain)
{
	struct shard *shard = calloc(1, sizeof(*shard));
	struct loop_options options = {.without_recv = true};
	const char *why = "";

	snprintf(shard->dir, sizeof(shard->dir), "%s/spool-XXXXXX", where);
	cr_assert_not_null(mkdtemp(shard->dir));
	cr_assert_eq(loop_open(&shard->loop, &options, &why), 0, "%s", why);
	shard->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(log_open(&shard->log, shard->log_fd, NULL, 65536,
			 LOG_DEBUG, LOG_TEXT),
	    0);
	shard->options = (struct spool_options){
	    .dir = shard->dir,
	    .shard = 7,
	    .segment_len = 4u << 20,
	    .quota_len = 64u << 20,
	    .message_count_max = 3000,
	    .plain = plain,
	    .ready = shard_ready,
	    .arg = shard,
	};
	shard_open(shard);
	return shard;
}

/* As after kill -9, but for what the kernel would still do. */
static inline void shard_crash(struct shard *shard)
{
	spool_release(shard->spool);
	loop_close_down(shard->loop);
	struct loop_options options = {.without_recv = true};
	const char *why = "";

	cr_assert_eq(loop_open(&shard->loop, &options, &why), 0, "%s", why);
}

static inline void shard_reopen(struct shard *shard)
{
	spool_close(shard->spool);
	shard_open(shard);
}

/* After spool_close, or a crash. */
static inline void shard_unmake(struct shard *shard)
{
	char command[128];

	loop_close_down(shard->loop);
	log_close(&shard->log);
	close(shard->log_fd);
	snprintf(command, sizeof(command), "rm -rf %s", shard->dir);
	cr_assert_eq(system(command), 0);
	free(shard);
}

static inline void shard_end(struct shard *shard)
{
	spool_close(shard->spool);
	shard_unmake(shard);
}

struct shard_wait {
	struct spool_wait wait;
	int result;
	unsigned count;
};

static inline void shard_told(struct spool_wait *w, int result)
{
	struct shard_wait *wait = container_of(w, struct shard_wait, wait);

	wait->result = result;
	wait->count++;
}

static inline int shard_wait(struct shard *shard, struct shard_wait *wait)
{
	for (int i = 0; i < 100000 && wait->count == 0; i++)
		loop_turn(shard->loop);
	cr_assert_eq(wait->count, 1);
	return wait->result;
}

struct shard_read {
	struct spool_read read;
	int result;
	unsigned count;
};

static inline void shard_read_done(struct spool_read *r, int result)
{
	struct shard_read *read = container_of(r, struct shard_read, read);

	read->result = result;
	read->count++;
}

/* Reads and waits; what spool_read says. */
static inline int shard_read(struct shard *shard, const struct message *m,
    uint64_t offset, void *at, size_t len)
{
	struct shard_read read = {.read.done = shard_read_done};

	spool_read(shard->spool, m, offset, at, len, &read.read);
	cr_assert_eq(read.count, 0);
	for (int i = 0; i < 100000 && read.count == 0; i++)
		loop_turn(shard->loop);
	cr_assert_eq(read.count, 1);
	return read.result;
}

static inline struct slice shard_envelope(
    uint32_t rcpt_count, void *room, size_t room_len)
{
	struct buf out = buf_over(room, room_len);
	struct envelope e = {
	    .sender = SLICE("s@example.org"), .rcpt_count = rcpt_count};

	cr_assert(envelope_put(&out, &e));
	for (uint32_t i = 0; i < rcpt_count; i++) {
		struct envelope_rcpt r = {.address = SLICE("r@example.net")};

		cr_assert(envelope_put_rcpt(&out, &r));
	}
	return buf_slice(&out);
}

static inline uint8_t shard_byte(uint64_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

/* Commits a message of `pieces` pieces and `len` bytes more, head 100. */
static inline int shard_commit(struct shard *shard, uint32_t rcpt_count,
    size_t pieces, size_t len, uint64_t *id)
{
	static uint8_t envelope[200000];
	uint8_t *bytes = malloc(pieces * SPOOL_PIECE_MAX + len + 100);
	struct draft d;
	int err = spool_begin(shard->spool, &d);

	for (size_t i = 0; i < pieces * SPOOL_PIECE_MAX + len + 100; i++)
		bytes[i] = shard_byte(i);
	if (err == 0)
		*id = d.id;
	for (size_t i = 0; err == 0 && i < pieces; i++) {
		struct shard_wait wait = {.wait.done = shard_told};

		spool_append(shard->spool, &d,
		    slice_of(
			bytes + 100 + i * SPOOL_PIECE_MAX, SPOOL_PIECE_MAX),
		    &wait.wait);
		err = shard_wait(shard, &wait);
		if (err < 0)
			spool_abort(shard->spool, &d);
	}
	if (err == 0) {
		struct shard_wait wait = {.wait.done = shard_told};

		spool_commit(shard->spool, &d,
		    shard_envelope(rcpt_count, envelope, sizeof(envelope)),
		    slice_of(bytes, 100),
		    slice_of(bytes + 100 + pieces * SPOOL_PIECE_MAX, len), NULL,
		    NULL, &wait.wait);
		err = shard_wait(shard, &wait);
	}
	free(bytes);
	return err;
}

/* Whether every byte of the content is as shard_commit made it. */
static inline bool shard_content_good(
    struct shard *shard, const struct message *m)
{
	uint8_t *bytes = malloc(100000);
	bool good = true;

	for (uint64_t at = 0; good && at < m->content_len;) {
		int n = shard_read(shard, m, at, bytes, 100000);

		good = n > 0;
		for (int i = 0; good && i < n; i++)
			good = bytes[i] == shard_byte(at + (uint64_t)i);
		at += n > 0 ? (uint64_t)n : 0;
	}
	free(bytes);
	return good;
}

#endif
