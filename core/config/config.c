/* config.c -- all sources into one configuration, and what must fit together.
 *
 * Every source is read before anything is judged as a whole, so that one run
 * shows every problem.  A configuration with a problem is none. */
#include "core/config/config.h"

#include <stdlib.h>

#include "core/config/assign.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/source.h"

#define MIB (1u << 20)

static const char *variable(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, name, len) == 0 &&
		    (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

static struct slice directory_of(const struct config_arguments *arguments)
{
	const char *dir = arguments->dir;

	if (dir == NULL)
		dir = variable(arguments->environment, "APP_CONF");
	if (dir == NULL || dir[0] == '\0')
		dir = "/etc/smarthost";
	struct slice path = slice_of_str(dir);
	while (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	return path;
}

static void set_defaults(struct config *c, struct complaints *complaints)
{
	struct origin where = {"default", 0};
	size_t count;
	const struct option *all = options_all(&count);

	c->memory->origins =
	    memory_take(c->memory, count * sizeof(struct origin));
	for (size_t i = 0; i < count; i++)
		option_reset(c, &all[i], where, complaints);
	check(complaints->count == 0);
}

static struct origin *origin_of(const struct config *c, const char *key)
{
	const struct option *o = option_find(slice_of_str(key));

	check(o != NULL);
	return &c->memory->origins[option_index(o)];
}

static bool is_default(const struct config *c, const char *key)
{
	return strcmp(origin_of(c, key)->source, "default") == 0;
}

/* A default gives way to what the user said of the other. */
static void check_retry(struct config *c, struct complaints *complaints)
{
	if (c->retry.first <= c->retry.max)
		return;
	if (is_default(c, "config.retry.first"))
		c->retry.first = c->retry.max;
	else if (is_default(c, "config.retry.max"))
		c->retry.max = c->retry.first;
	else
		complain(complaints, *origin_of(c, "config.retry.max"),
		    "config.retry.max must not be less than "
		    "config.retry.first");
}

static void check_spool(struct config *c, struct complaints *complaints)
{
	if (c->spool_segment % MIB != 0)
		complain(complaints, *origin_of(c, "config.spool_segment"),
		    "config.spool_segment must be a multiple of 1M");
	if (c->spool_quota > 0 && c->message_size_limit > c->spool_quota)
		complain(complaints, *origin_of(c, "config.spool_quota"),
		    "config.spool_quota must not be less than "
		    "config.message_size_limit");
}

/* Two listeners at one place would share its connections at random: some
 * clients would be taken for proxies. */
static void check_listen(struct config *c, struct complaints *complaints)
{
	const struct string_list *lists[] = {
	    &c->listen_submission, &c->listen_proxy};
	const char *keys[] = {
	    "config.listen.submission", "config.listen.proxy"};
	size_t count = lists[0]->count + lists[1]->count;

	for (size_t i = 0; i < count; i++) {
		size_t which = i < lists[0]->count ? 0 : 1;
		const char *one =
		    lists[which]->at[which == 0 ? i : i - lists[0]->count];

		for (size_t j = 0; j < i; j++) {
			const char *other =
			    j < lists[0]->count
				? lists[0]->at[j]
				: lists[1]->at[j - lists[0]->count];

			if (strcmp(one, other) == 0)
				complain(complaints, *origin_of(c, keys[which]),
				    "%s: '%s' is listened on already",
				    keys[which], one);
		}
	}
}

static void apply_verbose(struct config *c)
{
	if (!c->verbose || c->log.level == LOG_DEBUG)
		return;
	c->log.level = LOG_DEBUG;
	*origin_of(c, "config.log.level") = *origin_of(c, "config.verbose");
}

struct config *config_load(const struct config_arguments *arguments, FILE *out)
{
	struct complaints complaints = {.out = out};
	struct config *c = calloc(1, sizeof(*c));

	check(c != NULL);
	c->memory = memory_open();
	c->dir = memory_copy(c->memory, directory_of(arguments));
	set_defaults(c, &complaints);
	source_directory(c, &complaints);
	source_environment(c, &complaints, arguments->environment);
	for (size_t i = 0; i < arguments->set_count; i++)
		source_set(c, &complaints, arguments->sets[i]);
	check_retry(c, &complaints);
	check_spool(c, &complaints);
	check_listen(c, &complaints);
	apply_verbose(c);
	if (complaints.count == 0)
		return c;
	config_free(c);
	return NULL;
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	memory_close(c->memory);
	free(c);
}
