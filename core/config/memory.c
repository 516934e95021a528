/* memory.c -- pieces cut from blocks that are freed together.
 *
 * A piece that is larger than a block gets a block of its own, behind the
 * current one, so that the current one goes on being filled. */
#include "core/config/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"

#define BLOCK_LEN 16384

struct memory_block {
	struct memory_block *next;
	size_t len;
	size_t room;
	_Alignas(16) uint8_t at[];
};

static struct memory_block *block_make(size_t room)
{
	struct memory_block *b = calloc(1, sizeof(*b) + room);

	check(b != NULL);
	b->room = room;
	return b;
}

struct config_memory *memory_open(void)
{
	struct config_memory *m = calloc(1, sizeof(*m));

	check(m != NULL);
	m->blocks = block_make(BLOCK_LEN);
	return m;
}

void memory_close(struct config_memory *m)
{
	if (m == NULL)
		return;
	for (struct memory_block *b = m->blocks; b != NULL;) {
		struct memory_block *next = b->next;

		free(b);
		b = next;
	}
	free(m);
}

void *memory_take(struct config_memory *m, size_t len)
{
	struct memory_block *b = m->blocks;

	len = (len + 15) & ~(size_t)15;
	if (len > b->room - b->len) {
		b = block_make(len > BLOCK_LEN ? len : BLOCK_LEN);
		if (len > BLOCK_LEN) {
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
