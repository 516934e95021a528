/* scan.h -- 64 bytes of a body at once: is there anything that a canonical form
 * changes, and where?
 *
 * Nearly all blocks of nearly all mail have nothing: the questions with the
 * answer "no" are a few vector instructions, so that hashing is what costs.
 * Each looks one byte behind the block. */
#ifndef DKIM_SCAN_H
#define DKIM_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SCAN_BLOCK 64
#define SCAN_VIEW (SCAN_BLOCK + 1) /* bytes that must be readable */

typedef uint8_t scan_bytes __attribute__((vector_size(16)));
typedef uint64_t scan_words __attribute__((vector_size(16)));

static inline scan_bytes scan_load(const uint8_t *at)
{
	scan_bytes v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline bool scan_any(scan_bytes hits)
{
	scan_words words = (scan_words)hits;

	return (words[0] | words[1]) != 0;
}

/* Whether no dot of the block's next 64 bytes follows an LF. */
static inline bool scan_no_dot(const uint8_t *at)
{
	scan_bytes hits = {0};

	for (unsigned i = 0; i < SCAN_BLOCK; i += 16) {
		scan_bytes here = scan_load(at + i);
		scan_bytes next = scan_load(at + i + 1);

		hits |= (scan_bytes)(here == '\n') & (scan_bytes)(next == '.');
	}
	return !scan_any(hits);
}

/* Whether the block is its own relaxed form: no tab, no blank in front of
 * another or of a line's end, no dot to be dropped.  May say no for nothing. */
static inline bool scan_is_relaxed(const uint8_t *at)
{
	scan_bytes hits = {0};

	for (unsigned i = 0; i < SCAN_BLOCK; i += 16) {
		scan_bytes here = scan_load(at + i);
		scan_bytes next = scan_load(at + i + 1);

		hits |=
		    (scan_bytes)(here == '\t') |
		    ((scan_bytes)(here == ' ') & (scan_bytes)(next <= ' ')) |
		    ((scan_bytes)(here == '\n') & (scan_bytes)(next == '.'));
	}
	return !scan_any(hits);
}

/* A bit for each byte of the block that is `byte`, the first lowest: eight
 * bytes at a time, whose bits are gathered by a multiplication. */
static inline uint64_t scan_mask(const uint8_t *at, uint8_t byte)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < SCAN_BLOCK; i += 16) {
		scan_words hits =
		    (scan_words)((scan_bytes)(scan_load(at + i) == byte) &
				 (uint8_t)1);

		mask |= ((hits[0] * 0x0102040810204080) >> 56) << i |
			((hits[1] * 0x0102040810204080) >> 56) << (i + 8);
	}
	return mask;
}

#endif
