/* idna.c -- a domain in Unicode as the DNS wants it: "xn--..." (RFC 5890).
 *
 * The encoding of a label is Punycode (RFC 3492): its ASCII characters, a
 * hyphen, and then where to insert which other character, smallest character
 * first, as numbers in base 36 of variable length. */
#include "proto/idna.h"

#define LABEL_MAX 63

/* RFC 3492, 5 */
#define BASE 36u
#define T_MIN 1u
#define T_MAX 26u
#define SKEW 38u
#define DAMP 700u
#define BIAS_FIRST 72u
#define CODE_FIRST 0x80u
#define CODE_MAX 0x10ffffu

/* A label has at least one byte for each character. */
struct label {
	size_t count;
	uint32_t codes[LABEL_MAX];
};

/* RFC 3629: one character off the front; false when it is malformed, too long
 * a form, or a surrogate. */
static bool code_cut(struct slice *text, uint32_t *code)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t first = slice_cut(text, 1).at[0];
	size_t more = first < 0x80    ? 0
		      : first >= 0xf0 ? 3
		      : first >= 0xe0 ? 2
				      : 1;

	if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 ||
	    text->len < more)
		return false;
	*code = more == 0 ? first : first & (0x3fu >> more);
	for (size_t i = 0; i < more; i++) {
		uint8_t byte = slice_cut(text, 1).at[0];

		if ((byte & 0xc0) != 0x80)
			return false;
		*code = *code << 6 | (byte & 0x3fu);
	}
	return *code >= least[more] && *code <= CODE_MAX &&
	       (*code < 0xd800 || *code > 0xdfff);
}

static uint32_t adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void digit_put(struct buf *out, uint32_t digit)
{
	buf_put_byte(
	    out, (uint8_t)(digit < 26 ? 'a' + digit : '0' + digit - 26));
}

static void number_put(struct buf *out, uint32_t number, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias		 ? T_MIN
			     : k >= bias + T_MAX ? T_MAX
						 : k - bias;

		if (number < t)
			break;
		digit_put(out, t + (number - t) % (BASE - t));
		number = (number - t) / (BASE - t);
	}
	digit_put(out, number);
}

/* RFC 3492, 6.3.  The numbers cannot overflow: a delta is at most CODE_MAX
 * times one more than the label has characters. */
static void punycode_put(struct buf *out, const struct label *label)
{
	uint32_t basic_count = 0;
	uint32_t bias = BIAS_FIRST;
	uint32_t delta = 0;
	uint32_t code = CODE_FIRST;

	for (size_t i = 0; i < label->count; i++) {
		if (label->codes[i] >= CODE_FIRST)
			continue;
		buf_put_byte(out, byte_lower((uint8_t)label->codes[i]));
		basic_count++;
	}
	if (basic_count > 0)
		buf_put_byte(out, '-');
	for (uint32_t done = basic_count; done < label->count;
	     delta++, code++) {
		uint32_t next = CODE_MAX;

		for (size_t i = 0; i < label->count; i++)
			if (label->codes[i] >= code && label->codes[i] < next)
				next = label->codes[i];
		delta += (next - code) * (done + 1);
		code = next;
		for (size_t i = 0; i < label->count; i++) {
			if (label->codes[i] < code)
				delta++;
			if (label->codes[i] != code)
				continue;
			number_put(out, delta, bias);
			bias = adapt(delta, done + 1, done == basic_count);
			delta = 0;
			done++;
		}
	}
}

static bool label_put(struct buf *out, struct slice text)
{
	struct label label = {0};
	bool ascii = true;
	size_t begin = out->len;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++)
		ascii &= text.at[i] < CODE_FIRST;
	if (ascii)
		return text.len <= LABEL_MAX && buf_put(out, text);
	while (text.len > 0) {
		if (label.count == LABEL_MAX ||
		    !code_cut(&text, &label.codes[label.count++]))
			return false;
	}
	buf_put_str(out, "xn--");
	punycode_put(out, &label);
	return !out->overflowed && out->len - begin <= LABEL_MAX;
}

bool idna_put(struct buf *out, struct slice domain)
{
	for (;;) {
		size_t dot = slice_find(domain, '.');
		bool last = dot == domain.len;

		if (!label_put(out, slice_cut(&domain, dot)))
			return false;
		if (last)
			return true;
		slice_cut(&domain, 1);
		if (!buf_put_byte(out, '.'))
			return false;
		if (domain.len == 0) /* the root's dot */
			return true;
	}
}
