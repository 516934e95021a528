/* memory.c -- pieces cut from blocks that are wiped and given back together.
 *
 * A piece that is larger than a block gets a block of its own, behind the
 * current one, so that the current one goes on being filled.  Blocks become
 * larger with what there is already: a large configuration has few. */
#include "core/config/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/base/check.h"

#define BLOCK_LEN_MIN 65536
#define BLOCK_LEN_MAX (1u << 20)

struct memory_block {
	struct memory_block *next;
	size_t len;
	size_t room;
	_Alignas(16) uint8_t at[];
};

/* Pages of our own: a core dump has none of them. */
static struct memory_block *block_make(struct config_memory *m, size_t room)
{
	size_t len = (sizeof(struct memory_block) + room + 4095) & ~4095ul;
	struct memory_block *b = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(b != MAP_FAILED);
	(void)madvise(b, len, MADV_DONTDUMP);
	b->room = len - sizeof(*b);
	m->total += len;
	return b;
}

static void block_free(struct memory_block *b)
{
	explicit_bzero(b->at, b->len);
	munmap(b, b->room + sizeof(*b));
}

static size_t block_len(const struct config_memory *m)
{
	if (m->total < BLOCK_LEN_MIN)
		return BLOCK_LEN_MIN - sizeof(struct memory_block);
	return (m->total < BLOCK_LEN_MAX ? m->total : BLOCK_LEN_MAX) -
	       sizeof(struct memory_block);
}

struct config_memory *memory_open(void)
{
	struct config_memory *m = calloc(1, sizeof(*m));

	check(m != NULL);
	m->blocks = block_make(m, block_len(m));
	return m;
}

void memory_close(struct config_memory *m)
{
	if (m == NULL)
		return;
	for (struct memory_block *b = m->blocks; b != NULL;) {
		struct memory_block *next = b->next;

		block_free(b);
		b = next;
	}
	free(m);
}

void *memory_take(struct config_memory *m, size_t len)
{
	struct memory_block *b = m->blocks;

	len = (len + 15) & ~(size_t)15;
	if (len > b->room - b->len) {
		size_t usual = block_len(m);

		b = block_make(m, len > usual ? len : usual);
		if (len > usual) {
			b->next = m->blocks->next;
			m->blocks->next = b;
		} else {
			b->next = m->blocks;
			m->blocks = b;
		}
	}
	void *piece = b->at + b->len;
	b->len += len;
	return piece;
}

char *memory_copy(struct config_memory *m, struct slice s)
{
	char *copy = memory_take(m, s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.at, s.len);
	return copy;
}

char *memory_printf(struct config_memory *m, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	check(len >= 0);

	char *text = memory_take(m, (size_t)len + 1);
	va_start(arguments, format);
	vsnprintf(text, (size_t)len + 1, format, arguments);
	va_end(arguments);
	return text;
}

void *memory_grow(
    struct config_memory *m, void *rows, size_t count, size_t row_len)
{
	void *more;

	if (count == 0)
		return memory_take(m, 8 * row_len);
	if (count < 8 || (count & (count - 1)) != 0)
		return rows;
	more = memory_take(m, 2 * count * row_len);
	memcpy(more, rows, count * row_len);
	return more;
}

char *memory_origin(struct config_memory *m, struct origin where)
{
	if (where.line == 0)
		return memory_copy(m, slice_of_str(where.source));
	return memory_printf(m, "%s:%u", where.source, where.line);
}
