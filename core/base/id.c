/* id.c -- a queue id and its text.
 *
 * The bits are rotated left by 8 for the text, so that a small sequence number
 * of shard 0 is a short word and the shard is its last digits. */
#include "core/base/id.h"

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct id_text id_format(uint64_t id)
{
	struct id_text text = {.len = 0};
	char reversed[ID_TEXT_MAX];
	size_t count = 0;

	id = id << 8 | id >> 56;
	do {
		reversed[count++] = digits[id & 31];
		id >>= 5;
	} while (id > 0);
	while (count > 0)
		text.at[text.len++] = reversed[--count];
	text.at[text.len] = '\0';
	return text;
}

static int digit_of(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		c = (uint8_t)(c - 32);
	for (int i = 0; i < 32; i++)
		if (digits[i] == (char)c)
			return i;
	return -1;
}

bool id_parse(struct slice text, uint64_t *id)
{
	uint64_t sum = 0;

	if (text.len == 0 || text.len > ID_TEXT_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.at[i]);

		if (digit < 0 || sum >> 59 != 0)
			return false;
		sum = sum << 5 | (uint64_t)digit;
	}
	*id = sum >> 8 | sum << 56;
	return true;
}
