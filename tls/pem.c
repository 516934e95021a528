/* pem.c -- see pem.h. */
#include "tls/pem.h"

#include "tls/wolfssl.h"

#define BEGIN SLICE("-----BEGIN CERTIFICATE-----")
#define END SLICE("-----END CERTIFICATE-----")

/* Cuts everything up to and including `mark` off; what was before it. */
static bool cut_mark(
    struct slice *text, struct slice mark, struct slice *before)
{
	uint8_t *at = memmem(text->at, text->len, mark.at, mark.len);

	if (at == NULL)
		return false;
	*before = slice_cut(text, (size_t)(at - text->at));
	slice_cut(text, mark.len);
	return true;
}

enum pem_found pem_certificate(struct slice *text, struct buf *der)
{
	struct slice before, base64;
	word32 len = (word32)der->room;

	buf_clear(der);
	if (text->len == 0 || !cut_mark(text, BEGIN, &before))
		return PEM_NONE;
	if (!cut_mark(text, END, &base64))
		return PEM_NONE;
	if (base64.len > 2 * der->room ||
	    Base64_Decode(base64.at, (word32)base64.len, der->at, &len) != 0)
		return PEM_BROKEN;
	der->len = len;
	return PEM_FOUND;
}

void pem_put(struct buf *out, const char *label, struct slice der)
{
	buf_printf(out, "-----BEGIN %s-----\n", label);
	word32 len = (word32)buf_left(out);

	/* Base64_Encode ends each line, the last one, too. */
	if (Base64_Encode(der.at, (word32)der.len, out->at + out->len, &len) !=
	    0) {
		out->overflowed = true;
		return;
	}
	out->len += len;
	buf_printf(out, "-----END %s-----\n", label);
}
