/* Each source: what it may hold, and what is said when it does not. */
#include "tests/config/loading.h"

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

Test(source, a_file_is_read_or_said_what_is_wrong_with_it)
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

Test(source, set_is_read_or_said_what_is_wrong_with_it)
{
	for (size_t i = 0; i < COUNT(sets); i++)
		expect_complaint(
		    NOWHERE, NULL, LIST(sets[i].set), sets[i].said);
}

Test(source, set_takes_a_list_in_the_flow_form)
{
	struct config *c = load_good(NOWHERE, NULL,
	    LIST("config.listen.submission=['127.0.0.1:8587', '[::1]:8587']",
		"config.listen.proxy=[]", "config.hostname='quoted.example'",
		"config.allowed_networks=[10.0.0.0/8, \"*\"]"));

	expect_value(
	    c, "config.listen.submission", "['127.0.0.1:8587', '[::1]:8587']");
	expect_value(c, "config.listen.proxy", "[]");
	expect_value(c, "config.hostname", "quoted.example");
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

Test(source, no_variable_of_ours_is_ignored)
{
	for (size_t i = 0; i < COUNT(variables); i++) {
		const char *const *one = LIST(variables[i].variable);

		if (variables[i].said[0] != '\0')
			expect_complaint(NOWHERE, one, NULL, variables[i].said);
		else
			config_free(load_good(NOWHERE, one, NULL));
	}
}
