/* test_outcome.c -- what replies mean. */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "proto/outcome.h"

struct outcome_case {
	unsigned code;
	const char *reply;
	enum outcome_kind kind;
	unsigned status[3];
	const char *text;
};

static const struct outcome_case cases[] = {
    {250, "2.0.0 queued as 7", OUTCOME_DELIVERED, {2, 0, 0}, "queued as 7"},
    {250, "ok", OUTCOME_DELIVERED, {2, 0, 0}, "ok"},
    {250, "", OUTCOME_DELIVERED, {2, 0, 0}, ""},
    {450, "4.2.0 greylisted", OUTCOME_DEFERRED, {4, 2, 0}, "greylisted"},
    {451, "try later", OUTCOME_DEFERRED, {4, 0, 0}, "try later"},
    {550, "5.1.1 no such user", OUTCOME_FAILED, {5, 1, 1}, "no such user"},
    {550, "5.1.1", OUTCOME_FAILED, {5, 1, 1}, ""},
    {550, "5.7.509 dmarc", OUTCOME_FAILED, {5, 7, 509}, "dmarc"},
    /* Several lines, each with the status, or only one of them. */
    {550, "5.1.1 no\n5.1.1 such\n5.1.1 user", OUTCOME_FAILED, {5, 1, 1},
	"no such user"},
    {550, "no\n5.1.1 such\nuser", OUTCOME_FAILED, {5, 1, 1}, "no such user"},
    {550, "5.1.1\n\nuser", OUTCOME_FAILED, {5, 1, 1}, "user"},
    {550, "5.1.1 a\n5.2.2 b", OUTCOME_FAILED, {5, 1, 1}, "a b"},
    /* Another class, or no status at all: part of the text. */
    {550, "4.1.1 odd", OUTCOME_FAILED, {5, 0, 0}, "4.1.1 odd"},
    {550, "5.1 odd", OUTCOME_FAILED, {5, 0, 0}, "5.1 odd"},
    {550, "5.1.1.1 odd", OUTCOME_FAILED, {5, 0, 0}, "5.1.1.1 odd"},
    {550, "5.1.1: odd", OUTCOME_FAILED, {5, 0, 0}, "5.1.1: odd"},
    {550, "5.1000.1 odd", OUTCOME_FAILED, {5, 0, 0}, "5.1000.1 odd"},
    {550, "5..1 odd", OUTCOME_FAILED, {5, 0, 0}, "5..1 odd"},
    /* Nobody asked for it. */
    {354, "go on", OUTCOME_DEFERRED, {4, 0, 0}, "go on"},
    /* Nothing that could break a log line or a header field. */
    {550, "a\r\x1b[31m\tb\x7f\xc3\xa9", OUTCOME_FAILED, {5, 0, 0},
	"a??[31m b???"},
    {550, "  blanks  \n  around ", OUTCOME_FAILED, {5, 0, 0}, "blanks around"},
};

Test(outcome, of_a_reply)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct outcome_case *c = &cases[i];
		struct outcome o = outcome_of_reply(
		    c->code, slice_of_str(c->reply), OUTCOME_DEFERRED);

		cr_assert_eq(o.kind, c->kind, "%s", c->reply);
		cr_assert_eq(o.code, c->code, "%s", c->reply);
		for (int j = 0; j < 3; j++)
			cr_assert_eq(o.status[j], c->status[j], "%s", c->reply);
		cr_assert(!o.site);
		cr_assert(slice_eq(slice_of(o.text, o.text_len),
			      slice_of_str(c->text)),
		    "%s: %.*s", c->reply, o.text_len, o.text);
	}
}

Test(outcome, of_a_4xx_is_what_the_caller_says)
{
	struct outcome o =
	    outcome_of_reply(421, SLICE("4.3.2 busy"), OUTCOME_OTHER_HOST);

	cr_assert_eq(o.kind, OUTCOME_OTHER_HOST);
	o = outcome_of_reply(521, SLICE("never"), OUTCOME_OTHER_HOST);
	cr_assert_eq(o.kind, OUTCOME_FAILED);
}

Test(outcome, cuts_a_long_text)
{
	char text[OUTCOME_TEXT_MAX * 2];

	memset(text, 'x', sizeof(text));
	text[OUTCOME_TEXT_MAX] = '\n';
	struct outcome o = outcome_of_reply(
	    550, slice_of(text, sizeof(text)), OUTCOME_DEFERRED);
	cr_assert_eq(o.text_len, OUTCOME_TEXT_MAX);
}

Test(outcome, of_an_error)
{
	struct outcome o = outcome_of_error(OUTCOME_OTHER_HOST,
	    (const uint8_t[]){4, 4, 1}, true, "connection refused");

	cr_assert_eq(o.kind, OUTCOME_OTHER_HOST);
	cr_assert_eq(o.code, 0);
	cr_assert(o.site);
	cr_assert(o.status[0] == 4 && o.status[1] == 4 && o.status[2] == 1);
	cr_assert(slice_eq(
	    slice_of(o.text, o.text_len), SLICE("connection refused")));
}
