/* map.h -- finding a thing by the hash of its name: an intrusive hash table.
 *
 * A node lies in its owner.  Address space for the buckets of `count_max`
 * nodes is reserved when the map is made, and memory taken as the map grows:
 * so an insertion cannot fail, and none takes longer than another. */
#ifndef CORE_BASE_MAP_H
#define CORE_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"

struct map_node {
	uint64_t hash;
	struct map_node *next; /* in its bucket */
};

struct map {
	struct map_node **buckets;
	size_t bucket_count; /* in use; grows by one at a time */
	size_t bucket_count_max;
	size_t mask; /* the power of two not above bucket_count, less one */
	size_t count;
};

/* Returns 0 or -ENOMEM.  More nodes than count_max only lengthen chains. */
MUST_USE int map_init(struct map *m, size_t count_max);
/* Forgets the nodes, gives the memory back. */
void map_deinit(struct map *m);

void map_insert(struct map *m, struct map_node *node, uint64_t hash);
/* `node` is in this map. */
void map_remove(struct map *m, struct map_node *node);

/* The first node with this hash, and the next with the same; NULL at the end.
 * Whoever asks compares the names. */
struct map_node *map_first(const struct map *m, uint64_t hash);
struct map_node *map_next(const struct map_node *node);

#endif
