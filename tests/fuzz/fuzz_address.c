/* fuzz_address.c -- any bytes as a mailbox and as a path. */
#include "proto/address.h"

#include "core/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct address *a, bool utf8)
{
	for (size_t i = 0; i < a->full.len; i++) {
		uint8_t c = a->full.at[i];

		check(c >= 0x20 && c != 0x7f);
		check(utf8 || c < 0x80);
	}
	check(a->local.len > 0 && a->local.len <= ADDRESS_LOCAL_MAX);
	check(a->domain.len <= ADDRESS_DOMAIN_MAX);
	check(a->local.at == a->full.at);
	if (a->domain.len > 0)
		check(a->full.len == a->local.len + 1 + a->domain.len);
	if (utf8)
		check(utf8_valid(a->full));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	for (unsigned utf8 = 0; utf8 < 2; utf8++) {
		struct slice path = in;
		struct address a, b;

		if (address_parse(in, utf8, &a)) {
			judge(&a, utf8);
			check(a.domain.len > 0);
		}
		if (path_parse(&path, true, true, utf8, &a) && a.full.len > 0) {
			judge(&a, utf8);
			check(path.at[-1] == '>');
			if (a.domain.len > 0)
				check(address_parse(a.full, utf8, &b));
		}
	}
	return 0;
}
