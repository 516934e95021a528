/* buf.c -- bytes of our own in a fixed room. */
#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>

bool buf_put(struct buf *b, struct slice s)
{
	if (s.len > buf_left(b)) {
		b->overflowed = true;
		return false;
	}
	if (s.len > 0)
		memcpy(b->at + b->len, s.at, s.len);
	b->len += s.len;
	return true;
}

bool buf_put_byte(struct buf *b, uint8_t byte)
{
	return buf_put(b, slice_of(&byte, 1));
}

bool buf_put_str(struct buf *b, const char *text)
{
	return buf_put(b, slice_of_str(text));
}

bool buf_put_number(struct buf *b, uint64_t number)
{
	uint8_t digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (uint8_t)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return buf_put(b, slice_of(digits + at, sizeof(digits) - at));
}

bool buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	char text[1024];

	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	check(len >= 0);
	if ((size_t)len >= sizeof(text)) {
		b->overflowed = true;
		return false;
	}
	return buf_put(b, slice_of(text, (size_t)len));
}

void buf_drop(struct buf *b, size_t len)
{
	check(len <= b->len);
	b->len -= len;
	if (b->len > 0 && len > 0)
		memmove(b->at, b->at + len, b->len);
}
