/* Any server: however it answers and whenever the connection breaks, each
 * recipient of each transaction gets one outcome, and the session ends.
 *
 * The first byte picks the size of the pieces, the second what the transactions
 * look like, the third what TLS and which user the session has; the rest is
 * what the server says. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "proto/smtp_client_login.h"

#define TRANSACTIONS_MAX 4
#define RCPTS_MAX 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct play {
	struct smtp_client client;
	struct slice said; /* by the server, still to come */
	size_t step;
	uint8_t shape, want;
	struct smtp_client_login login;
	struct smtp_client_rcpt rcpts[RCPTS_MAX];
	struct smtp_client_transaction transaction;
	unsigned sent_count, result_count;
};

static void next_message(struct play *p)
{
	if (p->sent_count == TRANSACTIONS_MAX) {
		smtp_client_quit(&p->client);
		return;
	}
	p->sent_count++;
	for (size_t i = 0; i < RCPTS_MAX; i++)
		p->rcpts[i] = (struct smtp_client_rcpt){
		    .address = i == 3 ? SLICE("a\r\n@b") : SLICE("a@b"),
		    .orcpt = SLICE("rfc822;a@b"),
		    .notify = p->shape & 15};
	p->transaction =
	    (struct smtp_client_transaction){.sender = SLICE("s@a"),
		.size = p->shape,
		.body_8bit = p->shape & 16,
		.smtputf8 = p->shape & 32,
		.envid = SLICE("id"),
		.rcpts = p->rcpts,
		.rcpt_count = 1 + p->shape % RCPTS_MAX};
	smtp_client_send(&p->client, &p->transaction);
}

static void take_result(struct play *p)
{
	check(p->client.transaction == &p->transaction);
	check(++p->result_count == p->sent_count);
	for (uint32_t i = 0; i < p->transaction.rcpt_count; i++)
		check(p->rcpts[i].outcome.kind != OUTCOME_NONE);
	/* The machine must not look at it any more. */
	p->transaction = (struct smtp_client_transaction){0};
}

static struct outcome lost(void)
{
	const uint8_t status[3] = {4, 4, 2};

	return outcome_of_error(OUTCOME_OTHER_HOST, status, false, "lost");
}

static void listen_or_fail(struct play *p, struct slice *in)
{
	size_t len = p->said.len < p->step ? p->said.len : p->step;

	check(in->len == 0);
	if (len == 0)
		smtp_client_fail(&p->client, lost());
	else
		*in = slice_cut(&p->said, len);
}

static bool play_on(struct play *p, struct slice *in)
{
	uint8_t room[SMTP_CLIENT_OUT_MIN];
	struct buf out = buf_over(room, sizeof(room));

	smtp_client_waits_for(&p->client);
	switch (smtp_client_next(&p->client, in, &out)) {
	case CLIENT_NEED_INPUT: listen_or_fail(p, in); return true;
	case CLIENT_NEED_OUTPUT: check(out.len > 0); return true;
	case CLIENT_NEED_TLS:
		check(in->len == 0);
		if (p->want & 8)
			smtp_client_fail(&p->client, lost());
		else
			smtp_client_tls_started(&p->client);
		return true;
	case CLIENT_NEED_MESSAGE:
		check(p->client.login == NULL);
		check(p->client.tls_on || p->client.tls != CLIENT_TLS_MUST);
		next_message(p);
		return true;
	case CLIENT_NEED_BODY:
		if (p->shape & 64 && p->said.len > 0)
			listen_or_fail(p, in);
		else
			smtp_client_body_sent(
			    &p->client, !(p->shape & 128), lost());
		return true;
	case CLIENT_NEED_RESULT: take_result(p); return true;
	case CLIENT_NEED_CLOSE: return false;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct play p = {.step = 1};
	struct slice in = {NULL, 0};

	if (len < 3)
		return 0;
	p.step = 1 + data[0];
	p.shape = data[1];
	p.want = data[2];
	p.said = slice_of(data + 3, len - 3);
	smtp_client_init(&p.client, SLICE("me.example"));
	p.client.tls = p.want & 2   ? CLIENT_TLS_MUST
		       : p.want & 1 ? CLIENT_TLS_MAY
				    : CLIENT_TLS_NONE;
	p.login = (struct smtp_client_login){
	    .options = {.user = SLICE("user"),
		.password = SLICE("password"),
		.hostname = SLICE("mx"),
		.has_binding = p.want & 16},
	    .clear_allowed = p.want & 32,
	};
	if (p.want & 4)
		p.client.login = &p.login;
	while (play_on(&p, &in))
		;
	check(p.result_count == p.sent_count);
	return 0;
}
