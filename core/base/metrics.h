/* metrics.h -- what is counted, a page for each worker.
 *
 * One shared mapping made before the fork.  A worker writes its own page alone,
 * without locks; the supervisor reads them all (core/admin.c).  What is counted
 * stands in metrics.def, one line each: its name in the program, its type, its
 * name and labels for Prometheus, and its help. */
#ifndef CORE_BASE_METRICS_H
#define CORE_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"

enum metric {
#define METRIC(id, type, name, labels, help) METRIC_##id,
#include "core/base/metrics.def"
#undef METRIC
	METRIC_COUNT
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric_info {
	enum metric_type type;
	const char *name;   /* "smarthost_deliveries_total" */
	const char *labels; /* "result=\"delivered\"", or "" */
	const char *help;
};
const struct metric_info *metric_info(enum metric m);

struct metrics {
	uint64_t value[METRIC_COUNT];
} __attribute__((aligned(4096)));

struct metrics_map;
/* NULL: no memory. */
struct metrics_map *metrics_open(unsigned worker_count);
unsigned metrics_worker_count(const struct metrics_map *map);
struct metrics *metrics_of(struct metrics_map *map, unsigned worker);

/* The page's owner alone; NULL: nobody counts (tests). */
static inline void metric_add(struct metrics *m, enum metric which, uint64_t n)
{
	if (m == NULL)
		return;
	uint64_t before = __atomic_load_n(&m->value[which], __ATOMIC_RELAXED);

	__atomic_store_n(&m->value[which], before + n, __ATOMIC_RELAXED);
}

static inline void metric_inc(struct metrics *m, enum metric which)
{
	metric_add(m, which, 1);
}

static inline void metric_set(struct metrics *m, enum metric which, uint64_t to)
{
	if (m != NULL)
		__atomic_store_n(&m->value[which], to, __ATOMIC_RELAXED);
}

static inline uint64_t metric_get(const struct metrics *m, enum metric which)
{
	return __atomic_load_n(&m->value[which], __ATOMIC_RELAXED);
}

/* A recipient was delivered so long after its message was accepted. */
void metric_delay(struct metrics *m, uint64_t ms);

#endif
