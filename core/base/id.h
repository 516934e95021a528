/* id.h -- a queue id: 64 bits, and how people write it.
 *
 * The upper 8 bits are the shard, the lower 56 count up within it, for ever.
 * As text: base 32 of Crockford without I, L, O, U, most significant digit
 * first, no leading zeros but at least one digit. */
#ifndef CORE_BASE_ID_H
#define CORE_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

#define ID_TEXT_MAX 13
#define ID_SHARD_SHIFT 56

struct id_text {
	char at[ID_TEXT_MAX + 1]; /* NUL-terminated */
	size_t len;
};

static inline uint64_t id_make(unsigned shard, uint64_t sequence)
{
	return (uint64_t)shard << ID_SHARD_SHIFT | sequence;
}

struct id_text id_format(uint64_t id);
/* Accepts lower case.  False when it is not an id. */
bool id_parse(struct slice text, uint64_t *id);

#endif
