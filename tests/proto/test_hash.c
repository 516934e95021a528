/* test_hash.c -- against the vectors of RFC 1321, 2202, 4231, 6234. */
#include "proto/hash.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base/check.h"

static bool is_hex(const uint8_t *bytes, size_t len, const char *hex)
{
	char text[2 * HASH_SHA256_LEN + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return strcmp(text, hex) == 0;
}

Test(hash, is_the_same_in_any_parts)
{
	struct slice whole = SLICE("message digest");

	for (size_t cut = 0; cut <= whole.len; cut++) {
		struct slice rest = whole;
		struct slice front = slice_cut(&rest, cut);
		struct slice parts[] = {front, rest};
		uint8_t out[HASH_SHA256_LEN];

		hash_md5(parts, 2, out);
		cr_assert(is_hex(out, 16, "f96b697d7cb7938d525a2f31aaf161d0"));
		hash_sha256(parts, 2, out);
		cr_assert(is_hex(out, 32,
		    "f7846f55cf23e14eebeab5b4e1550cad"
		    "5b509e3348fbc4efa3a1413d393cb650"));
	}
}

static const struct {
	size_t key_len;
	uint8_t key_byte; /* 0: "Jefe" */
	struct slice text;
	const char *md5, *sha256;
} macs[] = {
    {4, 0, SLICE("what do ya want for nothing?"),
	"750c783e6ab0b503eaa86e310a5db738",
	"5bdcc146bf60754e6a042426089575c7"
	"5a003f089d2739839dec58b964ec3843"},
    {80, 0xaa, SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
	"6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd", NULL},
    {131, 0xaa, SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
	NULL,
	"60e431591ee0b67f0d8a26aacbf5b77f"
	"8e0bc6213728c5140546040f0ee37f54"},
};

Test(hash, makes_macs)
{
	for (size_t i = 0; i < COUNT(macs); i++) {
		uint8_t key[200] = "Jefe", out[HASH_SHA256_LEN];
		struct slice key_slice = slice_of(key, macs[i].key_len);

		if (macs[i].key_byte != 0)
			memset(key, macs[i].key_byte, sizeof(key));
		hash_hmac_md5(key_slice, &macs[i].text, 1, out);
		if (macs[i].md5 != NULL)
			cr_assert(is_hex(out, 16, macs[i].md5), "%zu", i);
		hash_hmac_sha256(key_slice, &macs[i].text, 1, out);
		if (macs[i].sha256 != NULL)
			cr_assert(is_hex(out, 32, macs[i].sha256), "%zu", i);
	}
}

Test(hash, stretches_passwords)
{
	uint8_t out[HASH_SHA256_LEN];

	hash_hi(SLICE("password"), SLICE("salt"), 1, out);
	cr_assert(is_hex(out, 32,
	    "120fb6cffcf8b32c43e7225256c4f837"
	    "a86548c92ccc35480805987cb70be17b"));
	hash_hi(SLICE("password"), SLICE("salt"), 4096, out);
	cr_assert(is_hex(out, 32,
	    "c5e478d59288c841aa530db6845c4c8d"
	    "962893a001ce4e11a4963873aa98134a"));
}

Test(hash, tells_what_is_equal)
{
	uint8_t a[40], b[40];

	memset(a, 7, sizeof(a));
	memset(b, 7, sizeof(b));
	cr_assert(hash_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		cr_assert_not(hash_equal(a, b, sizeof(a)));
		cr_assert_not(hash_equal_text(
		    slice_of(a, sizeof(a)), slice_of(b, sizeof(b))));
		cr_assert_not(hash_equal_text(slice_of(a, 40), slice_of(a, i)));
		b[i] ^= 0x80;
	}
	cr_assert(hash_equal_text(slice_of(NULL, 0), SLICE("")));
}
