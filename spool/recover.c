/* recover.c -- from files to what is alive.
 *
 * 1. What each file is, identify.c finds out.  Segments below the highest
 *    `oldest` are spares; the others, by number, are the log.
 * 2. A segment's first_lsn fences what earlier segments have from there on.
 * 3. Where the log ends: every commit says up to which LSN all was on disk when
 *    it was written.  The highest such LSN is `stable`.  The log ends at the
 *    first hole behind it: a commit there may be torn or missing, and nothing
 *    from the hole on was ever acknowledged.  What is not whole at or before
 *    `stable` is no torn tail but damage: it is logged, and everything around
 *    it that has a good checksum is kept.
 * 4. Records in order give what is alive; then ready() for each, from a second
 *    reading, since only then is it known who is still alive.
 *
 * Sealed segments are read by their seals.  Nothing is written: the next commit
 * goes to a fresh segment, whose first_lsn voids what lay behind the hole.  So
 * a crash before that, at any point, finds the same log again. */
#include "spool/recover.h"

#include <errno.h>

#include "spool/crc.h"
#include "spool/identify.h"
#include "spool/segment.h"

static void give_up(struct recovery *r, struct segment *g)
{
	if (!r->spool->options.read_only)
		segment_to_spares(r->spool, g);
	else
		g->state = SEGMENT_SPARE;
}

/* Puts the segments of the log on the chain, by number. */
static void link_chain(struct recovery *r)
{
	struct spool *s = r->spool;

	for (uint32_t i = 0; i < s->segment_slots; i++) {
		struct segment *g = &s->segments[i];
		struct list *after = s->chain.prev;

		if (g->state == SEGMENT_SPARE ||
		    (g->state == SEGMENT_LOG && g->number < r->oldest)) {
			give_up(r, g);
			continue;
		}
		if (g->state != SEGMENT_LOG)
			continue;
		while (after != &s->chain &&
		       container_of(after, struct segment, link)->number >
			   g->number)
			after = after->prev;
		list_insert(after, &g->link);
		s->chain_count++;
	}
}

/* Sets each segment's last_lsn to where the later ones fence it off. */
static void fence_chain(struct recovery *r)
{
	struct spool *s = r->spool;
	uint64_t fence = UINT64_MAX;

	for (struct list *node = s->chain.prev; node != &s->chain;
	     node = node->prev) {
		struct segment *g = container_of(node, struct segment, link);

		g->last_lsn = fence - 1;
		if (g->first_lsn > 0 && g->first_lsn < fence)
			fence = g->first_lsn;
	}
}

/* Loads the seal; false when it is no good. */
static bool load_seal(struct recovery *r, struct segment *g,
    struct segment_block *last, struct slice *seal)
{
	recovery_load(r, g, g->len - BLOCK_LEN, BLOCK_LEN);
	memcpy(last, r->memory, sizeof(*last));
	uint32_t len = (uint32_t)round_up(last->seal_len, BLOCK_LEN);

	r->loaded = NULL;
	recovery_load(r, g, last->seal_offset, len);
	*seal = slice_of(r->memory, last->seal_len);
	return segment_block_good(last) &&
	       last->seal_crc == crc32c(g->seed, seal->at, seal->len);
}

static void find_stable(struct recovery *r)
{
	LIST_EACH (node, &r->spool->chain) {
		struct segment *g = container_of(node, struct segment, link);
		struct segment_block last;
		struct slice seal;
		struct commit_head head;

		if (g->sealed) {
			/* It is written when all commits are on disk; that
			 * holds when a crash tore it, too. */
			g->sealed = load_seal(r, g, &last, &seal);
			if (last.last_lsn > r->stable)
				r->stable = last.last_lsn;
		}
		if (g->sealed)
			continue;
		struct scan scan = recovery_scan(r, g);

		for (uint32_t at = BLOCK_LEN; scan_next(&scan, &at, &head);
		     at = scan_behind(&head)) {
			if (head.stable_lsn > r->stable)
				r->stable = head.stable_lsn;
			if (head.oldest > r->oldest)
				r->oldest = head.oldest;
			if (head.next_sequence > r->spool->next_sequence)
				r->spool->next_sequence = head.next_sequence;
		}
	}
}

/* What a commit says is not needed any more. */
static void cut_chain(struct recovery *r)
{
	struct spool *s = r->spool;

	LIST_EACH_SAFE (node, &s->chain) {
		struct segment *g = container_of(node, struct segment, link);

		if (g->number >= r->oldest)
			break;
		list_remove(&g->link);
		s->chain_count--;
		give_up(r, g);
	}
	LIST_EACH (node, &s->chain) {
		struct segment *g = container_of(node, struct segment, link);

		if (g->block_lost)
			recovery_damaged(r, g, "first block");
	}
	r->replay.oldest = chain_oldest(s);
	s->oldest_durable = r->oldest;
}

static void find_end(struct recovery *r)
{
	uint64_t first_lsn = UINT64_MAX;

	/* What was given back before it had all been on disk.  A segment that
	 * begins higher than a later one holds nothing that counts. */
	LIST_EACH (node, &r->spool->chain) {
		struct segment *g = container_of(node, struct segment, link);

		if (g->first_lsn < first_lsn)
			first_lsn = g->first_lsn;
	}
	if (first_lsn != UINT64_MAX && first_lsn > r->stable + 1)
		r->stable = first_lsn - 1;
	r->end = r->stable;
	LIST_EACH (node, &r->spool->chain) {
		struct segment *g = container_of(node, struct segment, link);
		struct commit_head head;

		if (g->sealed)
			continue;
		struct scan scan = recovery_scan(r, g);

		for (uint32_t at = BLOCK_LEN; scan_next(&scan, &at, &head);
		     at = scan_behind(&head))
			if (head.lsn == r->end + 1 && scan_whole(&scan, &head))
				r->end = head.lsn;
	}
}

static uint32_t first_number_of(const struct segment *g, const struct record *r)
{
	struct record_parts parts = record_parts(r);
	struct chunk_ref ref;

	if (parts.refs == 0)
		return g->number;
	memcpy(&ref, record_rest(r) + parts.envelope + parts.bits, sizeof(ref));
	return ref.number;
}

static void on_record(
    void *arg, const struct record *record, uint32_t offset, bool content_good)
{
	struct recovery *r = arg;

	if (!content_good)
		recovery_damaged(r, r->segment, "content of a record");
	replay_record(&r->replay, r->segment, record, offset,
	    first_number_of(r->segment, record));
}

static bool replay_sealed(struct recovery *r, struct segment *g)
{
	struct segment_block last;
	struct seal_entry entry;
	const struct record *record;
	struct slice seal;

	if (!load_seal(r, g, &last, &seal))
		return false;
	while (seal_next(&seal, g->seed, &entry, &record))
		replay_record(
		    &r->replay, g, record, entry.offset, entry.first_number);
	if (seal.len > 0)
		recovery_damaged(r, g, "seal");
	if (last.last_lsn < g->last_lsn && last.last_lsn < r->end)
		recovery_damaged(r, g, "commits missing behind it");
	return true;
}

/* What lies between good commits where others should be. */
static void salvage(struct recovery *r, struct segment *g,
    const struct scan *scan, uint32_t from, uint32_t to)
{
	recovery_damaged(r, g, "commits missing");
	scan_records(scan, from, to, on_record, r);
}

static void replay_commits(struct recovery *r, struct segment *g)
{
	struct scan scan = recovery_scan(r, g);
	struct commit_head head;
	uint64_t last = r->end < g->last_lsn ? r->end : g->last_lsn;
	uint64_t expected = g->first_lsn;
	uint32_t behind = BLOCK_LEN;

	scan.last_lsn = last;
	for (uint32_t at = BLOCK_LEN; scan_next(&scan, &at, &head);
	     at = behind) {
		if (head.lsn < expected) {
			behind = scan_behind(&head);
			continue; /* fenced off by this very segment */
		}
		if (head.lsn > expected)
			salvage(r, g, &scan, behind, at);
		if (!scan_whole(&scan, &head))
			recovery_damaged(r, g, "commit");
		scan_records(&scan, at + (uint32_t)sizeof(head), at + head.len,
		    on_record, r);
		expected = head.lsn + 1;
		behind = scan_behind(&head);
	}
	if (expected <= last)
		salvage(r, g, &scan, behind, g->len);
	g->fill = behind;
}

static void replay_all(struct recovery *r, uint32_t number_last)
{
	LIST_EACH (node, &r->spool->chain) {
		struct segment *g = container_of(node, struct segment, link);

		if (g->number > number_last)
			return; /* begun by what ready() did */
		r->segment = g;
		if (g->sealed && replay_sealed(r, g))
			continue;
		replay_commits(r, g);
	}
}

static void log_recovered(const struct recovery *r)
{
	struct spool *s = r->spool;

	if (s->options.read_only)
		return;
	log_begin(s->log, LOG_INFO, "spool_open");
	log_str(s->log, "dir", s->dir);
	log_number(s->log, "messages", (int64_t)s->alive_count);
	log_number(s->log, "segments", s->chain_count);
	log_number(s->log, "spares", s->spare_count);
	log_number(s->log, "damages", s->damage_count);
	log_number(s->log, "lost", r->replay.lost_count);
	log_end(s->log);
}

/* Ids that were given out but are on no disk are not given again: they are
 * fewer than the gap, or older than this second. */
static void skip_ids(struct spool *s)
{
	uint64_t wall_s = s->loop == NULL ? 0 : loop_wall_s(s->loop);

	if (s->number_last > 0)
		s->next_sequence += SEQUENCE_GAP;
	if (wall_s > SEQUENCE_EPOCH_S &&
	    s->next_sequence < (wall_s - SEQUENCE_EPOCH_S) * SEQUENCE_PER_S)
		s->next_sequence = (wall_s - SEQUENCE_EPOCH_S) * SEQUENCE_PER_S;
}

static int run(struct recovery *r)
{
	struct spool *s = r->spool;
	int err = identify_all(r);

	if (err < 0)
		return err;
	link_chain(r);
	fence_chain(r);
	find_stable(r);
	cut_chain(r);
	find_end(r);
	uint32_t number_last = s->number_last;

	replay_all(r, number_last);
	if (r->replay.error < 0)
		return r->replay.error;
	skip_ids(s);
	LIST_EACH (node, &s->chain) {
		struct segment *g = container_of(node, struct segment, link);

		if (g->last_lsn > r->end)
			g->last_lsn = r->end;
	}
	s->lsn_first = r->end + 1;
	s->lsn_submit = s->lsn_first;
	s->lsn_next = s->lsn_first;
	r->replay.telling = true;
	log_recovered(r);
	if (s->options.ready != NULL)
		replay_all(r, number_last);
	return 0;
}

int recover(struct spool *s)
{
	struct recovery r = {
	    .spool = s,
	    .memory_len = s->segment_len,
	    .replay = {.spool = s},
	};

	r.memory = memory_map(r.memory_len);
	if (r.memory == NULL)
		return -ENOMEM;
	s->recovering = true;
	int err = run(&r);

	s->recovering = false;
	memory_unmap(r.memory, r.memory_len);
	return err;
}

int recover_verify(
    struct spool *s, struct segment *g, struct recover_facts *facts)
{
	struct recovery r = {
	    .spool = s,
	    .memory_len = g->len,
	    .memory = memory_map(g->len),
	};
	struct commit_head head;

	*facts = (struct recover_facts){0};
	if (r.memory == NULL)
		return -ENOMEM;
	struct scan scan = recovery_scan(&r, g);

	for (uint32_t at = BLOCK_LEN; scan_next(&scan, &at, &head);
	     at = scan_behind(&head)) {
		facts->commit_count++;
		facts->record_count += head.record_count;
		facts->damage_count += scan_whole(&scan, &head) ? 0 : 1;
	}
	memory_unmap(r.memory, r.memory_len);
	return 0;
}
