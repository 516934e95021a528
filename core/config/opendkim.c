/* opendkim.c -- OpenDKIM's two tables: which mail is signed, with which key.
 *
 *   keytable      name  domain:selector:file
 *   signingtable  pattern  name
 *
 * A pattern is read as both of OpenDKIM's kinds of tables have it: "domain",
 * "user@domain", ".domain" (all below it) and "user@.domain" of a file, and
 * wildcards ("*@domain", "*@*.domain") of a refile.  A rule whose key is in no
 * line of keytable is an error: its mail would leave unsigned. */
#include "core/config/opendkim.h"

#include <stdlib.h>

#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/domain.h"
#include "core/config/memory.h"
#include "core/config/text.h"
#include "core/config/value.h"

/* Longer than that is no name of a file but the key itself. */
#define PATH_LEN_MAX 200

struct reader {
	struct config *config;
	struct complaints *complaints;
	struct origin where;
	const struct config_dkim_key **keys; /* of keytable, by name */
	size_t key_count;
};

/* The next line with something in it. */
static bool next_line(
    struct reader *r, struct text_lines *lines, struct slice *line)
{
	while (text_next_line(lines, line)) {
		r->where.line = lines->number;
		*line = slice_trim(*line);
		if (line->len > 0 && line->at[0] != '#')
			return true;
	}
	return false;
}

static bool key_parts_good(struct reader *r, struct slice domain,
    struct slice selector, struct slice path)
{
	const char *why;

	if (!slice_eq(domain, SLICE("%")) && !value_hostname(domain, &why)) {
		complain(
		    r->complaints, r->where, "'%s': %s", shown(domain).at, why);
		return false;
	}
	if (!value_labels(selector, &why)) {
		complain(r->complaints, r->where, "selector '%s': %s",
		    shown(selector).at, why);
		return false;
	}
	why = NULL;
	if (path.len == 0)
		why = "the key's file is missing";
	else if (path.len > PATH_LEN_MAX || text_has_control(path))
		why = "a key must be in a file of its own";
	else if (slice_find(path, '%') < path.len)
		why = "a key's file must be named: no % in it";
	if (why != NULL)
		complain(r->complaints, r->where, "%s", why);
	return why == NULL;
}

static char *lower(struct config *c, struct slice text)
{
	char *copy = memory_copy(c->memory, text);

	for (char *at = copy; *at != '\0'; at++)
		*at = (char)byte_lower((uint8_t)*at);
	return copy;
}

static void read_key(struct reader *r, struct slice line)
{
	struct config *c = r->config;
	struct slice name = text_cut_word(&line);
	struct slice path = line;
	struct slice domain = slice_cut_at(&path, ':');
	struct slice selector = slice_cut_at(&path, ':');
	struct config_text pem;
	struct config_dkim_key *key;

	if (domain.len == 0 || selector.len == 0) {
		complain(r->complaints, r->where,
		    "must be: name domain:selector:file");
		return;
	}
	if (!key_parts_good(r, domain, selector, path) ||
	    !dkim_key_read(
		c, r->complaints, r->where, config_path(c, path), &pem))
		return;
	key = dkim_key_add(c, memory_copy(c->memory, name));
	key->domain = lower(c, domain);
	key->selector = memory_copy(c->memory, selector);
	key->pem = pem;
}

static int by_name(const void *a, const void *b)
{
	const struct config_dkim_key *x =
	    *(const struct config_dkim_key *const *)a;
	const struct config_dkim_key *y =
	    *(const struct config_dkim_key *const *)b;

	return strcmp(x->name, y->name);
}

static void sort_keys(struct reader *r, size_t first)
{
	const struct config *c = r->config;

	r->key_count = c->dkim_key_count - first;
	r->keys =
	    memory_take(c->memory, (r->key_count + 1) * sizeof(const void *));
	for (size_t i = 0; i < r->key_count; i++)
		r->keys[i] = &c->dkim_keys[first + i];
	qsort(r->keys, r->key_count, sizeof(r->keys[0]), by_name);
}

/* The index of a key; dkim_key_count when there is none. */
static size_t find_key(const struct reader *r, struct slice name)
{
	const struct config_dkim_key wanted = {
	    .name = memory_copy(r->config->memory, name)};
	const struct config_dkim_key *key = &wanted;
	const struct config_dkim_key **found =
	    bsearch(&key, r->keys, r->key_count, sizeof(r->keys[0]), by_name);

	return found == NULL ? r->config->dkim_key_count
			     : (size_t)(*found - r->config->dkim_keys);
}

/* What is left of the last '@', in front of it; false when there is none. */
static bool cut_local(struct slice *domain, struct slice *local)
{
	size_t at = domain->len;

	while (at > 0 && domain->at[at - 1] != '@')
		at--;
	if (at == 0)
		return false;
	*local = slice_cut(domain, at - 1);
	slice_cut(domain, 1);
	return true;
}

/* "domain" and "*@domain" mean the same. */
static bool read_pattern(struct reader *r, struct slice text,
    enum config_signing_kind *kind, const char **pattern)
{
	struct config_memory *m = r->config->memory;
	struct slice domain = text, local = SLICE("*"), name;
	const char *why;
	bool wild;

	(void)cut_local(&domain, &local);
	wild = slice_find(domain, '*') < domain.len;
	name = domain;
	if (name.len > 0 && name.at[0] == '.')
		slice_cut(&name, 1);
	if (!wild && !value_hostname(name, &why)) {
		complain(
		    r->complaints, r->where, "'%s': %s", shown(text).at, why);
		return false;
	}
	*kind = SIGNING_PATTERN;
	if (name.len < domain.len)
		*pattern = memory_printf(m, "%.*s@*%.*s", (int)local.len,
		    local.at, (int)domain.len, domain.at);
	else if (wild || (slice_find(local, '*') < local.len &&
			     !slice_eq(local, SLICE("*"))))
		*pattern = memory_printf(m, "%.*s@%.*s", (int)local.len,
		    local.at, (int)domain.len, domain.at);
	else if (slice_eq(local, SLICE("*"))) {
		*kind = SIGNING_DOMAIN;
		*pattern = memory_copy(m, domain);
	} else {
		*kind = SIGNING_ADDRESS;
		*pattern = memory_copy(m, text);
	}
	return true;
}

static void read_rule(struct reader *r, struct slice line)
{
	struct slice text = text_cut_word(&line);
	struct slice name = text_cut_word(&line);
	enum config_signing_kind kind;
	const char *pattern;
	size_t key;

	if (name.len == 0) {
		complain(r->complaints, r->where, "must be: pattern key");
		return;
	}
	if (line.len > 0)
		complain_softly(r->complaints, r->where,
		    "the third column is not used: i= is the domain of the "
		    "address");
	key = find_key(r, name);
	if (key == r->config->dkim_key_count) {
		complain(r->complaints, r->where,
		    "key %s is not in keytable, or cannot be used",
		    shown(name).at);
		return;
	}
	if (!read_pattern(r, text, &kind, &pattern))
		return;
	signing_add(r->config, kind, lower(r->config, slice_of_str(pattern)),
	    (unsigned)key, r->where);
}

void opendkim_read(struct config *c, struct complaints *complaints,
    const struct opendkim_table *keytable,
    const struct opendkim_table *signingtable)
{
	struct reader r = {.config = c, .complaints = complaints};
	struct text_lines keys = {.rest = keytable->text};
	struct text_lines rules = {.rest = signingtable->text};
	size_t first = c->dkim_key_count;
	struct slice line;

	r.where.source = memory_copy(c->memory, slice_of_str(keytable->name));
	while (next_line(&r, &keys, &line))
		read_key(&r, line);
	sort_keys(&r, first);
	r.where.source =
	    memory_copy(c->memory, slice_of_str(signingtable->name));
	while (next_line(&r, &rules, &line))
		read_rule(&r, line);
}
