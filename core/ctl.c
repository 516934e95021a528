/* ctl.c -- asks every worker, and makes one answer of theirs.
 *
 * The same line goes to all, since only a worker knows which messages it has.
 * Rows of `list` are gathered and sorted by age; everything else is passed on
 * as it comes, so that a message of any size can be shown.  A socket without a
 * listener is a worker that is about to be started again, or a shard that
 * another worker has adopted: the others' answer stands, and a remark says that
 * it may not be all. */
#include "core/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/slice.h"
#include "core/queue_list.h"
#include "core/shards.h"

#define ANSWER_WAIT_S 30 /* for each piece of an answer */

struct ctl {
	const struct ctl_request *request;
	FILE *out, *err;
	struct queue_list list;
	unsigned asked_count;  /* workers that were reached */
	unsigned done_count;   /* that did what was asked */
	unsigned silent_count; /* sockets without a listener */
	bool forbidden;	       /* a socket may not be connected to */
	bool failed;	       /* a worker said no, or stopped talking */
	bool unknown;	       /* a worker does not have the id */
};

/* By way of the directory's descriptor: a socket's path may have 107 bytes,
 * a directory's 4095. */
static int connect_shard(const char *spool, unsigned shard)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	int dir, fd, err = 0;

	dir = open(spool, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	snprintf(to.sun_path, sizeof(to.sun_path),
	    "/proc/self/fd/%d/%u/control", dir, shard);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		err = -errno;
	close(dir);
	if (err == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static bool send_request(int fd, const struct ctl_request *r)
{
	char line[64];
	int len = r->id == NULL
		      ? snprintf(line, sizeof(line), "%s\n", r->verb)
		      : snprintf(line, sizeof(line), "%s %s\n", r->verb, r->id);

	check(len > 0 && (size_t)len < sizeof(line));
	return send(fd, line, (size_t)len, MSG_NOSIGNAL) == len;
}

static void put_masked(const struct ctl *c, struct slice line, FILE *out)
{
	for (size_t i = 0; i < line.len; i++) {
		uint8_t byte = line.at[i];
		bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;

		fputc(control && c->request->masked ? '?' : byte, out);
	}
	fputc('\n', out);
}

static void take_error(struct ctl *c, struct slice text)
{
	if (c->request->id != NULL && slice_eq(text, SLICE("unknown id"))) {
		c->unknown = true;
		return;
	}
	c->failed = true;
	put_masked(c, text, c->err);
}

static void take_output(struct ctl *c, struct slice text)
{
	if (strcmp(c->request->verb, "list") != 0)
		put_masked(c, text, c->out);
	else if (!queue_list_add(&c->list, text))
		take_error(c, SLICE("a worker's answer is not understood"));
}

/* Reads one worker's answer up to its end; false when the end is missing. */
static bool take_answer(struct ctl *c, FILE *answer)
{
	char *line = NULL;
	size_t room = 0;
	bool ended = false, refused = false;
	ssize_t len;

	while (!ended && (len = getline(&line, &room, answer)) > 0) {
		struct slice text = slice_of(line, (size_t)len);

		if (text.at[text.len - 1] == '\n')
			text.len--;
		if (text.len == 0)
			continue;
		uint8_t kind = slice_cut(&text, 1).at[0];
		if (kind == ' ')
			take_output(c, text);
		if (kind == '!') {
			take_error(c, text);
			refused = true;
		}
		ended = kind == '.' && text.len == 0;
	}
	free(line);
	if (ended && !refused)
		c->done_count++;
	return ended;
}

static void ask_shard(struct ctl *c, unsigned shard)
{
	int fd = connect_shard(c->request->spool, shard);
	FILE *answer;

	if (fd < 0) {
		/* Without a socket another worker has adopted the shard. */
		c->silent_count += fd == -ECONNREFUSED;
		c->forbidden |= fd == -EACCES || fd == -EPERM;
		return;
	}
	c->asked_count++;
	errno = 0;
	answer = fdopen(fd, "r");
	check(answer != NULL);
	if (!send_request(fd, c->request) || !take_answer(c, answer)) {
		fprintf(c->err, "the worker of shard %u did not answer%s\n",
		    shard, errno == EAGAIN ? " in time" : "");
		c->failed = true;
	}
	fclose(answer);
}

static int nobody_answers(struct ctl *c, unsigned shard_count)
{
	const char *spool = c->request->spool;

	if (c->forbidden) {
		fprintf(c->err,
		    "%s: permission denied: ask as the relay's user or as "
		    "root\n",
		    spool);
		return EX_NOPERM;
	}
	fprintf(c->err, "no relay is running on %s\n", spool);
	if (shard_count > 0)
		fprintf(c->err,
		    "(what is in the queue: smarthost spool dump %s)\n", spool);
	return EX_UNAVAILABLE;
}

static int conclude(struct ctl *c)
{
	if (c->silent_count > 0)
		fprintf(c->err,
		    "%u of the queue's workers cannot be reached; this may "
		    "not be all\n",
		    c->silent_count);
	/* One worker has it, and the others do not know the id. */
	if (c->unknown && c->done_count == 0 && !c->failed) {
		fprintf(c->err, "%s: unknown id\n", c->request->id);
		return 1;
	}
	return c->failed ? 1 : 0;
}

int ctl_run(const struct ctl_request *request, FILE *out, FILE *err)
{
	struct ctl c = {.request = request, .out = out, .err = err};
	struct shards shards;
	int status = shards_list(request->spool, &shards);

	if (status < 0 && status != -ENOENT) {
		fprintf(err, "%s: %s\n", request->spool, strerror(-status));
		return status == -EACCES ? EX_NOPERM : EX_UNAVAILABLE;
	}
	for (unsigned i = 0; i < shards.count; i++)
		ask_shard(&c, shards.at[i]);
	if (c.asked_count == 0)
		status = nobody_answers(&c, shards.count);
	else
		status = conclude(&c);
	if (c.asked_count > 0 && strcmp(request->verb, "list") == 0)
		queue_list_print(&c.list, request->json, request->now_s, out);
	queue_list_free(&c.list);
	return status;
}
