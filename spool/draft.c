/* draft.c -- a message that is on its way into the log.
 *
 * A small message is laid in one go when it is complete, so an aborted one
 * leaves no trace.  Of a big one each piece of RECORD_PIECE_LEN goes into the
 * log as a CHUNK when it comes, and the draft remembers where (ref_pages); the
 * final record lists them.  A piece waits in its owner's memory while too much
 * is on its way to the disk; so a fast sender waits for the disk, and memory
 * stays bounded.
 *
 * Pieces keep their segment, and with it all later ones, from being given back
 * (pin_count).  A sender that dawdles while the quota runs out loses: the draft
 * is doomed (compact.c), and its next step fails. */
#include "spool/draft.h"

#include <errno.h>

#include "spool/crc.h"
#include "spool/image.h"
#include "spool/index.h"
#include "spool/note.h"
#include "spool/segment.h"

#define LONG_CHUNKS 32u /* of 64 KiB: a message that fills the image */

static void pin(struct spool *s, struct draft_inside *in, uint32_t slot)
{
	in->pin_slot = slot + 1;
	s->segments[slot].pin_count++;
}

void draft_unpin(struct spool *s, uint32_t slot)
{
	check(s->segments[slot].pin_count > 0);
	s->segments[slot].pin_count--;
}

uint32_t draft_pin(struct spool *s, struct draft *d, const struct segment *g)
{
	struct draft_inside *in = draft_inside(d);

	if (in->pin_slot == 0)
		pin(s, in, g->slot);
	uint32_t slot = in->pin_slot - 1;

	in->pin_slot = 0; /* it is the caller's now */
	return slot;
}

void draft_end(struct spool *s, struct draft *d)
{
	struct draft_inside *in = draft_inside(d);

	while (in->first != NULL) {
		struct ref_page *next = in->first->next;

		pool_give(&s->ref_pages, in->first);
		in->first = next;
	}
	in->last = NULL;
	if (in->pin_slot != 0)
		draft_unpin(s, in->pin_slot - 1);
	in->pin_slot = 0;
	list_remove(&in->link);
}

static int add_ref(struct spool *s, struct draft *d, struct chunk_ref ref)
{
	struct draft_inside *in = draft_inside(d);

	if (in->last == NULL || in->last->count == COUNT(in->last->refs)) {
		struct ref_page *page = pool_take(&s->ref_pages);

		if (page == NULL)
			return -ENOSPC;
		page->next = NULL;
		page->count = 0;
		if (in->last == NULL)
			in->first = page;
		else
			in->last->next = page;
		in->last = page;
	}
	in->last->refs[in->last->count++] = ref;
	in->chunk_count++;
	return 0;
}

/* Lays the piece as a CHUNK. */
static int lay_piece(struct spool *s, struct draft *d, const uint8_t *piece)
{
	struct draft_inside *in = draft_inside(d);
	struct laid l;
	struct record r = {
	    .type = RECORD_CHUNK,
	    .id = d->id,
	    .content_len = RECORD_PIECE_LEN,
	    .count = in->chunk_count,
	    .len = sizeof(r) + RECORD_PIECE_LEN,
	};

	if (in->chunk_count == RECORD_COUNT_MAX)
		return -EFBIG;
	if (segments_free(s) < SEGMENT_RESERVE &&
	    commit_needs_segment(s, r.len, 0))
		return -ENOSPC;
	int err = commit_lay(s, r.len, 0, &l);

	if (err < 0)
		return err;
	r.content_crc = crc32c(0, piece, RECORD_PIECE_LEN);
	struct chunk_ref ref = {
	    .number = l.segment->number,
	    .offset = l.offset,
	    .crc = r.content_crc,
	};
	err = add_ref(s, d, ref);
	if (err < 0)
		return err;
	if (in->pin_slot == 0) {
		pin(s, in, l.segment->slot);
		list_push_back(&s->drafts, &in->link);
	}
	memcpy(l.at, &r, sizeof(r));
	memcpy(l.at + sizeof(r), piece, RECORD_PIECE_LEN);
	commit_add(s, &l, true);
	d->body_len += RECORD_PIECE_LEN;
	if (in->chunk_count > LONG_CHUNKS)
		image_shorten(s);
	return 0;
}

/* The other half is for notes, reports and pieces. */
bool spool_has_room(const struct spool *s)
{
	return s->failing || s->closing ||
	       (image_used(s) < IMAGE_LEN / 2 &&
		   s->lsn_next - s->lsn_first < COMMIT_RING / 2);
}

/* False when the piece has to wait on. */
static bool try_piece(struct spool *s, struct spool_wait *w)
{
	struct wait_inside *in = wait_inside(w);
	struct draft *d = in->object;
	int err = 0;

	if (d == NULL && !spool_has_room(s))
		return false;
	if (d != NULL)
		err = draft_inside(d)->error;
	if (d != NULL && err == 0)
		err = lay_piece(s, d, in->piece);
	if (err == -EAGAIN)
		return false;
	if (err < 0)
		draft_inside(d)->error = err;
	commit_tell_late(s, w, err);
	return true;
}

void pieces_run(struct spool *s)
{
	while (!list_empty(&s->pieces) &&
	       s->undurable_len < UNDURABLE_CHUNKS_MAX) {
		struct list *node = list_pop_front(&s->pieces);

		if (!try_piece(
			s, container_of(node, struct spool_wait, link))) {
			list_push_front(&s->pieces, node);
			return;
		}
	}
}

void pieces_fail(struct spool *s, int error)
{
	struct list *node;

	while ((node = list_pop_front(&s->pieces)) != NULL)
		commit_tell_late(
		    s, container_of(node, struct spool_wait, link), error);
}

void spool_append(
    struct spool *s, struct draft *d, struct slice piece, struct spool_wait *w)
{
	check(d->begun && !w->busy);
	check(piece.len == RECORD_PIECE_LEN);
	w->busy = true;
	list_init(&w->link);
	*wait_inside(w) = (struct wait_inside){
	    .object = d,
	    .piece = piece.at,
	    .kind = WAIT_PIECE,
	};
	list_push_back(&s->pieces, &w->link);
	pieces_run(s);
}

/* As a piece of nothing. */
void spool_await_room(struct spool *s, struct spool_wait *w)
{
	check(!w->busy);
	w->busy = true;
	list_init(&w->link);
	*wait_inside(w) = (struct wait_inside){.kind = WAIT_PIECE};
	list_push_back(&s->pieces, &w->link);
	pieces_run(s);
}

/* The draft's chunk_refs, copied to `at`. */
static void put_refs(const struct draft_inside *in, uint8_t *at)
{
	for (const struct ref_page *page = in->first; page != NULL;
	     page = page->next) {
		memcpy(at, page->refs, page->count * sizeof(page->refs[0]));
		at += page->count * sizeof(page->refs[0]);
	}
}

static struct record record_for(
    const struct draft *d, const struct laying *what)
{
	const struct draft_inside *in =
	    (const struct draft_inside *)(const void *)d->private_words;
	struct record r = {
	    .type = (uint8_t)what->type,
	    .flags = what->flags,
	    .id = d->id,
	    .content_len = what->head.len +
			   (uint64_t)in->chunk_count * RECORD_PIECE_LEN +
			   what->tail.len,
	    .received_s = d->received_s,
	    .rcpt_count = what->rcpt_count,
	    .envelope_len = (uint32_t)what->envelope.len,
	    .count = in->chunk_count,
	    .head_len = (uint16_t)what->head.len,
	};

	if (what->from != NULL) {
		r.due_s = what->from->due_s;
		r.attempt_count = what->from->attempt_count;
	}
	r.len = record_len(&r);
	return r;
}

static void put_record(const struct draft *d, struct record *r,
    const struct laying *what, uint8_t *at)
{
	struct record_parts parts = record_parts(r);
	uint8_t *rest = at + sizeof(*r);

	memset(at + r->len - 8, 0, 8);
	memcpy(rest, what->envelope.at, parts.envelope);
	if (parts.bits > 0)
		memcpy(rest + parts.envelope,
		    message_bits((struct message *)(uintptr_t)what->from),
		    parts.bits);
	uint8_t *refs = rest + parts.envelope + parts.bits;

	put_refs(
	    (const struct draft_inside *)(const void *)d->private_words, refs);
	uint8_t *content = refs + parts.refs;

	if (what->head.len > 0)
		memcpy(content, what->head.at, what->head.len);
	if (what->tail.len > 0)
		memcpy(content + what->head.len, what->tail.at, what->tail.len);
	r->envelope_crc = crc32c(0, rest, (size_t)parts.envelope + parts.bits);
	r->refs_crc = crc32c(0, refs, parts.refs);
	r->content_crc = crc32c(0, content, parts.content);
	memcpy(at, r, sizeof(*r));
}

int draft_lay(struct spool *s, struct draft *d, const struct laying *what,
    struct message *settled, const struct note *note, struct laid *l,
    uint32_t *note_offset)
{
	struct record r = record_for(d, what);
	uint32_t note_len = 0;
	uint32_t entry_len = record_entry_len(&r);

	if (draft_inside(d)->error < 0)
		return draft_inside(d)->error;
	check(what->envelope.len <= RECORD_ENVELOPE_LEN_MAX);
	check(what->head.len <= RECORD_HEAD_LEN_MAX);
	check(what->tail.len <= RECORD_PIECE_LEN);
	if (note != NULL) {
		struct record n = note_record(settled, note);

		note_len = n.len;
		entry_len += record_entry_len(&n);
	}
	/* Reports and moves give space back in the end; new mail does not. */
	if (what->type == RECORD_MSG && note == NULL && segments_free(s) == 0 &&
	    commit_needs_segment(s, r.len, entry_len))
		return -ENOSPC;
	int err = commit_lay(s, note_len + r.len, entry_len, l);

	if (err < 0)
		return err;
	if (note != NULL) {
		*note_offset = l->offset;
		note_put(l->at, settled, note, RECORD_SETTLES);
		commit_add(s, l, true);
	}
	put_record(d, &r, what, l->at);
	return 0;
}
