/* source.c -- YAML, the environment and --set, read into a configuration.
 *
 * A map under `config` is followed key by key, so that maps of several files
 * merge however deep they are, and a list replaces the list before it.  Null
 * sets the default again. */
#include "core/config/source.h"

#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/domain.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/user.h"

static void unknown_key(
    struct complaints *c, struct origin where, struct slice key)
{
	const char *nearest = option_nearest(key);

	if (nearest == NULL)
		complain(c, where, "unknown key %s", shown(key).at);
	else
		complain(c, where, "unknown key %s, did you mean %s?",
		    shown(key).at, nearest);
}

static void set_list(const struct yaml_source *s, const struct option *o,
    struct origin where, const struct node *list)
{
	struct word *words =
	    memory_take(s->config->memory, list->weight * sizeof(*words));
	struct given given = {.where = where, .is_list = true, .words = words};

	for (const struct node_entry *e = list->entries; e != NULL;
	     e = e->next) {
		if (e->value->kind != NODE_SCALAR) {
			complain(s->complaints,
			    (struct origin){s->name, e->line},
			    "%s may hold plain values only", o->key);
			return;
		}
		words[given.count++] = (struct word){e->value->text, e->line};
	}
	option_assign(s->config, o, &given, s->complaints);
}

static void set_option(const struct yaml_source *s, const struct option *o,
    unsigned line, const struct node *value)
{
	struct origin where = {s->name, line};
	struct word word = {value->text, value->line};
	struct given given = {.where = where, .words = &word, .count = 1};

	if (o->type == OPTION_USERS) {
		users_yaml(s, line, value);
	} else if (o->type == OPTION_DOMAINS) {
		domains_yaml(s, line, value);
	} else if (node_is_null(value)) {
		option_reset(s->config, o, where, s->complaints);
	} else if (value->kind == NODE_LIST) {
		set_list(s, o, where, value);
	} else if (value->kind == NODE_MAP) {
		complain(s->complaints, where, "%s must be %s, not a map",
		    o->key, option_is_list(o) ? "a list" : "one value");
	} else {
		option_assign(s->config, o, &given, s->complaints);
	}
}

static void set_postconf(const struct yaml_source *s, const struct node *map)
{
	for (const struct node_entry *e = map->entries; e != NULL; e = e->next)
		if (slice_eq(e->key, SLICE("postconf")))
			set_option(s, option_find(SLICE("config.postconf")),
			    e->line, e->value);
}

/* Follows a map whose keys begin with `section` ("" at the top). */
static void set_map(
    const struct yaml_source *s, const char *section, const struct node *map)
{
	/* Of one file, what is said in our own words counts more. */
	if (strcmp(section, "config") == 0)
		set_postconf(s, map);
	for (const struct node_entry *e = map->entries; e != NULL;
	     e = e->next) {
		struct origin where = {s->name, e->line};
		const char *key = memory_printf(s->config->memory, "%s%s%.*s",
		    section, section[0] == '\0' ? "" : ".", (int)e->key.len,
		    e->key.at);
		const struct option *o = option_find(slice_of_str(key));

		if (o != NULL && o->type == OPTION_POSTCONF)
			continue;
		if (o != NULL)
			set_option(s, o, e->line, e->value);
		else if (!option_is_section(slice_of_str(key)))
			unknown_key(s->complaints, where, slice_of_str(key));
		else if (e->value->kind == NODE_MAP)
			set_map(s, key, e->value);
		else if (!node_is_null(e->value))
			complain(s->complaints, where,
			    "%s must be a map (key: value)", key);
	}
}

void source_yaml(struct config *c, struct complaints *complaints,
    const char *name, struct slice text)
{
	struct yaml_source s = {
	    .config = c,
	    .complaints = complaints,
	    .name = memory_copy(c->memory, slice_of_str(name)),
	};
	struct node *documents = yaml_read(c->memory, complaints, s.name, text);

	if (documents == NULL)
		return;
	for (const struct node_entry *e = documents->entries; e != NULL;
	     e = e->next) {
		if (e->value->kind == NODE_MAP)
			set_map(&s, "", e->value);
		else if (!node_is_null(e->value))
			complain(complaints, (struct origin){s.name, e->line},
			    "must be a map with the keys config, users, "
			    "domains");
	}
}

/* Kubernetes gives each container variables for each service of its namespace:
 * for one whose name is "sh" these. */
static bool is_service_link(struct slice name)
{
	return slice_starts_nocase(name, SLICE("SH_SERVICE_")) ||
	       slice_eq(name, SLICE("SH_PORT")) ||
	       slice_starts_nocase(name, SLICE("SH_PORT_"));
}

static void set_variable(struct config *c, struct complaints *complaints,
    struct slice name, struct slice value)
{
	struct origin where = {memory_copy(c->memory, name), 0};
	struct word word = {value, 0};
	struct given given = {.where = where, .words = &word, .count = 1};
	const struct option *o = option_find_env(name);
	const char *nearest;

	/* Empty is the same as absent, as `docker run -e` users know it. */
	if (value.len == 0)
		return;
	if (o != NULL && o->type == OPTION_USERS) {
		users_variable(c, complaints, where, value);
		return;
	}
	if (o != NULL) {
		option_assign(c, o, &given, complaints);
		return;
	}
	nearest = option_nearest_env(name);
	if (nearest != NULL)
		complain(complaints, where,
		    "unknown variable, did you mean %s?", nearest);
	else if (!is_service_link(name))
		complain(complaints, where, "unknown variable");
}

void source_environment(struct config *c, struct complaints *complaints,
    const char *const *environment)
{
	if (environment == NULL)
		return;
	for (size_t i = 0; environment[i] != NULL; i++) {
		struct slice value = slice_of_str(environment[i]);
		struct slice name = slice_cut_at(&value, '=');

		if (name.len > 3 &&
		    slice_eq(slice_of(name.at, 3), SLICE("SH_")))
			set_variable(c, complaints, name, value);
	}
}

/* Whether --set's value is in YAML's flow form.  "*:587" and "[host]:25" are
 * what they say. */
static bool is_flow(const struct option *o, struct slice value)
{
	if (value.len < 2)
		return false;
	uint8_t first = value.at[0], last = value.at[value.len - 1];

	if (first == '\'' || first == '"')
		return first == last;
	if (first == '[')
		return last == ']' && option_is_list(o);
	return false;
}

static void set_yaml(struct config *c, struct complaints *complaints,
    const struct option *o, struct origin where, struct slice value)
{
	struct yaml_source s = {
	    .config = c,
	    .complaints = complaints,
	    .name = where.source,
	    .lineless = true,
	};
	struct node *documents =
	    yaml_read(c->memory, complaints, s.name, value);

	if (documents == NULL)
		return;
	if (documents->entries == NULL || documents->entries->next != NULL)
		complain(complaints, where, "must be one value");
	else
		set_option(&s, o, 0, documents->entries->value);
}

void source_set(
    struct config *c, struct complaints *complaints, const char *set)
{
	struct slice value = slice_of_str(set);
	bool assigned = slice_find(value, '=') < value.len;
	struct slice key = slice_cut_at(&value, '=');
	struct origin where = {
	    .source =
		memory_printf(c->memory, "--set %.*s", (int)key.len, key.at),
	};
	const struct option *o = option_find(key);

	if (!assigned) {
		complain(complaints, where, "write --set key=value");
	} else if (o == NULL && option_is_section(key)) {
		complain(complaints, where, "is a group of keys, not a key");
	} else if (o == NULL) {
		where.source = "--set";
		unknown_key(complaints, where, key);
	} else if (is_flow(o, value)) {
		set_yaml(c, complaints, o, where, value);
	} else if (option_is_table(o)) {
		complain(complaints, where,
		    "must be a list in YAML's flow form: [{name: ...}]");
	} else {
		struct word word = {value, 0};
		struct given given = {
		    .where = where, .words = &word, .count = 1};

		option_assign(c, o, &given, complaints);
	}
}
