/* The client against workers whose answers are written down here. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/ctl.h"

struct worker {
	char path[100]; /* the socket */
	const char *answer;
	char asked[100];
	int listener;
	pthread_t thread;
};

static void *answer_once(void *arg)
{
	struct worker *w = arg;
	int fd = accept(w->listener, NULL, NULL);
	size_t len = 0;

	while (
	    len < sizeof(w->asked) - 1 && recv(fd, w->asked + len, 1, 0) == 1)
		if (w->asked[len++] == '\n')
			break;
	/* A byte at a time: lines come in pieces. */
	for (const char *at = w->answer; *at != '\0'; at++)
		if (send(fd, at, 1, MSG_NOSIGNAL) != 1)
			break;
	close(fd);
	return NULL;
}

static void worker_start(
    struct worker *w, const char *spool, unsigned shard, const char *answer)
{
	struct sockaddr_un here = {.sun_family = AF_UNIX};

	*w = (struct worker){.answer = answer};
	snprintf(w->path, sizeof(w->path), "%s/%u", spool, shard);
	mkdir(w->path, 0700);
	snprintf(w->path, sizeof(w->path), "%s/%u/control", spool, shard);
	strcpy(here.sun_path, w->path);
	w->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(w->listener, (void *)&here, sizeof(here)), 0);
	cr_assert_eq(listen(w->listener, 5), 0);
	if (answer != NULL)
		pthread_create(&w->thread, NULL, answer_once, w);
}

static void worker_stop(struct worker *w)
{
	if (w->answer != NULL)
		pthread_join(w->thread, NULL);
	close(w->listener);
}

#define DEAD "dead" /* a socket that nobody listens on any more */

static const struct talk {
	const char *name, *verb, *id;
	const char *answers[3]; /* of shards 0, 1, 2; NULL: no socket */
	const char *asked;
	int status;
	const char *out, *err;
} talks[] = {
    {"an id that one has", "show", "5KX",
	{"!unknown id\n.\n", " From: a\n \n .dot\n  x\n.\n"}, "show 5KX\n", 0,
	"From: a\n\n.dot\n x\n", ""},
    {"an id that nobody has", "delete", "5KX",
	{"!unknown id\n.\n", "!unknown id\n.\n"}, "delete 5KX\n", 1, "",
	"5KX: unknown id\n"},
    {"an id whose worker says no", "delete", "5KX",
	{"!unknown id\n.\n", "!5KX is being delivered\n.\n"}, "delete 5KX\n", 1,
	"", "5KX is being delivered\n"},
    {"retry everything", "retry", NULL,
	{" 3 messages\n.\n", ".\n", " 1 message\n.\n"}, "retry\n", 0,
	"3 messages\n1 message\n", ""},
    {"lists of two", "list", NULL,
	{" 2\t7\t1\t1\t1\t0\td\ts@d\t\n.\n",
	    " 1\t5\t1\t1\t1\t0\td\t<>\te\n.\n"},
	"list\n", 0,
	"ID  RECEIVED              SIZE  RCPTS  TRIES  NEXT  DESTINATION  "
	"SENDER  LAST ERROR\n"
	"1   1970-01-01T00:00:05Z     1      1      1   now  d            "
	"<>      e\n"
	"2   1970-01-01T00:00:07Z     1      1      1   now  d            "
	"s@d     \n"
	"2 messages, 2 recipients, 2\n",
	""},
    {"nothing in the queue", "list", NULL, {".\n", ".\n"}, "list\n", 0,
	"the queue is empty\n", ""},
    {"a row that is none", "list", NULL, {" what\n.\n"}, "list\n", 1,
	"the queue is empty\n", "a worker's answer is not understood\n"},
    {"an answer without an end", "retry", NULL, {" 3 messages\n"}, "retry\n", 1,
	"3 messages\n", "the worker of shard 0 did not answer\n"},
    {"no answer at all", "retry", NULL, {"", " 1 message\n.\n"}, "retry\n", 1,
	"1 message\n", "the worker of shard 0 did not answer\n"},
    {"an adopted shard", "retry", NULL, {" 1 message\n.\n", NULL}, "retry\n", 0,
	"1 message\n", ""},
    {"a dead worker", "retry", NULL, {DEAD, " 1 message\n.\n"}, "retry\n", 0,
	"1 message\n",
	"1 of the queue's workers cannot be reached; this may "
	"not be all\n"},
    {"only a dead worker", "list", NULL, {DEAD}, "", 69, "",
	"no relay is running on SPOOL\n"
	"(what is in the queue: smarthost spool dump SPOOL)\n"},
    {"no worker", "list", NULL, {NULL}, "", 69, "",
	"no relay is running on SPOOL\n"},
    {"health", "health", NULL,
	{" a worker takes mail\n.\n", " a worker takes mail\n.\n"}, "health\n",
	0, "a worker takes mail\na worker takes mail\n", ""},
    {"ill health", "health", NULL, {""}, "health\n", 1, "",
	"the worker of shard 0 did not answer\n"},
    {"what a terminal would obey", "show", "1", {" \x1b[2J\ta\n.\n"},
	"show 1\n", 0, "?[2J\ta\n", ""},
};

/* The text with the spool's name put in; to be freed. */
static char *with_spool(const char *text, const char *spool)
{
	char *result;
	size_t len;
	FILE *out = open_memstream(&result, &len);

	for (; *text != '\0'; text++) {
		if (strncmp(text, "SPOOL", 5) == 0) {
			fputs(spool, out);
			text += 4;
		} else {
			fputc(*text, out);
		}
	}
	fclose(out);
	return result;
}

static void run_talk(const struct talk *t)
{
	char spool[] = "/tmp/smarthost-test-ctl-XXXXXX", command[100];
	struct worker workers[3];
	char *out_text, *err_text, *err_want;
	size_t out_len, err_len;
	FILE *out = open_memstream(&out_text, &out_len);
	FILE *err = open_memstream(&err_text, &err_len);

	cr_assert_not_null(mkdtemp(spool));
	for (unsigned i = 0; i < 3; i++) {
		const char *answer = t->answers[i];
		bool dead = answer != NULL && strcmp(answer, DEAD) == 0;

		if (answer == NULL)
			continue;
		worker_start(&workers[i], spool, i, dead ? NULL : answer);
		if (dead)
			close(workers[i].listener);
	}
	struct ctl_request request = {
	    .spool = spool,
	    .verb = t->verb,
	    .id = t->id,
	    .masked = true,
	    .now_s = 100,
	};
	cr_expect_eq(ctl_run(&request, out, err), t->status, "%s", t->name);
	fclose(out);
	fclose(err);
	for (unsigned i = 0; i < 3; i++) {
		if (t->answers[i] == NULL || strcmp(t->answers[i], DEAD) == 0)
			continue;
		worker_stop(&workers[i]);
		cr_expect_str_eq(workers[i].asked, t->asked, "%s", t->name);
	}
	err_want = with_spool(t->err, spool);
	cr_expect_str_eq(out_text, t->out, "%s: %s", t->name, out_text);
	cr_expect_str_eq(err_text, err_want, "%s: %s", t->name, err_text);
	free(err_want);
	free(out_text);
	free(err_text);
	snprintf(command, sizeof(command), "rm -r %s", spool);
	cr_expect_eq(system(command), 0);
}

Test(ctl, makes_one_answer_of_the_workers)
{
	for (size_t i = 0; i < COUNT(talks); i++)
		run_talk(&talks[i]);
}

Test(ctl, a_spool_that_is_not_there_is_not_running)
{
	struct ctl_request request = {
	    .spool = "/nonexistent/spool", .verb = "list"};
	char *text;
	size_t len;
	FILE *err = open_memstream(&text, &len);

	cr_expect_eq(ctl_run(&request, stdout, err), 69);
	fclose(err);
	cr_expect_str_eq(text, "no relay is running on /nonexistent/spool\n");
	free(text);
}

Test(ctl, the_name_of_a_spool_may_be_long)
{
	char spool[200] = "/tmp/smarthost-test-ctl-XXXXXX";
	char command[300];
	struct worker w;
	struct ctl_request request = {.spool = spool, .verb = "retry"};
	char *text;
	size_t len;

	cr_assert_not_null(mkdtemp(spool));
	worker_start(&w, spool, 0, " 1 message\n.\n");
	/* The socket is bound where it is short, and moved. */
	char moved[200];
	memset(moved, 'm', sizeof(moved));
	memcpy(moved, "/tmp/smarthost-test-ctl-", 24);
	snprintf(moved + 150, 50, "-%d", (int)getpid());
	cr_assert_eq(rename(spool, moved), 0);
	request.spool = moved;
	FILE *out = open_memstream(&text, &len);
	cr_expect_eq(ctl_run(&request, out, stderr), 0);
	fclose(out);
	cr_expect_str_eq(text, "1 message\n");
	free(text);
	worker_stop(&w);
	snprintf(command, sizeof(command), "rm -r %s", moved);
	cr_expect_eq(system(command), 0);
}
