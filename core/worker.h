/* worker.h -- one core's whole world: a process with its loop, its shard of the
 * spool, its sessions and its deliveries. */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include <stdint.h>

#include "core/base/metrics.h"
#include "core/config/config.h"
#include "core/listen.h"
#include "core/outbound/ledger.h"
#include "core/settings.h"

struct worker_setup {
	unsigned index; /* of worker_count; also the shard */
	unsigned worker_count;
	struct config *config;
	const struct config_arguments *arguments; /* for reloads */
	const struct listen_sockets *sockets;	  /* this worker's */
	struct ledger *ledger;
	struct metrics *metrics; /* this worker's page */
	const struct settings_common *common;
	int ready_fd;	   /* `index`, a byte, goes to it when mail is taken */
	int news_fd;	   /* reloads come through it (handover.h) */
	const char *spool; /* the spool directory, as this process sees it */
};

/* The child's life; returns its exit status.  SIGTERM drains it; what comes
 * through news_fd is its new configuration. */
int worker_run(const struct worker_setup *setup);

/* Exit statuses besides 0 that the supervisor understands. */
#define WORKER_EXIT_NO_LOOP 69 /* EX_UNAVAILABLE */
#define WORKER_EXIT_MEMORY 71  /* EX_OSERR: worth another try */
#define WORKER_EXIT_SPOOL 74   /* EX_IOERR */
#define WORKER_EXIT_LOCKED 75  /* EX_TEMPFAIL: another relay has the spool */

#endif
