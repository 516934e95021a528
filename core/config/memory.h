/* memory.h -- what a configuration's strings and lists lie in.
 *
 * Given back in one go by config_free.  Configuration is read before there is a
 * loop, or beside it in the supervisor, so this is the one part of the program
 * that takes from malloc; when that fails the program cannot start and says
 * so by check(). */
#ifndef CORE_CONFIG_MEMORY_H
#define CORE_CONFIG_MEMORY_H

#include "core/base/slice.h"
#include "core/config/complaint.h"

struct config_memory {
	struct memory_block *blocks;
	struct origin *origins; /* of each option's value, by its index */
};

struct config_memory *memory_open(void);
void memory_close(struct config_memory *m);

/* `len` zero bytes, aligned for anything; never NULL. */
void *memory_take(struct config_memory *m, size_t len);

/* A NUL-terminated copy. */
char *memory_copy(struct config_memory *m, struct slice s);

__attribute__((format(printf, 2, 3))) char *memory_printf(
    struct config_memory *m, const char *format, ...);

#endif
