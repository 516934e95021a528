/* postconf_map.c -- Postfix's parameters that mean something here.
 *
 * Each row sets an option, by its own text where the two are written alike. */
#include "core/config/postconf_map.h"

#include "core/base/check.h"
#include "core/config/assign.h"
#include "core/config/memory.h"
#include "core/config/value.h"

void mapped_set(const struct mapped *m, const char *key, struct slice text)
{
	struct word word = {text, m->where.line};
	struct given given = {.where = m->where, .words = &word, .count = 1};

	option_assign(
	    m->config, option_find(slice_of_str(key)), &given, m->complaints);
}

void mapped_refuse(const struct mapped *m, const char *why)
{
	complain(m->complaints, m->where, "%s: '%s': %s", m->mapping->name,
	    shown(m->text).at, why);
}

static bool is_separator(uint8_t c)
{
	return c == ',' || c == ' ' || c == '\t';
}

bool mapped_next(struct slice *rest, struct slice *part)
{
	size_t len = 0;
	unsigned depth = 0;

	while (rest->len > 0 && is_separator(rest->at[0]))
		slice_cut(rest, 1);
	for (; len < rest->len; len++) {
		if (rest->at[len] == '{')
			depth++;
		else if (rest->at[len] == '}' && depth > 0)
			depth--;
		else if (depth == 0 && is_separator(rest->at[len]))
			break;
	}
	*part = slice_cut(rest, len);
	return len > 0;
}

/* An option whose values are written as Postfix writes them. */
static void map_same(const struct mapped *m)
{
	mapped_set(m, m->mapping->key, m->text);
}

/* For $name alone. */
static void map_name(const struct mapped *m)
{
	(void)m;
}

static void map_yes(const struct mapped *m)
{
	bool yes;

	if (!value_bool(m->text, &yes))
		mapped_refuse(m, "must be yes or no");
	else
		mapped_set(
		    m, m->mapping->key, yes ? SLICE("true") : SLICE("false"));
}

/* Postfix's times have a unit of their own when they name none. */
static void map_time(const struct mapped *m, char unit)
{
	char text[32];
	struct buf b = buf_over(text, sizeof(text));
	uint64_t number;

	if (!slice_number(m->text, &number)) {
		map_same(m);
		return;
	}
	/* "At once" is a second here. */
	if (number == 0)
		buf_put_str(&b, "1s");
	else
		buf_printf(&b, "%.*s%c", (int)m->text.len, m->text.at, unit);
	mapped_set(m, m->mapping->key, buf_slice(&b));
}

static void map_seconds(const struct mapped *m)
{
	map_time(m, 's');
}

static void map_days(const struct mapped *m)
{
	map_time(m, 'd');
}

static void map_client_timeout(const struct mapped *m)
{
	static const struct postconf_mapping data = {
	    "smtpd_timeout", "config.timeout.data", NULL, NULL};
	struct mapped other = *m;

	map_time(m, 's');
	other.mapping = &data;
	map_time(&other, 's');
}

static void map_networks(const struct mapped *m)
{
	struct slice rest = m->text, part;

	while (mapped_next(&rest, &part))
		if (part.at[0] == '!' || part.at[0] == '/' ||
		    slice_starts_nocase(part, SLICE("cidr:")) ||
		    slice_starts_nocase(part, SLICE("hash:"))) {
			mapped_refuse(m, "only addresses and networks are "
					 "understood, no ! and no tables");
			return;
		}
	map_same(m);
}

/* Of the services that a next hop may be asked for by name. */
static void map_relayhost(const struct mapped *m)
{
	static const struct {
		const char *name, *port;
	} services[] = {{":smtp", ":25"}, {":submission", ":587"},
	    {":smtps", ":465"}, {":submissions", ":465"}};
	char text[300];
	struct buf b = buf_over(text, sizeof(text));

	for (size_t i = 0; i < COUNT(services); i++) {
		size_t len = strlen(services[i].name);

		if (m->text.len <= len ||
		    !slice_eq(slice_of(m->text.at + m->text.len - len, len),
			slice_of_str(services[i].name)))
			continue;
		buf_put(&b, slice_of(m->text.at, m->text.len - len));
		buf_put_str(&b, services[i].port);
		mapped_set(m, m->mapping->key, buf_slice(&b));
		return;
	}
	map_same(m);
}

static void map_size(const struct mapped *m)
{
	mapped_set(m, m->mapping->key,
	    slice_eq(m->text, SLICE("0")) ? SLICE("16G") : m->text);
}

static void map_server_level(const struct mapped *m)
{
	mapped_set(m, m->mapping->key,
	    slice_eq(m->text, SLICE("none")) ? SLICE("") : m->text);
}

/* The obsolete yes and no in front of levels. */
static void map_server_level_old(const struct mapped *m)
{
	bool yes;

	if (!value_bool(m->text, &yes))
		mapped_refuse(m, "must be yes or no");
	else if (yes)
		mapped_set(m, m->mapping->key,
		    strcmp(m->mapping->name, "smtpd_use_tls") == 0
			? SLICE("may")
			: SLICE("encrypt"));
}

static void set_delivery_level(
    const struct mapped *m, const char *level, bool must, bool verify)
{
	mapped_set(m, "config.delivery.tls", slice_of_str(level));
	mapped_set(
	    m, "config.relay.tls", must ? SLICE("true") : SLICE("false"));
	/* Whether it is verified where nothing must be is not said. */
	if (must)
		mapped_set(m, "config.relay.tls_verify",
		    verify ? SLICE("true") : SLICE("false"));
}

static void map_delivery_level(const struct mapped *m)
{
	struct slice level = m->text;

	if (level.len == 0 || slice_eq(level, SLICE("none")))
		set_delivery_level(m, "none", false, false);
	else if (slice_eq(level, SLICE("may")) ||
		 slice_eq(level, SLICE("dane")))
		set_delivery_level(m, "opportunistic", false, false);
	else if (slice_eq(level, SLICE("encrypt")))
		set_delivery_level(m, "encrypt", true, false);
	else if (slice_eq(level, SLICE("verify")) ||
		 slice_eq(level, SLICE("secure")))
		set_delivery_level(m, "verify", true, true);
	else
		mapped_refuse(m, "must be none, may, encrypt, verify, secure "
				 "or dane");
}

static void map_delivery_level_old(const struct mapped *m)
{
	bool yes;

	if (!value_bool(m->text, &yes))
		mapped_refuse(m, "must be yes or no");
	else if (yes && strcmp(m->mapping->name, "smtp_use_tls") == 0)
		set_delivery_level(m, "opportunistic", false, false);
	else if (yes)
		set_delivery_level(m, "encrypt", true, false);
}

/* A certificate of one kind and one of the other are two of a list. */
static void set_pair(
    const struct mapped *m, const char *first, const char *second)
{
	const char *names[2] = {first, second};
	struct word words[2];
	struct given given = {
	    .where = m->where, .is_list = true, .words = words};

	for (unsigned i = 0; i < 2; i++) {
		const struct postconf_value *v =
		    postconf_find(m->config, names[i]);
		struct slice text;

		if (v == NULL ||
		    !postconf_expand(m->config, m->complaints, v, &text))
			continue;
		if (text.len > 0 && !slice_eq(text, SLICE("none")))
			words[given.count++] =
			    (struct word){text, v->where.line};
	}
	option_assign(m->config, option_find(slice_of_str(m->mapping->key)),
	    &given, m->complaints);
}

static void map_certificate(const struct mapped *m)
{
	set_pair(m, "smtpd_tls_cert_file", "smtpd_tls_eccert_file");
}

static void map_key(const struct mapped *m)
{
	set_pair(m, "smtpd_tls_key_file", "smtpd_tls_eckey_file");
}

static void map_chains(const struct mapped *m)
{
	struct slice rest = m->text, part;
	struct word words[16];
	struct given given = {
	    .where = m->where, .is_list = true, .words = words};

	while (mapped_next(&rest, &part) && given.count < COUNT(words))
		words[given.count++] = (struct word){part, m->where.line};
	option_assign(m->config, option_find(SLICE("config.tls.crt_file")),
	    &given, m->complaints);
	option_assign(m->config, option_find(SLICE("config.tls.key_file")),
	    &given, m->complaints);
}

static void map_bind(const struct mapped *m)
{
	static const char *const names[] = {
	    "smtp_bind_address", "smtp_bind_address6"};
	char text[256];
	struct buf b = buf_over(text, sizeof(text));

	for (unsigned i = 0; i < 2; i++) {
		const struct postconf_value *v =
		    postconf_find(m->config, names[i]);
		struct slice address;

		if (v == NULL ||
		    !postconf_expand(m->config, m->complaints, v, &address))
			continue;
		buf_put(&b, address);
		buf_put_byte(&b, ' ');
	}
	mapped_set(m, m->mapping->key, buf_slice(&b));
}

static void map_rate_delay(const struct mapped *m)
{
	if (!slice_eq(m->text, SLICE("0")) && !slice_eq(m->text, SLICE("0s")))
		mapped_refuse(m, "there are no pauses between messages here; "
				 "config.delivery.connections limits what is "
				 "sent at a time");
}

static void map_missing_headers(const struct mapped *m)
{
	bool yes;

	if (!value_bool(m->text, &yes))
		mapped_refuse(m, "must be yes or no");
	else if (!yes)
		complain_softly(m->complaints, m->where,
		    "always_add_missing_headers: they are always added");
}

static void map_log_file(const struct mapped *m)
{
	if (m->text.len > 0 && !slice_eq(m->text, SLICE("/dev/stdout")))
		complain_softly(m->complaints, m->where,
		    "maillog_file: the log goes to standard output");
}

/* AUTH is offered when there are users; that it must be used is said by the
 * restrictions. */
static void map_auth(const struct mapped *m)
{
	bool yes;

	if (!value_bool(m->text, &yes))
		mapped_refuse(m, "must be yes or no");
	else if (!yes)
		mapped_set(m, "config.auth", SLICE("false"));
}

static void map_client_auth(const struct mapped *m)
{
	const struct postconf_value *maps =
	    postconf_find(m->config, "smtp_sasl_password_maps");
	bool yes;

	if (!value_bool(m->text, &yes))
		mapped_refuse(m, "must be yes or no");
	else if (yes && (maps == NULL || maps->text.len == 0))
		mapped_refuse(m, "needs smtp_sasl_password_maps");
}

/* clang-format off */
static const struct postconf_mapping rows[] = {
{"myhostname", "config.hostname", NULL, map_same},
{"mydomain", NULL, "for `$mydomain` in other values", map_name},
{"myorigin", NULL, "for `$myorigin` in other values; addresses are not "
    "completed", map_name},
{"mynetworks", "config.allowed_networks", "addresses and networks", map_networks},
{"smtp_helo_name", "config.delivery.helo", NULL, map_same},
{"relayhost", "config.relay.host", NULL, map_relayhost},
{"message_size_limit", "config.message_size_limit", "`0` is 16G", map_size},
{"smtpd_recipient_limit", "config.recipient_limit", NULL, map_same},
{"smtpd_client_connection_count_limit", "config.client_connection_limit",
    NULL, map_same},
{"smtpd_timeout", "config.timeout.command", "and `config.timeout.data`",
    map_client_timeout},
{"smtpd_tls_security_level", "config.tls.level", "`none`, `may`, `encrypt`",
    map_server_level},
{"smtpd_use_tls", "config.tls.level", "`yes` is `may`", map_server_level_old},
{"smtpd_enforce_tls", "config.tls.level", "`yes` is `encrypt`",
    map_server_level_old},
{"smtpd_tls_cert_file", "config.tls.crt_file", NULL, map_certificate},
{"smtpd_tls_key_file", "config.tls.key_file", NULL, map_key},
{"smtpd_tls_eccert_file", "config.tls.crt_file", "the second of two",
    map_certificate},
{"smtpd_tls_eckey_file", "config.tls.key_file", "the second of two",
    map_key},
{"smtpd_tls_chain_files", "config.tls.crt_file",
    "files that have both, key and chain", map_chains},
{"smtpd_tls_auth_only", "config.tls.auth_only", NULL, map_yes},
{"smtpd_sasl_auth_enable", "config.auth",
    "AUTH is offered when there are users; restrictions demand it", map_auth},
{"smtpd_client_restrictions", "config.auth",
    "`permit_mynetworks`, `permit_sasl_authenticated`, `reject`",
    map_restrictions},
{"smtpd_relay_restrictions", "config.auth", "the same", map_restrictions},
{"smtpd_recipient_restrictions", "config.auth", "the same", map_restrictions},
{"smtpd_sender_restrictions", "config.sender_restrictions",
    "the same; `reject_sender_login_mismatch` is `email`, "
    "`check_sender_access` with a table of domains is `domain`",
    map_restrictions},
{"smtpd_sender_login_maps", "users",
    "`allowed_from`; `texthash:` and `inline:`", map_login_maps},
{"smtpd_milters", "domains", "OpenDKIM on port 8891, or its socket: mail is "
    "signed by the relay", map_milters},
{"non_smtpd_milters", "domains", "the same", map_milters},
{"inet_interfaces", "config.listen.submission", "and the other listeners'",
    map_interfaces},
{"inet_protocols", "config.listen.submission", "and the other listeners'",
    map_protocols},
{"smtp_tls_security_level", "config.delivery.tls",
    "and `config.relay.tls`; `none`, `may`, `encrypt`, `verify`, `secure`; "
    "`dane` is `may`", map_delivery_level},
{"smtp_use_tls", "config.delivery.tls", "`yes` is `opportunistic`",
    map_delivery_level_old},
{"smtp_enforce_tls", "config.delivery.tls", "`yes` is `encrypt`",
    map_delivery_level_old},
{"smtp_sasl_auth_enable", "config.relay.username",
    "with `smtp_sasl_password_maps`", map_client_auth},
{"smtp_sasl_password_maps", "config.relay.username",
    "and `config.relay.password`; `static:`, `texthash:` and `inline:`",
    map_password_maps},
{"smtp_bind_address", "config.delivery.bind", NULL, map_bind},
{"smtp_bind_address6", "config.delivery.bind", NULL, map_bind},
{"smtp_destination_concurrency_limit", "config.delivery.connections", NULL,
    map_same},
{"default_destination_concurrency_limit", "config.delivery.connections", NULL,
    map_same},
{"smtp_destination_rate_delay", NULL, "`0s` only", map_rate_delay},
{"default_destination_rate_delay", NULL, "`0s` only", map_rate_delay},
{"smtp_connect_timeout", "config.timeout.connect", NULL, map_seconds},
{"smtp_helo_timeout", "config.timeout.greeting", NULL, map_seconds},
{"smtp_mail_timeout", "config.timeout.mail", NULL, map_seconds},
{"smtp_rcpt_timeout", "config.timeout.rcpt", NULL, map_seconds},
{"smtp_data_init_timeout", "config.timeout.data_init", NULL, map_seconds},
{"smtp_data_xfer_timeout", "config.timeout.data_block", NULL, map_seconds},
{"smtp_data_done_timeout", "config.timeout.data_end", NULL, map_seconds},
{"minimal_backoff_time", "config.retry.first", NULL, map_seconds},
{"maximal_backoff_time", "config.retry.max", NULL, map_seconds},
{"maximal_queue_lifetime", "config.retry.lifetime", NULL, map_days},
{"bounce_queue_lifetime", "config.retry.bounce_lifetime", NULL, map_days},
{"always_add_missing_headers", NULL, "they are", map_missing_headers},
{"maillog_file", NULL, "`/dev/stdout`", map_log_file},
};
/* clang-format on */

const struct postconf_mapping *postconf_mappings(size_t *count)
{
	*count = COUNT(rows);
	return rows;
}

const struct postconf_mapping *postconf_mapping_of(struct slice name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (slice_eq(slice_of_str(rows[i].name), name))
			return &rows[i];
	return NULL;
}
