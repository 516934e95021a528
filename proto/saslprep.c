/* saslprep.c -- names and passwords made comparable (RFC 4013).
 *
 * Three tables of RFC 3454, each a list of ranges: what becomes a blank, what
 * goes, what may not be.  They are asked in this order. */
#include "proto/saslprep.h"

#include "proto/address.h"

struct range {
	uint32_t first, last;
};

/* RFC 3454, C.1.2 */
static const struct range blanks[] = {
    {0xa0, 0xa0},
    {0x1680, 0x1680},
    {0x2000, 0x200b},
    {0x202f, 0x202f},
    {0x205f, 0x205f},
    {0x3000, 0x3000},
};

/* RFC 3454, B.1 */
static const struct range unseen[] = {
    {0xad, 0xad},
    {0x34f, 0x34f},
    {0x1806, 0x1806},
    {0x180b, 0x180d},
    {0x200b, 0x200d},
    {0x2060, 0x2060},
    {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},
};

/* RFC 3454, C.2.1 to C.9; surrogates are no UTF-8 to begin with */
static const struct range prohibited[] = {
    {0x0, 0x1f},
    {0x7f, 0x9f},
    {0x340, 0x341},
    {0x6dd, 0x6dd},
    {0x70f, 0x70f},
    {0x180e, 0x180e},
    {0x200c, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x2063},
    {0x206a, 0x206f},
    {0x2ff0, 0x2ffb},
    {0xe000, 0xf8ff},
    {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff},
    {0xfff9, 0xffff},
    {0x1d173, 0x1d17a},
    {0xe0001, 0xe0001},
    {0xe0020, 0xe007f},
    {0xf0000, 0x10ffff},
};

static bool among(uint32_t code, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* The length and the code of the valid UTF-8 sequence at the front. */
static size_t read_code(struct slice s, uint32_t *code)
{
	uint8_t c = s.at[0];
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	*code = len == 1 ? c : c & (0x7fu >> len);
	for (size_t i = 1; i < len; i++)
		*code = *code << 6 | (s.at[i] & 0x3fu);
	return len;
}

static bool put_prepared(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		uint32_t code;
		struct slice bytes = slice_cut(&text, read_code(text, &code));

		if (among(code, blanks, COUNT(blanks)))
			bytes = SLICE(" ");
		else if (among(code, unseen, COUNT(unseen)))
			continue;
		else if (among(code, prohibited, COUNT(prohibited)) ||
			 (code & 0xfffe) == 0xfffe)
			return false;
		if (!buf_put(out, bytes))
			return false;
	}
	return true;
}

bool saslprep_put(struct buf *out, struct slice text)
{
	size_t begin = out->len;

	if (!utf8_valid(text) || !put_prepared(out, text)) {
		out->len = begin;
		return false;
	}
	return true;
}
