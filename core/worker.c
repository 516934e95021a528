/* worker.c -- one core's whole world: the list of its parts, and its life.
 *
 * Wiring only: each part gets its own options; nothing below knows struct
 * config.  The life: open everything (recovery makes the queue), listen, turn
 * the loop; a handover replaces the settings; SIGTERM drains: no new clients,
 * 421 to those between messages, what is under way gets DRAIN_MS, then 421 as
 * well and the spool is closed.  What was not delivered by then lies in the
 * spool.
 */
#include "core/worker.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/certificates.h"
#include "core/control.h"
#include "core/dkim_keys.h"
#include "core/gauges.h"
#include "core/handover.h"
#include "core/outbound/outbound.h"
#include "core/settings.h"

#define DRAIN_MS 30000
#define CUT_MS 2000 /* then, for last words */
#define DRAIN_LOOK_MS 20
#define LOG_END_MS 1000
#define SETTINGS_MAX 256
#define LOG_ROOM (1024 * 1024)
#define DESCRIPTORS_RESERVED 512 /* spool, resolver, control */
#define CONNECTIONS_MAX 1000
#define SESSIONS_MAX 20000
#define MESSAGES_MAX 8000000

struct worker {
	const struct worker_setup *setup;
	struct loop *loop;
	struct log log;
	struct pool settings_pool;
	struct settings *settings;
	struct spool *own;
	struct stream_service streams;
	struct dns *dns;
	struct dkim_keys keys;
	struct scheduler *scheduler;
	struct inbound_service inbound;
	struct outbound_service outbound;
	struct control control;
	struct op signals;
	struct op news;
	int signal_fd;
	bool draining;
	bool over;
	uint64_t drain_until_ms;
	enum { DRAIN_WAIT, DRAIN_CUT, DRAIN_ABORT } drain_step;
	struct timer drain;
	struct gauges gauges;
	unsigned sessions_cut;
	unsigned deliveries_cut;
	unsigned session_max;
	unsigned connection_max;
	uint64_t seed;
};

static int complain(struct worker *w, const char *what, const char *reply)
{
	log_begin(&w->log, LOG_ERROR, "worker_failed");
	log_number(&w->log, "worker", w->setup->index);
	log_str(&w->log, "what", what);
	log_str(&w->log, "reply", reply);
	log_end(&w->log);
	log_drain(&w->log, 1000);
	return WORKER_EXIT_SPOOL;
}

/* Sessions and connections must leave descriptors for everything else. */
static void count_descriptors(struct worker *w)
{
	struct rlimit limit = {.rlim_cur = 1024};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	unsigned fds =
	    limit.rlim_cur > 1u << 20 ? 1u << 20 : (unsigned)limit.rlim_cur;
	unsigned free_fds = fds > 2 * DESCRIPTORS_RESERVED
				? fds - DESCRIPTORS_RESERVED
				: fds / 2;
	unsigned asked = w->settings->config->connection_limit;

	w->connection_max = free_fds / 4;
	if (w->connection_max > CONNECTIONS_MAX)
		w->connection_max = CONNECTIONS_MAX;
	w->session_max = free_fds - w->connection_max;
	if (asked > 0 && asked < w->session_max)
		w->session_max = asked;
	else if (asked == 0 && w->session_max > SESSIONS_MAX)
		w->session_max = SESSIONS_MAX;
}

static uint64_t quota_of(const struct worker *w)
{
	uint64_t quota = w->settings->config->spool_quota;
	struct statvfs fs;

	if (quota == 0 && statvfs(w->setup->spool, &fs) == 0)
		quota = (uint64_t)fs.f_blocks * fs.f_frsize / 10 * 9;
	return quota / w->setup->worker_count;
}

#define MEMORY_SMALL (1ull << 30)

/* 64M; 16M where the memory limit is under 1G (configuration.md). */
static size_t segment_len_of(const struct worker *w)
{
	size_t len = w->settings->config->spool_segment;
	unsigned long long limit = 0;
	FILE *f;

	if (len > 0)
		return len;
	f = fopen("/sys/fs/cgroup/memory.max", "re");
	if (f != NULL) {
		if (fscanf(f, "%llu", &limit) != 1)
			limit = 0; /* "max" */
		fclose(f);
	}
	return limit > 0 && limit < MEMORY_SMALL ? 16u << 20 : 64u << 20;
}

static int open_spool(struct worker *w, unsigned shard)
{
	char dir[32];
	struct spool_options options = {
	    .dir = dir,
	    .shard = shard,
	    .segment_len = segment_len_of(w),
	    .quota_len = quota_of(w),
	    .message_count_max = MESSAGES_MAX,
	    .ready = outbound_service_ready,
	    .arg = &w->outbound,
	};

	snprintf(dir, sizeof(dir), "%s/%u", w->setup->spool, shard);
	return spool_open(
	    &w->outbound.spools[shard], &options, w->loop, &w->log);
}

/* Shards that an earlier run with more workers left behind. */
static int adopt_spools(struct worker *w)
{
	DIR *dir = opendir(w->setup->spool);
	struct dirent *e;
	int err = 0;

	if (dir == NULL)
		return -errno;
	while (err == 0 && (e = readdir(dir)) != NULL) {
		uint64_t shard;

		if (!slice_number(slice_of_str(e->d_name), &shard) ||
		    shard >= OUTBOUND_SPOOLS_MAX ||
		    shard < w->setup->worker_count ||
		    shard % w->setup->worker_count != w->setup->index)
			continue;
		err = open_spool(w, (unsigned)shard);
	}
	closedir(dir);
	return err;
}

static int open_resolver(struct worker *w, const struct config *c)
{
	struct dns_options options = {
	    .servers = (const char *const *)c->dns.servers.at,
	    .server_count = (unsigned)c->dns.servers.count,
	    .dnssec = c->dns.dnssec,
	    .trust_anchor_file = c->dns.trust_anchor_file,
	};

	return dns_open(&w->dns, &options, w->loop, &w->log);
}

static int open_queue(struct worker *w)
{
	const struct config *c = w->settings->config;
	struct scheduler_options scheduling;
	int err = open_resolver(w, c);

	if (err < 0)
		return complain(w, "resolver", strerror(-err));
	settings_scheduler(c, w->setup->ledger, w->setup->index,
	    w->connection_max, w->seed, &scheduling);
	if ((err = scheduler_open(&w->scheduler, &scheduling)) < 0)
		return complain(w, "scheduler", strerror(-err));
	struct outbound_service_options out = {
	    .loop = w->loop,
	    .log = &w->log,
	    .dns = w->dns,
	    .metrics = w->setup->metrics,
	    .streams = &w->streams,
	    .scheduler = w->scheduler,
	    .connection_count_max = w->connection_max,
	    .seed = w->seed,
	};

	if ((err = dkim_keys_load(&w->keys, c, &w->log)) < 0)
		return complain(w, "keys", strerror(-err));
	w->settings->outbound.dkim = w->keys.next;
	dkim_keys_switch(&w->keys);
	err = outbound_service_open(&w->outbound, &out, &w->settings->outbound);
	if (err < 0)
		return complain(w, "deliveries", strerror(-err));
	return 0;
}

static int open_spools(struct worker *w)
{
	int err = open_spool(w, w->setup->index);

	if (err == 0)
		err = adopt_spools(w);
	if (err == -EWOULDBLOCK) {
		complain(w, "spool", "another relay is using this spool");
		return WORKER_EXIT_LOCKED;
	}
	if (err < 0)
		return complain(w, "spool", strerror(-err));
	w->own = w->outbound.spools[w->setup->index];
	return 0;
}

static int open_doors(struct worker *w)
{
	const struct listen_sockets *sockets = w->setup->sockets;
	struct inbound_service_options in = {
	    .loop = w->loop,
	    .log = &w->log,
	    .metrics = w->setup->metrics,
	    .spool = w->own,
	    .streams = &w->streams,
	    .session_count_max = w->session_max,
	    .seed = w->seed,
	};
	int err = inbound_service_open(&w->inbound, &in, &w->settings->inbound);

	if (err < 0)
		return complain(w, "sessions", strerror(-err));
	for (unsigned i = 0; i < sockets->count; i++)
		inbound_service_listen(
		    &w->inbound, sockets->fd[i], sockets->kind[i]);
	err = control_open(&w->control, &w->outbound, w->setup->index);
	if (err < 0)
		return complain(w, "control socket", strerror(-err));
	return 0;
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_resolver(const struct config *a, const struct config *b)
{
	if (a->dns.dnssec != b->dns.dnssec ||
	    a->dns.servers.count != b->dns.servers.count ||
	    !same(a->dns.trust_anchor_file, b->dns.trust_anchor_file))
		return false;
	for (size_t i = 0; i < a->dns.servers.count; i++)
		if (!same(a->dns.servers.at[i], b->dns.servers.at[i]))
			return false;
	return true;
}

/* A new resolver, when the configuration asks for another one; what the old one
 * was asked for is tried again later. */
static void reload_resolver(
    struct worker *w, const struct config *old, const struct config *fresh)
{
	struct dns *dns = w->dns;

	if (same_resolver(old, fresh))
		return;
	int err = open_resolver(w, fresh);

	if (err < 0) {
		w->dns = dns;
		log_begin(&w->log, LOG_ERROR, "resolver_kept");
		log_str(&w->log, "reply", strerror(-err));
		log_end(&w->log);
		return;
	}
	w->outbound.route.dns = w->dns;
	dns_close(dns);
}

/* The same files as the supervisor read: they load here as they did there. */
static struct config *load_bundle(struct worker *w, int bundle)
{
	struct config_arguments arguments = *w->setup->arguments;
	struct config *c = NULL;

	arguments.bundle = handover_map(bundle);
	if (arguments.bundle.at != NULL) {
		c = config_load(&arguments, stderr);
		handover_unmap(arguments.bundle);
	}
	close(bundle);
	return c;
}

static void reload(struct worker *w, int bundle)
{
	struct config *fresh = load_bundle(w, bundle);
	struct settings *settings = NULL;
	char why[CERTIFICATES_WHY_MAX] =
	    "what the supervisor sent cannot be loaded";
	struct scheduler_options scheduling;

	if (fresh != NULL && dkim_keys_load(&w->keys, fresh, &w->log) == 0)
		settings = settings_take(&w->settings_pool, fresh,
		    w->setup->common, why, sizeof(why));
	if (settings == NULL) {
		dkim_keys_drop(&w->keys);
		log_begin(&w->log, LOG_ERROR, "reload_refused");
		log_number(&w->log, "worker", w->setup->index);
		log_str(&w->log, "reply", why);
		log_end(&w->log);
		config_free(fresh);
		return;
	}
	struct settings *old = w->settings;

	settings_scheduler(fresh, w->setup->ledger, w->setup->index,
	    w->connection_max, w->seed, &scheduling);
	scheduler_reconfigure(w->scheduler, &scheduling);
	settings->outbound.dkim = w->keys.next;
	outbound_service_configure(&w->outbound, &settings->outbound);
	dkim_keys_switch(&w->keys);
	reload_resolver(w, old->config, fresh);
	w->settings = settings;
	w->log.level = fresh->verbose ? LOG_DEBUG : fresh->log.level;
	w->log.format = fresh->log.format;
	old->in_use = false;
	inbound_service_configure(&w->inbound, &settings->inbound);
	metric_inc(w->setup->metrics, METRIC_RELOADS);
	log_begin(&w->log, LOG_INFO, "reloaded");
	log_number(&w->log, "worker", w->setup->index);
	log_end(&w->log);
}

/* Nobody may be left who uses the spool when it is closed. */
static void time_is_up(struct worker *w)
{
	w->drain_until_ms = loop_now_ms(w->loop) + CUT_MS;
	switch (w->drain_step) {
	case DRAIN_WAIT:
		w->sessions_cut = w->inbound.session_count;
		w->deliveries_cut = w->outbound.attempt_count;
		w->drain_step = DRAIN_CUT;
		inbound_service_cut(&w->inbound);
		LIST_EACH_SAFE (node, &w->outbound.connections)
			outbound_timer(
			    &container_of(node, struct outbound, link)->timer);
		return;
	case DRAIN_CUT:
		w->drain_step = DRAIN_ABORT;
		inbound_service_abort(&w->inbound);
		return;
	case DRAIN_ABORT: w->over = true; return;
	}
}

static void on_drain_look(struct timer *t)
{
	struct worker *w = container_of(t, struct worker, drain);
	uint64_t now_ms = loop_now_ms(w->loop);

	if (w->inbound.session_count == 0 &&
	    w->outbound.connection_count == 0 && w->outbound.attempt_count == 0)
		w->over = true;
	else if (now_ms >= w->drain_until_ms)
		time_is_up(w);
	if (!w->over)
		timer_arm(loop_timers(w->loop), t, DRAIN_LOOK_MS);
}

static void drain(struct worker *w)
{
	if (w->draining)
		return;
	w->draining = true;
	w->drain_until_ms = loop_now_ms(w->loop) + DRAIN_MS;
	inbound_service_drain(&w->inbound);
	outbound_service_drain(&w->outbound);
	timer_arm(loop_timers(w->loop), &w->drain, DRAIN_LOOK_MS);
}

static void on_signal(struct op *op, int result)
{
	struct worker *w = container_of(op, struct worker, signals);
	struct signalfd_siginfo info;

	(void)result;
	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info))
		drain(w);
	loop_poll(w->loop, &w->signals, w->signal_fd, POLLIN, on_signal);
}

static void on_news(struct op *op, int result)
{
	struct worker *w = container_of(op, struct worker, news);
	int bundle = handover_receive(w->setup->news_fd);

	(void)result;
	if (bundle >= 0)
		reload(w, bundle);
	if (bundle == -EPIPE)
		return; /* nobody is left who could send anything */
	loop_poll(w->loop, &w->news, w->setup->news_fd, POLLIN, on_news);
}

static int open_signals(struct worker *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signal_fd < 0)
		return complain(w, "signals", strerror(errno));
	loop_poll(w->loop, &w->signals, w->signal_fd, POLLIN, on_signal);
	loop_poll(w->loop, &w->news, w->setup->news_fd, POLLIN, on_news);
	timer_init(&w->drain, on_drain_look);
	return 0;
}

static int open_base(struct worker *w)
{
	struct config *c = w->setup->config;
	struct loop_options options = {.backend = settings_loop(c)};
	const char *why = "";
	char text[CERTIFICATES_WHY_MAX];
	enum log_level level = c->verbose ? LOG_DEBUG : c->log.level;

	int err = loop_open(&w->loop, &options, &why);

	if (err < 0) {
		fprintf(stderr, "smarthost: %s\n", why);
		/* Locked memory may come back; the rest is for good. */
		return err == -ENOMEM ? WORKER_EXIT_MEMORY
				      : WORKER_EXIT_NO_LOOP;
	}
	if (log_open(&w->log, STDOUT_FILENO, w->loop, LOG_ROOM, level,
		c->log.format) < 0 ||
	    pool_init(&w->settings_pool, "settings", sizeof(struct settings),
		SETTINGS_MAX) < 0)
		return WORKER_EXIT_SPOOL;
	w->settings = settings_take(
	    &w->settings_pool, c, w->setup->common, text, sizeof(text));
	if (w->settings == NULL)
		return complain(w, "settings", text);
	if (getrandom(&w->seed, sizeof(w->seed), 0) != sizeof(w->seed))
		w->seed = loop_now_ms(w->loop);
	count_descriptors(w);
	err = stream_service_open(
	    &w->streams, w->loop, w->session_max + w->connection_max);
	if (err < 0)
		return complain(w, "streams", strerror(-err));
	return 0;
}

static int open_all(struct worker *w)
{
	int status;

	if ((status = open_base(w)) != 0 || (status = open_queue(w)) != 0 ||
	    (status = open_spools(w)) != 0 || (status = open_doors(w)) != 0)
		return status;
	return open_signals(w);
}

static void close_all(struct worker *w)
{
	control_close(&w->control);
	gauges_end(&w->gauges);
	for (unsigned i = 0; i < OUTBOUND_SPOOLS_MAX; i++)
		if (w->outbound.spools[i] != NULL) {
			spool_close(w->outbound.spools[i]);
			w->outbound.spools[i] = NULL;
		}
	log_begin(&w->log, LOG_INFO, "worker_stopped");
	log_number(&w->log, "worker", w->setup->index);
	log_number(&w->log, "sessions_cut", w->sessions_cut);
	log_number(&w->log, "deliveries_cut", w->deliveries_cut);
	log_end(&w->log);
	/* What is being written must not be cut in the middle; but a reader
	 * that has stopped does not keep us. */
	timer_arm(loop_timers(w->loop), &w->drain, LOG_END_MS);
	while (w->log.write_busy_count > 0 && timer_armed(&w->drain))
		loop_turn(w->loop);
	log_drain(&w->log, LOG_END_MS);
}

static void say_ready(struct worker *w)
{
	struct spool_facts facts = spool_facts(w->own);
	struct scheduler_counts counts = scheduler_count(w->scheduler);
	uint8_t index = (uint8_t)w->setup->index;

	log_begin(&w->log, LOG_INFO, "worker_ready");
	log_number(&w->log, "worker", w->setup->index);
	log_number(&w->log, "queued", (int64_t)counts.entry_count);
	log_number(&w->log, "sessions_max", w->session_max);
	log_str(&w->log, "spool", facts.direct ? "direct" : "buffered");
	log_str(&w->log, "loop", loop_name(w->loop));
	log_end(&w->log);
	log_flush(&w->log);
	(void)!write(w->setup->ready_fd, &index, sizeof(index));
	close(w->setup->ready_fd);
}

int worker_run(const struct worker_setup *setup)
{
	struct worker *w = &(struct worker){.setup = setup};
	int status = open_all(w);

	if (status != 0) {
		log_drain(&w->log, 1000);
		return status;
	}
	say_ready(w);
	w->gauges = (struct gauges){
	    .metrics = setup->metrics,
	    .loop = w->loop,
	    .inbound = &w->inbound,
	    .outbound = &w->outbound,
	    .own = w->own,
	};
	gauges_begin(&w->gauges);
	while (!w->over) {
		loop_turn(w->loop);
		gauges_turned(&w->gauges);
		log_flush(&w->log);
	}
	close_all(w);
	return 0;
}
