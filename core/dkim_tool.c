/* dkim_tool.c -- new keys, and whether the DNS publishes those we have.
 *
 * check asks as the relay would, by the same resolver with the same settings, a
 * few questions at a time; its answer is a line a key. */
#include "core/dkim_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/base/pool.h"
#include "core/dkim_keys.h"
#include "core/outbound/dns.h"
#include "dkim/generate.h"
#include "dkim/record.h"

#define STRING_MAX 255 /* RFC 1035, 3.3 */
#define RECORD_MAX 2048
#define QUESTIONS_MAX 16

/* "DKIM1..." in as many strings as it takes. */
static void print_record(
    const char *selector, const char *domain, struct slice record)
{
	printf("%s._domainkey.%s. IN TXT (", selector, domain);
	while (record.len > 0) {
		struct slice part = slice_cut(
		    &record, record.len < STRING_MAX ? record.len : STRING_MAX);

		printf("\n\t\"%.*s\"", (int)part.len, (const char *)part.at);
	}
	printf(" )\n");
}

static bool write_key(const char *path, struct slice pem)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good;

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	good = write(fd, pem.at, pem.len) == (ssize_t)pem.len;
	good = fsync(fd) == 0 && good;
	good = close(fd) == 0 && good;
	if (!good)
		fprintf(stderr, "%s: it cannot be written\n", path);
	return good;
}

static bool read_kind(
    const struct dkim_keygen *k, enum dkim_algorithm *algorithm, uint64_t *bits)
{
	*algorithm = DKIM_RSA_SHA256;
	*bits = 2048;
	if (k->type != NULL && strcmp(k->type, "ed25519") == 0) {
		*algorithm = DKIM_ED25519_SHA256;
		if (k->bits == NULL)
			return true;
		fprintf(stderr, "ed25519: there is only one length\n");
		return false;
	}
	if (k->type != NULL && strcmp(k->type, "rsa") != 0) {
		fprintf(stderr, "%s: not rsa or ed25519\n", k->type);
		return false;
	}
	if (k->bits != NULL &&
	    (!slice_number(slice_of_str(k->bits), bits) || *bits < 1024 ||
		*bits > 4096 || *bits % 256 != 0)) {
		fprintf(stderr, "%s: not 1024, 2048, 3072 or 4096\n", k->bits);
		return false;
	}
	return true;
}

/* Signs and verifies with the new key, and prints what to publish. */
static const char *publish(const struct dkim_keygen *k, struct slice pem)
{
	const char *why = NULL, *warning = NULL;
	uint8_t room[RECORD_MAX];
	struct buf record = buf_over(room, sizeof(room));
	struct dkim *d = dkim_open(&why);

	if (d == NULL)
		return why;
	struct dkim_key *key = dkim_key_open(d, pem, &why, &warning);

	if (key != NULL) {
		if (warning != NULL)
			fprintf(stderr, "warning: %s\n", warning);
		dkim_key_record(key, &record);
		print_record(k->selector, k->domain, buf_slice(&record));
		dkim_key_close(key);
		why = NULL;
	}
	dkim_close(d);
	return why;
}

int dkim_keygen_run(const struct dkim_keygen *k)
{
	uint8_t room[DKIM_PEM_MAX];
	struct buf pem = buf_over(room, sizeof(room));
	char path[600];
	enum dkim_algorithm algorithm;
	uint64_t bits;
	const char *why;

	if (k->domain == NULL || k->selector == NULL) {
		fprintf(stderr, "-d DOMAIN and -s SELECTOR are needed\n");
		return EX_USAGE;
	}
	if (!read_kind(k, &algorithm, &bits))
		return EX_USAGE;
	int len =
	    snprintf(path, sizeof(path), "%s.%s.pem", k->domain, k->selector);

	if (len < 0 || (size_t)len >= sizeof(path)) {
		fprintf(stderr, "%s: the name is too long\n", k->domain);
		return EX_USAGE;
	}
	why = dkim_generate(algorithm, (unsigned)bits, &pem);
	bool written =
	    why == NULL &&
	    write_key(k->file != NULL ? k->file : path, buf_slice(&pem));

	if (written)
		why = publish(k, buf_slice(&pem));
	explicit_bzero(room, sizeof(room));
	if (why != NULL)
		fprintf(stderr, "%s\n", why);
	return why == NULL && written ? 0 : EX_CANTCREAT;
}

/* A key, and the name under which it should be found. */
struct question {
	struct dns_query query;
	const struct config_dkim_key *key;
	struct buf name;
	uint8_t name_room[600];
	unsigned *waiting;
};

struct checker {
	dkim_said *said;
	void *arg;
	struct loop *loop;
	struct log log;
	struct dns *dns;
	struct dkim *dkim;
	struct pool pool;
	struct question *questions; /* QUESTIONS_MAX */
	unsigned count;
	unsigned waiting;
	unsigned wrong_count, unknown_count;
};

static void on_answer(struct dns_query *q)
{
	(*container_of(q, struct question, query)->waiting)--;
}

static void say(const struct checker *c, const struct question *q,
    const char *word, const char *why)
{
	char name[sizeof(q->name_room) + 1];

	memcpy(name, q->name.at, q->name.len);
	name[q->name.len] = '\0';
	c->said(c->arg, word, name, why);
}

static const char *word_of(enum dkim_record_match match)
{
	switch (match) {
	case DKIM_RECORD_SAME: return "good";
	case DKIM_RECORD_DIFFERENT: return "different";
	case DKIM_RECORD_REVOKED: return "revoked";
	case DKIM_RECORD_NONE: return "missing";
	}
	return "missing";
}

/* RFC 6376, 3.6.2.2: of several records a verifier may take any. */
static bool judge_records(
    const struct checker *c, const struct question *q, struct slice own)
{
	enum dkim_record_match match = DKIM_RECORD_NONE;
	unsigned count = 0;

	for (unsigned i = 0; i < q->query.answer.count; i++) {
		enum dkim_record_match one =
		    dkim_record_compare(q->query.answer.records[i].data, own);

		if (one == DKIM_RECORD_NONE)
			continue;
		count++;
		match = one;
	}
	if (count > 1) {
		say(c, q, "different", "there are several records");
		return false;
	}
	say(c, q, word_of(match),
	    match == DKIM_RECORD_DIFFERENT ? "another key is published" : "");
	return match == DKIM_RECORD_SAME;
}

static void judge(struct checker *c, const struct question *q)
{
	const char *why, *warning;
	uint8_t room[RECORD_MAX];
	struct buf own = buf_over(room, sizeof(room));
	struct dkim_key *key =
	    dkim_key_open(c->dkim, q->key->pem.text, &why, &warning);

	if (key == NULL) {
		say(c, q, "unusable", why);
		c->wrong_count++;
		return;
	}
	dkim_key_record(key, &own);
	dkim_key_close(key);
	switch (q->query.status) {
	case DNS_FOUND:
		if (!judge_records(c, q, buf_slice(&own)))
			c->wrong_count++;
		break;
	case DNS_NO_DATA:
	case DNS_NO_NAME:
		say(c, q, "missing", "there is no such record");
		c->wrong_count++;
		break;
	case DNS_FAILED:
		say(c, q, "unknown", q->query.why);
		c->unknown_count++;
		break;
	}
}

static void ask_all(struct checker *c)
{
	c->waiting = c->count;
	for (unsigned i = 0; i < c->count; i++) {
		struct question *q = &c->questions[i];

		q->waiting = &c->waiting;
		q->query = (struct dns_query){.done = on_answer};
		dns_ask(c->dns, buf_slice(&q->name), DNS_TYPE_TXT, &q->query);
	}
	while (c->waiting > 0)
		loop_turn(c->loop);
	for (unsigned i = 0; i < c->count; i++)
		judge(c, &c->questions[i]);
	c->count = 0;
}

static void add(
    struct checker *c, const struct config_dkim_key *key, const char *domain)
{
	struct question *q = &c->questions[c->count++];

	q->key = key;
	q->name = buf_over(q->name_room, sizeof(q->name_room));
	buf_printf(&q->name, "%s._domainkey.%s", key->selector, domain);
	if (c->count == QUESTIONS_MAX)
		ask_all(c);
}

static bool is_any_domain(const struct config_dkim_key *key)
{
	return strcmp(key->domain, "%") == 0;
}

/* The domain of a rule; NULL: it is for more than one. */
static const char *domain_of(const struct config_signing *rule)
{
	const char *at = strrchr(rule->pattern, '@');

	switch (rule->kind) {
	case SIGNING_DOMAIN:
	case SIGNING_SUBDOMAINS: return rule->pattern;
	case SIGNING_ADDRESS:
	case SIGNING_PATTERN: break;
	}
	at = at == NULL ? rule->pattern : at + 1;
	return strchr(at, '*') == NULL ? at : NULL;
}

static void check_all(struct checker *c, const struct config *config)
{
	for (size_t i = 0; i < config->dkim_key_count; i++)
		if (!is_any_domain(&config->dkim_keys[i]))
			add(c, &config->dkim_keys[i],
			    config->dkim_keys[i].domain);
	for (size_t i = 0; i < config->signing_count; i++) {
		const struct config_signing *rule = &config->signings[i];
		const struct config_dkim_key *key =
		    &config->dkim_keys[rule->key];

		if (!is_any_domain(key))
			continue;
		if (domain_of(rule) != NULL)
			add(c, key, domain_of(rule));
		else
			c->said(c->arg, "unknown", key->name,
			    "for any domain that fits a pattern");
	}
	ask_all(c);
}

static const char *open_checker(struct checker *c, const struct config *config)
{
	struct loop_options loop = {.without_recv = true};
	struct dns_options dns = {
	    .servers = (const char *const *)config->dns.servers.at,
	    .server_count = (unsigned)config->dns.servers.count,
	    .dnssec = config->dns.dnssec,
	    .trust_anchor_file = config->dns.trust_anchor_file,
	};
	const char *why = "no memory";

	if (pool_init(&c->pool, "questions",
		sizeof(struct question) * QUESTIONS_MAX, 1) < 0)
		return why;
	c->questions = pool_take(&c->pool);
	if (c->questions == NULL || loop_open(&c->loop, &loop, &why) < 0)
		return why;
	if (log_open(&c->log, STDERR_FILENO, NULL, 4096, LOG_WARN, LOG_TEXT) <
	    0)
		return "no memory";
	if (dns_open(&c->dns, &dns, c->loop, &c->log) < 0)
		return "the resolver cannot be opened";
	c->dkim = dkim_open(&why);
	return c->dkim == NULL ? why : NULL;
}

static void close_checker(struct checker *c)
{
	dkim_close(c->dkim);
	dns_close(c->dns);
	log_close(&c->log);
	loop_close_down(c->loop);
	pool_deinit(&c->pool);
}

int dkim_check_each(const struct config *config, dkim_said *said, void *arg)
{
	struct checker c = {.said = said, .arg = arg};
	const char *why = open_checker(&c, config);

	if (why != NULL) {
		fprintf(stderr, "%s\n", why);
		return EX_OSERR;
	}
	check_all(&c, config);
	close_checker(&c);
	if (c.wrong_count > 0)
		return 1;
	return c.unknown_count > 0 ? EX_TEMPFAIL : 0;
}

static void print_said(
    void *arg, const char *word, const char *name, const char *why)
{
	fprintf(
	    arg, "%-10s %s%s%s\n", word, name, why[0] != '\0' ? ": " : "", why);
}

int dkim_check_run(const struct config *config)
{
	if (config->dkim_key_count == 0)
		puts("no keys are configured");
	return dkim_check_each(config, print_said, stdout);
}
