/* relax.h -- the relaxed form of a body (RFC 6376, 3.4.4), 64 bytes at once. */
#ifndef DKIM_RELAX_H
#define DKIM_RELAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

#define RELAX_BLOCK 64
#define RELAX_VIEW (2 * RELAX_BLOCK) /* bytes a block wants to be readable */

/* The canonical form on its way to the hash. */
#define RELAX_ROOM 4096
struct relax_room {
	size_t len;
	uint8_t at[RELAX_ROOM + RELAX_BLOCK]; /* whole blocks are written */
};

/* Relaxes blocks of `in` until fewer than RELAX_VIEW bytes are left or the room
 * is full, and returns how many bytes that took.  Neither a line's start nor
 * blanks precede `in`; a blank never ends what was taken, a line may. */
typedef size_t relax_blocks(struct relax_room *room, struct slice in);

relax_blocks relax_plain; /* as good as the architecture's baseline is */
relax_blocks relax_avx2;
relax_blocks relax_avx512;

/* The best for this CPU. */
static inline relax_blocks *relax_best(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512vbmi2") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("popcnt"))
		return relax_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
		return relax_avx2;
#endif
	return relax_plain;
}

#endif
