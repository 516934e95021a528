/* heap.h -- the least key first: an intrusive pairing heap.
 *
 * A node lies in its owner; nothing is ever allocated and nothing can fail.
 * Among equal keys the order is not defined: put a sequence number into the
 * lower bits where it matters. */
#ifndef CORE_BASE_HEAP_H
#define CORE_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"

struct heap_node {
	uint64_t key;
	struct heap_node *child; /* the first of those that are not less */
	struct heap_node *next;	 /* sibling */
	struct heap_node *prev;	 /* sibling, or the parent of a first child */
};

struct heap {
	struct heap_node *root;
	size_t count;
};

static inline void heap_init(struct heap *h)
{
	*h = (struct heap){0};
}

/* The node with the least key, NULL when there is none; it stays. */
static inline struct heap_node *heap_first(const struct heap *h)
{
	return h->root;
}

/* O(1).  `node` is in no heap. */
void heap_insert(struct heap *h, struct heap_node *node, uint64_t key);

/* O(log n), amortised.  `node` is in this heap. */
void heap_remove(struct heap *h, struct heap_node *node);

/* Takes the node with the least key off, NULL when there is none. */
struct heap_node *heap_pop(struct heap *h);

#endif
