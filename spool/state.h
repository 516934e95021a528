/* state.h -- the inside of a spool, shared by the files of this folder.
 *
 * Who changes what: segments segment.c, spare.c, seal.c; the image image.c;
 * commits commit.c and, after a failed write, rescue.c; messages index.c; waits
 * for a buffer read.c; moves compact.c.  spool.c puts them together. */
#ifndef SPOOL_STATE_H
#define SPOOL_STATE_H

#include "core/base/pool.h"
#include "spool/record.h"
#include "spool/spool.h"

#define IMAGE_LEN (8u << 20)	  /* of the end of the log, in memory */
#define COMMIT_LEN_MAX (1u << 20) /* but for one record that is longer */
#define COMMIT_RING 128u	  /* commits not yet released; power of two */
#define COMMITS_IN_FLIGHT_MAX 2u
#define NOTE_DELAY_MAX_MS 100u
#define UNDURABLE_CHUNKS_MAX (1u << 20) /* then pieces of bodies wait */
#define SEALS 4u
#define SEGMENT_RESERVE 2u /* kept free for notes, moves and reports */
#define SEGMENT_OVERRUN 8u /* beyond the quota, when those are used up */
#define SEGMENTS_MIN 6u
#define SEGMENT_FD_MAX 32u /* descriptors kept open for reading */
#define SPARES_WANTED 2u   /* written in advance, when traffic flows */
#define SPARES_KEPT_MAX 4u
#define PREWRITE_LEN (1u << 20)
#define BOUNCES 8u
#define BOUNCE_LEN (RECORD_PIECE_LEN + RECORD_HEAD_LEN_MAX + 2 * BLOCK_LEN)
#define MOVES_MAX 8u
#define REF_PAGES_MAX 16384u /* of drafts: 4 KiB each, 16 MB of mail */
#define BACKLOG_MAX (1u << 20)
#define IDLE_AFTER_MS 3000u
#define FAILING_RETRY_MS 5000u
#define SEQUENCE_GAP 65536u	     /* ids not used again after a crash */
#define SEQUENCE_PER_S 1024u	     /* and never below so many a second ... */
#define SEQUENCE_EPOCH_S 1735689600u /* ... since 2025 began */

/* One write that counts only when it is on stable storage. */
struct durable {
	struct op op;
	struct spool *spool;
	void (*done)(struct durable *d, int result);
	const uint8_t *at;
	uint64_t offset;
	uint32_t len;
	uint32_t written;
	int fd;
	bool syncing;
};

enum segment_state {
	SEGMENT_NONE,	/* the slot has no file */
	SEGMENT_MAKING, /* its file is being filled with zeros */
	SEGMENT_SPARE,	/* a file that holds nothing that is needed */
	SEGMENT_LOG,	/* part of the log: on spool->chain */
};

struct segment {
	struct list link; /* on spool->chain, oldest first, or ->spares */
	uint32_t slot;	  /* index in spool->segments; names the file */
	enum segment_state state;
	int fd; /* -1 = not open now */
	uint32_t len;
	uint32_t number;
	uint32_t seed;
	uint32_t
	    start;     /* where its commits begin: BLOCK_LEN but after rescue */
	uint32_t fill; /* where the next commit goes */
	uint64_t first_lsn;
	uint64_t last_lsn; /* of the commits laid in it */
	uint32_t
	    alive_first; /* messages whose oldest piece is here: index + 1 */
	uint32_t alive_count;
	uint32_t pin_count;  /* drafts, and messages not yet known, likewise */
	uint32_t read_count; /* reads under way */
	bool begun; /* its first block is on disk: commits may follow */
	bool full;  /* no more commits will be laid in it */
	bool sealed;
	bool poisoned;	     /* a write to it failed: never write to it again */
	struct seal *seal;   /* gathers, or is being written; else NULL */
	uint64_t image_base; /* the place in the image of its offset 0; 0 =
			      * never in it */
	bool block_lost;     /* its first block is not readable */
	uint32_t record_count; /* seen by recovery: for `spool check` */
	uint32_t damage_count; /* the same */
};

/* The index of a segment's records, gathered while it fills. */
struct seal {
	struct segment *segment; /* NULL = free */
	uint8_t *block; /* BLOCK_LEN bytes: the segment's first block */
	uint8_t *at;	/* entries, padding, the segment's last block */
	uint32_t len;	/* of the entries */
	uint32_t count;
	struct durable block_write;
	struct durable seal_write;
};

enum commit_state {
	COMMIT_FREE,
	COMMIT_OPEN,	/* takes records */
	COMMIT_CLOSED,	/* waits for its turn to be written */
	COMMIT_WRITING, /* the kernel has it */
	COMMIT_DURABLE, /* on disk; waits for those before it */
	COMMIT_FAILED,	/* its write failed; waits for the rescue */
};

struct commit {
	struct durable write;
	enum commit_state state;
	bool urgent; /* somebody waits for it */
	struct segment *segment;
	uint64_t lsn;
	uint32_t offset; /* in the segment */
	uint32_t len;	 /* with its head, without padding */
	uint32_t record_count;
	uint32_t oldest;   /* as its head says */
	struct list waits; /* spool_waits, in the order of the log */
};

/* The chunk_refs of a draft, or of a move. */
struct ref_page {
	struct ref_page *next;
	uint32_t count;
	uint32_t zero;
	struct chunk_ref refs[255];
};
_Static_assert(sizeof(struct ref_page) == 4096, "a page");

/* The private words of a draft. */
struct draft_inside {
	struct ref_page *first;
	struct ref_page *last;
	uint32_t chunk_count;
	uint32_t pin_slot; /* + 1; the segment of the oldest piece */
	struct list link;  /* on spool->drafts while it has pieces */
	int error;	   /* what became of it meanwhile: no commit */
};
_Static_assert(
    sizeof(struct draft_inside) <= sizeof(((struct draft *)0)->private_words),
    "fits");

enum wait_kind {
	WAIT_PLAIN,   /* just to be told: late errors, pieces, moves */
	WAIT_MESSAGE, /* a message becomes known first */
	WAIT_PIECE,   /* a piece waits to be laid */
};

/* The private words of a spool_wait. */
struct wait_inside {
	void *object; /* WAIT_MESSAGE: the message; WAIT_PIECE: the draft */
	union {
		uint64_t settled_id;  /* WAIT_MESSAGE, when settle_offset > 0 */
		const uint8_t *piece; /* WAIT_PIECE */
	};
	uint32_t offset; /* of the record, in its segment */
	uint32_t settle_offset;
	int32_t result;
	uint32_t kind;
};
_Static_assert(sizeof(struct wait_inside) ==
		   sizeof(((struct spool_wait *)0)->private_words),
    "fits");

/* A buffer, and the read that has it. */
struct bounce {
	struct op op;
	struct spool *spool;
	struct spool_read *read; /* NULL = free */
	uint8_t *at;		 /* BOUNCE_LEN bytes */
	struct segment *segment; /* of the unit being read */
	uint32_t unit_offset;	 /* in the segment: bytes with one checksum */
	uint32_t unit_len;
	uint32_t unit_pos; /* read and summed so far */
	uint32_t unit_crc; /* what it must be */
	uint32_t crc;
	uint32_t want_limit; /* nothing of the unit from here on */
	uint32_t want_from;  /* part of the unit that was asked for */
	uint32_t want_len;
	uint32_t step_at; /* in `at`, what this step brings */
	uint32_t step_len;
	uint32_t chunk; /* being read: index, when looking up its place */
	bool looking_up;
};

enum move_state {
	MOVE_FREE,
	MOVE_ENVELOPE, /* reading it */
	MOVE_PIECE,    /* reading one */
	MOVE_LAYING,   /* the piece waits to be laid */
	MOVE_HEAD,     /* reading the head of one with pieces */
	MOVE_CONTENT,  /* reading the tail, or all that there is */
	MOVE_COMMIT,   /* laid; durable soon */
};

struct move {
	struct spool *spool;
	enum move_state state;
	bool damaged;
	uint64_t id;
	struct draft draft;
	uint32_t slot; /* where it goes */
	uint32_t offset;
	uint32_t pin_slot;
	uint32_t content_crc;
	uint32_t envelope_crc;
	uint32_t piece;
	struct message copy; /* where it came from: reads look here, since it
			      * may be finished meanwhile */
	struct spool_read read;
	struct spool_wait wait;
};

struct spool {
	struct spool_options options;
	struct loop *loop;
	struct log *log;
	char dir[256];
	int dir_fd;
	int lock_fd;
	bool direct; /* O_DIRECT works */
	bool closing;
	bool recovering;

	struct segment *segments;
	uint32_t segment_slots; /* length of `segments` */
	uint32_t segment_limit; /* files that the quota allows */
	uint32_t segment_len;
	struct list chain;
	struct list spares;
	uint32_t chain_count;
	uint32_t spare_count;
	uint32_t file_count;
	uint32_t fd_count;
	uint32_t number_last;
	uint32_t oldest_durable; /* what the disk says is the oldest needed */
	bool disk_full;		 /* no file could be made; asked again later */
	uint64_t disk_full_ms;
	struct seal seals[SEALS];
	struct segment *active; /* takes commits; NULL = none yet */

	struct segment *making; /* spare.c */
	uint8_t *zeros;
	struct op make_op;
	uint32_t make_offset;
	unsigned make_step;

	uint8_t *image;	      /* image.c: the end of the log, a ring */
	uint64_t image_start; /* places before this one were forgotten */
	uint64_t image_end;   /* the place behind what was laid last */

	struct commit commits[COMMIT_RING];
	uint64_t lsn_first;  /* the oldest not released */
	uint64_t lsn_submit; /* the next to be written */
	uint64_t lsn_next;   /* the next to be opened */
	struct commit *open;
	uint32_t in_flight;
	uint64_t undurable_len;
	struct op pump;
	struct timer note_timer;
	struct list late; /* waits that are told in the next turn */
	struct op late_op;
	struct list pieces; /* waits whose piece is not laid yet */
	struct list drafts; /* those that have pieces in the log */
	uint64_t next_sequence;

	bool rescuing;	       /* a write failed: nothing is submitted */
	unsigned rescue_count; /* in a row */
	bool failing;	       /* the rescue failed too */
	struct timer failing_timer;
	uint64_t *backlog; /* ids whose outcome is not in the log */
	uint32_t backlog_count;

	struct pool messages;
	struct pool bits_small; /* of messages with more than 64 recipients */
	struct pool bits_large; /* ... more than 4096 */
	struct pool ref_pages;
	uint32_t *table;    /* id -> message: index + 1, open addressing */
	uint32_t table_len; /* a power of two */
	uint64_t alive_count;
	uint64_t alive_len;

	struct bounce bounces[BOUNCES];
	uint8_t *bounce_memory;
	struct list reads; /* that wait for a buffer */
	uint32_t reads_busy;

	struct move moves[MOVES_MAX];
	struct move *reading; /* the one that uses move_buffer */
	uint8_t *move_buffer;
	struct timer tick;  /* idle memory, spares, moves */
	uint64_t active_ms; /* when something was last done */

	uint64_t commit_count;
	uint64_t written_len;
	uint64_t moved_len;
	uint32_t damage_count; /* seen by recovery */
};

/* Anonymous memory, zeroed, taken as it is touched; NULL = none. */
void *memory_map(size_t len);
void memory_unmap(void *at, size_t len);
/* Gives whole pages inside the range back to the system. */
void memory_drop(void *at, size_t len);

/* Gives all memory and descriptors back, and writes nothing; nothing may be
 * under way. */
void spool_release(struct spool *s);

static inline struct draft_inside *draft_inside(struct draft *d)
{
	return (struct draft_inside *)(void *)d->private_words;
}

static inline struct wait_inside *wait_inside(struct spool_wait *w)
{
	return (struct wait_inside *)(void *)w->private_words;
}

static inline struct commit *commit_at(struct spool *s, uint64_t lsn)
{
	return &s->commits[lsn % COMMIT_RING];
}

/* The number of the oldest segment that is needed. */
static inline uint32_t chain_oldest(const struct spool *s)
{
	if (s->chain.next == &s->chain)
		return s->number_last;
	return container_of(s->chain.next, struct segment, link)->number;
}

#endif
