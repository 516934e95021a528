/* policy.h -- what TLS a next hop gets: none, if it can be had, or nothing
 * without.
 *
 * A pure function of what is configured and what is known of the hop.  DANE and
 * MTA-STS will be facts of the hop (struct policy_hop) that raise the level. */
#ifndef CORE_OUTBOUND_POLICY_H
#define CORE_OUTBOUND_POLICY_H

#include <stdbool.h>

enum policy_level {
	POLICY_NONE,	      /* never TLS */
	POLICY_OPPORTUNISTIC, /* whoever it is; rather in clear than not */
	POLICY_ENCRYPT,	      /* whoever it is; rather not than in clear */
	POLICY_VERIFY,	      /* only whom the certificate names */
};

struct policy_settings {
	enum policy_level delivery; /* of any next hop */
	bool relay_tls;		    /* of the relay host: TLS is a must, */
	bool relay_verify;	    /* and so is its certificate */
};

struct policy_hop {
	const char *host;  /* a name, by MX records for example, or an address
			    */
	const char *relay; /* the relay host as it was configured; NULL: this
			    * hop is a recipient's */
	bool mx_secure;	   /* the DNS vouches for who the hosts are */
};

struct policy {
	enum policy_level level;
	const char *name; /* to ask for (SNI) and to verify: one of the hop's */
};

struct policy policy_of(
    const struct policy_settings *settings, const struct policy_hop *hop);

#endif
