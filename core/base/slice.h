/* slice.h -- borrowed bytes: never NUL-terminated, never owned.
 *
 * A slice is valid as long as the memory that it looks at; whoever hands one
 * out says how long that is. */
#ifndef CORE_BASE_SLICE_H
#define CORE_BASE_SLICE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *at;
	size_t len;
};

/* A string literal as a slice. */
#define SLICE(literal)                                                         \
	((struct slice){(const uint8_t *)("" literal), sizeof(literal) - 1})

static inline struct slice slice_of(const void *at, size_t len)
{
	return (struct slice){at, len};
}

static inline struct slice slice_of_str(const char *text)
{
	return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline uint8_t byte_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Equal but for the case of ASCII letters. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_starts_nocase(struct slice s, struct slice prefix);

/* The offset of the first `byte`, or s.len when there is none. */
size_t slice_find(struct slice s, uint8_t byte);

/* Takes the first `len` bytes off *s and returns them; len <= s->len. */
struct slice slice_cut(struct slice *s, size_t len);

/* Takes everything before the first `byte` off *s and returns it; the byte
 * itself is dropped.  Without one the whole of *s is taken. */
struct slice slice_cut_at(struct slice *s, uint8_t byte);

/* Without blanks and tabs at both ends. */
struct slice slice_trim(struct slice s);

/* A decimal number of digits only.  False when empty, not a number, or over
 * UINT64_MAX. */
bool slice_number(struct slice s, uint64_t *number);

/* FNV-1a over the bytes, ASCII letters lowered: for hash tables whose keys are
 * case-insensitive. `seed` makes the table's order unpredictable. */
uint64_t slice_hash_nocase(struct slice s, uint64_t seed);

#endif
