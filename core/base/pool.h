/* pool.h -- objects of one kind, at most so many.
 *
 * Address space for all of them is reserved when the pool is made; memory is
 * taken page by page as objects are first used and then stays.  "No more" is
 * an answer (NULL), not an accident. */
#ifndef CORE_BASE_POOL_H
#define CORE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"

struct pool {
	const char *name; /* for messages */
	uint8_t *base;
	size_t object_len; /* bytes of one, rounded up to 16 */
	size_t count_max;
	size_t count_fresh; /* objects that were ever handed out */
	size_t count_used;  /* objects out now */
	void *free;	    /* given back, last in first out */
};

/* Returns 0 or -ENOMEM.  `name` must outlive the pool. */
MUST_USE int pool_init(struct pool *p, const char *name, size_t object_len,
    size_t count_max);

/* Gives the address space back; objects still out are gone with it. */
void pool_deinit(struct pool *p);

/* An object whose bytes are undefined, or NULL when all are out. */
MUST_USE void *pool_take(struct pool *p);

/* Gives back what pool_take of the same pool returned. */
void pool_give(struct pool *p, void *object);

#endif
