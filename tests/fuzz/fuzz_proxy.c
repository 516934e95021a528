/* fuzz_proxy.c -- any bytes as a PROXY header: what is decided once stays, and
 * a header is found at its last byte, neither before nor after. */
#include "proto/proxy.h"

#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_client client;
	enum proxy_result whole;
	size_t len, cut_len;

	whole = proxy_decode(slice_of(data, size), &client, &len);
	if (whole == PROXY_MORE)
		check(size < PROXY_HEADER_MAX);
	if (whole == PROXY_KNOWN)
		check(client.address.ss_family == AF_INET ||
		      client.address.ss_family == AF_INET6);
	if (whole == PROXY_KNOWN || whole == PROXY_LOCAL)
		check(len <= size && len <= PROXY_HEADER_MAX);
	for (size_t cut = 0; cut < size && cut < 300; cut++) {
		enum proxy_result result =
		    proxy_decode(slice_of(data, cut), &client, &cut_len);

		if (whole == PROXY_MORE)
			check(result == PROXY_MORE);
		else if (whole != PROXY_BAD && cut < len)
			check(result == PROXY_MORE);
		else if (whole != PROXY_BAD)
			check(result == whole && cut_len == len);
	}
	return 0;
}
