/* doctor_network.c -- whether mail gets out, and whether the DNS can be
 * believed. */
#include "core/doctor.h"

#include <stdio.h>

#include "core/outbound/relay_host.h"
#include "core/wire.h"

#define WAIT_S 10

/* An SMTP server's first word. */
static bool is_greeted(struct wire *w)
{
	uint8_t room[1024];
	struct buf in = buf_over(room, sizeof(room));

	return wire_receive(w, &in) > 0 &&
	       slice_starts_nocase(buf_slice(&in), SLICE("220"));
}

static void reach(
    struct doctor *d, const char *who, const char *address, uint16_t port)
{
	struct wire w;
	const char *why = "";

	if (wire_open(&w, address, port, WAIT_S, &why) != WIRE_OPEN) {
		doctor_say(d, DOCTOR_FAIL, "way out",
		    "no connection to %s (%s), port %u: %s; where a provider "
		    "closes the port, ask for it to be opened or set "
		    "config.relay.host",
		    who, address, port, why);
		return;
	}
	if (is_greeted(&w))
		doctor_say(d, DOCTOR_OK, "way out", "%s (%s), port %u, greets",
		    who, address, port);
	else
		doctor_say(d, DOCTOR_WARN, "way out",
		    "%s (%s), port %u, takes connections and does not greet: "
		    "something in between may stop mail",
		    who, address, port);
	wire_close(&w);
}

/* The host with the smallest preference; the name itself without an MX (RFC
 * 5321, 5.1). */
static bool find_mx(
    struct doctor *d, const char *domain, char host[DNS_NAME_MAX + 1])
{
	const struct dns_answer *a = &d->query.answer;
	const struct dns_record *best = NULL;

	snprintf(host, DNS_NAME_MAX + 1, "%s", domain);
	if (!doctor_ask(d, domain, DNS_TYPE_MX))
		return d->query.status != DNS_FAILED;
	for (unsigned i = 0; i < a->count; i++)
		if (best == NULL || a->records[i].preference < best->preference)
			best = &a->records[i];
	if (best == NULL)
		return true;
	snprintf(host, DNS_NAME_MAX + 1, "%.*s", (int)best->data.len,
	    (const char *)best->data.at);
	return true;
}

static void probe(struct doctor *d, const char *domain, uint16_t port)
{
	char host[DNS_NAME_MAX + 1];
	uint8_t address[16] = {[10] = 0xff, 0xff};
	const char *at = strrchr(domain, '@');

	if (at != NULL)
		domain = at + 1;
	if (!find_mx(d, domain, host) || !doctor_ask(d, host, DNS_TYPE_A)) {
		doctor_say(d, DOCTOR_WARN, "way out",
		    "not known: the DNS has no IPv4 address for the mail of "
		    "%s%s%s",
		    domain, d->query.why[0] != '\0' ? ": " : "", d->query.why);
		return;
	}
	memcpy(address + 12, d->query.answer.records[0].data.at, 4);
	reach(d, host, doctor_address_text(address).at, port);
}

static void reach_relay(struct doctor *d)
{
	struct relay_host there;
	char host[DNS_NAME_MAX + 1];

	if (!relay_host_parse(slice_of_str(d->config->relay.host), &there))
		return;
	snprintf(host, sizeof(host), "%.*s", (int)there.host.len,
	    (const char *)there.host.at);
	/* A name without brackets may stand for its MX. */
	if (!there.use_mx || !doctor_ask(d, host, DNS_TYPE_MX))
		reach(d, d->config->relay.host, host, there.port);
	else
		probe(d, host, there.port);
}

void doctor_reach(struct doctor *d)
{
	if (d->config->relay.host != NULL)
		reach_relay(d);
	for (unsigned i = 0; i < d->options->probe_count; i++)
		probe(d, d->options->probes[i], d->config->delivery.port);
	if (d->config->relay.host == NULL && d->options->probe_count == 0)
		doctor_say(d, DOCTOR_WARN, "way out",
		    "not tried: say --probe DOMAIN, some domain that takes "
		    "mail; it is connected to, and sent nothing");
}

void doctor_dnssec(struct doctor *d)
{
	if (!d->config->dns.dnssec &&
	    d->config->dns.trust_anchor_file == NULL) {
		doctor_say(d, DOCTOR_WARN, "DNSSEC",
		    "answers are not validated (config.dns.dnssec is false)");
		return;
	}
	/* Signed, with the root, since 2010. */
	if (!d->secure_seen)
		(void)doctor_ask(d, "arpa", DNS_TYPE_TXT);
	if (d->secure_seen)
		doctor_say(d, DOCTOR_OK, "DNSSEC", "answers are validated");
	else if (d->query.status == DNS_FAILED)
		doctor_say(d, DOCTOR_WARN, "DNSSEC",
		    "not known: %s", d->query.why);
	else
		doctor_say(d, DOCTOR_FAIL, "DNSSEC",
		    "the resolver takes the signatures off its answers; name "
		    "one in config.dns.servers that does not, or 'recursive'");
}
