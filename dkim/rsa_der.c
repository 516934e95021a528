/* rsa_der.c -- where the numbers of a private key are in its DER.
 *
 * Only what is definite and shortest is read (X.690, 10.1): there is one way
 * to write a key.  Lengths are public, values are not looked at but for their
 * leading byte. */
#include "dkim/rsa_der.h"

enum { TAG_INTEGER = 0x02, TAG_OCTETS = 0x04, TAG_SEQUENCE = 0x30 };

/* Takes one element with this tag off *in; its content to *out. */
static bool element(struct slice *in, uint8_t tag, struct slice *out)
{
	size_t len, head = 2;

	if (in->len < 2 || in->at[0] != tag)
		return false;
	len = in->at[1];
	if (len & 0x80) {
		size_t count = len & 0x7f;

		head += count;
		if (count == 0 || count > 2 || in->len < head)
			return false;
		len = 0;
		for (size_t i = 0; i < count; i++)
			len = len << 8 | in->at[2 + i];
		if (len < 0x80 || (count == 2 && len < 0x100))
			return false;
	}
	if (len > in->len - head)
		return false;
	slice_cut(in, head);
	*out = slice_cut(in, len);
	return true;
}

/* A non-negative INTEGER, without the zero that keeps it so. */
static bool integer(struct slice *in, struct slice *out)
{
	if (!element(in, TAG_INTEGER, out) || out->len == 0)
		return false;
	if (out->at[0] & 0x80)
		return false;
	if (out->at[0] == 0 && out->len > 1) {
		slice_cut(out, 1);
		return (out->at[0] & 0x80) != 0;
	}
	return true;
}

/* RFC 5208, 5: PrivateKeyInfo. */
bool rsa_der_unwrap(
    struct slice der, struct slice *algorithm, struct slice *inside)
{
	struct slice body, version;

	return element(&der, TAG_SEQUENCE, &body) && der.len == 0 &&
	       integer(&body, &version) &&
	       element(&body, TAG_SEQUENCE, algorithm) &&
	       element(&body, TAG_OCTETS, inside);
}

/* The identifier is rsaEncryption, its parameters NULL (RFC 8017, A.1). */
static bool unwrap(struct slice *whole)
{
	static const uint8_t rsa[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	    0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
	struct slice algorithm;

	return rsa_der_unwrap(*whole, &algorithm, whole) &&
	       slice_eq(algorithm, slice_of(rsa, sizeof(rsa)));
}

/* RFC 8017, A.1.2; version 1 would have more than two primes. */
static bool numbers(struct rsa_der *out)
{
	struct slice in = out->whole, body, version;

	return element(&in, TAG_SEQUENCE, &body) && in.len == 0 &&
	       integer(&body, &version) && version.len == 1 &&
	       version.at[0] == 0 && integer(&body, &out->n) &&
	       integer(&body, &out->e) && integer(&body, &out->d) &&
	       integer(&body, &out->p) && integer(&body, &out->q) &&
	       integer(&body, &out->dp) && integer(&body, &out->dq) &&
	       integer(&body, &out->qinv) && body.len == 0;
}

bool rsa_der_read(struct slice der, struct rsa_der *out, const char **why)
{
	*out = (struct rsa_der){.whole = der};
	if (numbers(out))
		return true;
	*out = (struct rsa_der){.whole = der};
	if (unwrap(&out->whole) && numbers(out))
		return true;
	*why = "not an RSA private key (PKCS #1 or PKCS #8)";
	return false;
}
