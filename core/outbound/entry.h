/* entry.h -- one message on its way to one destination.
 *
 * Read by everybody, written by the scheduler only.  The entries of a message
 * form a ring; any of them stands for all. */
#ifndef CORE_OUTBOUND_ENTRY_H
#define CORE_OUTBOUND_ENTRY_H

#include <stdint.h>

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/list.h"

struct destination;

enum entry_state {
	ENTRY_READY,	/* due; waits for a connection */
	ENTRY_BY_REPLY, /* put off, until due_s */
	ENTRY_BY_SITE,	/* put off, until due_s or until the site is back */
	ENTRY_TAKEN,	/* an attempt is under way */
	ENTRY_REFUSED,	/* handed out by SCHEDULE_PUT_OFF */
};

struct entry {
	struct destination *destination;
	void *message;
	uint32_t received_s;
	uint32_t due_s;
	uint16_t attempt_count;
	uint8_t state; /* enum entry_state */
	/* private: */
	struct list siblings; /* the ring */
	union {
		struct list link;      /* READY */
		struct heap_node wait; /* BY_REPLY, BY_SITE: key = due, order */
	};
};

/* 200 000 of them wait in 16 MB. */
_Static_assert(sizeof(struct entry) <= 112, "an entry stays small");

/* The next in the ring: `e` itself when it is alone. */
static inline struct entry *entry_sibling(const struct entry *e)
{
	return container_of(e->siblings.next, struct entry, siblings);
}

/* Puts `e` into the ring of `sibling`; NULL = it is the first. */
void entry_link(struct entry *e, struct entry *sibling);
/* Takes it out; returns one that is left, NULL = none. */
struct entry *entry_unlink(struct entry *e);

#endif
