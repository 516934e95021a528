/* table.h -- which mail is signed with which keys. */
#ifndef DKIM_TABLE_H
#define DKIM_TABLE_H

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/pool.h"
#include "dkim/dkim.h"

/* Signatures of one message. */
#define DKIM_TABLE_MATCH_MAX 8

/* A key as it is configured; it is read when it is first needed. */
struct dkim_table_key {
	struct slice domain;   /* d=; "%": the domain of the address */
	struct slice selector; /* s= */
	struct slice pem;
	const char *source; /* for the log */
	enum dkim_canon header_canon, body_canon;
	uint32_t expire_s; /* x= after so long; 0: none */
	/* private */
	struct dkim_key *key; /* NULL: not read, or closed to make room */
	const char *why;      /* it cannot be used, and never will */
	struct list used;     /* of the table's */
};

enum dkim_rule_kind {
	DKIM_RULE_DOMAIN,     /* this domain exactly */
	DKIM_RULE_SUBDOMAINS, /* this domain and all below it */
	DKIM_RULE_ADDRESS,    /* user@domain */
	DKIM_RULE_PATTERN,    /* an address with '*' in it */
};

struct dkim_rule {
	enum dkim_rule_kind kind;
	struct slice pattern;
	struct dkim_table_key *key;
	/* private */
	uint32_t index;
	struct map_node node;
};

/* Keys and rules of one configuration; what they point to must stay. */
struct dkim_table {
	struct dkim *dkim;
	struct pool key_pool, rule_pool;
	struct dkim_table_key *keys;
	struct dkim_rule *rules;
	uint32_t key_count, rule_count;
	uint32_t key_count_max, rule_count_max;
	uint32_t open_count_max;
	struct map by_name;
	struct list used; /* keys that are open, the latest first */
	uint32_t open_count;
	unsigned canons; /* set of 1 << body_canon of all keys */
};

/* Room for so many.  Returns 0 or -ENOMEM. */
MUST_USE int dkim_table_init(struct dkim_table *t, struct dkim *d,
    uint32_t key_count_max, uint32_t rule_count_max);
/* Closes its keys. */
void dkim_table_deinit(struct dkim_table *t);
/* In the order of the configuration; keys are numbered from 0. */
void dkim_table_add_key(struct dkim_table *t, const struct dkim_table_key *key);
void dkim_table_add_rule(struct dkim_table *t, enum dkim_rule_kind kind,
    struct slice pattern, uint32_t key);

/* The keys for mail from local@domain: those of its address; else of its
 * domain; else of the nearest domain above that has subdomains; else of the
 * first pattern that fits.  Returns their number; 0: it goes unsigned; more than
 * DKIM_TABLE_MATCH_MAX: only so many are there, and it must not go. */
unsigned dkim_table_find(const struct dkim_table *t, struct slice local,
    struct slice domain, struct dkim_table_key *found[DKIM_TABLE_MATCH_MAX]);

/* Reads the key when it is not there.  NULL: *why.  *warning is set by the call
 * that reads it.  Valid until DKIM_BATCH_MAX others were asked for. */
MUST_USE struct dkim_key *dkim_table_use(struct dkim_table *t,
    struct dkim_table_key *key, const char **why, const char **warning);

#endif
