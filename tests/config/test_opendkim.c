/* OpenDKIM's tables, as users of the image have written them. */
#include "tests/config/loading.h"

#include "core/config/opendkim.h"

#define KEYS FIXTURES "tables/opendkim.keys/a.key"

static const struct {
	enum config_signing_kind kind;
	const char *pattern;
	unsigned key;
} rules[] = {
    {SIGNING_DOMAIN, "example.org", 0},
    {SIGNING_DOMAIN, "example.net", 1},
    {SIGNING_ADDRESS, "boss@example.org", 1},
    {SIGNING_PATTERN, "*@*.example.com", 1},
    {SIGNING_PATTERN, "info@*.example.com", 1},
    {SIGNING_PATTERN, "*@*.example.info", 1},
    {SIGNING_PATTERN, "*@news*", 1},
};

Test(opendkim, both_tables_of_a_directory)
{
	struct config *c = load_good(FIXTURES "tables", NULL, NULL);

	cr_assert_eq(c->dkim_key_count, 2);
	cr_expect_str_eq(c->dkim_keys[0].name, "r._domainkey.example.org");
	cr_expect_str_eq(c->dkim_keys[0].domain, "example.org");
	cr_expect_str_eq(c->dkim_keys[0].selector, "r");
	cr_expect_str_eq(c->dkim_keys[0].pem.source, KEYS);
	cr_expect_str_eq(c->dkim_keys[1].domain, "%");
	cr_assert_eq(c->signing_count, COUNT(rules));
	for (size_t i = 0; i < COUNT(rules); i++) {
		cr_expect_eq(c->signings[i].kind, rules[i].kind, "%zu", i);
		cr_expect_str_eq(c->signings[i].pattern, rules[i].pattern);
		cr_expect_eq(c->signings[i].key, rules[i].key);
	}
	cr_expect_str_eq(
	    c->signings[0].source, FIXTURES "tables/opendkim/signingtable:2");
	config_free(c);
}

Test(opendkim, users_d)
{
	struct config *c = load_good(FIXTURES "tables", NULL, NULL);

	cr_assert_eq(c->user_count, 3);
	cr_expect_str_eq(c->users[0].password, "password1");
	cr_expect_str_eq(c->users[1].password, "pass word # two");
	cr_expect_str_eq(
	    c->users[1].source, FIXTURES "tables/users.d/10.conf:4");
	cr_expect_str_eq(c->users[2].name, "user3");
	config_free(c);
	expect_complaint(FIXTURES "tables", LIST("SH_AUTH=user1:x"), NULL,
	    "SH_AUTH: user user1 is here twice; first at " FIXTURES
	    "tables/users.d/10.conf:2\n");
}

static const struct {
	const char *keytable, *signingtable, *said;
} tables[] = {
    {"", "", ""},
    {"# a\n\n  # b\n", "#\n", ""},
    {"k a.example:s:" KEYS "\n", "a.example k", ""},
    {"k a.example:s:" KEYS "\n", "a.example k a.example",
	"s:1: warning: the third column is not used: i= is the domain of the "
	"address\n"},
    {"k a.example:s\n", "", "k:1: the key's file is missing\n"},
    {"k\n", "", "k:1: must be: name domain:selector:file\n"},
    {"k a.example\n", "", "k:1: must be: name domain:selector:file\n"},
    {"k a_b/c:s:x\n", "",
	"k:1: 'a_b/c': may have letters, digits, hyphens and dots only\n"},
    {"k a.example:s s:x\n", "",
	"k:1: selector 's s': may have letters, digits, hyphens and dots "
	"only\n"},
    {"k a.example:s:/keys/%.key\n", "",
	"k:1: a key's file must be named: no % in it\n"},
    {"k a.example:s:/nonexistent\n", "a.example k\n",
	"k:1: /nonexistent: cannot be read: No such file or directory\n"
	"s:1: key k is not in keytable, or cannot be used\n"},
    {"k a.example:s:/dev/null\n", "",
	"k:1: /dev/null: there is no private key in it (PEM)\n"},
    {"", "a.example k\n", "s:1: key k is not in keytable, or cannot be used\n"},
    {"", "a.example\n", "s:1: must be: pattern key\n"},
    {"k a.example:s:" KEYS "\n", "a@ k\nb@c d k\n@. k\n% k\n",
	"s:1: 'a@': must not be empty\n"
	"s:2: warning: the third column is not used: i= is the domain of the "
	"address\n"
	"s:2: key d is not in keytable, or cannot be used\n"
	"s:3: '@.': must not be empty\n"
	"s:4: '%': may have letters, digits, hyphens and dots only\n"},
};

Test(opendkim, what_is_wrong_is_said_by_line)
{
	for (size_t i = 0; i < COUNT(tables); i++) {
		struct config *c = load_good(NOWHERE, NULL, NULL);
		char *said;
		size_t len;
		struct complaints complaints = {
		    .out = open_memstream(&said, &len)};
		struct opendkim_table keys = {
		    "k", slice_of_str(tables[i].keytable)};
		struct opendkim_table signings = {
		    "s", slice_of_str(tables[i].signingtable)};

		c->dir = memory_copy(c->memory, SLICE("."));
		opendkim_read(c, &complaints, &keys, &signings);
		fclose(complaints.out);
		cr_expect_str_eq(said, tables[i].said);
		free(said);
		config_free(c);
	}
}

Test(opendkim, an_inline_key_is_never_shown)
{
	char text[1000], *said;
	size_t len;
	struct config *c = load_good(NOWHERE, NULL, NULL);
	struct complaints complaints = {.out = open_memstream(&said, &len)};

	memset(text, 'S', sizeof(text));
	memcpy(text, "k a.example:s:", 14);
	struct opendkim_table keys = {"k", slice_of(text, sizeof(text))};
	struct opendkim_table none = {"s", SLICE("")};
	opendkim_read(c, &complaints, &keys, &none);
	fclose(complaints.out);
	cr_expect_str_eq(said, "k:1: a key must be in a file of its own\n");
	free(said);
	config_free(c);
}
