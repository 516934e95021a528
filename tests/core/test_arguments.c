#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/arguments.h"

#define WORDS_MAX 8
#define EVERYTHING (TAKES_CONFIG | TAKES_PRINT | TAKES_SPOOL | TAKES_JSON)

static const struct {
	const char *words[WORDS_MAX];
	unsigned takes;
	bool refused;
	const char *dir, *spool, *first_set, *last_set, *operand;
	size_t set_count, operand_count;
	bool print, json, help;
} cases[] = {
    {{NULL}, .takes = 0},
    {{"--config-dir", "a"}, EVERYTHING, .dir = "a"},
    {{"--config-dir=a"}, EVERYTHING, .dir = "a"},
    {{"--config-dir="}, EVERYTHING, .dir = ""},
    {{"--config-dir", "--set"}, EVERYTHING, .dir = "--set"},
    {{"--set", "a=b"}, EVERYTHING, .first_set = "a=b", .last_set = "a=b",
	.set_count = 1},
    {{"--set=a=b", "x", "--set", "c=d=e", "--set=f"}, EVERYTHING,
	.first_set = "a=b", .last_set = "f", .set_count = 3, .operand = "x",
	.operand_count = 1},
    {{"x", "--json", "--print", "--spool", "s"}, EVERYTHING, .operand = "x",
	.operand_count = 1, .json = true, .print = true, .spool = "s"},
    {{"--", "--set"}, EVERYTHING, .operand = "--set", .operand_count = 1},
    {{"-"}, EVERYTHING, .operand = "-", .operand_count = 1},
    {{"--help"}, 0, .help = true},
    {{"-h", "x"}, 0, .help = true, .operand = "x", .operand_count = 1},
    {{"a", "b", "c", "d"}, 0, .operand = "a", .operand_count = 4},
    {{"a", "b", "c", "d", "e"}, 0, .refused = true},
    {{"--set"}, EVERYTHING, .refused = true},
    {{"--config-dir"}, EVERYTHING, .refused = true},
    {{"--json=yes"}, EVERYTHING, .refused = true},
    {{"--sets", "a=b"}, EVERYTHING, .refused = true},
    {{"-x"}, EVERYTHING, .refused = true},
    {{"--set", "a=b"}, TAKES_SPOOL, .refused = true},
    {{"--spool", "a"}, TAKES_CONFIG, .refused = true},
};

static void expect_text(const char *have, const char *want, size_t i)
{
	cr_expect_eq(have == NULL, want == NULL, "case %zu", i);
	if (have != NULL && want != NULL)
		cr_expect_str_eq(have, want, "case %zu", i);
}

Test(arguments, are_options_anywhere_and_operands)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *words[WORDS_MAX + 1] = {NULL};
		struct arguments a;
		int count = 0;

		for (; cases[i].words[count] != NULL; count++)
			words[count] = strdup(cases[i].words[count]);
		char *given[WORDS_MAX + 1];
		memcpy(given, words, sizeof(given));
		bool good = arguments_read(&a, count, words, cases[i].takes);
		cr_expect_eq(good, !cases[i].refused, "case %zu", i);
		if (good) {
			expect_text(a.config.dir, cases[i].dir, i);
			expect_text(a.spool, cases[i].spool, i);
			cr_expect_eq(a.config.set_count, cases[i].set_count);
			if (a.config.set_count > 0) {
				expect_text(
				    a.config.sets[0], cases[i].first_set, i);
				expect_text(
				    a.config.sets[a.config.set_count - 1],
				    cases[i].last_set, i);
			}
			cr_expect_eq(a.operand_count, cases[i].operand_count);
			expect_text(a.operands[0], cases[i].operand, i);
			cr_expect_eq(a.print, cases[i].print);
			cr_expect_eq(a.json, cases[i].json);
			cr_expect_eq(a.help, cases[i].help);
		}
		for (int n = 0; n < count; n++)
			free(given[n]);
	}
}
