/* print.c -- the configuration as YAML, and the table of keys. */
#include "core/config/config.h"

#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/domain.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/user.h"

/* How many bytes of the two keys are the same whole sections. */
static size_t common_sections(const char *a, const char *b)
{
	size_t common = 0;

	for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '.')
			common = i + 1;
	return common;
}

static void indent(unsigned depth, FILE *out)
{
	for (; depth > 0; depth--)
		fputs("  ", out);
}

static void put_origin(const struct origin *where, FILE *out)
{
	fprintf(out, "  # %s", where->source);
	if (where->line > 0)
		fprintf(out, ":%u", where->line);
	fputc('\n', out);
}

static void put_table(const struct config *c, const struct option *o, FILE *out)
{
	bool users = o->type == OPTION_USERS;

	if ((users ? c->user_count
		   : c->domain_entry_count + c->signing_count) == 0) {
		fprintf(out, "%s: []  # default\n", o->key);
		return;
	}
	fprintf(out, "%s:\n", o->key);
	if (users)
		users_put(c, out);
	else
		domains_put(c, out);
}

void config_print(const struct config *c, FILE *out)
{
	size_t count;
	const struct option *all = options_all(&count);
	const char *before = "";

	for (size_t i = 0; i < count; i++) {
		const char *key = all[i].key;
		const char *name = key;
		size_t common = common_sections(before, key);
		unsigned depth = 0;

		if (option_is_table(&all[i])) {
			put_table(c, &all[i], out);
			continue;
		}
		for (const char *dot = strchr(name, '.'); dot != NULL;
		     dot = strchr(name, '.')) {
			if ((size_t)(dot - key) >= common) {
				indent(depth, out);
				fprintf(
				    out, "%.*s:\n", (int)(dot - name), name);
			}
			name = dot + 1;
			depth++;
		}
		indent(depth, out);
		fprintf(out, "%s: ", name);
		option_put(c, &all[i], out);
		put_origin(&c->memory->origins[i], out);
		before = key;
	}
}

static void put_allowed(const struct option *o, FILE *out)
{
	fprintf(out, " (default: %s",
	    o->fallback[0] == '\0' ? "none" : o->fallback);
	if (o->env != NULL)
		fprintf(out, "; %s", o->env);
	fputs(")\n", out);
}

void config_help(FILE *out)
{
	size_t count;
	const struct option *all = options_all(&count);

	for (size_t i = 0; i < count; i++) {
		fprintf(out, "  %s\n      %s", all[i].key, all[i].help);
		put_allowed(&all[i], out);
	}
}
