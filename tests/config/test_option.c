/* Each key: what it may be, and what is said when it is not. */
#include "tests/config/loading.h"

/* value: as --set, SH_* and in a file; out: what it becomes, or what the
 * complaint says after "key: ". */
static const struct value_case {
	const char *key, *value, *out;
	bool refused;
} values[] = {
    {"config.hostname", "relay.example.org", "relay.example.org", false},
    {"config.hostname", "smarthost", "smarthost", false},
    {"config.hostname", "yes", "'yes'", false},
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
    {"config.auth", "on", "true", false},
    {"config.auth", "2", "must be true or false", true},
    {"config.auth_mechanisms", "plain, SCRAM-SHA-256", "[PLAIN, SCRAM-SHA-256]",
	false},
    {"config.auth_mechanisms", "NTLM", "there is none of this name", true},
    {"config.auth_mechanisms", " ", "must name at least one", true},
    {"config.sender_restrictions", "domain", "domain", false},
    {"config.sender_restrictions", "user", "must be empty or domain or email",
	true},
    {"config.listen.submissions", "*:465", "['*:465']", false},
    {"config.listen.submissions", "465", "must end with a port", true},
    {"config.tls.level", "may", "may", false},
    {"config.tls.level", "encrypt", "encrypt", false},
    {"config.tls.level", "must", "must be empty or may or encrypt", true},
    {"config.tls.crt_file", "a b.crt", "['" NOWHERE "/a b.crt']", false},
    {"config.tls.crt_file", "/a\tb", "must not have control characters", true},
    {"config.tls.key_file", "/k.pem", "[/k.pem]", false},
    {"config.tls.key_file", "/a\tb", "must not have control characters", true},
    {"config.tls.auth_only", "yes", "true", false},
    {"config.tls.auth_only", "y", "must be true or false", true},
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
    {"config.spool", "/srv/spool", "/srv/spool", false},
    {"config.spool", "spool", NOWHERE "/spool", false},
    {"config.spool_segment", "16M", "16M", false},
    {"config.spool_segment", "3M",
	"must be a size (64K, 50M, 1G), 4M to 1G, or auto", true},
    {"config.spool_segment", "4097K", "must be a multiple of 1M", true},
    {"config.spool_quota", "100G", "100G", false},
    {"config.spool_quota", "90%", "must be a size", true},
    {"config.spool_quota", "49M",
	"must not be less than config.message_size_limit", true},
    {"config.loop", "io_uring", "io_uring", false},
    {"config.loop", "select", "must be auto or io_uring or epoll", true},
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
    {"config.postconf", "-e message_size_limit=1000000",
	"['# lines that are not shown']", false},
    {"config.postconf", "-e message_size_limt=1",
	"Postfix has no parameter message_size_limt, did you mean "
	"message_size_limit?",
	true},
    {"config.relay.host", "[smtp.example.net]:587", "'[smtp.example.net]:587'",
	false},
    {"config.relay.host", "smtp-relay.gmail.com:587",
	"'smtp-relay.gmail.com:587'", false},
    {"config.relay.host", "::1", "is written in brackets", true},
    {"config.relay.host", "smtp.example.net:mail",
	"the port must be 1 to 65535", true},
    {"config.relay.username", "a user", "'a user'", false},
    {"config.relay.username", "a\tb", "must not have control", true},
    {"config.relay.password", "s3cret: #", "'********'", false},
    {"config.relay.password", "a\tb", "password: must not have control", true},
    {"config.relay.tls", "1", "true", false},
    {"config.relay.tls", "mandatory", "must be true or false", true},
    {"config.relay.tls_verify", "on", "true", false},
    {"config.relay.tls_verify", "name", "must be true or false", true},
    {"config.delivery.tls", "none", "none", false},
    {"config.delivery.tls", "Verify", "verify", false},
    {"config.delivery.tls", "dane",
	"must be none or opportunistic or encrypt or verify", true},
    {"config.delivery.port", "2525", "2525", false},
    {"config.delivery.port", "0", "must be a number, 1 to 65535", true},
    {"config.delivery.port", "65536", "must be a number, 1 to 65535", true},
    {"config.delivery.bind", "192.0.2.1 ::1", "['192.0.2.1', '::1']", false},
    {"config.delivery.bind", "eth0", "must be an IPv4 or IPv6 address", true},
    {"config.delivery.helo", "out.example.org", "out.example.org", false},
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
    {"config.dns.servers", "recursive", "[recursive]", false},
    {"config.dns.servers", "192.0.2.1, 127.0.0.1@5353",
	"['192.0.2.1', '127.0.0.1@5353']", false},
    {"config.dns.servers", "dns.example.org",
	"must be an address, address@port, or recursive", true},
    {"config.dns.dnssec", "no", "false", false},
    {"config.dns.dnssec", "maybe", "must be true or false", true},
    {"config.dns.trust_anchor_file", "/dev/null", "/dev/null", false},
    {"config.dns.trust_anchor_file", "absent", "cannot be read", true},
    {"config.log.format", "json", "json", false},
    {"config.log.format", "xml", "must be text or json", true},
    {"config.admin.listen", "[::1]:9587", "['[::1]:9587']", false},
    {"config.admin.listen", "9587", "must end with a port", true},
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

/* What a value alone would be refused for: it needs another key. */
static const struct {
	const char *key, *with;
} needs[] = {
    {"config.auth", "users=[{name: a, password: b}]"},
    {"config.sender_restrictions", "domains=[{name: a.example}]"},
    {"config.relay.username", "config.relay.password=a"},
    {"config.relay.password", "config.relay.username=a"},
    {"config.relay.tls_verify", "config.relay.tls=true"},
};

static void judge(const struct value_case *v, const char *const *environment,
    const char *const *sets)
{
	if (v->refused) {
		expect_complaint(NOWHERE, environment, sets, v->out);
		return;
	}
	/* Their files are looked for at the end; read_yaml does not. */
	if (option_find(slice_of_str(v->key))->type == OPTION_PATHS)
		return;
	const char *with[3] = {sets == NULL ? NULL : sets[0]};
	for (size_t i = 0; i < COUNT(needs); i++)
		if (strcmp(needs[i].key, v->key) == 0)
			with[sets == NULL ? 0 : 1] = needs[i].with;
	struct config *c = load_good(NOWHERE, environment, with);
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

Test(option, each_key_by_set)
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

Test(option, each_variable)
{
	run_values(run_variable);
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
	    strstr(v->out, "a multiple of") != NULL ||
	    strchr(v->value, '\t') != NULL)
		return;
	for (int quoted = 0; quoted < 2; quoted++) {
		if (!quoted &&
		    (strchr("*[", v->value[0]) != NULL || v->value[0] == ' ' ||
			strstr(v->value, ": ") != NULL))
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

Test(option, each_key_in_a_file_quoted_and_not)
{
	run_values(run_yaml);
}

Test(option, every_key_has_good_and_bad_values_tested)
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
		if (!option_is_table(&all[i]) && all[i].type != OPTION_INLINE &&
		    strcmp(all[i].key, "config.spool") != 0)
			cr_expect(good && bad, "%s", all[i].key);
	}
}
