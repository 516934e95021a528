/* test_table.c -- which mail is signed with which keys. */
#include "dkim/table.h"

#include <criterion/criterion.h>

#include "tests/dkim/keys.h"

static const struct {
	enum dkim_rule_kind kind;
	const char *pattern;
	uint32_t key;
} rules[] = {
    {DKIM_RULE_DOMAIN, "example.com", 0},
    {DKIM_RULE_SUBDOMAINS, "example.org", 1},
    {DKIM_RULE_DOMAIN, "example.org", 2}, /* a second signature */
    {DKIM_RULE_ADDRESS, "boss@example.com", 3},
    {DKIM_RULE_SUBDOMAINS, "deep.example.org", 4},
    {DKIM_RULE_PATTERN, "*@*.example.com", 5},
    {DKIM_RULE_PATTERN, "news-*@*", 6},
    {DKIM_RULE_PATTERN, "*@*.example.com", 7},
    {DKIM_RULE_ADDRESS, "boss@example.com", 0},
};

static const struct {
	const char *local, *domain;
	const char *keys; /* digits */
} cases[] = {
    {"me", "example.com", "0"},
    {"me", "EXAMPLE.com", "0"},
    {"me", "example.net", ""},
    {"me", "xexample.com", ""},
    {"me", "example.org", "12"},
    {"me", "a.example.org", "1"},
    {"me", "a.b.Example.org", "1"},
    {"me", "aexample.org", ""},
    {"me", "deep.example.org", "4"},
    {"me", "x.deep.example.org", "4"},
    {"boss", "example.com", "30"},
    {"BOSS", "example.com", "30"},
    {"boss", "x.example.com", "57"},
    {"me", "x.y.example.com", "57"},
    {"news-1", "anything.example", "6"},
    {"news", "anything.example", ""},
    {"news-1", "x.example.com", "57"},
    {"news-1", "example.com", "0"},
    {"", "example.com", "0"},
    {"me", "", ""},
    {"me", "org", ""},
};

static void fill(struct dkim_table *t, struct dkim *d, uint32_t key_count)
{
	cr_assert_eq(dkim_table_init(t, d, key_count, COUNT(rules)), 0);
	for (uint32_t i = 0; i < key_count; i++)
		dkim_table_add_key(t, &(struct dkim_table_key){
					  .domain = SLICE("%"),
					  .selector = SLICE("s"),
					  .pem = slice_of_str(ed25519_pem),
				      });
	for (size_t i = 0; i < COUNT(rules); i++)
		dkim_table_add_rule(t, rules[i].kind,
		    slice_of_str(rules[i].pattern), rules[i].key);
}

Test(table, finds_the_keys_of_an_address)
{
	struct dkim_table t;

	fill(&t, NULL, 8);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dkim_table_key *found[DKIM_TABLE_MATCH_MAX];
		char keys[DKIM_TABLE_MATCH_MAX + 1] = "";
		unsigned count =
		    dkim_table_find(&t, slice_of_str(cases[i].local),
			slice_of_str(cases[i].domain), found);

		for (unsigned n = 0; n < count; n++)
			keys[n] = (char)('0' + (found[n] - t.keys));
		cr_assert_str_eq(keys, cases[i].keys, "%s@%s: '%s'",
		    cases[i].local, cases[i].domain, keys);
	}
	dkim_table_deinit(&t);
}

Test(table, has_nothing_when_nothing_is_configured)
{
	struct dkim_table t;
	struct dkim_table_key *found[DKIM_TABLE_MATCH_MAX];

	cr_assert_eq(dkim_table_init(&t, NULL, 0, 0), 0);
	cr_assert_eq(
	    dkim_table_find(&t, SLICE("me"), SLICE("example.com"), found), 0);
	dkim_table_deinit(&t);
}

/* An address longer than any is signed by its domain's key all the same. */
Test(table, reads_no_further_than_its_room)
{
	struct dkim_table t;
	struct dkim_table_key *found[DKIM_TABLE_MATCH_MAX];
	uint8_t local[1000];

	memset(local, 'x', sizeof(local));
	fill(&t, NULL, 8);
	cr_assert_eq(dkim_table_find(&t, slice_of(local, sizeof(local)),
			 SLICE("example.com"), found),
	    1);
	dkim_table_deinit(&t);
}

Test(table, opens_keys_when_they_are_used_and_keeps_the_latest)
{
	struct dkim_table t;
	const char *why, *warning;
	struct dkim *d = dkim_open(&why);

	cr_assert_not_null(d);
	fill(&t, d, 20);
	t.open_count_max = 10;
	for (unsigned i = 0; i < 20; i++) {
		cr_assert_not_null(
		    dkim_table_use(&t, &t.keys[i], &why, &warning));
		cr_assert_not_null(
		    dkim_table_use(&t, &t.keys[0], &why, &warning));
		cr_assert_leq(t.open_count, 10);
	}
	cr_assert_not_null(t.keys[0].key);
	cr_assert_not_null(t.keys[19].key);
	cr_assert_null(t.keys[1].key);
	dkim_table_deinit(&t);
	dkim_close(d);
}

Test(table, remembers_why_a_key_cannot_be_used)
{
	struct dkim_table t;
	const char *why, *warning;
	struct dkim *d = dkim_open(&why);

	cr_assert_eq(dkim_table_init(&t, d, 2, 0), 0);
	dkim_table_add_key(
	    &t, &(struct dkim_table_key){.pem = slice_of_str(rsa512_pem)});
	dkim_table_add_key(
	    &t, &(struct dkim_table_key){.pem = slice_of_str(rsa1024_pem),
		    .body_canon = DKIM_RELAXED});
	cr_assert_eq(t.canons, 1u << DKIM_SIMPLE | 1u << DKIM_RELAXED);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_null(dkim_table_use(&t, &t.keys[0], &why, &warning));
		cr_assert_not_null(strstr(why, "1024 bits"));
		cr_assert_not_null(
		    dkim_table_use(&t, &t.keys[1], &why, &warning));
		cr_assert_eq(warning != NULL, i == 0);
	}
	dkim_table_deinit(&t);
	dkim_close(d);
}

Test(table, says_when_there_are_more_keys_than_it_gives)
{
	struct dkim_table t;
	struct dkim_table_key *found[DKIM_TABLE_MATCH_MAX];

	cr_assert_eq(dkim_table_init(&t, NULL, 1, DKIM_TABLE_MATCH_MAX + 1), 0);
	dkim_table_add_key(
	    &t, &(struct dkim_table_key){.domain = SLICE("a.lab")});
	for (unsigned i = 1; i <= DKIM_TABLE_MATCH_MAX + 1; i++) {
		dkim_table_add_rule(&t, DKIM_RULE_DOMAIN, SLICE("a.lab"), 0);
		cr_assert_eq(
		    dkim_table_find(&t, SLICE("me"), SLICE("a.lab"), found), i);
	}
	dkim_table_deinit(&t);
}
