/* Any bytes as a network, an endpoint, a relay host, a name, a number: what a
 * network reads as is written, and reads as the same again. */
#include <stdint.h>

#include "core/base/check.h"
#include "core/config/network.h"
#include "core/config/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
	struct slice text = slice_of(at, len);
	struct network n, again;
	struct endpoint e;
	const char *why = NULL;
	uint64_t number;
	bool truth;

	if (network_parse(text, &n, &why)) {
		char written[NETWORK_TEXT_MAX];

		network_format(&n, written);
		check(network_parse(slice_of_str(written), &again, &why));
		check(again.bits == n.bits);
		check(memcmp(again.base, n.base, sizeof(n.base)) == 0);
	} else {
		check(why != NULL);
	}
	endpoint_parse(text, &e, &why);
	value_relay_host(text, &why);
	value_dns_server(text, &why);
	value_helo(text, &why);
	value_bool(text, &truth);
	value_size(text, &number);
	value_duration(text, &number);
	return 0;
}
