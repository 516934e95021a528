/* metrics.c -- what is counted, a page for each worker. */
#include "core/base/metrics.h"

#include <sys/mman.h>

struct metrics_map {
	struct metrics head; /* a page of its own: the number of workers */
	struct metrics pages[];
};

const struct metric_info *metric_info(enum metric m)
{
	static const struct metric_info infos[METRIC_COUNT] = {
#define METRIC(id, type, name, labels, help)                                   \
	[METRIC_##id] = {METRIC_##type, name, labels, help},
#include "core/base/metrics.def"
#undef METRIC
	};

	check(m < METRIC_COUNT);
	return &infos[m];
}

struct metrics_map *metrics_open(unsigned worker_count)
{
	size_t len =
	    sizeof(struct metrics_map) + worker_count * sizeof(struct metrics);
	struct metrics_map *map = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	map->head.value[0] = worker_count;
	return map;
}

unsigned metrics_worker_count(const struct metrics_map *map)
{
	return (unsigned)map->head.value[0];
}

struct metrics *metrics_of(struct metrics_map *map, unsigned worker)
{
	check(worker < metrics_worker_count(map));
	return &map->pages[worker];
}

void metric_delay(struct metrics *m, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		enum metric bucket;
	} buckets[] = {
	    {1000, METRIC_DELAY_1S},
	    {10000, METRIC_DELAY_10S},
	    {60000, METRIC_DELAY_60S},
	    {600000, METRIC_DELAY_600S},
	    {3600000, METRIC_DELAY_3600S},
	    {14400000, METRIC_DELAY_14400S},
	    {UINT64_MAX, METRIC_DELAY_INF},
	};

	/* Prometheus' buckets hold all that is below. */
	for (size_t i = 0; i < COUNT(buckets); i++)
		if (ms <= buckets[i].ms)
			metric_inc(m, buckets[i].bucket);
	metric_inc(m, METRIC_DELAY_COUNT);
	metric_add(m, METRIC_DELAY_SUM, ms / 1000);
}
