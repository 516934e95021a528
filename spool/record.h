/* record.h -- the bytes on disk: segment blocks, commits, records.
 *
 * Pure.  All numbers are little-endian; the structs are the bytes.  `seed` is
 * drawn at random for each use of a segment and every checksum of a head
 * begins with it: what an earlier use left behind, and what a mail brings in
 * its body, never passes as a commit or a record. */
#ifndef SPOOL_RECORD_H
#define SPOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

#define BLOCK_LEN 4096u
#define SEGMENT_FORMAT 1u

/* The first block of a segment, and again its last one when it is sealed. */
struct segment_block {
	uint64_t magic;		/*   0 SEGMENT_MAGIC */
	uint32_t format;	/*   8 */
	uint32_t shard;		/*  12 */
	uint32_t number;	/*  16 of this use; rises, never used again */
	uint32_t zero0;		/*  20 */
	uint32_t oldest;	/*  24 segments below this are not needed */
	uint32_t seed;		/*  28 */
	uint64_t first_lsn;	/*  32 fence: no commit of an earlier segment
				 *     with this LSN or a higher one counts */
	uint64_t next_sequence; /*  40 of message ids */
	uint64_t segment_len;	/*  48 */
	uint64_t last_lsn;	/*  56 last block only, as all below */
	uint32_t seal_offset;	/*  64 */
	uint32_t seal_len;	/*  68 */
	uint32_t seal_crc;	/*  72 */
	uint32_t seal_count;	/*  76 entries */
	uint32_t fill;		/*  80 where the commits end */
	uint32_t zero[10];	/*  84 */
	uint32_t crc;		/* 124 of bytes 0..123 */
};
_Static_assert(sizeof(struct segment_block) == 128, "as on disk");

/* The head of a commit, at the start of a block. */
struct commit_head {
	uint32_t magic;		/*  0 COMMIT_MAGIC */
	uint32_t number;	/*  4 the segment's */
	uint32_t offset;	/*  8 in the segment */
	uint32_t len;		/* 12 with this head, without the padding */
	uint64_t lsn;		/* 16 counts commits: 1, 2, 3, ... */
	uint64_t stable_lsn;	/* 24 all up to this one were on disk before */
	uint64_t next_sequence; /* 32 of message ids */
	uint32_t oldest;	/* 40 as in the segment's block */
	uint32_t record_count;	/* 44 */
	uint32_t seed;		/* 48 */
	uint32_t zero[2];	/* 52 */
	uint32_t crc;		/* 60 of bytes 0..59, seeded */
};
_Static_assert(sizeof(struct commit_head) == 64, "as on disk");

enum record_type {
	RECORD_MSG = 1,	  /* a message */
	RECORD_MOVE = 2,  /* the same one, copied forward, as it is now */
	RECORD_CHUNK = 3, /* a piece of the body of a message to come */
	RECORD_NOTE = 4,  /* what an attempt brought */
	RECORD_DONE = 5,  /* a message is finished */
};

enum record_flag {
	RECORD_DAMAGED = 1, /* a MOVE of what could not be read */
	RECORD_SETTLES = 2, /* a NOTE that stands or falls with a MSG */
};

/* The head of a record; 8-aligned.  Behind it:
 *   MSG, MOVE   envelope, (MOVE: a bit for each recipient, set = finished),
 *               `count` chunk_refs, head, tail
 *   CHUNK       RECORD_PIECE_LEN bytes
 *   NOTE        `count` recipients' indices, 4 bytes each, now finished
 * and padding to 8. */
struct record {
	uint16_t magic;		/*  0 RECORD_MAGIC */
	uint8_t type;		/*  2 enum record_type */
	uint8_t flags;		/*  3 set of enum record_flag */
	uint32_t len;		/*  4 with this head and the padding */
	uint64_t id;		/*  8 of the message */
	uint64_t content_len;	/* 16 of the whole message; CHUNK: here */
	uint32_t received_s;	/* 24 */
	uint32_t due_s;		/* 28 MOVE, NOTE */
	uint16_t attempt_count; /* 32 MOVE, NOTE */
	uint16_t rcpt_count;	/* 34 */
	uint32_t envelope_len;	/* 36 */
	uint32_t count;		/* 40 of chunk_refs, or of indices; CHUNK: which
				 *    piece */
	uint16_t head_len;	/* 44 */
	uint16_t zero;		/* 46 */
	uint32_t envelope_crc;	/* 48 of envelope and bits, or indices */
	uint32_t refs_crc;	/* 52 of the chunk_refs */
	uint32_t content_crc;	/* 56 of what of head and body is in here */
	uint32_t crc;		/* 60 of bytes 0..59, seeded */
};
_Static_assert(sizeof(struct record) == 64, "as on disk");

struct chunk_ref {
	uint32_t number; /* of the segment */
	uint32_t offset; /* of the CHUNK record in it */
	uint32_t crc;	 /* of the piece */
	uint32_t zero;
};
_Static_assert(sizeof(struct chunk_ref) == 16, "as on disk");

/* An entry of a seal: this, the record's head, and of a MSG or MOVE envelope
 * and bits, of a NOTE the indices.  CHUNKs have none. */
struct seal_entry {
	uint32_t offset;       /*  0 of the record */
	uint32_t len;	       /*  4 of the entry, a multiple of 8 */
	uint32_t first_number; /*  8 oldest segment that has a piece of it */
	uint32_t zero;	       /* 12 */
};
_Static_assert(sizeof(struct seal_entry) == 16, "as on disk");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as on disk");

#define SEGMENT_MAGIC 0x314c4f4f50534853u /* "SHSPOOL1" */
#define COMMIT_MAGIC 0x314d4353u	  /* "SCM1" */
#define RECORD_MAGIC 0x5352u		  /* "RS" */
#define RECORD_PIECE_LEN 65536u
#define RECORD_HEAD_LEN_MAX 8192u
#define RECORD_ENVELOPE_LEN_MAX (1u << 20)
#define RECORD_COUNT_MAX 65536u
#define RECORD_LEN_MAX                                                         \
	(sizeof(struct record) + RECORD_ENVELOPE_LEN_MAX + 8192 +              \
	    RECORD_COUNT_MAX * sizeof(struct chunk_ref) +                      \
	    RECORD_HEAD_LEN_MAX + RECORD_PIECE_LEN + 8)

static inline uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* Lengths of the parts behind a record's head. */
struct record_parts {
	uint32_t envelope; /* or the indices */
	uint32_t bits;
	uint32_t refs;
	uint32_t content;
};
/* Only for a record whose numbers make sense. */
struct record_parts record_parts(const struct record *r);
/* What r->len must be for the other numbers. */
uint32_t record_len(const struct record *r);
/* What its entry in a seal takes; 0 for a CHUNK. */
uint32_t record_entry_len(const struct record *r);

/* Fill in magic and checksum of a head whose other fields are set. */
void segment_block_seal(struct segment_block *b);
void commit_head_seal(struct commit_head *h);
void record_seal(struct record *r, uint32_t seed);

/* Whether the bytes are such a head: magic, checksum, sense. */
bool segment_block_good(const struct segment_block *b);
/* `seed` as in the segment's block; the head's own must be the same. */
bool commit_head_good(const struct commit_head *h, uint32_t seed);

/* Whether a whole record, and no more than `room` bytes of it, starts at `at`.
 * The checksums of what is behind the head are not looked at. */
bool record_good(const void *at, size_t room, uint32_t seed);
/* The same for the copy of a head in a seal, where the rest is elsewhere. */
bool record_head_good(const struct record *r, uint32_t seed);

/* The checksums of the parts; the whole record must be there. */
bool record_envelope_good(const struct record *r);
bool record_refs_good(const struct record *r);
bool record_content_good(const struct record *r);

static inline const uint8_t *record_rest(const struct record *r)
{
	return (const uint8_t *)(r + 1);
}

/* Takes the next entry off a seal's bytes, which start 8-aligned.  Behind the
 * record's head are envelope and bits, or indices, and nothing more.  False at
 * the end, or when no sense can be made of the rest (then seal->len > 0). */
bool seal_next(struct slice *seal, uint32_t seed, struct seal_entry *entry,
    const struct record **record);

#endif
