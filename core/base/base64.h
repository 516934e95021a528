/* base64.h -- bytes as text, strictly (RFC 4648, 4). */
#ifndef CORE_BASE_BASE64_H
#define CORE_BASE_BASE64_H

#include <stdbool.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

/* Characters that `len` bytes become, and most bytes that as many hold. */
#define BASE64_LEN(len) (((size_t)(len) + 2) / 3 * 4)
#define BASE64_BYTES(len) ((size_t)(len) / 4 * 3)

/* Appends the bytes.  False, and nothing is appended: a character outside of
 * the alphabet (blanks and line ends too), padding that is missing, or bits
 * behind the last byte that are not zero; or there is no room (then
 * out->overflowed).  So each text has one reading and each string of bytes one
 * text. */
bool base64_decode(struct slice text, struct buf *out);

/* Appends the text, padded, in one line; out->overflowed when there is no
 * room, and then nothing is appended. */
void base64_encode(struct slice bytes, struct buf *out);

#endif
