/* fields.h -- the maps of a list in YAML: users, domains, keys. */
#ifndef CORE_CONFIG_FIELDS_H
#define CORE_CONFIG_FIELDS_H

#include "core/config/complaint.h"
#include "core/config/config.h"
#include "core/config/yaml.h"

/* Whose text is read, and where what is wrong with it is said. */
struct yaml_source {
	struct config *config;
	struct complaints *complaints;
	const char *name;
	bool lineless; /* a text of one line: --set */
};

struct field {
	const char *name;
	const struct node *value; /* NULL: absent, or null */
	unsigned line;
};

struct origin yaml_origin(const struct yaml_source *s, unsigned line);

/* Finds the fields in the map, which is called `what` in complaints.  False:
 * something else was in it, or it is no map. */
bool fields_read(const struct yaml_source *s, const char *what,
    const struct node *map, unsigned line, struct field *fields, size_t count);

/* A plain value; empty when the field is absent.  False: it is none. */
bool field_text(const struct yaml_source *s, const char *what,
    const struct field *field, struct slice *text);

/* The next of a list's values, or of the parts of one text that are separated
 * by commas or blanks: *at is {0} at first.  False at the end. */
struct field_cursor {
	const struct node_entry *entry;
	size_t offset;
	bool begun;
};
bool field_next(const struct field *field, struct field_cursor *at,
    struct slice *text, unsigned *line);

#endif
