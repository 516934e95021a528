/* compact.c -- giving space back.
 *
 * Segments are given back at the old end only, so whatever an outcome is about
 * lies before it and goes first.  A segment goes when nothing in it is needed
 * any more.  When old messages keep far more segments than they fill (more than
 * twice as many, and four) or the quota runs out, those of the oldest segment
 * are copied forward: read with their checksums, laid again as MOVE with what
 * is true of them now.  When that is durable the message lies there; until then
 * it is read at its old place.  A crash in between leaves both: the later wins.
 *
 * One message is read at a time and a few wait for their commit.  It may be
 * noted or finished meanwhile: what it is, is asked when the MOVE is laid, and
 * the record is then followed in the log by whatever comes later.
 *
 * What cannot be read (checksum, disk) is moved as zeros and marked damaged: it
 * stays known, its reads fail, and the rest of the segment is not held up. */
#include "spool/compact.h"

#include <errno.h>

#include "spool/commit.h"
#include "spool/draft.h"
#include "spool/image.h"
#include "spool/index.h"
#include "spool/note.h"
#include "spool/segment.h"
#include "spool/spare.h"

#define TICK_MS 1000u
#define MOVE_UNDURABLE_MAX (1u << 20)
#define MOVE_BUFFER_LEN                                                        \
	(RECORD_ENVELOPE_LEN_MAX + RECORD_HEAD_LEN_MAX + RECORD_PIECE_LEN)

static void on_tick(struct timer *t);

int compact_open(struct spool *s)
{
	timer_init(&s->tick, on_tick);
	s->move_buffer = memory_map(MOVE_BUFFER_LEN);
	if (s->move_buffer == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < MOVES_MAX; i++)
		s->moves[i].spool = s;
	return 0;
}

void compact_close(struct spool *s)
{
	memory_unmap(s->move_buffer, MOVE_BUFFER_LEN);
}

void compact_kick(struct spool *s)
{
	if (!s->recovering && segment_reclaim(s))
		backlog_run(s);
}

bool compact_busy(const struct spool *s)
{
	for (size_t i = 0; i < MOVES_MAX; i++)
		if (s->moves[i].state != MOVE_FREE)
			return true;
	return false;
}

/* The message is where it was, or gone. */
static void end(struct move *move)
{
	struct spool *s = move->spool;
	struct message *m = spool_find(s, move->id);

	if (m != NULL)
		message_inside(m)->moving = false;
	draft_end(s, &move->draft);
	if (s->reading == move)
		s->reading = NULL;
	move->state = MOVE_FREE;
}

static void on_moved(struct spool_wait *w, int result)
{
	struct move *move = container_of(w, struct move, wait);
	struct spool *s = move->spool;
	struct message *m = spool_find(s, move->id);

	draft_unpin(s, move->pin_slot);
	if (m != NULL && result == 0) {
		struct message_inside *in = message_inside(m);

		index_move(s, m, move->slot, move->offset, move->pin_slot);
		in->content_crc = move->content_crc;
		in->envelope_crc = move->envelope_crc;
		in->moved = true;
		in->damaged = move->damaged;
		s->moved_len += message_disk_len(m);
	}
	end(move);
}

/* Lays the MOVE; everything of the message was read. */
static void lay(struct move *move, struct message *m)
{
	struct spool *s = move->spool;
	const struct message_inside *in = message_inside(&move->copy);
	const uint8_t *content = s->move_buffer + RECORD_ENVELOPE_LEN_MAX;
	size_t content_len =
	    (size_t)(m->content_len -
		     (uint64_t)in->chunk_count * RECORD_PIECE_LEN);
	struct laying what = {
	    .type = RECORD_MOVE,
	    .flags = move->damaged ? RECORD_DAMAGED : 0,
	    .from = m,
	    .rcpt_count = m->rcpt_count,
	    .envelope = slice_of(s->move_buffer, m->envelope_len),
	    .head = slice_of(content, in->head_len),
	    .tail =
		slice_of(content + in->head_len, content_len - in->head_len),
	};
	struct laid l;
	uint32_t note_offset;

	if (draft_lay(s, &move->draft, &what, NULL, NULL, &l, &note_offset) <
	    0) {
		end(move);
		return;
	}
	const struct record *r = (const void *)l.at;

	move->slot = l.segment->slot;
	move->offset = l.offset;
	move->content_crc = r->content_crc;
	move->envelope_crc = r->envelope_crc;
	move->pin_slot = draft_pin(s, &move->draft, l.segment);
	move->state = MOVE_COMMIT;
	move->wait = (struct spool_wait){.done = on_moved, .busy = true};
	wait_inside(&move->wait)->kind = WAIT_PLAIN;
	list_push_back(&l.commit->waits, &move->wait.link);
	commit_add(s, &l, true);
	draft_end(s, &move->draft);
	s->reading = NULL;
}

static void on_read(struct spool_read *r, int result);

static void on_laid(struct spool_wait *w, int result);

/* Reads what comes next: pieces, then head and tail. */
static void next_read(struct move *move)
{
	struct spool *s = move->spool;
	const struct message_inside *in = message_inside(&move->copy);
	uint8_t *content = s->move_buffer + RECORD_ENVELOPE_LEN_MAX;
	uint64_t tail_offset =
	    in->head_len + (uint64_t)in->chunk_count * RECORD_PIECE_LEN;

	move->read.done = on_read;
	if (move->piece < in->chunk_count) {
		move->state = MOVE_PIECE;
		spool_read(s, &move->copy,
		    in->head_len + (uint64_t)move->piece * RECORD_PIECE_LEN,
		    content, RECORD_PIECE_LEN, &move->read);
	} else if (in->chunk_count == 0) {
		move->state = MOVE_CONTENT;
		spool_read(s, &move->copy, 0, content,
		    (size_t)move->copy.content_len, &move->read);
	} else if (move->state != MOVE_HEAD) {
		move->state = MOVE_HEAD;
		spool_read(
		    s, &move->copy, 0, content, in->head_len, &move->read);
	} else {
		move->state = MOVE_CONTENT;
		spool_read(s, &move->copy, tail_offset, content + in->head_len,
		    (size_t)(move->copy.content_len - tail_offset),
		    &move->read);
	}
}

/* What was to be read but could not is zeros. */
static void blank(struct move *move)
{
	uint8_t *content = move->spool->move_buffer + RECORD_ENVELOPE_LEN_MAX;

	move->damaged = true;
	if (move->state == MOVE_ENVELOPE)
		memset(move->spool->move_buffer, 0, move->copy.envelope_len);
	else
		memset(content, 0, RECORD_HEAD_LEN_MAX + RECORD_PIECE_LEN);
	log_begin(move->spool->log, LOG_ERROR, "spool_damaged");
	log_id(move->spool->log, "id", move->id);
	log_end(move->spool->log);
}

static void on_read(struct spool_read *r, int result)
{
	struct move *move = container_of(r, struct move, read);
	struct spool *s = move->spool;
	struct message *m = spool_find(s, move->id);

	if (m == NULL || s->closing || s->failing ||
	    message_inside(m)->settling > 0) {
		end(move);
		return;
	}
	if (result == -EBADMSG || result == -EIO) {
		blank(move);
	} else if (result < 0) {
		end(move);
		return;
	}
	if (move->state == MOVE_PIECE) {
		move->state = MOVE_LAYING;
		move->wait.done = on_laid;
		spool_append(s, &move->draft,
		    slice_of(s->move_buffer + RECORD_ENVELOPE_LEN_MAX,
			RECORD_PIECE_LEN),
		    &move->wait);
	} else if (move->state == MOVE_CONTENT) {
		lay(move, m);
	} else {
		next_read(move);
	}
}

static void on_laid(struct spool_wait *w, int result)
{
	struct move *move = container_of(w, struct move, wait);

	if (result < 0 || spool_find(move->spool, move->id) == NULL) {
		end(move);
		return;
	}
	move->piece++;
	next_read(move);
}

static void begin(struct spool *s, struct move *move, struct message *m)
{
	message_inside(m)->moving = true;
	*move = (struct move){
	    .spool = s,
	    .state = MOVE_ENVELOPE,
	    .id = m->id,
	    .damaged = message_inside(m)->damaged,
	    .copy = *m,
	    .draft = {.id = m->id, .received_s = m->received_s, .begun = true},
	};
	list_init(&draft_inside(&move->draft)->link);
	s->reading = move;
	move->read.done = on_read;
	spool_read_envelope(s, &move->copy, s->move_buffer, &move->read);
}

/* Whether the oldest segments hold too little for what they take. */
static bool wasteful(const struct spool *s)
{
	uint64_t filled = s->alive_len / s->segment_len + 1;

	if (s->chain_count > 2 * filled + 4)
		return true;
	/* Each opening begins a segment: beyond the quota these come first. */
	if (s->file_count > s->segment_limit)
		return s->chain_count > filled + 2;
	return segments_free(s) <= SEGMENT_RESERVE + 1 &&
	       s->chain_count > filled + 3;
}

static struct message *movable(struct spool *s, const struct segment *g)
{
	struct message *m = index_first(s, g);

	while (m != NULL &&
	       (message_inside(m)->moving || message_inside(m)->settling > 0))
		m = index_next(s, m);
	return m;
}

static struct move *free_move(struct spool *s)
{
	for (size_t i = 0; i < MOVES_MAX; i++)
		if (s->moves[i].state == MOVE_FREE)
			return &s->moves[i];
	return NULL;
}

/* A draft that keeps the oldest segment while there is no space ends. */
static void doom_drafts(struct spool *s, const struct segment *g)
{
	LIST_EACH_SAFE (node, &s->drafts) {
		struct draft_inside *in =
		    container_of(node, struct draft_inside, link);

		if (in->pin_slot != g->slot + 1)
			continue;
		in->error = -ENOSPC;
		draft_end(s, container_of((uint64_t(*)[8])(void *)in,
				 struct draft, private_words));
	}
}

void compact_run(struct spool *s)
{
	tick_arm(s);
	segment_reclaim(s);
	spares_run(s);
	if (s->reading != NULL || s->closing || s->failing || s->rescuing ||
	    s->undurable_len >= MOVE_UNDURABLE_MAX || list_empty(&s->chain) ||
	    !wasteful(s))
		return;
	struct segment *g = container_of(s->chain.next, struct segment, link);
	struct move *move = free_move(s);

	if (g == s->active || move == NULL)
		return;
	if (segments_free(s) <= SEGMENT_RESERVE && g->pin_count > 0)
		doom_drafts(s, g);
	struct message *m = movable(s, g);

	if (m != NULL)
		begin(s, move, m);
}

void tick_arm(struct spool *s)
{
	if (!timer_armed(&s->tick) && !s->closing)
		timer_arm(loop_timers(s->loop), &s->tick, TICK_MS);
}

static void on_tick(struct timer *t)
{
	struct spool *s = container_of(t, struct spool, tick);
	uint64_t now_ms = loop_now_ms(s->loop);

	if (s->disk_full && now_ms - s->disk_full_ms >= FAILING_RETRY_MS)
		s->disk_full = false;
	compact_run(s);
	if (now_ms - s->active_ms < IDLE_AFTER_MS || s->reads_busy > 0 ||
	    s->lsn_first < s->lsn_next || s->making != NULL || s->disk_full ||
	    compact_busy(s))
		return;
	timer_disarm(t);
	image_forget(s);
	memory_drop(s->bounce_memory, BOUNCES * (size_t)BOUNCE_LEN);
	memory_drop(s->move_buffer, MOVE_BUFFER_LEN);
}
