/* Any bytes as keytable and signingtable: each line is a comment, a key, a rule
 * or a complaint. */
#include "core/config/opendkim.h"
#include "tests/fuzz/closed.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static size_t line_count(struct slice text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == '\n';
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
	struct config *c = closed_config();
	struct complaints complaints = {.out = fopen("/dev/null", "w")};
	struct slice rules = slice_of(at, len);
	struct slice keys = slice_cut_at(&rules, 0xff);
	struct opendkim_table keytable = {"k", keys};
	struct opendkim_table signingtable = {"s", rules};

	opendkim_read(c, &complaints, &keytable, &signingtable);
	check(c->dkim_key_count + c->signing_count + complaints.count <=
	      2 * (line_count(keys) + line_count(rules)));
	for (size_t i = 0; i < c->signing_count; i++)
		check(c->signings[i].key < c->dkim_key_count);
	fclose(complaints.out);
	config_free(c);
	return 0;
}
