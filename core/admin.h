/* admin.h -- HTTP for machines that watch: /metrics, /healthz, /readyz.
 *
 * A thread of the supervisor, by libmicrohttpd (core/http.h); no mail waits
 * for it. */
#ifndef CORE_ADMIN_H
#define CORE_ADMIN_H

#include <stdbool.h>

#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/config/config.h"
#include "core/listen.h"

struct admin;

/* What the supervisor says of itself; it writes, the thread reads. */
struct admin_state {
	unsigned workers_wanted;
	unsigned workers_ready;	  /* and alive */
	unsigned worker_restarts; /* deaths since the start */
	bool stopping;
};

/* Answers on these sockets (LISTENER_ADMIN), which it takes.  NULL with none,
 * or when it was logged why it cannot. */
struct admin *admin_open(struct listen_sockets *sockets,
    struct metrics_map *metrics, const struct admin_state *state,
    struct log *log);
void admin_close(struct admin *a);
/* A child after fork: only the supervisor listens. */
void admin_forget(struct admin *a);

/* The text of /metrics, into `out` (see Prometheus' text format, 0.0.4). */
void admin_metrics_put(struct buf *out, struct metrics_map *metrics,
    const struct admin_state *state);

#endif
