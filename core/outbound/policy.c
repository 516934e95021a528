/* policy.c -- what TLS a next hop gets.
 *
 * The name that counts is the host's.  For a relay host it is the one that the
 * user has written: a name that came by unsigned MX records is anybody's, and
 * a password may follow. */
#include "core/outbound/policy.h"

#include <stddef.h>

static enum policy_level level_of(
    const struct policy_settings *settings, bool is_relay)
{
	if (!is_relay || !settings->relay_tls)
		return settings->delivery;
	return settings->relay_verify ? POLICY_VERIFY : POLICY_ENCRYPT;
}

struct policy policy_of(
    const struct policy_settings *settings, const struct policy_hop *hop)
{
	bool is_relay = hop->relay != NULL;
	const char *name = is_relay && !hop->mx_secure ? hop->relay : hop->host;

	return (struct policy){level_of(settings, is_relay), name};
}
