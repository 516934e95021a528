/* test_sendmail_rcpts.c -- recipients as programs write them. */
#include "core/sendmail_rcpts.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/buf.h"

/* `rcpts`: with a blank behind each; NULL: something is no address. */
static const struct {
	const char *list, *rcpts;
} cases[] = {
    {"a@b", "a@b "},
    {" a@b\r\n", "a@b "},
    {"a@b,c@d", "a@b c@d "},
    {"a@b, a@b", "a@b "},
    {"root", "root@here.example "},
    {"root, <admin>, Joe <joe>", "root@here.example admin@here.example "
				 "joe@here.example "},
    {"\"Doe, J. <x@y>\" <a@b>", "a@b "},
    {"\"a \\\"b\\\"\" <a@b>", "a@b "},
    {"a@b (c, d <e@f> (g)), (h) i@j", "a@b i@j "},
    {"a@b (\\) c@d)", "a@b "},
    {"Us: a@b, c@d;, e@f", "a@b c@d e@f "},
    {"undisclosed-recipients:;", ""},
    {"Joe\r\n\t<a@b>,\r\n c@d", "a@b c@d "},
    {"\"a b\"@c", "\"a b\"@c "},
    {"\"a,b\"@c, d@e", "\"a,b\"@c d@e "},
    {"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1] "},
    {"<a@b> trailing words", "a@b "},
    {"", ""},
    {",,;", ""},
    {"a@", NULL},
    {"@b", NULL},
    {"a@b@c", NULL},
    {"a@b..c", NULL},
};

static struct sendmail_rcpts *make(void)
{
	struct sendmail_rcpts *r = calloc(1, sizeof(*r));

	cr_assert(sendmail_rcpts_init(r, "here.example"));
	return r;
}

static void destroy(struct sendmail_rcpts *r)
{
	sendmail_rcpts_deinit(r);
	free(r);
}

Test(sendmail_rcpts, reads_lists)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sendmail_rcpts *r = make();
		char room[500] = "";
		struct buf found = buf_over(room, sizeof(room) - 1);

		sendmail_rcpts_add_list(r, slice_of_str(cases[i].list));
		for (uint32_t n = 0; n < r->count; n++) {
			buf_put(&found, r->at[n].address);
			buf_put_byte(&found, ' ');
		}
		room[found.len] = '\0';
		cr_assert_eq(r->wrong[0] == '\0', cases[i].rcpts != NULL,
		    "%s: %s", cases[i].list, r->wrong);
		if (cases[i].rcpts != NULL)
			cr_assert_str_eq(room, cases[i].rcpts);
		destroy(r);
	}
}

Test(sendmail_rcpts, has_an_end)
{
	struct sendmail_rcpts *r = make();
	char name[40];

	for (unsigned i = 0; i <= SUBMISSION_RCPTS_MAX; i++) {
		cr_assert_eq(r->wrong[0], '\0');
		snprintf(name, sizeof(name), "u%u@b", i);
		sendmail_rcpts_add_list(r, slice_of_str(name));
	}
	cr_assert_eq(r->count, SUBMISSION_RCPTS_MAX);
	cr_assert_str_eq(r->wrong, "u1000@b: there are too many recipients");
	destroy(r);
}

Test(sendmail_rcpts, refuses_what_is_too_long)
{
	struct sendmail_rcpts *r = make();
	char text[2000];

	memset(text, 'a', sizeof(text));
	sendmail_rcpts_add_list(r, slice_of(text, sizeof(text)));
	cr_assert_neq(r->wrong[0], '\0');
	cr_assert_eq(r->count, 0);
	destroy(r);
}
