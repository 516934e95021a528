/* test_signer.c -- mail that must be signed and cannot be: it is never given
 * back without a reason, nor with fewer signatures. */
#include "core/outbound/signer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/outbound/attempt.h"
#include "tests/dkim/keys.h"

static const char mail[] =
    "From: Me <me@example.com>\r\nSubject: x\r\n\r\nhi\r\n";

struct world {
	struct loop *loop;
	struct log log;
	struct dkim *dkim;
	struct dkim_table table;
	struct signer signer;
	struct message message;
	struct attempt *attempt;
	unsigned done_count;
};

static void on_done(struct attempt *a, void *arg)
{
	struct world *w = arg;

	cr_assert_eq(a, w->attempt);
	w->done_count++;
}

static void world_open(struct world *w)
{
	const char *why;

	const struct loop_options options = {.without_recv = true};

	*w = (struct world){0};
	cr_assert_eq(loop_open(&w->loop, &options, &why), 0, "%s", why);
	cr_assert_eq(
	    log_open(&w->log, STDERR_FILENO, NULL, 65536, LOG_ERROR, LOG_TEXT),
	    0);
	w->dkim = dkim_open(&why);
	cr_assert_not_null(w->dkim);
	cr_assert_eq(dkim_table_init(&w->table, w->dkim, 9, 9), 0);
	cr_assert_eq(signer_init(&w->signer, w->loop, &w->log, 4), 0);
	w->attempt = calloc(1, sizeof(*w->attempt));
}

static void add_key(struct world *w, const char *pem)
{
	dkim_table_add_key(&w->table, &(struct dkim_table_key){
					  .domain = SLICE("example.com"),
					  .selector = SLICE("s"),
					  .pem = slice_of_str(pem),
					  .source = "a test",
					  .header_canon = DKIM_RELAXED,
					  .body_canon = DKIM_SIMPLE,
				      });
	dkim_table_add_rule(&w->table, DKIM_RULE_DOMAIN, SLICE("example.com"),
	    w->table.key_count - 1);
}

/* The attempt when it may go on. */
static struct attempt *run(struct world *w, const char *text)
{
	struct attempt *a = w->attempt;

	signer_configure(&w->signer, &w->table);
	w->message.id = 7;
	w->message.content_len = strlen(text);
	a->message = &w->message;
	a->done = on_done;
	a->arg = w;
	a->body_len = (int)strlen(text);
	memcpy(a->body, text, strlen(text));
	if (!signer_begin(&w->signer, a))
		return a;
	while (w->done_count == 0)
		loop_turn(w->loop);
	return a;
}

static void world_close(struct world *w)
{
	dkim_table_deinit(&w->table);
	dkim_close(w->dkim);
	free(w->attempt);
	log_close(&w->log);
	loop_close_down(w->loop);
}

static const struct {
	const char *name;
	const char *pems[2];
	const char *text;
	const char *why;
} cases[] = {
    {"no key", {"nothing that is a key"}, mail, "base64"},
    {"one of two", {rsa2048_pem, rsa512_pem}, mail, "shorter than 1024"},
    {"another algorithm", {ed25519_pem, ec_pem}, mail, "no private key"},
    {"no From", {rsa2048_pem}, "Subject: x\r\n\r\nhi\r\n", "no From"},
    {"nobody", {rsa2048_pem}, "From: <>\r\n\r\nhi\r\n", ""},
};

Test(signer, gives_nothing_without_all_signatures)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct world w;
		struct attempt *a;

		world_open(&w);
		for (size_t k = 0; k < 2 && cases[i].pems[k] != NULL; k++)
			add_key(&w, cases[i].pems[k]);
		a = run(&w, cases[i].text);
		cr_assert_null(a->signature, "%s", cases[i].name);
		cr_assert_not_null(a->sign_why, "%s", cases[i].name);
		cr_assert_not_null(strstr(a->sign_why, cases[i].why), "%s: %s",
		    cases[i].name, a->sign_why);
		world_close(&w);
	}
}

static unsigned fields_of(const struct signature *g)
{
	const char name[] = "DKIM-Signature:";
	struct slice left = slice_of(g->text, g->len);
	const uint8_t *at;
	unsigned count = 0;

	while (
	    (at = memmem(left.at, left.len, name, sizeof(name) - 1)) != NULL) {
		slice_cut(&left, (size_t)(at - left.at) + 1);
		count++;
	}
	return count;
}

Test(signer, signs_with_eight_keys_and_never_with_fewer)
{
	for (unsigned count = 8; count <= 9; count++) {
		struct world w;
		struct attempt *a;

		world_open(&w);
		for (unsigned k = 0; k < count; k++)
			add_key(&w, rsa2048_pem);
		a = run(&w, mail);
		cr_assert_eq(a->signature != NULL, count == 8);
		cr_assert_eq(a->sign_why != NULL, count == 9);
		if (count == 8)
			cr_assert_eq(fields_of(a->signature), 8);
		world_close(&w);
	}
}
