/* seal.c -- what lets recovery read an index instead of a segment.
 *
 * While a segment fills, an entry for each record but CHUNKs gathers in memory
 * of its own: the record's place and head, and of a message its envelope.  When
 * the segment is full and all its commits are on disk, the entries and the last
 * block are written to its end in one go.  So a good seal also says that no
 * commit of this or an earlier segment is missing.
 *
 * A seal is a convenience: without one (a crash, a failed write) recovery reads
 * the whole segment. */
#include "spool/seal.h"

#include <errno.h>

#include "spool/commit.h"
#include "spool/crc.h"
#include "spool/durable.h"
#include "spool/segment.h"

int seals_open(struct spool *s)
{
	for (size_t i = 0; i < SEALS; i++) {
		struct seal *seal = &s->seals[i];

		seal->block = memory_map(BLOCK_LEN + s->segment_len);
		if (seal->block == NULL)
			return -ENOMEM;
		seal->at = seal->block + BLOCK_LEN;
	}
	return 0;
}

void seals_close(struct spool *s)
{
	for (size_t i = 0; i < SEALS; i++)
		memory_unmap(s->seals[i].block, BLOCK_LEN + s->segment_len);
}

struct seal *seal_free(struct spool *s)
{
	for (size_t i = 0; i < SEALS; i++)
		if (s->seals[i].segment == NULL)
			return &s->seals[i];
	return NULL;
}

void seal_take(struct seal *seal, struct segment *g)
{
	check(seal->segment == NULL);
	seal->segment = g;
	seal->len = 0;
	seal->count = 0;
	g->seal = seal;
}

void seal_give(struct seal *seal)
{
	check(!seal->block_write.op.busy && !seal->seal_write.op.busy);
	seal->segment->seal = NULL;
	seal->segment = NULL;
	memory_drop(seal->at, round_up(seal->len, BLOCK_LEN) + BLOCK_LEN);
}

/* The oldest segment that has a piece of the message. */
static uint32_t first_number(const struct seal *seal, const struct record *r)
{
	struct record_parts parts = record_parts(r);
	struct chunk_ref ref;

	if (parts.refs == 0)
		return seal->segment->number;
	memcpy(&ref, record_rest(r) + parts.envelope + parts.bits, sizeof(ref));
	return ref.number;
}

void seal_add(struct seal *seal, const struct record *r, uint32_t offset)
{
	uint32_t len = record_entry_len(r);
	struct record_parts parts = record_parts(r);
	uint8_t *at = seal->at + seal->len;

	if (len == 0)
		return;
	struct seal_entry entry = {
	    .offset = offset,
	    .len = len,
	    .first_number = first_number(seal, r),
	};
	size_t rest_len = (size_t)parts.envelope + parts.bits;

	memset(at + len - 8, 0, 8);
	memcpy(at, &entry, sizeof(entry));
	memcpy(at + sizeof(entry), r, sizeof(*r));
	memcpy(at + sizeof(entry) + sizeof(*r), record_rest(r), rest_len);
	seal->len += len;
	seal->count++;
}

static void on_sealed(struct durable *d, int result)
{
	struct seal *seal = container_of(d, struct seal, seal_write);
	struct spool *s = d->spool;
	struct segment *g = seal->segment;

	if (result < 0) {
		log_begin(s->log, LOG_ERROR, "spool_write_failed");
		log_number(s->log, "segment", g->number);
		log_str(s->log, "what", "seal");
		log_number(s->log, "error", -result);
		log_end(s->log);
		g->poisoned = true;
	} else {
		g->sealed = true;
		s->written_len += d->len;
	}
	seal_give(seal);
	commit_released(s);
}

static void seal_run(struct spool *s, struct seal *seal)
{
	struct segment *g = seal->segment;
	uint32_t padded = (uint32_t)round_up(seal->len, BLOCK_LEN);

	memset(seal->at + seal->len, 0, padded - seal->len + BLOCK_LEN);
	struct segment_block b = segment_block_of(s, g);

	b.last_lsn = g->last_lsn;
	b.seal_len = seal->len;
	b.seal_offset = g->len - BLOCK_LEN - padded;
	b.seal_crc = crc32c(g->seed, seal->at, seal->len);
	b.seal_count = seal->count;
	b.fill = g->fill;
	segment_block_seal(&b);
	memcpy(seal->at + padded, &b, sizeof(b));
	durable_write(s, &seal->seal_write, g->fd, seal->at, padded + BLOCK_LEN,
	    b.seal_offset, on_sealed);
}

void seals_run(struct spool *s)
{
	for (size_t i = 0; i < SEALS; i++) {
		struct seal *seal = &s->seals[i];
		struct segment *g = seal->segment;

		if (g == NULL || !g->full || !g->begun || g->poisoned ||
		    g->last_lsn >= s->lsn_first || seal->seal_write.op.busy ||
		    seal->block_write.op.busy)
			continue;
		seal_run(s, seal);
	}
}
