/* Each source: what it may hold, and what is said when it does not. */
#include "tests/config/loading.h"

#define PEM "'-----BEGIN PRIVATE KEY-----'"

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
    {"users: ~\ndomains: ~\n", ""},
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
    {"users: [{name: a, password: b}]\ndomains: [{name: a.example}]\n", ""},
    {"users: {name: a}\n", "f.yaml:1: users must be a list (- name: ...)\n"},
    {"users: a\n", "f.yaml:1: users must be a list (- name: ...)\n"},
    {"users:\n- a\n", "f.yaml:2: users[] must be a map (key: value)\n"},
    {"users:\n- {name: a}\n- {password: b}\n- {name: c, password: ''}\n",
	"f.yaml:2: user a has no password\n"
	"f.yaml:3: users: a user has no name\n"
	"f.yaml:4: user c has no password\n"},
    {"users:\n- name: a\n  pasword: b\n",
	"f.yaml:3: unknown key users[].pasword, did you mean password?\n"},
    {"users:\n- name: [a]\n  password: b\n",
	"f.yaml:2: users[].name must be one value\n"},
    {"users:\n- name: a\n  password: \"b\\tc\"\n",
	"f.yaml:2: user a has a control character in the password\n"},
    {"users:\n- name: a\n  password: b\n  allowed_from: [a@b.example, c, "
     "'@', x@y z]\n",
	"f.yaml:4: users[].allowed_from: 'c': must be name@domain, or "
	"@domain\n"
	"f.yaml:4: users[].allowed_from: '@': must not be empty\n"
	"f.yaml:4: users[].allowed_from: 'x@y z': may have letters, digits, "
	"hyphens and dots only\n"},
    {"users:\n- name: a\n  password: b\n  allowed_from: {a: b}\n",
	"f.yaml:4: users[].allowed_from must be a list, not a map\n"},
    {"users:\n- name: a\n  password: b\n  allowed_from: 'a@b.example, "
     "@c.example'\n",
	""},
    {"domains: a.example\n",
	"f.yaml:1: domains must be a list (- name: ...)\n"},
    {"domains:\n- a.example\n",
	"f.yaml:2: domains[] must be a map (key: value)\n"},
    {"domains:\n- nam: a.example\n",
	"f.yaml:2: unknown key domains[].nam, did you mean name?\n"},
    {"domains:\n- name: a b\n",
	"f.yaml:2: domains[].name: 'a b': may have letters, digits, hyphens "
	"and dots only\n"},
    {"domains:\n- {name: a.example, dkim: {}}\n- {name: b.example, dkim: }\n",
	""},
    {"domains:\n- name: a.example\n  dkim:\n    key: k\n",
	"f.yaml:3: domains[].dkim.selector is missing\n"},
    {"domains:\n- name: a.example\n  dkim:\n    selector: s\n",
	"f.yaml:3: domains[].dkim.key_file (or key) is missing\n"},
    {"domains:\n- name: a.example\n  dkim:\n    selector: s\n    key: k\n",
	"f.yaml:5: f.yaml:5: there is no private key in it (PEM)\n"},
    {"domains:\n- name: a.example\n  dkim:\n    selector: s\n"
     "    key_file: none\n",
	"f.yaml:5: " NOWHERE
	"/none: cannot be read: No such file or directory\n"},
    {"domains:\n- name: a.example\n  dkim: {selector: s, key: k, key_file: "
     "f}\n",
	"f.yaml:3: domains[].dkim.key and key_file are both given\n"},
    {"domains:\n- name: a.example\n  dkim: {selector: 'a b', key: k}\n",
	"f.yaml:3: domains[].dkim.selector may have letters, digits, hyphens "
	"and dots only\n"},
    {"domains:\n- name: a.example\n  dkim: [a]\n",
	"f.yaml:3: domains[].dkim must be a map (key: value)\n"},
    {"domains:\n- name: a.example\n  dkim: {selector: s, key: " PEM
     ", expire: 1}\n",
	"f.yaml:3: domains[].dkim.expire must be a duration, 1m to 3650d\n"},
    {"domains:\n- name: a.example\n  dkim: {selector: s, key: " PEM
     ", subdomains: maybe}\n",
	"f.yaml:3: domains[].dkim.subdomains must be true or false\n"},
    {"domains:\n- name: a.example\n  dkim: {selector: s, key: " PEM
     ", canonicalization: relaxed/strict}\n",
	"f.yaml:3: domains[].dkim.canonicalization must be relaxed/simple, or "
	"the like\n"},
    {"config:\n  auth: perhaps\n",
	"f.yaml:2: config.auth: 'perhaps': must be true or false (or yes, no, "
	"on, off, 1, 0)\n"},
    {"config:\n  relay: {password: [secret]}\n",
	"f.yaml:2: config.relay.password must be one value, not a list\n"},
    {"config:\n  postconf:\n  - -e a=b\n  - -e header_checks=x\n",
	"f.yaml:3: Postfix has no parameter a\n"
	"f.yaml:4: header_checks cannot be had: mail is sent as it came, or "
	"not at all: nothing looks into it (see config.sender_restrictions)"
	"\n"},
    {"config:\n  tls: {leve: may}\n",
	"f.yaml:2: unknown key config.tls.leve, did you mean "
	"config.tls.level?\n"},
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
    {"config.auth=true", "--set config.auth: config.auth is on, but there are "
			 "no users: nobody could send\n"},
    {"config.sender_restrictions=domain", "but there are no domains"},
    {"config.sender_restrictions=email", "but there are no users"},
    {"users=a", "--set users: must be a list in YAML's flow form"},
    {"users=[{name: a}]", "--set users: user a has no password\n"},
    {"users=[{name: a, password: b}, {name: a, password: c}]",
	"--set users: user a is here twice; first at --set users\n"},
    {"domains=[{name: a.example, dkim: [{selector: s, key: " PEM
     "}, {selector: s, key: " PEM "}]}]",
	"--set domains: key s._domainkey.a.example is here twice; first from "
	"--set domains\n"},
    {"config.tls.key_file=/dev/null", "config.tls: 0 certificates, but 1 "
				      "keys\n"},
    {"config.tls.crt_file=/dev/null",
	"--set config.tls.crt_file: /dev/null: there is no certificate in it"},
    {"config.tls.crt_file=/dev/null",
	"--set config.tls.crt_file: /dev/null: there is no private key in it"},
    {"config.tls.crt_file=none",
	"/none: cannot be read: No such file or directory\n"},
    {"config.tls.crt_file=/dev", "/dev: cannot be read: not a file\n"},
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
    {"SH_AUTH=user:pass:word", ""},
    {"SH_AUTH=user", "SH_AUTH: user user has no password\n"},
    {"SH_AUTH=:password", "SH_AUTH: users: a user has no name\n"},
    {"SH_TLS_LEVEL=may", ""},
    {"SH_TLS_LEVEL=must", "SH_TLS_LEVEL: config.tls.level: 'must': must be "
			  "empty or may or encrypt\n"},
    {"SH_TLS_CRT=a", "SH_TLS_CRT: " NOWHERE "/a: cannot be read"},
    {"SH_TLS_KEY=a", "SH_TLS_KEY: config.tls: 0 certificates, but 1 keys"},
    {"SH_RELAY_USERNAME=a", "SH_RELAY_USERNAME: config.relay.username needs"},
    {"SH_RELAY_PASSWORD=a", "SH_RELAY_PASSWORD: config.relay.password needs"},
    {"SH_RELAY_TLS=true", ""},
    {"SH_RELAY_TLS=maybe", "SH_RELAY_TLS: config.relay.tls: 'maybe': must be"},
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
