/* heap.c -- the least key first: an intrusive pairing heap.
 *
 * A tree in which no child is less than its parent.  Two trees are joined by
 * making one the first child of the other.  When a root goes, its children are
 * joined two by two from the left, and those pairs from the right into one:
 * that order is what gives O(log n) on average over many removals.  A single
 * removal after n insertions may take O(n) once.
 *
 * The nodes of one level are linked both ways, so that any node can leave. */
#include "core/base/heap.h"

static struct heap_node *join(struct heap_node *a, struct heap_node *b)
{
	if (b->key < a->key) {
		struct heap_node *swap = a;

		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next != NULL)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/* Joins the siblings that begin with `first` into one tree. */
static struct heap_node *join_all(struct heap_node *first)
{
	struct heap_node *pairs = NULL;

	while (first != NULL) {
		struct heap_node *a = first;
		struct heap_node *b = a->next;

		first = b == NULL ? NULL : b->next;
		a->next = NULL;
		if (b != NULL)
			a = join(a, b);
		/* The last pair becomes the first of this chain. */
		a->next = pairs;
		pairs = a;
	}
	if (pairs == NULL)
		return NULL;
	struct heap_node *root = pairs;
	pairs = root->next;
	while (pairs != NULL) {
		struct heap_node *pair = pairs;

		pairs = pair->next;
		root = join(root, pair);
	}
	root->next = NULL;
	root->prev = NULL;
	return root;
}

void heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
	*node = (struct heap_node){.key = key};
	if (h->root == NULL)
		h->root = node;
	else
		h->root = join(h->root, node);
	h->root->next = NULL;
	h->root->prev = NULL;
	h->count++;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	check(h->count > 0);
	if (node == h->root) {
		h->root = join_all(node->child);
	} else {
		struct heap_node *rest;

		check(node->prev != NULL);
		if (node->prev->child == node)
			node->prev->child = node->next;
		else
			node->prev->next = node->next;
		if (node->next != NULL)
			node->next->prev = node->prev;
		rest = join_all(node->child);
		if (rest != NULL)
			h->root = join(h->root, rest);
		h->root->next = NULL;
		h->root->prev = NULL;
	}
	*node = (struct heap_node){0};
	h->count--;
}

struct heap_node *heap_pop(struct heap *h)
{
	struct heap_node *node = h->root;

	if (node != NULL)
		heap_remove(h, node);
	return node;
}
