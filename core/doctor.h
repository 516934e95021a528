/* doctor.h -- `smarthost doctor`: whether this machine, its network and the DNS
 * are set up so that mail from here is taken and believed. */
#ifndef CORE_DOCTOR_H
#define CORE_DOCTOR_H

#include "core/base/loop.h"
#include "core/config/config.h"
#include "core/outbound/dns.h"

#define DOCTOR_ADDRESSES_MAX 8

struct doctor_options {
	const char *const *probes; /* domains to whose MX is connected */
	unsigned probe_count;
	const char *const *addresses; /* those that receivers see */
	unsigned address_count;
	bool json;
};

/* Prints a line for each thing looked at.  0: all is well; 1: something may be
 * better; 2: something is wrong; or 71. */
int doctor_run(const struct doctor_options *options,
    const struct config_arguments *arguments);

/* The rest is for the parts of it: core/doctor_*.c. */
enum doctor_verdict { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
	const struct doctor_options *options;
	const struct config *config;
	struct loop *loop;
	struct log log;
	struct dns *dns;
	struct dns_query query; /* the last answer */
	bool waiting;
	bool secure_seen; /* DNSSEC has validated an answer */
	unsigned counts[3];
	unsigned address_count; /* that receivers see us by; */
	uint8_t addresses[DOCTOR_ADDRESSES_MAX][16];
};

/* `what`: the thing's name; the sentence says how it is, and what to do. */
__attribute__((format(printf, 4, 5))) void doctor_say(struct doctor *d,
    enum doctor_verdict verdict, const char *what, const char *format, ...);

/* Asks and waits; the answer is d->query.  True when there are records. */
bool doctor_ask(struct doctor *d, const char *name, uint16_t type);

/* An address as text, IPv4 as such. */
struct socket_address_text doctor_address_text(const uint8_t address[16]);

/* What is looked at, in this order. */
void doctor_hostname(struct doctor *d);
void doctor_outgoing(struct doctor *d); /* finds the addresses */
void doctor_reverse(struct doctor *d);
void doctor_spf(struct doctor *d);
void doctor_dkim(struct doctor *d);
void doctor_dmarc(struct doctor *d);
void doctor_reach(struct doctor *d);
void doctor_dnssec(struct doctor *d);
void doctor_certificates(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_limits(struct doctor *d);
void doctor_loop(struct doctor *d);
void doctor_spool(struct doctor *d);
void doctor_ports(struct doctor *d);

#endif
