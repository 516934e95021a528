/* replay.c -- records, in the order of the log, give what is alive.
 *
 *   MSG, MOVE   the message lies here now, whatever was known of it before
 *   NOTE        changes it, if it is known
 *   DONE        ends it, if it is known
 *
 * A NOTE or DONE of a message that is not known is of one whose segment was
 * given back, or of one that was moved later: the MOVE has all of it. */
#include "spool/replay.h"

#include <errno.h>

#include "core/base/id.h"
#include "spool/envelope.h"
#include "spool/index.h"
#include "spool/note.h"
#include "spool/segment.h"

/* Beyond the sequence of every id that was seen. */
static void heed_id(struct spool *s, uint64_t id)
{
	uint64_t sequence = id & (((uint64_t)1 << ID_SHARD_SHIFT) - 1);

	if (sequence >= s->next_sequence)
		s->next_sequence = sequence + 1;
}

static void forget(struct spool *s, uint64_t id)
{
	struct message *m = spool_find(s, id);

	if (m == NULL)
		return;
	index_remove(s, m);
	index_give(s, m);
}

/* A copy of what could not be read has at least its recipients, or is lost. */
static bool envelope_there(const struct record *r)
{
	struct envelope e;
	struct slice rest;

	return (r->flags & RECORD_DAMAGED) == 0 ||
	       envelope_get(slice_of((const uint8_t *)(r + 1), r->envelope_len),
		   &e, &rest);
}

static void replay_message(struct replay *p, struct segment *g,
    const struct record *r, uint32_t offset, uint32_t first_number)
{
	struct spool *s = p->spool;

	forget(s, r->id);
	/* A segment with a piece of it was given back: it was finished, and
	 * only its DONE was not on disk yet. */
	if (first_number < p->oldest)
		return;
	if (!envelope_there(r)) {
		p->lost_count++;
		return;
	}
	struct message *m = index_take(s, r->id, r->rcpt_count);
	struct segment *first = segment_find(s, first_number);

	if (m == NULL) {
		p->error = -ENOMEM;
		return;
	}
	m->content_len = r->content_len;
	m->received_s = r->received_s;
	m->due_s = r->due_s;
	m->attempt_count = r->attempt_count;
	m->envelope_len = r->envelope_len;
	struct message_inside *in = message_inside(m);

	in->slot = g->slot;
	in->offset = offset;
	in->pin_slot = first != NULL ? first->slot : g->slot;
	in->content_crc = r->content_crc;
	in->envelope_crc = r->envelope_crc;
	in->chunk_count = r->count;
	in->head_len = r->head_len;
	in->damaged = (r->flags & RECORD_DAMAGED) != 0;
	in->moved = r->type == RECORD_MOVE;
	if (in->moved)
		message_set_bits(m, (const uint8_t *)(r + 1) + r->envelope_len);
	index_insert(s, m);
}

static void tell(struct spool *s, const struct segment *g,
    const struct record *r, uint32_t offset)
{
	struct message *m = spool_find(s, r->id);

	if (m == NULL || message_inside(m)->slot != g->slot ||
	    message_inside(m)->offset != offset)
		return;
	s->options.ready(s->options.arg, m,
	    slice_of((const uint8_t *)(r + 1), r->envelope_len));
}

void replay_record(struct replay *p, struct segment *g, const struct record *r,
    uint32_t offset, uint32_t first_number)
{
	struct spool *s = p->spool;
	struct message *m;

	g->record_count += p->telling ? 0 : 1;
	heed_id(s, r->id);
	switch ((enum record_type)r->type) {
	case RECORD_MSG:
	case RECORD_MOVE:
		if (p->telling)
			tell(s, g, r, offset);
		else
			replay_message(p, g, r, offset, first_number);
		return;
	case RECORD_NOTE:
		m = p->telling ? NULL : spool_find(s, r->id);
		if (m != NULL)
			note_apply(m, r);
		return;
	case RECORD_DONE:
		if (!p->telling)
			forget(s, r->id);
		return;
	case RECORD_CHUNK: return;
	}
}
