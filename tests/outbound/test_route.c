/* Routes over a DNS that is a table: dns_ask and its kind are defined here, so
 * the linker never opens the real ones. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/outbound/route.h"

/* "name TYPE records...": addresses as text, MX as preference and name;
 * or "-" (no data), "failed"; what is not in the table does not exist.  A "+"
 * before the name: validated. */
struct zone_line {
	const char *name;
	uint16_t type;
	const char *records;
	bool secure;
};

struct dns {
	const struct zone_line *zone;
	const char *search[3];
	bool backwards; /* answer the last question first */
	struct dns_query *open[4];
	unsigned open_count;
	char asked[1024]; /* what was asked, in order */
};

static const struct zone_line *zone_find(
    const struct dns *dns, const char *name, uint16_t type, bool *exists)
{
	*exists = false;
	for (const struct zone_line *l = dns->zone; l->name != NULL; l++) {
		if (strcmp(l->name, name) != 0)
			continue;
		*exists = true;
		if (l->type == type)
			return l;
	}
	return NULL;
}

static void record_put(struct dns_query *q, const char *word)
{
	struct dns_answer *a = &q->answer;
	struct dns_record *record = &a->records[a->count];
	uint8_t *at = a->room + a->room_len;

	if (q->type == DNS_TYPE_MX) {
		unsigned preference;
		int name_at;

		cr_assert_eq(sscanf(word, "%u/%n", &preference, &name_at), 1);
		record->preference = preference;
		record->data.len = strlen(word + name_at);
		memcpy(at, word + name_at, record->data.len);
	} else {
		int family = q->type == DNS_TYPE_A ? AF_INET : AF_INET6;

		cr_assert_eq(inet_pton(family, word, at), 1, "%s", word);
		record->data.len = q->type == DNS_TYPE_A ? 4 : 16;
	}
	record->data.at = at;
	a->room_len += record->data.len;
	a->count++;
}

static void answer(const struct dns *dns, struct dns_query *q)
{
	char room[1024];
	bool exists;
	const struct zone_line *line =
	    zone_find(dns, q->name, q->type, &exists);

	q->answer.count = 0;
	q->answer.room_len = 0;
	q->status = exists ? DNS_NO_DATA : DNS_NO_NAME;
	q->secure = line != NULL && line->secure;
	if (line == NULL || strcmp(line->records, "-") == 0)
		return;
	if (strcmp(line->records, "failed") == 0) {
		q->status = DNS_FAILED;
		snprintf(q->why, sizeof(q->why), "no answer");
		return;
	}
	q->status = DNS_FOUND;
	snprintf(room, sizeof(room), "%s", line->records);
	for (char *rest, *word = strtok_r(room, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		record_put(q, word);
}

void dns_ask(
    struct dns *dns, struct slice name, uint16_t type, struct dns_query *q)
{
	size_t asked_len = strlen(dns->asked);

	cr_assert(!q->busy);
	q->busy = true;
	q->type = type;
	snprintf(q->name, sizeof(q->name), "%.*s", (int)name.len,
	    (const char *)name.at);
	snprintf(dns->asked + asked_len, sizeof(dns->asked) - asked_len,
	    "%s:%u ", q->name, type);
	dns->open[dns->open_count++] = q;
}

void dns_defer(struct dns *dns, struct dns_query *q)
{
	dns_ask(dns, SLICE(""), 0, q);
}

struct slice dns_search_domain(const struct dns *dns, unsigned i)
{
	if (i >= COUNT(dns->search) || dns->search[i] == NULL)
		return SLICE("");
	return slice_of_str(dns->search[i]);
}

static bool finished;

static void on_done(struct route *r)
{
	cr_assert(!finished);
	cr_assert(!r->busy);
	cr_assert_eq(r->owner, &finished);
	finished = true;
}

/* One route from beginning to end. */
static void find(struct dns *dns, const struct route_options *options,
    const char *next_hop, bool relay, struct route *r)
{
	finished = false;
	r->busy = false;
	r->done = on_done;
	r->owner = &finished;
	dns->asked[0] = '\0';
	route_find(options, slice_of_str(next_hop), relay, r);
	cr_assert(!finished, "done() ran inside route_find");
	while (dns->open_count > 0) {
		struct dns_query *q =
		    dns->open[dns->backwards ? dns->open_count - 1 : 0];

		dns->open_count--;
		if (!dns->backwards)
			memmove(dns->open, dns->open + 1,
			    dns->open_count * sizeof(dns->open[0]));
		answer(dns, q);
		q->busy = false;
		q->done(q);
	}
	cr_assert(finished, "%s: done() never ran", next_hop);
}

/* "a.example=[::1]:25 ..." or "deferred 4.4.3 text". */
static void show(const struct route *r, char *room, size_t room_len)
{
	const struct outcome *f = &r->failure;
	struct buf out = buf_over(room, room_len - 1);
	char text[INET6_ADDRSTRLEN];

	if (f->kind != OUTCOME_NONE) {
		cr_assert(f->site);
		cr_assert_eq(r->address_count, 0);
		buf_printf(&out, "%s %u.%u.%u %.*s",
		    f->kind == OUTCOME_FAILED ? "failed" : "deferred",
		    f->status[0], f->status[1], f->status[2], f->text_len,
		    f->text);
	} else {
		cr_assert_gt(r->address_count, 0);
	}
	for (unsigned i = 0; i < r->address_count; i++) {
		const struct route_address *a = &r->addresses[i];
		bool v6 = a->address.any.sa_family == AF_INET6;

		cr_assert_lt(a->host, r->host_count);
		inet_ntop(a->address.any.sa_family,
		    v6 ? (const void *)&a->address.v6.sin6_addr
		       : &a->address.v4.sin_addr,
		    text, sizeof(text));
		buf_printf(&out, i > 0 ? " %s=%s" : "%s=%s",
		    r->hosts[a->host].name, text);
		cr_assert_eq(
		    v6 ? a->address.v6.sin6_port : a->address.v4.sin_port,
		    htons(r->options.port));
	}
	out.at[out.len] = '\0';
}

#define MX DNS_TYPE_MX
#define A DNS_TYPE_A
#define AAAA DNS_TYPE_AAAA

static const struct zone_line zone[] = {
    {"two.ex", MX, "20/b.ex 10/a.ex", true},
    {"a.ex", A, "192.0.2.1 192.0.2.2", true},
    {"a.ex", AAAA, "2001:db8::1", true},
    {"b.ex", A, "192.0.2.3", false},
    {"same.ex", MX, "10/a.ex 20/a.ex 30/copy.ex", false},
    {"copy.ex", A, "192.0.2.2 192.0.2.9", false},
    {"nomx.ex", A, "192.0.2.4", false},
    {"null.ex", MX, "0/.", false},
    {"halfnull.ex", MX, "0/. 10/b.ex", false},
    {"nulls.ex", MX, "0/. 10/.", false},
    {"empty.ex", MX, "-", false},
    {"skip.ex", MX, "10/gone.ex 20/empty.ex 30/b.ex", false},
    {"allgone.ex", MX, "10/gone.ex 20/empty.ex", false},
    {"onegone.ex", MX, "10/gone.ex", false},
    {"sick.ex", MX, "failed", false},
    {"sickhost.ex", MX, "10/sickaddr.ex", false},
    {"sickfirst.ex", MX, "10/sickaddr.ex 20/b.ex", false},
    {"sicklast.ex", MX, "10/b.ex 20/sickaddr.ex 30/nomx.ex", false},
    {"sickandgone.ex", MX, "10/gone.ex 20/sickaddr.ex", false},
    {"sickaddr.ex", A, "failed", false},
    {"sickaddr.ex", AAAA, "-", false},
    {"halfsick.ex", A, "192.0.2.5", false},
    {"halfsick.ex", AAAA, "failed", false},
    {"docker", A, "172.18.0.2", false},
    {"docker", MX, "failed", false},
    {"relay.mail.svc.local", A, "10.0.0.7", false},
    {"loop.ex", MX, "10/lo.ex", false},
    {"lo.ex", A, "127.0.0.3", false},
    {"xn--bcher-kva.ex", MX, "10/b.ex", false},
    {0},
};

struct route_case {
	const char *next_hop;
	bool relay;
	const char *want;
};

static const struct route_case cases[] = {
    {"two.ex", false,
	"a.ex=2001:db8::1 a.ex=192.0.2.1 a.ex=192.0.2.2 b.ex=192.0.2.3"},
    {"two.ex.", false,
	"a.ex=2001:db8::1 a.ex=192.0.2.1 a.ex=192.0.2.2 b.ex=192.0.2.3"},
    {"same.ex", false,
	"a.ex=2001:db8::1 a.ex=192.0.2.1 a.ex=192.0.2.2 copy.ex=192.0.2.9"},
    {"nomx.ex", false, "nomx.ex=192.0.2.4"},
    {"loop.ex", false, "lo.ex=127.0.0.3"},
    {"b\xc3\xbc"
     "cher.ex",
	false, "b.ex=192.0.2.3"},
    {"\xc3.ex", false, "failed 5.1.2 this is no domain: ?.ex"},
    {"a..ex", false, "failed 5.1.2 this is no domain: a..ex"},
    {"null.ex", false, "failed 5.1.10 null.ex does not accept mail (null MX)"},
    {"halfnull.ex", false, "b.ex=192.0.2.3"},
    {"nulls.ex", false, "failed 5.4.4 nulls.ex has MX records without a host"},
    {"nowhere.ex", false,
	"failed 5.1.2 nowhere.ex: there is no such name in the DNS"},
    {"empty.ex", false,
	"failed 5.4.4 empty.ex: the host empty.ex has no address"},
    {"skip.ex", false, "b.ex=192.0.2.3"},
    {"allgone.ex", false,
	"failed 5.4.4 allgone.ex: none of its 2 mail hosts has an address"},
    {"onegone.ex", false,
	"failed 5.4.4 onegone.ex: the host gone.ex has no address"},
    {"sick.ex", false,
	"deferred 4.4.3 name service error for sick.ex: no answer"},
    {"sickhost.ex", false,
	"deferred 4.4.3 name service error for sickhost.ex: no answer"},
    {"sickfirst.ex", false, "b.ex=192.0.2.3"},
    {"sicklast.ex", false, "b.ex=192.0.2.3"},
    {"sickandgone.ex", false,
	"deferred 4.4.3 name service error for sickandgone.ex: no answer"},
    {"halfsick.ex", false, "halfsick.ex=192.0.2.5"},
    {"[192.0.2.77]", false, "192.0.2.77=192.0.2.77"},
    {"[IPv6:2001:db8::7]", false, "IPv6:2001:db8::7=2001:db8::7"},
    {"[IPv6:192.0.2.1]", false,
	"failed 5.1.2 this is no domain: [IPv6:192.0.2.1]"},
    {"[nowhere]", false, "failed 5.1.2 this is no domain: [nowhere]"},
    {"[]", false, "failed 5.1.2 this is no domain: []"},
    {"[", false, "failed 5.1.2 [: there is no such name in the DNS"},
    {"", false, "failed 5.1.2 this is no domain:"},
    {"localhost", false, "localhost=::1 localhost=127.0.0.1"},
    {"relay.mail", false,
	"failed 5.1.2 relay.mail: there is no such name in the DNS"},
    /* relay hosts */
    {"two.ex:2525", true,
	"a.ex=2001:db8::1 a.ex=192.0.2.1 a.ex=192.0.2.2 b.ex=192.0.2.3"},
    {"[two.ex]", true, "deferred 4.4.3 relay host: two.ex has no address"},
    {"[a.ex]:26", true, "a.ex=2001:db8::1 a.ex=192.0.2.1 a.ex=192.0.2.2"},
    {"[gone.ex]", true,
	"deferred 4.4.3 relay host: gone.ex: there is no such name in the "
	"DNS"},
    {"gone.ex", true,
	"deferred 4.4.3 relay host: gone.ex: there is no such name in the "
	"DNS"},
    {"null.ex", true,
	"deferred 4.4.3 relay host: null.ex does not accept mail (null MX)"},
    {"sick.ex", true,
	"deferred 4.4.3 relay host: name service error for sick.ex: no "
	"answer"},
    {"docker:1025", true, "docker=172.18.0.2"},
    {"relay.mail", true, "relay.mail.svc.local=10.0.0.7"},
    {"[relay.mail]", true, "relay.mail.svc.local=10.0.0.7"},
    {"127.0.0.1:26", true, "127.0.0.1=127.0.0.1"},
    {"[::1]:26", true, "::1=::1"},
    {"localhost:26", true, "localhost=::1 localhost=127.0.0.1"},
    {"what is this", true,
	"deferred 4.4.3 relay host: this is no host: what is this"},
};

static struct dns dns;
static struct rng rng;
static struct route route;
static const struct route_options both = {
    .dns = &dns, .rng = &rng, .port = 25, .use_v4 = true, .use_v6 = true};

Test(route, leads_to_the_addresses_or_says_why_not)
{
	char got[1024];

	for (unsigned pass = 0; pass < 2; pass++) {
		dns = (struct dns){.zone = zone,
		    .search = {"x.local", "svc.local"},
		    .backwards = pass == 1};
		for (size_t i = 0; i < COUNT(cases); i++) {
			const struct route_case *c = &cases[i];

			find(&dns, &both, c->next_hop, c->relay, &route);
			show(&route, got, sizeof(got));
			cr_expect_str_eq(
			    got, c->want, "%s: %s", c->next_hop, got);
		}
	}
}

Test(route, uses_only_the_protocols_that_are_on)
{
	static const struct {
		const char *next_hop;
		bool v6;
		const char *want;
	} only[] = {
	    {"two.ex", false, "a.ex=192.0.2.1 a.ex=192.0.2.2 b.ex=192.0.2.3"},
	    {"two.ex", true, "a.ex=2001:db8::1"},
	    {"localhost", false, "localhost=127.0.0.1"},
	    {"localhost", true, "localhost=::1"},
	    {"[192.0.2.1]", true,
		"failed 5.4.4 192.0.2.1: its protocol is switched off"},
	    {"nomx.ex", true,
		"failed 5.4.4 nomx.ex: the host nomx.ex has no address"},
	    /* The A record that fails is not asked for. */
	    {"sickaddr.ex", true,
		"failed 5.4.4 sickaddr.ex: the host sickaddr.ex has no "
		"address"},
	};
	char got[1024];

	dns = (struct dns){.zone = zone};
	for (size_t i = 0; i < COUNT(only); i++) {
		struct route_options options = both;

		options.use_v4 = !only[i].v6;
		options.use_v6 = only[i].v6;
		find(&dns, &options, only[i].next_hop, false, &route);
		show(&route, got, sizeof(got));
		cr_expect_str_eq(
		    got, only[i].want, "%s: %s", only[i].next_hop, got);
	}
}

Test(route, tells_what_was_validated)
{
	dns = (struct dns){.zone = zone};
	find(&dns, &both, "two.ex", false, &route);
	cr_expect(route.mx_secure);
	cr_expect(route.hosts[0].secure);
	cr_expect_not(route.hosts[1].secure);
	find(&dns, &both, "same.ex", false, &route);
	cr_expect_not(route.mx_secure);
}

Test(route, asks_no_more_than_it_must)
{
	static const struct {
		const char *next_hop;
		bool relay;
		const char *asked;
	} asks[] = {
	    {"nomx.ex", false, "nomx.ex:15 nomx.ex:28 nomx.ex:1 "},
	    {"null.ex", false, "null.ex:15 "},
	    {"sick.ex", false, "sick.ex:15 "},
	    {"[a.ex]", true, "a.ex:28 a.ex:1 "},
	    {"sicklast.ex", false,
		"sicklast.ex:15 b.ex:28 b.ex:1 sickaddr.ex:28 sickaddr.ex:1 "},
	    {"[192.0.2.1]", false, ":0 "},
	    {"localhost", true, ":0 "},
	    {"[docker2]", true,
		"docker2:28 docker2:1 docker2.svc.local:28 "
		"docker2.svc.local:1 "},
	};

	dns = (struct dns){.zone = zone, .search = {"svc.local"}};
	for (size_t i = 0; i < COUNT(asks); i++) {
		find(&dns, &both, asks[i].next_hop, asks[i].relay, &route);
		cr_expect_str_eq(dns.asked, asks[i].asked, "%s: %s",
		    asks[i].next_hop, dns.asked);
	}
}

Test(route, changes_the_order_of_equals_and_of_nothing_else)
{
	static const struct zone_line equals[] = {
	    {"eq.ex", MX, "5/first.ex 10/a.ex 10/b.ex 10/c.ex 20/last.ex",
		false},
	    {"first.ex", A, "192.0.2.1", false},
	    {"a.ex", A, "192.0.2.2", false},
	    {"b.ex", A, "192.0.2.3", false},
	    {"c.ex", A, "192.0.2.4", false},
	    {"last.ex", A, "192.0.2.5", false},
	    {0},
	};
	unsigned first_count[3] = {0};

	dns = (struct dns){.zone = equals};
	rng = (struct rng){7};
	for (unsigned i = 0; i < 3000; i++) {
		find(&dns, &both, "eq.ex", false, &route);
		cr_assert_eq(route.host_count, 5);
		cr_assert_str_eq(route.hosts[0].name, "first.ex");
		cr_assert_str_eq(route.hosts[4].name, "last.ex");
		unsigned second = route.hosts[1].name[0] - 'a';

		cr_assert_lt(second, 3);
		first_count[second]++;
	}
	for (unsigned i = 0; i < 3; i++)
		cr_expect(first_count[i] > 900 && first_count[i] < 1100);
}

Test(route, stops_at_its_limits)
{
	static char records[4096], addresses[4096];
	static const struct zone_line many[] = {
	    {"many.ex", MX, records, false},
	    {"h.ex", A, addresses, false},
	    {"big.ex", A, addresses, false},
	    {0},
	};
	size_t len = 0;

	for (unsigned i = 0; i < 30; i++)
		len += snprintf(
		    records + len, sizeof(records) - len, "%u/h%u.ex ", i, i);
	len = 0;
	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++)
		len += snprintf(
		    addresses + len, sizeof(addresses) - len, "10.0.0.%u ", i);
	dns = (struct dns){.zone = many};
	find(&dns, &both, "many.ex", false, &route);
	cr_expect_eq(route.host_count, ROUTE_HOSTS_MAX);
	cr_expect_eq(route.failure.kind, OUTCOME_FAILED);
	find(&dns, &both, "big.ex", false, &route);
	cr_expect_eq(route.address_count, ROUTE_ADDRESSES_MAX);
}

Test(route, bears_any_next_hop)
{
	char text[600];
	char got[1024];

	dns = (struct dns){.zone = zone};
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		memset(text, len % 2 ? 'x' : '%', len);
		text[len] = '\0';
		for (int relay = 0; relay < 2; relay++) {
			find(&dns, &both, text, relay, &route);
			show(&route, got, sizeof(got));
			cr_expect_eq(route.failure.kind,
			    relay ? OUTCOME_DEFERRED : OUTCOME_FAILED);
		}
	}
}
