/* scan.h -- 64 bytes of a body at once: does the simple form change anything?
 *
 * Nearly all blocks of nearly all mail have nothing: the answer "no" is a few
 * vector instructions, so that hashing is what costs. */
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

#endif
