/* postconf_map.h -- Postfix's parameters that mean something here. */
#ifndef CORE_CONFIG_POSTCONF_MAP_H
#define CORE_CONFIG_POSTCONF_MAP_H

#include "core/config/postconf.h"

/* One parameter with its value, $name resolved. */
struct mapped {
	struct config *config;
	struct complaints *complaints;
	const struct postconf_mapping *mapping;
	struct slice text;
	struct origin where;
};

struct postconf_mapping {
	const char *name;
	const char *key;     /* the option that it sets, or NULL */
	const char *meaning; /* for docs/POSTFIX.md, or NULL */
	void (*set)(const struct mapped *m);
};

const struct postconf_mapping *postconf_mappings(size_t *count);
const struct postconf_mapping *postconf_mapping_of(struct slice name);

/* For those that set something: an option's value, as its text. */
void mapped_set(const struct mapped *m, const char *key, struct slice text);
/* Says that a value cannot be had. */
void mapped_refuse(const struct mapped *m, const char *why);
/* The next of a value's parts, between commas and blanks ({...} is one). */
bool mapped_next(struct slice *rest, struct slice *part);

/* postconf_access.c: users, restrictions, tables. */
void map_restrictions(const struct mapped *m);
void map_login_maps(const struct mapped *m);
void map_password_maps(const struct mapped *m);
void map_milters(const struct mapped *m);
/* postconf_master.c */
void map_interfaces(const struct mapped *m);
void map_protocols(const struct mapped *m);

#endif
