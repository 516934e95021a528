/* spare.c -- segments written before they are needed.
 *
 * The first write to blocks that are only allocated changes metadata, and so
 * costs a commit of the file system's journal besides our own: a file that was
 * written before takes a commit in half the time.  So while traffic flows, new
 * files are filled with zeros in the background, one write at a time; later
 * they are used again and again.  Nothing is written in advance before a
 * quarter of a segment was used: an idle relay does no I/O. */
#include "spool/spare.h"

#include "spool/segment.h"

enum make_step {
	MAKE_FILL,     /* zeros */
	MAKE_SYNC,     /* the file */
	MAKE_SYNC_DIR, /* its name */
};

static void on_step(struct op *op, int result);

static void run(struct spool *s)
{
	struct segment *g = s->making;

	switch ((enum make_step)s->make_step) {
	case MAKE_FILL:
		loop_write(s->loop, &s->make_op, g->fd, s->zeros, PREWRITE_LEN,
		    s->make_offset, false, on_step);
		return;
	case MAKE_SYNC:
		loop_fdatasync(s->loop, &s->make_op, g->fd, on_step);
		return;
	case MAKE_SYNC_DIR:
		loop_fdatasync(s->loop, &s->make_op, s->dir_fd, on_step);
		return;
	}
}

static void end(struct spool *s, bool good)
{
	struct segment *g = s->making;

	s->making = NULL;
	if (good) {
		segment_to_spares(s, g);
		return;
	}
	segment_unmake(s, g);
	s->disk_full = true;
	s->disk_full_ms = loop_now_ms(s->loop);
}

static void on_step(struct op *op, int result)
{
	struct spool *s = container_of(op, struct spool, make_op);

	if (result < 0 || (s->make_step == MAKE_FILL && result == 0)) {
		end(s, false);
		return;
	}
	switch ((enum make_step)s->make_step) {
	case MAKE_FILL:
		s->make_offset += (uint32_t)result / BLOCK_LEN * BLOCK_LEN;
		if (s->make_offset >= s->making->len || s->closing)
			s->make_step = MAKE_SYNC;
		break;
	case MAKE_SYNC: s->make_step = MAKE_SYNC_DIR; break;
	case MAKE_SYNC_DIR: end(s, true); return;
	}
	run(s);
}

void spares_run(struct spool *s)
{
	int err;

	if (s->making != NULL || s->closing || s->failing || s->disk_full ||
	    s->spare_count >= SPARES_WANTED || s->active == NULL ||
	    s->file_count >= s->segment_limit)
		return;
	if (s->number_last == s->active->number && s->chain_count == 1 &&
	    s->active->fill < s->active->len / 4)
		return;
	s->making = segment_make(s, &err);
	if (s->making == NULL)
		return;
	s->make_step = MAKE_FILL;
	s->make_offset = 0;
	run(s);
}
