/* relax_avx512.c -- the relaxed form, for CPUs with VBMI2: see Makefile.
 *
 * One instruction picks what is kept, so that there is nothing to foresee: a
 * block costs the same whatever is in it. */
#include <immintrin.h>

#include "dkim/relax.h"

/* A table that has a byte at the place of its own low half: what a shuffle by
 * bytes does not change is in it. */
#define TABLE(c0, c9, cd)                                                      \
	_mm512_broadcast_i32x4(                                                \
	    _mm_setr_epi8(c0, 0, 0, 0, 0, 0, 0, 0, 0, c9, 0, 0, 0, cd, 0, 0))

size_t relax_avx512(struct relax_room *room, struct slice in)
{
	const __m512i blanks = TABLE(' ', '\t', 0);
	const __m512i enders = TABLE(' ', '\t', '\r');
	uint64_t doubled = 0;
	size_t len = room->len;
	size_t i = 0;

	while (in.len - i > RELAX_BLOCK && len <= RELAX_ROOM - RELAX_BLOCK) {
		__m512i here = _mm512_loadu_si512(in.at + i);
		__m512i next = _mm512_loadu_si512(in.at + i + 1);
		__mmask64 blank = _mm512_cmpeq_epi8_mask(
		    here, _mm512_shuffle_epi8(blanks, here));
		__mmask64 lf =
		    _mm512_cmpeq_epi8_mask(here, _mm512_set1_epi8('\n'));
		__mmask64 tab =
		    _mm512_cmpeq_epi8_mask(here, _mm512_set1_epi8('\t'));
		uint64_t needless = _mm512_mask_cmpeq_epi8_mask(
		    blank, next, _mm512_shuffle_epi8(enders, next));
		uint64_t dots = _mm512_mask_cmpeq_epi8_mask(
		    lf, next, _mm512_set1_epi8('.'));
		uint64_t kept = ~(needless | dots << 1 | doubled);

		here = _mm512_mask_blend_epi8(tab, here, _mm512_set1_epi8(' '));
		_mm512_storeu_si512(
		    room->at + len, _mm512_maskz_compress_epi8(kept, here));
		len += (size_t)_mm_popcnt_u64(kept);
		doubled = dots >> 63;
		i += RELAX_BLOCK;
	}
	room->len = len;
	return i;
}
