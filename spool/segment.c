/* segment.c -- the files of a shard: made, begun, read, given back.
 *
 *   offset 0        the first block: struct segment_block, once each use
 *   from 4096 on    commits, each on a fresh block
 *   ...             the seal, when the segment is full, so that it ends
 *   at its end      the last block: struct segment_block with the seal's place
 *
 * A file keeps its name, <slot in hex>.seg, whatever it holds: what a segment
 * is stands in its blocks.  A use begins with a new number, higher than any
 * before, and a new seed, in the first block; so the file's old content is
 * void at once, and no name and no directory changes when files are reused.
 *
 * The log is the chain of segments by number.  Segments are given back at its
 * old end only.  A spare still looks like the segment it was, and a crash may
 * make it one again: with nothing alive in it, as long as the outcomes in later
 * segments are still there.  So spares are used again, or removed, in the order
 * in which they were given back; and first when a block or commit is on disk
 * that says which number is the oldest that is needed. */
#include "spool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "spool/commit.h"
#include "spool/durable.h"
#include "spool/image.h"
#include "spool/rescue.h"
#include "spool/seal.h"

#define NAME_LEN 16

static void segment_name(uint32_t slot, char name[NAME_LEN])
{
	snprintf(name, NAME_LEN, "%08x.seg", slot);
}

int64_t segment_slot_of(const char *name)
{
	char *end;
	char again[NAME_LEN];
	unsigned long slot = strtoul(name, &end, 16);

	if (slot > UINT32_MAX)
		return -1;
	segment_name((uint32_t)slot, again);
	return strcmp(name, again) == 0 ? (int64_t)slot : -1;
}

int segments_open(struct spool *s, uint32_t slots)
{
	s->segments = memory_map(slots * sizeof(*s->segments));
	if (s->segments == NULL)
		return -ENOMEM;
	s->segment_slots = slots;
	for (uint32_t i = 0; i < slots; i++) {
		s->segments[i] = (struct segment){.slot = i, .fd = -1};
		list_init(&s->segments[i].link);
	}
	return 0;
}

void segments_close(struct spool *s)
{
	for (uint32_t i = 0; i < s->segment_slots; i++)
		if (s->segments[i].fd >= 0)
			close(s->segments[i].fd);
	memory_unmap(s->segments, s->segment_slots * sizeof(*s->segments));
}

/* Closes a descriptor that is only kept for reading. */
static void close_one_fd(struct spool *s)
{
	LIST_EACH (node, &s->chain) {
		struct segment *g = container_of(node, struct segment, link);

		if (g->fd >= 0 && g->read_count == 0 && g->seal == NULL &&
		    g->full && (s->recovering || g->last_lsn < s->lsn_first)) {
			close(g->fd);
			g->fd = -1;
			s->fd_count--;
			return;
		}
	}
}

static int open_file(struct spool *s, struct segment *g, int flags)
{
	char name[NAME_LEN];

	segment_name(g->slot, name);
	flags |= O_CLOEXEC | (s->options.read_only ? O_RDONLY : O_RDWR);
	int fd = -1;

	if (s->direct)
		fd = openat(s->dir_fd, name, flags | O_DIRECT, 0600);
	if (fd < 0 && s->direct && errno == EINVAL) {
		s->direct = false; /* a file system without it */
		flags &= ~O_EXCL;  /* some have made the file by now */
	}
	if (fd < 0 && !s->direct)
		fd = openat(s->dir_fd, name, flags, 0600);
	if (fd < 0)
		return -errno;
	g->fd = fd;
	s->fd_count++;
	return fd;
}

int segment_fd(struct spool *s, struct segment *g)
{
	if (g->fd >= 0)
		return g->fd;
	if (s->fd_count >= SEGMENT_FD_MAX)
		close_one_fd(s);
	return open_file(s, g, 0);
}

static struct segment *free_slot(struct spool *s)
{
	for (uint32_t i = 0; i < s->segment_slots; i++)
		if (s->segments[i].state == SEGMENT_NONE)
			return &s->segments[i];
	return NULL;
}

void segment_unmake(struct spool *s, struct segment *g)
{
	char name[NAME_LEN];

	if (g->fd >= 0) {
		close(g->fd);
		s->fd_count--;
	}
	if (g->state == SEGMENT_SPARE && !list_empty(&g->link)) {
		list_remove(&g->link);
		s->spare_count--;
	}
	segment_name(g->slot, name);
	unlinkat(s->dir_fd, name, 0);
	s->file_count--;
	*g = (struct segment){.slot = g->slot, .fd = -1};
	list_init(&g->link);
}

/* All of its blocks, so that no later write can find the disk full.  A file
 * system that cannot promise them gets a sparse file, and may. */
static int allocate(int fd, uint32_t len)
{
	if (fallocate(fd, 0, 0, len) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	return ftruncate(fd, len) == 0 ? 0 : -errno;
}

struct segment *segment_make(struct spool *s, int *err)
{
	struct segment *g = NULL;

	*err = -ENOSPC;
	if (s->file_count < s->segment_limit + SEGMENT_OVERRUN)
		g = free_slot(s);
	if (g == NULL)
		return NULL;
	*err = open_file(s, g, O_CREAT | O_EXCL);
	if (*err < 0)
		return NULL;
	s->file_count++;
	g->state = SEGMENT_MAKING;
	g->len = s->segment_len;
	*err = allocate(g->fd, g->len);
	if (*err == 0)
		return g;
	s->disk_full = true;
	s->disk_full_ms = s->loop == NULL ? 0 : loop_now_ms(s->loop);
	segment_unmake(s, g);
	return NULL;
}

int segment_sync_dir(struct spool *s)
{
	return fsync(s->dir_fd) == 0 ? 0 : -errno;
}

void segment_to_spares(struct spool *s, struct segment *g)
{
	*g = (struct segment){
	    .slot = g->slot,
	    .fd = g->fd,
	    .len = g->len,
	    .state = SEGMENT_SPARE,
	    .number = g->number,
	    .poisoned = g->poisoned,
	};
	list_init(&g->link);
	list_push_back(&s->spares, &g->link);
	s->spare_count++;
}

/* The first spare, off the list; NULL = none. */
static struct segment *pop_spare(struct spool *s)
{
	struct list *node = list_pop_front(&s->spares);

	if (node == NULL)
		return NULL;
	s->spare_count--;
	return container_of(node, struct segment, link);
}

/* Whether a crash could not make the first spare a segment again. */
static bool first_void(const struct spool *s)
{
	return s->spare_count > 0 &&
	       container_of(s->spares.next, struct segment, link)->number <
		   s->oldest_durable;
}

void segments_trim(struct spool *s)
{
	while (first_void(s) && (s->spare_count > SPARES_KEPT_MAX ||
				    s->file_count > s->segment_limit))
		segment_unmake(
		    s, container_of(s->spares.next, struct segment, link));
}

/* The first of the spares that can be used; what cannot is removed. */
static struct segment *use_spare(struct spool *s, bool first_must_be_void)
{
	while (!first_must_be_void || first_void(s)) {
		struct segment *g = pop_spare(s);

		if (g == NULL)
			return NULL;
		if (!g->poisoned && g->len == s->segment_len &&
		    segment_fd(s, g) >= 0)
			return g;
		segment_unmake(s, g);
	}
	return NULL;
}

static struct segment *take_spare(struct spool *s, int *err)
{
	struct segment *g = use_spare(s, true);

	if (g != NULL)
		return g;
	g = segment_make(s, err);
	if (g == NULL)
		return use_spare(s, false);
	*err = segment_sync_dir(s);
	if (*err < 0) {
		segment_unmake(s, g);
		return NULL;
	}
	return g;
}

struct segment_block segment_block_of(
    const struct spool *s, const struct segment *g)
{
	struct segment_block b = {
	    .shard = s->options.shard,
	    .number = g->number,
	    .oldest = chain_oldest(s),
	    .seed = g->seed,
	    .first_lsn = g->first_lsn,
	    .next_sequence = s->next_sequence,
	    .segment_len = g->len,
	};

	if (b.oldest > b.number)
		b.oldest = b.number;
	return b;
}

static void on_begun(struct durable *d, int result)
{
	struct seal *seal = container_of(d, struct seal, block_write);
	struct segment *g = seal->segment;

	if (result < 0) {
		rescue_begin(d->spool, g, result);
	} else {
		g->begun = true;
		memcpy(&d->spool->oldest_durable,
		    seal->block + offsetof(struct segment_block, oldest),
		    sizeof(uint32_t));
		rescue_begun(d->spool);
		commit_pump(d->spool);
	}
	rescue_run(d->spool);
}

void segment_number(struct spool *s, struct segment *g)
{
	g->number = ++s->number_last;
	g->begun = false;
	/* Not a secret for long, but nobody can know it in advance. */
	if (getrandom(&g->seed, sizeof(g->seed), 0) != sizeof(g->seed))
		g->seed =
		    g->number * 2654435761u ^ (uint32_t)loop_wall_ms(s->loop);
	struct segment_block b = segment_block_of(s, g);

	segment_block_seal(&b);
	memcpy(g->seal->block, &b, sizeof(b));
	durable_write(s, &g->seal->block_write, g->fd, g->seal->block,
	    BLOCK_LEN, 0, on_begun);
}

int segment_take(struct spool *s)
{
	struct seal *seal = seal_free(s);
	int err;

	if (seal == NULL)
		return -EAGAIN;
	struct segment *g = take_spare(s, &err);

	if (g == NULL)
		return err;
	*g = (struct segment){
	    .slot = g->slot,
	    .fd = g->fd,
	    .len = g->len,
	    .state = SEGMENT_LOG,
	    .start = BLOCK_LEN,
	    .fill = BLOCK_LEN,
	    .image_base = image_base_next(s),
	    .first_lsn = s->lsn_next,
	    .last_lsn = s->lsn_next - 1,
	};
	list_init(&g->link);
	seal_take(seal, g);
	list_push_back(&s->chain, &g->link);
	s->chain_count++;
	s->active = g;
	return 0;
}

int segment_begin(struct spool *s)
{
	int err = segment_take(s);

	if (err == 0)
		segment_number(s, s->active);
	return err;
}

bool segment_fits(const struct segment *g, uint64_t end, uint32_t entry_len)
{
	uint64_t seal_len =
	    round_up((uint64_t)g->seal->len + entry_len, BLOCK_LEN);

	return round_up(end, BLOCK_LEN) + seal_len + BLOCK_LEN <= g->len;
}

struct segment *segment_find(struct spool *s, uint32_t number)
{
	/* Newest first: chunks are looked up soon after they were written. */
	for (struct list *node = s->chain.prev; node != &s->chain;
	     node = node->prev) {
		struct segment *g = container_of(node, struct segment, link);

		if (g->number == number)
			return g;
	}
	return NULL;
}

uint32_t segments_free(const struct spool *s)
{
	uint32_t count = s->spare_count;

	if (!s->disk_full && s->segment_limit > s->file_count)
		count += s->segment_limit - s->file_count;
	return count;
}

/* What the log is, where it ends and which ids were used stands in the newest
 * segment that the disk knows. */
static bool newest_begun(const struct spool *s, const struct segment *g)
{
	struct list *node = g->link.next;

	while (node != &s->chain &&
	       !container_of(node, struct segment, link)->begun)
		node = node->next;
	return node == &s->chain;
}

static bool needed(const struct spool *s, const struct segment *g)
{
	return g == s->active || newest_begun(s, g) || !g->full ||
	       g->alive_count > 0 || g->pin_count > 0 || g->read_count > 0 ||
	       g->seal != NULL || g->last_lsn >= s->lsn_first;
}

bool segment_reclaim(struct spool *s)
{
	bool any = false;

	while (s->chain.next != &s->chain) {
		struct segment *g =
		    container_of(s->chain.next, struct segment, link);

		if (needed(s, g))
			return any;
		list_remove(&g->link);
		s->chain_count--;
		any = true;
		segment_to_spares(s, g);
		segments_trim(s);
	}
	return any;
}
