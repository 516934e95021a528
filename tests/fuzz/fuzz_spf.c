/* fuzz_spf.c -- records of any kind, which point at each other: it comes to an
 * end, with a result and a reason.
 *
 * Lines of the input are the answers in turn: a TXT record, or names, or, when
 * it begins with '!', no answer. */
#include <stdlib.h>

#include "core/base/check.h"
#include "proto/spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum spf_answer make(
    struct slice line, uint16_t type, struct dns_answer *a)
{
	a->count = 0;
	if (line.len == 0)
		return SPF_ANSWER_NOTHING;
	if (line.at[0] == '!')
		return SPF_ANSWER_FAILED;
	while (line.len > 0 && a->count < DNS_RECORDS_MAX) {
		struct slice one = type == DNS_TYPE_TXT
				       ? slice_cut_at(&line, '|')
				       : slice_cut_at(&line, ' ');

		if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA)
			one.len = type == DNS_TYPE_A ? 4 : 16;
		if (one.at + one.len > line.at + line.len)
			break;
		a->records[a->count++].data = one;
	}
	return a->count > 0 ? SPF_ANSWER_FOUND : SPF_ANSWER_NOTHING;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct spf s;
	static struct dns_answer answer;
	static const uint8_t v4[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};
	struct slice rest = slice_of(data, size);
	unsigned questions = 0;

	spf_init(&s, size % 2 == 0 ? v4 : v6, SLICE("a.example"));
	while (spf_next(&s)) {
		/* Each lookup may be an MX with ten hosts, and the first. */
		check(questions++ <= SPF_LOOKUPS_MAX * (SPF_MX_MAX + 1) + 1);
		check(s.name[0] != '\0');
		spf_answer(&s, make(slice_cut_at(&rest, '\n'), s.type, &answer),
		    &answer);
	}
	check(s.why[0] != '\0');
	check(s.lookup_count <= SPF_LOOKUPS_MAX + 1);
	return 0;
}
