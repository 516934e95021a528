/* commit.c -- many records, one durable write.
 *
 * Records are laid straight into the image (image.h), from which they are
 * written.  A commit is a run of records behind a head, on fresh blocks, so
 * that its write never touches a block that was acknowledged.  The first record
 * that somebody waits for asks for the end of the turn; then everything that
 * was laid in the turn goes out in one write. At most two commits are under
 * way; what comes meanwhile gathers in the next.
 *
 * The prefix rule: a commit is released (its waits told) when it and all before
 * it are on disk.  So recovery may end at the first hole.
 *
 * Commits from lsn_first to lsn_next exist, in this order:
 *   DURABLE or WRITING ... | lsn_submit: CLOSED ... | OPEN
 * The image goes round; what is not released is never overwritten in it: then
 * laying says -EAGAIN. */
#include "spool/commit.h"

#include <errno.h>

#include "spool/compact.h"
#include "spool/draft.h"
#include "spool/durable.h"
#include "spool/image.h"
#include "spool/index.h"
#include "spool/note.h"
#include "spool/rescue.h"
#include "spool/seal.h"
#include "spool/segment.h"

static void on_pump(struct op *op, int result)
{
	(void)result;
	commit_pump(container_of(op, struct spool, pump));
}

static void on_late(struct op *op, int result)
{
	struct spool *s = container_of(op, struct spool, late_op);
	struct list now;
	struct list *node;

	(void)result;
	list_init(&now);
	while ((node = list_pop_front(&s->late)) != NULL)
		list_push_back(&now, node);
	while ((node = list_pop_front(&now)) != NULL) {
		struct spool_wait *w =
		    container_of(node, struct spool_wait, link);

		commit_tell(s, w, wait_inside(w)->result);
	}
}

void commit_tell_late(struct spool *s, struct spool_wait *w, int result)
{
	wait_inside(w)->kind = WAIT_PLAIN;
	wait_inside(w)->result = result;
	list_push_back(&s->late, &w->link);
	if (!s->late_op.busy)
		loop_defer(s->loop, &s->late_op, 0);
}

static void on_note_timer(struct timer *t)
{
	commit_hurry(container_of(t, struct spool, note_timer));
}

void commits_open(struct spool *s, uint64_t first_lsn)
{
	s->lsn_first = first_lsn;
	s->lsn_submit = first_lsn;
	s->lsn_next = first_lsn;
	s->pump.done = on_pump;
	s->late_op.done = on_late;
	list_init(&s->late);
	list_init(&s->pieces);
	list_init(&s->drafts);
	timer_init(&s->note_timer, on_note_timer);
	for (size_t i = 0; i < COMMIT_RING; i++)
		list_init(&s->commits[i].waits);
}

static void close_open(struct spool *s)
{
	struct commit *c = s->open;

	c->state = COMMIT_CLOSED;
	c->segment->fill =
	    (uint32_t)round_up((uint64_t)c->offset + c->len, BLOCK_LEN);
	s->open = NULL;
}

/* What was opened for a record that then had no room. */
static void drop_empty(struct spool *s)
{
	struct commit *c = s->open;

	c->state = COMMIT_FREE;
	c->segment->last_lsn--;
	s->lsn_next--;
	s->open = NULL;
}

int commit_next_segment(struct spool *s)
{
	struct segment *old = s->active;
	int err = segment_begin(s);

	if (err < 0)
		return err;
	if (old != NULL)
		old->full = true;
	seals_run(s);
	return 0;
}

/* Whether the open commit takes so much more. */
static bool joins(const struct commit *c, uint32_t len, uint32_t entry_len)
{
	uint64_t end = (uint64_t)c->offset + c->len + len;

	if (c->record_count > 0 && c->len + len > COMMIT_LEN_MAX)
		return false;
	return segment_fits(c->segment, end, entry_len);
}

static bool begins_segment(
    const struct spool *s, uint32_t len, uint32_t entry_len)
{
	const struct segment *g = s->active;

	return g == NULL || g->poisoned ||
	       !segment_fits(g,
		   (uint64_t)g->fill + sizeof(struct commit_head) + len,
		   entry_len);
}

bool commit_needs_segment(
    const struct spool *s, uint32_t len, uint32_t entry_len)
{
	if (s->open != NULL && joins(s->open, len, entry_len))
		return false;
	if (s->open != NULL && s->open->record_count > 0)
		len += (uint32_t)round_up(s->open->len, BLOCK_LEN);
	return begins_segment(s, len, entry_len);
}

static int open_commit(struct spool *s, uint32_t len, uint32_t entry_len)
{
	uint32_t head_len = sizeof(struct commit_head);

	if (s->lsn_next - s->lsn_first == COMMIT_RING)
		return -EAGAIN;
	if (begins_segment(s, len, entry_len)) {
		int err = commit_next_segment(s);

		if (err < 0)
			return err;
	}
	struct segment *g = s->active;

	if (!segment_fits(g, (uint64_t)g->fill + head_len + len, entry_len))
		return -EMSGSIZE;
	if (image_taken(s, (uint64_t)g->fill + BLOCK_LEN))
		return -EAGAIN;
	struct commit *c = commit_at(s, s->lsn_next);

	check(c->state == COMMIT_FREE && list_empty(&c->waits));
	c->state = COMMIT_OPEN;
	c->urgent = false;
	c->segment = g;
	c->lsn = s->lsn_next++;
	c->offset = g->fill;
	c->len = head_len;
	c->record_count = 0;
	g->last_lsn = c->lsn;
	s->open = c;
	return 0;
}

int commit_lay(
    struct spool *s, uint32_t len, uint32_t entry_len, struct laid *l)
{
	struct commit *c = s->open;

	check(len % 8 == 0);
	if (s->failing)
		return -EIO;
	if (c != NULL && !joins(c, len, entry_len)) {
		if (c->record_count > 0)
			close_open(s);
		else
			drop_empty(s);
	}
	if (s->open == NULL) {
		int err = open_commit(s, len, entry_len);

		if (err < 0)
			return err;
	}
	c = s->open;
	uint64_t from = (uint64_t)c->offset + c->len;
	uint64_t to = round_up(from + len, BLOCK_LEN);

	if (image_taken(s, to))
		return -EAGAIN;
	image_laid(s, to);
	*l = (struct laid){
	    .at = image_at(s, c->segment, from),
	    .segment = c->segment,
	    .commit = c,
	    .offset = (uint32_t)from,
	};
	return 0;
}

void commit_add(struct spool *s, struct laid *l, bool urgent)
{
	struct record *r = (struct record *)(void *)l->at;
	struct commit *c = l->commit;

	check(c == s->open && l->offset == c->offset + c->len);
	check(r->len == record_len(r));
	record_seal(r, c->segment->seed);
	seal_add(c->segment->seal, r, l->offset);
	c->len += r->len;
	c->record_count++;
	s->undurable_len += r->len;
	l->at += r->len;
	l->offset += r->len;
	if (urgent) {
		c->urgent = true;
		if (!s->pump.busy)
			loop_defer(s->loop, &s->pump, 0);
	} else if (!timer_armed(&s->note_timer)) {
		timer_arm(loop_timers(s->loop), &s->note_timer,
		    NOTE_DELAY_MAX_MS - 2 * TIMER_TICK_MS);
	}
}

void commit_hurry(struct spool *s)
{
	if (s->open != NULL)
		s->open->urgent = true;
	commit_pump(s);
}

void commit_seal(struct spool *s, struct commit *c)
{
	uint64_t end = (uint64_t)c->offset + c->len;

	c->oldest = chain_oldest(s);
	struct commit_head h = {
	    .number = c->segment->number,
	    .offset = c->offset,
	    .len = c->len,
	    .lsn = c->lsn,
	    .stable_lsn = s->lsn_first - 1,
	    .next_sequence = s->next_sequence,
	    .oldest = c->oldest,
	    .record_count = c->record_count,
	    .seed = c->segment->seed,
	};

	commit_head_seal(&h);
	memcpy(image_at(s, c->segment, c->offset), &h, sizeof(h));
	memset(image_at(s, c->segment, end), 0, round_up(end, BLOCK_LEN) - end);
}

static void apply_settled(
    struct spool *s, const struct segment *g, const struct wait_inside *in)
{
	struct message *m = spool_find(s, in->settled_id);

	if (m == NULL)
		return;
	message_inside(m)->settling--;
	if (in->result < 0)
		return;
	/* A later attempt may have been noted meanwhile. */
	uint16_t attempt_count = m->attempt_count;
	uint32_t due_s = m->due_s;

	note_apply(m, (const void *)image_at(s, g, in->settle_offset));
	if (attempt_count > m->attempt_count) {
		m->attempt_count = attempt_count;
		m->due_s = due_s;
	}
}

/* The message that was committed is now in the spool, or never will be. */
static void settle_message(struct spool *s, struct wait_inside *in)
{
	struct message *m = in->object;
	const struct segment *g = &s->segments[message_inside(m)->slot];

	draft_unpin(s, message_inside(m)->pin_slot);
	if (in->settle_offset > 0)
		apply_settled(s, g, in);
	if (in->result < 0) {
		index_give(s, m);
		return;
	}
	const struct record *r = (const void *)image_at(s, g, in->offset);

	index_insert(s, m);
	s->options.ready(
	    s->options.arg, m, slice_of(record_rest(r), r->envelope_len));
}

void commit_tell(struct spool *s, struct spool_wait *w, int result)
{
	struct wait_inside *in = wait_inside(w);

	in->result = result;
	if (in->kind == WAIT_MESSAGE)
		settle_message(s, in);
	w->busy = false;
	w->done(w, result);
}

static void release(struct spool *s)
{
	while (s->lsn_first < s->lsn_next) {
		struct commit *c = commit_at(s, s->lsn_first);
		struct list *node;

		if (c->state != COMMIT_DURABLE)
			break;
		while ((node = list_pop_front(&c->waits)) != NULL)
			commit_tell(
			    s, container_of(node, struct spool_wait, link), 0);
		s->undurable_len -= c->len - sizeof(struct commit_head);
		s->written_len += round_up(c->len, BLOCK_LEN);
		s->commit_count++;
		s->rescue_count = 0;
		s->oldest_durable = c->oldest;
		c->state = COMMIT_FREE;
		s->lsn_first++;
	}
	commit_released(s);
}

void commit_released(struct spool *s)
{
	s->active_ms = loop_now_ms(s->loop);
	seals_run(s);
	backlog_run(s);
	pieces_run(s);
	compact_run(s);
	if (s->lsn_submit < s->lsn_next && !s->pump.busy)
		loop_defer(s->loop, &s->pump, 0);
}

static void on_committed(struct durable *d, int result)
{
	struct commit *c = container_of(d, struct commit, write);
	struct spool *s = d->spool;

	s->in_flight--;
	c->state = result < 0 ? COMMIT_FAILED : COMMIT_DURABLE;
	if (result < 0)
		rescue_begin(s, c->segment, result);
	release(s);
	rescue_run(s);
}

static void submit(struct spool *s, struct commit *c)
{
	commit_seal(s, c);
	c->state = COMMIT_WRITING;
	s->lsn_submit = c->lsn + 1;
	s->in_flight++;
	durable_write(s, &c->write, c->segment->fd,
	    image_at(s, c->segment, c->offset),
	    (uint32_t)round_up(c->len, BLOCK_LEN), c->offset, on_committed);
}

void commit_pump(struct spool *s)
{
	while (!s->rescuing && !s->failing && s->lsn_submit < s->lsn_next &&
	       s->in_flight < COMMITS_IN_FLIGHT_MAX) {
		struct commit *c = commit_at(s, s->lsn_submit);

		if (c->state == COMMIT_OPEN) {
			if (!c->urgent)
				return;
			timer_disarm(&s->note_timer);
			close_open(s);
		}
		if (!c->segment->begun)
			return;
		submit(s, c);
	}
}
