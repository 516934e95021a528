#include <criterion/criterion.h>

#include "proto/idna.h"

static const struct {
	const char *text;
	const char *want; /* NULL = refused */
} cases[] = {
    {"example.com", "example.com"},
    {"Example.COM.", "Example.COM."},
    {"b\xc3\xbc"
     "cher.example",
	"xn--bcher-kva.example"},
    {"mail.m\xc3\xbcnchen.de", "mail.xn--mnchen-3ya.de"},
    {"\xc3\xbc", "xn--tda"},
    {"fa\xc3\x9f.de", "xn--fa-hia.de"},
    {"\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	"xn--r8jz45g.xn--zckzah"},
    {"\xd0\xb8\xd1\x81\xd0\xbf\xd1\x8b\xd1\x82\xd0\xb0\xd0\xbd\xd0\xb8\xd0\xb5"
     ".com",
	"xn--80akhbyknj4f.com"},
    /* RFC 3492, 7.1 (A), (B), (L) */
    {"\xd9\x84\xd9\x8a\xd9\x87\xd9\x85\xd8\xa7\xd8\xa8\xd8\xaa\xd9\x83\xd9\x84"
     "\xd9\x85\xd9\x88\xd8\xb4\xd8\xb9\xd8\xb1\xd8\xa8\xd9\x8a\xd8\x9f",
	"xn--egbpdaj6bu4bxfgehfvwxn"},
    {"\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88\xe4\xb8\x8d"
     "\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87",
	"xn--ihqwcrb4cv8a8dqg056pqjye"},
    {"3\xe5\xb9\xb4"
     "B\xe7\xb5\x84\xe9\x87\x91\xe5\x85\xab\xe5\x85\x88"
     "\xe7\x94\x9f",
	"xn--3b-ww4c5e180e575a65lsy2b"},
    {"\xf0\x9f\x92\xa9.la", "xn--ls8h.la"},
    {"", NULL},
    {".", NULL},
    {"a..b", NULL},
    {"\x80.de", NULL},
    {"\xc3.de", NULL},
    {"\xc0\xaf.de", NULL},
    {"\xed\xa0\x80.de", NULL},
    {"\xf4\x90\x80\x80.de", NULL},
    {"\xff.de", NULL},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.de",
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx."
	"de"},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.de",
	NULL},
    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xc3\xbc"
     "xxx",
	NULL},
};

Test(idna, writes_labels_as_the_dns_wants_them)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char room[256];
		struct buf out = buf_over(room, sizeof(room) - 1);
		bool good = idna_put(&out, slice_of_str(cases[i].text));

		room[out.len] = '\0';
		cr_expect_eq(good, cases[i].want != NULL, "%s", cases[i].text);
		if (good && cases[i].want != NULL)
			cr_expect_str_eq(room, cases[i].want);
	}
}

Test(idna, never_writes_over_the_end)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].want == NULL)
			continue;
		for (size_t len = 0; len < strlen(cases[i].want); len++) {
			char room[256];
			struct buf out = buf_over(room, len);

			cr_expect_not(
			    idna_put(&out, slice_of_str(cases[i].text)));
			cr_expect_leq(out.len, len);
		}
	}
}
