/* pool.c -- objects of one kind, at most so many.
 *
 * A free object's first word is the link to the next free one.  Last in, first
 * out: the object that is handed out is the one that is warm in the cache. */
#include "core/base/pool.h"

#include <errno.h>
#include <sys/mman.h>

int pool_init(
    struct pool *p, const char *name, size_t object_len, size_t count_max)
{
	check(object_len > 0);
	check(count_max > 0);
	object_len = (object_len + 15) & ~(size_t)15;
	void *base = mmap(NULL, object_len * count_max, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	*p = (struct pool){
	    .name = name,
	    .base = base,
	    .object_len = object_len,
	    .count_max = count_max,
	};
	return 0;
}

void pool_deinit(struct pool *p)
{
	if (p->base != NULL)
		munmap(p->base, p->object_len * p->count_max);
	*p = (struct pool){0};
}

void *pool_take(struct pool *p)
{
	void *object = p->free;

	if (object != NULL) {
		p->free = *(void **)object;
	} else {
		if (p->count_fresh == p->count_max)
			return NULL;
		object = p->base + p->object_len * p->count_fresh++;
	}
	p->count_used++;
	return object;
}

void pool_give(struct pool *p, void *object)
{
	size_t offset = (size_t)((uint8_t *)object - p->base);

	check((uint8_t *)object >= p->base);
	check(offset < p->object_len * p->count_fresh);
	check(offset % p->object_len == 0);
	check(p->count_used > 0);
	p->count_used--;
	*(void **)object = p->free;
	p->free = object;
}
