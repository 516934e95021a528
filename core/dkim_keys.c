/* dkim_keys.c -- from the configuration to the table of signing keys.
 *
 * The table's strings are the configuration's own.  There are two, so that a
 * reload makes the new one before the old one goes. */
#include "core/dkim_keys.h"

#include <errno.h>

_Static_assert(CONFIG_SIGNATURES_MAX == DKIM_TABLE_MATCH_MAX,
    "what is configured is signed, all of it");

static enum dkim_rule_kind kind_of(enum config_signing_kind kind)
{
	switch (kind) {
	case SIGNING_DOMAIN: return DKIM_RULE_DOMAIN;
	case SIGNING_SUBDOMAINS: return DKIM_RULE_SUBDOMAINS;
	case SIGNING_ADDRESS: return DKIM_RULE_ADDRESS;
	case SIGNING_PATTERN: return DKIM_RULE_PATTERN;
	}
	return DKIM_RULE_PATTERN;
}

int dkim_keys_fill(
    struct dkim_table *t, struct dkim *dkim, const struct config *c)
{
	int err = dkim_table_init(
	    t, dkim, (uint32_t)c->dkim_key_count, (uint32_t)c->signing_count);

	if (err < 0)
		return err;
	for (size_t i = 0; i < c->dkim_key_count; i++) {
		const struct config_dkim_key *k = &c->dkim_keys[i];

		dkim_table_add_key(
		    t, &(struct dkim_table_key){
			   .domain = slice_of_str(k->domain),
			   .selector = slice_of_str(k->selector),
			   .pem = k->pem.text,
			   .source = k->pem.source,
			   .header_canon =
			       k->header_simple ? DKIM_SIMPLE : DKIM_RELAXED,
			   .body_canon =
			       k->body_relaxed ? DKIM_RELAXED : DKIM_SIMPLE,
			   .expire_s = k->expire_s,
		       });
	}
	for (size_t i = 0; i < c->signing_count; i++)
		dkim_table_add_rule(t, kind_of(c->signings[i].kind),
		    slice_of_str(c->signings[i].pattern), c->signings[i].key);
	return 0;
}

unsigned dkim_keys_canons(const struct config *c)
{
	unsigned canons = 0;

	for (size_t i = 0; i < c->signing_count; i++) {
		const struct config_dkim_key *k =
		    &c->dkim_keys[c->signings[i].key];

		canons |= 1u << (k->body_relaxed ? DKIM_RELAXED : DKIM_SIMPLE);
	}
	return canons;
}

static int open_dkim(struct dkim_keys *k, struct log *log)
{
	const char *why = "";

	if (k->dkim != NULL)
		return 0;
	k->dkim = dkim_open(&why);
	log_begin(log, k->dkim == NULL ? LOG_ERROR : LOG_INFO, "dkim_signing");
	log_str(log, "rsa", k->dkim == NULL ? "none" : why);
	log_str(log, "keys",
	    k->dkim != NULL && dkim_locked(k->dkim) ? "locked" : "not locked");
	log_end(log);
	return k->dkim == NULL ? -ENOMEM : 0;
}

int dkim_keys_load(struct dkim_keys *k, const struct config *c, struct log *log)
{
	struct dkim_table *free = &k->tables[k->table == &k->tables[0] ? 1 : 0];
	int err;

	k->next = NULL;
	if (c->signing_count == 0)
		return 0;
	if ((err = open_dkim(k, log)) < 0 ||
	    (err = dkim_keys_fill(free, k->dkim, c)) < 0)
		return err;
	k->next = free;
	return 0;
}

void dkim_keys_drop(struct dkim_keys *k)
{
	if (k->next != NULL)
		dkim_table_deinit(k->next);
	k->next = NULL;
}

void dkim_keys_switch(struct dkim_keys *k)
{
	if (k->table != NULL)
		dkim_table_deinit(k->table);
	k->table = k->next;
	k->next = NULL;
}
