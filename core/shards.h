/* shards.h -- which shards a spool directory has: those of its subdirectories
 * whose names are numbers. */
#ifndef CORE_SHARDS_H
#define CORE_SHARDS_H

#include <stdint.h>

#include "core/base/check.h"

#define SHARDS_MAX 256 /* an id has 8 bits for its shard */

struct shards {
	unsigned count;
	uint8_t at[SHARDS_MAX]; /* ascending */
};

/* Returns 0 or -errno of the directory. */
MUST_USE int shards_list(const char *spool, struct shards *shards);

#endif
