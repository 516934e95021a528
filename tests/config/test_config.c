/* All sources together: defaults, precedence, what is printed. */
#include "tests/config/loading.h"

#include <time.h>

#include "core/config/domain.h"
#include "core/config/user.h"

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
    {"config.auth", "false"},
    {"config.auth_mechanisms", "[PLAIN, LOGIN, CRAM-MD5, DIGEST-MD5, "
			       "SCRAM-SHA-256, SCRAM-SHA-256-PLUS]"},
    {"config.sender_restrictions", "''"},
    {"config.listen.submission", "['*:587']"},
    {"config.listen.proxy", "['*:586']"},
    {"config.listen.submissions", "[]"},
    {"config.tls.level", "''"},
    {"config.tls.crt_file", "[]"},
    {"config.tls.crt", "''"},
    {"config.tls.key_file", "[]"},
    {"config.tls.key", "''"},
    {"config.tls.auth_only", "false"},
    {"config.workers", "auto"},
    {"config.spool", "/var/spool/smarthost"},
    {"config.spool_segment", "auto"},
    {"config.spool_quota", "auto"},
    {"config.loop", "auto"},
    {"config.message_size_limit", "50M"},
    {"config.recipient_limit", "1000"},
    {"config.connection_limit", "auto"},
    {"config.client_connection_limit", "0"},
    {"config.postconf", "[]"},
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
    {"config.relay.username", "''"},
    {"config.relay.password", "''"},
    {"config.relay.tls", "false"},
    {"config.relay.tls_verify", "false"},
    {"config.delivery.port", "25"},
    {"config.delivery.bind", "[]"},
    {"config.delivery.helo", "''"},
    {"config.delivery.tls", "opportunistic"},
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
    {"config.admin.listen", "[]"},
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
		here += !option_is_table(&all[i]);
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

/* Of any two sources the later one wins. */
Test(config, each_pair_of_sources)
{
	enum { POSTFIX, YAML, VARIABLE, SET, SOURCES };
	static const char *const names[SOURCES] = {"postfix.example.org",
	    "yaml.example.org", "env.example.org", "set.example.org"};
	static const char *const folders[4] = {
	    NOWHERE, FIXTURES "postfix", FIXTURES "merge", FIXTURES "both"};
	static const char *const own[4] = {
	    NULL, "relay.example.org", "site.example.org", "yaml.example.org"};

	for (unsigned set = 0; set < 1u << SOURCES; set++) {
		unsigned files = set & 3;
		const char *last =
		    files == 0 ? "localhost.localdomain" : own[files];
		struct config *c = load_good(folders[files],
		    set & 1u << VARIABLE ? LIST("SH_HOSTNAME=env.example.org")
					 : NULL,
		    set & 1u << SET ? LIST("config.hostname=set.example.org")
				    : NULL);

		for (unsigned i = VARIABLE; i < SOURCES; i++)
			if (set & 1u << i)
				last = names[i];
		cr_expect_str_eq(c->hostname, last, "%x", set);
		config_free(c);
	}
}

#define MANY 5000

/* Nothing is quadratic in them. */
Test(config, thousands_of_users_and_domains)
{
	char *text, *said;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs("users:\n", out);
	for (unsigned i = 0; i < MANY; i++)
		fprintf(out,
		    "- name: user%u\n  password: secret%u\n"
		    "  allowed_from: ['@d%u.example', u%u@example.org]\n",
		    i, i, i, i);
	fputs("domains:\n", out);
	for (unsigned i = 0; i < MANY; i++)
		fprintf(out,
		    "- name: d%u.example\n"
		    "  dkim: {selector: s, key: '-----BEGIN PRIVATE "
		    "KEY-----'}\n",
		    i);
	fclose(out);
	struct config_arguments arguments = {.dir = NOWHERE};
	struct config *c = config_load(&arguments, stderr);
	struct complaints complaints = {.out = open_memstream(&said, &len)};
	clock_t before = clock();

	source_yaml(c, &complaints, "f.yaml", slice_of_str(text));
	users_finish(c, &complaints);
	domains_finish(c, &complaints);
	double ms = (double)(clock() - before) * 1000 / CLOCKS_PER_SEC;
	fclose(complaints.out);
	cr_expect_str_empty(said);
	cr_expect_eq(c->user_count, MANY);
	cr_expect_eq(c->domains.count, MANY);
	cr_expect_eq(c->dkim_key_count, MANY);
	cr_expect_eq(c->signing_count, MANY);
	cr_log_info("%d users and domains: %.1f ms", MANY, ms);
	/* Some 20 ms in a release build: far from what pairs would cost. */
	cr_expect_lt(ms, 2000);
	config_free(c);
	free(said);
	free(text);
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

		/* What can be said in one of two ways only. */
		if (strcmp(defaults[i].key, "config.verbose") != 0 &&
		    strcmp(defaults[i].key, "config.tls.crt") != 0 &&
		    strcmp(defaults[i].key, "config.tls.key") != 0)
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
	char *dir = realpath(FIXTURES "first", NULL);
	struct config *c = load_good(dir, NULL, NULL);
	char *text = printed(c);
	char *said;
	struct config *again = read_yaml(text, &said);

	cr_expect_str_empty(said);
	for (size_t i = 0; i < COUNT(defaults); i++) {
		char *value = value_of(c, defaults[i].key);

		expect_value(again, defaults[i].key, value);
		free(value);
	}
	cr_expect_eq(again->user_count, c->user_count);
	cr_expect_str_eq(again->users[0].name, c->users[0].name);
	cr_expect_eq(again->users[0].allowed_from.count, 2);
	cr_expect_eq(again->domain_entry_count, c->domain_entry_count);
	cr_assert_eq(again->dkim_key_count, c->dkim_key_count);
	for (size_t i = 0; i < c->dkim_key_count; i++) {
		const struct config_dkim_key *a = &c->dkim_keys[i];
		const struct config_dkim_key *b = &again->dkim_keys[i];

		cr_expect_str_eq(a->name, b->name);
		cr_expect_eq(a->header_simple, b->header_simple);
		cr_expect_eq(a->body_relaxed, b->body_relaxed);
		cr_expect_eq(a->expire_s, b->expire_s);
		cr_expect_eq(c->signings[i].kind, again->signings[i].kind);
	}
	config_free(again);
	config_free(c);
	free(said);
	free(text);
	free(dir);
}

Test(config, no_secret_is_printed)
{
	static const char *const secrets[] = {
	    "a: \"b\"", "12345", "relay secret", "MC4CAQAw", "pass:word"};
	struct config *c =
	    load_good(FIXTURES "first", LIST("SH_AUTH=third:pass:word"),
		LIST("config.tls.crt=-----BEGIN CERTIFICATE-----",
		    "config.tls.key=-----BEGIN PRIVATE KEY-----MC4CAQAw"));
	char *text = printed(c);

	for (size_t i = 0; i < COUNT(secrets); i++)
		cr_expect_null(strstr(text, secrets[i]), "%s", secrets[i]);
	cr_expect_not_null(strstr(text, "password: '********'"));
	cr_expect_not_null(strstr(text, "third  # SH_AUTH\n"), "%s", text);
	free(text);
	config_free(c);
}

Test(config, the_users_and_keys_of_a_file)
{
	struct config *c = load_good(FIXTURES "first", NULL, NULL);

	cr_assert_eq(c->user_count, 2);
	cr_expect_str_eq(c->users[0].password, "a: \"b\" #c");
	cr_expect_str_eq(c->users[0].allowed_from.at[1], "@example.net");
	cr_expect_str_eq(c->users[1].password, "12345");
	cr_expect_str_eq(c->domains.at[2], "example.org");
	cr_assert_eq(c->dkim_key_count, 3);
	cr_expect_str_eq(c->dkim_keys[0].name, "2026._domainkey.example.org");
	cr_expect_str_eq(c->dkim_keys[0].domain, "example.org");
	cr_expect(!c->dkim_keys[0].header_simple);
	cr_expect(!c->dkim_keys[0].body_relaxed);
	cr_expect(c->dkim_keys[1].header_simple);
	cr_expect_eq(c->dkim_keys[1].expire_s, 7 * 86400);
	cr_expect_eq(c->signings[0].kind, SIGNING_DOMAIN);
	cr_expect_eq(c->signings[1].kind, SIGNING_SUBDOMAINS);
	cr_expect_str_eq(c->signings[1].pattern, "example.net");
	cr_expect_eq(c->signings[2].key, 2);
	cr_assert_eq(c->tls.certificate_count, 2);
	/* The first key lies beside its certificate. */
	cr_expect(slice_eq(
	    c->tls.certificates[0].crt.text, c->tls.certificates[0].key.text));
	cr_expect_eq(c->auth_mechanisms, AUTH_PLAIN | AUTH_SCRAM_SHA_256);
	config_free(c);
}

Test(config, a_later_source_of_a_certificate_wins)
{
	static const char *const crt = FIXTURES "first/one.pem";
	char *path = realpath(crt, NULL);
	char variable[4096];

	snprintf(variable, sizeof(variable), "SH_TLS_CRT=%s", path);
	struct config *c = load_good(NOWHERE, LIST(variable),
	    LIST("config.tls.crt=-----BEGIN CERTIFICATE-----",
		"config.tls.key=-----BEGIN PRIVATE KEY-----"));
	cr_assert_eq(c->tls.certificate_count, 1);
	cr_expect_str_eq(
	    c->tls.certificates[0].crt.source, "--set config.tls.crt");
	config_free(c);

	c = load_good(NOWHERE, LIST(variable), NULL);
	cr_expect_str_eq(c->tls.certificates[0].crt.source, path);
	cr_expect_str_eq(c->tls.certificates[0].key.source, path);
	config_free(c);

	char *said;
	c = read_yaml("config:\n  tls:\n    crt: a\n    crt_file: b\n", &said);
	cr_expect_str_empty(said);
	cr_expect_eq(c->tls.crt_files.count, 1);
	cr_expect_gt(c->tls.crt.text.len, 0);
	config_free(c);
	free(said);
	free(path);
}

Test(config, the_next_hops_certificate_is_verified_where_that_can_be)
{
	static const struct {
		const char *host, *user, *tls;
		bool verified;
	} hops[] = {
	    {"smtp.example.net:587", "a", "true", true},
	    {"[smtp.example.net]:587", "a", "true", true},
	    {"smtp.example.net", "", "true", false},
	    {"[192.0.2.1]:587", "a", "true", false},
	    {"[::1]", "a", "true", false},
	    {"192.0.2.1", "a", "true", false},
	    {"smtp.example.net", "a", "false", false},
	};

	for (size_t i = 0; i < COUNT(hops); i++) {
		char host[80], user[80], password[80], tls[80];

		snprintf(host, 80, "config.relay.host=%s", hops[i].host);
		snprintf(user, 80, "config.relay.username=%s", hops[i].user);
		snprintf(
		    password, 80, "config.relay.password=%s", hops[i].user);
		snprintf(tls, 80, "config.relay.tls=%s", hops[i].tls);
		struct config *c =
		    load_good(NOWHERE, NULL, LIST(host, user, password, tls));
		cr_expect_eq(c->relay.tls_verify, hops[i].verified, "%zu", i);
		config_free(c);
	}
	struct config *c = load_good(NOWHERE, NULL,
	    LIST("config.relay.host=smtp.example.net",
		"config.relay.username=a", "config.relay.password=b",
		"config.relay.tls=true", "config.relay.tls_verify=false"));
	cr_expect(!c->relay.tls_verify);
	config_free(c);
}

Test(config, the_same_comes_out_of_a_bundle)
{
	struct config *c = load_good(FIXTURES "first", NULL, NULL);
	struct config_arguments arguments = {
	    .dir = FIXTURES "first", .bundle = config_bundle(c)};
	char *said;
	size_t len;
	FILE *out = open_memstream(&said, &len);
	struct config *again = config_load(&arguments, out);

	fclose(out);
	cr_assert_not_null(again, "%s", said);
	free(said);
	char *text = printed(c), *same = printed(again);
	cr_expect_str_eq(text, same);
	cr_expect(slice_eq(config_bundle(c), config_bundle(again)));
	free(text);
	free(same);
	config_free(c);

	/* Nothing else is looked at. */
	arguments.bundle = config_bundle(again);
	arguments.dir = FIXTURES "merge";
	struct config *other = config_load(&arguments, stderr);
	cr_expect_str_eq(other->hostname, "localhost.localdomain");
	config_free(other);
	config_free(again);
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
	    "10-keys.yaml:12: config.relay.password needs",
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

Test(config, the_manuals_example_is_taken)
{
	struct config *c = load_good(FIXTURES "image", NULL, NULL);

	expect_value(c, "config.hostname", "relay.mydomain.com");
	cr_expect(c->auth);
	cr_expect_eq(c->sender_restrictions, SENDER_RESTRICTIONS_DOMAIN);
	cr_expect_eq(c->tls.level, TLS_LEVEL_MAY);
	cr_assert_eq(c->user_count, 2);
	cr_expect_str_eq(c->users[1].name, "user2");
	cr_expect_str_eq(c->users[1].password, "password2");
	cr_assert_eq(c->domains.count, 2);
	cr_expect_str_eq(c->domains.at[0], "mydomain.com");
	config_free(c);
}

Test(config, one_of_opendkims_tables_alone_is_an_error)
{
	expect_complaint(FIXTURES "half", NULL, NULL,
	    FIXTURES "half/opendkim: signingtable is there, but no keytable\n");
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
		cr_expect_not_null(strstr(text, all[i].key), "%s", all[i].key);
	free(text);
}
