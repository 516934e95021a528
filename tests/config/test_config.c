/* All sources together: defaults, precedence, what is printed. */
#include "tests/config/loading.h"

#define PRIVATE                                                                \
	"['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', "    \
	"'::1', 'fc00::/7', 'fe80::/10']"

static const struct {
	const char *key, *value;
} defaults[] = {
    {"config.hostname", "localhost.localdomain"},
    {"config.allowed_networks", PRIVATE},
    {"config.proxy_networks", PRIVATE},
    {"config.verbose", "false"},
    {"config.listen.submission", "['*:587']"},
    {"config.listen.proxy", "['*:586']"},
    {"config.workers", "auto"},
    {"config.spool", "/var/spool/smarthost"},
    {"config.spool_segment", "auto"},
    {"config.spool_quota", "auto"},
    {"config.loop", "auto"},
    {"config.message_size_limit", "50M"},
    {"config.recipient_limit", "1000"},
    {"config.connection_limit", "auto"},
    {"config.client_connection_limit", "0"},
    {"config.timeout.command", "5m"},
    {"config.timeout.data", "5m"},
    {"config.timeout.connect", "30s"},
    {"config.timeout.greeting", "5m"},
    {"config.timeout.mail", "5m"},
    {"config.timeout.rcpt", "5m"},
    {"config.timeout.data_init", "2m"},
    {"config.timeout.data_block", "3m"},
    {"config.timeout.data_end", "10m"},
    {"config.relay.host", "''"},
    {"config.delivery.port", "25"},
    {"config.delivery.bind", "[]"},
    {"config.delivery.helo", "''"},
    {"config.delivery.connections", "20"},
    {"config.delivery.messages_per_connection", "100"},
    {"config.retry.first", "5m"},
    {"config.retry.max", "4h"},
    {"config.retry.lifetime", "5d"},
    {"config.retry.bounce_lifetime", "1d"},
    {"config.dns.servers", "[]"},
    {"config.dns.dnssec", "true"},
    {"config.dns.trust_anchor_file", "''"},
    {"config.log.format", "text"},
    {"config.log.level", "info"},
};

Test(config, nothing_mounted_means_the_defaults)
{
	struct config *c = load_good(NOWHERE, NULL, NULL);

	for (size_t i = 0; i < COUNT(defaults); i++)
		expect_value(c, defaults[i].key, defaults[i].value);
	cr_expect_null(c->relay.host);
	cr_expect_null(c->delivery.helo);
	cr_expect_null(c->dns.trust_anchor_file);
	config_free(c);
}

Test(config, every_key_has_its_default_tested)
{
	size_t count, here = 0;
	const struct option *all = options_all(&count);

	for (size_t i = 0; i < count; i++)
		here += all[i].type != OPTION_LATER;
	cr_expect_eq(here, COUNT(defaults));
}

Test(config, later_sources_win)
{
	const char *dir = FIXTURES "merge";
	struct config *c = load_good(dir, NULL, NULL);

	expect_value(c, "config.hostname", "site.example.org");
	config_free(c);

	c = load_good(dir, LIST("SH_HOSTNAME=env.example.org"), NULL);
	expect_value(c, "config.hostname", "env.example.org");
	config_free(c);

	c = load_good(dir, NULL, LIST("config.hostname=set.example.org"));
	expect_value(c, "config.hostname", "set.example.org");
	config_free(c);

	c = load_good(NOWHERE, LIST("SH_HOSTNAME=env.example.org"),
	    LIST("config.hostname=a.example.org",
		"config.hostname=b.example.org"));
	expect_value(c, "config.hostname", "b.example.org");
	config_free(c);
}

Test(config, an_error_that_is_overridden_is_an_error_still)
{
	expect_complaint(NOWHERE, LIST("SH_HOSTNAME=a b"),
	    LIST("config.hostname=good.example.org"), "SH_HOSTNAME: ");
}

Test(config, maps_of_several_files_merge)
{
	struct config *c = load_good(FIXTURES "merge", NULL, NULL);

	expect_value(c, "config.allowed_networks", "['203.0.113.0/24']");
	expect_value(c, "config.retry.first", "10s");
	expect_value(c, "config.retry.max", "2h");
	expect_value(c, "config.retry.lifetime", "3d");
	expect_value(c, "config.log.format", "json");
	/* Null in a later file brings the default back. */
	expect_value(c, "config.log.level", "info");
	config_free(c);
}

Test(config, every_key_can_be_in_a_file)
{
	const char *dir = FIXTURES "first";
	struct config *c = load_good(dir, NULL, NULL);

	for (size_t i = 0; i < COUNT(defaults); i++) {
		char *text = value_of(c, defaults[i].key);

		if (strcmp(defaults[i].key, "config.verbose") != 0)
			cr_expect_str_neq(
			    text, defaults[i].value, "%s", defaults[i].key);
		free(text);
	}
	expect_value(c, "config.spool", FIXTURES "first/spool");
	cr_expect_eq(c->timeout.data_block, 70);
	cr_expect_eq(c->retry.bounce_lifetime, 43200);
	cr_expect_eq(c->delivery.port, 2525);
	cr_expect_eq(c->spool_quota, 2ull << 30);
	cr_expect_eq(c->loop, LOOP_IO_URING);
	cr_expect_eq(c->log.format, LOG_JSON);
	cr_expect_eq(c->log.level, LOG_WARN);
	config_free(c);
}

static char *printed(const struct config *c)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	config_print(c, out);
	fclose(out);
	return text;
}

Test(config, what_is_printed_is_read_as_the_same)
{
	/* Paths would be relative to another directory. */
	struct config *c = load_good(FIXTURES "first", NULL,
	    LIST("config.spool=/srv/spool",
		"config.dns.trust_anchor_file=/dev/null"));
	char *text = printed(c);
	char *said;
	struct config *again = read_yaml(text, &said);

	cr_expect_str_empty(said);
	for (size_t i = 0; i < COUNT(defaults); i++) {
		char *value = value_of(c, defaults[i].key);

		expect_value(again, defaults[i].key, value);
		free(value);
	}
	config_free(again);
	config_free(c);
	free(said);
	free(text);
}

Test(config, what_is_printed_names_each_source)
{
	struct config *c =
	    load_good(FIXTURES "merge", LIST("SH_RELAY_HOST=smtp.example.net"),
		LIST("config.workers=2", "config.verbose=on"));
	char *text = printed(c);
	static const char *const lines[] = {
	    "config:\n  hostname: site.example.org  # " FIXTURES
	    "merge/yaml.d/20-site_yaml:2\n",
	    "  workers: 2  # --set config.workers\n",
	    "  relay:\n    host: smtp.example.net  # SH_RELAY_HOST\n",
	    "    lifetime: 3d  # " FIXTURES "merge/yaml.d/30-more.yaml:4\n",
	    "    connections: 20  # default\n",
	    "    level: debug  # --set config.verbose\n",
	};

	for (size_t i = 0; i < COUNT(lines); i++)
		cr_expect_not_null(strstr(text, lines[i]), "%s", text);
	config_free(c);
	free(text);
}

Test(config, all_problems_of_all_sources_are_said)
{
	static const char *const said[] = {
	    FIXTURES "broken/yaml.d/10-keys.yaml:2: unknown key config.hostnam",
	    "10-keys.yaml:5: config.allowed_networks: '192.0.2.1/24': bits",
	    "10-keys.yaml:6: config.allowed_networks: 'nowhere': not an",
	    "10-keys.yaml:8: config.retry.first: '5': must be a duration",
	    "10-keys.yaml:9: unknown key config.timeouts",
	    "10-keys.yaml:12: config.relay.password is not supported",
	    "10-keys.yaml:13: unknown key user, did you mean users?",
	    "20-syntax.yaml:3: not YAML",
	    "30-twice.yaml:4: verbose is here twice; first on line 2",
	    "SH_VERBOSE: config.verbose: 'maybe': must be true or false",
	    "--set config.workers: config.workers: '0': must be",
	};
	char *text;
	struct config *c = load(FIXTURES "broken", LIST("SH_VERBOSE=maybe"),
	    LIST("config.workers=0"), &text);
	size_t lines = 0;

	cr_expect_null(c);
	for (size_t i = 0; i < COUNT(said); i++)
		cr_expect_not_null(
		    strstr(text, said[i]), "%s\n%s", said[i], text);
	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	cr_expect_eq(lines, COUNT(said), "%s", text);
	cr_expect_null(strstr(text, "secret"));
	free(text);
}

Test(config, what_this_version_cannot_do_is_refused_by_line)
{
	static const char *const said[] = {
	    "config.yaml:3: config.auth is not supported by this version yet\n",
	    "config.yaml:4: config.sender_restrictions is not supported",
	    "config.yaml:6: config.tls.level is not supported",
	    "config.yaml:8: users is not supported",
	    "config.yaml:14: domains is not supported",
	};

	for (size_t i = 0; i < COUNT(said); i++)
		expect_complaint(FIXTURES "image", NULL, NULL, said[i]);
}

Test(config, folders_that_this_version_cannot_read_are_refused)
{
	static const char *const said[] = {
	    "postfix.d/main.conf:1: postfix.d is not supported",
	    "users.d/users_conf:1: users.d is not supported",
	    "opendkim/signingtable:1: opendkim is not supported",
	};

	for (size_t i = 0; i < COUNT(said); i++)
		expect_complaint(FIXTURES "wrong-folders", NULL, NULL, said[i]);
}

Test(config, a_directory_that_cannot_be_read_is_an_error)
{
	expect_complaint(FIXTURES "first/anchors.txt", NULL, NULL,
	    "yaml.d: cannot be read: Not a directory");
}

Test(config, the_directory_is_the_arguments_then_app_conf_then_etc)
{
	struct config *c =
	    load_good(NOWHERE "/", LIST("APP_CONF=/elsewhere"), NULL);
	cr_expect_str_eq(c->dir, NOWHERE);
	config_free(c);

	c = load_good(NULL, LIST("APP_CONF=" NOWHERE), NULL);
	cr_expect_str_eq(c->dir, NOWHERE);
	config_free(c);

	char *said;
	c = load(NULL, LIST("APP_CONF="), NULL, &said);
	if (c != NULL)
		cr_expect_str_eq(c->dir, "/etc/smarthost");
	config_free(c);
	free(said);
}

Test(config, a_default_wait_gives_way_to_the_one_that_was_set)
{
	struct config *c =
	    load_good(NOWHERE, NULL, LIST("config.retry.max=2s"));
	cr_expect_eq(c->retry.first, 2);
	config_free(c);

	c = load_good(NOWHERE, NULL, LIST("config.retry.first=6h"));
	cr_expect_eq(c->retry.max, 6 * 3600);
	config_free(c);

	expect_complaint(NOWHERE, NULL,
	    LIST("config.retry.first=2m", "config.retry.max=1m"),
	    "config.retry.max must not be less than config.retry.first");
}

Test(config, nothing_is_listened_on_twice)
{
	expect_complaint(NOWHERE, NULL, LIST("config.listen.proxy=*:587"),
	    "--set config.listen.proxy: config.listen.proxy: '*:587' is "
	    "listened on already");
	expect_complaint(NOWHERE, NULL,
	    LIST("config.listen.submission=[::1]:587 [::1]:587"),
	    "is listened on already");
}

Test(config, the_help_has_every_key)
{
	char *text;
	size_t len, count;
	FILE *out = open_memstream(&text, &len);
	const struct option *all = options_all(&count);

	config_help(out);
	fclose(out);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(strstr(text, all[i].key) != NULL,
		    all[i].type != OPTION_LATER, "%s", all[i].key);
	free(text);
}
