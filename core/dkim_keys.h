/* dkim_keys.h -- from the configuration to the table of signing keys. */
#ifndef CORE_DKIM_KEYS_H
#define CORE_DKIM_KEYS_H

#include "core/base/log.h"
#include "core/config/config.h"
#include "dkim/table.h"

/* The table that is in use, and what a reload needs to replace it. */
struct dkim_keys {
	struct dkim *dkim; /* NULL: nothing was ever signed */
	struct dkim_table tables[2];
	struct dkim_table *table; /* the one in use; NULL: none */
	struct dkim_table *next;  /* by dkim_keys_load */
};

/* Fills a table that is part of nothing yet: `dkim` may be NULL when no key is
 * going to be used.  Returns 0 or -ENOMEM. */
MUST_USE int dkim_keys_fill(
    struct dkim_table *t, struct dkim *dkim, const struct config *c);

/* The canonical forms (set of 1 << enum dkim_canon) of all keys that a rule
 * names. */
unsigned dkim_keys_canons(const struct config *c);

/* Makes k->next of the configuration, NULL when nothing is to be signed; 0, or
 * -errno and it is logged. */
MUST_USE int dkim_keys_load(
    struct dkim_keys *k, const struct config *c, struct log *log);
/* Nothing comes of k->next, if there is one. */
void dkim_keys_drop(struct dkim_keys *k);
/* k->next is the table now; nobody may know the other any more. */
void dkim_keys_switch(struct dkim_keys *k);

#endif
