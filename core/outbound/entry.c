/* entry.c -- one message on its way to one destination. */
#include "core/outbound/entry.h"

void entry_link(struct entry *e, struct entry *sibling)
{
	list_init(&e->siblings);
	if (sibling != NULL)
		list_push_back(&sibling->siblings, &e->siblings);
}

struct entry *entry_unlink(struct entry *e)
{
	struct entry *next = entry_sibling(e);

	list_remove(&e->siblings);
	return next == e ? NULL : next;
}
