/* test_tls_memory.c -- what is remembered of hosts' TLS, and for how long. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/check.h"
#include "core/outbound/tls_memory.h"

static union socket_address address_of(const char *text, uint16_t port)
{
	union socket_address a = {0};

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
	} else {
		cr_assert_eq(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(port);
	}
	return a;
}

static struct tls_memory m;

static void open_memory(void)
{
	cr_assert_eq(tls_memory_open(&m, 7), 0);
}

static void close_memory(void)
{
	tls_memory_close(&m);
}

TestSuite(tls_memory, .init = open_memory, .fini = close_memory);

static bool has(
    const struct tls_memory_key *key, uint64_t now_s, struct slice session)
{
	return slice_eq(tls_memory_session(&m, key, now_s), session);
}

Test(tls_memory, keeps_a_session_for_whom_it_was_made_with)
{
	static const struct {
		const char *name, *address;
		uint16_t port;
		enum policy_level level;
		bool same;
	} others[] = {
	    {"mx.example", "192.0.2.1", 25, POLICY_VERIFY, true},
	    {"MX.Example", "192.0.2.1", 25, POLICY_VERIFY, true},
	    {"mx.example", "192.0.2.1", 25, POLICY_OPPORTUNISTIC, false},
	    {"mx.example", "192.0.2.1", 26, POLICY_VERIFY, false},
	    {"mx.example", "192.0.2.2", 25, POLICY_VERIFY, false},
	    {"mx.example", "2001:db8::1", 25, POLICY_VERIFY, false},
	    {"mx2.example", "192.0.2.1", 25, POLICY_VERIFY, false},
	};
	union socket_address first = address_of("192.0.2.1", 25);
	struct tls_memory_key key = {
	    SLICE("mx.example"), &first, POLICY_VERIFY};

	tls_memory_keep(&m, &key, SLICE("session"), 1000);
	for (size_t i = 0; i < COUNT(others); i++) {
		union socket_address a =
		    address_of(others[i].address, others[i].port);
		struct tls_memory_key other = {
		    slice_of_str(others[i].name), &a, others[i].level};

		cr_assert_eq(has(&other, 1000, SLICE("session")),
		    others[i].same, "%zu", i);
		cr_assert(!tls_memory_is_broken(&m, &other, 1000));
	}
}

Test(tls_memory, forgets_after_an_hour)
{
	union socket_address a = address_of("2001:db8::1", 25);
	struct tls_memory_key key = {SLICE("mx"), &a, POLICY_OPPORTUNISTIC};

	tls_memory_keep(&m, &key, SLICE("session"), 1000);
	cr_assert(has(&key, 1000 + TLS_MEMORY_S - 1, SLICE("session")));
	cr_assert(has(&key, 1000 + TLS_MEMORY_S, SLICE("")));
	tls_memory_break(&m, &key, 9000);
	cr_assert(tls_memory_is_broken(&m, &key, 9000 + TLS_MEMORY_S - 1));
	cr_assert(!tls_memory_is_broken(&m, &key, 9000 + TLS_MEMORY_S));
	cr_assert_eq(m.by_key.count, 0);
}

Test(tls_memory, has_the_last_news_only)
{
	union socket_address a = address_of("192.0.2.1", 25);
	struct tls_memory_key key = {SLICE("mx"), &a, POLICY_OPPORTUNISTIC};

	tls_memory_keep(&m, &key, SLICE("session"), 1000);
	tls_memory_break(&m, &key, 1001);
	cr_assert(has(&key, 1001, SLICE("")));
	cr_assert(tls_memory_is_broken(&m, &key, 1001));
	tls_memory_keep(&m, &key, SLICE("other"), 1002);
	cr_assert(has(&key, 1002, SLICE("other")));
	cr_assert(!tls_memory_is_broken(&m, &key, 1002));
	tls_memory_forget(&m, &key);
	cr_assert(has(&key, 1002, SLICE("")));
	tls_memory_forget(&m, &key);
	cr_assert_eq(m.pool.count_used, 0);
}

Test(tls_memory, does_not_keep_what_is_too_long)
{
	static const uint8_t long_bytes[TLS_MEMORY_SESSION_MAX + 1];
	union socket_address a = address_of("192.0.2.1", 25);
	struct tls_memory_key key = {SLICE("mx"), &a, POLICY_OPPORTUNISTIC};

	tls_memory_keep(
	    &m, &key, slice_of(long_bytes, sizeof(long_bytes)), 1000);
	key.name = slice_of(long_bytes, TLS_MEMORY_NAME_MAX + 1);
	tls_memory_keep(&m, &key, SLICE("session"), 1000);
	tls_memory_break(&m, &key, 1000);
	cr_assert_eq(m.by_key.count, 0);
}

Test(tls_memory, forgets_first_whom_it_met_longest_ago)
{
	char name[16];
	union socket_address a = address_of("192.0.2.1", 25);
	struct tls_memory_key key = {.address = &a};

	for (unsigned i = 0; i <= TLS_MEMORY_MAX; i++) {
		snprintf(name, sizeof(name), "mx%u", i);
		key.name = slice_of_str(name);
		tls_memory_keep(&m, &key, key.name, 1000);
		if (i == 1) { /* the first is met again */
			key.name = SLICE("mx0");
			tls_memory_keep(&m, &key, key.name, 1000);
		}
	}
	cr_assert_eq(m.by_key.count, TLS_MEMORY_MAX);
	cr_assert(has(&key, 1000, key.name));
	key.name = SLICE("mx0");
	cr_assert(has(&key, 1000, key.name));
	key.name = SLICE("mx1");
	cr_assert(has(&key, 1000, SLICE("")));
	tls_memory_forget_all(&m);
	cr_assert_eq(m.pool.count_used, 0);
}
