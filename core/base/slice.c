/* slice.c -- borrowed bytes: comparing, cutting, numbers. */
#include "core/base/slice.h"

#include "core/base/check.h"

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (byte_lower(a.at[i]) != byte_lower(b.at[i]))
			return false;
	return true;
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
	if (s.len < prefix.len)
		return false;
	return slice_eq_nocase(slice_of(s.at, prefix.len), prefix);
}

size_t slice_find(struct slice s, uint8_t byte)
{
	if (s.len == 0)
		return 0;
	const uint8_t *hit = memchr(s.at, byte, s.len);
	return hit == NULL ? s.len : (size_t)(hit - s.at);
}

struct slice slice_cut(struct slice *s, size_t len)
{
	check(len <= s->len);
	struct slice head = {s->at, len};
	if (len > 0)
		*s = slice_of(s->at + len, s->len - len);
	return head;
}

struct slice slice_cut_at(struct slice *s, uint8_t byte)
{
	size_t at = slice_find(*s, byte);
	struct slice head = slice_cut(s, at);
	if (s->len > 0)
		slice_cut(s, 1);
	return head;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		slice_cut(&s, 1);
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool slice_number(struct slice s, uint64_t *number)
{
	uint64_t sum = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
		    __builtin_add_overflow(
			sum, (uint64_t)(s.at[i] - '0'), &sum))
			return false;
	}
	*number = sum;
	return true;
}

uint64_t slice_hash_nocase(struct slice s, uint64_t seed)
{
	uint64_t hash = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < s.len; i++) {
		hash ^= byte_lower(s.at[i]);
		hash *= 0x100000001b3u;
	}
	return hash ^ (hash >> 29);
}
