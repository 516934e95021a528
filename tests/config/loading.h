/* loading.h -- a configuration loaded for a test, and what was said of it. */
#ifndef TESTS_CONFIG_LOADING_H
#define TESTS_CONFIG_LOADING_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/config/assign.h"
#include "core/config/config.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/source.h"

#define NOWHERE "/nonexistent/smarthost"
#define FIXTURES "tests/config/fixtures/"

/* Loads; *said is what was complained about, to be freed. */
static inline struct config *load(const char *dir,
    const char *const *environment, const char *const *sets, char **said)
{
	struct config_arguments arguments = {
	    .dir = dir,
	    .sets = sets,
	    .environment = environment,
	};
	size_t len;
	FILE *out = open_memstream(said, &len);

	while (sets != NULL && sets[arguments.set_count] != NULL)
		arguments.set_count++;
	struct config *c = config_load(&arguments, out);
	fclose(out);
	/* A configuration that is good may come with warnings. */
	cr_expect(c != NULL || len > 0, "%s", *said);
	return c;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline struct config *load_good(
    const char *dir, const char *const *environment, const char *const *sets)
{
	char *said;
	struct config *c = load(dir, environment, sets, &said);

	cr_assert_not_null(c, "%s", said);
	free(said);
	return c;
}

static inline void expect_complaint(const char *dir,
    const char *const *environment, const char *const *sets,
    const char *complaint)
{
	char *said;
	struct config *c = load(dir, environment, sets, &said);

	cr_expect_null(c, "%s", complaint);
	cr_expect_not_null(
	    strstr(said, complaint), "wanted %s\ngot %s", complaint, said);
	config_free(c);
	free(said);
}

/* A key's value as YAML; to be freed. */
static inline char *value_of(const struct config *c, const char *key)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	const struct option *o = option_find(slice_of_str(key));

	cr_assert_not_null(o, "%s", key);
	if (!option_is_table(o))
		option_put(c, o, out);
	fclose(out);
	return text;
}

static inline void expect_value(
    const struct config *c, const char *key, const char *value)
{
	char *text = value_of(c, key);

	cr_expect_str_eq(text, value, "%s", key);
	free(text);
}

/* Reads a text as a file would be; *said is to be freed. */
static inline struct config *read_yaml(const char *text, char **said)
{
	struct config *c = load_good(NOWHERE, NULL, NULL);
	size_t len;
	struct complaints complaints = {.out = open_memstream(said, &len)};

	source_yaml(c, &complaints, "f.yaml", slice_of_str(text));
	fclose(complaints.out);
	return c;
}

#endif
