/* fields.c -- the maps of a list in YAML: users, domains, keys. */
#include "core/config/fields.h"

#include "core/config/nearest.h"

#define NAMES_MAX 16

struct origin yaml_origin(const struct yaml_source *s, unsigned line)
{
	return (struct origin){s->name, s->lineless ? 0 : line};
}

static void unknown_field(const struct yaml_source *s, const char *what,
    const struct node_entry *e, const struct field *fields, size_t count)
{
	const char *names[NAMES_MAX];
	const char *nearest;

	check(count <= NAMES_MAX);
	for (size_t i = 0; i < count; i++)
		names[i] = fields[i].name;
	nearest = nearest_of(e->key, names, count);
	complain(s->complaints, yaml_origin(s, e->line),
	    "unknown key %s.%s%s%s%s", what, shown(e->key).at,
	    nearest == NULL ? "" : ", did you mean ",
	    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

bool fields_read(const struct yaml_source *s, const char *what,
    const struct node *map, unsigned line, struct field *fields, size_t count)
{
	bool good = true;

	if (map->kind != NODE_MAP) {
		complain(s->complaints, yaml_origin(s, line),
		    "%s must be a map (key: value)", what);
		return false;
	}
	for (const struct node_entry *e = map->entries; e != NULL;
	     e = e->next) {
		size_t i = 0;

		while (i < count &&
		       !slice_eq(e->key, slice_of_str(fields[i].name)))
			i++;
		if (i == count) {
			unknown_field(s, what, e, fields, count);
			good = false;
			continue;
		}
		fields[i].line = e->line;
		fields[i].value = node_is_null(e->value) ? NULL : e->value;
	}
	return good;
}

bool field_text(const struct yaml_source *s, const char *what,
    const struct field *field, struct slice *text)
{
	*text = (struct slice){0};
	if (field->value == NULL)
		return true;
	if (field->value->kind != NODE_SCALAR) {
		complain(s->complaints, yaml_origin(s, field->line),
		    "%s.%s must be one value", what, field->name);
		return false;
	}
	*text = field->value->text;
	return true;
}

static bool is_separator(uint8_t c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool next_part(
    struct slice whole, struct field_cursor *at, struct slice *text)
{
	size_t start = at->offset, end;

	while (start < whole.len && is_separator(whole.at[start]))
		start++;
	for (end = start; end < whole.len && !is_separator(whole.at[end]);)
		end++;
	at->offset = end;
	*text = slice_of(whole.at + start, end - start);
	return start < end;
}

bool field_next(const struct field *field, struct field_cursor *at,
    struct slice *text, unsigned *line)
{
	const struct node *value = field->value;

	if (value == NULL || value->kind == NODE_MAP)
		return false;
	if (value->kind == NODE_SCALAR) {
		*line = field->line;
		return next_part(value->text, at, text);
	}
	at->entry = at->begun ? at->entry->next : value->entries;
	at->begun = true;
	if (at->entry == NULL)
		return false;
	*line = at->entry->line;
	*text = at->entry->value->kind == NODE_SCALAR ? at->entry->value->text
						      : (struct slice){0};
	return true;
}
