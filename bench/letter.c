/* letter.c -- the mail that is sent.
 *
 * The text is lines of 76 characters as base64 has them, without a dot at the
 * beginning of one; a message has as much of it as its size asks for. */
#include "bench/letter.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/machine.h"
#include "core/base/rng.h"

#define LINE 78

/* A number that looks drawn and follows from `seq`. */
static uint64_t scattered(uint64_t seq)
{
	uint64_t x = seq + 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static bool read_size(struct letter *l, struct slice one)
{
	char size[32], weight[32] = "1";
	struct slice word = slice_cut_at(&one, ':');

	if (l->size_count == LETTER_SIZES_MAX || word.len >= sizeof(size) ||
	    one.len >= sizeof(weight))
		return false;
	memcpy(size, word.at, word.len);
	size[word.len] = '\0';
	if (one.len > 0) {
		memcpy(weight, one.at, one.len);
		weight[one.len] = '\0';
	}
	uint64_t n, w;
	if (!machine_size(size, &n) || !machine_number(weight, &w) || w == 0)
		return false;
	l->sizes[l->size_count].size = n;
	l->sizes[l->size_count].weight = w;
	l->size_count++;
	return true;
}

bool letter_read_sizes(struct letter *l, const char *text)
{
	struct slice rest = slice_of_str(text);

	l->size_count = 0;
	while (rest.len > 0)
		if (!read_size(l, slice_cut_at(&rest, ',')))
			return false;
	return l->size_count > 0;
}

int letter_open(struct letter *l)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	l->weight_sum = 0;
	l->text_len = LINE;
	for (unsigned i = 0; i < l->size_count; i++) {
		l->weight_sum += l->sizes[i].weight;
		if (l->sizes[i].size > l->text_len)
			l->text_len = l->sizes[i].size;
	}
	l->text = mmap(NULL, l->text_len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->text == MAP_FAILED)
		return -ENOMEM;
	for (size_t i = 0; i < l->text_len; i++) {
		size_t column = i % LINE;

		l->text[i] = column == LINE - 2 ? '\r'
			     : column == LINE - 1
				 ? '\n'
				 : (uint8_t)alphabet[scattered(i) & 63];
	}
	return 0;
}

uint64_t letter_size(const struct letter *l, uint64_t seq)
{
	uint64_t at = scattered(seq) % l->weight_sum;
	unsigned i = 0;

	while (at >= l->sizes[i].weight)
		at -= l->sizes[i++].weight;
	return l->sizes[i].size;
}

static void put_domain(
    const char *domain, uint64_t number, uint32_t count, struct buf *out)
{
	if (count > 1) {
		buf_put_byte(out, 'd');
		buf_put_number(out, number % count);
		buf_put_byte(out, '.');
	}
	buf_put_str(out, domain);
}

void letter_put_sender(const struct letter *l, uint64_t seq, struct buf *out)
{
	buf_put_str(out, "sender@");
	put_domain(l->sender_domain, seq, l->sender_domain_count, out);
}

void letter_put_rcpt(
    const struct letter *l, uint64_t seq, uint32_t rcpt, struct buf *out)
{
	buf_put_str(out, l->rcpt_prefix);
	buf_put_byte(out, 'r');
	buf_put_number(out, rcpt);
	buf_put_byte(out, '.');
	buf_put_number(out, seq);
	buf_put_byte(out, '@');
	put_domain(l->rcpt_domain, seq + rcpt, l->rcpt_domain_count, out);
}

void letter_put_head(
    const struct letter *l, uint64_t seq, uint64_t due_ns, struct buf *out)
{
	buf_put_str(out, "From: Bench <");
	letter_put_sender(l, seq, out);
	buf_put_str(out, ">\r\nTo: <");
	letter_put_rcpt(l, seq, 0, out);
	buf_put_str(out, ">\r\nSubject: message ");
	buf_put_number(out, seq);
	buf_put_str(out, "\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
			 "Message-ID: <");
	buf_put_number(out, l->run);
	buf_put_byte(out, '.');
	buf_put_number(out, seq);
	buf_put_str(out,
	    "@bench.example>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n" LETTER_ID);
	buf_put_number(out, l->run);
	buf_put_byte(out, '.');
	buf_put_number(out, seq);
	buf_put_byte(out, '.');
	buf_put_number(out, due_ns);
	buf_put_str(out, "\r\n\r\n");
}

struct slice letter_text(const struct letter *l, uint64_t seq, size_t head_len)
{
	uint64_t size = letter_size(l, seq);
	size_t len = size > head_len + 3 ? size - head_len - 2 : 1;

	/* A CR alone would be cut off its LF. */
	if (l->text[len - 1] == '\r')
		len--;
	return slice_of(l->text, len);
}
