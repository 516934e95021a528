/* gauges.c -- what a worker measures of itself for /metrics.
 *
 * What happens is counted where it happens; here is what is the case: how many
 * sessions, how much in the spool. */
#include "core/gauges.h"

#define GAUGES_MS 1000

static void measure_spools(struct gauges *g)
{
	struct metrics *m = g->metrics;
	struct spool_facts facts;
	uint64_t messages = 0, bytes = 0, disk = 0, quota = 0;
	bool failing = false;

	for (unsigned i = 0; i < OUTBOUND_SPOOLS_MAX; i++) {
		if (g->outbound->spools[i] == NULL)
			continue;
		facts = spool_facts(g->outbound->spools[i]);
		messages += facts.alive_count;
		bytes += facts.alive_len;
		disk += facts.disk_len;
		quota += facts.quota_len;
		failing |= facts.failing;
	}
	facts = spool_facts(g->own);
	metric_set(m, METRIC_QUEUE, messages);
	metric_set(m, METRIC_QUEUE_BYTES, bytes);
	metric_set(m, METRIC_SPOOL_BYTES, disk);
	metric_set(m, METRIC_SPOOL_QUOTA, quota);
	metric_set(m, METRIC_SPOOL_FAILING, failing);
	metric_set(m, METRIC_SPOOL_COMMITS, facts.commit_count);
	metric_set(m, METRIC_SPOOL_WRITTEN, facts.written_len);
}

static void measure(struct gauges *g)
{
	struct metrics *m = g->metrics;
	struct scheduler_counts counts =
	    scheduler_count(g->outbound->scheduler);
	const struct tls_context *tls = g->inbound->settings->tls;
	const char *source;

	measure_spools(g);
	metric_set(m, METRIC_SESSIONS, g->inbound->session_count);
	metric_set(m, METRIC_SESSIONS_MAX, g->inbound->session_count_max);
	metric_set(m, METRIC_DELIVERIES, g->outbound->connection_count);
	metric_set(m, METRIC_DESTINATIONS, counts.destination_count);
	metric_set(m, METRIC_TLS_EXPIRES,
	    tls == NULL ? 0 : tls_context_expires_s(tls, &source));
}

static void on_timer(struct timer *t)
{
	struct gauges *g = container_of(t, struct gauges, timer);

	g->measured = true;
	measure(g);
}

void gauges_begin(struct gauges *g)
{
	timer_init(&g->timer, on_timer);
	measure(g);
}

void gauges_turned(struct gauges *g)
{
	if (!g->measured && !timer_armed(&g->timer))
		timer_arm(loop_timers(g->loop), &g->timer, GAUGES_MS);
	g->measured = false;
}

void gauges_end(struct gauges *g)
{
	timer_disarm(&g->timer);
}
