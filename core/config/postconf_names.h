/* postconf_names.h -- what becomes of each of Postfix's parameters. */
#ifndef CORE_CONFIG_POSTCONF_NAMES_H
#define CORE_CONFIG_POSTCONF_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/base/slice.h"

enum postconf_class {
	POSTCONF_MAPPED,   /* sets an option: postconf_map.h */
	POSTCONF_HARMLESS, /* has no meaning here: a warning */
	POSTCONF_REFUSED,  /* to ignore it would change who may send, what is
			    * sent or where it goes: an error */
};

struct postconf_group {
	enum postconf_class class;
	const char *reason;
	const char *instead; /* the nearest thing here, or NULL */
	const char *names;   /* each with a blank behind it */
};
const struct postconf_group *postconf_groups(size_t *count);

/* The group of a name that is not mapped; NULL: Postfix has none such.  Names
 * of a transport (smtp-slow_destination_rate_delay) are known by their end. */
const struct postconf_group *postconf_group_of(struct slice name);

/* The parameter most like the one given, mapped ones among them, or an empty
 * slice. */
struct slice postconf_nearest(struct slice name);

/* Whether a refused parameter asks for nothing with this value. */
bool postconf_is_innocent(struct slice name, struct slice value);

/* docs/POSTFIX.md */
void postconf_document(FILE *out);

#endif
