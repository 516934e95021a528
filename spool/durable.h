/* durable.h -- one write that counts only when it is on stable storage. */
#ifndef SPOOL_DURABLE_H
#define SPOOL_DURABLE_H

#include "spool/state.h"

/* Begins to write; done(d, 0 or -errno) in a later turn.  The bytes, their
 * length and offset are multiples of BLOCK_LEN. */
void durable_write(struct spool *s, struct durable *d, int fd, const void *at,
    uint32_t len, uint64_t offset, void (*done)(struct durable *d, int result));

#endif
