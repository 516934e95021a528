/* route.c -- from a destination to the addresses of its hosts, in order.
 *
 * First the MX records, which become the hosts, or else the name itself as the
 * only host; then A and AAAA of one host after the other, both asked together.
 * A host without addresses is passed over.  As long as no host had any, a
 * lookup that failed makes the next host be asked, and in the end the mail
 * deferred; once there are addresses, a failed lookup ends the search, so that
 * a dead name server of the third host does not hold up the mail.
 *
 * A name that has no MX because it does not exist is asked for its addresses
 * all the same, as Postfix does: Docker's name server, and others, know the
 * addresses of their hosts and nothing else.  A relay host's name is tried
 * with the search domains of resolv.conf after that.
 *
 * There is no defence here against a domain whose MX is ourselves: we take
 * mail at the submission port and bring it to port 25, where we do not
 * listen; and Received: fields are counted. */
#include "core/outbound/route.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/base/buf.h"
#include "proto/idna.h"

enum { QUERY_V6, QUERY_V4 };

static const uint8_t status_dns[3] = {4, 4, 3};
static const uint8_t status_no_domain[3] = {5, 1, 2};
static const uint8_t status_null_mx[3] = {5, 1, 10};
static const uint8_t status_no_address[3] = {5, 4, 4};

static const char no_name[] = "there is no such name in the DNS";

/* A relay host that is not found never fails the mail: the configuration can
 * be mended, and then it goes. */
__attribute__((format(printf, 3, 4))) static void fail(
    struct route *r, const uint8_t status[3], const char *format, ...)
{
	char room[OUTCOME_TEXT_MAX];
	struct buf sentence = buf_over(room, sizeof(room) - 1);
	char text[OUTCOME_TEXT_MAX / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (r->relay)
		buf_put_str(&sentence, "relay host: ");
	buf_put_str(&sentence, text);
	room[sentence.len] = '\0';
	if (r->relay)
		status = status_dns;
	r->failure =
	    outcome_of_error(status[0] == 5 ? OUTCOME_FAILED : OUTCOME_DEFERRED,
		status, true, room);
}

static bool address_eq(
    const union socket_address *a, const union socket_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr,
		   sizeof(a->v6.sin6_addr)) == 0;
}

/* Adds 4 or 16 bytes as an address of hosts[host], once. */
static void address_add(struct route *r, unsigned host, struct slice bytes)
{
	union socket_address address = {0};

	if (bytes.len == sizeof(address.v4.sin_addr)) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(r->options.port);
		memcpy(&address.v4.sin_addr, bytes.at, bytes.len);
	} else {
		check(bytes.len == sizeof(address.v6.sin6_addr));
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(r->options.port);
		memcpy(&address.v6.sin6_addr, bytes.at, bytes.len);
	}
	if (r->address_count == ROUTE_ADDRESSES_MAX)
		return;
	for (unsigned i = 0; i < r->address_count; i++)
		if (address_eq(&r->addresses[i].address, &address))
			return;
	r->addresses[r->address_count++] = (struct route_address){
	    .address = address,
	    .host = (uint8_t)host,
	};
}

static bool name_put(char *room, size_t room_len, struct slice name)
{
	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || name.len >= room_len)
		return false;
	memcpy(room, name.at, name.len);
	room[name.len] = '\0';
	return memchr(room, '\0', name.len) == NULL;
}

static void host_add(struct route *r, struct slice name, uint16_t preference)
{
	struct route_host *host = &r->hosts[r->host_count];

	*host = (struct route_host){.preference = preference};
	if (name_put(host->name, sizeof(host->name), name))
		r->host_count++;
}

/* By preference, at random among equals (RFC 5321, 5.1). */
static void records_order(
    struct dns_record *records, unsigned count, struct rng *rng)
{
	for (unsigned i = count; i > 1; i--) {
		uint64_t other = rng_below(rng, i);
		struct dns_record record = records[i - 1];

		records[i - 1] = records[other];
		records[other] = record;
	}
	for (unsigned i = 1; i < count; i++) {
		struct dns_record record = records[i];
		unsigned to = i;

		for (; to > 0 && records[to - 1].preference > record.preference;
		     to--)
			records[to] = records[to - 1];
		records[to] = record;
	}
}

static void mx_found(struct route *r, struct dns_answer *answer)
{
	const struct slice root = SLICE(".");

	/* RFC 7505, 3: a null MX stands alone. */
	if (answer->count == 1 && slice_eq(answer->records[0].data, root)) {
		fail(r, status_null_mx, "%s does not accept mail (null MX)",
		    r->name);
		return;
	}
	records_order(answer->records, answer->count, r->options.rng);
	for (unsigned i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->records[i];

		if (r->host_count < ROUTE_HOSTS_MAX &&
		    !slice_eq(record->data, root))
			host_add(r, record->data, record->preference);
	}
	if (r->host_count == 0)
		fail(r, status_no_address, "%s has MX records without a host",
		    r->name);
}

static void lookup_failed(struct route *r, const struct dns_query *q)
{
	r->lookup_failed = true;
	snprintf(r->why, sizeof(r->why), "%s", q->why);
}

static void take_mx(struct route *r)
{
	struct dns_query *q = &r->query[0];
	struct slice name = slice_of_str(r->name);

	switch (q->status) {
	case DNS_FOUND:
		r->mx_secure = q->secure;
		r->no_such_name = false;
		mx_found(r, &q->answer);
		return;
	case DNS_NO_DATA:
	case DNS_NO_NAME:
		r->mx_secure = q->secure;
		r->no_such_name &= q->status == DNS_NO_NAME;
		host_add(r, name, 0);
		return;
	case DNS_FAILED:
		lookup_failed(r, q);
		/* A name like "mailpit" has no MX; Docker's name server fails
		 * when it is asked for it and cannot ask others. */
		if (r->relay && slice_find(name, '.') == name.len)
			host_add(r, name, 0);
		return;
	}
}

static void take_addresses(struct route *r)
{
	struct route_host *host = &r->hosts[r->host_next];
	const struct dns_query *v6 = &r->query[QUERY_V6];
	const struct dns_query *v4 = &r->query[QUERY_V4];
	unsigned v6_count = 0;
	unsigned v4_count = 0;
	bool failed = false;

	host->secure = true;
	if (r->options.use_v6) {
		v6_count = v6->status == DNS_FOUND ? v6->answer.count : 0;
		failed |= v6->status == DNS_FAILED;
		r->no_such_name &= v6->status == DNS_NO_NAME;
		host->secure &= v6->secure;
	}
	if (r->options.use_v4) {
		v4_count = v4->status == DNS_FOUND ? v4->answer.count : 0;
		failed |= v4->status == DNS_FAILED;
		r->no_such_name &= v4->status == DNS_NO_NAME;
		host->secure &= v4->secure;
	}
	for (unsigned i = 0; i < v6_count || i < v4_count; i++) {
		if (i < v6_count)
			address_add(
			    r, r->host_next, v6->answer.records[i].data);
		if (i < v4_count)
			address_add(
			    r, r->host_next, v4->answer.records[i].data);
	}
	if (failed)
		lookup_failed(
		    r, r->options.use_v4 && v4->status == DNS_FAILED ? v4 : v6);
	r->host_next++;
	if (failed && r->address_count > 0)
		r->host_next = r->host_count;
}

static void on_first(struct dns_query *q);
static void on_second(struct dns_query *q);

static void ask(struct route *r, unsigned i, const char *name, uint16_t type)
{
	r->query[i].done = i == 0 ? on_first : on_second;
	r->waiting_count++;
	dns_ask(r->options.dns, slice_of_str(name), type, &r->query[i]);
}

static void ask_addresses(struct route *r)
{
	const char *name = r->hosts[r->host_next].name;

	r->state = ROUTE_ADDRESSES;
	if (r->options.use_v6)
		ask(r, QUERY_V6, name, DNS_TYPE_AAAA);
	if (r->options.use_v4)
		ask(r, QUERY_V4, name, DNS_TYPE_A);
}

/* Begins with r->name. */
static void ask_name(struct route *r)
{
	r->host_count = 0;
	r->host_next = 0;
	if (r->use_mx) {
		r->state = ROUTE_MX;
		ask(r, 0, r->name, DNS_TYPE_MX);
	} else {
		host_add(r, slice_of_str(r->name), 0);
		ask_addresses(r);
	}
}

/* Whether there is one more name to try: the relay host's with the next search
 * domain. */
static bool next_name(struct route *r)
{
	while (r->relay && r->failure.kind == OUTCOME_NONE) {
		struct slice domain =
		    dns_search_domain(r->options.dns, r->search_next++);
		struct buf name = buf_over(r->name, sizeof(r->name) - 1);

		if (domain.len == 0)
			return false;
		buf_put_str(&name, r->domain);
		buf_put_byte(&name, '.');
		buf_put(&name, domain);
		name.at[name.len] = '\0';
		if (!name.overflowed)
			return true;
	}
	return false;
}

/* No host has an address: why. */
static void fail_without_address(struct route *r)
{
	if (r->lookup_failed)
		fail(r, status_dns, "name service error for %s: %s", r->domain,
		    r->why);
	else if (r->no_such_name)
		fail(r, status_no_domain, "%s: %s", r->domain, no_name);
	else if (r->relay && r->host_count == 1)
		fail(r, status_no_address, "%s has no address", r->domain);
	else if (r->host_count == 1)
		fail(r, status_no_address, "%s: the host %s has no address",
		    r->domain, r->hosts[0].name);
	else
		fail(r, status_no_address,
		    "%s: none of its %u mail hosts has an address", r->domain,
		    r->host_count);
}

static void route_run(struct route *r)
{
	switch (r->state) {
	case ROUTE_MX: take_mx(r); break;
	case ROUTE_ADDRESSES: take_addresses(r); break;
	case ROUTE_KNOWN: break;
	}
	if (r->failure.kind == OUTCOME_NONE && r->host_next < r->host_count &&
	    r->address_count < ROUTE_ADDRESSES_MAX) {
		ask_addresses(r);
		return;
	}
	if (r->address_count == 0 && next_name(r)) {
		ask_name(r);
		return;
	}
	if (r->address_count == 0 && r->failure.kind == OUTCOME_NONE)
		fail_without_address(r);
	r->busy = false;
	r->done(r);
}

static void on_answer(struct route *r)
{
	check(r->waiting_count > 0);
	if (--r->waiting_count == 0)
		route_run(r);
}

static void on_first(struct dns_query *q)
{
	on_answer(container_of(q, struct route, query[0]));
}

static void on_second(struct dns_query *q)
{
	on_answer(container_of(q, struct route, query[1]));
}

/* What needs no question: an address, localhost, or what cannot be found. */
static void known(struct route *r)
{
	r->state = ROUTE_KNOWN;
	r->host_next = r->host_count;
	r->waiting_count = 1;
	r->query[0].done = on_first;
	dns_defer(r->options.dns, &r->query[0]);
}

static bool address_parse(struct slice text, struct buf *bytes)
{
	const struct slice tag = SLICE("IPv6:");
	char room[INET6_ADDRSTRLEN];

	bool tagged = slice_starts_nocase(text, tag);

	if (tagged)
		slice_cut(&text, tag.len);
	if (!name_put(room, sizeof(room), text))
		return false;
	if (!tagged && inet_pton(AF_INET, room, bytes->at) == 1)
		bytes->len = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, room, bytes->at) == 1)
		bytes->len = sizeof(struct in6_addr);
	return bytes->len > 0;
}

/* `text` is without brackets; false when it is not an address. */
static bool literal_found(struct route *r, struct slice text)
{
	uint8_t room[sizeof(struct in6_addr)];
	struct buf bytes = buf_over(room, sizeof(room));

	if (!address_parse(text, &bytes))
		return false;
	r->literal = true;
	host_add(r, text, 0);
	if (bytes.len == sizeof(struct in_addr) ? r->options.use_v4
						: r->options.use_v6)
		address_add(r, 0, buf_slice(&bytes));
	else
		fail(r, status_no_address, "%s: its protocol is switched off",
		    r->hosts[0].name);
	known(r);
	return true;
}

/* RFC 6761, 6.3: never the DNS's business. */
static bool localhost_found(struct route *r, struct slice name)
{
	const struct in_addr v4 = {htonl(INADDR_LOOPBACK)};

	if (!slice_eq_nocase(name, SLICE("localhost")))
		return false;
	host_add(r, name, 0);
	memcpy(r->name, r->hosts[0].name, sizeof(r->name));
	if (r->options.use_v6)
		address_add(r, 0,
		    slice_of(&in6addr_loopback, sizeof(in6addr_loopback)));
	if (r->options.use_v4)
		address_add(r, 0, slice_of(&v4, sizeof(v4)));
	known(r);
	return true;
}

static void find_relay(struct route *r, struct slice text)
{
	struct relay_host relay;

	if (!relay_host_parse(text, &relay)) {
		fail(r, status_dns, "this is no host: %.*s", (int)text.len,
		    (const char *)text.at);
		known(r);
		return;
	}
	r->use_mx = relay.use_mx;
	r->options.port = relay.port;
	if (literal_found(r, relay.host) || localhost_found(r, relay.host))
		return;
	/* Its length was looked at. */
	check(name_put(r->domain, sizeof(r->domain), relay.host));
	memcpy(r->name, r->domain, sizeof(r->name));
	ask_name(r);
}

/* RFC 6531, 3.3: the domain of an address may be in Unicode. */
static bool domain_put(char *room, size_t room_len, struct slice text)
{
	uint8_t ascii_room[DNS_NAME_MAX + 1];
	struct buf ascii = buf_over(ascii_room, sizeof(ascii_room));

	return idna_put(&ascii, text) &&
	       name_put(room, room_len, buf_slice(&ascii));
}

static void find_domain(struct route *r, struct slice text)
{
	if (text.len >= 2 && text.at[0] == '[' &&
	    text.at[text.len - 1] == ']') {
		if (literal_found(r, slice_of(text.at + 1, text.len - 2)))
			return;
	} else if (localhost_found(r, text)) {
		return;
	} else if (domain_put(r->domain, sizeof(r->domain), text)) {
		memcpy(r->name, r->domain, sizeof(r->name));
		ask_name(r);
		return;
	}
	fail(r, status_no_domain, "this is no domain: %.*s", (int)text.len,
	    (const char *)text.at);
	known(r);
}

void route_find(const struct route_options *options, struct slice next_hop,
    bool relay, struct route *r)
{
	check(!r->busy);
	check(options->use_v4 || options->use_v6);
	*r = (struct route){
	    .done = r->done,
	    .owner = r->owner,
	    .busy = true,
	    .relay = relay,
	    .use_mx = true,
	    .no_such_name = true,
	    .options = *options,
	};
	if (relay)
		find_relay(r, next_hop);
	else
		find_domain(r, next_hop);
}
