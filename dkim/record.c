/* record.c -- what is published of a key, against what should be
 * (RFC 6376, 3.6.1). */
#include "dkim/record.h"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of a tag; false when there is none. */
static bool find_tag(
    struct slice record, struct slice name, struct slice *value)
{
	while (record.len > 0) {
		struct slice tag = slice_cut_at(&record, ';');
		size_t equals = slice_find(tag, '=');

		if (equals == tag.len)
			continue;
		struct slice found = slice_cut(&tag, equals);

		slice_cut(&tag, 1);
		while (found.len > 0 && is_space(found.at[0]))
			slice_cut(&found, 1);
		while (found.len > 0 && is_space(found.at[found.len - 1]))
			found.len--;
		if (slice_eq(found, name)) {
			*value = slice_trim(tag);
			return true;
		}
	}
	return false;
}

/* The same but for blanks, which base64 in a record may have anywhere. */
static bool same_base64(struct slice a, struct slice b)
{
	size_t i = 0, n = 0;

	for (;;) {
		while (i < a.len && is_space(a.at[i]))
			i++;
		while (n < b.len && is_space(b.at[n]))
			n++;
		if (i == a.len || n == b.len)
			return i == a.len && n == b.len;
		if (a.at[i++] != b.at[n++])
			return false;
	}
}

static struct slice kind_of(struct slice record)
{
	struct slice kind;

	return find_tag(record, SLICE("k"), &kind) ? kind : SLICE("rsa");
}

enum dkim_record_match dkim_record_compare(
    struct slice published, struct slice own)
{
	struct slice version, theirs, ours;
	bool good = find_tag(own, SLICE("p"), &ours);

	check(good);
	if (find_tag(published, SLICE("v"), &version) &&
	    !slice_eq(version, SLICE("DKIM1")))
		return DKIM_RECORD_NONE;
	if (!find_tag(published, SLICE("p"), &theirs))
		return DKIM_RECORD_NONE;
	if (same_base64(theirs, SLICE("")))
		return DKIM_RECORD_REVOKED;
	return slice_eq(kind_of(published), kind_of(own)) &&
		       same_base64(theirs, ours)
		   ? DKIM_RECORD_SAME
		   : DKIM_RECORD_DIFFERENT;
}
