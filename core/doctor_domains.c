/* doctor_domains.c -- whether receivers believe that mail of our domains is
 * ours: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). */
#include "core/doctor.h"

#include <stdio.h>
#include <sysexits.h>

#include "core/dkim_tool.h"
#include "proto/spf.h"

#define DMARC_MAX 512

static bool leaves_by_relay(struct doctor *d, const char *what)
{
	if (d->config->relay.host == NULL)
		return false;
	doctor_say(d, DOCTOR_OK, what,
	    "mail leaves by %s, whose addresses count, not ours",
	    d->config->relay.host);
	return true;
}

static void evaluate(struct doctor *d, struct spf *s)
{
	while (spf_next(s)) {
		(void)doctor_ask(d, s->name, s->type);
		switch (d->query.status) {
		case DNS_FOUND:
			spf_answer(s, SPF_ANSWER_FOUND, &d->query.answer);
			break;
		case DNS_NO_DATA:
		case DNS_NO_NAME:
			spf_answer(s, SPF_ANSWER_NOTHING, &d->query.answer);
			break;
		case DNS_FAILED:
			spf_answer(s, SPF_ANSWER_FAILED, &d->query.answer);
			break;
		}
	}
}

static void judge_spf(struct doctor *d, const char *domain,
    const uint8_t address[16], const struct spf *s)
{
	struct socket_address_text text = doctor_address_text(address);
	const char *kind = strchr(text.at, ':') != NULL ? "ip6" : "ip4";

	switch (s->result) {
	case SPF_PASS:
		doctor_say(d, DOCTOR_OK, "SPF", "%s: %s may send (%s)", domain,
		    text.at, s->why);
		return;
	case SPF_NONE:
		doctor_say(d, DOCTOR_WARN, "SPF",
		    "%s has no SPF record; publish a TXT record "
		    "\"v=spf1 a:%s ~all\", or with %s:%s",
		    domain, d->config->hostname, kind, text.at);
		return;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		doctor_say(d,
		    s->result == SPF_NEUTRAL ? DOCTOR_WARN : DOCTOR_FAIL, "SPF",
		    "%s: %s is not covered: %s (%s); add a:%s or %s:%s to the "
		    "record",
		    domain, text.at, spf_word(s->result), s->why,
		    d->config->hostname, kind, text.at);
		return;
	case SPF_PERMERROR:
		doctor_say(d, DOCTOR_FAIL, "SPF",
		    "%s: the record cannot be used: %s", domain, s->why);
		return;
	case SPF_TEMPERROR:
	case SPF_UNKNOWN:
		doctor_say(d, DOCTOR_WARN, "SPF",
		    "%s: not known whether %s is covered: %s", domain, text.at,
		    s->why);
		return;
	}
}

void doctor_spf(struct doctor *d)
{
	const struct string_list *domains = &d->config->domains;
	struct spf spf;

	if (leaves_by_relay(d, "SPF"))
		return;
	if (domains->count == 0)
		doctor_say(d, DOCTOR_WARN, "SPF",
		    "no domains are configured (domains[].name): nothing to "
		    "look at for SPF, DKIM and DMARC");
	for (size_t i = 0; i < domains->count; i++)
		for (unsigned n = 0; n < d->address_count; n++) {
			spf_init(&spf, d->addresses[n],
			    slice_of_str(domains->at[i]));
			evaluate(d, &spf);
			judge_spf(d, domains->at[i], d->addresses[n], &spf);
		}
}

static void say_dkim(
    void *arg, const char *word, const char *name, const char *why)
{
	struct doctor *d = arg;
	enum doctor_verdict verdict = strcmp(word, "good") == 0 ? DOCTOR_OK
				      : strcmp(word, "unknown") == 0
					  ? DOCTOR_WARN
					  : DOCTOR_FAIL;

	doctor_say(d, verdict, "DKIM", "%s: %s%s%s%s", name, word,
	    why[0] != '\0' ? ": " : "", why,
	    verdict == DOCTOR_FAIL
		? "; publish what `smarthost dkim keygen` printed"
		: "");
}

void doctor_dkim(struct doctor *d)
{
	if (d->config->dkim_key_count == 0)
		doctor_say(d, DOCTOR_WARN, "DKIM",
		    "mail is not signed; make a key with `smarthost dkim "
		    "keygen`, and name it in domains[].dkim");
	else if (dkim_check_each(d->config, say_dkim, d) == EX_OSERR)
		doctor_say(d, DOCTOR_WARN, "DKIM", "it cannot be looked at");
}

/* A tag's value in "v=DMARC1; p=none"; empty: it is not there. */
static struct slice tag_of(struct slice record, const char *name)
{
	while (record.len > 0) {
		struct slice value = slice_cut_at(&record, ';');
		struct slice tag = slice_trim(slice_cut_at(&value, '='));

		if (slice_eq_nocase(tag, slice_of_str(name)))
			return slice_trim(value);
	}
	return (struct slice){NULL, 0};
}

/* The record of the domain, or of the nearest one above it that has one. */
static bool find_dmarc(
    struct doctor *d, const char *domain, char record[DMARC_MAX])
{
	char name[DNS_NAME_MAX + 16];

	for (; strchr(domain, '.') != NULL; domain = strchr(domain, '.') + 1) {
		snprintf(name, sizeof(name), "_dmarc.%s", domain);
		if (!doctor_ask(d, name, DNS_TYPE_TXT) &&
		    d->query.status == DNS_FAILED)
			return false;
		for (unsigned i = 0; i < d->query.answer.count; i++) {
			struct slice text = d->query.answer.records[i].data;

			if (!slice_eq(tag_of(text, "v"), SLICE("DMARC1")))
				continue;
			snprintf(record, DMARC_MAX, "%.*s", (int)text.len,
			    (const char *)text.at);
			return true;
		}
	}
	record[0] = '\0';
	return true;
}

/* RFC 7489, 3.1: strict: the same; relaxed: of one organisation, which we take
 * them to be where one is below the other. */
static bool is_aligned(const char *domain, const char *signer, bool strict)
{
	size_t a = strlen(domain), b = strlen(signer);

	if (strcasecmp(domain, signer) == 0)
		return true;
	if (strict || a == b)
		return false;
	return a > b ? domain[a - b - 1] == '.' &&
			   strcasecmp(domain + a - b, signer) == 0
		     : signer[b - a - 1] == '.' &&
			   strcasecmp(signer + b - a, domain) == 0;
}

static bool is_signed_for(const struct config_signing *rule, const char *domain)
{
	const char *at = strrchr(rule->pattern, '@');
	const char *of = at != NULL ? at + 1 : rule->pattern;

	return strcmp(of, "*") == 0 ||
	       is_aligned(domain, of, rule->kind != SIGNING_SUBDOMAINS);
}

/* Whether some signature of the domain's mail is aligned with it. */
static bool has_aligned_key(
    const struct config *c, const char *domain, bool strict)
{
	for (size_t i = 0; i < c->signing_count; i++) {
		const struct config_dkim_key *key =
		    &c->dkim_keys[c->signings[i].key];

		if (is_signed_for(&c->signings[i], domain) &&
		    (strcmp(key->domain, "%") == 0 ||
			is_aligned(domain, key->domain, strict)))
			return true;
	}
	return false;
}

static void judge_dmarc(
    struct doctor *d, const char *domain, struct slice record)
{
	struct slice policy = tag_of(record, "p");
	bool strict = slice_eq_nocase(tag_of(record, "adkim"), SLICE("s"));
	bool spf_strict = slice_eq_nocase(tag_of(record, "aspf"), SLICE("s"));

	if (!slice_eq_nocase(policy, SLICE("none")) &&
	    !slice_eq_nocase(policy, SLICE("quarantine")) &&
	    !slice_eq_nocase(policy, SLICE("reject"))) {
		doctor_say(d, DOCTOR_FAIL, "DMARC",
		    "%s: p= is not none, quarantine or reject: the record "
		    "cannot be used",
		    domain);
	} else if (has_aligned_key(d->config, domain, strict)) {
		doctor_say(d, DOCTOR_OK, "DMARC",
		    "%s: p=%.*s, and its DKIM signature is aligned", domain,
		    (int)policy.len, (const char *)policy.at);
	} else {
		doctor_say(d, DOCTOR_WARN, "DMARC",
		    "%s: p=%.*s, and no DKIM key signs for it%s: only SPF "
		    "counts, with an envelope sender %s %s, and not after a "
		    "forwarding; name a key in domains[].dkim",
		    domain, (int)policy.len, (const char *)policy.at,
		    strict ? " with exactly this domain (adkim=s)" : "",
		    spf_strict ? "at exactly" : "at or below", domain);
	}
}

void doctor_dmarc(struct doctor *d)
{
	const struct string_list *domains = &d->config->domains;
	char record[DMARC_MAX];

	for (size_t i = 0; i < domains->count; i++) {
		const char *domain = domains->at[i];

		if (!find_dmarc(d, domain, record))
			doctor_say(d, DOCTOR_WARN, "DMARC",
			    "the DNS does not answer for %s: %s", domain,
			    d->query.why);
		else if (record[0] == '\0')
			doctor_say(d, DOCTOR_WARN, "DMARC",
			    "%s has no record; large receivers want one: "
			    "publish a TXT record of _dmarc.%s, "
			    "\"v=DMARC1; p=none\" to begin with",
			    domain, domain);
		else
			judge_dmarc(d, domain, slice_of_str(record));
	}
}
