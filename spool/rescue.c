/* rescue.c -- what happens when a write fails.
 *
 * The segment is poisoned: nothing is ever written to it again, for a second
 * fsync may say "done" about pages that were thrown away.  All commits that are
 * not released are still in the image, so when no write is under way any more
 * they go to a fresh segment, at the same offsets, with their LSNs: its first
 * block fences the old place.  Commits already laid in the segment after it get
 * a new number too, in their own file, since numbers rise with LSNs.  What
 * holds a segment's number or slot is corrected: chunk_refs in the records and
 * in drafts, places of messages and moves not yet released.  Record heads are
 * sealed again with the new seed.
 *
 * If that fails as well, everybody who waits is told -EIO, nothing is accepted,
 * and outcomes go to the backlog; every few seconds a fresh segment is tried.
 * Deliveries go on: reading needs no write. */
#include "spool/rescue.h"

#include <errno.h>

#include "spool/commit.h"
#include "spool/crc.h"
#include "spool/draft.h"
#include "spool/image.h"
#include "spool/index.h"
#include "spool/note.h"
#include "spool/seal.h"
#include "spool/segment.h"

#define CHANGES_MAX SEALS
#define ATTEMPTS_MAX 2u

/* What was in one segment from an offset on is now in another. */
struct change {
	struct segment *from;
	struct segment *to;
	uint32_t from_number;
	uint32_t offset;
	uint64_t first_lsn;
};

struct changes {
	struct change at[CHANGES_MAX];
	size_t count;
};

static void on_failing_timer(struct timer *t);

void rescue_open(struct spool *s)
{
	timer_init(&s->failing_timer, on_failing_timer);
}

void rescue_begin(struct spool *s, struct segment *g, int error)
{
	log_begin(s->log, LOG_ERROR, "spool_write_failed");
	log_str(s->log, "dir", s->dir);
	log_number(s->log, "segment", g->number);
	log_number(s->log, "error", -error);
	log_end(s->log);
	g->poisoned = true;
	s->rescuing = true;
}

static bool writes_under_way(const struct spool *s)
{
	if (s->in_flight > 0)
		return true;
	for (size_t i = 0; i < SEALS; i++)
		if (s->seals[i].segment != NULL &&
		    s->seals[i].block_write.op.busy)
			return true;
	return false;
}

/* The segments of all commits from the first poisoned one on. */
static bool list_changes(struct spool *s, struct changes *changes)
{
	struct segment *last = NULL;

	changes->count = 0;
	for (uint64_t lsn = s->lsn_first; lsn < s->lsn_next; lsn++) {
		struct commit *c = commit_at(s, lsn);

		if (changes->count == 0 && !c->segment->poisoned)
			continue;
		if (c->segment == last)
			continue;
		if (changes->count == CHANGES_MAX)
			return false;
		last = c->segment;
		changes->at[changes->count++] = (struct change){
		    .from = c->segment,
		    .from_number = c->segment->number,
		    .offset = c->offset,
		    .first_lsn = lsn,
		};
	}
	/* One that has nothing yet must keep its place in the order, too. */
	if (changes->count == 0 || s->active == NULL || s->active == last)
		return true;
	if (changes->count == CHANGES_MAX)
		return false;
	changes->at[changes->count++] = (struct change){
	    .from = s->active,
	    .from_number = s->active->number,
	    .offset = s->active->fill,
	    .first_lsn = s->lsn_next,
	};
	return true;
}

static const struct change *change_of(
    const struct changes *changes, uint32_t number, uint32_t offset)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *c = &changes->at[i];

		if (c->from_number == number && offset >= c->offset)
			return c;
	}
	return NULL;
}

/* A fresh segment takes over from `offset` on. */
static int replace(struct spool *s, struct change *c)
{
	struct segment *from = c->from;
	struct segment *active = s->active;
	bool full = from->full;

	if (from->seal != NULL)
		seal_give(from->seal);
	int err = segment_take(s);

	if (err < 0)
		return err;
	struct segment *to = s->active;

	/* In the log it comes right behind the one it takes over from. */
	list_remove(&to->link);
	list_insert(&from->link, &to->link);
	to->image_base = from->image_base;
	to->start = c->offset;
	to->fill = from->fill;
	to->full = full;
	to->last_lsn = from->last_lsn;
	from->full = true;
	from->last_lsn = c->first_lsn - 1;
	c->to = to;
	if (active != from)
		s->active = active;
	return 0;
}

static int apply_changes(struct spool *s, struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct change *c = &changes->at[i];

		if (c->from->poisoned) {
			int err = replace(s, c);

			if (err < 0)
				return err;
		} else {
			c->to = c->from;
			c->to->seal->len = 0;
			c->to->seal->count = 0;
		}
		c->to->first_lsn = c->first_lsn;
	}
	return 0;
}

static void change_refs(const struct changes *changes, uint8_t *at, size_t len)
{
	struct chunk_ref ref;

	for (size_t i = 0; i + sizeof(ref) <= len; i += sizeof(ref)) {
		memcpy(&ref, at + i, sizeof(ref));
		const struct change *c =
		    change_of(changes, ref.number, ref.offset);

		if (c != NULL)
			ref.number = c->to->number;
		memcpy(at + i, &ref, sizeof(ref));
	}
}

/* The pin goes where the oldest piece now is. */
static void repin(struct spool *s, uint32_t *slot, uint32_t number)
{
	struct segment *g = segment_find(s, number);

	check(g != NULL);
	s->segments[*slot].pin_count--;
	*slot = g->slot;
	g->pin_count++;
}

static uint32_t record_first_number(
    const struct segment *g, const struct record *r)
{
	struct record_parts parts = record_parts(r);
	struct chunk_ref ref;

	if (parts.refs == 0)
		return g->number;
	memcpy(&ref, record_rest(r) + parts.envelope + parts.bits, sizeof(ref));
	return ref.number;
}

static void change_waits(struct spool *s, struct commit *c)
{
	LIST_EACH (node, &c->waits) {
		struct spool_wait *w =
		    container_of(node, struct spool_wait, link);
		struct wait_inside *in = wait_inside(w);

		if (in->kind != WAIT_MESSAGE)
			continue;
		struct message_inside *m = message_inside(in->object);

		m->slot = c->segment->slot;
		repin(s, &m->pin_slot,
		    record_first_number(c->segment,
			(const void *)image_at(s, c->segment, in->offset)));
	}
}

static void change_moves(struct spool *s, const struct changes *changes)
{
	for (size_t i = 0; i < MOVES_MAX; i++) {
		struct move *move = &s->moves[i];

		if (move->state != MOVE_COMMIT || !move->wait.busy)
			continue;
		for (size_t k = 0; k < changes->count; k++) {
			const struct change *c = &changes->at[k];

			if (move->slot != c->from->slot ||
			    move->offset < c->offset)
				continue;
			move->slot = c->to->slot;
			break;
		}
		const struct segment *g = &s->segments[move->slot];

		repin(s, &move->pin_slot,
		    record_first_number(
			g, (const void *)image_at(s, g, move->offset)));
	}
}

static void change_drafts(struct spool *s, const struct changes *changes)
{
	LIST_EACH (node, &s->drafts) {
		struct draft_inside *in =
		    container_of(node, struct draft_inside, link);

		for (struct ref_page *page = in->first; page != NULL;
		     page = page->next)
			change_refs(changes, (uint8_t *)page->refs,
			    page->count * sizeof(page->refs[0]));
		if (in->pin_slot == 0)
			continue;
		uint32_t slot = in->pin_slot - 1;

		repin(s, &slot, in->first->refs[0].number);
		in->pin_slot = slot + 1;
	}
}

/* Seals every record of the commit again, for its new segment. */
static void change_commit(
    struct spool *s, const struct changes *changes, struct commit *c)
{
	uint64_t at = c->offset + sizeof(struct commit_head);
	uint64_t end = (uint64_t)c->offset + c->len;

	while (at < end) {
		struct record *r = (void *)image_at(s, c->segment, at);
		struct record_parts parts = record_parts(r);
		uint8_t *refs =
		    (uint8_t *)r + sizeof(*r) + parts.envelope + parts.bits;

		change_refs(changes, refs, parts.refs);
		r->refs_crc = crc32c(0, refs, parts.refs);
		record_seal(r, c->segment->seed);
		seal_add(c->segment->seal, r, (uint32_t)at);
		at += r->len;
	}
}

static void change_all(struct spool *s, struct changes *changes)
{
	for (uint64_t lsn = changes->at[0].first_lsn; lsn < s->lsn_next;
	     lsn++) {
		struct commit *c = commit_at(s, lsn);

		const struct change *change =
		    change_of(changes, c->segment->number, c->offset);

		check(change != NULL);
		c->segment = change->to;
	}
	for (size_t i = 0; i < changes->count; i++)
		segment_number(s, changes->at[i].to);
}

/* Moves everything that is not released away from poisoned segments. */
static int relocate(struct spool *s)
{
	struct changes changes;

	if (!list_changes(s, &changes))
		return -EIO;
	if (s->active != NULL && s->active->poisoned && changes.count == 0) {
		/* Nothing in it yet: the next commit begins another one. */
		s->active->full = true;
		if (s->active->seal != NULL)
			seal_give(s->active->seal);
		s->active = NULL;
		return 0;
	}
	if (changes.count == 0)
		return 0;
	int err = apply_changes(s, &changes);

	if (err < 0)
		return err;
	change_all(s, &changes);
	for (uint64_t lsn = changes.at[0].first_lsn; lsn < s->lsn_next; lsn++) {
		struct commit *c = commit_at(s, lsn);

		if (c->state != COMMIT_OPEN)
			c->state = COMMIT_CLOSED;
		change_commit(s, &changes, c);
		change_waits(s, c);
	}
	change_drafts(s, &changes);
	change_moves(s, &changes);
	if (s->lsn_submit > changes.at[0].first_lsn)
		s->lsn_submit = changes.at[0].first_lsn;
	return 0;
}

/* Outcomes in the commit are kept for later. */
static void save_outcomes(struct spool *s, const struct commit *c)
{
	uint64_t at = c->offset + sizeof(struct commit_head);
	uint64_t end = (uint64_t)c->offset + c->len;

	while (at < end) {
		const struct record *r =
		    (const void *)image_at(s, c->segment, at);

		if (r->type == RECORD_DONE ||
		    (r->type == RECORD_NOTE &&
			(r->flags & RECORD_SETTLES) == 0))
			backlog_add(s, r->id);
		at += r->len;
	}
}

static void drop_commits(struct spool *s)
{
	struct list failed;
	struct list *node;

	list_init(&failed);
	for (uint64_t lsn = s->lsn_first; lsn < s->lsn_next; lsn++) {
		struct commit *c = commit_at(s, lsn);

		save_outcomes(s, c);
		while ((node = list_pop_front(&c->waits)) != NULL)
			list_push_back(&failed, node);
		c->state = COMMIT_FREE;
		c->segment->full = true;
		c->segment->poisoned = true;
		c->segment->last_lsn = s->lsn_first - 1;
	}
	s->open = NULL;
	s->undurable_len = 0;
	s->lsn_next = s->lsn_first;
	s->lsn_submit = s->lsn_first;
	while ((node = list_pop_front(&failed)) != NULL)
		commit_tell(
		    s, container_of(node, struct spool_wait, link), -EIO);
}

static void give_up(struct spool *s, int error)
{
	log_begin(s->log, LOG_ERROR, "spool_failing");
	log_str(s->log, "dir", s->dir);
	log_number(s->log, "error", -error);
	log_end(s->log);
	s->failing = true;
	LIST_EACH (node, &s->drafts)
		container_of(node, struct draft_inside, link)->error = -EIO;
	drop_commits(s);
	pieces_fail(s, -EIO);
	LIST_EACH (node, &s->chain) {
		struct segment *g = container_of(node, struct segment, link);

		g->full = true;
		if (g->last_lsn >= s->lsn_first)
			g->last_lsn = s->lsn_first - 1;
	}
	if (s->active != NULL)
		s->active->poisoned = true;
	s->active = NULL;
	for (size_t i = 0; i < SEALS; i++) {
		struct seal *seal = &s->seals[i];

		if (seal->segment != NULL && seal->segment->poisoned &&
		    !seal->block_write.op.busy && !seal->seal_write.op.busy)
			seal_give(seal);
	}
	timer_arm(loop_timers(s->loop), &s->failing_timer, FAILING_RETRY_MS);
}

void rescue_run(struct spool *s)
{
	if (!s->rescuing || writes_under_way(s))
		return;
	s->rescuing = false;
	int err = -EIO;

	if (s->rescue_count++ < ATTEMPTS_MAX)
		err = relocate(s);
	if (err < 0)
		give_up(s, err);
	else
		commit_pump(s);
}

void rescue_begun(struct spool *s)
{
	if (!s->failing)
		return;
	log_begin(s->log, LOG_WARN, "spool_writes_again");
	log_str(s->log, "dir", s->dir);
	log_end(s->log);
	s->failing = false;
	s->rescue_count = 0;
	commit_released(s);
}

/* A fresh segment whose first block can be written ends the failing. */
void rescue_retry(struct spool *s)
{
	if (!s->failing)
		return;
	s->disk_full = false;
	if (s->active == NULL && commit_next_segment(s) < 0)
		s->disk_full_ms = loop_now_ms(s->loop);
}

static void on_failing_timer(struct timer *t)
{
	struct spool *s = container_of(t, struct spool, failing_timer);

	if (!s->failing || s->closing)
		return;
	rescue_retry(s);
	timer_arm(loop_timers(s->loop), t, FAILING_RETRY_MS);
}
