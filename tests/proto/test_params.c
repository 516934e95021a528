/* test_params.c -- the arguments of MAIL and RCPT. */
#include "proto/params.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"

Test(params, reads_all_of_mail)
{
	struct mail_params m;
	struct reply reply;

	cr_assert(params_mail(
	    SLICE("FROM:<a@b> SIZE=12345 BODY=8BITMIME SMTPUTF8 RET=HDRS "
		  "ENVID=QQ+2B1"),
	    &m, &reply));
	cr_assert(slice_eq(m.path.full, SLICE("a@b")));
	cr_assert_eq(m.size, 12345);
	cr_assert(m.body_8bit);
	cr_assert(m.smtputf8);
	cr_assert_eq(m.ret, DSN_RET_HDRS);
	cr_assert(slice_eq(m.envid, SLICE("QQ+2B1")));
}

Test(params, reads_all_of_rcpt)
{
	struct rcpt_params r;
	struct reply reply;

	cr_assert(params_rcpt(
	    SLICE("to:<a@b> notify=success,Delay orcpt=rfc822;c+3Dd@e"), false,
	    &r, &reply));
	cr_assert(slice_eq(r.path.full, SLICE("a@b")));
	cr_assert_eq(r.notify, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY);
	cr_assert(slice_eq(r.orcpt, SLICE("rfc822;c+3Dd@e")));
}

static const struct {
	const char *args;
	int code; /* 0: good */
	const char *enhanced;
} mails[] = {
    {"FROM:<>", 0, ""},
    {"from:<a@b>", 0, ""},
    {"FROM: <a@b>", 0, ""},
    {"FROM:<a@b>  ", 0, ""},
    {"FROM:<a@b>  SIZE=0", 0, ""},
    {"FROM:<a@b> size=1 body=7bit ret=full", 0, ""},
    {"FROM:<@x:a@b> BODY=8bitmime", 0, ""},
    {"FROM:<\xc3\xa4@b> SMTPUTF8", 0, ""},
    {"FROM:<\xc3\xa4@b>", 553, "5.6.7"},
    {"FROM:<\xe4@b> SMTPUTF8", 501, "5.1.7"},
    {"", 501, "5.5.4"},
    {"FROM", 501, "5.5.4"},
    {"FROM <a@b>", 501, "5.5.4"},
    {"TO:<a@b>", 501, "5.5.4"},
    {"FROM:", 501, "5.1.7"},
    {"FROM:a@b", 501, "5.1.7"},
    {"FROM:<a>", 501, "5.1.7"},
    {"FROM:<postmaster>", 501, "5.1.7"},
    {"FROM:<a@b", 501, "5.1.7"},
    {"FROM:<a@b>SIZE=1", 501, "5.5.4"},
    {"FROM:<a@b> SIZE", 501, "5.5.4"},
    {"FROM:<a@b> SIZE=", 501, "5.5.4"},
    {"FROM:<a@b> SIZE=x", 501, "5.5.4"},
    {"FROM:<a@b> SIZE=-1", 501, "5.5.4"},
    {"FROM:<a@b> SIZE=18446744073709551616", 501, "5.5.4"},
    {"FROM:<a@b> SIZE=1 SIZE=1", 501, "5.5.4"},
    {"FROM:<a@b> SIZE=1=2", 501, "5.5.4"},
    {"FROM:<a@b> BODY", 501, "5.5.4"},
    {"FROM:<a@b> BODY=9BIT", 501, "5.5.4"},
    {"FROM:<a@b> BODY=BINARYMIME", 555, "5.6.1"},
    {"FROM:<a@b> SMTPUTF8=1", 501, "5.5.4"},
    {"FROM:<a@b> SMTPUTF8 smtputf8", 501, "5.5.4"},
    {"FROM:<a@b> RET=ALL", 501, "5.5.4"},
    {"FROM:<a@b> RET", 501, "5.5.4"},
    {"FROM:<a@b> RET=FULL RET=HDRS", 501, "5.5.4"},
    {"FROM:<a@b> ENVID", 501, "5.5.4"},
    {"FROM:<a@b> AUTH", 501, "5.5.4"},
    {"FROM:<a@b> AUTH=a=b", 501, "5.5.4"},
    {"FROM:<a@b> AUTH=<> AUTH=<>", 501, "5.5.4"},
    {"FROM:<a@b> ENVID=a=b", 501, "5.5.4"},
    {"FROM:<a@b> ENVID=a+", 501, "5.5.4"},
    {"FROM:<a@b> ENVID=a+2", 501, "5.5.4"},
    {"FROM:<a@b> ENVID=a+2b", 501, "5.5.4"},
    {"FROM:<a@b> ENVID=\x01", 501, "5.5.4"},
    {"FROM:<a@b> AUTH=a+", 501, "5.5.4"},
    {"FROM:<a@b> NOTIFY=NEVER", 555, "5.5.4"},
    {"FROM:<a@b> X-Y=1", 555, "5.5.4"},
    {"FROM:<a@b> =1", 501, "5.5.4"},
    {"FROM:<a@b> -X", 501, "5.5.4"},
    {"FROM:<a@b> <c@d>", 501, "5.5.4"},
};

Test(params, judges_mail)
{
	for (size_t i = 0; i < COUNT(mails); i++) {
		struct mail_params m;
		struct reply reply = {.enhanced = ""};
		bool good =
		    params_mail(slice_of_str(mails[i].args), &m, &reply);

		cr_assert_eq(good, mails[i].code == 0, "%s", mails[i].args);
		cr_assert_eq(reply.code, mails[i].code, "%s", mails[i].args);
		cr_assert_str_eq(
		    reply.enhanced, mails[i].enhanced, "%s", mails[i].args);
	}
}

static const struct {
	const char *args;
	bool utf8;
	int code;
	const char *enhanced;
} rcpts[] = {
    {"TO:<a@b>", false, 0, ""},
    {"TO: <a@b> ", false, 0, ""},
    {"TO:<Postmaster>", false, 0, ""},
    {"TO:<a@b> NOTIFY=NEVER", false, 0, ""},
    {"TO:<a@b> NOTIFY=FAILURE,DELAY,SUCCESS", false, 0, ""},
    {"TO:<a@b> ORCPT=x400;/S=1/", false, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=x400;/S+3D1/", false, 0, ""},
    {"TO:<a@b> ORCPT=utf-8;a\\x{E4}@b", false, 0, ""},
    {"TO:<a@b> ORCPT=utf-8;\xc3\xa4@b", true, 0, ""},
    {"TO:<a@b> ORCPT=utf-8;\xc3\xa4@b", false, 553, "5.6.7"},
    {"TO:<a@b> ORCPT=utf-8;\xc3@b", true, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=utf-8;a\\x{E4@b", true, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=utf-8;a\\x{E}@b", true, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=utf-8;a\\x{1234567}@b", true, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=utf-8;a\\y@b", true, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=utf-8;a\\", true, 501, "5.5.4"},
    {"TO:<\xc3\xa4@b>", true, 0, ""},
    {"TO:<\xc3\xa4@b>", false, 553, "5.6.7"},
    {"TO:<>", false, 501, "5.1.3"},
    {"TO:a@b", false, 501, "5.1.3"},
    {"TO:<a>", false, 501, "5.1.3"},
    {"FROM:<a@b>", false, 501, "5.5.4"},
    {"", false, 501, "5.5.4"},
    {"TO:<a@b> NOTIFY", false, 501, "5.5.4"},
    {"TO:<a@b> NOTIFY=", false, 501, "5.5.4"},
    {"TO:<a@b> NOTIFY=NEVER,DELAY", false, 501, "5.5.4"},
    {"TO:<a@b> NOTIFY=DELAY,", false, 501, "5.5.4"},
    {"TO:<a@b> NOTIFY=,DELAY", false, 501, "5.5.4"},
    {"TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY", false, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=rfc822", false, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=;a@b", false, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=rfc822;", false, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=rfc822;a+4", false, 501, "5.5.4"},
    {"TO:<a@b> ORCPT=rfc822;\xc3\xa4@b", true, 501, "5.5.4"},
    {"TO:<a@b> SIZE=1", false, 555, "5.5.4"},
};

Test(params, judges_rcpt)
{
	for (size_t i = 0; i < COUNT(rcpts); i++) {
		struct rcpt_params r;
		struct reply reply = {.enhanced = ""};
		bool good = params_rcpt(
		    slice_of_str(rcpts[i].args), rcpts[i].utf8, &r, &reply);

		cr_assert_eq(good, rcpts[i].code == 0, "%s", rcpts[i].args);
		cr_assert_eq(reply.code, rcpts[i].code, "%s", rcpts[i].args);
		cr_assert_str_eq(
		    reply.enhanced, rcpts[i].enhanced, "%s", rcpts[i].args);
	}
}

Test(params, knows_the_limits_of_rfc_3461)
{
	for (size_t len = 99; len <= 101; len++) {
		char args[256];
		struct mail_params m;
		struct reply reply;

		snprintf(args, sizeof(args), "FROM:<> ENVID=%0*d", (int)len, 1);
		cr_assert_eq(
		    params_mail(slice_of_str(args), &m, &reply), len <= 100);
	}
	for (size_t len = 499; len <= 501; len++) {
		char args[600];
		struct rcpt_params r;
		struct reply reply;

		snprintf(args, sizeof(args), "TO:<a@b> ORCPT=rfc822;%0*d",
		    (int)len - 7, 1);
		cr_assert_eq(params_rcpt(slice_of_str(args), false, &r, &reply),
		    len <= 500);
	}
}

Test(params, is_never_read_beyond_its_end)
{
	for (size_t i = 0; i < COUNT(rcpts); i++)
		for (size_t len = 0; len <= strlen(rcpts[i].args); len++) {
			uint8_t *exact = malloc(len + 1);
			struct mail_params m;
			struct rcpt_params r;
			struct reply reply;

			memcpy(exact, rcpts[i].args, len);
			struct slice args = slice_of(exact, len);
			params_rcpt(args, true, &r, &reply);
			params_mail(args, &m, &reply);
			free(exact);
		}
}
