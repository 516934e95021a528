/* loop_epoll.c -- the loop on epoll, for hosts where io_uring is forbidden:
 * waiting, and doing what can be done now.
 *
 * A socket is told to epoll once, edge-triggered; what it may do is remembered
 * (may_read, may_write).  An operation that may go on is put on `tries` and
 * tried in the turn; when the kernel says EAGAIN it waits for the edge.  So a
 * session costs a system call for each receive and send, and none for epoll
 * itself.  Polls are level-triggered and asked for one by one, since libunbound
 * opens and closes its sockets behind our back.
 *
 * Files have threads (loop_threads.c).
 *
 * Must hold: reader and writer are busy operations; a watched descriptor is
 * closed by loop_close alone (but for those that are polled). */
#include "core/base/loop_epoll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define ACCEPTS_MAX 64 /* of one listener in a turn */
#define IOVECS_MAX 16
#define WATCHED_MAX (1u << 20)

static void *map_zeroed(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static unsigned descriptors_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_max > WATCHED_MAX)
		return WATCHED_MAX;
	return (unsigned)limit.rlim_max;
}

static int watch_threads(struct loop_epoll *l)
{
	struct epoll_event event = {
	    .events = EPOLLIN, .data.fd = loop_threads_fd(l->threads)};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event);
}

int loop_epoll_open(
    struct loop **loop, const struct loop_options *options, const char **why)
{
	struct loop_epoll *l = map_zeroed(sizeof(*l));

	(void)options;
	*why = "no memory or descriptor for the loop on epoll";
	if (l == NULL)
		return -ENOMEM;
	l->watched_max = descriptors_max();
	l->watched = map_zeroed(l->watched_max * sizeof(*l->watched));
	l->buffer = map_zeroed(LOOP_BUFFER_LEN);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->threads = loop_threads_open();
	if (l->watched == NULL || l->buffer == NULL || l->epoll_fd < 0 ||
	    l->threads == NULL || watch_threads(l) < 0) {
		loop_epoll_close_down(&l->base);
		return -ENOMEM;
	}
	loop_init(&l->base, &loop_epoll_calls);
	*loop = &l->base;
	return 0;
}

void loop_epoll_close_down(struct loop *base)
{
	struct loop_epoll *l = loop_epoll_of(base);

	if (l->threads != NULL)
		loop_threads_close(l->threads);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->buffer != NULL)
		munmap(l->buffer, LOOP_BUFFER_LEN);
	if (l->watched != NULL)
		munmap(l->watched, l->watched_max * sizeof(*l->watched));
	munmap(l, sizeof(*l));
}

struct watched *loop_epoll_watched(struct loop_epoll *loop, int fd)
{
	check(fd >= 0);
	return (unsigned)fd < loop->watched_max ? &loop->watched[fd] : NULL;
}

int loop_epoll_watch(struct loop_epoll *loop, struct watched *w,
    enum watch_mode mode, uint32_t events)
{
	int fd = watched_fd(loop, w);
	struct epoll_event event = {.events = events, .data.fd = fd};
	int first = w->mode == WATCH_NONE ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	int second = w->mode == WATCH_NONE ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	/* A polled descriptor may have been closed, and its number be another
	 * one's by now. */
	if (epoll_ctl(loop->epoll_fd, first, fd, &event) < 0 &&
	    ((errno != ENOENT && errno != EEXIST) ||
		epoll_ctl(loop->epoll_fd, second, fd, &event) < 0))
		return -errno;
	w->mode = mode;
	return 0;
}

void loop_epoll_unwatch(struct loop_epoll *loop, struct watched *w)
{
	if (w->mode != WATCH_NONE)
		(void)epoll_ctl(
		    loop->epoll_fd, EPOLL_CTL_DEL, watched_fd(loop, w), NULL);
	w->mode = WATCH_NONE;
}

void loop_epoll_try(struct loop_epoll *loop, struct watched *w)
{
	if (w->queued)
		return;
	w->queued = true;
	w->next = NULL;
	if (loop->tries_last == NULL)
		loop->tries_first = w;
	else
		loop->tries_last->next = w;
	loop->tries_last = w;
}

static void finish(struct op *op, int result)
{
	op->busy = false;
	op->done(op, result);
}

static void end_reader(struct watched *w, int result)
{
	struct op *op = w->reader;

	w->reader = NULL;
	finish(op, result);
}

static void end_writer(struct watched *w, int result)
{
	struct op *op = w->writer;

	w->writer = NULL;
	finish(op, result);
}

static void try_accept(struct loop_epoll *loop, struct watched *w)
{
	int fd = watched_fd(loop, w);

	for (unsigned i = 0; i < ACCEPTS_MAX && w->reader != NULL; i++) {
		struct op *op = w->reader;
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0) {
			op->done(op, client);
		} else if (errno == EAGAIN) {
			w->may_read = false;
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			end_reader(w, -errno);
			return;
		}
	}
	if (w->reader != NULL)
		loop_epoll_try(loop, w);
}

static void try_recv(struct loop_epoll *loop, struct watched *w)
{
	struct op *op = w->reader;
	ssize_t n = recv(
	    watched_fd(loop, w), loop->buffer, LOOP_BUFFER_LEN, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		w->may_read = w->hung_up || errno == EINTR;
		if (w->may_read)
			loop_epoll_try(loop, w);
		return;
	}
	/* Fewer than fit: all there was, and more will make an edge.  Not
	 * behind the end: its edge is gone. */
	if (n < LOOP_BUFFER_LEN && !w->hung_up)
		w->may_read = false;
	op->received = slice_of(loop->buffer, n > 0 ? (size_t)n : 0);
	end_reader(w, n < 0 ? -errno : (int)n);
}

/* What is left of the message, in `iov`. */
static size_t rest_of(const struct watched *w, struct iovec *iov)
{
	size_t skip = w->sent;
	size_t count = 0;

	for (size_t i = 0; i < w->message->msg_iovlen && count < IOVECS_MAX;
	     i++) {
		struct iovec part = w->message->msg_iov[i];

		if (skip >= part.iov_len) {
			skip -= part.iov_len;
			continue;
		}
		part.iov_base = (uint8_t *)part.iov_base + skip;
		part.iov_len -= skip;
		skip = 0;
		iov[count++] = part;
	}
	return count;
}

static void try_send(struct loop_epoll *loop, struct watched *w)
{
	struct iovec iov[IOVECS_MAX];
	struct msghdr rest = {.msg_iov = iov};

	while ((rest.msg_iovlen = rest_of(w, iov)) > 0) {
		ssize_t n = sendmsg(
		    watched_fd(loop, w), &rest, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			w->sent += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN) {
			w->may_write = false;
			return;
		}
		end_writer(w, w->sent > 0 ? (int)w->sent : -errno);
		return;
	}
	end_writer(w, (int)w->sent);
}

static void try_connect(struct loop_epoll *loop, struct watched *w)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(
		watched_fd(loop, w), SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	end_writer(w, -error);
}

static void try_reader(struct loop_epoll *loop, struct watched *w)
{
	switch ((enum epoll_op_kind)w->reader->kind) {
	case EPOLL_ACCEPT: try_accept(loop, w); return;
	case EPOLL_RECV: try_recv(loop, w); return;
	case EPOLL_CONNECT:
	case EPOLL_SEND:
	case EPOLL_POLL:
	case EPOLL_FILE: return;
	}
}

static void try_writer(struct loop_epoll *loop, struct watched *w)
{
	switch ((enum epoll_op_kind)w->writer->kind) {
	case EPOLL_CONNECT: try_connect(loop, w); return;
	case EPOLL_SEND: try_send(loop, w); return;
	case EPOLL_ACCEPT:
	case EPOLL_RECV:
	case EPOLL_POLL:
	case EPOLL_FILE: return;
	}
}

static void run_tries(struct loop_epoll *loop)
{
	struct watched *w = loop->tries_first;

	loop->tries_first = NULL;
	loop->tries_last = NULL;
	while (w != NULL) {
		struct watched *next = w->next;

		w->queued = false;
		if (w->may_write && w->writer != NULL)
			try_writer(loop, w);
		if (w->may_read && w->reader != NULL)
			try_reader(loop, w);
		w = next;
	}
}

static void happened(struct loop_epoll *loop, const struct epoll_event *event)
{
	struct watched *w = loop_epoll_watched(loop, event->data.fd);
	uint32_t events = event->events;

	if (w == NULL)
		return;
	if (w->mode == WATCH_POLL) {
		/* EPOLLIN and the others are POLLIN and the others. */
		if (w->reader != NULL && w->reader->kind == EPOLL_POLL)
			end_reader(w, (int)events);
		return;
	}
	if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP))
		w->hung_up = true;
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP))
		w->may_read = true;
	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		w->may_write = true;
	if ((w->may_read && w->reader != NULL) ||
	    (w->may_write && w->writer != NULL))
		loop_epoll_try(loop, w);
}

static void run_results(struct loop_epoll *loop)
{
	struct op *op;
	int result;

	while (loop_threads_next(loop->threads, &op, &result))
		finish(op, result);
}

void loop_epoll_wait_and_run(struct loop *base, uint64_t wait_ms)
{
	struct loop_epoll *loop = loop_epoll_of(base);
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX,
	    loop->tries_first != NULL ? 0 : (int)wait_ms);

	loop_read_clocks(base);
	for (int i = 0; i < count; i++)
		if (events[i].data.fd == loop_threads_fd(loop->threads))
			run_results(loop);
		else
			happened(loop, &events[i]);
	run_tries(loop);
}
