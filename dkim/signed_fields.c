/* signed_fields.c -- which fields of a header section are signed.
 *
 * RFC 6376, 5.4.1: what tells a reader who wrote what to whom and when, and
 * what decides how the body is shown.  Received and Return-Path change on the
 * way.  Fields of one name are signed from the last up, as verifiers count them
 * (5.4.2); and named once more than there are, where another one added on the
 * way would be shown instead of, or beside, ours (5.4, 8.15).
 *
 * Mailing lists may add Sender, List-* and Resent-*; so these are sealed only
 * when they are there, or not at all. */
#include "dkim/signed_fields.h"

/* What h= may come to; the most important names come first. */
#define NAMES_LEN_MAX 1400
#define FROM_MAX 32

enum seal {
	SEALED,		   /* named once more than there are */
	SEALED_IF_PRESENT, /* the same, but not when there is none */
	OPEN,		   /* others may be added */
};

static const struct {
	const char *name;
	enum seal seal;
} names[] = {
    {"From", SEALED},
    {"Subject", SEALED},
    {"To", SEALED},
    {"Date", SEALED},
    {"Cc", SEALED},
    {"Reply-To", SEALED},
    {"Message-ID", SEALED},
    {"Content-Type", SEALED},
    {"MIME-Version", SEALED_IF_PRESENT},
    {"Content-Transfer-Encoding", SEALED_IF_PRESENT},
    {"Content-Disposition", SEALED_IF_PRESENT},
    {"Sender", SEALED_IF_PRESENT},
    {"In-Reply-To", SEALED_IF_PRESENT},
    {"References", SEALED_IF_PRESENT},
    {"List-Unsubscribe", SEALED_IF_PRESENT},
    {"List-Unsubscribe-Post", SEALED_IF_PRESENT}, /* RFC 8058, 4 */
    {"List-Id", OPEN},
    {"List-Help", OPEN},
    {"List-Subscribe", OPEN},
    {"List-Post", OPEN},
    {"List-Owner", OPEN},
    {"List-Archive", OPEN},
    {"Resent-From", OPEN},
    {"Resent-Date", OPEN},
    {"Resent-To", OPEN},
    {"Resent-Cc", OPEN},
    {"Resent-Message-ID", OPEN},
};

_Static_assert(
    FROM_MAX + COUNT(names) * (SIGNED_FIELDS_SAME_MAX + 1) <= SIGNED_FIELDS_MAX,
    "every name has room for as many fields as count");

static unsigned name_index(struct slice name)
{
	unsigned i = 0;

	while (i < COUNT(names) &&
	       !slice_eq_nocase(slice_of_str(names[i].name), name))
		i++;
	return i;
}

static void add(struct signed_fields *s, struct slice name, struct slice whole)
{
	check(s->count < SIGNED_FIELDS_MAX);
	s->names[s->count] = name;
	s->whole[s->count] = whole;
	s->count++;
}

/* Where each name's fields lie; of more than SAME_MAX, those at the end. */
struct found {
	struct slice whole[COUNT(names)][FROM_MAX];
	unsigned count[COUNT(names)];
};

static unsigned same_max(unsigned name)
{
	return name == 0 ? FROM_MAX : SIGNED_FIELDS_SAME_MAX;
}

static void find_all(struct found *f, struct slice section)
{
	struct dkim_field field;

	for (unsigned i = 0; i < COUNT(names); i++)
		f->count[i] = 0;
	while (dkim_field_next(&section, &field)) {
		unsigned i = name_index(field.name);

		if (i < COUNT(names)) /* a ring */
			f->whole[i][f->count[i]++ % same_max(i)] = field.whole;
	}
}

const char *signed_fields_choose(struct signed_fields *s, struct slice section)
{
	struct found found;
	size_t names_len = 0;

	find_all(&found, section);
	s->count = 0;
	if (found.count[0] == 0)
		return "there is no From field";
	if (found.count[0] > FROM_MAX)
		return "there are too many From fields";
	for (unsigned i = 0; i < COUNT(names); i++) {
		unsigned all = found.count[i];
		unsigned count = all < same_max(i) ? all : same_max(i);
		bool sealed =
		    count == all &&
		    (names[i].seal == SEALED ||
			(names[i].seal == SEALED_IF_PRESENT && all > 0));
		struct slice name = slice_of_str(names[i].name);
		size_t len = (count + (sealed ? 1 : 0)) * (name.len + 1);

		if (names_len + len > NAMES_LEN_MAX)
			continue;
		names_len += len;
		for (unsigned n = 1; n <= count; n++)
			add(s, name, found.whole[i][(all - n) % same_max(i)]);
		if (sealed)
			add(s, name, (struct slice){NULL, 0});
	}
	return NULL;
}
