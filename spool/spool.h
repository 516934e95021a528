/* spool.h -- the folder's one public header: mail that is safe.
 *
 * A spool is one shard: a directory of segment files that one process writes
 * as a log.  All calls belong to the thread of its loop.
 *
 *   accepting   spool_begin, spool_append ..., spool_commit -> done(): durable
 *   becoming    options->ready() is called for each message that is alive:
 * after known       its commit is durable, and for each one found at
 * spool_open. This is the ONE way a message becomes known. delivering
 * spool_read_envelope, spool_read; spool_note (outcomes so far), spool_finish
 * (nothing left to do: the space is given back)
 *
 * The content of a message is: head (fields that we add, then) body, both in
 * stored form (proto/dot.h).  Offsets count from the head's first byte. */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/list.h"
#include "core/base/log.h"
#include "core/base/loop.h"
#include "core/base/slice.h"

/* A message up to this many bytes of body lies in one record; of a longer one
 * each such piece is written as it comes. */
#define SPOOL_PIECE_MAX 65536
#define SPOOL_HEAD_MAX 8192

struct spool;

/* A message that is alive.  Owned by the spool, given out by ready(), valid
 * until spool_finish returns. */
struct message {
	uint64_t id;
	uint64_t content_len;	/* head + body, stored form, without the dot */
	uint32_t received_s;	/* wall clock, seconds since 1970 */
	uint32_t due_s;		/* from the last note; 0 = never tried */
	uint16_t attempt_count; /* from the last note */
	uint16_t rcpt_count;
	uint32_t envelope_len;
	void *owner;	      /* the scheduler's; NULL when ready() is called */
	uint16_t received_ms; /* behind received_s; 0 after a restart */
	uint16_t read_count;  /* the spool's: reads under way */
	bool gone;	      /* the spool's: finished while it is read */
	uint64_t private_words[6]; /* the spool's own: where it lies, who of the
				    * recipients is finished */
};

struct spool_options {
	const char *dir;	  /* of this shard; made (0700) when absent */
	unsigned shard;		  /* 0..255; part of each id */
	size_t segment_len;	  /* bytes; multiple of 1 MiB, at least 4 MiB */
	uint64_t quota_len;	  /* bytes this shard may take on disk */
	size_t message_count_max; /* alive at once */
	bool read_only; /* `smarthost spool check|dump`: changes nothing */
	bool plain;	/* ordinary writes even where O_DIRECT works */
	/* A message is alive; `envelope` is valid during the call only. */
	void (*ready)(void *arg, struct message *m, struct slice envelope);
	void *arg;
};

/* Opens (or makes) the shard and recovers: blocking, before traffic.  ready()
 * runs for each message found.  Returns -EWOULDBLOCK when another process holds
 * the shard, or another -errno; it is logged. */
MUST_USE int spool_open(struct spool **spool,
    const struct spool_options *options, struct loop *loop, struct log *log);

/* Whether a process has the shard open for writing. */
bool spool_in_use(const char *dir);

/* Writes out what has not been written and seals; done() of everything that is
 * under way runs.  The loop is turned inside. */
void spool_close(struct spool *spool);

/* A message that is being received.  In the session; spool_begin fills it. */
struct draft {
	uint64_t id;
	uint64_t body_len; /* so far */
	uint32_t received_s;
	uint16_t received_ms;
	bool begun;
	uint64_t private_words[8];
};

/* Whether new mail is taken now.  False: over the quota, disk failing: answer
 * 452 4.3.1 at MAIL. */
bool spool_accepts(const struct spool *spool);

/* 0, or -ENOSPC when nothing can be written at all.  The id is final.  Reports
 * and moves have segments of their own kept for them: so this works somewhat
 * longer than spool_accepts() says, which is asked for new mail. */
MUST_USE int spool_begin(struct spool *spool, struct draft *d);

/* A wait in the spool; lies in its owner until done() has run (-ECANCELED never
 * happens: a wait cannot be taken back, it is always short). */
struct spool_wait {
	void (*done)(struct spool_wait *w, int result);
	struct list link; /* the spool's */
	uint64_t private_words[4];
	bool busy;
};

/* Whether there is room in memory for a message, whatever its length, so that
 * spool_commit does not say -EAGAIN. */
bool spool_has_room(const struct spool *spool);
/* done(0) when there may be: look again.  done(-errno): no more use waiting. */
void spool_await_room(struct spool *spool, struct spool_wait *w);

/* Writes exactly one piece of SPOOL_PIECE_MAX bytes of body that will be
 * followed by more.  The bytes may be reused when done() ran: 0, or -errno and
 * the draft must be aborted. */
void spool_append(struct spool *spool, struct draft *d, struct slice piece,
    struct spool_wait *w);

/* Makes the message durable: `head`, then the pieces appended before, then
 * `tail` (the last, or all, of the body; at most SPOOL_PIECE_MAX).  The bytes
 * are copied before the call returns.  `settles` may be NULL: outcomes of
 * another message that become durable in the same commit or not at all (a
 * report replaces the recipients it is about).  done(0) comes in the order of
 * the log, just after ready() was called for the message; done(-errno): nothing
 * of it will ever be found again (-ENOSPC: no room; -EAGAIN: too much is on its
 * way to the disk; -EIO: writes fail, and only if the process ends before one
 * works again may it turn up after all). */
struct note;
void spool_commit(struct spool *spool, struct draft *d, struct slice envelope,
    struct slice head, struct slice tail, struct message *settled,
    const struct note *settles, struct spool_wait *w);

void spool_abort(struct spool *spool, struct draft *d);

/* What an attempt brought.  Becomes durable with the next commit, 100 ms later
 * at the latest. */
struct note {
	const uint32_t *finished; /* recipients (index in the envelope) that
				   * need nothing more */
	uint32_t finished_count;
	uint16_t attempt_count;
	uint32_t due_s; /* of the next attempt, for those left */
};
void spool_note(
    struct spool *spool, struct message *m, const struct note *note);

/* Whether a recipient is finished, by notes of this or an earlier run. */
bool message_rcpt_finished(const struct message *m, uint32_t index);
uint32_t message_rcpts_left(const struct message *m);

/* Nothing is left to do: records it and forgets the message; m is gone.  A read
 * of it that is under way (`queue list`) ends with -ENOENT, or with its bytes.
 */
void spool_finish(struct spool *spool, struct message *m);

/* Reads of an alive message.  done(n) with n bytes in `at` (may be fewer than
 * asked only at the end of the content) or -errno (-EBADMSG: checksum wrong).
 * done() never runs inside the call. */
struct spool_read {
	void (*done)(struct spool_read *r, int result);
	struct op op;
	struct list link;
	uint64_t private_words[8];
	bool busy;
};
void spool_read(struct spool *spool, const struct message *m, uint64_t offset,
    void *at, size_t len, struct spool_read *r);
/* m->envelope_len bytes into `at`. */
void spool_read_envelope(struct spool *spool, const struct message *m, void *at,
    struct spool_read *r);

/* Asked by tools and metrics. */
struct spool_facts {
	uint64_t alive_count;
	uint64_t alive_len;
	uint64_t disk_len; /* taken by segments */
	uint64_t quota_len;
	uint64_t segment_count;
	uint64_t commit_count; /* since open */
	uint64_t written_len;
	uint64_t moved_len;
	bool direct;  /* O_DIRECT works here */
	bool failing; /* a write failed; nothing is accepted */
};
struct spool_facts spool_facts(const struct spool *spool);

/* Every alive message, in no order; `each` must not finish any. */
void spool_each(
    struct spool *spool, void (*each)(void *arg, struct message *m), void *arg);
struct message *spool_find(struct spool *spool, uint64_t id);

/* `smarthost spool check DIR` and `dump DIR`: reads one shard's directory
 * without changing it, prints to stdout; returns the exit status (0 good, 1
 * damage found, 74 cannot read). */
int spool_check_print(const char *dir);
int spool_dump_print(const char *dir);

#endif
