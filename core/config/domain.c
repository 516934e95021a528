/* domain.c -- domains that may be senders, and the keys that sign for them.
 *
 * A domain may be in several sources (its name in one, its key in another);
 * but a selector names one key, so it may not be twice in a domain. */
#include "core/config/domain.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/certificate.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/text.h"
#include "core/config/value.h"

#define EXPIRE_S_MIN 60
#define EXPIRE_S_MAX (10ull * 365 * 86400)

struct config_dkim_key *dkim_key_add(struct config *c, const char *name)
{
	struct config_dkim_key *key;

	c->dkim_keys = memory_grow(c->memory, c->dkim_keys, c->dkim_key_count,
	    sizeof(c->dkim_keys[0]));
	key = &c->dkim_keys[c->dkim_key_count++];
	*key = (struct config_dkim_key){
	    .name = memory_copy(c->memory, slice_of_str(name))};
	return key;
}

void signing_add(struct config *c, enum config_signing_kind kind,
    const char *pattern, unsigned key, struct origin where)
{
	c->signings = memory_grow(
	    c->memory, c->signings, c->signing_count, sizeof(c->signings[0]));
	c->signings[c->signing_count++] = (struct config_signing){
	    .kind = kind,
	    .pattern = memory_copy(c->memory, slice_of_str(pattern)),
	    .key = key,
	    .source = memory_origin(c->memory, where),
	};
}

bool dkim_key_read(struct config *c, struct complaints *complaints,
    struct origin where, const char *path, struct config_text *pem)
{
	return pem_read(c, complaints, where, path, pem) &&
	       pem_has_key(complaints, where, pem);
}

static char *lower(struct config *c, struct slice text)
{
	char *copy = memory_copy(c->memory, text);

	for (char *at = copy; *at != '\0'; at++)
		*at = (char)byte_lower((uint8_t)*at);
	return copy;
}

enum { SELECTOR, KEY_FILE, KEY, SUBDOMAINS, CANONICALIZATION, EXPIRE };

static const char *const dkim_what = "domains[].dkim";

struct dkim_fields {
	const struct yaml_source *source;
	struct field at[6];
	unsigned line;
};

static bool wrong(const struct dkim_fields *f, unsigned field, const char *why)
{
	const struct field *at = &f->at[field];

	complain(f->source->complaints,
	    yaml_origin(f->source, at->line > 0 ? at->line : f->line),
	    "%s.%s %s", dkim_what, at->name, why);
	return false;
}

static bool read_selector(const struct dkim_fields *f, struct slice *selector)
{
	const char *why;

	if (!field_text(f->source, dkim_what, &f->at[SELECTOR], selector))
		return false;
	if (selector->len == 0)
		return wrong(f, SELECTOR, "is missing");
	/* RFC 6376, 3.1: names of DNS, and "2026" is one. */
	if (!value_labels(*selector, &why))
		return wrong(f, SELECTOR, why);
	return true;
}

static bool read_pem(const struct dkim_fields *f, struct config_text *pem)
{
	struct config *c = f->source->config;
	struct complaints *complaints = f->source->complaints;
	struct slice path, text;

	if (!field_text(f->source, dkim_what, &f->at[KEY_FILE], &path) ||
	    !field_text(f->source, dkim_what, &f->at[KEY], &text))
		return false;
	if (path.len > 0 && text.len > 0)
		return wrong(f, KEY, "and key_file are both given");
	if (path.len > 0)
		return dkim_key_read(c, complaints,
		    yaml_origin(f->source, f->at[KEY_FILE].line),
		    config_path(c, path), pem);
	if (text.len == 0)
		return wrong(f, KEY_FILE, "(or key) is missing");
	struct origin where = yaml_origin(f->source, f->at[KEY].line);
	*pem = (struct config_text){
	    .text = slice_of(memory_copy(c->memory, text), text.len),
	    .source = memory_origin(c->memory, where),
	    .in_place = true,
	};
	return pem_has_key(complaints, where, pem);
}

/* "relaxed/simple", "simple" (then for both): RFC 6376, 3.5. */
static bool read_canonicalization(
    const struct dkim_fields *f, struct config_dkim_key *key)
{
	struct slice body, header;

	if (!field_text(f->source, dkim_what, &f->at[CANONICALIZATION], &body))
		return false;
	if (body.len == 0)
		return true;
	header = slice_cut_at(&body, '/');
	key->header_simple = slice_eq_nocase(header, SLICE("simple"));
	key->body_relaxed = slice_eq_nocase(body, SLICE("relaxed"));
	if ((key->header_simple || slice_eq_nocase(header, SLICE("relaxed"))) &&
	    (key->body_relaxed || body.len == 0 ||
		slice_eq_nocase(body, SLICE("simple"))))
		return true;
	return wrong(
	    f, CANONICALIZATION, "must be relaxed/simple, or the like");
}

static bool read_rest(
    const struct dkim_fields *f, struct config_dkim_key *key, bool *subdomains)
{
	struct slice text;
	uint64_t seconds;

	if (!field_text(f->source, dkim_what, &f->at[SUBDOMAINS], &text))
		return false;
	if (text.len > 0 && !value_bool(text, subdomains))
		return wrong(f, SUBDOMAINS, "must be true or false");
	if (!field_text(f->source, dkim_what, &f->at[EXPIRE], &text))
		return false;
	if (text.len > 0) {
		if (!value_duration(text, &seconds) || seconds < EXPIRE_S_MIN ||
		    seconds > EXPIRE_S_MAX)
			return wrong(
			    f, EXPIRE, "must be a duration, 1m to 3650d");
		key->expire_s = (unsigned)seconds;
	}
	return read_canonicalization(f, key);
}

static void read_dkim(const struct yaml_source *s, const char *domain,
    const struct node *map, unsigned line)
{
	struct dkim_fields f = {
	    .source = s,
	    .line = line,
	    .at = {{.name = "selector"}, {.name = "key_file"}, {.name = "key"},
		{.name = "subdomains"}, {.name = "canonicalization"},
		{.name = "expire"}},
	};
	struct config *c = s->config;
	struct config_dkim_key made = {0}, *key;
	struct slice selector;
	bool subdomains = false;

	/* The manual's own default. */
	if (map->kind == NODE_MAP && map->entries == NULL)
		return;
	if (!fields_read(s, dkim_what, map, line, f.at, COUNT(f.at)) ||
	    !read_selector(&f, &selector) || !read_pem(&f, &made.pem) ||
	    !read_rest(&f, &made, &subdomains))
		return;
	made.selector = memory_copy(c->memory, selector);
	key = dkim_key_add(c, memory_printf(c->memory, "%s._domainkey.%s",
				  made.selector, domain));
	made.name = key->name;
	made.domain = memory_copy(c->memory, slice_of_str(domain));
	*key = made;
	signing_add(c, subdomains ? SIGNING_SUBDOMAINS : SIGNING_DOMAIN, domain,
	    (unsigned)c->dkim_key_count - 1, yaml_origin(s, line));
}

static void read_keys(
    const struct yaml_source *s, const char *domain, const struct field *dkim)
{
	if (dkim->value == NULL)
		return;
	if (dkim->value->kind != NODE_LIST) {
		read_dkim(s, domain, dkim->value, dkim->line);
		return;
	}
	for (const struct node_entry *e = dkim->value->entries; e != NULL;
	     e = e->next)
		read_dkim(s, domain, e->value, e->line);
}

static struct config_domain *add(struct config *c,
    struct complaints *complaints, struct origin where, struct slice name)
{
	struct config_domain *domain;
	const char *why;

	if (!value_hostname(name, &why)) {
		complain(complaints, where, "domains[].name: '%s': %s",
		    shown(name).at, why);
		return NULL;
	}
	c->domain_entries = memory_grow(c->memory, c->domain_entries,
	    c->domain_entry_count, sizeof(c->domain_entries[0]));
	domain = &c->domain_entries[c->domain_entry_count++];
	*domain = (struct config_domain){
	    .name = lower(c, name),
	    .source = memory_origin(c->memory, where),
	    .first_key = c->dkim_key_count,
	};
	return domain;
}

void domain_add(struct config *c, struct complaints *complaints,
    struct origin where, struct slice name)
{
	(void)add(c, complaints, where, name);
}

static void read_domain(const struct yaml_source *s, const struct node_entry *e)
{
	static const char *const what = "domains[]";
	struct field fields[] = {{.name = "name"}, {.name = "dkim"}};
	struct config_domain *domain;
	struct slice name;

	if (!fields_read(s, what, e->value, e->line, fields, COUNT(fields)) ||
	    !field_text(s, what, &fields[0], &name))
		return;
	domain = add(s->config, s->complaints, yaml_origin(s, e->line), name);
	if (domain == NULL)
		return;
	read_keys(s, domain->name, &fields[1]);
	domain->key_count = s->config->dkim_key_count - domain->first_key;
}

void domains_yaml(
    const struct yaml_source *s, unsigned line, const struct node *list)
{
	if (node_is_null(list))
		return;
	if (list->kind != NODE_LIST) {
		complain(s->complaints, yaml_origin(s, line),
		    "domains must be a list (- name: ...)");
		return;
	}
	for (const struct node_entry *e = list->entries; e != NULL; e = e->next)
		read_domain(s, e);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_domains(struct config *c)
{
	struct string_list *list = &c->domains;
	size_t count = c->domain_entry_count;

	list->at = memory_take(c->memory, count * sizeof(list->at[0]));
	for (size_t i = 0; i < count; i++)
		list->at[i] = c->domain_entries[i].name;
	qsort(list->at, count, sizeof(list->at[0]), by_text);
	list->count = 0;
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(list->at[i], list->at[list->count - 1]))
			list->at[list->count++] = list->at[i];
}

static int by_key_name(const void *a, const void *b)
{
	const struct config_dkim_key *x =
	    *(const struct config_dkim_key *const *)a;
	const struct config_dkim_key *y =
	    *(const struct config_dkim_key *const *)b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : (x > y) - (x < y);
}

/* keytable's names are its own, so only those of YAML can be twice here. */
static void find_twins(struct config *c, struct complaints *complaints)
{
	size_t count = c->dkim_key_count;
	const struct config_dkim_key **keys =
	    memory_take(c->memory, count * sizeof(const void *));

	for (size_t i = 0; i < count; i++)
		keys[i] = &c->dkim_keys[i];
	qsort(keys, count, sizeof(keys[0]), by_key_name);
	for (size_t i = 1; i < count; i++)
		if (strcmp(keys[i]->name, keys[i - 1]->name) == 0)
			complain(complaints,
			    (struct origin){keys[i]->pem.source, 0},
			    "key %s is here twice; first from %s",
			    keys[i]->name, keys[i - 1]->pem.source);
}

static int by_pattern(const void *a, const void *b)
{
	const struct config_signing *x =
	    *(const struct config_signing *const *)a;
	const struct config_signing *y =
	    *(const struct config_signing *const *)b;
	int order = strcmp(x->pattern, y->pattern);

	return order != 0 ? order : (x > y) - (x < y);
}

/* More keys for one address than a message is signed with. */
static void find_crowds(struct config *c, struct complaints *complaints)
{
	size_t count = c->signing_count, first = 0;
	const struct config_signing **rules =
	    memory_take(c->memory, count * sizeof(const void *));

	for (size_t i = 0; i < count; i++)
		rules[i] = &c->signings[i];
	qsort(rules, count, sizeof(rules[0]), by_pattern);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(rules[i]->pattern, rules[first]->pattern) != 0)
			first = i;
		if (i - first == CONFIG_SIGNATURES_MAX)
			complain(complaints,
			    (struct origin){
				c->dkim_keys[rules[i]->key].pem.source, 0},
			    "more than %d keys sign for %s",
			    CONFIG_SIGNATURES_MAX, rules[i]->pattern);
	}
}

void domains_finish(struct config *c, struct complaints *complaints)
{
	const struct option *o =
	    option_find(SLICE("config.sender_restrictions"));

	list_domains(c);
	find_twins(c, complaints);
	find_crowds(c, complaints);
	if (c->sender_restrictions == SENDER_RESTRICTIONS_DOMAIN &&
	    c->domains.count == 0)
		complain(complaints, c->memory->origins[option_index(o)],
		    "config.sender_restrictions is domain, but there are no "
		    "domains: nobody could send");
}

static const char *canonicalization(const struct config_dkim_key *key)
{
	if (key->header_simple)
		return key->body_relaxed ? "simple/relaxed" : "simple/simple";
	return key->body_relaxed ? "relaxed/relaxed" : "relaxed/simple";
}

static void put_key(const struct config_dkim_key *key, bool subdomains,
    const char *source, FILE *out)
{
	fputs("      - selector: ", out);
	text_put_yaml(key->selector, out);
	fprintf(out, "  # %s\n", source);
	if (key->pem.in_place) {
		fputs("        key: '-----BEGIN PRIVATE KEY-----********'\n",
		    out);
	} else {
		fputs("        key_file: ", out);
		text_put_yaml(key->pem.source, out);
		fputc('\n', out);
	}
	fprintf(out, "        canonicalization: %s\n", canonicalization(key));
	if (subdomains)
		fputs("        subdomains: true\n", out);
	if (key->expire_s > 0)
		fprintf(out, "        expire: %us\n", key->expire_s);
}

/* Keys of YAML and their rules were added together, in the same order. */
static const struct config_signing *signing_of(
    const struct config *c, size_t key)
{
	for (size_t i = key; i < c->signing_count; i++)
		if (c->signings[i].key == key)
			return &c->signings[i];
	for (size_t i = 0; i < c->signing_count; i++)
		if (c->signings[i].key == key)
			return &c->signings[i];
	check(false);
}

/* Rules of signingtable have no place in YAML. */
static void put_rules(const struct config *c, FILE *out)
{
	bool *shown_already =
	    memory_take(c->memory, c->dkim_key_count * sizeof(bool));

	for (size_t i = 0; i < c->domain_entry_count; i++)
		for (size_t k = 0; k < c->domain_entries[i].key_count; k++)
			shown_already[c->domain_entries[i].first_key + k] =
			    true;
	for (size_t i = 0; i < c->signing_count; i++) {
		const struct config_signing *s = &c->signings[i];
		const struct config_dkim_key *key = &c->dkim_keys[s->key];

		if (!shown_already[s->key])
			fprintf(out, "  # %s is signed with %s (%s): %s\n",
			    s->pattern, key->name, key->pem.source, s->source);
	}
}

void domains_put(const struct config *c, FILE *out)
{
	put_rules(c, out);
	for (size_t i = 0; i < c->domain_entry_count; i++) {
		const struct config_domain *d = &c->domain_entries[i];

		fputs("  - name: ", out);
		text_put_yaml(d->name, out);
		fprintf(out, "  # %s\n", d->source);
		if (d->key_count > 0)
			fputs("    dkim:\n", out);
		for (size_t k = 0; k < d->key_count; k++) {
			size_t key = d->first_key + k;
			const struct config_signing *rule = signing_of(c, key);

			put_key(&c->dkim_keys[key],
			    rule->kind == SIGNING_SUBDOMAINS, rule->source,
			    out);
		}
	}
}
