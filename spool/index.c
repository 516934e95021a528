/* index.c -- what is alive, and where.
 *
 * A message is an object of a pool (96 bytes).  A table of open addressing
 * finds it by its id: 4 bytes a slot, the object's index + 1, at most 7 of 10
 * in use; it doubles when it is fuller, and a removal moves back what follows,
 * so that there are no tombstones.
 *
 * A segment must stay as long as a piece of an alive message lies in it.  Since
 * segments are given back in order only, it is enough that a message holds (is
 * on the list of) the one with its oldest piece: its pin.
 *
 * Up to 64 recipients, who is finished is a word in the message; beyond, an
 * object of one of two more pools. */
#include "spool/index.h"

#include <errno.h>

#define TABLE_LEN_MIN 1024u
#define BITS_SMALL_LEN 512u
#define BITS_LARGE_LEN 8192u

int index_open(struct spool *s)
{
	/* More room than new mail may take: a spool that was filled under a
	 * larger limit must still open. */
	size_t count = 2 * s->options.message_count_max + 65536;

	s->table_len = TABLE_LEN_MIN;
	s->table = memory_map(s->table_len * sizeof(*s->table));
	if (s->table == NULL)
		return -ENOMEM;
	if (pool_init(&s->messages, "messages", sizeof(struct message), count) <
	    0)
		return -ENOMEM;
	if (pool_init(&s->bits_small, "recipients", BITS_SMALL_LEN, count / 4) <
	    0)
		return -ENOMEM;
	return pool_init(
	    &s->bits_large, "recipients", BITS_LARGE_LEN, count / 64);
}

void index_close(struct spool *s)
{
	memory_unmap(s->table, s->table_len * sizeof(*s->table));
	pool_deinit(&s->messages);
	pool_deinit(&s->bits_small);
	pool_deinit(&s->bits_large);
}

static uint32_t index_of(const struct spool *s, const struct message *m)
{
	size_t offset = (size_t)((const uint8_t *)m - s->messages.base);

	return (uint32_t)(offset / s->messages.object_len);
}

static struct message *message_at(const struct spool *s, uint32_t index)
{
	return (struct message *)(void *)(s->messages.base +
					  index * s->messages.object_len);
}

static struct pool *bits_pool(struct spool *s, uint16_t rcpt_count)
{
	if (rcpt_count <= 64)
		return NULL;
	return rcpt_count <= BITS_SMALL_LEN * 8 ? &s->bits_small
						: &s->bits_large;
}

struct message *index_take(struct spool *s, uint64_t id, uint16_t rcpt_count)
{
	struct message *m = pool_take(&s->messages);

	if (m == NULL)
		return NULL;
	*m = (struct message){.id = id, .rcpt_count = rcpt_count};
	struct pool *pool = bits_pool(s, rcpt_count);

	if (pool == NULL)
		return m;
	uint8_t *bits = pool_take(pool);

	if (bits == NULL) {
		pool_give(&s->messages, m);
		return NULL;
	}
	memset(bits, 0, (rcpt_count + 7u) / 8);
	message_inside(m)->finished = (uintptr_t)bits;
	return m;
}

void index_give(struct spool *s, struct message *m)
{
	struct pool *pool = bits_pool(s, m->rcpt_count);

	if (pool != NULL)
		pool_give(pool, message_bits(m));
	pool_give(&s->messages, m);
}

static uint32_t slot_of(const struct spool *s, uint64_t id)
{
	return (uint32_t)((id * 0x9e3779b97f4a7c15u) >> 32) &
	       (s->table_len - 1);
}

static void table_put(struct spool *s, uint32_t index)
{
	uint32_t at = slot_of(s, message_at(s, index)->id);

	while (s->table[at] != 0)
		at = (at + 1) & (s->table_len - 1);
	s->table[at] = index + 1;
}

/* Doubles the table; false when there is no memory (it then gets fuller). */
static bool table_grow(struct spool *s)
{
	uint32_t *old = s->table;
	uint32_t old_len = s->table_len;
	uint32_t *table = memory_map(2 * (size_t)old_len * sizeof(*table));

	if (table == NULL)
		return false;
	s->table = table;
	s->table_len = 2 * old_len;
	for (uint32_t i = 0; i < old_len; i++)
		if (old[i] != 0)
			table_put(s, old[i] - 1);
	memory_unmap(old, old_len * sizeof(*old));
	return true;
}

static uint32_t table_find(const struct spool *s, uint64_t id)
{
	uint32_t at = slot_of(s, id);

	while (s->table[at] != 0 && message_at(s, s->table[at] - 1)->id != id)
		at = (at + 1) & (s->table_len - 1);
	return at;
}

static void table_remove(struct spool *s, uint32_t hole)
{
	uint32_t mask = s->table_len - 1;

	for (uint32_t at = (hole + 1) & mask; s->table[at] != 0;
	     at = (at + 1) & mask) {
		uint32_t home = slot_of(s, message_at(s, s->table[at] - 1)->id);

		/* It may move back if the hole is not before its home. */
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			s->table[hole] = s->table[at];
			hole = at;
		}
	}
	s->table[hole] = 0;
}

struct message *spool_find(struct spool *s, uint64_t id)
{
	uint32_t index = s->table[table_find(s, id)];

	return index == 0 ? NULL : message_at(s, index - 1);
}

void spool_each(
    struct spool *s, void (*each)(void *arg, struct message *m), void *arg)
{
	for (uint32_t i = 0; i < s->table_len; i++)
		if (s->table[i] != 0)
			each(arg, message_at(s, s->table[i] - 1));
}

static void pin(struct spool *s, struct message *m)
{
	struct message_inside *in = message_inside(m);
	struct segment *g = &s->segments[in->pin_slot];
	uint32_t index = index_of(s, m);

	in->prev = 0;
	in->next = g->alive_first;
	if (in->next != 0)
		message_inside(message_at(s, in->next - 1))->prev = index + 1;
	g->alive_first = index + 1;
	g->alive_count++;
}

static void unpin(struct spool *s, struct message *m)
{
	struct message_inside *in = message_inside(m);
	struct segment *g = &s->segments[in->pin_slot];

	check(g->alive_count > 0);
	g->alive_count--;
	if (in->next != 0)
		message_inside(message_at(s, in->next - 1))->prev = in->prev;
	if (in->prev != 0)
		message_inside(message_at(s, in->prev - 1))->next = in->next;
	else
		g->alive_first = in->next;
}

void index_insert(struct spool *s, struct message *m)
{
	if ((s->alive_count + 1) * 10 > (uint64_t)s->table_len * 7 &&
	    !table_grow(s))
		check(s->alive_count + 1 < s->table_len);
	check(s->table[table_find(s, m->id)] == 0);
	table_put(s, index_of(s, m));
	pin(s, m);
	s->alive_count++;
	s->alive_len += message_disk_len(m);
}

void index_remove(struct spool *s, struct message *m)
{
	uint32_t at = table_find(s, m->id);

	check(s->table[at] != 0);
	table_remove(s, at);
	unpin(s, m);
	s->alive_count--;
	s->alive_len -= message_disk_len(m);
}

void index_move(struct spool *s, struct message *m, uint32_t slot,
    uint32_t offset, uint32_t pin_slot)
{
	struct message_inside *in = message_inside(m);

	unpin(s, m);
	in->slot = slot;
	in->offset = offset;
	in->pin_slot = pin_slot;
	pin(s, m);
}

struct message *index_first(struct spool *s, const struct segment *g)
{
	return g->alive_first == 0 ? NULL : message_at(s, g->alive_first - 1);
}

struct message *index_next(struct spool *s, const struct message *m)
{
	uint32_t next = message_inside(m)->next;

	return next == 0 ? NULL : message_at(s, next - 1);
}

uint8_t *message_bits(struct message *m)
{
	struct message_inside *in = message_inside(m);

	if (m->rcpt_count <= 64)
		return (uint8_t *)&in->finished;
	return (uint8_t *)(uintptr_t)in->finished;
}

bool message_rcpt_finished(const struct message *m, uint32_t index)
{
	const uint8_t *bits = message_bits((struct message *)(uintptr_t)m);

	check(index < m->rcpt_count);
	return bits[index / 8] >> (index % 8) & 1;
}

uint32_t message_rcpts_left(const struct message *m)
{
	return (uint32_t)m->rcpt_count - message_inside(m)->finished_count;
}

void message_finish_rcpt(struct message *m, uint32_t index)
{
	if (message_rcpt_finished(m, index))
		return;
	message_bits(m)[index / 8] |= (uint8_t)(1u << (index % 8));
	message_inside(m)->finished_count++;
}

void message_set_bits(struct message *m, const uint8_t *bits)
{
	memset(message_bits(m), 0, (m->rcpt_count + 7u) / 8);
	message_inside(m)->finished_count = 0;
	for (uint32_t i = 0; i < m->rcpt_count; i++)
		if (bits[i / 8] >> (i % 8) & 1)
			message_finish_rcpt(m, i);
}

uint64_t message_disk_len(const struct message *m)
{
	return sizeof(struct record) + m->envelope_len + m->content_len;
}
