/* test_policy.c -- what TLS a next hop gets. */
#include <criterion/criterion.h>

#include "core/base/check.h"
#include "core/outbound/policy.h"

Test(policy, is_what_was_configured_and_the_name_that_can_be_trusted)
{
	static const struct {
		struct policy_settings settings;
		struct policy_hop hop;
		struct policy policy;
	} cases[] = {
	    {{POLICY_NONE, false, false}, {"mx.a", NULL, false},
		{POLICY_NONE, "mx.a"}},
	    {{POLICY_OPPORTUNISTIC, false, false}, {"mx.a", NULL, false},
		{POLICY_OPPORTUNISTIC, "mx.a"}},
	    {{POLICY_VERIFY, false, false}, {"mx.a", NULL, false},
		{POLICY_VERIFY, "mx.a"}},
	    /* The relay host's settings are nobody else's. */
	    {{POLICY_OPPORTUNISTIC, true, true}, {"mx.a", NULL, false},
		{POLICY_OPPORTUNISTIC, "mx.a"}},
	    {{POLICY_NONE, true, false}, {"mx.a", "relay.b", false},
		{POLICY_ENCRYPT, "relay.b"}},
	    {{POLICY_OPPORTUNISTIC, true, true}, {"mx.a", "relay.b", false},
		{POLICY_VERIFY, "relay.b"}},
	    /* Without relay.tls it is a hop like any other. */
	    {{POLICY_ENCRYPT, false, true}, {"mx.a", "relay.b", false},
		{POLICY_ENCRYPT, "relay.b"}},
	    {{POLICY_NONE, false, false}, {"mx.a", "relay.b", false},
		{POLICY_NONE, "relay.b"}},
	    /* What signed MX records say is as good as the user's word. */
	    {{POLICY_NONE, true, true}, {"mx.a", "relay.b", true},
		{POLICY_VERIFY, "mx.a"}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct policy p = policy_of(&cases[i].settings, &cases[i].hop);

		cr_assert_eq(p.level, cases[i].policy.level, "%zu", i);
		cr_assert_str_eq(p.name, cases[i].policy.name, "%zu", i);
	}
}
