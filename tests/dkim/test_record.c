/* test_record.c -- what is published of a key, against what should be. */
#include "dkim/record.h"

#include <criterion/criterion.h>

static const struct {
	const char *published;
	enum dkim_record_match match;
} cases[] = {
    {"v=DKIM1; k=rsa; p=QUJD", DKIM_RECORD_SAME},
    {"v=DKIM1;k=rsa;p=QUJD;", DKIM_RECORD_SAME},
    {" v = DKIM1 ; t=y; h=sha256; p = QU\t JD ; n=note", DKIM_RECORD_SAME},
    {"p=QUJD", DKIM_RECORD_SAME},
    {"v=DKIM1; p=QUJE", DKIM_RECORD_DIFFERENT},
    {"v=DKIM1; p=QUJ", DKIM_RECORD_DIFFERENT},
    {"v=DKIM1; k=ed25519; p=QUJD", DKIM_RECORD_DIFFERENT},
    {"v=DKIM1; p=", DKIM_RECORD_REVOKED},
    {"v=DKIM1; p= ;", DKIM_RECORD_REVOKED},
    {"v=DKIM2; p=QUJD", DKIM_RECORD_NONE},
    {"v=spf1 -all", DKIM_RECORD_NONE},
    {"v=DKIM1; k=rsa", DKIM_RECORD_NONE},
    {"", DKIM_RECORD_NONE},
    {";;=;p", DKIM_RECORD_NONE},
};

Test(record, is_compared_as_a_verifier_reads_it)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		cr_assert_eq(
		    dkim_record_compare(slice_of_str(cases[i].published),
			SLICE("v=DKIM1; k=rsa; p=QUJD")),
		    cases[i].match, "%s", cases[i].published);
}
