/* admin.c -- HTTP for machines that watch: /metrics, /healthz, /readyz.
 *
 * /healthz is good while the supervisor lives: it brings workers back by
 * itself, and a restart of everything would only cost the sessions of the
 * others.  /readyz is good when all workers take mail and nobody has asked us
 * to stop. */
#include "core/admin.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/http.h"

#define CLIENTS_MAX 64
#define CLIENT_TIMEOUT_S 10
#define LINE_MAX_LEN 512

struct admin {
	struct metrics_map *metrics;
	const struct admin_state *state;
	struct http http;
	unsigned count;
	struct MHD_Daemon *daemons[LISTEN_SOCKETS_MAX];
	int fds[LISTEN_SOCKETS_MAX]; /* they listen on */
};

static unsigned load(const unsigned *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static bool is_stopping(const struct admin_state *s)
{
	return __atomic_load_n(&s->stopping, __ATOMIC_RELAXED);
}

static void put_head(struct buf *out, const struct metric_info *info)
{
	size_t len = strlen(info->name);
	const char *type = info->type == METRIC_GAUGE ? "gauge" : "counter";

	/* The parts of a histogram have one head, its first's. */
	if (len > 7 && strcmp(info->name + len - 7, "_bucket") == 0) {
		len -= 7;
		type = "histogram";
	} else if (strstr(info->name, "_delay_seconds_") != NULL) {
		return;
	}
	buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len,
	    info->name, info->help, (int)len, info->name, type);
}

static void put_value(struct buf *out, const struct metric_info *info,
    unsigned worker, uint64_t value)
{
	buf_printf(out, "%s{%s%sworker=\"%u\"} %" PRIu64 "\n", info->name,
	    info->labels, info->labels[0] != '\0' ? "," : "", worker, value);
}

static void put_own(struct buf *out, const char *name, const char *type,
    const char *help, unsigned value)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %u\n", name, help, name,
	    type, name, value);
}

void admin_metrics_put(struct buf *out, struct metrics_map *metrics,
    const struct admin_state *state)
{
	const char *last = "";

	put_own(out, "smarthost_workers_ready", "gauge",
	    "Workers that take mail", load(&state->workers_ready));
	put_own(out, "smarthost_workers", "gauge",
	    "Workers that there should be", load(&state->workers_wanted));
	put_own(out, "smarthost_worker_restarts_total", "counter",
	    "Workers that died", load(&state->worker_restarts));
	for (enum metric m = 0; m < METRIC_COUNT; m++) {
		const struct metric_info *info = metric_info(m);

		if (strcmp(info->name, last) != 0)
			put_head(out, info);
		last = info->name;
		for (unsigned w = 0; w < metrics_worker_count(metrics); w++) {
			uint64_t value = metric_get(metrics_of(metrics, w), m);

			/* Without a certificate there is no such time. */
			if (m != METRIC_TLS_EXPIRES || value > 0)
				put_value(out, info, w, value);
		}
	}
}

static enum MHD_Result answer(const struct admin *a,
    struct MHD_Connection *connection, unsigned status, const char *type,
    struct slice text)
{
	struct MHD_Response *r = a->http.create_response(
	    text.len, (void *)(uintptr_t)text.at, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result done;

	if (r == NULL)
		return MHD_NO;
	a->http.add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	done = a->http.queue_response(connection, status, r);
	a->http.destroy_response(r);
	return done;
}

static enum MHD_Result answer_metrics(
    const struct admin *a, struct MHD_Connection *connection)
{
	size_t room = LINE_MAX_LEN * (METRIC_COUNT + 8) *
		      (metrics_worker_count(a->metrics) + 1);
	uint8_t *memory = mmap(NULL, room, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	enum MHD_Result done;

	if (memory == MAP_FAILED)
		return MHD_NO;
	struct buf out = buf_over(memory, room);

	admin_metrics_put(&out, a->metrics, a->state);
	done = answer(a, connection, MHD_HTTP_OK,
	    "text/plain; version=0.0.4; charset=utf-8", buf_slice(&out));
	munmap(memory, room);
	return done;
}

static enum MHD_Result answer_ready(
    const struct admin *a, struct MHD_Connection *connection)
{
	uint8_t room[128];
	struct buf out = buf_over(room, sizeof(room));
	unsigned ready = load(&a->state->workers_ready);
	unsigned wanted = load(&a->state->workers_wanted);
	bool stopping = is_stopping(a->state);

	buf_printf(&out, "%s: %u of %u workers take mail\n",
	    stopping	     ? "stopping"
	    : ready < wanted ? "not ready"
			     : "ready",
	    ready, wanted);
	return answer(a, connection,
	    stopping || ready < wanted ? MHD_HTTP_SERVICE_UNAVAILABLE
				       : MHD_HTTP_OK,
	    "text/plain", buf_slice(&out));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version, const char *body,
    size_t *body_len, void **request)
{
	const struct admin *a = arg;

	(void)version;
	(void)body;
	(void)body_len;
	(void)request;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer(a, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		    "text/plain", SLICE("only GET\n"));
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(a, connection);
	if (strcmp(url, "/readyz") == 0)
		return answer_ready(a, connection);
	if (strcmp(url, "/healthz") == 0)
		return answer(
		    a, connection, MHD_HTTP_OK, "text/plain", SLICE("alive\n"));
	return answer(a, connection, MHD_HTTP_NOT_FOUND, "text/plain",
	    SLICE("there are /metrics, /healthz and /readyz\n"));
}

static bool begin(struct admin *a, int fd)
{
	struct MHD_Daemon *d = a->http.start_daemon(
	    MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL,
	    on_request, a, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, CLIENT_TIMEOUT_S, MHD_OPTION_END);

	if (d == NULL)
		return false;
	a->fds[a->count] = fd;
	a->daemons[a->count++] = d;
	return true;
}

struct admin *admin_open(struct listen_sockets *sockets,
    struct metrics_map *metrics, const struct admin_state *state,
    struct log *log)
{
	struct admin *a;
	const char *why;

	if (sockets->count == 0)
		return NULL;
	a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (a == MAP_FAILED)
		return NULL;
	a->metrics = metrics;
	a->state = state;
	why = http_load(&a->http);
	if (why != NULL) {
		log_begin(log, LOG_ERROR, "admin_failed");
		log_str(log, "reason", why);
		log_end(log);
		listen_close(sockets);
		munmap(a, sizeof(*a));
		return NULL;
	}
	for (unsigned i = 0; i < sockets->count; i++)
		if (!begin(a, sockets->fd[i])) {
			log_begin(log, LOG_ERROR, "admin_failed");
			log_end(log);
			close(sockets->fd[i]);
		}
	sockets->count = 0;
	return a;
}

void admin_forget(struct admin *a)
{
	for (unsigned i = 0; a != NULL && i < a->count; i++)
		close(a->fds[i]);
}

void admin_close(struct admin *a)
{
	if (a == NULL)
		return;
	for (unsigned i = 0; i < a->count; i++)
		a->http.stop_daemon(a->daemons[i]);
	munmap(a, sizeof(*a));
}
