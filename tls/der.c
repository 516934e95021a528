/* der.c -- see der.h.  Tags of one byte, definite lengths of up to 3 bytes:
 * what certificates are made of. */
#include "tls/der.h"

bool der_take(struct slice *in, struct der *element)
{
	if (in->len < 2 || (in->at[0] & 0x1f) == 0x1f)
		return false;
	size_t head = 2;
	size_t len = in->at[1];

	if (len >= 0x80) {
		size_t count = len & 0x7f;

		if (count == 0 || count > 3 || in->len < 2 + count)
			return false;
		len = 0;
		for (size_t i = 0; i < count; i++)
			len = len << 8 | in->at[2 + i];
		head += count;
	}
	if (len > in->len - head)
		return false;
	element->tag = in->at[0];
	element->whole = slice_cut(in, head + len);
	element->body = slice_of(element->whole.at + head, len);
	return true;
}

bool der_take_tag(struct slice *in, uint8_t tag, struct der *element)
{
	return in->len > 0 && in->at[0] == tag && der_take(in, element);
}
