/* record.c -- the bytes on disk: segment blocks, commits, records.
 *
 * Nothing here trusts a number before its checksum was right, nor afterwards
 * before it makes sense: lengths are compared with the room there is, in 64
 * bits, and a record's length must be what its parts add up to. */
#include "spool/record.h"

#include "spool/crc.h"

struct record_parts record_parts(const struct record *r)
{
	struct record_parts parts = {.envelope = r->envelope_len};

	switch ((enum record_type)r->type) {
	case RECORD_MOVE:
		parts.bits = (r->rcpt_count + 7u) / 8;
		/* fall through */
	case RECORD_MSG:
		parts.refs = r->count * (uint32_t)sizeof(struct chunk_ref);
		parts.content =
		    (uint32_t)(r->content_len -
			       (uint64_t)r->count * RECORD_PIECE_LEN);
		return parts;
	case RECORD_CHUNK: parts.content = RECORD_PIECE_LEN; return parts;
	case RECORD_NOTE:
	case RECORD_DONE: return parts;
	}
	return parts;
}

uint32_t record_len(const struct record *r)
{
	struct record_parts parts = record_parts(r);

	return (uint32_t)round_up(sizeof(*r) + parts.envelope + parts.bits +
				      parts.refs + parts.content,
	    8);
}

uint32_t record_entry_len(const struct record *r)
{
	struct record_parts parts = record_parts(r);

	if (r->type == RECORD_CHUNK)
		return 0;
	return (uint32_t)round_up(sizeof(struct seal_entry) + sizeof(*r) +
				      parts.envelope + parts.bits,
	    8);
}

void segment_block_seal(struct segment_block *b)
{
	b->magic = SEGMENT_MAGIC;
	b->format = SEGMENT_FORMAT;
	b->crc = crc32c(0, b, offsetof(struct segment_block, crc));
}

void commit_head_seal(struct commit_head *h)
{
	h->magic = COMMIT_MAGIC;
	h->crc = crc32c(h->seed, h, offsetof(struct commit_head, crc));
}

void record_seal(struct record *r, uint32_t seed)
{
	r->magic = RECORD_MAGIC;
	r->crc = crc32c(seed, r, offsetof(struct record, crc));
}

bool segment_block_good(const struct segment_block *b)
{
	if (b->magic != SEGMENT_MAGIC || b->format != SEGMENT_FORMAT)
		return false;
	if (b->crc != crc32c(0, b, offsetof(struct segment_block, crc)))
		return false;
	if (b->number == 0 || b->oldest > b->number)
		return false;
	if (b->segment_len < 4 * BLOCK_LEN || b->segment_len > UINT32_MAX ||
	    b->segment_len % BLOCK_LEN != 0)
		return false;
	if (b->seal_len == 0)
		return true;
	return b->seal_offset % BLOCK_LEN == 0 && b->seal_offset >= BLOCK_LEN &&
	       (uint64_t)b->seal_offset + b->seal_len <=
		   b->segment_len - BLOCK_LEN;
}

bool commit_head_good(const struct commit_head *h, uint32_t seed)
{
	return h->magic == COMMIT_MAGIC && h->seed == seed &&
	       h->crc == crc32c(seed, h, offsetof(struct commit_head, crc)) &&
	       h->lsn > 0 && h->stable_lsn < h->lsn && h->len >= sizeof(*h) &&
	       h->offset % BLOCK_LEN == 0;
}

/* Of a MSG or MOVE: what is not in chunks fits one piece. */
static bool message_sense(const struct record *r)
{
	uint64_t least = (uint64_t)r->count * RECORD_PIECE_LEN + r->head_len;

	return r->count <= RECORD_COUNT_MAX &&
	       r->head_len <= RECORD_HEAD_LEN_MAX && r->content_len >= least &&
	       r->content_len - least <= RECORD_PIECE_LEN;
}

static bool type_sense(const struct record *r)
{
	switch ((enum record_type)r->type) {
	case RECORD_MSG:
	case RECORD_MOVE: return message_sense(r);
	case RECORD_CHUNK:
		return r->content_len == RECORD_PIECE_LEN &&
		       r->envelope_len == 0;
	case RECORD_NOTE:
		return r->count <= RECORD_COUNT_MAX &&
		       r->envelope_len == r->count * 4;
	case RECORD_DONE: return r->envelope_len == 0;
	}
	return false; /* of a newer program, if of any */
}

bool record_head_good(const struct record *r, uint32_t seed)
{
	return r->magic == RECORD_MAGIC &&
	       r->crc == crc32c(seed, r, offsetof(struct record, crc)) &&
	       r->envelope_len <= RECORD_ENVELOPE_LEN_MAX && type_sense(r) &&
	       r->len == record_len(r);
}

bool record_good(const void *at, size_t room, uint32_t seed)
{
	const struct record *r = at;

	return room >= sizeof(*r) && record_head_good(r, seed) &&
	       r->len <= room;
}

bool record_envelope_good(const struct record *r)
{
	struct record_parts parts = record_parts(r);

	return r->envelope_crc ==
	       crc32c(0, record_rest(r), (size_t)parts.envelope + parts.bits);
}

bool record_refs_good(const struct record *r)
{
	struct record_parts parts = record_parts(r);

	return r->refs_crc == crc32c(0,
				  record_rest(r) + parts.envelope + parts.bits,
				  parts.refs);
}

bool record_content_good(const struct record *r)
{
	struct record_parts parts = record_parts(r);

	return r->content_crc ==
	       crc32c(0,
		   record_rest(r) + parts.envelope + parts.bits + parts.refs,
		   parts.content);
}

bool seal_next(struct slice *seal, uint32_t seed, struct seal_entry *entry,
    const struct record **record)
{
	const struct record *r;

	if (seal->len < sizeof(*entry) + sizeof(*r))
		return false;
	memcpy(entry, seal->at, sizeof(*entry));
	r = (const void *)(seal->at + sizeof(*entry));
	if (entry->len > seal->len || !record_head_good(r, seed) ||
	    entry->len != record_entry_len(r) || entry->len == 0)
		return false;
	slice_cut(seal, entry->len);
	*record = r;
	return true;
}
