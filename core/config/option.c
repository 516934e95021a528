/* option.c -- the one table of options, and how a mistyped name finds its own.
 *
 * A key in the wrong section counts as one mistake. */
#include "core/config/option.h"

#include "core/base/check.h"
#include "core/config/config.h"
#include "core/config/nearest.h"

#define AT(member) .offset = offsetof(struct config, member)
#define PRIVATE                                                                \
	"127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 "                 \
	"::1/128 fc00::/7 fe80::/10"
#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define DAY 86400ull

static const char *const loops[] = {"auto", "io_uring", "epoll", NULL};
static const char *const auth_mechanisms[] = {"PLAIN", "LOGIN", "CRAM-MD5",
    "DIGEST-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", NULL};
static const char *const sender_restrictions[] = {"", "domain", "email", NULL};
static const char *const tls_levels[] = {"", "may", "encrypt", NULL};
static const char *const delivery_tls[] = {
    "none", "opportunistic", "encrypt", "verify", NULL};
static const char *const log_formats[] = {"text", "json", NULL};
static const char *const log_levels[] = {
    "error", "warn", "info", "debug", NULL};

/* A table reads best as a table. */
/* clang-format off */
static const struct option options[] = {
{"config.hostname", OPTION_HOSTNAME, AT(hostname),
    .fallback = "localhost.localdomain", .env = "SH_HOSTNAME",
    .help = "name of this relay, in EHLO and Received"},
{"config.allowed_networks", OPTION_NETWORKS, AT(allowed_networks),
    .fallback = PRIVATE, .env = "SH_ALLOWED_NETWORKS",
    .help = "who may send: addresses and networks; '*' is everyone"},
{"config.proxy_networks", OPTION_NETWORKS, AT(proxy_networks),
    .fallback = PRIVATE,
    .help = "who may speak the PROXY protocol"},
{"config.verbose", OPTION_BOOL, AT(verbose),
    .fallback = "false", .env = "SH_VERBOSE",
    .help = "debug log"},
{"config.auth", OPTION_BOOL, AT(auth),
    .fallback = "false",
    .help = "clients must authenticate"},
{"config.auth_mechanisms", OPTION_SET, AT(auth_mechanisms),
    .fallback = "PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256 "
		"SCRAM-SHA-256-PLUS",
    .names = auth_mechanisms,
    .help = "AUTH mechanisms that are offered"},
{"config.sender_restrictions", OPTION_CHOICE, AT(sender_restrictions),
    .fallback = "", .names = sender_restrictions,
    .help = "whose addresses a client may use: domain, email, or any"},

{"config.listen.submission", OPTION_LISTEN, AT(listen_submission),
    .fallback = "*:587",
    .help = "where SMTP is spoken: host:port"},
{"config.listen.proxy", OPTION_LISTEN, AT(listen_proxy),
    .fallback = "*:586",
    .help = "where SMTP is spoken behind the PROXY protocol"},
{"config.listen.submissions", OPTION_LISTEN, AT(listen_submissions),
    .fallback = "",
    .help = "where SMTP is spoken inside of TLS: *:465"},

{"config.tls.level", OPTION_CHOICE, AT(tls.level),
    .fallback = "", .env = "SH_TLS_LEVEL", .names = tls_levels,
    .help = "STARTTLS for clients: empty, may or encrypt"},
{"config.tls.crt_file", OPTION_PATHS, AT(tls.crt_files),
    .fallback = "", .env = "SH_TLS_CRT", .rival = "config.tls.crt",
    .help = "file of the TLS certificate and its chain, or a list of them"},
{"config.tls.crt", OPTION_INLINE, AT(tls.crt),
    .fallback = "", .rival = "config.tls.crt_file",
    .help = "the TLS certificate itself"},
{"config.tls.key_file", OPTION_PATHS, AT(tls.key_files),
    .fallback = "", .env = "SH_TLS_KEY", .rival = "config.tls.key",
    .help = "file of the TLS private key, or a list of them"},
{"config.tls.key", OPTION_INLINE, AT(tls.key),
    .fallback = "", .rival = "config.tls.key_file", .secret = true,
    .help = "the TLS private key itself"},
{"config.tls.auth_only", OPTION_BOOL, AT(tls.auth_only),
    .fallback = "false",
    .help = "AUTH is offered inside of TLS only"},

{"config.workers", OPTION_COUNT, AT(workers),
    .fallback = "auto", .automatic = "auto", .min = 1, .max = 256,
    .help = "worker processes; auto: one a CPU"},
{"config.spool", OPTION_DIR, AT(spool),
    .fallback = "/var/spool/smarthost",
    .help = "directory of the queue; made when absent"},
{"config.spool_segment", OPTION_SIZE, AT(spool_segment),
    .fallback = "auto", .automatic = "auto", .min = 4 * MIB, .max = GIB,
    .help = "size of a segment file; auto: 64M, 16M with little memory"},
{"config.spool_quota", OPTION_SIZE, AT(spool_quota),
    .fallback = "auto", .automatic = "auto",
    .min = 8 * MIB, .max = 1ull << 50,
    .help = "most disk the queue may take; auto: 90 % of the file system"},
{"config.loop", OPTION_CHOICE, AT(loop),
    .fallback = "auto", .names = loops,
    .help = "how the kernel is asked; auto: io_uring where it is allowed"},
{"config.message_size_limit", OPTION_SIZE, AT(message_size_limit),
    .fallback = "50M", .min = KIB, .max = 16 * GIB,
    .help = "largest message"},
{"config.recipient_limit", OPTION_COUNT, AT(recipient_limit),
    .fallback = "1000", .min = 1, .max = 10000,
    .help = "recipients of one message"},
{"config.connection_limit", OPTION_COUNT, AT(connection_limit),
    .fallback = "auto", .automatic = "auto", .min = 1, .max = 1000000,
    .help = "sessions a worker"},
{"config.client_connection_limit", OPTION_COUNT, AT(client_connection_limit),
    .fallback = "0", .max = 1000000,
    .help = "sessions from one client address; 0: no limit"},
{"config.postconf", OPTION_POSTCONF, AT(postconf),
    .fallback = "",
    .help = "lines of postconf arguments, as in postfix.d"},

{"config.timeout.command", OPTION_DURATION, AT(timeout.command),
    .fallback = "5m", .min = 1, .max = DAY,
    .help = "wait for a client's next command"},
{"config.timeout.data", OPTION_DURATION, AT(timeout.data),
    .fallback = "5m", .min = 1, .max = DAY,
    .help = "wait for a client's next piece of a message"},
{"config.timeout.connect", OPTION_DURATION, AT(timeout.connect),
    .fallback = "30s", .min = 1, .max = DAY,
    .help = "delivery: wait for the connection"},
{"config.timeout.greeting", OPTION_DURATION, AT(timeout.greeting),
    .fallback = "5m", .min = 1, .max = DAY,
    .help = "delivery: wait for the greeting and the answer to EHLO"},
{"config.timeout.mail", OPTION_DURATION, AT(timeout.mail),
    .fallback = "5m", .min = 1, .max = DAY,
    .help = "delivery: wait for the answer to MAIL"},
{"config.timeout.rcpt", OPTION_DURATION, AT(timeout.rcpt),
    .fallback = "5m", .min = 1, .max = DAY,
    .help = "delivery: wait for the answer to RCPT"},
{"config.timeout.data_init", OPTION_DURATION, AT(timeout.data_init),
    .fallback = "2m", .min = 1, .max = DAY,
    .help = "delivery: wait for the answer to DATA"},
{"config.timeout.data_block", OPTION_DURATION, AT(timeout.data_block),
    .fallback = "3m", .min = 1, .max = DAY,
    .help = "delivery: wait until a piece of a message is sent"},
{"config.timeout.data_end", OPTION_DURATION, AT(timeout.data_end),
    .fallback = "10m", .min = 1, .max = DAY,
    .help = "delivery: wait for the answer to the final dot"},

{"config.relay.host", OPTION_RELAY_HOST, AT(relay.host),
    .fallback = "", .env = "SH_RELAY_HOST",
    .help = "next hop of all mail: host, host:port, [host]:port (no MX)"},
{"config.relay.username", OPTION_TEXT, AT(relay.username),
    .fallback = "", .env = "SH_RELAY_USERNAME",
    .help = "user name at the next hop"},
{"config.relay.password", OPTION_TEXT, AT(relay.password),
    .fallback = "", .env = "SH_RELAY_PASSWORD", .secret = true,
    .help = "password at the next hop"},
{"config.relay.tls", OPTION_BOOL, AT(relay.tls),
    .fallback = "false", .env = "SH_RELAY_TLS",
    .help = "the next hop must speak TLS"},
{"config.relay.tls_verify", OPTION_BOOL, AT(relay.tls_verify),
    .fallback = "false",
    .help = "with relay.tls: its certificate must be good; default true when "
	    "a username is set and the host is a name"},

{"config.delivery.port", OPTION_PORT, AT(delivery.port),
    .fallback = "25", .min = 1, .max = 65535,
    .help = "port of MX hosts"},
{"config.delivery.bind", OPTION_ADDRESSES, AT(delivery.bind),
    .fallback = "",
    .help = "source addresses of outgoing connections"},
{"config.delivery.helo", OPTION_HELO, AT(delivery.helo),
    .fallback = "",
    .help = "name in the outgoing EHLO; empty: the hostname"},
{"config.delivery.tls", OPTION_CHOICE, AT(delivery.tls),
    .fallback = "opportunistic", .names = delivery_tls,
    .help = "TLS of outgoing connections: none, opportunistic, encrypt, "
	    "verify"},
{"config.delivery.connections", OPTION_COUNT, AT(delivery.connections),
    .fallback = "20", .min = 1, .max = 10000,
    .help = "connections to one destination, over all workers"},
{"config.delivery.messages_per_connection", OPTION_COUNT,
    AT(delivery.messages_per_connection),
    .fallback = "100", .min = 1, .max = 1000000,
    .help = "messages sent before a connection is closed"},

{"config.retry.first", OPTION_DURATION, AT(retry.first),
    .fallback = "5m", .min = 1, .max = 7 * DAY,
    .help = "wait after the first failed attempt; then it doubles"},
{"config.retry.max", OPTION_DURATION, AT(retry.max),
    .fallback = "4h", .min = 1, .max = 7 * DAY,
    .help = "longest wait between attempts"},
{"config.retry.lifetime", OPTION_DURATION, AT(retry.lifetime),
    .fallback = "5d", .min = 1, .max = 100 * DAY,
    .help = "age at which undelivered mail goes back"},
{"config.retry.bounce_lifetime", OPTION_DURATION, AT(retry.bounce_lifetime),
    .fallback = "1d", .min = 1, .max = 100 * DAY,
    .help = "age at which undelivered reports are dropped"},

{"config.dns.servers", OPTION_DNS_SERVERS, AT(dns.servers),
    .fallback = "",
    .help = "address or address@port, or recursive; empty: resolv.conf"},
{"config.dns.dnssec", OPTION_BOOL, AT(dns.dnssec),
    .fallback = "true",
    .help = "validate answers"},
{"config.dns.trust_anchor_file", OPTION_FILE, AT(dns.trust_anchor_file),
    .fallback = "",
    .help = "further trust anchors"},

{"config.log.format", OPTION_CHOICE, AT(log.format),
    .fallback = "text", .names = log_formats,
    .help = "text or json lines"},
{"config.log.level", OPTION_CHOICE, AT(log.level),
    .fallback = "info", .names = log_levels,
    .help = "least important line that is written"},

{"config.admin.listen", OPTION_LISTEN, AT(admin_listen),
    .fallback = "",
    .help = "where HTTP answers /metrics, /healthz, /readyz"},

{"users", OPTION_USERS, AT(users),
    .fallback = "", .env = "SH_AUTH",
    .help = "who may authenticate: name, password, allowed_from"},
{"domains", OPTION_DOMAINS, AT(domains),
    .fallback = "",
    .help = "domains that may be senders: name, dkim"},
};
/* clang-format on */

const struct option *options_all(size_t *count)
{
	*count = COUNT(options);
	return options;
}

size_t option_index(const struct option *o)
{
	check(o >= options && o < options + COUNT(options));
	return (size_t)(o - options);
}

const struct option *option_find(struct slice key)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (slice_eq(slice_of_str(options[i].key), key))
			return &options[i];
	return NULL;
}

const struct option *option_find_env(struct slice name)
{
	for (size_t i = 0; i < COUNT(options); i++)
		if (options[i].env != NULL &&
		    slice_eq(slice_of_str(options[i].env), name))
			return &options[i];
	return NULL;
}

bool option_is_section(struct slice key)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		struct slice have = slice_of_str(options[i].key);

		if (have.len > key.len && have.at[key.len] == '.' &&
		    slice_eq(slice_of(have.at, key.len), key))
			return true;
	}
	return false;
}

bool option_is_table(const struct option *o)
{
	return o->type == OPTION_USERS || o->type == OPTION_DOMAINS;
}

bool option_is_list(const struct option *o)
{
	return o->type == OPTION_NETWORKS || o->type == OPTION_LISTEN ||
	       o->type == OPTION_ADDRESSES || o->type == OPTION_DNS_SERVERS ||
	       o->type == OPTION_SET || o->type == OPTION_PATHS ||
	       o->type == OPTION_POSTCONF || option_is_table(o);
}

/* "config.log.level" -> "level", and "config.log" in *section. */
static struct slice last_part(struct slice key, struct slice *section)
{
	size_t at = key.len;

	while (at > 0 && key.at[at - 1] != '.')
		at--;
	*section = slice_of(key.at, at == 0 ? 0 : at - 1);
	return slice_of(key.at + at, key.len - at);
}

/* Mistakes in `key` as a writing of `have`. */
static unsigned key_distance(struct slice key, struct slice have)
{
	struct slice key_section, have_section;
	struct slice key_name = last_part(key, &key_section);
	struct slice have_name = last_part(have, &have_section);
	unsigned elsewhere = 1;

	if (slice_eq(key_section, have_section))
		elsewhere = 0;
	unsigned whole = nearest_distance(key, have);
	unsigned last = nearest_distance(key_name, have_name) + elsewhere;

	return whole < last ? whole : last;
}

const char *option_nearest(struct slice key)
{
	static const char *const sections[] = {"config", "config.listen",
	    "config.tls", "config.timeout", "config.relay", "config.delivery",
	    "config.retry", "config.dns", "config.log", "config.admin"};
	struct slice section;
	struct slice name = last_part(key, &section);
	const char *nearest = NULL;
	unsigned fewest = NEAREST_LEN_MAX;

	for (size_t i = 0; i < COUNT(options) + COUNT(sections); i++) {
		const char *have = i < COUNT(options)
				       ? options[i].key
				       : sections[i - COUNT(options)];
		unsigned mistakes = key_distance(key, slice_of_str(have));

		if (mistakes < fewest) {
			fewest = mistakes;
			nearest = have;
		}
	}
	return nearest_enough(fewest, name) ? nearest : NULL;
}

const char *option_nearest_env(struct slice name)
{
	const char *nearest = NULL;
	unsigned fewest = NEAREST_LEN_MAX;

	for (size_t i = 0; i < COUNT(options); i++) {
		if (options[i].env == NULL)
			continue;
		unsigned mistakes =
		    nearest_distance(name, slice_of_str(options[i].env));

		if (mistakes < fewest) {
			fewest = mistakes;
			nearest = options[i].env;
		}
	}
	return nearest_enough(fewest, name) ? nearest : NULL;
}
