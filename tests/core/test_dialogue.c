/* test_dialogue.c -- what is shown of a dialogue, and what is not. */
#include "core/dialogue.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/check.h"

static const struct {
	const char *said; /* each line with its side in front */
	const char *shown;
} cases[] = {
    {"<220 hi\r\n>EHLO a\r\n<250 a\r\n", "< 220 hi\n> EHLO a\n< 250 a\n"},
    {">AUTH PLAIN AGEAYg==\r\n<235 ok\r\n", "> AUTH PLAIN ***\n< 235 ok\n"},
    {">auth login\r\n<334 VXNlcg==\r\n>YQ==\r\n<334 UGFz\r\n>Yg==\r\n"
     "<235 ok\r\n>MAIL\r\n",
	"> AUTH login\n< 334 VXNlcg==\n> ***\n< 334 UGFz\n> ***\n< 235 ok\n"
	"> MAIL\n"},
    {">AUTH SCRAM-SHA-256 biws\r\n<334 x\r\n>*\r\n<501 ok\r\n",
	"> AUTH SCRAM-SHA-256 ***\n< 334 x\n> *\n< 501 ok\n"},
    {"<250-a\r\n<334 b\001\033[1m\r\n", "< 250-a\n< 334 b??[1m\n"},
};

/* The server's lines come in pieces of `step` bytes. */
static void say(struct dialogue *d, const char *said, size_t step)
{
	struct slice rest = slice_of_str(said);

	while (rest.len > 0) {
		uint8_t side = rest.at[0];
		size_t end = slice_find(rest, '\n') + 1;
		struct slice line = slice_cut(&rest, end);

		(void)slice_cut(&line, 1);
		if (side == '>')
			dialogue_sent(d, line);
		while (side == '<' && line.len > 0)
			dialogue_received(
			    d, slice_cut(
				   &line, line.len < step ? line.len : step));
	}
}

Test(dialogue, shows_no_secret)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = NULL;
		size_t len;
		struct dialogue d = {.out = open_memstream(&text, &len)};

		say(&d, cases[i].said, 1000);
		fclose(d.out);
		cr_assert_str_eq(text, cases[i].shown);
		free(text);
	}
}

Test(dialogue, shows_the_same_however_it_arrives)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t step = 1; step < 12; step++) {
			char *text = NULL;
			size_t len;
			struct dialogue d = {
			    .out = open_memstream(&text, &len)};

			say(&d, cases[i].said, step);
			fclose(d.out);
			cr_assert_str_eq(text, cases[i].shown, "%zu", step);
			free(text);
		}
}
