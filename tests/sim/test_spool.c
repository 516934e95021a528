/* The real spool on a disk that loses, tears and reorders: whatever happens,
 * what was acknowledged is found again, whole, and once.
 *
 * SEEDS=n runs more seeds, SEED=n just that one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/rng.h"
#include "spool/envelope.h"
#include "spool/spool.h"
#include "spool/state.h"
#include "tests/support/fake_loop.h"

#define MAILS_MAX 20000
#define RCPTS_MAX 150
#define SESSIONS 6
#define LIVES 5
#define SEEDS 50
#define READINGS 8
#define READ_MAX 100000

/* What we know of a mail that was ever begun. */
struct mail {
	struct sim *sim;
	uint64_t id;
	uint32_t rcpt_count;
	uint32_t head_len;
	uint32_t pieces;
	uint32_t pieces_done;
	uint32_t tail_len;
	enum { SENDING, PENDING, ACCEPTED, REFUSED, ABORTED, GONE } state;
	bool doubtful; /* refused while the disk failed: may be found */
	bool finished;
	uint64_t finish_serial;
	uint64_t commit_serial;		 /* when spool_commit was called */
	uint64_t note_serial[RCPTS_MAX]; /* 0 = not finished by us */
	uint64_t settles_id; /* shares its fate with this recipient ... */
	uint32_t settles_rcpt;
	bool settling; /* some other mail settles this recipient */
	uint32_t settling_rcpt;
	uint32_t doubtful_rcpt; /* + 1; one that refused it may be found */
	unsigned read_busy;
	bool found; /* by this recovery */
	struct message *message;
	struct draft draft;
	struct spool_wait wait;
	bool failed;
	uint8_t *piece;
};

struct reading {
	struct mail *mail; /* NULL = free */
	struct spool_read read;
	uint64_t offset;
	size_t len;
	uint8_t at[READ_MAX];
	uint8_t want[READ_MAX];
};

struct sim {
	uint64_t seed;
	struct rng rng;
	char dir[64];
	int log_fd;
	struct loop *loop;
	struct log log;
	struct spool *spool;
	struct mail *mails[MAILS_MAX];
	size_t mail_count;
	struct mail *sessions[SESSIONS];
	struct reading *readings[READINGS];
	size_t reads_busy;
	size_t found_count;
	size_t accepted_count;
	uint64_t id_last;
	uint64_t serial;	 /* counts notes and finishes */
	uint64_t durable_serial; /* up to here they must survive */
	uint64_t wall_s;
	bool opening;
	bool faults;
	bool plain;
	uint64_t quota_len;
	uint32_t pieces_max;
	uint32_t haste;
	uint32_t finish_share;
};

static uint64_t chance(struct sim *sim, uint64_t bound)
{
	return rng_below(&sim->rng, bound);
}

static void fill(uint64_t id, uint64_t from, uint8_t *at, size_t len)
{
	size_t i = 0;

	while (i < len) {
		struct rng r = {.state = id * 77 + (from + i) / 8};
		uint64_t word = rng_next(&r) >> ((from + i) % 8 * 8);

		for (size_t k = (from + i) % 8; k < 8 && i < len; k++, i++) {
			at[i] = (uint8_t)word;
			word >>= 8;
		}
	}
}

static uint64_t content_len(const struct mail *mail)
{
	return mail->head_len + (uint64_t)mail->pieces * SPOOL_PIECE_MAX +
	       mail->tail_len;
}

static struct slice envelope_of(const struct mail *mail, struct buf *out)
{
	char text[64];

	snprintf(text, sizeof(text), "s%llu@example.org",
	    (unsigned long long)mail->id);
	struct envelope e = {
	    .sender = slice_of_str(text), .rcpt_count = mail->rcpt_count};

	buf_clear(out);
	cr_assert(envelope_put(out, &e));
	for (uint32_t i = 0; i < mail->rcpt_count; i++) {
		snprintf(text, sizeof(text), "r%u-%llu@example.net", i,
		    (unsigned long long)mail->id);
		struct envelope_rcpt r = {.address = slice_of_str(text)};

		cr_assert(envelope_put_rcpt(out, &r));
	}
	return buf_slice(out);
}

static struct mail *mail_find(struct sim *sim, uint64_t id)
{
	for (size_t i = sim->mail_count; i > 0; i--)
		if (sim->mails[i - 1]->id == id)
			return sim->mails[i - 1];
	return NULL;
}

static void check_envelope(const struct mail *mail, struct slice envelope)
{
	uint8_t room[16384];
	struct buf out = buf_over(room, sizeof(room));

	cr_assert(slice_eq(envelope, envelope_of(mail, &out)),
	    "seed %llu: envelope of %llu", (unsigned long long)mail->sim->seed,
	    (unsigned long long)mail->id);
}

/* A message that recovery found. */
static void check_found(struct sim *sim, struct mail *mail, struct message *m)
{
	unsigned long long seed = sim->seed;
	unsigned long long id = mail->id;

	cr_assert(!mail->found, "seed %llu: %llu found twice", seed, id);
	cr_assert(mail->state == PENDING || mail->state == ACCEPTED ||
		      (mail->state == REFUSED && mail->doubtful),
	    "seed %llu: %llu found in state %d", seed, id, mail->state);
	cr_assert(!mail->finished || mail->finish_serial > sim->durable_serial,
	    "seed %llu: %llu was finished", seed, id);
	for (uint32_t i = 0; i < mail->rcpt_count; i++) {
		uint64_t serial = mail->note_serial[i];

		if (message_rcpt_finished(m, i))
			cr_assert(
			    serial > 0 || mail->doubtful_rcpt == i + 1 ||
				(mail->settling && mail->settling_rcpt == i),
			    "seed %llu: %llu rcpt %u", seed, id, i);
		else
			cr_assert(serial == 0 || serial > sim->durable_serial,
			    "seed %llu: %llu rcpt %u lost", seed, id, i);
	}
	mail->found = true;
	sim->found_count++;
}

static void on_ready(void *arg, struct message *m, struct slice envelope)
{
	struct sim *sim = arg;
	struct mail *mail = mail_find(sim, m->id);

	cr_assert_not_null(
	    mail, "seed %llu: unknown id", (unsigned long long)sim->seed);
	check_envelope(mail, envelope);
	cr_assert_eq(m->content_len, content_len(mail));
	cr_assert_eq(m->rcpt_count, mail->rcpt_count);
	if (sim->opening)
		check_found(sim, mail, m);
	mail->message = m;
}

static void settled(struct mail *mail, int result)
{
	struct mail *other = mail_find(mail->sim, mail->settles_id);

	if (mail->settles_id == 0)
		return;
	other->settling = false;
	if (result == -EIO)
		other->doubtful_rcpt = mail->settles_rcpt + 1;
	if (result == 0)
		other->note_serial[mail->settles_rcpt] = mail->commit_serial;
	mail->settles_id = 0;
}

static void on_committed(struct spool_wait *w, int result)
{
	struct mail *mail = container_of(w, struct mail, wait);
	struct sim *sim = mail->sim;

	settled(mail, result);
	if (result < 0) {
		mail->state = REFUSED;
		mail->doubtful = result == -EIO;
		cr_assert(result == -EAGAIN || result == -ENOSPC || sim->faults,
		    "seed %llu: %d", (unsigned long long)sim->seed, result);
		return;
	}
	mail->state = ACCEPTED;
	sim->accepted_count++;
	cr_assert_not_null(mail->message);
	if (mail->commit_serial > sim->durable_serial)
		sim->durable_serial = mail->commit_serial;
	/* What failed before this is now fenced off for certain. */
	for (size_t i = 0; sim->faults && i < sim->mail_count; i++) {
		sim->mails[i]->doubtful = false;
		sim->mails[i]->doubtful_rcpt = 0;
	}
}

static struct mail *random_alive(struct sim *sim)
{
	for (unsigned tries = 0; sim->mail_count > 0 && tries < 30; tries++) {
		struct mail *mail = sim->mails[chance(sim, sim->mail_count)];

		if (mail->state == ACCEPTED && mail->message != NULL &&
		    mail->read_busy == 0 && !mail->settling)
			return mail;
	}
	return NULL;
}

static void session_end(struct mail *mail)
{
	struct sim *sim = mail->sim;

	free(mail->piece);
	mail->piece = NULL;
	for (size_t i = 0; i < SESSIONS; i++)
		if (sim->sessions[i] == mail)
			sim->sessions[i] = NULL;
}

static void commit(struct sim *sim, struct mail *mail)
{
	uint8_t room[16384];
	uint8_t head[SPOOL_HEAD_MAX];
	uint8_t *tail = malloc(SPOOL_PIECE_MAX);
	struct buf out = buf_over(room, sizeof(room));
	struct mail *other = chance(sim, 6) == 0 ? random_alive(sim) : NULL;
	uint32_t index = 0;
	struct note note;

	if (other != NULL) {
		index = (uint32_t)chance(sim, other->rcpt_count);
		if (other->note_serial[index] != 0)
			other = NULL;
	}
	if (other != NULL) {
		note = (struct note){.finished = &index,
		    .finished_count = 1,
		    .attempt_count = other->message->attempt_count,
		    .due_s = other->message->due_s};
		mail->settles_id = other->id;
		mail->settles_rcpt = index;
		other->settling = true;
		other->settling_rcpt = index;
		sim->serial++;
	}
	fill(mail->id, 0, head, mail->head_len);
	fill(mail->id,
	    mail->head_len + (uint64_t)mail->pieces * SPOOL_PIECE_MAX, tail,
	    mail->tail_len);
	mail->state = PENDING;
	mail->commit_serial = sim->serial;
	mail->wait.done = on_committed;
	session_end(mail);
	spool_commit(sim->spool, &mail->draft, envelope_of(mail, &out),
	    slice_of(head, mail->head_len), slice_of(tail, mail->tail_len),
	    other == NULL ? NULL : other->message, other == NULL ? NULL : &note,
	    &mail->wait);
	free(tail);
}

static void on_appended(struct spool_wait *w, int result)
{
	struct mail *mail = container_of(w, struct mail, wait);

	mail->pieces_done++;
	if (result < 0)
		mail->failed = true;
}

/* The next thing that a session does. */
static void session_step(struct sim *sim, struct mail *mail)
{
	if (mail->wait.busy)
		return;
	if (mail->state == ABORTED) { /* its last piece was told by now */
		session_end(mail);
		return;
	}
	if (mail->failed || chance(sim, 60) == 0) {
		mail->state = ABORTED;
		spool_abort(sim->spool, &mail->draft);
		session_end(mail);
		return;
	}
	if (mail->pieces_done == mail->pieces) {
		commit(sim, mail);
		return;
	}
	if (mail->piece == NULL)
		mail->piece = malloc(SPOOL_PIECE_MAX);
	fill(mail->id,
	    mail->head_len + (uint64_t)mail->pieces_done * SPOOL_PIECE_MAX,
	    mail->piece, SPOOL_PIECE_MAX);
	mail->wait.done = on_appended;
	spool_append(sim->spool, &mail->draft,
	    slice_of(mail->piece, SPOOL_PIECE_MAX), &mail->wait);
	if (chance(sim, 30) == 0) { /* while the piece may still wait */
		mail->state = ABORTED;
		spool_abort(sim->spool, &mail->draft);
	}
}

static void begin(struct sim *sim, size_t session)
{
	struct mail *mail = calloc(1, sizeof(*mail));

	cr_assert_lt(sim->mail_count, MAILS_MAX);
	mail->sim = sim;
	if (!spool_accepts(sim->spool) ||
	    spool_begin(sim->spool, &mail->draft) < 0) {
		free(mail);
		return;
	}
	mail->id = mail->draft.id;
	cr_assert_gt(mail->id, sim->id_last, "seed %llu: id used again",
	    (unsigned long long)sim->seed);
	sim->id_last = mail->id;
	mail->rcpt_count = 1 + (uint32_t)chance(sim, 3);
	if (chance(sim, 20) == 0)
		mail->rcpt_count = 1 + (uint32_t)chance(sim, RCPTS_MAX);
	mail->head_len = (uint32_t)chance(sim, 900);
	mail->tail_len = (uint32_t)chance(sim, 12000);
	if (chance(sim, 10) == 0)
		mail->tail_len = (uint32_t)chance(sim, SPOOL_PIECE_MAX + 1);
	if (chance(sim, 25) == 0)
		mail->pieces = (uint32_t)chance(sim, sim->pieces_max);
	sim->mails[sim->mail_count++] = mail;
	sim->sessions[session] = mail;
}

static void note(struct sim *sim)
{
	struct mail *mail = random_alive(sim);
	uint32_t finished[RCPTS_MAX];
	struct note n = {.finished = finished};

	if (mail == NULL)
		return;
	sim->serial++;
	for (uint32_t i = 0; i < mail->rcpt_count; i++) {
		if (mail->note_serial[i] != 0 || chance(sim, 3) != 0)
			continue;
		mail->note_serial[i] = sim->serial;
		finished[n.finished_count++] = i;
	}
	n.attempt_count = (uint16_t)(mail->message->attempt_count + 1);
	n.due_s = (uint32_t)(sim->wall_s + 300);
	spool_note(sim->spool, mail->message, &n);
}

static void finish(struct sim *sim)
{
	struct mail *mail = random_alive(sim);

	if (mail == NULL)
		return;
	mail->finished = true;
	mail->finish_serial = ++sim->serial;
	mail->state = ACCEPTED;
	spool_finish(sim->spool, mail->message);
	mail->message = NULL;
}

static void on_read(struct spool_read *r, int result)
{
	struct reading *reading = container_of(r, struct reading, read);
	struct mail *mail = reading->mail;
	unsigned long long seed = mail->sim->seed;
	uint64_t left = content_len(mail) - reading->offset;

	mail->read_busy--;
	mail->sim->reads_busy--;
	cr_assert_eq(result, (int)(left < reading->len ? left : reading->len),
	    "seed %llu: read of %llu at %llu gives %d", seed,
	    (unsigned long long)mail->id, (unsigned long long)reading->offset,
	    result);
	fill(mail->id, reading->offset, reading->want, (size_t)result);
	cr_assert(memcmp(reading->at, reading->want, (size_t)result) == 0,
	    "seed %llu: bytes of %llu at %llu", seed,
	    (unsigned long long)mail->id, (unsigned long long)reading->offset);
	reading->mail = NULL;
}

static void on_read_envelope(struct spool_read *r, int result)
{
	struct reading *reading = container_of(r, struct reading, read);
	struct mail *mail = reading->mail;

	mail->read_busy--;
	mail->sim->reads_busy--;
	cr_assert_gt(result, 0);
	check_envelope(mail, slice_of(reading->at, (size_t)result));
	reading->mail = NULL;
}

static void read_some(
    struct sim *sim, struct mail *mail, uint64_t offset, size_t len)
{
	for (size_t i = 0; i < READINGS; i++) {
		struct reading *reading = sim->readings[i];

		if (reading->mail != NULL)
			continue;
		reading->mail = mail;
		reading->offset = offset;
		reading->len = len < READ_MAX ? len : READ_MAX;
		mail->read_busy++;
		sim->reads_busy++;
		if (chance(sim, 4) == 0) {
			reading->read.done = on_read_envelope;
			spool_read_envelope(sim->spool, mail->message,
			    reading->at, &reading->read);
			return;
		}
		reading->read.done = on_read;
		spool_read(sim->spool, mail->message, offset, reading->at,
		    reading->len, &reading->read);
		return;
	}
}

static void read_random(struct sim *sim)
{
	struct mail *mail = random_alive(sim);

	if (mail == NULL)
		return;
	uint64_t offset = chance(sim, content_len(mail) + 1);

	if (chance(sim, 2) == 0)
		offset = 0;
	read_some(sim, mail, offset, chance(sim, READ_MAX) + 1);
}

static void act(struct sim *sim)
{
	size_t session = chance(sim, SESSIONS);
	uint64_t what = chance(sim, 100);

	if (what < 55) {
		if (sim->sessions[session] == NULL)
			begin(sim, session);
		else
			session_step(sim, sim->sessions[session]);
	} else if (what < 65) {
		note(sim);
	} else if (what < 65 + sim->finish_share) {
		finish(sim);
	} else if (what > 90) {
		read_random(sim);
	}
}

static void check_all_found(struct sim *sim)
{
	for (size_t i = 0; i < sim->mail_count; i++) {
		struct mail *mail = sim->mails[i];
		unsigned long long id = mail->id;

		if (mail->state == ACCEPTED && !mail->finished)
			cr_assert(mail->found, "seed %llu: %llu is lost",
			    (unsigned long long)sim->seed, id);
		if (mail->state != PENDING || mail->settles_id == 0)
			continue;
		struct mail *other = mail_find(sim, mail->settles_id);

		if (other->found)
			cr_assert_eq(message_rcpt_finished(
					 other->message, mail->settles_rcpt),
			    mail->found, "seed %llu: %llu settles alone",
			    (unsigned long long)sim->seed, id);
	}
}

/* What recovery found is the truth from now on. */
static void take_over(struct sim *sim)
{
	sim->serial++;
	for (size_t i = 0; i < sim->mail_count; i++) {
		struct mail *mail = sim->mails[i];

		free(mail->piece);
		mail->piece = NULL;
		mail->settling = false;
		mail->settles_id = 0;
		mail->doubtful_rcpt = 0;
		mail->read_busy = 0;
		if (!mail->found) {
			mail->state = GONE;
			mail->message = NULL;
			continue;
		}
		mail->found = false;
		mail->finished = false;
		mail->state = ACCEPTED;
		for (uint32_t k = 0; k < mail->rcpt_count; k++)
			mail->note_serial[k] =
			    message_rcpt_finished(mail->message, k)
				? sim->serial
				: 0;
	}
	sim->durable_serial = sim->serial;
}

static void open_spool(struct sim *sim)
{
	struct spool_options options = {
	    .dir = sim->dir,
	    .shard = 3,
	    .segment_len = 4u << 20,
	    .quota_len = sim->quota_len,
	    .message_count_max = 5000,
	    .plain = sim->plain,
	    .ready = on_ready,
	    .arg = sim,
	};

	sim->loop = fake_loop_open(rng_next(&sim->rng), sim->wall_s);
	sim->log = (struct log){.level = LOG_ERROR, .fd = 1};
	cr_assert_eq(
	    log_open(&sim->log, sim->log_fd, NULL, 65536, LOG_ERROR, LOG_TEXT),
	    0);
	sim->opening = true;
	cr_assert_eq(
	    spool_open(&sim->spool, &options, sim->loop, &sim->log), 0);
	sim->opening = false;
	cr_assert_eq(sim->spool->damage_count, 0, "seed %llu: damage",
	    (unsigned long long)sim->seed);
	check_all_found(sim);
	take_over(sim);
}

static void turn_until_read(struct sim *sim)
{
	while (sim->reads_busy > 0)
		loop_turn(sim->loop);
}

/* Reads back everything there is. */
static void read_all(struct sim *sim)
{
	for (size_t i = 0; i < sim->mail_count; i++) {
		struct mail *mail = sim->mails[i];

		if (mail->message == NULL || mail->state != ACCEPTED)
			continue;
		for (uint64_t at = 0; at < content_len(mail); at += READ_MAX) {
			if (sim->reads_busy == READINGS)
				turn_until_read(sim);
			read_some(sim, mail, at, READ_MAX);
		}
	}
	turn_until_read(sim);
}

static void end_life(struct sim *sim, bool crash)
{
	memset(sim->sessions, 0, sizeof(sim->sessions));
	sim->wall_s = loop_wall_s(sim->loop) + 1; /* a restart takes that */
	if (crash) {
		fake_loop_crash(sim->loop);
		spool_release(sim->spool);
	} else {
		fake_loop_fail(sim->loop, 0);
		fake_loop_break(sim->loop, false);
		spool_close(sim->spool);
		/* A failing disk may have no segment left for outcomes. */
		if (!sim->faults)
			sim->durable_serial = sim->serial;
	}
	for (size_t i = 0; i < READINGS; i++) {
		sim->readings[i]->mail = NULL;
		sim->readings[i]->read.busy = false;
		sim->readings[i]->read.op.busy = false;
	}
	sim->reads_busy = 0;
	fake_loop_close(sim->loop);
	log_close(&sim->log);
}

static void live(struct sim *sim, bool crash)
{
	uint64_t turns = 20 + chance(sim, 400);

	open_spool(sim);
	if (chance(sim, 2) == 0)
		read_all(sim);
	for (uint64_t i = 0; i < turns; i++) {
		if (sim->faults && chance(sim, 100) == 0)
			fake_loop_fail(sim->loop, (unsigned)chance(sim, 3) * 8);
		if (sim->faults && chance(sim, 200) == 0)
			fake_loop_break(sim->loop, chance(sim, 2) == 0);
		for (uint64_t k = chance(sim, sim->haste); k > 0; k--)
			act(sim);
		loop_turn(sim->loop);
	}
	end_life(sim, crash);
}

static void remove_dir(const char *dir)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static size_t run(uint64_t seed, bool faults)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	size_t accepted_count;

	sim->seed = seed;
	sim->rng.state = seed;
	sim->wall_s = 1800000000;
	sim->faults = faults;
	sim->log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (getenv("SIM_LOG") != NULL)
		sim->log_fd = 1;
	sim->plain = chance(sim, 3) == 0;
	sim->quota_len = (24 + chance(sim, 40)) << 20;
	sim->pieces_max = 1 + (uint32_t)chance(sim, 40);
	sim->haste = 1 + (uint32_t)chance(sim, 30);
	sim->finish_share = 5 + (uint32_t)chance(sim, 25);
	snprintf(sim->dir, sizeof(sim->dir), "/dev/shm/sim-XXXXXX");
	cr_assert_not_null(mkdtemp(sim->dir));
	for (size_t i = 0; i < READINGS; i++)
		sim->readings[i] = calloc(1, sizeof(struct reading));
	for (unsigned life = 0; life < LIVES; life++)
		live(sim, chance(sim, 4) != 0);
	open_spool(sim);
	read_all(sim);
	end_life(sim, false);
	remove_dir(sim->dir);
	accepted_count = sim->accepted_count;
	for (size_t i = 0; i < READINGS; i++)
		free(sim->readings[i]);
	for (size_t i = 0; i < sim->mail_count; i++)
		free(sim->mails[i]);
	close(sim->log_fd);
	free(sim);
	return accepted_count;
}

static void run_seeds(bool faults)
{
	const char *one = getenv("SEED");
	const char *count = getenv("SEEDS");
	uint64_t seeds = count == NULL ? SEEDS : strtoull(count, NULL, 10);
	size_t accepted_count = 0;

	if (one != NULL) {
		run(strtoull(one, NULL, 10), faults);
		return;
	}
	for (uint64_t seed = 1; seed <= seeds; seed++)
		accepted_count += run(seed, faults);
	cr_assert_gt(accepted_count, seeds * 20);
}

Test(spool, keeps_what_it_acknowledged_whatever_a_crash_leaves)
{
	run_seeds(false);
}

Test(spool, keeps_what_it_acknowledged_when_writes_fail_too)
{
	run_seeds(true);
}
