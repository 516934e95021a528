/* base64.c -- bytes as text, strictly (RFC 4648, 4).
 *
 * Passwords and keys come this way, so no table is looked into: which line of
 * the cache was touched would tell of them. */
#include "core/base/base64.h"

/* 1 when low <= c <= high, without a branch. */
static uint32_t within(uint32_t c, uint32_t low, uint32_t high)
{
	return ((c - low) >> 31 ^ 1u) & ((high - c) >> 31 ^ 1u);
}

/* The value of a character; 64 and more when it has none. */
static uint32_t value_of(uint8_t c)
{
	uint32_t value = 0;
	uint32_t known = 0;
	static const struct {
		uint8_t low, high;
		uint32_t first;
	} ranges[] = {{'A', 'Z', 0}, {'a', 'z', 26}, {'0', '9', 52},
	    {'+', '+', 62}, {'/', '/', 63}};

	for (size_t i = 0; i < COUNT(ranges); i++) {
		uint32_t in = within(c, ranges[i].low, ranges[i].high);

		value |= (0u - in) & (c - ranges[i].low + ranges[i].first);
		known |= in;
	}
	return value | (known ^ 1u) << 6;
}

bool base64_decode(struct slice text, struct buf *out)
{
	size_t begin = out->len;
	size_t pad = 0;

	if (text.len % 4 != 0)
		return false;
	while (pad < 2 && text.len > 0 && text.at[text.len - 1] == '=') {
		text.len--;
		pad++;
	}
	if (BASE64_BYTES(text.len + pad) - pad > buf_left(out)) {
		out->overflowed = true;
		return false;
	}
	uint32_t bits = 0;
	uint32_t bad = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint32_t value = value_of(text.at[i]);

		bad |= value & 64u;
		bits = bits << 6 | (value & 63u);
		if (i % 4 != 0)
			buf_put_byte(out, (uint8_t)(bits >> (6 - i % 4 * 2)));
	}
	/* RFC 4648, 3.5: what is left of the last character is zero. */
	if (pad > 0)
		bad |= bits & (pad == 1 ? 3u : 15u);
	if (bad != 0)
		out->len = begin;
	return bad == 0;
}

static uint8_t letter_of(uint32_t value)
{
	static const struct {
		uint32_t low, high;
		uint8_t first;
	} ranges[] = {{0, 25, 'A'}, {26, 51, 'a'}, {52, 61, '0'}, {62, 62, '+'},
	    {63, 63, '/'}};
	uint32_t letter = 0;

	for (size_t i = 0; i < COUNT(ranges); i++)
		letter |= (0u - within(value, ranges[i].low, ranges[i].high)) &
			  (value - ranges[i].low + ranges[i].first);
	return (uint8_t)letter;
}

void base64_encode(struct slice bytes, struct buf *out)
{
	if (bytes.len / 3 >= buf_left(out) ||
	    BASE64_LEN(bytes.len) > buf_left(out)) {
		if (bytes.len > 0)
			out->overflowed = true;
		return;
	}
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t bits = (uint32_t)bytes.at[i] << 16;

		if (left > 1)
			bits |= (uint32_t)bytes.at[i + 1] << 8;
		if (left > 2)
			bits |= bytes.at[i + 2];
		buf_put_byte(out, letter_of(bits >> 18));
		buf_put_byte(out, letter_of(bits >> 12 & 63u));
		buf_put_byte(out, left > 1 ? letter_of(bits >> 6 & 63u) : '=');
		buf_put_byte(out, left > 2 ? letter_of(bits & 63u) : '=');
	}
}
