/* table.c -- which mail is signed with which keys.
 *
 * Names of domains and addresses are found by hash; patterns are tried one
 * after the other, for there are few.  Private keys stay text until they are
 * needed; of those that are open, the ones that were not used for the longest
 * time make room. */
#include "dkim/table.h"

#include <errno.h>

#define OPEN_COUNT_MAX 16384
#define LOCAL_MAX 256
#define DOMAIN_MAX 256

_Static_assert(OPEN_COUNT_MAX > DKIM_BATCH_MAX, "a batch has its keys");

/* `count` rows of zeros; NULL when there are none. */
static int take_rows(struct pool *pool, const char *name, size_t row_len,
    uint32_t count, void **rows)
{
	*rows = NULL;
	if (count == 0)
		return 0;
	int err = pool_init(pool, name, row_len * count, 1);

	if (err < 0)
		return err;
	*rows = pool_take(pool);
	check(*rows != NULL);
	return 0;
}

int dkim_table_init(struct dkim_table *t, struct dkim *d,
    uint32_t key_count_max, uint32_t rule_count_max)
{
	void *keys = NULL, *rules = NULL;
	int err;

	*t = (struct dkim_table){
	    .dkim = d,
	    .key_count_max = key_count_max,
	    .rule_count_max = rule_count_max,
	    .open_count_max = OPEN_COUNT_MAX,
	};
	list_init(&t->used);
	err = map_init(&t->by_name, rule_count_max);
	if (err < 0)
		return err;
	err = take_rows(&t->key_pool, "DKIM keys",
	    sizeof(struct dkim_table_key), key_count_max, &keys);
	if (err == 0)
		err = take_rows(&t->rule_pool, "DKIM rules",
		    sizeof(struct dkim_rule), rule_count_max, &rules);
	if (err < 0) {
		dkim_table_deinit(t);
		return err;
	}
	t->keys = keys;
	t->rules = rules;
	return 0;
}

static void close_key(struct dkim_table *t, struct dkim_table_key *key)
{
	dkim_key_close(key->key);
	key->key = NULL;
	list_remove(&key->used);
	t->open_count--;
}

void dkim_table_deinit(struct dkim_table *t)
{
	LIST_EACH_SAFE (node, &t->used)
		close_key(t, container_of(node, struct dkim_table_key, used));
	if (t->key_pool.base != NULL)
		pool_deinit(&t->key_pool);
	if (t->rule_pool.base != NULL)
		pool_deinit(&t->rule_pool);
	map_deinit(&t->by_name);
}

void dkim_table_add_key(struct dkim_table *t, const struct dkim_table_key *key)
{
	check(t->key_count < t->key_count_max);
	struct dkim_table_key *own = &t->keys[t->key_count++];

	*own = *key;
	own->key = NULL;
	own->why = NULL;
	list_init(&own->used);
	t->canons |= 1u << key->body_canon;
}

static uint64_t hash_of(enum dkim_rule_kind kind, struct slice name)
{
	return slice_hash_nocase(name, (uint64_t)kind);
}

void dkim_table_add_rule(struct dkim_table *t, enum dkim_rule_kind kind,
    struct slice pattern, uint32_t key)
{
	check(t->rule_count < t->rule_count_max);
	check(key < t->key_count);
	struct dkim_rule *rule = &t->rules[t->rule_count];

	*rule = (struct dkim_rule){
	    .kind = kind,
	    .pattern = pattern,
	    .key = &t->keys[key],
	    .index = t->rule_count++,
	};
	if (kind != DKIM_RULE_PATTERN)
		map_insert(&t->by_name, &rule->node, hash_of(kind, pattern));
}

/* The rules found so far, first configured first. */
struct matches {
	const struct dkim_rule *at[DKIM_TABLE_MATCH_MAX];
	unsigned count; /* of all, though there is no room for all */
};

static void note_match(struct matches *m, const struct dkim_rule *rule)
{
	unsigned i;

	m->count++;
	if (m->count > DKIM_TABLE_MATCH_MAX)
		return;
	for (i = m->count - 1; i > 0 && m->at[i - 1]->index > rule->index; i--)
		m->at[i] = m->at[i - 1];
	m->at[i] = rule;
}

static void find_named(const struct dkim_table *t, enum dkim_rule_kind kind,
    struct slice name, struct matches *m)
{
	struct map_node *node = map_first(&t->by_name, hash_of(kind, name));

	for (; node != NULL; node = map_next(node)) {
		struct dkim_rule *rule =
		    container_of(node, struct dkim_rule, node);

		if (rule->kind == kind && slice_eq_nocase(rule->pattern, name))
			note_match(m, rule);
	}
}

/* '*' stands for any bytes, or none. */
static bool fits(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.len && byte_lower(pattern.at[p]) ==
						  byte_lower(text.at[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

/* The first that fits decides; the same pattern may have several keys. */
static void find_pattern(
    const struct dkim_table *t, struct slice address, struct matches *m)
{
	for (uint32_t i = 0; i < t->rule_count; i++) {
		const struct dkim_rule *rule = &t->rules[i];

		if (rule->kind != DKIM_RULE_PATTERN)
			continue;
		if (m->count == 0
			? fits(rule->pattern, address)
			: slice_eq_nocase(rule->pattern, m->at[0]->pattern))
			note_match(m, rule);
	}
}

static void find_all(const struct dkim_table *t, struct slice address,
    struct slice domain, struct matches *m)
{
	find_named(t, DKIM_RULE_ADDRESS, address, m);
	if (m->count > 0)
		return;
	find_named(t, DKIM_RULE_DOMAIN, domain, m);
	find_named(t, DKIM_RULE_SUBDOMAINS, domain, m);
	while (m->count == 0 && domain.len > 0) {
		slice_cut_at(&domain, '.');
		find_named(t, DKIM_RULE_SUBDOMAINS, domain, m);
	}
	if (m->count == 0)
		find_pattern(t, address, m);
}

unsigned dkim_table_find(const struct dkim_table *t, struct slice local,
    struct slice domain, struct dkim_table_key *found[DKIM_TABLE_MATCH_MAX])
{
	uint8_t room[LOCAL_MAX + 1 + DOMAIN_MAX];
	struct buf address = buf_over(room, sizeof(room));
	struct matches m = {.count = 0};

	if (t->rule_count == 0)
		return 0;
	buf_put(&address, local);
	buf_put_byte(&address, '@');
	buf_put(&address, domain);
	/* Longer than any address: its domain alone counts. */
	find_all(
	    t, address.overflowed ? domain : buf_slice(&address), domain, &m);
	for (unsigned i = 0; i < m.count && i < DKIM_TABLE_MATCH_MAX; i++)
		found[i] = m.at[i]->key;
	return m.count;
}

struct dkim_key *dkim_table_use(struct dkim_table *t,
    struct dkim_table_key *key, const char **why, const char **warning)
{
	*warning = NULL;
	*why = key->why;
	if (key->why != NULL)
		return NULL;
	if (key->key == NULL) {
		if (t->open_count == t->open_count_max)
			close_key(t, container_of(t->used.prev,
					 struct dkim_table_key, used));
		key->key = dkim_key_open(t->dkim, key->pem, &key->why, warning);
		*why = key->why;
		if (key->key == NULL)
			return NULL;
		t->open_count++;
		key->why = NULL;
	}
	list_remove(&key->used);
	list_push_front(&t->used, &key->used);
	return key->key;
}
