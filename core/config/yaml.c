/* yaml.c -- a YAML text as a tree, within limits, by libyaml's events.
 *
 * One recursive function follows the nesting, which is bounded.  An anchor is
 * known when its node is complete, so no alias can be inside of what it means;
 * and each node knows how many nodes it stands for, so that aliases of aliases
 * (the "billion laughs") are refused by a sum before anyone walks them.
 *
 * What a hand-written configuration has no use for is an error and not
 * guessed: tags of one's own, keys that are not text, a key twice in a map. */
#include "core/config/yaml.h"

#include <yaml.h>

#include "core/base/check.h"

struct anchor {
	struct anchor *next;
	struct slice name;
	struct node *node;
};

struct yaml_reader {
	yaml_parser_t parser;
	struct config_memory *memory;
	struct complaints *complaints;
	const char *source;
	struct anchor *anchors; /* of this document, latest first */
	unsigned anchor_count;	/* of this text */
};

static struct origin at_line(const struct yaml_reader *r, unsigned line)
{
	return (struct origin){r->source, line};
}

static unsigned line_of(yaml_mark_t mark)
{
	return (unsigned)mark.line + 1;
}

static struct slice text_of(const yaml_char_t *text)
{
	return slice_of_str((const char *)text);
}

/* What most often is behind an error: text that YAML takes for its own. */
static const char *hint_of(const char *context)
{
	if (context != NULL && strstr(context, "alias") != NULL)
		return " (put a value that begins with * in quotes)";
	if (context != NULL && strstr(context, "flow node") != NULL)
		return " (put a value that begins with a colon in quotes)";
	return "";
}

static bool next_event(struct yaml_reader *r, yaml_event_t *event)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, event))
		return true;
	complain(r->complaints, at_line(r, line_of(p->problem_mark)),
	    "not YAML: %s%s%s%s",
	    p->problem == NULL ? "out of memory" : p->problem,
	    p->context == NULL ? "" : " ", p->context == NULL ? "" : p->context,
	    hint_of(p->context));
	return false;
}

static bool tag_good(
    struct yaml_reader *r, const yaml_char_t *tag, unsigned line)
{
	static const char *const core[] = {
	    "str", "int", "bool", "float", "null", "seq", "map"};
	struct slice text;

	if (tag == NULL)
		return true;
	text = text_of(tag);
	if (slice_eq(text, SLICE("!")))
		return true;
	if (slice_starts_nocase(text, SLICE("tag:yaml.org,2002:"))) {
		slice_cut(&text, strlen("tag:yaml.org,2002:"));
		for (size_t i = 0; i < COUNT(core); i++)
			if (slice_eq(text, slice_of_str(core[i])))
				return true;
	}
	complain(
	    r->complaints, at_line(r, line), "unknown tag %s", shown(text).at);
	return false;
}

/* Remembers the node by its anchor, if it has one, and returns it. */
static struct node *anchored(
    struct yaml_reader *r, const yaml_char_t *name, struct node *n)
{
	struct anchor *a;

	if (name == NULL)
		return n;
	if (r->anchor_count++ == YAML_ANCHORS_MAX) {
		complain(r->complaints, at_line(r, n->line),
		    "more than %d anchors", YAML_ANCHORS_MAX);
		return NULL;
	}
	a = memory_take(r->memory, sizeof(*a));
	struct slice text = text_of(name);
	*a = (struct anchor){
	    .next = r->anchors,
	    .name = slice_of(memory_copy(r->memory, text), text.len),
	    .node = n,
	};
	r->anchors = a;
	return n;
}

static struct node *node_make(
    struct yaml_reader *r, enum node_kind kind, unsigned line)
{
	struct node *n = memory_take(r->memory, sizeof(*n));

	*n = (struct node){
	    .kind = kind,
	    .line = line,
	    .weight = 1,
	    .height = 1,
	};
	return n;
}

static struct node *read_alias(struct yaml_reader *r, const yaml_event_t *event)
{
	struct slice name = text_of(event->data.alias.anchor);

	for (struct anchor *a = r->anchors; a != NULL; a = a->next)
		if (slice_eq(a->name, name))
			return a->node;
	complain(r->complaints, at_line(r, line_of(event->start_mark)),
	    "*%s: no such anchor (put a value that begins with * in quotes)",
	    shown(name).at);
	return NULL;
}

static struct node *read_scalar(
    struct yaml_reader *r, const yaml_event_t *event)
{
	unsigned line = line_of(event->start_mark);
	struct slice text =
	    slice_of(event->data.scalar.value, event->data.scalar.length);
	struct node *n;

	if (!tag_good(r, event->data.scalar.tag, line))
		return NULL;
	if (slice_find(text, '\0') < text.len) {
		complain(r->complaints, at_line(r, line),
		    "a value may not have a NUL byte");
		return NULL;
	}
	n = node_make(r, NODE_SCALAR, line);
	n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = slice_of(memory_copy(r->memory, text), text.len);
	return anchored(r, event->data.scalar.anchor, n);
}

/* Adds an entry; false when the limits are passed. */
static bool node_add(struct yaml_reader *r, struct node *n,
    struct node_entry *entry, struct node_entry ***last, unsigned depth)
{
	n->weight += entry->value->weight;
	if (entry->value->height + 1 > n->height)
		n->height = entry->value->height + 1;
	if (n->weight > YAML_NODES_MAX || depth + n->height > YAML_DEPTH_MAX) {
		complain(r->complaints, at_line(r, entry->line),
		    n->weight > YAML_NODES_MAX
			? "too many values"
			: "maps and lists are nested too deep");
		return false;
	}
	**last = entry;
	*last = &entry->next;
	return true;
}

static bool key_good(
    struct yaml_reader *r, const struct node *map, const struct node *key)
{
	unsigned count = 0;

	for (struct node_entry *e = map->entries; e != NULL; e = e->next) {
		if (slice_eq(e->key, key->text)) {
			complain(r->complaints, at_line(r, key->line),
			    "%s is here twice; first on line %u",
			    shown(key->text).at, e->line);
			return false;
		}
		count++;
	}
	if (count == YAML_KEYS_MAX) {
		complain(r->complaints, at_line(r, key->line),
		    "more than %d keys in a map", YAML_KEYS_MAX);
		return false;
	}
	return true;
}

/* The node that begins with the event, which it deletes.  Forward, since
 * nodes are in nodes. */
static struct node *read_node(
    struct yaml_reader *r, yaml_event_t *event, unsigned depth);

/* The next entry of a map or list.  *end: there is none. */
static struct node_entry *read_entry(
    struct yaml_reader *r, struct node *n, unsigned depth, bool *end)
{
	struct node_entry *entry = memory_take(r->memory, sizeof(*entry));
	struct node *key;
	yaml_event_t event;

	if (!next_event(r, &event))
		return NULL;
	entry->line = line_of(event.start_mark);
	*end = event.type == YAML_MAPPING_END_EVENT ||
	       event.type == YAML_SEQUENCE_END_EVENT;
	if (*end) {
		yaml_event_delete(&event);
		return entry;
	}
	if (n->kind == NODE_MAP) {
		bool text = event.type == YAML_SCALAR_EVENT;

		key = read_node(r, &event, depth);
		if (key == NULL)
			return NULL;
		if (!text) {
			complain(r->complaints, at_line(r, entry->line),
			    "a key must be a plain word");
			return NULL;
		}
		if (!key_good(r, n, key))
			return NULL;
		entry->key = key->text;
		if (!next_event(r, &event))
			return NULL;
	}
	entry->value = read_node(r, &event, depth);
	return entry->value == NULL ? NULL : entry;
}

static struct node *read_entries(
    struct yaml_reader *r, struct node *n, unsigned depth)
{
	struct node_entry **last = &n->entries;

	if (depth + 1 > YAML_DEPTH_MAX) {
		complain(r->complaints, at_line(r, n->line),
		    "maps and lists are nested too deep");
		return NULL;
	}
	for (;;) {
		bool end = false;
		struct node_entry *e = read_entry(r, n, depth + 1, &end);

		if (e == NULL)
			return NULL;
		if (end)
			return n;
		if (!node_add(r, n, e, &last, depth))
			return NULL;
	}
}

static struct node *read_collection(struct yaml_reader *r, enum node_kind kind,
    const yaml_event_t *event, unsigned depth)
{
	unsigned line = line_of(event->start_mark);
	const yaml_char_t *tag = kind == NODE_MAP
				     ? event->data.mapping_start.tag
				     : event->data.sequence_start.tag;
	const yaml_char_t *anchor = kind == NODE_MAP
					? event->data.mapping_start.anchor
					: event->data.sequence_start.anchor;
	struct node *n;

	if (!tag_good(r, tag, line))
		return NULL;
	n = read_entries(r, node_make(r, kind, line), depth);
	return n == NULL ? NULL : anchored(r, anchor, n);
}

static struct node *read_node(
    struct yaml_reader *r, yaml_event_t *event, unsigned depth)
{
	struct node *n = NULL;

	if (event->type == YAML_ALIAS_EVENT)
		n = read_alias(r, event);
	else if (event->type == YAML_SCALAR_EVENT)
		n = read_scalar(r, event);
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		n = read_collection(r, NODE_LIST, event, depth);
	else if (event->type == YAML_MAPPING_START_EVENT)
		n = read_collection(r, NODE_MAP, event, depth);
	else
		check(false); /* libyaml's grammar has no other here */
	yaml_event_delete(event);
	return n;
}

static struct node *read_stream(struct yaml_reader *r)
{
	struct node *documents = node_make(r, NODE_LIST, 1);
	struct node_entry **last = &documents->entries;

	for (;;) {
		yaml_event_t event;
		bool content;

		if (!next_event(r, &event))
			return NULL;
		if (event.type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&event);
			return documents;
		}
		content = event.type != YAML_STREAM_START_EVENT &&
			  event.type != YAML_DOCUMENT_START_EVENT &&
			  event.type != YAML_DOCUMENT_END_EVENT;
		if (!content) {
			r->anchors = NULL;
			yaml_event_delete(&event);
			continue;
		}
		struct node_entry *e = memory_take(r->memory, sizeof(*e));
		e->line = line_of(event.start_mark);
		e->value = read_node(r, &event, 0);
		if (e->value == NULL)
			return NULL;
		*last = e;
		last = &e->next;
	}
}

struct node *yaml_read(struct config_memory *m, struct complaints *c,
    const char *source, struct slice text)
{
	struct yaml_reader r = {
	    .memory = m,
	    .complaints = c,
	    .source = source,
	};
	struct node *documents = NULL;

	if (text.len > YAML_LEN_MAX) {
		complain(c, (struct origin){source, 1}, "larger than %u bytes",
		    YAML_LEN_MAX);
		return NULL;
	}
	check(yaml_parser_initialize(&r.parser));
	yaml_parser_set_input_string(&r.parser,
	    text.len == 0 ? (const unsigned char *)"" : text.at, text.len);
	documents = read_stream(&r);
	yaml_parser_delete(&r.parser);
	return documents;
}

bool node_is_null(const struct node *n)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	if (n->kind != NODE_SCALAR || n->quoted)
		return false;
	for (size_t i = 0; i < COUNT(nulls); i++)
		if (slice_eq(n->text, slice_of_str(nulls[i])))
			return true;
	return false;
}
