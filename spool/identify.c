/* identify.c -- what each file of the directory is.
 *
 * It stands in the first block.  If that is damaged, or was torn when a spare
 * was to be used again, the last block of a sealed segment says the same, and
 * of another one the head of its first commit says enough to read the rest. */
#include "spool/identify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/recover.h"
#include "spool/segment.h"

void recovery_damaged(struct recovery *r, struct segment *g, const char *what)
{
	g->damage_count++;
	r->spool->damage_count++;
	if (r->replay.telling)
		return;
	log_begin(r->spool->log, LOG_ERROR, "spool_damaged");
	log_str(r->spool->log, "dir", r->spool->dir);
	log_number(r->spool->log, "segment", g->number);
	log_str(r->spool->log, "what", what);
	log_end(r->spool->log);
}

void recovery_load(
    struct recovery *r, struct segment *g, uint32_t from, uint32_t len)
{
	uint32_t step = 1u << 20;
	int fd = segment_fd(r->spool, g);

	for (uint32_t done = 0; done < len;) {
		uint32_t want = len - done < step ? len - done : step;
		ssize_t got =
		    pread(fd, r->memory + done, want, (off_t)from + done);

		if (got >= (ssize_t)BLOCK_LEN ||
		    (got > 0 && want < BLOCK_LEN)) {
			done += (uint32_t)got / BLOCK_LEN * BLOCK_LEN;
			continue;
		}
		if (want > BLOCK_LEN) {
			step = BLOCK_LEN; /* find the bad block */
			continue;
		}
		memset(r->memory + done, 0, want);
		done += want;
	}
}

static void load_whole(struct recovery *r, struct segment *g)
{
	if (r->loaded == g)
		return;
	recovery_load(r, g, 0, g->len);
	r->loaded = g;
}

struct scan recovery_scan(struct recovery *r, struct segment *g)
{
	load_whole(r, g);
	return (struct scan){
	    .at = r->memory,
	    .len = g->len,
	    .number = g->number,
	    .seed = g->seed,
	    .last_lsn = g->last_lsn,
	};
}

static void become(struct segment *g, const struct segment_block *b)
{
	g->state = SEGMENT_LOG;
	g->number = b->number;
	g->seed = b->seed;
	g->first_lsn = b->first_lsn;
	g->len = (uint32_t)b->segment_len;
	g->start = BLOCK_LEN;
	g->fill = g->len;
	g->begun = true;
	g->full = true;
}

/* Both blocks are lost; a commit says enough to read the others. */
static bool identify_by_commit(struct recovery *r, struct segment *g)
{
	struct commit_head head;

	recovery_load(r, g, BLOCK_LEN, BLOCK_LEN);
	memcpy(&head, r->memory, sizeof(head));
	if (!commit_head_good(&head, head.seed) || head.offset != BLOCK_LEN ||
	    head.number == 0)
		return false;
	struct segment_block b = {
	    .number = head.number,
	    .seed = head.seed,
	    .first_lsn = head.lsn,
	    .segment_len = g->len,
	};

	become(g, &b);
	return true;
}

static void heed(struct recovery *r, const struct segment_block *b)
{
	struct spool *s = r->spool;

	if (b->oldest > r->oldest)
		r->oldest = b->oldest;
	if (b->number > s->number_last)
		s->number_last = b->number;
	if (b->next_sequence > s->next_sequence)
		s->next_sequence = b->next_sequence;
	if (s->options.read_only)
		s->options.shard = b->shard;
	else if (b->shard != s->options.shard)
		r->error = -EXDEV;
}

/* Finds out what a file is. */
static void identify(struct recovery *r, struct segment *g)
{
	struct segment_block first;
	struct segment_block last;

	recovery_load(r, g, 0, BLOCK_LEN);
	memcpy(&first, r->memory, sizeof(first));
	recovery_load(r, g, g->len - BLOCK_LEN, BLOCK_LEN);
	memcpy(&last, r->memory, sizeof(last));
	bool first_good = segment_block_good(&first);
	bool last_good = segment_block_good(&last) && last.seal_len > 0 &&
			 last.segment_len == g->len;

	if (first_good)
		heed(r, &first);
	if (last_good)
		heed(r, &last);
	if (first_good)
		become(g, &first);
	else if (last_good)
		become(g, &last);
	else if (!identify_by_commit(r, g))
		return;
	if (g->number > r->spool->number_last)
		r->spool->number_last = g->number;
	g->block_lost = !first_good;
	g->sealed = last_good && last.number == g->number;
	if (g->sealed) {
		g->fill = last.fill;
		g->first_lsn = last.first_lsn;
	}
}

static int open_file(struct recovery *r, struct segment *g)
{
	struct stat facts;
	int fd = segment_fd(r->spool, g);

	if (fd < 0)
		return fd;
	if (fstat(fd, &facts) < 0)
		return -errno;
	r->spool->file_count++;
	g->state = SEGMENT_SPARE;
	if (facts.st_size < 4 * (off_t)BLOCK_LEN ||
	    facts.st_size > (off_t)UINT32_MAX / BLOCK_LEN * BLOCK_LEN)
		return 0; /* its making was interrupted */
	g->len = (uint32_t)(facts.st_size / BLOCK_LEN * BLOCK_LEN);
	if (g->len > r->memory_len) {
		memory_unmap(r->memory, r->memory_len);
		r->memory = memory_map(g->len);
		r->memory_len = g->len;
	}
	if (r->memory == NULL)
		return -ENOMEM;
	identify(r, g);
	if (r->spool->fd_count > SEGMENT_FD_MAX) {
		close(g->fd);
		g->fd = -1;
		r->spool->fd_count--;
	}
	return r->error;
}

/* The directory, to be read from its start; NULL = cannot. */
static DIR *list_dir(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		close(fd);
	return dir;
}

uint32_t recover_slots(int dir_fd)
{
	DIR *dir = list_dir(dir_fd);
	uint32_t count = 0;

	if (dir == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		int64_t slot = segment_slot_of(entry->d_name);

		if (slot >= count && slot < INT32_MAX)
			count = (uint32_t)slot + 1;
	}
	closedir(dir);
	return count;
}

int identify_all(struct recovery *r)
{
	struct spool *s = r->spool;
	DIR *dir = list_dir(s->dir_fd);
	int err = 0;

	if (dir == NULL)
		return -EIO;
	for (struct dirent *entry;
	     err == 0 && (entry = readdir(dir)) != NULL;) {
		int64_t slot = segment_slot_of(entry->d_name);

		if (slot >= 0 && slot < (int64_t)s->segment_slots)
			err = open_file(r, &s->segments[slot]);
	}
	closedir(dir);
	return err;
}
