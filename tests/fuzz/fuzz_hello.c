/* A ClientHello, whole and cut at every record; a certificate. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "tls/certificate.h"
#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t room[HELLO_MAX];
	struct slice in = slice_of(data, size);
	struct hello hello;
	struct certificate c;

	if (hello_read(&hello, in, room) == HELLO_READ)
		/* Whole with less is whole with more. */
		check(size >= 9);
	if (certificate_read(&c, in))
		(void)certificate_is_for(&c, SLICE("mx.example.org"));
	return 0;
}
