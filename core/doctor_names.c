/* doctor_names.c -- who this machine is, to others: its name, its addresses,
 * and what the DNS says of both. */
#include "core/doctor.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "core/config/network.h"

/* RFC 5737, RFC 3849: nobody's; asked for the route alone, nothing is sent. */
#define ROUTE_TO_V4 "198.51.100.1"
#define ROUTE_TO_V6 "2001:db8::1"

static bool add_address(struct doctor *d, const uint8_t address[16])
{
	for (unsigned i = 0; i < d->address_count; i++)
		if (memcmp(d->addresses[i], address, 16) == 0)
			return true;
	if (d->address_count == DOCTOR_ADDRESSES_MAX)
		return false;
	memcpy(d->addresses[d->address_count++], address, 16);
	return true;
}

static void address_of_record(struct slice data, uint8_t address[16])
{
	memset(address, 0, 16);
	address[10] = address[11] = 0xff;
	if (data.len == 4 || data.len == 16)
		memcpy(address + 16 - data.len, data.at, data.len);
}

/* Adds what the name's records say; false: none. */
static bool add_addresses_of(struct doctor *d, const char *name)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	uint8_t address[16];
	bool found = false;

	for (size_t t = 0; t < COUNT(types); t++) {
		if (!doctor_ask(d, name, types[t]))
			continue;
		found = true;
		for (unsigned i = 0; i < d->query.answer.count; i++) {
			address_of_record(
			    d->query.answer.records[i].data, address);
			(void)add_address(d, address);
		}
	}
	return found;
}

static bool resolves_to(
    struct doctor *d, const char *name, const uint8_t address[16])
{
	uint8_t one[16];
	bool v4 = address[10] == 0xff && address[0] == 0;

	(void)doctor_ask(d, name, v4 ? DNS_TYPE_A : DNS_TYPE_AAAA);
	for (unsigned i = 0; i < d->query.answer.count; i++) {
		address_of_record(d->query.answer.records[i].data, one);
		if (memcmp(one, address, 16) == 0)
			return true;
	}
	return false;
}

static const char *own_name(const struct doctor *d)
{
	return d->config->delivery.helo != NULL ? d->config->delivery.helo
						: d->config->hostname;
}

void doctor_hostname(struct doctor *d)
{
	const char *name = own_name(d);
	bool v4, v6;

	if (strchr(name, '.') == NULL ||
	    strcmp(name, "localhost.localdomain") == 0) {
		doctor_say(d, DOCTOR_FAIL, "hostname",
		    "\"%s\" is no name that others know; set config.hostname "
		    "to this machine's full name, as relay.example.org",
		    name);
		return;
	}
	v4 = doctor_ask(d, name, DNS_TYPE_A);
	if (!v4 && d->query.status == DNS_FAILED) {
		doctor_say(d, DOCTOR_WARN, "hostname",
		    "the DNS does not answer for %s: %s", name, d->query.why);
		return;
	}
	v6 = doctor_ask(d, name, DNS_TYPE_AAAA);
	if (v4 || v6)
		doctor_say(d, DOCTOR_OK, "hostname", "%s is in the DNS", name);
	else
		doctor_say(d, DOCTOR_FAIL, "hostname",
		    "%s is not in the DNS; publish an A record with the "
		    "address that mail leaves from",
		    name);
}

/* The address that the kernel would take to get there. */
static bool source_address(const char *to, uint8_t address[16])
{
	union socket_address a = {.any.sa_family = AF_INET6};
	socklen_t len = sizeof(a);
	bool v4 = strchr(to, ':') == NULL, found;
	int fd;

	if (v4)
		a.v4 = (struct sockaddr_in){
		    .sin_family = AF_INET, .sin_port = htons(25)};
	else
		a.v6.sin6_port = htons(25);
	(void)inet_pton(a.any.sa_family, to,
	    v4 ? (void *)&a.v4.sin_addr : (void *)&a.v6.sin6_addr);
	fd = socket(a.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	found = fd >= 0 &&
		connect(fd, &a.any, v4 ? sizeof(a.v4) : sizeof(a.v6)) == 0 &&
		getsockname(fd, &a.any, &len) == 0;
	if (fd >= 0)
		close(fd);
	memset(address, 0, 16);
	address[10] = address[11] = 0xff;
	if (found && v4)
		memcpy(address + 12, &a.v4.sin_addr, 4);
	else if (found)
		memcpy(address, &a.v6.sin6_addr, 16);
	return found;
}

/* Addresses that the Internet never sees. */
static bool is_private(const uint8_t address[16])
{
	static const char *const texts[] = {"10.0.0.0/8", "172.16.0.0/12",
	    "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
	    "fc00::/7", "fe80::/10", "::1"};
	struct sockaddr_in6 a = {.sin6_family = AF_INET6};
	struct network networks[COUNT(texts)];
	struct network_list list = {networks, COUNT(texts)};
	const char *why;

	for (size_t i = 0; i < COUNT(texts); i++) {
		bool good =
		    network_parse(slice_of_str(texts[i]), &networks[i], &why);

		check(good);
	}
	memcpy(&a.sin6_addr, address, 16);
	return network_list_has(&list, (const struct sockaddr *)&a);
}

static bool take_given(
    struct doctor *d, const char *const *texts, unsigned count)
{
	uint8_t address[16];

	for (unsigned i = 0; i < count; i++)
		if (!address_bytes(slice_of_str(texts[i]), address))
			doctor_say(d, DOCTOR_FAIL, "outgoing address",
			    "\"%s\" is no address", texts[i]);
		else if (!is_private(address) || texts == d->options->addresses)
			(void)add_address(d, address);
	return d->address_count > 0;
}

static void say_addresses(
    struct doctor *d, enum doctor_verdict verdict, const char *where)
{
	for (unsigned i = 0; i < d->address_count; i++)
		doctor_say(d, verdict, "outgoing address", "%s (%s)",
		    doctor_address_text(d->addresses[i]).at, where);
}

void doctor_outgoing(struct doctor *d)
{
	const struct string_list *bind = &d->config->delivery.bind;
	uint8_t address[16];

	if (take_given(d, d->options->addresses, d->options->address_count)) {
		say_addresses(d, DOCTOR_OK, "--address");
		return;
	}
	if (take_given(
		d, (const char *const *)bind->at, (unsigned)bind->count)) {
		say_addresses(d, DOCTOR_OK, "config.delivery.bind");
		return;
	}
	if (source_address(ROUTE_TO_V4, address) && !is_private(address))
		(void)add_address(d, address);
	if (source_address(ROUTE_TO_V6, address) && !is_private(address))
		(void)add_address(d, address);
	if (d->address_count > 0) {
		say_addresses(d, DOCTOR_OK, "this machine's");
		return;
	}
	if (add_addresses_of(d, own_name(d)))
		say_addresses(d, DOCTOR_WARN,
		    "the hostname's; this machine has private addresses only, "
		    "so whether mail leaves from there is not known here: say "
		    "--address, or give the network's gateway this address");
	else
		doctor_say(d, DOCTOR_WARN, "outgoing address",
		    "not known: this machine has private addresses only; say "
		    "--address ADDRESS, the one that receivers see");
}

/* RFC 1035, 3.5; RFC 3596, 2.5. */
static void reverse_name(const uint8_t address[16], char name[80])
{
	static const uint8_t v4_prefix[12] = {[10] = 0xff, 0xff};
	struct buf out = buf_over(name, 79);

	if (memcmp(address, v4_prefix, sizeof(v4_prefix)) == 0) {
		snprintf(name, 80, "%u.%u.%u.%u.in-addr.arpa", address[15],
		    address[14], address[13], address[12]);
		return;
	}
	for (unsigned i = 16; i-- > 0;)
		buf_printf(&out, "%x.%x.", address[i] & 15u, address[i] >> 4);
	buf_put_str(&out, "ip6.arpa");
	name[out.len] = '\0';
}

static void judge_reverse(
    struct doctor *d, const char *address, const uint8_t bytes[16])
{
	const char *want = own_name(d);
	struct dns_answer *a = &d->query.answer;
	char other[DNS_NAME_MAX + 1] = "";

	for (unsigned i = 0; i < a->count; i++) {
		struct slice name = a->records[i].data;

		if (slice_eq_nocase(name, slice_of_str(want))) {
			doctor_say(d, DOCTOR_OK, "reverse DNS", "%s is %s",
			    address, want);
			return;
		}
		snprintf(other, sizeof(other), "%.*s", (int)name.len,
		    (const char *)name.at);
	}
	if (resolves_to(d, other, bytes))
		doctor_say(d, DOCTOR_WARN, "reverse DNS",
		    "%s is %s, but the relay calls itself %s; some receivers "
		    "want the two to be one name",
		    address, other, want);
	else
		doctor_say(d, DOCTOR_FAIL, "reverse DNS",
		    "%s is %s, which is not that address's name; have whoever "
		    "owns the address set its PTR record to %s",
		    address, other, want);
}

void doctor_reverse(struct doctor *d)
{
	char name[80];

	for (unsigned i = 0; i < d->address_count; i++) {
		struct socket_address_text address =
		    doctor_address_text(d->addresses[i]);

		reverse_name(d->addresses[i], name);
		if (doctor_ask(d, name, DNS_TYPE_PTR))
			judge_reverse(d, address.at, d->addresses[i]);
		else if (d->query.status == DNS_FAILED)
			doctor_say(d, DOCTOR_WARN, "reverse DNS",
			    "the DNS does not answer for %s: %s", address.at,
			    d->query.why);
		else
			doctor_say(d, DOCTOR_FAIL, "reverse DNS",
			    "%s has no name; many receivers refuse mail from "
			    "there: have whoever owns the address set its PTR "
			    "record to %s",
			    address.at, own_name(d));
	}
}
