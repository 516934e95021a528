/* relax_kernel.h -- the relaxed form in vectors; for relax_*.c, which name the
 * function and are compiled for different CPUs.
 *
 * A block that nothing is dropped from, and that is nearly every one, is found
 * by its pairs of neighbours: of blank, LF with blank, CR, dot; it is copied.
 * Of the others a bit for each byte that is dropped is made, and what lies
 * between is copied: 64 bytes each time, however few are meant, because what
 * is behind them is written over.  A copy makes tabs to spaces.
 *
 *   dropped    a blank with a blank or CR behind it; a dot behind an LF, which
 *              was doubled in transit (RFC 5321, 4.5.2)
 *
 * Must hold: what is read ends RELAX_VIEW bytes behind a block's begin, what is
 * written RELAX_BLOCK bytes behind the room's length. */
#ifndef DKIM_RELAX_KERNEL_H
#define DKIM_RELAX_KERNEL_H

#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "dkim/relax.h"

#ifdef __AVX2__
#define WIDTH 32
#else
#define WIDTH 16
#endif

typedef uint8_t bytes __attribute__((vector_size(WIDTH)));
typedef uint64_t words __attribute__((vector_size(WIDTH)));

static inline bytes load(const uint8_t *at)
{
	bytes v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* A bit for each byte of `hits`, of which each is 0 or 0xff. */
static inline uint64_t bits_of(bytes hits)
{
#if defined(__AVX2__)
	return (uint32_t)_mm256_movemask_epi8((__m256i)hits);
#elif defined(__SSE2__)
	return (uint32_t)_mm_movemask_epi8((__m128i)hits);
#else
	/* A multiplication gathers the bits of eight bytes. */
	words ones = (words)(hits & 1);

	return (ones[0] * 0x0102040810204080) >> 56 |
	       (ones[1] * 0x0102040810204080) >> 56 << 8;
#endif
}

/* Whether a pair of neighbours, in `here` and `next`, may drop one of them. */
static inline bytes pairs(bytes here, bytes next)
{
#ifdef __AVX2__
	/* What has the low half of the byte at its place here is it or is
	 * another: space, tab, LF; and space, tab, CR, dot. */
	const __m256i first = _mm256_broadcastsi128_si256(_mm_setr_epi8(
	    ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, 0, 0, 0));
	const __m256i second = _mm256_broadcastsi128_si256(_mm_setr_epi8(
	    ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', 0, 0, 0, '\r', '.', 0));
	bytes is_first = (bytes)_mm256_shuffle_epi8(first, (__m256i)here);
	bytes is_second = (bytes)_mm256_shuffle_epi8(second, (__m256i)next);

	return (bytes)(is_first == here) & (bytes)(is_second == next);
#else
	bytes blank = (bytes)(here == ' ') | (bytes)(here == '\t');

	return (blank & (bytes)(next <= ' ')) |
	       ((bytes)(here == '\n') & (bytes)(next == '.'));
#endif
}

static inline bool may_change(const uint8_t *at)
{
	bytes hits = {0};

	for (unsigned i = 0; i < RELAX_BLOCK; i += WIDTH)
		hits |= pairs(load(at + i), load(at + i + 1));
	return bits_of(hits) != 0;
}

static inline void copy_block(uint8_t *to, const uint8_t *from)
{
	for (unsigned i = 0; i < RELAX_BLOCK; i += WIDTH) {
		bytes v = load(from + i);

		v ^= (bytes)(v == '\t') & (uint8_t)('\t' ^ ' ');
		memcpy(to + i, &v, sizeof(v));
	}
}

static inline uint64_t mask(const uint8_t *at, uint8_t byte)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < RELAX_BLOCK; i += WIDTH)
		bits |= bits_of((bytes)(load(at + i) == byte)) << i;
	return bits;
}

static inline uint64_t dropped(const uint8_t *at, bool behind_lf)
{
	uint64_t blanks = mask(at, ' ') | mask(at, '\t');
	uint64_t wanted = blanks | mask(at, '\r');
	uint8_t next = at[RELAX_BLOCK];
	bool next_wanted = next == ' ' || next == '\t' || next == '\r';

	wanted = wanted >> 1 | (uint64_t)next_wanted << 63;
	return (blanks & wanted) |
	       (mask(at, '.') & (mask(at, '\n') << 1 | behind_lf));
}

/* The bytes whose bits are not set, in their order; their number. */
static inline size_t gather(
    uint8_t *to, const uint8_t *from, uint64_t bits_dropped)
{
	uint64_t kept = ~bits_dropped;
	size_t len = 0;

	while (kept != 0) {
		unsigned first = (unsigned)__builtin_ctzll(kept);
		/* what is shifted in ends the run */
		uint64_t rest = ~(kept >> first);
		unsigned run = rest == 0 ? 64 : (unsigned)__builtin_ctzll(rest);

		copy_block(to + len, from + first);
		len += run;
		/* adding the run's first bit carries through it */
		kept &= kept + (kept & -kept);
	}
	return len;
}

/* Writes the block's relaxed form; its length. */
static inline size_t relax_block(uint8_t *to, const uint8_t *at, bool behind_lf)
{
	if (behind_lf || may_change(at))
		return gather(to, at, dropped(at, behind_lf));
	copy_block(to, at);
	return RELAX_BLOCK;
}

static inline size_t relax(struct relax_room *room, struct slice in)
{
	const uint8_t *at = in.at;
	size_t len = room->len;
	size_t i = 0;

	while (in.len - i >= RELAX_VIEW && len <= RELAX_ROOM - RELAX_BLOCK) {
		bool behind_lf = at[i] == '.' && i > 0 && at[i - 1] == '\n';

		len += relax_block(room->at + len, at + i, behind_lf);
		i += RELAX_BLOCK;
	}
	room->len = len;
	return i;
}

#endif
