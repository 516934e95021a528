/* option.c -- the one table of options, and how a mistyped name finds its own.
 *
 * Nearness is the number of letters to add, drop, change or swap (Damerau and
 * Levenshtein's, the variant without edits between swapped letters).  A key in
 * the wrong section counts as one mistake. */
#include "core/config/option.h"

#include "core/base/check.h"
#include "core/config/config.h"

#define AT(member) .offset = offsetof(struct config, member)
#define PRIVATE                                                                \
	"127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 "                 \
	"::1/128 fc00::/7 fe80::/10"
#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define DAY 86400ull

static const char *const loops[] = {"auto", "io_uring", NULL};
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
{"config.auth", OPTION_LATER,
    .fallback = "false", .env = "SH_AUTH",
    .help = "clients must authenticate"},
{"config.auth_mechanisms", OPTION_LATER,
    .fallback = "",
    .help = "AUTH mechanisms that are offered"},
{"config.sender_restrictions", OPTION_LATER,
    .fallback = "",
    .help = "whose addresses a client may use: domain or email"},

{"config.listen.submission", OPTION_LISTEN, AT(listen_submission),
    .fallback = "*:587",
    .help = "where SMTP is spoken: host:port"},
{"config.listen.proxy", OPTION_LISTEN, AT(listen_proxy),
    .fallback = "*:586",
    .help = "where SMTP is spoken behind the PROXY protocol"},
{"config.listen.submissions", OPTION_LATER,
    .fallback = "",
    .help = "where SMTP is spoken inside of TLS"},

{"config.tls.level", OPTION_LATER,
    .fallback = "", .env = "SH_TLS_LEVEL",
    .help = "STARTTLS for clients: empty, may or encrypt"},
{"config.tls.crt_file", OPTION_LATER,
    .fallback = "", .env = "SH_TLS_CRT",
    .help = "file of the TLS certificate"},
{"config.tls.crt", OPTION_LATER,
    .fallback = "",
    .help = "the TLS certificate itself"},
{"config.tls.key_file", OPTION_LATER,
    .fallback = "", .env = "SH_TLS_KEY",
    .help = "file of the TLS private key"},
{"config.tls.key", OPTION_LATER,
    .fallback = "",
    .help = "the TLS private key itself"},
{"config.tls.auth_only", OPTION_LATER,
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
    .help = "how the kernel is asked"},
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
{"config.postconf", OPTION_LATER,
    .fallback = "",
    .help = "lines of postconf arguments"},

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
{"config.relay.username", OPTION_LATER,
    .fallback = "", .env = "SH_RELAY_USERNAME",
    .help = "user name at the next hop"},
{"config.relay.password", OPTION_LATER,
    .fallback = "", .env = "SH_RELAY_PASSWORD",
    .help = "password at the next hop"},
{"config.relay.tls", OPTION_LATER,
    .fallback = "false", .env = "SH_RELAY_TLS",
    .help = "the next hop must speak TLS"},
{"config.relay.tls_verify", OPTION_LATER,
    .fallback = "false",
    .help = "the next hop's certificate must be good"},

{"config.delivery.port", OPTION_PORT, AT(delivery.port),
    .fallback = "25", .min = 1, .max = 65535,
    .help = "port of MX hosts"},
{"config.delivery.bind", OPTION_ADDRESSES, AT(delivery.bind),
    .fallback = "",
    .help = "source addresses of outgoing connections"},
{"config.delivery.helo", OPTION_HELO, AT(delivery.helo),
    .fallback = "",
    .help = "name in the outgoing EHLO; empty: the hostname"},
{"config.delivery.tls", OPTION_LATER,
    .fallback = "none",
    .help = "TLS of outgoing connections"},
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

{"config.admin.listen", OPTION_LATER,
    .fallback = "",
    .help = "where HTTP answers /metrics, /healthz, /readyz"},

{"users", OPTION_LATER,
    .fallback = "",
    .help = "who may authenticate"},
{"domains", OPTION_LATER,
    .fallback = "",
    .help = "domains that may be senders, and their DKIM keys"},
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

bool option_is_list(const struct option *o)
{
	return o->type == OPTION_NETWORKS || o->type == OPTION_LISTEN ||
	       o->type == OPTION_ADDRESSES || o->type == OPTION_DNS_SERVERS;
}

#define NAME_MAX_LEN 64

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many mistakes turn one into the other. */
static unsigned distance(struct slice a, struct slice b)
{
	/* Three rows of the matrix: before last, last, this. */
	unsigned rows[3][NAME_MAX_LEN + 1] = {0};

	if (a.len > NAME_MAX_LEN || b.len > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (unsigned j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned *now = rows[i % 3];
		const unsigned *last = rows[(i + 2) % 3];
		const unsigned *before = rows[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= b.len; j++) {
			uint8_t x = byte_lower(a.at[i - 1]);
			uint8_t y = byte_lower(b.at[j - 1]);

			now[j] = least(least(last[j], now[j - 1]) + 1,
			    last[j - 1] + (x == y ? 0 : 1));
			if (i > 1 && j > 1 && x == byte_lower(b.at[j - 2]) &&
			    y == byte_lower(a.at[i - 2]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
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

static bool near_enough(unsigned mistakes, struct slice name)
{
	return mistakes <= 1 + name.len / 4;
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
	return least(
	    distance(key, have), distance(key_name, have_name) + elsewhere);
}

const char *option_nearest(struct slice key)
{
	static const char *const sections[] = {"config", "config.listen",
	    "config.tls", "config.timeout", "config.relay", "config.delivery",
	    "config.retry", "config.dns", "config.log", "config.admin"};
	struct slice section;
	struct slice name = last_part(key, &section);
	const char *nearest = NULL;
	unsigned fewest = NAME_MAX_LEN;

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
	return near_enough(fewest, name) ? nearest : NULL;
}

const char *option_nearest_env(struct slice name)
{
	const char *nearest = NULL;
	unsigned fewest = NAME_MAX_LEN;

	for (size_t i = 0; i < COUNT(options); i++) {
		if (options[i].env == NULL)
			continue;
		unsigned mistakes =
		    distance(name, slice_of_str(options[i].env));

		if (mistakes < fewest) {
			fewest = mistakes;
			nearest = options[i].env;
		}
	}
	return near_enough(fewest, name) ? nearest : NULL;
}
