/* assign.h -- what a source gave for an option, checked and stored. */
#ifndef CORE_CONFIG_ASSIGN_H
#define CORE_CONFIG_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/complaint.h"
#include "core/config/config.h"
#include "core/config/option.h"

/* One text, or a list of texts, with the line of each.  The texts need not
 * outlive the call; the source's name must outlive the configuration. */
struct word {
	struct slice text;
	unsigned line;
};

struct given {
	struct origin where;
	bool is_list;
	const struct word *words;
	size_t count; /* 1 when it is no list */
};

/* What was wrong is complained about, and the option left as it was. */
void option_assign(struct config *c, const struct option *o,
    const struct given *g, struct complaints *complaints);

/* The same with the option's default, said to come from `where`. */
void option_reset(struct config *c, const struct option *o, struct origin where,
    struct complaints *complaints);

/* A path, which is relative to the configuration's directory. */
char *config_path(const struct config *c, struct slice path);

/* Writes the value as YAML that would set it again. */
void option_put(const struct config *c, const struct option *o, FILE *out);

#endif
