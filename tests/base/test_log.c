/* The log: what becomes of a line when its reader is slow, or gone. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/log.h"

#define LINES 5000

struct bench {
	struct log log;
	struct loop *loop;
	int pipe[2];
	char text[LINES * 80];
	size_t text_len;
};

static struct bench *bench_open(bool with_loop, int flags)
{
	static struct bench b;
	struct loop_options options = {.without_recv = true};
	const char *why = "";

	b = (struct bench){.text_len = 0};
	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe(b.pipe), 0);
	cr_assert_eq(fcntl(b.pipe[0], F_SETFL, O_NONBLOCK), 0);
	cr_assert_eq(fcntl(b.pipe[1], F_SETFL, flags), 0);
	if (with_loop)
		cr_assert_eq(loop_open(&b.loop, &options, &why), 0, "%s", why);
	cr_assert_eq(
	    log_open(&b.log, b.pipe[1], b.loop, 1 << 20, LOG_INFO, LOG_TEXT),
	    0);
	return &b;
}

static void say(struct bench *b, int number)
{
	log_begin(&b->log, LOG_INFO, "test");
	log_number(&b->log, "number", number);
	log_end(&b->log);
}

static void hear(struct bench *b)
{
	ssize_t len;

	while ((len = read(b->pipe[0], b->text + b->text_len,
		    sizeof(b->text) - 1 - b->text_len)) > 0)
		b->text_len += (size_t)len;
	b->text[b->text_len] = '\0';
}

/* Every line came, in order. */
static void assert_all(struct bench *b)
{
	const char *at = b->text;
	char want[40];

	for (int i = 0; i < LINES; i++) {
		snprintf(want, sizeof(want), "Z info test number=%d\n", i);
		at = strstr(at, want);
		cr_assert_not_null(at, "line %d", i);
	}
}

static void on_tick(struct timer *t)
{
	(void)t;
}

/* The reader takes what is there once a turn. */
static void write_all(struct bench *b)
{
	struct timer tick; /* no turn waits for long */

	timer_init(&tick, on_tick);
	for (int i = 0; i < LINES; i++)
		say(b, i);
	log_flush(&b->log);
	for (int i = 0; i < 1000 && b->log.write_busy_count > 0; i++) {
		timer_arm(loop_timers(b->loop), &tick, 1);
		loop_turn(b->loop);
		hear(b);
	}
	hear(b);
	assert_all(b);
	cr_assert_eq(b->log.dropped_count, 0);
}

Test(log, a_slow_reader_gets_every_line)
{
	write_all(bench_open(true, 0));
}

Test(log, also_through_a_pipe_that_does_not_block)
{
	write_all(bench_open(true, O_NONBLOCK));
}

Test(log, a_reader_that_has_stopped_stops_nobody, .timeout = 20)
{
	struct bench *b = bench_open(false, 0);

	cr_assert_gt(fcntl(b->pipe[1], F_SETPIPE_SZ, 4096), 0);
	for (int i = 0; b->log.dropped_count == 0; i++) {
		cr_assert_lt(i, LINES);
		say(b, i);
	}
	hear(b);
	b->text_len = 0;
	say(b, 7);
	hear(b);
	cr_assert_not_null(strstr(b->text, "number=7\n"));
	cr_assert_not_null(strstr(b->text, "log_lines_dropped count=1\n"));
}

Test(log, a_reader_that_is_gone_stops_nobody, .timeout = 20)
{
	struct bench *b = bench_open(true, 0);

	close(b->pipe[0]);
	say(b, 1);
	log_flush(&b->log);
	while (b->log.write_busy_count > 0)
		loop_turn(b->loop);
	cr_assert_eq(b->log.dropped_count, 1);
	/* A report of it would fail as well, in every turn for ever. */
	log_flush(&b->log);
	cr_assert_eq(b->log.write_busy_count, 0);
	say(b, 2);
	log_flush(&b->log);
	cr_assert_gt(b->log.write_busy_count, 0);
	while (b->log.write_busy_count > 0)
		loop_turn(b->loop);
	cr_assert_eq(b->log.dropped_count, 2);
	log_drain(&b->log, 100);
}
