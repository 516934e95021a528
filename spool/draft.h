/* draft.h -- a message that is on its way into the log. */
#ifndef SPOOL_DRAFT_H
#define SPOOL_DRAFT_H

#include "spool/commit.h"
#include "spool/state.h"

/* What a MSG or MOVE is made of. */
struct laying {
	enum record_type type;
	uint8_t flags;
	const struct message *from; /* MOVE: its state; else NULL */
	uint16_t rcpt_count;
	struct slice envelope;
	struct slice head;
	struct slice tail;
};
/* Lays the last record of a message, and before it, when `note` is given, the
 * NOTE about `settled` that shares its fate (its offset: *note_offset).  The
 * draft is over when that worked (0); its pieces stay pinned. */
MUST_USE int draft_lay(struct spool *s, struct draft *d,
    const struct laying *what, struct message *settled, const struct note *note,
    struct laid *l, uint32_t *note_offset);

/* The segment that has the oldest piece of a record at `l`; pinned once more
 * unless the draft had pinned it. */
uint32_t draft_pin(struct spool *s, struct draft *d, const struct segment *g);
void draft_unpin(struct spool *s, uint32_t slot);

/* Forgets pieces and pin. */
void draft_end(struct spool *s, struct draft *d);

/* Lays pieces that waited. */
void pieces_run(struct spool *s);
/* Tells all of them that they failed. */
void pieces_fail(struct spool *s, int error);

#endif
