/* What a user may write, and what he is told when he may not. */
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
static struct config *load(const char *dir, const char *const *environment,
    const char *const *sets, char **said)
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
	cr_expect_eq(c == NULL, len > 0, "%s", *said);
	return c;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct config *load_good(
    const char *dir, const char *const *environment, const char *const *sets)
{
	char *said;
	struct config *c = load(dir, environment, sets, &said);

	cr_assert_not_null(c, "%s", said);
	free(said);
	return c;
}

static void expect_complaint(const char *dir, const char *const *environment,
    const char *const *sets, const char *complaint)
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
static char *value_of(const struct config *c, const char *key)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	const struct option *o = option_find(slice_of_str(key));

	cr_assert_not_null(o, "%s", key);
	option_put(c, o, out);
	fclose(out);
	return text;
}

static void expect_value(
    const struct config *c, const char *key, const char *value)
{
	char *text = value_of(c, key);

	cr_expect_str_eq(text, value, "%s", key);
	free(text);
}

#define PRIVATE                                                                \
	"['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', "    \
	"'::1', 'fc00::/7', 'fe80::/10']"

static const struct {
	const char *key, *value;
} defaults[] = {
    {"config.hostname", "'localhost.localdomain'"},
    {"config.allowed_networks", PRIVATE},
    {"config.proxy_networks", PRIVATE},
    {"config.verbose", "false"},
    {"config.listen.submission", "['*:587']"},
    {"config.listen.proxy", "['*:586']"},
    {"config.workers", "auto"},
    {"config.spool", "'/var/spool/smarthost'"},
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

/* value: as --set, SH_* and in a file; out: what it becomes, or what the
 * complaint says after "key: ". */
static const struct value_case {
	const char *key, *value, *out;
	bool refused;
} values[] = {
    {"config.hostname", "relay.example.org", "'relay.example.org'", false},
    {"config.hostname", "smarthost", "'smarthost'", false},
    {"config.hostname", "a b", "'a b': may have letters, digits, hyphens",
	true},
    {"config.hostname", "192.0.2.1", "must be a name, not an address", true},
    {"config.allowed_networks", "0.0.0.0/0", "['0.0.0.0/0']", false},
    {"config.allowed_networks", "*", "['0.0.0.0/0', '::/0']", false},
    {"config.allowed_networks", "192.0.2.1,192.0.2.2 , ::1",
	"['192.0.2.1', '192.0.2.2', '::1']", false},
    {"config.allowed_networks", "10.0.0.0/8 fe80::/10",
	"['10.0.0.0/8', 'fe80::/10']", false},
    {"config.allowed_networks", "10.0.0.1/8",
	"'10.0.0.1/8': bits behind the mask are not zero", true},
    {"config.allowed_networks", "10.0.0.0/8 here",
	"'here': not an IPv4 or IPv6 address or network", true},
    {"config.proxy_networks", "198.51.100.7", "['198.51.100.7']", false},
    {"config.proxy_networks", "198.51.100.7/33", "must be 0 to 32", true},
    {"config.verbose", "yes", "true", false},
    {"config.verbose", "OFF", "false", false},
    {"config.verbose", "very", "must be true or false", true},
    {"config.listen.submission", "*:8587", "['*:8587']", false},
    {"config.listen.submission", "127.0.0.1:8587, [::1]:8587",
	"['127.0.0.1:8587', '[::1]:8587']", false},
    {"config.listen.submission", "8587", "must end with a port", true},
    {"config.listen.submission", "localhost:8587",
	"must be *:port, address:port or [IPv6 address]:port", true},
    {"config.listen.proxy", "*:8586", "['*:8586']", false},
    {"config.listen.proxy", "*:0", "must end with a port", true},
    {"config.workers", "auto", "auto", false},
    {"config.workers", "1", "1", false},
    {"config.workers", "256", "256", false},
    {"config.workers", "0", "must be a number, 1 to 256, or auto", true},
    {"config.workers", "257", "must be a number, 1 to 256, or auto", true},
    {"config.workers", "many", "must be a number, 1 to 256, or auto", true},
    {"config.workers", "-1", "must be a number, 1 to 256, or auto", true},
    {"config.spool", "/srv/spool", "'/srv/spool'", false},
    {"config.spool", "spool", "'" NOWHERE "/spool'", false},
    {"config.spool_segment", "16M", "16M", false},
    {"config.spool_segment", "3M",
	"must be a size (64K, 50M, 1G), 4M to 1G, or auto", true},
    {"config.spool_segment", "4097K", "must be a multiple of 1M", true},
    {"config.spool_quota", "100G", "100G", false},
    {"config.spool_quota", "90%", "must be a size", true},
    {"config.spool_quota", "49M",
	"must not be less than config.message_size_limit", true},
    {"config.loop", "io_uring", "io_uring", false},
    {"config.loop", "select", "must be auto or io_uring", true},
    {"config.message_size_limit", "10240000", "10000K", false},
    {"config.message_size_limit", "1G", "1G", false},
    {"config.message_size_limit", "0",
	"must be a size (64K, 50M, 1G), 1K to 16G", true},
    {"config.recipient_limit", "1", "1", false},
    {"config.recipient_limit", "0", "must be a number, 1 to 10000", true},
    {"config.recipient_limit", "auto", "must be a number, 1 to 10000", true},
    {"config.connection_limit", "100", "100", false},
    {"config.connection_limit", "0", "must be a number, 1 to 1000000, or auto",
	true},
    {"config.client_connection_limit", "0", "0", false},
    {"config.client_connection_limit", "50", "50", false},
    {"config.client_connection_limit", "5.5", "must be a number", true},
    {"config.timeout.command", "90s", "90s", false},
    {"config.timeout.command", "90",
	"must be a duration (30s, 5m, 4h, 5d), 1s to 1d", true},
    {"config.timeout.data", "1h", "1h", false},
    {"config.timeout.data", "0s", "must be a duration", true},
    {"config.timeout.connect", "1s", "1s", false},
    {"config.timeout.connect", "2d", "1s to 1d", true},
    {"config.timeout.greeting", "2m", "2m", false},
    {"config.timeout.greeting", "never", "must be a duration", true},
    {"config.timeout.mail", "2m", "2m", false},
    {"config.timeout.mail", "2x", "must be a duration", true},
    {"config.timeout.rcpt", "2m", "2m", false},
    {"config.timeout.rcpt", "-2m", "must be a duration", true},
    {"config.timeout.data_init", "2m", "2m", false},
    {"config.timeout.data_init", "1.5m", "must be a duration", true},
    {"config.timeout.data_block", "2m", "2m", false},
    {"config.timeout.data_block", "1m30s", "must be a duration", true},
    {"config.timeout.data_end", "2m", "2m", false},
    {"config.timeout.data_end", "m", "must be a duration", true},
    {"config.relay.host", "[smtp.example.net]:587", "'[smtp.example.net]:587'",
	false},
    {"config.relay.host", "smtp-relay.gmail.com:587",
	"'smtp-relay.gmail.com:587'", false},
    {"config.relay.host", "::1", "is written in brackets", true},
    {"config.relay.host", "smtp.example.net:mail",
	"the port must be 1 to 65535", true},
    {"config.delivery.port", "2525", "2525", false},
    {"config.delivery.port", "0", "must be a number, 1 to 65535", true},
    {"config.delivery.port", "65536", "must be a number, 1 to 65535", true},
    {"config.delivery.bind", "192.0.2.1 ::1", "['192.0.2.1', '::1']", false},
    {"config.delivery.bind", "eth0", "must be an IPv4 or IPv6 address", true},
    {"config.delivery.helo", "out.example.org", "'out.example.org'", false},
    {"config.delivery.helo", "[192.0.2.1]", "'[192.0.2.1]'", false},
    {"config.delivery.helo", "out:25", "may have letters", true},
    {"config.delivery.connections", "5", "5", false},
    {"config.delivery.connections", "0", "must be a number", true},
    {"config.delivery.messages_per_connection", "1", "1", false},
    {"config.delivery.messages_per_connection", "0", "must be", true},
    {"config.retry.first", "1s", "1s", false},
    {"config.retry.first", "soon", "must be a duration", true},
    {"config.retry.max", "8h", "8h", false},
    {"config.retry.max", "8d", "1s to 7d", true},
    {"config.retry.lifetime", "1s", "1s", false},
    {"config.retry.lifetime", "0s", "must be a duration", true},
    {"config.retry.bounce_lifetime", "2d", "2d", false},
    {"config.retry.bounce_lifetime", "101d", "1s to 100d", true},
    {"config.dns.servers", "recursive", "['recursive']", false},
    {"config.dns.servers", "192.0.2.1, 127.0.0.1@5353",
	"['192.0.2.1', '127.0.0.1@5353']", false},
    {"config.dns.servers", "dns.example.org",
	"must be an address, address@port, or recursive", true},
    {"config.dns.dnssec", "no", "false", false},
    {"config.dns.dnssec", "maybe", "must be true or false", true},
    {"config.dns.trust_anchor_file", "/dev/null", "'/dev/null'", false},
    {"config.dns.trust_anchor_file", "absent", "cannot be read", true},
    {"config.log.format", "json", "json", false},
    {"config.log.format", "xml", "must be text or json", true},
    {"config.log.level", "debug", "debug", false},
    {"config.log.level", "notice", "must be error or warn or info or debug",
	true},
};

static void run_values(
    void (*run)(const struct value_case *v, const struct option *o))
{
	for (size_t i = 0; i < COUNT(values); i++)
		run(&values[i], option_find(slice_of_str(values[i].key)));
}

static void judge(const struct value_case *v, const char *const *environment,
    const char *const *sets)
{
	if (v->refused) {
		expect_complaint(NOWHERE, environment, sets, v->out);
		return;
	}
	struct config *c = load_good(NOWHERE, environment, sets);
	expect_value(c, v->key, v->out);
	config_free(c);
}

static char *joined(const char *name, const char *value)
{
	size_t len = strlen(name) + strlen(value) + 2;
	char *text = malloc(len);

	snprintf(text, len, "%s=%s", name, value);
	return text;
}

static void run_set(const struct value_case *v, const struct option *o)
{
	char *set = joined(o->key, v->value);

	judge(v, NULL, LIST(set));
	free(set);
}

Test(config, each_key_by_set)
{
	run_values(run_set);
}

static void run_variable(const struct value_case *v, const struct option *o)
{
	if (o->env == NULL)
		return;
	char *variable = joined(o->env, v->value);

	judge(v, LIST(variable), NULL);
	free(variable);
}

Test(config, each_variable)
{
	run_values(run_variable);
}

/* Reads a text as a file would be; *said is to be freed. */
static struct config *read_yaml(const char *text, char **said)
{
	struct config *c = load_good(NOWHERE, NULL, NULL);
	size_t len;
	struct complaints complaints = {.out = open_memstream(said, &len)};

	source_yaml(c, &complaints, "f.yaml", slice_of_str(text));
	fclose(complaints.out);
	return c;
}

/* {config: {retry: {first: 'VALUE'}}} for config.retry.first, plainly nested.
 */
static char *nested(const char *key, const char *value, bool quoted)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	unsigned depth = 0;

	for (const char *at = key; *at != '\0'; at++) {
		fputc(*at == '.' ? ':' : *at, out);
		if (*at != '.')
			continue;
		fputc('\n', out);
		for (unsigned i = 0; i <= depth; i++)
			fputc(' ', out);
		depth++;
	}
	fprintf(out, quoted ? ": '%s'\n" : ": %s\n", value);
	fclose(out);
	return text;
}

static void run_yaml(const struct value_case *v, const struct option *o)
{
	/* What concerns two keys is judged when all is read. */
	if (strstr(v->out, "must not be less") != NULL ||
	    strstr(v->out, "a multiple of") != NULL)
		return;
	for (int quoted = 0; quoted < 2; quoted++) {
		if (!quoted && strchr("*[", v->value[0]) != NULL)
			continue;
		char *text = nested(o->key, v->value, quoted);
		char *said;
		struct config *c = read_yaml(text, &said);

		if (v->refused) {
			cr_expect_eq(strncmp(said, "f.yaml:", 7), 0);
			cr_expect_not_null(strstr(said, v->out), "%s", said);
		} else {
			cr_expect_str_empty(said, "%s", said);
			expect_value(c, v->key, v->out);
		}
		config_free(c);
		free(said);
		free(text);
	}
}

Test(config, each_key_in_a_file_quoted_and_not)
{
	run_values(run_yaml);
}

Test(config, every_key_has_good_and_bad_values_tested)
{
	size_t count;
	const struct option *all = options_all(&count);

	for (size_t i = 0; i < count; i++) {
		bool good = false, bad = false;

		for (size_t j = 0; j < COUNT(values); j++) {
			if (strcmp(values[j].key, all[i].key) != 0)
				continue;
			good |= !values[j].refused;
			bad |= values[j].refused;
		}
		if (all[i].type != OPTION_LATER &&
		    strcmp(all[i].key, "config.spool") != 0)
			cr_expect(good && bad, "%s", all[i].key);
	}
}

static const struct {
	const char *text;
	const char *said; /* "": good */
} files[] = {
    {"", ""},
    {"config:\n", ""},
    {"config: {}\nusers: []\ndomains: []\n", ""},
    {"config: {relay: }\n", ""},
    {"config: {relay: {host: ''}}\n", ""},
    {"config: {relay: {host: '', username: '', password: '', tls: no}}\n", ""},
    {"config: {auth: false, sender_restrictions: '', tls: {level: ''}}\n", ""},
    {"config: {listen: {submissions: []}, admin: {listen: []}}\n", ""},
    {"config: {delivery: {tls: none}}\n", ""},
    {"a\n", "f.yaml:1: must be a map with the keys config, users, domains\n"},
    {"- a\n", "f.yaml:1: must be a map with the keys config, users, domains\n"},
    {"config: a\n", "f.yaml:1: config must be a map (key: value)\n"},
    {"config: [a]\n", "f.yaml:1: config must be a map (key: value)\n"},
    {"config:\n  relay: smtp.example.org\n",
	"f.yaml:2: config.relay must be a map (key: value)\n"},
    {"config:\n  hostname: [a, b]\n",
	"f.yaml:2: config.hostname must be one value, not a list\n"},
    {"config:\n  hostname: {a: b}\n",
	"f.yaml:2: config.hostname must be one value, not a map\n"},
    {"config:\n  allowed_networks: {a: b}\n",
	"f.yaml:2: config.allowed_networks must be a list, not a map\n"},
    {"config:\n  allowed_networks:\n  - 10.0.0.0/8\n  - ['::1']\n",
	"f.yaml:4: config.allowed_networks may hold plain values only\n"},
    {"config:\n  allowed_networks:\n  - 10.0.0.0/8\n  - a\n  - ::1\n  - b/8\n",
	"f.yaml:4: config.allowed_networks: 'a': not an IPv4 or IPv6 address "
	"or "
	"network\n"
	"f.yaml:6: config.allowed_networks: 'b/8': not an IPv4 or IPv6 address "
	"or network\n"},
    {"config:\n  hostnam: a\n",
	"f.yaml:2: unknown key config.hostnam, did you mean "
	"config.hostname?\n"},
    {"hostname: a\n",
	"f.yaml:1: unknown key hostname, did you mean config.hostname?\n"},
    {"config:\n  lifetime: 5d\n",
	"f.yaml:2: unknown key config.lifetime, did you mean "
	"config.retry.lifetime?\n"},
    {"config:\n  alowed_networks: ['::1']\n",
	"f.yaml:2: unknown key config.alowed_networks, did you mean "
	"config.allowed_networks?\n"},
    {"config:\n  retry:\n    frist: 5m\n",
	"f.yaml:3: unknown key config.retry.frist, did you mean "
	"config.retry.first?\n"},
    {"confg:\n  hostname: a\n",
	"f.yaml:1: unknown key confg, did you mean config?\n"},
    {"config:\n  timeouts:\n    command: 5m\n",
	"f.yaml:2: unknown key config.timeouts, did you mean "
	"config.timeout?\n"},
    {"config:\n  colour: blue\n", "f.yaml:2: unknown key config.colour\n"},
    {"config:\n  'a\\b': blue\n", "f.yaml:2: unknown key config.a\\b\n"},
    {"config:\n  \"a\\nb\": blue\n", "f.yaml:2: unknown key config.a\\x0ab\n"},
    {"user: []\n", "f.yaml:1: unknown key user, did you mean users?\n"},
    {"users: [{name: a, password: b}]\n",
	"f.yaml:1: users is not supported by this version yet\n"},
    {"domains:\n- name: a.example\n",
	"f.yaml:1: domains is not supported by this version yet\n"},
    {"config:\n  auth: true\n",
	"f.yaml:2: config.auth is not supported by this version yet\n"},
    {"config:\n  tls:\n    level: may\n",
	"f.yaml:3: config.tls.level is not supported by this version yet\n"},
    {"config:\n  tls: {leve: may}\n",
	"f.yaml:2: unknown key config.tls.leve, did you mean "
	"config.tls.level?\n"},
    {"config:\n  relay: {password: secret}\n",
	"f.yaml:2: config.relay.password is not supported by this version "
	"yet\n"},
    {"config:\n  delivery: {tls: encrypt}\n",
	"f.yaml:2: config.delivery.tls is not supported by this version yet\n"},
    {"config:\n  postconf: [-e a=b]\n",
	"f.yaml:2: config.postconf is not supported by this version yet\n"},
    {"config: [\n", "f.yaml:2: not YAML: did not find expected node content "
		    "while parsing a flow node (put a value that begins with a "
		    "colon in quotes)\n"},
};

Test(config, a_file_is_read_or_said_what_is_wrong_with_it)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		char *said;
		struct config *c = read_yaml(files[i].text, &said);

		cr_expect_str_eq(said, files[i].said);
		config_free(c);
		free(said);
	}
}

static const struct {
	const char *set;
	const char *said;
} sets[] = {
    {"config.hostname", "--set config.hostname: write --set key=value\n"},
    {"", "--set : write --set key=value\n"},
    {"config.hostnam=a",
	"--set: unknown key config.hostnam, did you mean config.hostname?\n"},
    {"hostname=a",
	"--set: unknown key hostname, did you mean config.hostname?\n"},
    {"config.log=text", "--set config.log: is a group of keys, not a key\n"},
    {"config.auth=true", "--set config.auth: config.auth is not supported by "
			 "this version yet\n"},
    {"users=[{name: a}]",
	"--set users: users is not supported by this version yet\n"},
    {"config.listen.proxy=[*:586]", "put a value that begins with * in quotes"},
    {"config.hostname=['a', 'b']", "'['a', 'b']': may have letters"},
    {"config.allowed_networks=[a", "'[a': not an IPv4 or IPv6 address"},
    {"config.allowed_networks=['a]", "not YAML"},
    {"config.hostname='a", "''a': may have letters"},
    {"config.hostname=", "'': must not be empty\n"},
    {"config.allowed_networks=[a]",
	"--set config.allowed_networks: config.allowed_networks: 'a': not an"},
    {"config.dns.servers=['::1']\n---\n[]", "must be one value\n"},
    {"config.dns.servers=[{a: b}]", "may hold plain values only\n"},
};

Test(config, set_is_read_or_said_what_is_wrong_with_it)
{
	for (size_t i = 0; i < COUNT(sets); i++)
		expect_complaint(
		    NOWHERE, NULL, LIST(sets[i].set), sets[i].said);
}

Test(config, set_takes_a_list_in_the_flow_form)
{
	struct config *c = load_good(NOWHERE, NULL,
	    LIST("config.listen.submission=['127.0.0.1:8587', '[::1]:8587']",
		"config.listen.proxy=[]", "config.hostname='quoted.example'",
		"config.allowed_networks=[10.0.0.0/8, \"*\"]"));

	expect_value(
	    c, "config.listen.submission", "['127.0.0.1:8587', '[::1]:8587']");
	expect_value(c, "config.listen.proxy", "[]");
	expect_value(c, "config.hostname", "'quoted.example'");
	expect_value(c, "config.allowed_networks",
	    "['10.0.0.0/8', '0.0.0.0/0', '::/0']");
	config_free(c);
}

static const struct {
	const char *variable;
	const char *said; /* "": good */
} variables[] = {
    {"SH_HOSTNAME=", ""},
    {"SH_TLS_LEVEL=", ""},
    {"SH_AUTH=", ""},
    {"SH_RELAY_TLS=false", ""},
    {"HOSTNAME=whatever it is", ""},
    {"SHELL=/bin/sh", ""},
    {"SH_SERVICE_HOST=10.96.0.1", ""},
    {"SH_SERVICE_PORT_SMTP=587", ""},
    {"SH_PORT=tcp://10.96.0.1:587", ""},
    {"SH_PORT_587_TCP_ADDR=10.96.0.1", ""},
    {"SH_AUTH=user:password", "SH_AUTH: config.auth is not supported by this "
			      "version yet\n"},
    {"SH_TLS_LEVEL=may", "SH_TLS_LEVEL: config.tls.level is not supported by "
			 "this version yet\n"},
    {"SH_TLS_CRT=a", "SH_TLS_CRT: config.tls.crt_file is not supported"},
    {"SH_TLS_KEY=a", "SH_TLS_KEY: config.tls.key_file is not supported"},
    {"SH_RELAY_USERNAME=a", "SH_RELAY_USERNAME: config.relay.username is not"},
    {"SH_RELAY_PASSWORD=a", "SH_RELAY_PASSWORD: config.relay.password is not"},
    {"SH_RELAY_TLS=true", "SH_RELAY_TLS: config.relay.tls is not supported"},
    {"SH_HOSTNAM=a",
	"SH_HOSTNAM: unknown variable, did you mean SH_HOSTNAME?\n"},
    {"SH_ALOWED_NETWORK=a", "SH_ALOWED_NETWORK: unknown variable, did you mean "
			    "SH_ALLOWED_NETWORKS?\n"},
    {"SH_COLOUR_OF_MAIL=a", "SH_COLOUR_OF_MAIL: unknown variable\n"},
};

Test(config, no_variable_of_ours_is_ignored)
{
	for (size_t i = 0; i < COUNT(variables); i++) {
		const char *const *one = LIST(variables[i].variable);

		if (variables[i].said[0] != '\0')
			expect_complaint(NOWHERE, one, NULL, variables[i].said);
		else
			config_free(load_good(NOWHERE, one, NULL));
	}
}

Test(config, later_sources_win)
{
	const char *dir = FIXTURES "merge";
	struct config *c = load_good(dir, NULL, NULL);

	expect_value(c, "config.hostname", "'site.example.org'");
	config_free(c);

	c = load_good(dir, LIST("SH_HOSTNAME=env.example.org"), NULL);
	expect_value(c, "config.hostname", "'env.example.org'");
	config_free(c);

	c = load_good(dir, NULL, LIST("config.hostname=set.example.org"));
	expect_value(c, "config.hostname", "'set.example.org'");
	config_free(c);

	c = load_good(NOWHERE, LIST("SH_HOSTNAME=env.example.org"),
	    LIST("config.hostname=a.example.org",
		"config.hostname=b.example.org"));
	expect_value(c, "config.hostname", "'b.example.org'");
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
	expect_value(c, "config.spool", "'" FIXTURES "first/spool'");
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
	    "config:\n  hostname: 'site.example.org'  # " FIXTURES
	    "merge/yaml.d/20-site_yaml:2\n",
	    "  workers: 2  # --set config.workers\n",
	    "  relay:\n    host: 'smtp.example.net'  # SH_RELAY_HOST\n",
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
