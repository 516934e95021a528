/* sasl.c -- the names of the mechanisms, and which of them is best. */
#include "proto/sasl.h"

static const char *const names[SASL_MECHANISM_COUNT] = {
    [SASL_PLAIN] = "PLAIN",
    [SASL_LOGIN] = "LOGIN",
    [SASL_CRAM_MD5] = "CRAM-MD5",
    [SASL_DIGEST_MD5] = "DIGEST-MD5",
    [SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
    [SASL_SCRAM_SHA_256_PLUS] = "SCRAM-SHA-256-PLUS",
};

const char *sasl_name(enum sasl_mechanism m)
{
	return names[m];
}

bool sasl_find(struct slice name, enum sasl_mechanism *m)
{
	for (unsigned i = 0; i < SASL_MECHANISM_COUNT; i++) {
		if (!slice_eq_nocase(name, slice_of_str(names[i])))
			continue;
		*m = (enum sasl_mechanism)i;
		return true;
	}
	return false;
}

bool sasl_client_choose(unsigned offered, bool has_binding, bool clear_allowed,
    enum sasl_mechanism *m)
{
	static const enum sasl_mechanism best_first[] = {
	    SASL_SCRAM_SHA_256_PLUS,
	    SASL_SCRAM_SHA_256,
	    SASL_CRAM_MD5,
	    SASL_PLAIN,
	    SASL_LOGIN,
	    SASL_DIGEST_MD5,
	};

	if (!has_binding)
		offered &= ~(1u << SASL_SCRAM_SHA_256_PLUS);
	if (!clear_allowed)
		offered &= ~(1u << SASL_PLAIN | 1u << SASL_LOGIN);
	for (size_t i = 0; i < COUNT(best_first); i++) {
		if (!(offered & 1u << best_first[i]))
			continue;
		*m = best_first[i];
		return true;
	}
	return false;
}
