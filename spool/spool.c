/* spool.c -- the folder's one public header: mail that is safe.
 *
 * The design, in the order in which a message meets it:
 *
 *   record.h    the bytes on disk, with their offsets
 *   segment.c   the files; when one is part of the log
 *   draft.c     a message on its way in; pieces of big ones
 *   commit.c    many records, one durable write; the prefix rule
 *   durable.c   that write; rescue.c: when it fails
 *   seal.c      what lets a restart be quick; spare.c: files made in advance
 *   index.c     what is alive; note.c: what attempts brought
 *   read.c      the bytes back; compact.c: the space back
 *   recover.c   from files to what is alive: identify.c, scan.c, replay.c
 *
 * What a crash leaves, and what recovery makes of it:
 *   a commit torn or missing, nothing stable behind it    the log ends before
 * it the same with later commits that are stable           damage: skip and say
 * so first block of a segment torn                         it was not used yet
 *   a full segment without its seal                       it is read whole
 *   a MOVE and the message it was made from               the MOVE counts
 *   a file half made                                      removed
 *   NOTE or DONE not yet written                          delivered once more
 *   a NOTE that settles, and its MSG                      both or neither */
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/id.h"
#include "spool/commit.h"
#include "spool/compact.h"
#include "spool/draft.h"
#include "spool/envelope.h"
#include "spool/image.h"
#include "spool/index.h"
#include "spool/note.h"
#include "spool/read.h"
#include "spool/recover.h"
#include "spool/rescue.h"
#include "spool/seal.h"
#include "spool/segment.h"

_Static_assert(SPOOL_PIECE_MAX == RECORD_PIECE_LEN, "one size of piece");
_Static_assert(SPOOL_HEAD_MAX == RECORD_HEAD_LEN_MAX, "one size of head");
_Static_assert(ENVELOPE_LEN_MAX == RECORD_ENVELOPE_LEN_MAX, "and envelope");
/* Any record, its entry in the seal, and three blocks fit a segment. */
_Static_assert(
    RECORD_LEN_MAX + RECORD_ENVELOPE_LEN_MAX + 8192 + 128 + 4 * BLOCK_LEN <=
	4u << 20,
    "the smallest segment holds the largest record");

#define LOCK_NAME "lock"
#define CLOSE_MAX_MS 30000u

void *memory_map(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

void memory_unmap(void *at, size_t len)
{
	if (at != NULL)
		munmap(at, len);
}

void memory_drop(void *at, size_t len)
{
	uintptr_t from = (uintptr_t)round_up((uintptr_t)at, BLOCK_LEN);
	uintptr_t to = ((uintptr_t)at + len) / BLOCK_LEN * BLOCK_LEN;

	if (to > from)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

/* One process a shard.  The lock belongs to the open file, so it goes when the
 * process does, however it goes. */
static int lock(struct spool *s)
{
	bool reads = s->options.read_only;
	struct flock whole = {
	    .l_type = reads ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

	s->lock_fd = openat(s->dir_fd, LOCK_NAME,
	    O_CLOEXEC | (reads ? O_RDONLY : O_RDWR | O_CREAT), 0600);
	if (s->lock_fd < 0)
		return reads && errno == ENOENT ? 0 : -errno;
	if (fcntl(s->lock_fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK : -errno;
}

bool spool_in_use(const char *dir)
{
	struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd =
	    dir_fd < 0 ? -1 : openat(dir_fd, LOCK_NAME, O_RDONLY | O_CLOEXEC);
	bool used = fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 &&
		    whole.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
	return used;
}

static int open_dir(struct spool *s)
{
	const char *dir = s->options.dir;

	if ((size_t)snprintf(s->dir, sizeof(s->dir), "%s", dir) >=
	    sizeof(s->dir))
		return -ENAMETOOLONG;
	if (!s->options.read_only && mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return -errno;
	return lock(s);
}

static int open_writing(struct spool *s)
{
	s->zeros = memory_map(PREWRITE_LEN);
	s->backlog = memory_map(BACKLOG_MAX * sizeof(*s->backlog));
	if (s->zeros == NULL || s->backlog == NULL || image_open(s) < 0)
		return -ENOMEM;
	int err = pool_init(
	    &s->ref_pages, "refs", sizeof(struct ref_page), REF_PAGES_MAX);

	if (err == 0)
		err = seals_open(s);
	if (err == 0)
		err = reads_open(s);
	if (err == 0)
		err = compact_open(s);
	return err;
}

/* For the files that the quota allows, and those that are there. */
static uint32_t slots_needed(const struct spool *s)
{
	uint32_t found = recover_slots(s->dir_fd);

	return (found > s->segment_limit ? found : s->segment_limit) + 16;
}

static int open_all(struct spool *s)
{
	uint64_t count = s->options.quota_len / s->options.segment_len;
	int err = open_dir(s);

	s->segment_limit =
	    count > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)count;
	if (s->segment_limit < SEGMENTS_MIN)
		s->segment_limit = SEGMENTS_MIN;
	if (err == 0)
		err = segments_open(s, slots_needed(s));
	if (err == 0)
		err = index_open(s);
	if (err == 0 && !s->options.read_only)
		err = open_writing(s);
	return err;
}

void spool_release(struct spool *s)
{
	if (s->segments != NULL)
		segments_close(s);
	if (s->table != NULL)
		index_close(s);
	pool_deinit(&s->ref_pages);
	seals_close(s);
	reads_close(s);
	compact_close(s);
	image_close(s);
	memory_unmap(s->zeros, PREWRITE_LEN);
	memory_unmap(s->backlog, BACKLOG_MAX * sizeof(*s->backlog));
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	munmap(s, sizeof(*s));
}

static void log_refused(struct spool *s, int err)
{
	log_begin(s->log, LOG_ERROR, "spool_open_failed");
	log_str(s->log, "dir", s->options.dir);
	log_number(s->log, "error", -err);
	if (err == -EWOULDBLOCK)
		log_str(s->log, "why", "another process has it");
	if (err == -EXDEV)
		log_str(s->log, "why", "it belongs to another shard");
	if (err == -ENOMEM)
		log_str(s->log, "why", "more messages than the limit");
	log_end(s->log);
}

int spool_open(struct spool **spool, const struct spool_options *options,
    struct loop *loop, struct log *log)
{
	struct spool *s = memory_map(sizeof(*s));

	check(options->segment_len >= 4u << 20);
	check(options->segment_len % (1u << 20) == 0);
	check(options->segment_len <= UINT32_MAX / 2);
	check(options->shard < 256 && options->message_count_max > 0);
	if (s == NULL)
		return -ENOMEM;
	s->options = *options;
	s->loop = loop;
	s->log = log;
	s->dir_fd = -1;
	s->lock_fd = -1;
	s->direct = !options->read_only && !options->plain;
	s->segment_len = (uint32_t)options->segment_len;
	s->next_sequence = 1;
	list_init(&s->chain);
	list_init(&s->spares);
	commits_open(s, 1);
	rescue_open(s);
	*spool = s;
	int err = open_all(s);

	if (err == 0)
		err = recover(s);
	if (err < 0) {
		log_refused(s, err);
		*spool = NULL;
		spool_release(s);
		return err;
	}
	if (!options->read_only)
		compact_run(s);
	return 0;
}

static bool busy(const struct spool *s)
{
	bool sealing = false;

	for (size_t i = 0; i < SEALS; i++)
		sealing |= s->seals[i].segment != NULL;
	return s->lsn_first < s->lsn_next || sealing || s->making != NULL ||
	       s->reads_busy > 0 || s->late_op.busy || s->pump.busy ||
	       compact_busy(s);
}

/* Everything is on disk: the last segment gets its seal. */
static void seal_last(struct spool *s)
{
	if (s->active == NULL || s->open != NULL ||
	    s->lsn_first < s->lsn_next || s->backlog_count > 0)
		return;
	s->active->full = true;
	seals_run(s);
}

static void write_out(struct spool *s)
{
	uint64_t give_up_ms = loop_now_ms(s->loop) + CLOSE_MAX_MS;

	pieces_fail(s, -ECANCELED);
	rescue_retry(s);
	backlog_run(s);
	for (;;) {
		commit_hurry(s);
		seal_last(s);
		if (!busy(s) || loop_now_ms(s->loop) >= give_up_ms)
			return;
		loop_turn(s->loop);
	}
}

void spool_close(struct spool *s)
{
	if (!s->options.read_only) {
		s->closing = true;
		write_out(s);
		timer_disarm(&s->note_timer);
		timer_disarm(&s->failing_timer);
		timer_disarm(&s->tick);
	}
	spool_release(s);
}

bool spool_accepts(const struct spool *s)
{
	return !s->failing && !s->closing &&
	       segments_free(s) > SEGMENT_RESERVE &&
	       s->undurable_len < s->segment_len / 2 &&
	       s->messages.count_used < s->options.message_count_max;
}

int spool_begin(struct spool *s, struct draft *d)
{
	if (s->failing || s->closing)
		return -ENOSPC;
	*d = (struct draft){
	    .id = id_make(s->options.shard, s->next_sequence++),
	    .received_s = (uint32_t)loop_wall_s(s->loop),
	    .received_ms = (uint16_t)(loop_wall_ms(s->loop) % 1000),
	    .begun = true,
	};
	list_init(&draft_inside(d)->link);
	return 0;
}

void spool_abort(struct spool *s, struct draft *d)
{
	check(d->begun);
	/* A piece of it that still waits is told, but not laid. */
	LIST_EACH (node, &s->pieces) {
		struct spool_wait *w =
		    container_of(node, struct spool_wait, link);

		if (wait_inside(w)->object == d)
			wait_inside(w)->object = NULL;
	}
	draft_end(s, d);
	d->begun = false;
}

static int take_message(struct spool *s, const struct draft *d,
    const struct laying *what, struct message **m)
{
	*m = NULL;
	if (s->closing)
		return -ENOSPC;
	*m = index_take(s, d->id, what->rcpt_count);
	return *m == NULL ? -ENOSPC : 0;
}

/* What the record at `l` says, as it will be known. */
static void fill_message(struct message *m, const struct laid *l)
{
	const struct record *r = (const void *)l->at;
	struct message_inside *in = message_inside(m);

	m->content_len = r->content_len;
	m->received_s = r->received_s;
	m->envelope_len = r->envelope_len;
	in->slot = l->segment->slot;
	in->offset = l->offset;
	in->content_crc = r->content_crc;
	in->envelope_crc = r->envelope_crc;
	in->chunk_count = r->count;
	in->head_len = r->head_len;
}

void spool_commit(struct spool *s, struct draft *d, struct slice envelope,
    struct slice head, struct slice tail, struct message *settled,
    const struct note *settles, struct spool_wait *w)
{
	struct envelope e;
	struct slice rcpts;
	struct message *m;
	struct laid l;
	uint32_t note_offset = 0;

	check(d->begun && !w->busy);
	check(envelope_get(envelope, &e, &rcpts));
	check(e.rcpt_count > 0 && e.rcpt_count <= UINT16_MAX);
	struct laying what = {
	    .type = RECORD_MSG,
	    .rcpt_count = (uint16_t)e.rcpt_count,
	    .envelope = envelope,
	    .head = head,
	    .tail = tail,
	};
	int err = take_message(s, d, &what, &m);

	if (err == 0)
		err = draft_lay(s, d, &what, settled,
		    settled == NULL ? NULL : settles, &l, &note_offset);
	d->begun = false;
	w->busy = true;
	list_init(&w->link);
	if (err < 0) {
		if (m != NULL)
			index_give(s, m);
		draft_end(s, d);
		commit_tell_late(s, w, err);
		return;
	}
	fill_message(m, &l);
	m->received_ms = d->received_ms;
	message_inside(m)->pin_slot = draft_pin(s, d, l.segment);
	*wait_inside(w) = (struct wait_inside){
	    .object = m,
	    .kind = WAIT_MESSAGE,
	    .offset = l.offset,
	    .settle_offset = note_offset,
	    .settled_id = note_offset > 0 ? settled->id : 0,
	};
	if (note_offset > 0)
		message_inside(settled)->settling++;
	list_push_back(&l.commit->waits, &w->link);
	commit_add(s, &l, true);
	draft_end(s, d);
}

struct spool_facts spool_facts(const struct spool *s)
{
	return (struct spool_facts){
	    .alive_count = s->alive_count,
	    .alive_len = s->alive_len,
	    .disk_len = (uint64_t)s->file_count * s->segment_len,
	    .quota_len = s->options.quota_len,
	    .segment_count = s->chain_count,
	    .commit_count = s->commit_count,
	    .written_len = s->written_len,
	    .moved_len = s->moved_len,
	    .direct = s->direct,
	    .failing = s->failing,
	};
}
