/* test_smtp_client_turns.c -- what a script cannot say: who speaks when, for
 * how long we wait, and how much is written at a time. */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "proto/smtp_client.h"

static const struct outcome lost = {.kind = OUTCOME_OTHER_HOST,
    .status = {4, 4, 2},
    .text_len = 4,
    .text = "lost"};

/* A machine that has seen `said` of the server, and what it wrote. */
struct bench {
	struct smtp_client client;
	uint8_t room[SMTP_CLIENT_OUT_MIN];
	struct buf out;
};

static enum smtp_client_need hear(struct bench *b, const char *said)
{
	struct slice in = slice_of_str(said);

	return smtp_client_next(&b->client, &in, &b->out);
}

static void greet(struct bench *b, const char *hello)
{
	*b = (struct bench){0};
	b->out = buf_over(b->room, sizeof(b->room));
	smtp_client_init(&b->client, SLICE("me.example"));
	cr_assert_eq(hear(b, "220 mx\r\n"), CLIENT_NEED_INPUT);
	cr_assert_eq(hear(b, hello), CLIENT_NEED_MESSAGE);
	buf_clear(&b->out);
}

Test(smtp_client_turns, stays_small)
{
	cr_assert_leq(sizeof(struct smtp_client), 2048);
}

Test(smtp_client_turns, refuses_a_server_that_talks_before_ehlo)
{
	struct bench b = {.out = buf_over(b.room, sizeof(b.room))};

	smtp_client_init(&b.client, SLICE("me.example"));
	cr_assert_eq(
	    hear(&b, "220 mx\r\n250-mx\r\n250 SIZE\r\n"), CLIENT_NEED_CLOSE);
	cr_assert_eq(b.out.len, 0);
	cr_assert_eq(b.client.closed_by.kind, OUTCOME_OTHER_HOST);
	cr_assert(b.client.closed_by.site);
}

Test(smtp_client_turns, never_takes_an_early_reply_for_an_answer)
{
	struct bench b;
	struct smtp_client_rcpt rcpt = {.address = SLICE("b@x")};
	struct smtp_client_transaction t = {.rcpts = &rcpt, .rcpt_count = 1};

	/* It begins before MAIL and ends behind it. */
	greet(&b, "250 mx\r\n");
	cr_assert_eq(hear(&b, "25"), CLIENT_NEED_MESSAGE);
	smtp_client_send(&b.client, &t);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_INPUT);
	cr_assert_eq(hear(&b, "0 ok\r\n"), CLIENT_NEED_RESULT);
	cr_assert_eq(rcpt.outcome.kind, OUTCOME_OTHER_HOST);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_CLOSE);

	/* It begins in the body and ends behind the dot. */
	greet(&b, "250 mx\r\n");
	smtp_client_send(&b.client, &t);
	hear(&b, "");
	hear(&b, "250 ok\r\n");
	hear(&b, "250 ok\r\n");
	cr_assert_eq(hear(&b, "354 go\r\n25"), CLIENT_NEED_BODY);
	smtp_client_body_sent(&b.client, true, lost);
	cr_assert_eq(hear(&b, "0 ok\r\n"), CLIENT_NEED_RESULT);
	cr_assert_eq(rcpt.outcome.kind, OUTCOME_DEFERRED);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_CLOSE);
}

Test(smtp_client_turns, sends_no_dot_after_half_a_body)
{
	struct bench b;
	struct smtp_client_rcpt rcpt = {.address = SLICE("b@x")};
	struct smtp_client_transaction t = {.rcpts = &rcpt, .rcpt_count = 1};
	struct outcome why = outcome_of_error(
	    OUTCOME_DEFERRED, (const uint8_t[]){4, 3, 0}, false, "disk");

	greet(&b, "250 mx\r\n");
	smtp_client_send(&b.client, &t);
	hear(&b, "");
	hear(&b, "250 ok\r\n");
	hear(&b, "250 ok\r\n");
	cr_assert_eq(hear(&b, "354 go\r\n"), CLIENT_NEED_BODY);
	buf_clear(&b.out);
	smtp_client_body_sent(&b.client, false, why);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_RESULT);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_CLOSE);
	cr_assert_eq(b.out.len, 0);
	cr_assert_eq(rcpt.outcome.kind, OUTCOME_DEFERRED);
	cr_assert(slice_eq(
	    slice_of(rcpt.outcome.text, rcpt.outcome.text_len), SLICE("disk")));
}

Test(smtp_client_turns, ends_once_however_often_it_fails)
{
	struct bench b;
	struct smtp_client_rcpt rcpt = {.address = SLICE("b@x")};
	struct smtp_client_transaction t = {.rcpts = &rcpt, .rcpt_count = 1};
	struct outcome why = lost;

	greet(&b, "250 mx\r\n");
	smtp_client_send(&b.client, &t);
	smtp_client_fail(&b.client, lost);
	why.kind = OUTCOME_DEFERRED;
	smtp_client_fail(&b.client, why);
	cr_assert_eq(rcpt.outcome.kind, OUTCOME_OTHER_HOST);
	cr_assert_eq(hear(&b, "250 ok\r\n"), CLIENT_NEED_RESULT);
	smtp_client_fail(&b.client, why);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_CLOSE);
	smtp_client_fail(&b.client, why);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_CLOSE);
	cr_assert_eq(b.client.closed_by.kind, OUTCOME_OTHER_HOST);
	cr_assert_eq(b.out.len, 0);

	/* An idle connection that the server closed hurts nobody. */
	greet(&b, "250 mx\r\n");
	smtp_client_fail(&b.client, lost);
	cr_assert_eq(hear(&b, ""), CLIENT_NEED_CLOSE);
	cr_assert_null(b.client.transaction);
}

Test(smtp_client_turns, waits_as_long_as_the_rfc_says)
{
	struct bench b = {.out = buf_over(b.room, sizeof(b.room))};
	struct smtp_client_rcpt rcpt = {.address = SLICE("b@x")};
	struct smtp_client_transaction t = {.rcpts = &rcpt, .rcpt_count = 1};
	static const struct {
		const char *said;
		enum smtp_client_wait wait;
	} steps[] = {{"", CLIENT_WAIT_MAIL}, {"250 ok\r\n", CLIENT_WAIT_RCPT},
	    {"250 ok\r\n", CLIENT_WAIT_DATA}, {"354 go\r\n", CLIENT_WAIT_BODY}};

	smtp_client_init(&b.client, SLICE("me.example"));
	cr_assert_eq(smtp_client_waits_for(&b.client), CLIENT_WAIT_GREETING);
	hear(&b, "220 mx\r\n");
	cr_assert_eq(smtp_client_waits_for(&b.client), CLIENT_WAIT_HELLO);
	hear(&b, "250-mx\r\n250 PIPELINING\r\n");
	smtp_client_send(&b.client, &t);
	for (size_t i = 0; i < COUNT(steps); i++) {
		hear(&b, steps[i].said);
		cr_assert_eq(smtp_client_waits_for(&b.client), steps[i].wait);
	}
	smtp_client_body_sent(&b.client, true, lost);
	hear(&b, "");
	cr_assert_eq(smtp_client_waits_for(&b.client), CLIENT_WAIT_DOT);
	hear(&b, "250 ok\r\n");
	hear(&b, "");
	smtp_client_quit(&b.client);
	hear(&b, "");
	cr_assert_eq(smtp_client_waits_for(&b.client), CLIENT_WAIT_RESET);
}

#define MANY 1000

/* Answers each whole line that the client wrote, and counts the RCPTs. */
static void answer_lines(struct buf *out, struct buf *in, unsigned *rcpt_count)
{
	struct slice lines = buf_slice(out);

	while (lines.len > 0) {
		struct slice line = slice_cut_at(&lines, '\n');

		*rcpt_count += slice_starts_nocase(line, SLICE("RCPT"));
		buf_put_str(in, slice_starts_nocase(line, SLICE("DATA"))
				    ? "354 go\r\n"
				    : "250 ok\r\n");
	}
	buf_clear(out);
}

Test(smtp_client_turns, sends_a_thousand_recipients_through_a_small_buffer)
{
	struct bench b;
	static struct smtp_client_rcpt rcpts[MANY];
	struct smtp_client_transaction t = {.rcpts = rcpts, .rcpt_count = MANY};
	enum smtp_client_need need = CLIENT_NEED_OUTPUT;
	uint8_t room[8192];
	struct buf in = buf_over(room, sizeof(room));
	unsigned rcpt_count = 0, output_count = 0;

	for (size_t i = 0; i < MANY; i++)
		rcpts[i].address = SLICE("somebody.with.a.name@some.example");
	greet(&b, "250-mx\r\n250 PIPELINING\r\n");
	smtp_client_send(&b.client, &t);
	while (need != CLIENT_NEED_BODY) {
		struct slice said = buf_slice(&in);

		need = smtp_client_next(&b.client, &said, &b.out);
		cr_assert_eq(said.len, 0);
		cr_assert_leq(b.client.awaited_count, SMTP_CLIENT_PIPELINE_MAX);
		buf_clear(&in);
		if (need == CLIENT_NEED_OUTPUT)
			output_count++;
		answer_lines(&b.out, &in, &rcpt_count);
		cr_assert(!in.overflowed);
	}
	cr_assert_eq(rcpt_count, MANY);
	cr_assert_eq(t.accepted_count, MANY);
	cr_assert_gt(output_count, 0);
}
