/* supervisor.c -- the parent: listeners, privileges, workers and their lives.
 *
 * It opens what needs privileges, gives them up, forks a worker for each CPU,
 * and then only waits for signals: a worker that dies is forked again (at once,
 * then with a growing delay when it keeps dying), SIGHUP or a change of its
 * files makes it read the configuration and hand that to the workers, SIGTERM
 * and SIGINT pass on SIGTERM and wait for everybody.  The listening sockets
 * stay open here, so that clients of a dead worker wait in its backlog for its
 * successor.
 *
 * No mail goes through it, so blocking calls do no harm here. */
#include "core/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/admin.h"
#include "core/advice.h"
#include "core/base/loop.h"
#include "core/config_check.h"
#include "core/cpus.h"
#include "core/credentials.h"
#include "core/handover.h"
#include "core/listen.h"
#include "core/notify.h"
#include "core/outbound/ledger.h"
#include "core/privileges.h"
#include "core/watch.h"
#include "core/settings.h"
#include "core/spool_place.h"
#include "core/surroundings.h"
#include "core/worker.h"
#include "spool/spool.h"

#define WORKERS_MAX 256
#define BACKOFF_MAX_S 30
#define STOP_MAX_S 40 /* a worker gives its sessions 30 */
#define LIVED_LONG_S 60
#define LOCK_WAIT_MS 3000

struct child {
	pid_t pid; /* 0 = not running */
	uint64_t started_s;
	uint64_t restart_s; /* when pid is 0 */
	unsigned backoff_s;
	bool ready; /* it has said that it takes mail */
	int news;   /* our end of what a reload goes through; -1: none */
	bool late;  /* it has to be told of the last reload again */
	struct listen_sockets sockets;
};

struct supervisor {
	pid_t pid;
	struct config *config;
	const struct config_arguments *arguments;
	struct log log;
	struct ledger *ledger;
	struct credentials credentials;
	unsigned worker_count;
	int ready_pipe[2];
	int bundle; /* what the last reload read; -1: there was none */
	struct watch watch;
	char refused[8192]; /* what was wrong at the last reload */
	bool stopping;
	bool ready_said;
	int status;
	struct child children[WORKERS_MAX];
	struct metrics_map *metrics;
	struct listen_sockets admin_sockets;
	struct admin *admin;
	struct admin_state state; /* what the admin's thread says of us */
};

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

/* Whether a worker will be able to work here at all; once for all of them, how.
 */
static bool probe_loop(struct supervisor *s)
{
	struct loop_options options = {.backend = settings_loop(s->config)};
	struct loop *loop;
	const char *why = "";
	int err = loop_open(&loop, &options, &why);

	if (err == 0) {
		if (why[0] != '\0') {
			log_begin(&s->log, LOG_WARN, "slower");
			log_str(&s->log, "loop", loop_name(loop));
			log_str(&s->log, "what", why);
			log_end(&s->log);
		}
		loop_close_down(loop);
		return true;
	}
	log_begin(&s->log, LOG_ERROR, "start_failed");
	log_str(&s->log, "what", why);
	log_str(&s->log, "reply", strerror(-err));
	log_end(&s->log);
	return false;
}

static bool open_sockets(struct supervisor *s)
{
	for (unsigned i = 0; i < s->worker_count; i++)
		if (!listen_open(
			&s->children[i].sockets, s->config, i == 0, &s->log))
			return false;
	return listen_open_admin(&s->admin_sockets, s->config, &s->log);
}

/* Everything of the other workers'. */
static void close_others(struct supervisor *s, unsigned index)
{
	for (unsigned i = 0; i < s->worker_count; i++) {
		if (i != index)
			listen_close(&s->children[i].sockets);
		if (s->children[i].news >= 0)
			close(s->children[i].news);
	}
	if (s->bundle >= 0)
		close(s->bundle);
	if (s->watch.fd >= 0)
		close(s->watch.fd);
	close(s->ready_pipe[0]);
	admin_forget(s->admin);
}

static void child_main(struct supervisor *s, unsigned index, int news)
{
	struct worker_setup setup = {
	    .index = index,
	    .worker_count = s->worker_count,
	    .config = s->config,
	    .arguments = s->arguments,
	    .sockets = &s->children[index].sockets,
	    .ledger = s->ledger,
	    .metrics = metrics_of(s->metrics, index),
	    .common = &s->credentials.common,
	    .ready_fd = s->ready_pipe[1],
	    .news_fd = news,
	    .spool = ".",
	};

	close_others(s, index);
	privileges_end();
	/* A supervisor that is killed takes its workers with it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != s->pid)
		_exit(0);
	_exit(worker_run(&setup));
}

static void start(struct supervisor *s, unsigned index)
{
	struct child *c = &s->children[index];
	int news;
	pid_t pid = -1;

	c->started_s = now_s();
	c->restart_s = c->started_s + 1;
	if (handover_open(&c->news, &news) < 0)
		return;
	pid = fork();
	if (pid == 0)
		child_main(s, index, news);
	close(news);
	if (pid < 0) {
		close(c->news);
		c->news = -1;
		return;
	}
	c->pid = pid;
	c->late = false; /* it was born with the newest */
	log_begin(&s->log, LOG_INFO, "worker_started");
	log_number(&s->log, "worker", index);
	log_number(&s->log, "pid", pid);
	log_end(&s->log);
}

/* A worker that could not even begin is not started again: what is wrong will
 * not mend by itself. */
static bool is_fatal(const struct supervisor *s, int status)
{
	return !s->ready_said && WIFEXITED(status) &&
	       (WEXITSTATUS(status) == WORKER_EXIT_NO_LOOP ||
		   WEXITSTATUS(status) == WORKER_EXIT_SPOOL ||
		   WEXITSTATUS(status) == WORKER_EXIT_LOCKED);
}

/* The admin's thread reads it at any time. */
static void tell_admin(struct supervisor *s)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < s->worker_count; i++)
		ready += s->children[i].ready;
	__atomic_store_n(
	    &s->state.workers_wanted, s->worker_count, __ATOMIC_RELAXED);
	__atomic_store_n(&s->state.workers_ready, ready, __ATOMIC_RELAXED);
	__atomic_store_n(&s->state.stopping, s->stopping, __ATOMIC_RELAXED);
}

static void stop(struct supervisor *s)
{
	if (!s->stopping) {
		notify_stopping();
		log_begin(&s->log, LOG_INFO, "stopping");
		log_end(&s->log);
	}
	s->stopping = true;
	tell_admin(s);
	for (unsigned i = 0; i < s->worker_count; i++) {
		/* The workers close theirs: nobody is to wait in a backlog. */
		listen_close(&s->children[i].sockets);
		if (s->children[i].pid > 0)
			kill(s->children[i].pid, SIGTERM);
	}
}

static void died(struct supervisor *s, unsigned index, int status)
{
	struct child *c = &s->children[index];
	uint64_t now = now_s();

	pid_t pid = c->pid;

	c->pid = 0;
	c->ready = false;
	close(c->news);
	c->news = -1;
	ledger_clear_column(s->ledger, index);
	tell_admin(s);
	if (s->stopping && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	__atomic_fetch_add(&s->state.worker_restarts, 1, __ATOMIC_RELAXED);
	if (now - c->started_s >= LIVED_LONG_S)
		c->backoff_s = 0;
	c->restart_s = now + c->backoff_s;
	log_begin(&s->log, LOG_ERROR, "worker_died");
	log_number(&s->log, "worker", index);
	log_number(&s->log, "pid", pid);
	if (WIFSIGNALED(status))
		log_number(&s->log, "signal", WTERMSIG(status));
	else
		log_number(&s->log, "status", WEXITSTATUS(status));
	log_number(&s->log, "restart_in_s", c->backoff_s);
	log_end(&s->log);
	c->backoff_s = c->backoff_s == 0 ? 1 : c->backoff_s * 2;
	if (c->backoff_s > BACKOFF_MAX_S)
		c->backoff_s = BACKOFF_MAX_S;
	if (is_fatal(s, status)) {
		s->status = WEXITSTATUS(status);
		stop(s);
	}
}

/* Whether all workers have said that they take mail. */
static void count_ready(struct supervisor *s)
{
	uint8_t indexes[WORKERS_MAX];
	ssize_t len = read(s->ready_pipe[0], indexes, sizeof(indexes));
	unsigned count = 0;

	for (ssize_t i = 0; i < len; i++)
		s->children[indexes[i]].ready = true;
	for (unsigned i = 0; i < s->worker_count; i++)
		count += s->children[i].ready;
	if (len > 0)
		tell_admin(s);
	if (s->ready_said || s->stopping || count < s->worker_count)
		return;
	s->ready_said = true;
	notify_ready(count);
	log_begin(&s->log, LOG_INFO, "ready");
	log_number(&s->log, "workers", s->worker_count);
	log_str(&s->log, "hostname", s->config->hostname);
	log_end(&s->log);
}

static void reap(struct supervisor *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (unsigned i = 0; i < s->worker_count; i++)
			if (s->children[i].pid == pid) {
				count_ready(s); /* what it said while alive */
				died(s, i, status);
			}
}

static unsigned running(const struct supervisor *s)
{
	unsigned count = 0;

	for (unsigned i = 0; i < s->worker_count; i++)
		count += s->children[i].pid > 0;
	return count;
}

/* Who has no room for it just now is told in the next turn. */
static void tell_workers(struct supervisor *s)
{
	for (unsigned i = 0; i < s->worker_count; i++) {
		struct child *c = &s->children[i];

		if (c->late && c->news >= 0)
			c->late = handover_send(c->news, s->bundle) == -EAGAIN;
	}
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The same once only, however often somebody looks. */
static void reload_refused(struct supervisor *s, const char *why, bool asked)
{
	if (!asked && strcmp(s->refused, why) == 0)
		return;
	snprintf(s->refused, sizeof(s->refused), "%s", why);
	log_begin(&s->log, LOG_ERROR, "reload_refused");
	log_str(&s->log, "reply", why);
	log_end(&s->log);
}

/* `asked`: by a signal; else because files may have changed. */
static void reload(struct supervisor *s, bool asked)
{
	char complaints[8192] = "";
	FILE *out = fmemopen(complaints, sizeof(complaints) - 1, "w");
	struct config *fresh = config_load_checked(
	    s->arguments, s->config, out != NULL ? out : stderr);

	if (out != NULL)
		fclose(out);
	if (fresh == NULL) {
		reload_refused(s, complaints, asked);
		return;
	}
	if (!asked &&
	    slice_eq(config_bundle(fresh), config_bundle(s->config))) {
		s->refused[0] = '\0';
		config_free(fresh);
		return;
	}
	if (!credentials_try(&s->credentials, fresh, &s->log, complaints,
		sizeof(complaints))) {
		reload_refused(s, complaints, asked);
		config_free(fresh);
		return;
	}
	int bundle = handover_make(config_bundle(fresh));
	if (bundle < 0) {
		reload_refused(s, strerror(-bundle), asked);
		config_free(fresh);
		return;
	}
	log_begin(&s->log, LOG_INFO, "reload");
	log_end(&s->log);
	config_free(s->config);
	s->config = fresh;
	if (s->bundle >= 0)
		close(s->bundle);
	s->bundle = bundle;
	s->refused[0] = '\0';
	watch_config(&s->watch, fresh, now_ms());
	s->log.level = fresh->verbose ? LOG_DEBUG : fresh->log.level;
	s->log.format = fresh->log.format;
	for (unsigned i = 0; i < s->worker_count; i++)
		s->children[i].late = s->children[i].pid > 0;
	tell_workers(s);
}

static void restart_due(struct supervisor *s)
{
	for (unsigned i = 0; i < s->worker_count; i++)
		if (s->children[i].pid == 0 &&
		    s->children[i].restart_s <= now_s())
			start(s, i);
}

static void kill_all(struct supervisor *s)
{
	for (unsigned i = 0; i < s->worker_count; i++)
		if (s->children[i].pid > 0)
			kill(s->children[i].pid, SIGKILL);
}

static void watch(struct supervisor *s, const sigset_t *signals)
{
	uint64_t stop_s = 0;

	for (;;) {
		struct timespec wait = {.tv_nsec = 100000000};

		if (s->ready_said && !s->stopping)
			wait = (struct timespec){.tv_sec = 1};
		int signal = sigtimedwait(signals, NULL, &wait);

		if (signal == SIGTERM || signal == SIGINT)
			stop(s);
		else if (signal == SIGHUP && !s->stopping) {
			notify_reloading();
			reload(s, true);
			notify_ready(running(s));
		}
		reap(s);
		count_ready(s);
		tell_workers(s);
		if (!s->stopping && watch_due(&s->watch, now_ms()))
			reload(s, false);
		if (s->stopping && running(s) == 0)
			return;
		if (s->stopping && stop_s == 0)
			stop_s = now_s() + STOP_MAX_S;
		if (s->stopping && now_s() >= stop_s)
			kill_all(s);
		if (!s->stopping) {
			restart_due(s);
			credentials_look(&s->credentials, &s->log);
		}
	}
}

static bool spool_is_free(void)
{
	char dir[16];

	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		snprintf(dir, sizeof(dir), "./%u", i);
		if (spool_in_use(dir))
			return false;
	}
	return true;
}

/* The files of a relay that was killed stay open until the kernel has put away
 * its rings, a moment after it is gone: who starts it again need not know. */
static bool wait_for_spool(struct supervisor *s)
{
	const struct timespec step = {.tv_nsec = 20000000};

	for (unsigned ms = 0; ms < LOCK_WAIT_MS; ms += 20) {
		if (spool_is_free())
			return true;
		nanosleep(&step, NULL);
	}
	log_begin(&s->log, LOG_ERROR, "start_failed");
	log_str(&s->log, "what", spool_place(s->config->spool));
	log_str(&s->log, "reply", "another relay is using this spool");
	log_end(&s->log);
	return false;
}

/* Enters the spool, and says it when it is not where the configuration says. */
static bool enter_spool(struct supervisor *s)
{
	const char *place = spool_place(s->config->spool);

	if (strcmp(place, s->config->spool) != 0) {
		log_begin(&s->log, LOG_INFO, "spool_in_old_volume");
		log_str(&s->log, "path", place);
		log_str(
		    &s->log, "what", "a volume is mounted on " SPOOL_OF_OLD);
		log_end(&s->log);
	}
	return privileges_drop(place, &s->log);
}

static int prepare(struct supervisor *s)
{
	int status;

	surroundings_open();
	privileges_begin();
	surroundings_raise_limits(s->worker_count);
	if (!probe_loop(s))
		return WORKER_EXIT_NO_LOOP;
	if (!open_sockets(s))
		return 71; /* EX_OSERR */
	if (!enter_spool(s))
		return 73; /* EX_CANTCREAT */
	if (!wait_for_spool(s))
		return WORKER_EXIT_LOCKED;
	advice_log(s->config, s->worker_count, ".", &s->log);
	s->metrics = metrics_open(s->worker_count);
	if (s->metrics == NULL ||
	    ledger_open(&s->ledger, s->worker_count) < 0 ||
	    pipe2(s->ready_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return 71;
	if ((status = credentials_open(&s->credentials, s->config, &s->log)) !=
	    0)
		return status;
	tell_admin(s);
	s->admin =
	    admin_open(&s->admin_sockets, s->metrics, &s->state, &s->log);
	return 0;
}

static void supervise(struct supervisor *s)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->status = prepare(s);
	if (s->status == 0) {
		for (unsigned i = 0; i < s->worker_count; i++)
			start(s, i);
		watch_config(&s->watch, s->config, now_ms());
		watch(s, &signals);
		log_begin(&s->log, LOG_INFO, "stopped");
		log_end(&s->log);
	}
	admin_close(s->admin);
	for (unsigned i = 0; i < s->worker_count; i++)
		listen_close(&s->children[i].sockets);
}

int supervisor_run(
    struct config *config, const struct config_arguments *arguments)
{
	struct supervisor s = {
	    .pid = getpid(),
	    .config = config,
	    .arguments = arguments,
	    .bundle = -1,
	    .watch.fd = -1,
	    .worker_count =
		config->workers > 0 ? config->workers : cpus_usable(),
	};

	if (s.worker_count > WORKERS_MAX)
		s.worker_count = WORKERS_MAX;
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		s.children[i].news = -1;
	enum log_level level = config->verbose ? LOG_DEBUG : config->log.level;

	if (log_open(&s.log, STDOUT_FILENO, NULL, 65536, level,
		config->log.format) < 0)
		return 71;
	supervise(&s);
	credentials_close(&s.credentials);
	log_close(&s.log);
	config_free(s.config);
	return s.status;
}
