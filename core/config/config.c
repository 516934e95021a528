/* config.c -- all sources into one configuration, and what must fit together.
 *
 * Every source is read before anything is judged as a whole, so that one run
 * shows every problem.  A configuration with a problem is none. */
#include "core/config/config.h"

#include <stdlib.h>

#include "core/config/assign.h"
#include "core/config/certificate.h"
#include "core/config/domain.h"
#include "core/config/files.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/postconf.h"
#include "core/config/source.h"
#include "core/config/user.h"

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
	const struct {
		const char *key;
		const struct string_list *list;
	} doors[] = {
	    {"config.listen.submission", &c->listen_submission},
	    {"config.listen.proxy", &c->listen_proxy},
	    {"config.listen.submissions", &c->listen_submissions},
	    {"config.admin.listen", &c->admin_listen},
	};
	const char *seen[256];
	size_t count = 0;

	for (size_t d = 0; d < COUNT(doors); d++)
		for (size_t i = 0; i < doors[d].list->count; i++) {
			const char *one = doors[d].list->at[i];
			size_t j = 0;

			while (j < count && strcmp(seen[j], one) != 0)
				j++;
			if (j < count)
				complain(complaints,
				    *origin_of(c, doors[d].key),
				    "%s: '%s' is listened on already",
				    doors[d].key, one);
			else if (count < COUNT(seen))
				seen[count++] = one;
		}
}

/* Whether a password would be shown to whoever answers at that name. */
static bool relay_is_name(const char *host)
{
	struct slice name = slice_of_str(host);
	uint8_t bytes[16];

	if (name.at[0] == '[') {
		slice_cut(&name, 1);
		name = slice_cut_at(&name, ']');
	} else {
		name = slice_cut_at(&name, ':');
	}
	return !address_bytes(name, bytes);
}

static void check_relay(struct config *c, struct complaints *complaints)
{
	if (c->relay.username != NULL && c->relay.password == NULL)
		complain(complaints, *origin_of(c, "config.relay.username"),
		    "config.relay.username needs config.relay.password");
	if (c->relay.password != NULL && c->relay.username == NULL)
		complain(complaints, *origin_of(c, "config.relay.password"),
		    "config.relay.password needs config.relay.username");
	if (c->relay.tls_verify && !c->relay.tls)
		complain(complaints, *origin_of(c, "config.relay.tls_verify"),
		    "config.relay.tls_verify needs config.relay.tls");
	if (is_default(c, "config.relay.tls_verify"))
		c->relay.tls_verify =
		    c->relay.tls && c->relay.username != NULL &&
		    c->relay.host != NULL && relay_is_name(c->relay.host);
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
	c->memory->files = files_open(c->memory, arguments->bundle);
	set_defaults(c, &complaints);
	source_directory(c, &complaints);
	source_environment(c, &complaints, arguments->environment);
	for (size_t i = 0; i < arguments->set_count; i++)
		source_set(c, &complaints, arguments->sets[i]);
	check_retry(c, &complaints);
	check_spool(c, &complaints);
	check_listen(c, &complaints);
	check_relay(c, &complaints);
	certificates_finish(c, &complaints);
	postconf_finish(c, &complaints);
	users_finish(c, &complaints);
	domains_finish(c, &complaints);
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
	files_close(c->memory->files);
	memory_close(c->memory);
	free(c);
}

void config_each_path(const struct config *c,
    void (*each)(void *arg, const char *path), void *arg)
{
	files_each(c->memory->files, each, arg);
}

struct slice config_bundle(const struct config *c)
{
	return files_bundle(c->memory->files);
}
