#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/config/yaml.h"

/* The tree in one line: [a, b], {k: v}; what is quoted in quotes. */
static void put(const struct node *n, FILE *out)
{
	if (n->kind == NODE_SCALAR) {
		fprintf(out, n->quoted ? "'%.*s'" : "%.*s", (int)n->text.len,
		    n->text.at);
		return;
	}
	fputc(n->kind == NODE_LIST ? '[' : '{', out);
	for (struct node_entry *e = n->entries; e != NULL; e = e->next) {
		if (n->kind == NODE_MAP)
			fprintf(out, "%.*s: ", (int)e->key.len, e->key.at);
		put(e->value, out);
		fputs(e->next == NULL ? "" : ", ", out);
	}
	fputc(n->kind == NODE_LIST ? ']' : '}', out);
}

/* The text read, or what was complained about; to be freed. */
static char *read_text(struct slice text)
{
	char *result;
	size_t len;
	FILE *out = open_memstream(&result, &len);
	struct complaints complaints = {.out = out};
	struct config_memory *m = memory_open();
	struct node *n = yaml_read(m, &complaints, "f", text);

	cr_expect_eq(n == NULL, complaints.count > 0);
	if (n != NULL)
		put(n, out);
	memory_close(m);
	fclose(out);
	return result;
}

static const struct {
	const char *in;
	const char *out;
} cases[] = {
    {"", "[]"},
    {"# nothing\n", "[]"},
    {"---\n", "[]"},
    {"a", "[a]"},
    {"a: b", "[{a: b}]"},
    {"a: 'b'\nc: \"d\"\n", "[{a: 'b', c: 'd'}]"},
    {"a:\n  - b\n  - [c, {d: e}]\n", "[{a: [b, [c, {d: e}]]}]"},
    {"a: |\n  x\n  y\n", "[{a: 'x\ny\n'}]"},
    {"---\na: b\n---\nc: d\n...\n", "[{a: b}, {c: d}]"},
    {"a: &x [b]\nc: *x\n", "[{a: [b], c: [b]}]"},
    {"a: &x b\nc: &x d\ne: *x\n", "[{a: b, c: d, e: d}]"},
    {"a: !!str 1\nb: ! 2\n", "[{a: 1, b: 2}]"},
    {"\xef\xbb\xbf"
     "a: b\n",
	"[{a: b}]"},
    {"a: *587", "f:1: *587: no such anchor (put a value that begins with * "
		"in quotes)\n"},
    {"a:\n  b: *:587\n", "f:2: not YAML: did not find expected alphabetic "
			 "or numeric character while scanning an alias (put a "
			 "value that begins with * in quotes)\n"},
    {"&x a: &x {b: *y}", "f:1: *y: no such anchor (put a value that begins "
			 "with * in quotes)\n"},
    {"a: &x [*x]", "f:1: *x: no such anchor (put a value that begins with * "
		   "in quotes)\n"},
    {"--- &x a\n--- *x\n", "f:2: *x: no such anchor (put a value that begins "
			   "with * in quotes)\n"},
    {"a: 1\nb: 2\na: 3\n", "f:3: a is here twice; first on line 1\n"},
    {"? [a]\n: b\n", "f:1: a key must be a plain word\n"},
    {"a: !mine b\n", "f:1: unknown tag !mine\n"},
    {"a: !!binary aGk=\n", "f:1: unknown tag binary\n"},
    {"a: \"x\\0y\"\n", "f:1: a value may not have a NUL byte\n"},
    {"\"\\0\": y\n", "f:1: a value may not have a NUL byte\n"},
    {"\n\na: [b\n", "f:4: not YAML: did not find expected ',' or ']' while "
		    "parsing a flow sequence\n"},
    {"a: b: c\n", "f:1: not YAML: mapping values are not allowed in this "
		  "context\n"},
    {"[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]"},
    {"[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]",
	"f:1: maps and lists are nested too deep\n"},
};

Test(yaml, reads_trees_and_names_the_line_of_what_is_none)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *result = read_text(slice_of_str(cases[i].in));

		cr_expect_str_eq(result, cases[i].out);
		free(result);
	}
}

Test(yaml, a_text_cut_anywhere_is_a_tree_or_an_error)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].in);

		for (size_t cut = 0; cut <= len; cut++) {
			/* A copy of its own, so that a read behind it shows. */
			uint8_t *text = malloc(cut + 1);

			memcpy(text, cases[i].in, cut);
			text = realloc(text, cut == 0 ? 1 : cut);
			free(read_text(slice_of(text, cut)));
			free(text);
		}
	}
}

static char *many(
    unsigned count, const char *head, const char *format, const char *tail)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(head, out);
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	for (unsigned i = 0; i < count; i++)
		fprintf(out, format, i);
	fputs(tail, out);
	fclose(out);
	return text;
}

static void expect_refused(char *text, const char *why)
{
	char *result = read_text(slice_of_str(text));

	cr_expect_not_null(strstr(result, why), "%.100s", result);
	free(result);
	free(text);
}

Test(yaml, aliases_of_aliases_are_counted_before_they_are_walked)
{
	expect_refused(strdup("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
			      "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
			      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
			      "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
			      "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
			      "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"),
	    "f:6: too many values");
}

Test(yaml, aliases_cannot_nest_deeper_than_text)
{
	expect_refused(strdup("a: &a [[[[[[[[[x]]]]]]]]]\n"
			      "b: [[[[[[[[*a]]]]]]]]\n"),
	    "nested too deep");
}

Test(yaml, depth_keys_and_anchors_have_limits)
{
	expect_refused(many(100000, "", "[", ""), "nested too deep");
	expect_refused(many(100000, "", "{a%u: ", ""), "nested too deep");
	expect_refused(many(100000, "", "a%u: b\n", ""), "keys in a map");
	expect_refused(many(5000, "", "- &a%u b\n", ""), "anchors");
}

Test(yaml, a_list_may_be_long)
{
	char *text = many(50000, "", "- %u\n", "");
	char *result = read_text(slice_of_str(text));

	cr_expect_not_null(strstr(result, ", 49999]"));
	free(result);
	free(text);
}

Test(yaml, a_text_over_the_limit_is_not_read)
{
	size_t len = YAML_LEN_MAX + 1;
	char *text = malloc(len);

	memset(text, ' ', len);
	char *result = read_text(slice_of(text, len));
	cr_expect_not_null(strstr(result, "larger than"));
	free(result);
	free(text);
}

Test(yaml, lines_are_those_of_the_file)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct complaints complaints = {.out = out};
	struct config_memory *m = memory_open();
	struct node *n = yaml_read(
	    m, &complaints, "f", SLICE("# c\na:\n  - b\n\n  - c\nd: e\n"));

	struct node *map = n->entries->value;
	cr_expect_eq(map->entries->line, 2);
	cr_expect_eq(map->entries->value->entries->line, 3);
	cr_expect_eq(map->entries->value->entries->next->line, 5);
	cr_expect_eq(map->entries->next->line, 6);
	memory_close(m);
	fclose(out);
	free(text);
}

Test(yaml, null_is_null_only_without_quotes)
{
	static const struct {
		const char *text;
		bool null;
	} nulls[] = {
	    {"a: ", true},
	    {"a: ~", true},
	    {"a: null", true},
	    {"a: NULL", true},
	    {"a: ''", false},
	    {"a: 'null'", false},
	    {"a: nothing", false},
	    {"a: []", false},
	};

	for (size_t i = 0; i < COUNT(nulls); i++) {
		struct complaints complaints = {.out = stderr};
		struct config_memory *m = memory_open();
		struct node *n =
		    yaml_read(m, &complaints, "f", slice_of_str(nulls[i].text));

		cr_expect_eq(node_is_null(n->entries->value->entries->value),
		    nulls[i].null, "%s", nulls[i].text);
		memory_close(m);
	}
}
