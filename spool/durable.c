/* durable.c -- one write that counts only when it is on stable storage.
 *
 * Where O_DIRECT works, one write with RWF_DSYNC.  Every write of the log is
 * such a one: on disks with FUA it does not flush what was written before it.
 * Elsewhere (tmpfs, some overlays) an ordinary write and then fdatasync.
 *
 * After an error nothing is tried again here: a failed fdatasync may be
 * reported once only, while the pages are marked clean.  A short write that
 * ends on a block is no error and is continued. */
#include "spool/durable.h"

#include <errno.h>

static void run(struct durable *d);

static void on_synced(struct op *op, int result)
{
	struct durable *d = container_of(op, struct durable, op);

	d->done(d, result < 0 ? result : 0);
}

static void on_written(struct op *op, int result)
{
	struct durable *d = container_of(op, struct durable, op);

	if (result > 0 && (result % (int)BLOCK_LEN != 0 ||
			      (uint32_t)result > d->len - d->written))
		result = -EIO;
	if (result <= 0) {
		d->done(d, result < 0 ? result : -EIO);
		return;
	}
	d->written += (uint32_t)result;
	run(d);
}

static void run(struct durable *d)
{
	struct spool *s = d->spool;

	if (d->written < d->len)
		loop_write(s->loop, &d->op, d->fd, d->at + d->written,
		    d->len - d->written, d->offset + d->written, s->direct,
		    on_written);
	else if (s->direct)
		d->done(d, 0);
	else
		loop_fdatasync(s->loop, &d->op, d->fd, on_synced);
}

void durable_write(struct spool *s, struct durable *d, int fd, const void *at,
    uint32_t len, uint64_t offset, void (*done)(struct durable *d, int result))
{
	check(len > 0 && len % BLOCK_LEN == 0 && offset % BLOCK_LEN == 0);
	*d = (struct durable){
	    .spool = s,
	    .done = done,
	    .at = at,
	    .offset = offset,
	    .len = len,
	    .fd = fd,
	};
	run(d);
}
