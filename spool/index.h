/* index.h -- what is alive, and where. */
#ifndef SPOOL_INDEX_H
#define SPOOL_INDEX_H

#include "spool/state.h"

/* The private words of a message. */
struct message_inside {
	uint32_t slot; /* of the segment that has its record */
	uint32_t offset;
	uint32_t pin_slot; /* of the one that has its oldest piece */
	uint32_t content_crc;
	uint64_t finished; /* a bit for each recipient, or where they are */
	uint32_t chunk_count;
	uint16_t head_len;
	uint16_t finished_count;
	uint32_t next; /* in the list of the pin segment: index + 1 */
	uint32_t prev;
	uint8_t settling; /* commits under way that settle some of it */
	bool moving;
	bool damaged; /* what lies there could not be read when it was moved */
	bool moved;   /* the record is a MOVE: bits behind the envelope */
	uint32_t envelope_crc;
};
_Static_assert(sizeof(struct message_inside) ==
		   sizeof(((struct message *)0)->private_words),
    "fits");

static inline struct message_inside *message_inside(const struct message *m)
{
	return (struct message_inside *)(uintptr_t)m->private_words;
}

MUST_USE int index_open(struct spool *s);
void index_close(struct spool *s);

/* A message that nobody knows yet, all recipients unfinished; NULL = no room.
 * Fields but id and rcpt_count are zero. */
struct message *index_take(struct spool *s, uint64_t id, uint16_t rcpt_count);
void index_give(struct spool *s, struct message *m);

/* Makes it known: found by its id, counted, on the list of its pin segment. */
void index_insert(struct spool *s, struct message *m);
void index_remove(struct spool *s, struct message *m);

/* Says that it now lies elsewhere. */
void index_move(struct spool *s, struct message *m, uint32_t slot,
    uint32_t offset, uint32_t pin_slot);

/* The first message whose oldest piece is in the segment, and the next. */
struct message *index_first(struct spool *s, const struct segment *g);
struct message *index_next(struct spool *s, const struct message *m);

void message_finish_rcpt(struct message *m, uint32_t index);
/* Bit i of byte i / 8: recipient i is finished; (rcpt_count + 7) / 8 bytes. */
uint8_t *message_bits(struct message *m);
/* Sets the finished recipients to just these. */
void message_set_bits(struct message *m, const uint8_t *bits);

/* What a message is counted to take on disk. */
uint64_t message_disk_len(const struct message *m);

#endif
