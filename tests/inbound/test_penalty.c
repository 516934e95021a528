/* test_penalty.c -- days of attempts, with a clock of our own. */
#include "core/inbound/penalty.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static union socket_address address(const char *text)
{
	union socket_address a = {.v4.sin_family = AF_INET};

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1)
		return a;
	a = (union socket_address){.v6.sin6_family = AF_INET6};
	cr_assert_eq(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
	return a;
}

Test(penalty, grows_and_is_forgiven)
{
	static const uint64_t steps[] = {
	    0, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
	union socket_address who = address("192.0.2.1");
	union socket_address other = address("192.0.2.2");
	uint64_t now_ms = 5;
	struct penalty p;

	cr_assert_eq(penalty_open(&p, 1), 0);
	for (size_t i = 0; i < COUNT(steps); i++) {
		uint64_t delay_ms = penalty_delay_ms(&p, &who, now_ms);

		cr_assert_eq(delay_ms, steps[i], "%zu", i);
		now_ms += delay_ms;
		penalty_failed(&p, &who, now_ms);
		cr_assert_eq(penalty_delay_ms(&p, &other, now_ms), 0);
	}
	now_ms += PENALTY_FORGIVEN_MS;
	cr_assert_eq(penalty_delay_ms(&p, &who, now_ms), 16000);
	now_ms += 3 * PENALTY_FORGIVEN_MS;
	cr_assert_eq(penalty_delay_ms(&p, &who, now_ms), 2000);
	now_ms += 2 * PENALTY_FORGIVEN_MS;
	cr_assert_eq(penalty_delay_ms(&p, &who, now_ms), 0);
	penalty_close(&p);
}

Test(penalty, attempts_at_once_wait_for_each_other)
{
	union socket_address who = address("192.0.2.1");
	struct penalty p;

	cr_assert_eq(penalty_open(&p, 1), 0);
	penalty_failed(&p, &who, 0);
	for (uint64_t i = 1; i < 100; i++)
		cr_assert_eq(penalty_delay_ms(&p, &who, 0),
		    i < 30 ? i * 1000 : PENALTY_MAX_MS);
	penalty_close(&p);
}

Test(penalty, one_network_is_one_client)
{
	static const struct {
		const char *failed, *asks;
		bool same;
	} cases[] = {
	    {"192.0.2.1", "192.0.2.1", true},
	    {"192.0.2.1", "::ffff:192.0.2.1", true},
	    {"::ffff:192.0.2.2", "192.0.2.1", false},
	    {"2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", true},
	    {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
	    {"::1", "0.0.0.1", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		union socket_address failed = address(cases[i].failed);
		union socket_address asks = address(cases[i].asks);
		struct penalty p;

		cr_assert_eq(penalty_open(&p, 1), 0);
		penalty_failed(&p, &failed, 0);
		cr_assert_eq(penalty_delay_ms(&p, &asks, 0) > 0, cases[i].same,
		    "%zu", i);
		penalty_close(&p);
	}
}

/* A million strangers fail once each; who fails again and again is not
 * forgotten for them. */
Test(penalty, has_room_for_the_worst)
{
	union socket_address worst = address("192.0.2.1");
	struct penalty p;

	cr_assert_eq(penalty_open(&p, 9), 0);
	for (unsigned i = 0; i < 5; i++)
		penalty_failed(&p, &worst, 0);
	for (uint32_t i = 0; i < 1000000; i++) {
		union socket_address a = address("10.0.0.0");

		a.v4.sin_addr.s_addr = htonl(0x0a000000u + i);
		penalty_failed(&p, &a, 1);
	}
	cr_assert_eq(penalty_delay_ms(&p, &worst, 2), 16000);
	penalty_close(&p);
}
