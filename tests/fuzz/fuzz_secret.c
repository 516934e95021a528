/* fuzz_secret.c -- any text as a stored password, and prepared. */
#include <stdlib.h>

#include "core/base/check.h"
#include "proto/address.h"
#include "proto/saslprep.h"
#include "proto/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	uint8_t room[2][SECRET_PASSWORD_MAX];
	struct buf prepared = buf_over(room[0], sizeof(room[0]));
	struct buf again = buf_over(room[1], sizeof(room[1]));
	struct sasl_secret secret;
	const char *why = NULL;

	if (secret_parse(text, &secret, &why)) {
		check(secret_mechanisms(&secret) != 0);
		check(secret.salt_len <= SECRET_SALT_MAX);
		check(secret.iterations <= SECRET_ITERATIONS_MAX);
		if (secret.kind == SECRET_CLEAR)
			check(secret_matches(&secret, text) ==
			      (slice_find(text, '\0') == text.len));
	} else {
		check(why != NULL && why[0] != '\0');
	}
	if (saslprep_put(&prepared, text)) {
		check(utf8_valid(buf_slice(&prepared)));
		/* What is prepared stays as it is. */
		check(saslprep_put(&again, buf_slice(&prepared)));
		check(slice_eq(buf_slice(&prepared), buf_slice(&again)));
	} else {
		check(prepared.len == 0);
	}
	return 0;
}
