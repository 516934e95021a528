/* Any bytes: a reply read whole and byte by byte is the same reply, and what is
 * made of it is printable. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/check.h"
#include "proto/outcome.h"
#include "proto/reply_reader.h"
#include "proto/smtp_offers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum reply_result feed(
    struct reply_reader *r, struct slice *in, size_t step)
{
	enum reply_result result = REPLY_MORE;

	reply_reader_init(r);
	while (result == REPLY_MORE && in->len > 0) {
		size_t piece_len = in->len < step ? in->len : step;
		struct slice piece = slice_of(in->at, piece_len);

		result = reply_reader_feed(r, &piece);
		slice_cut(in, piece_len - piece.len);
	}
	return result;
}

static void look_at(const struct reply_reader *r)
{
	struct outcome o =
	    outcome_of_reply(r->code, reply_reader_text(r), OUTCOME_DEFERRED);
	struct smtp_offers offers;

	check(r->code >= 200 && r->code <= 599);
	check(o.text_len <= OUTCOME_TEXT_MAX);
	for (size_t i = 0; i < o.text_len; i++)
		check(o.text[i] >= ' ' && o.text[i] <= '~');
	smtp_offers_read(&offers, reply_reader_text(r), false);
	check(offers.auth == 0 || offers.auth_offered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice in = slice_of(data, len);

	while (in.len > 0) {
		struct reply_reader a, b;
		struct slice again = in;
		enum reply_result result = feed(&a, &in, in.len);

		check(feed(&b, &again, 1) == result);
		check(again.at == in.at);
		check(slice_eq(reply_reader_text(&a), reply_reader_text(&b)));
		if (result != REPLY_COMPLETE)
			break;
		check(a.code == b.code);
		look_at(&a);
	}
	return 0;
}
