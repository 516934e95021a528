/* test_sender.c -- who may send as whom. */
#include "core/inbound/sender.h"

#include <criterion/criterion.h>

#define NONE SENDER_RESTRICTIONS_NONE
#define DOMAIN SENDER_RESTRICTIONS_DOMAIN
#define EMAIL SENDER_RESTRICTIONS_EMAIL
#define IDN "xn--bcher-kva.example" /* of "b\xc3\xbc" "cher.example" */

static char *domain_names[] = {(char[]){"example.org"},
    (char[]){"b\xc3\xbc"
	     "cher.example"},
    (char[]){"xn--mnchen-3ya.example"}};
static char *rights[] = {(char[]){"joe@example.org"}, (char[]){"@all.example"},
    (char[]){"J\xc3\xb6@B\xc3\xbc.x"},
    (char[]){"jim@b\xc3\xbc"
	     "cher.example"},
    (char[]){"\"a b\"@example.org"}, (char[]){"nonsense"}};

static const struct string_list domains = {domain_names, 3};
static const struct string_list list = {rights, 6}, no_list = {NULL, 0};
static const struct user with_list = {
    .name = {(const uint8_t *)"joe", 3}, .allowed_from = &list};
static const struct user without_list = {
    .name = {(const uint8_t *)"jim", 3}, .allowed_from = &no_list};

static const struct {
	enum sender_restrictions kind;
	const struct user *user;
	const char *from; /* of MAIL and of the header */
	enum sender_verdict verdict;
} cases[] = {
    {NONE, NULL, "any@where.example", SENDER_ALLOWED},
    {NONE, &with_list, "any@where.example", SENDER_ALLOWED},
    {DOMAIN, NULL, "any@example.org", SENDER_ALLOWED},
    {DOMAIN, NULL, "any@EXAMPLE.Org", SENDER_ALLOWED},
    {DOMAIN, NULL, "any@a.b.example.org", SENDER_ALLOWED},
    {DOMAIN, NULL, "any@notexample.org", SENDER_REFUSED},
    {DOMAIN, NULL, "any@example.org.x", SENDER_REFUSED},
    {DOMAIN, NULL, "any@org", SENDER_REFUSED},
    {DOMAIN, NULL, "any@[192.0.2.1]", SENDER_REFUSED},
    {DOMAIN, NULL, "\"x@example.org\"@evil.example", SENDER_REFUSED},
    {DOMAIN, NULL, "any@" IDN, SENDER_ALLOWED},
    {DOMAIN, NULL, "any@x.XN--BCHER-kva.example", SENDER_ALLOWED},
    {DOMAIN, NULL, "any@m\xc3\xbcnchen.example", SENDER_ALLOWED},
    {DOMAIN, &without_list, "any@where.example", SENDER_REFUSED},
    {EMAIL, NULL, "joe@example.org", SENDER_LOGIN_FIRST},
    {EMAIL, &without_list, "any@where.example", SENDER_ALLOWED},
    {EMAIL, &with_list, "joe@example.org", SENDER_ALLOWED},
    {EMAIL, &with_list, "JOE@Example.ORG", SENDER_ALLOWED},
    {EMAIL, &with_list, "\"joe\"@example.org", SENDER_ALLOWED},
    {EMAIL, &with_list, "\"j\\oe\"@example.org", SENDER_ALLOWED},
    {EMAIL, &with_list, "\"A b\"@example.org", SENDER_ALLOWED},
    {EMAIL, &with_list, "joe@sub.example.org", SENDER_REFUSED},
    {EMAIL, &with_list, "joe+x@example.org", SENDER_REFUSED},
    {EMAIL, &with_list, "jim@example.org", SENDER_REFUSED},
    {EMAIL, &with_list, "any@all.example", SENDER_ALLOWED},
    {EMAIL, &with_list, "any@sub.all.example", SENDER_REFUSED},
    {EMAIL, &with_list, "jim@" IDN, SENDER_ALLOWED},
    {EMAIL, &with_list, "nonsense@nonsense", SENDER_REFUSED},
};

static struct header_from header(const char *value)
{
	struct header_from from = {.count = 1, .len = (uint16_t)strlen(value)};

	memcpy(from.text, value, strlen(value));
	return from;
}

static enum sender_verdict judge_mail(const struct sender_rules *r,
    const struct user *user, const char *text, struct buf *why)
{
	struct address from = {0};

	if (text[0] != '\0')
		cr_assert(
		    address_parse(slice_of_str(text), true, &from), "%s", text);
	return sender_judge_envelope(r, user, &from, why);
}

Test(sender, is_judged_in_envelope_and_header)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t room[SENDER_TEXT_MAX];
		struct buf why = buf_over(room, sizeof(room));
		struct header_from from = header(cases[i].from);
		struct sender_rules r;

		cr_assert_eq(sender_open(&r, cases[i].kind, &domains, 7), 0);
		cr_assert_eq(judge_mail(&r, cases[i].user, cases[i].from, &why),
		    cases[i].verdict, "envelope %zu", i);
		cr_assert_eq(why.len > 0, cases[i].verdict != SENDER_ALLOWED);
		buf_clear(&why);
		cr_assert_eq(
		    sender_judge_header(&r, cases[i].user, &from, &why),
		    cases[i].verdict, "header %zu", i);
		cr_assert_eq(why.len > 0, cases[i].verdict != SENDER_ALLOWED);
		cr_assert_not(why.overflowed);
		sender_close(&r);
	}
}

Test(sender, of_a_report_passes_where_somebody_may_send)
{
	struct sender_rules r;
	uint8_t room[SENDER_TEXT_MAX];
	struct buf why = buf_over(room, sizeof(room));

	cr_assert_eq(sender_open(&r, DOMAIN, &domains, 7), 0);
	cr_assert_eq(judge_mail(&r, NULL, "", &why), SENDER_ALLOWED);
	sender_close(&r);
	cr_assert_eq(sender_open(&r, EMAIL, &domains, 7), 0);
	cr_assert_eq(judge_mail(&r, &with_list, "", &why), SENDER_ALLOWED);
	cr_assert_eq(judge_mail(&r, NULL, "", &why), SENDER_LOGIN_FIRST);
	sender_close(&r);
}

static const struct {
	const char *value;
	enum sender_verdict verdict;
	const char *text; /* what the refusal names */
} headers[] = {
    {" Joe <a@example.org>\r\n", SENDER_ALLOWED, ""},
    {" Us: a@example.org, \"b\" <c@x.example.org>;\r\n", SENDER_ALLOWED, ""},
    {" a@example.org, b@evil.example\r\n", SENDER_REFUSED,
	"From: <b@evil.example>"},
    {" Us: a@example.org; , b@evil.example\r\n", SENDER_REFUSED,
	"From: <b@evil.example>"},
    {" \"a@example.org\" <b@evil.example>\r\n", SENDER_REFUSED,
	"From: <b@evil.example>"},
    {" a@example.org <b@evil.example>\r\n", SENDER_REFUSED,
	"cannot be read with certainty"},
    {" Us:;\r\n", SENDER_REFUSED, "it has no address"},
    {"\r\n", SENDER_REFUSED, "cannot be read with certainty"},
    {" \xc3\xb6@evil.example\r\n", SENDER_REFUSED, "<??@evil.example>"},
};

Test(sender, is_every_address_of_from)
{
	struct sender_rules r;

	cr_assert_eq(sender_open(&r, DOMAIN, &domains, 7), 0);
	for (size_t i = 0; i < COUNT(headers); i++) {
		char room[SENDER_TEXT_MAX + 1] = "";
		struct buf why = buf_over(room, SENDER_TEXT_MAX);
		struct header_from from = header(headers[i].value);

		cr_assert_eq(sender_judge_header(&r, NULL, &from, &why),
		    headers[i].verdict, "%zu", i);
		room[why.len] = '\0';
		cr_assert(strstr(room, headers[i].text) != NULL, "%s", room);
	}
	sender_close(&r);
}

Test(sender, must_be_said_once_and_surely)
{
	const struct {
		uint32_t count;
		bool too_long, torn;
		enum sender_verdict verdict;
	} facts[] = {
	    {1, false, false, SENDER_ALLOWED},
	    {0, false, false, SENDER_REFUSED},
	    {2, false, false, SENDER_REFUSED},
	    {1, true, false, SENDER_REFUSED},
	    {1, false, true, SENDER_REFUSED},
	};
	struct sender_rules r, free_for_all;

	cr_assert_eq(sender_open(&r, DOMAIN, &domains, 7), 0);
	cr_assert_eq(sender_open(&free_for_all, NONE, &domains, 7), 0);
	for (size_t i = 0; i < COUNT(facts); i++) {
		uint8_t room[SENDER_TEXT_MAX];
		struct buf why = buf_over(room, sizeof(room));
		struct header_from from = header("a@example.org");

		from.count = facts[i].count;
		from.too_long = facts[i].too_long;
		from.torn = facts[i].torn;
		cr_assert_eq(sender_judge_header(&r, NULL, &from, &why),
		    facts[i].verdict, "%zu", i);
		cr_assert_eq(
		    sender_judge_header(&free_for_all, NULL, &from, &why),
		    SENDER_ALLOWED);
	}
	sender_close(&r);
	sender_close(&free_for_all);
}
