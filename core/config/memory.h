/* memory.h -- what a configuration's strings and lists lie in.
 *
 * Given back in one go by config_free.  Keys and passwords are among them, so
 * all of it stays out of core dumps and is wiped before it goes.  When there is
 * no memory the program cannot start and says so by check(). */
#ifndef CORE_CONFIG_MEMORY_H
#define CORE_CONFIG_MEMORY_H

#include "core/base/slice.h"
#include "core/config/complaint.h"

struct config_memory {
	struct memory_block *blocks;
	size_t total;		/* bytes of all blocks */
	struct origin *origins; /* of each option's value, by its index */
	struct files *files;	/* where all is read from */
	struct postconf_value *postconf; /* postfix.d's parameters */
	struct postconf_login *logins;	 /* smtpd_sender_login_maps */
};

struct config_memory *memory_open(void);
void memory_close(struct config_memory *m);

/* `len` zero bytes, aligned for anything; never NULL. */
void *memory_take(struct config_memory *m, size_t len);

/* A NUL-terminated copy. */
char *memory_copy(struct config_memory *m, struct slice s);

__attribute__((format(printf, 2, 3))) char *memory_printf(
    struct config_memory *m, const char *format, ...);

/* The rows of a list that grows by one at a time, with room for one behind the
 * `count` that it has: the same, or moved. */
void *memory_grow(
    struct config_memory *m, void *rows, size_t count, size_t row_len);

/* "FILE:LINE", or the source alone when it has no lines. */
char *memory_origin(struct config_memory *m, struct origin where);

#endif
