/* yaml.h -- a YAML text as a tree, within limits.
 *
 * A tree is in the configuration's memory and never changes; an alias is the
 * same node once more. */
#ifndef CORE_CONFIG_YAML_H
#define CORE_CONFIG_YAML_H

#include <stdbool.h>

#include "core/base/slice.h"
#include "core/config/complaint.h"
#include "core/config/memory.h"

#define YAML_LEN_MAX (16u << 20)  /* bytes of one file */
#define YAML_DEPTH_MAX 16	  /* maps and lists in each other */
#define YAML_NODES_MAX (1u << 20) /* of one document, aliases resolved */
#define YAML_KEYS_MAX 256	  /* of one map */
#define YAML_ANCHORS_MAX 1000	  /* of one file */

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool quoted; /* a scalar that cannot mean null */
	unsigned line;
	unsigned weight; /* nodes in it, itself included */
	unsigned height; /* levels in it, itself included */
	struct slice text;
	struct node_entry *entries; /* in their order */
};

struct node_entry {
	struct node_entry *next;
	struct slice key; /* of a map's entry */
	unsigned line;
	struct node *value;
};

/* The documents of a text, as a NODE_LIST.  NULL when it is not YAML, or not
 * within the limits; that was complained about. */
struct node *yaml_read(struct config_memory *m, struct complaints *c,
    const char *source, struct slice text);

/* Nothing, ~ or null. */
bool node_is_null(const struct node *n);

#endif
