/* list.h -- an intrusive, circular, doubly linked list.
 *
 * A head and a node are the same struct.  A node that is on no list points to
 * itself, so that list_remove() may be called on any node that was
 * initialised. */
#ifndef CORE_BASE_LIST_H
#define CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/check.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert(struct list *after, struct list *node)
{
	node->next = after->next;
	node->prev = after;
	after->next->prev = node;
	after->next = node;
}

static inline void list_push_back(struct list *head, struct list *node)
{
	list_insert(head->prev, node);
}

static inline void list_push_front(struct list *head, struct list *node)
{
	list_insert(head, node);
}

/* Takes the node off its list; harmless when it is on none. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The first node, taken off, or NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_remove(node);
	return node;
}

#define LIST_EACH(node, head)                                                  \
	for (struct list *node = (head)->next; node != (head);                 \
	     node = node->next)

/* Like LIST_EACH; the body may remove `node`. */
#define LIST_EACH_SAFE(node, head)                                             \
	for (struct list *node = (head)->next, *node##_next = node->next;      \
	     node != (head); node = node##_next, node##_next = node->next)

#endif
