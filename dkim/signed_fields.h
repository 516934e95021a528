/* signed_fields.h -- which fields of a header section are signed. */
#ifndef DKIM_SIGNED_FIELDS_H
#define DKIM_SIGNED_FIELDS_H

#include "dkim/header.h"

/* Of one name; the last ones count, as verifiers take them from the bottom. */
#define SIGNED_FIELDS_SAME_MAX 8
#define SIGNED_FIELDS_MAX 280

struct signed_fields {
	/* As h= names them: the order in which they are hashed.  An empty slice
	 * is a field that is not there, so that none may be added. */
	struct slice whole[SIGNED_FIELDS_MAX];
	struct slice names[SIGNED_FIELDS_MAX];
	unsigned count;
};

/* NULL, or why this header section cannot be signed. */
MUST_USE const char *signed_fields_choose(
    struct signed_fields *s, struct slice section);

#endif
