/* fuzz_rsa_der.c -- any bytes as a private key. */
#include "dkim/rsa_der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rsa_der der;
	const char *why = NULL;

	if (!rsa_der_read(slice_of(data, size), &der, &why)) {
		check(why != NULL);
		return 0;
	}
	const struct slice *numbers[] = {&der.n, &der.e, &der.d, &der.p, &der.q,
	    &der.dp, &der.dq, &der.qinv};
	check(der.whole.at >= data);
	check(der.whole.at + der.whole.len <= data + size);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const struct slice *s = numbers[i];

		check(s->len > 0 && (s->len == 1 || s->at[0] != 0));
		check(s->at > der.whole.at);
		check(s->at + s->len <= der.whole.at + der.whole.len);
	}
	return 0;
}
