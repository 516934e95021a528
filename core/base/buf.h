/* buf.h -- bytes of our own in a fixed room.
 *
 * The room belongs to the caller.  What does not fit is not written at all and
 * sets `overflowed`, so that a series of puts needs one test at its end. */
#ifndef CORE_BASE_BUF_H
#define CORE_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/check.h"
#include "core/base/slice.h"

struct buf {
	uint8_t *at;	 /* the room */
	size_t len;	 /* bytes in it */
	size_t room;	 /* bytes it can hold */
	bool overflowed; /* a put did not fit; stays set until buf_clear */
};

static inline struct buf buf_over(void *at, size_t room)
{
	return (struct buf){.at = at, .room = room};
}

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){b->at, b->len};
}

static inline size_t buf_left(const struct buf *b)
{
	return b->room - b->len;
}

static inline void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflowed = false;
}

/* Each returns false, sets `overflowed` and writes nothing when there is no
 * room. */
bool buf_put(struct buf *b, struct slice s);
bool buf_put_byte(struct buf *b, uint8_t byte);
bool buf_put_str(struct buf *b, const char *text);
bool buf_put_number(struct buf *b, uint64_t number);
__attribute__((format(printf, 2, 3))) bool buf_printf(
    struct buf *b, const char *format, ...);

/* Drops the first `len` bytes; what is left moves to the front. */
void buf_drop(struct buf *b, size_t len);

#endif
