/* advice.h -- what of this machine's limits stands in the relay's way, and what
 * to set instead: said at start and by `smarthost doctor`. */
#ifndef CORE_ADVICE_H
#define CORE_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/log.h"
#include "core/config/config.h"

/* What the machine has. */
struct advice_facts {
	uint64_t descriptors; /* RLIMIT_NOFILE, of each worker */
	uint64_t locked;      /* RLIMIT_MEMLOCK in bytes, of all together */
	uint64_t somaxconn;   /* net.core.somaxconn; 0: cannot be read */
	long file_system;     /* statfs(2)'s f_type of the spool; 0: unknown */
};

/* What the relay wants. */
struct advice_wishes {
	uint64_t sessions; /* a worker; 0: as many as there is room for */
	unsigned workers;
	bool rings; /* they count as locked memory */
};

typedef void advice_say(void *arg, const char *what, const char *instead);

/* Calls say() for each thing that should be otherwise; their number. */
unsigned advice_judge(const struct advice_facts *facts,
    const struct advice_wishes *wishes, advice_say *say, void *arg);

/* Both at once for this process and the spool's directory. */
unsigned advice_give(const struct config *c, unsigned worker_count,
    const char *spool, advice_say *say, void *arg);

/* A warning in the log for each. */
void advice_log(const struct config *c, unsigned worker_count,
    const char *spool, struct log *log);

#endif
