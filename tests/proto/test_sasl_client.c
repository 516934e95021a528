/* test_sasl_client.c -- the side that has a password, against what RFCs say a
 * server sends, and against servers that lie. */
#include "proto/sasl.h"

#include <criterion/criterion.h>

#include "core/base/base64.h"
#include "core/base/check.h"
#include "proto/sasl_digest.h"

#define BEGIN(m, ...)                                                          \
	struct sasl_client s;                                                  \
	struct sasl_client_options options = {                                 \
	    .nonce = "client's nonce 18b", __VA_ARGS__};                       \
	uint8_t room[2048];                                                    \
	struct buf out = buf_over(room, sizeof(room));                         \
	bool has_initial;                                                      \
	sasl_client_init(&s, m, &options, &has_initial, &out)

/* What the client answers to a challenge, in plain text: "" may be an answer,
 * NULL is "*". */
static const char *answer(
    struct sasl_client *s, const char *challenge, char text[2048])
{
	uint8_t in_room[2048], out_room[2048];
	struct buf in = buf_over(in_room, sizeof(in_room));
	struct buf out = buf_over(out_room, sizeof(out_room));
	struct buf plain = buf_over(text, 2047);

	base64_encode(slice_of_str(challenge), &in);
	if (!sasl_client_next(s, buf_slice(&in), &out))
		return NULL;
	cr_assert(base64_decode(buf_slice(&out), &plain));
	text[plain.len] = '\0';
	return text;
}

Test(sasl_client, sends_the_password)
{
	char text[2048];
	BEGIN(SASL_PLAIN, .user = SLICE("tim"),
	    .password = SLICE("tanstaaftanstaaf"));

	cr_assert(has_initial);
	cr_assert(
	    slice_eq(buf_slice(&out), SLICE("AHRpbQB0YW5zdGFhZnRhbnN0YWFm")));
	cr_assert(sasl_client_is_satisfied(&s));
	cr_assert_null(answer(&s, "", text));
}

Test(sasl_client, answers_what_it_is_asked)
{
	char text[2048];
	BEGIN(SASL_LOGIN, .user = SLICE("tim"), .password = SLICE("x y"));

	cr_assert_not(has_initial);
	cr_assert_str_eq(answer(&s, "User Name", text), "tim");
	cr_assert_str_eq(answer(&s, "", text), "x y");
	cr_assert_null(answer(&s, "Password:", text));
}

/* RFC 2195, 2 */
Test(sasl_client, makes_the_digest_of_cram)
{
	char text[2048];
	BEGIN(SASL_CRAM_MD5, .user = SLICE("tim"),
	    .password = SLICE("tanstaaftanstaaf"));

	cr_assert_not(has_initial);
	cr_assert_str_eq(
	    answer(&s, "<1896.697170952@postoffice.reston.mci.net>", text),
	    "tim b913a602c7eda7a495b4e6e7334d3890");
	cr_assert_null(answer(&s, "<1@x>", text));
}

/* RFC 2831, 4, both examples */
Test(sasl_client, computes_as_the_digest_standard)
{
	static const struct {
		const char *uri, *nonce, *cnonce, *response, *rspauth;
	} examples[] = {
	    {"imap/elwood.innosoft.com", "OA6MG9tEQGm2hh", "OA6MHXh6VqTrRk",
		"d388dad90d4bbd760a152321f2143af7",
		"ea40f60335c427b5527b84dbabcdfffd"},
	    {"acap/elwood.innosoft.com", "OA9BSXrbuRhWay", "OA9BSuZWMSpW8m",
		"6084c6db3fede7352c551284490fd0fc",
		"2f0b3d7c3c2e486600ef710726aa2eae"},
	};

	for (size_t i = 0; i < COUNT(examples); i++) {
		struct digest_fields f = {0};
		uint8_t hex[DIGEST_HEX_LEN];

		f.at[DIGEST_USERNAME] = SLICE("chris");
		f.at[DIGEST_REALM] = SLICE("elwood.innosoft.com");
		f.at[DIGEST_NONCE] = slice_of_str(examples[i].nonce);
		f.at[DIGEST_CNONCE] = slice_of_str(examples[i].cnonce);
		f.at[DIGEST_URI] = slice_of_str(examples[i].uri);
		f.has[DIGEST_CHARSET] = true;
		digest_compute(&f, SLICE("secret"), "AUTHENTICATE", hex);
		cr_assert(slice_eq(slice_of(hex, sizeof(hex)),
		    slice_of_str(examples[i].response)));
		digest_compute(&f, SLICE("secret"), "", hex);
		cr_assert(slice_eq(slice_of(hex, sizeof(hex)),
		    slice_of_str(examples[i].rspauth)));
	}
}

static const struct {
	const char *challenge;
	bool good;
} digests[] = {
    {"realm=\"r\",nonce=\"n\",qop=\"auth\",algorithm=md5-sess,charset=utf-8",
	true},
    {"nonce=\"n\",algorithm=md5-sess", true},
    {" realm=\"r\" , realm=\"q\",,nonce=\"n\", algorithm=\"md5-sess\","
     "qop=\"auth-int, auth\",stale=true,x=y",
	true},
    {"nonce=\"n\"", false},
    {"algorithm=md5-sess", false},
    {"nonce=\"n\",algorithm=md5", false},
    {"nonce=\"n\",algorithm=md5-sess,qop=\"auth-int\"", false},
    {"nonce=\"n\",algorithm=md5-sess,charset=koi8-r", false},
    {"nonce=\"n\",nonce=\"m\",algorithm=md5-sess", false},
    {"nonce=\"n,algorithm=md5-sess", false},
    {"nonce,algorithm=md5-sess", false},
    {"", false},
};

Test(sasl_client, reads_digest_challenges)
{
	for (size_t i = 0; i < COUNT(digests); i++) {
		char text[2048];
		BEGIN(SASL_DIGEST_MD5, .user = SLICE("tim"),
		    .password = SLICE("p"), .hostname = SLICE("m.example"));

		cr_assert_eq(answer(&s, digests[i].challenge, text) != NULL,
		    digests[i].good, "%zu", i);
		if (!digests[i].good)
			continue;
		cr_assert(
		    strstr(text, "digest-uri=\"smtp/m.example\"") != NULL);
		cr_assert_not(sasl_client_is_satisfied(&s));
		cr_assert_null(answer(
		    &s, "rspauth=00000000000000000000000000000000", text));
		cr_assert_not(sasl_client_is_satisfied(&s));
	}
}

#define FIRST "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"

static void begin_scram(struct sasl_client *s)
{
	struct sasl_client_options options = {
	    .user = SLICE("user"), .password = SLICE("pencil")};
	uint8_t room[2048];
	struct buf out = buf_over(room, sizeof(room));
	bool has_initial;

	sasl_client_init(s, SASL_SCRAM_SHA_256, &options, &has_initial, &out);
	cr_assert(has_initial);
	/* The nonce of RFC 7677's example is shorter than ours. */
	memcpy(s->text, "n=user,r=rOprNGfwEbeRWgbNEkqO", 29);
	s->text_len = 29;
}

Test(sasl_client, speaks_scram_as_its_standard)
{
	struct sasl_client s;
	char text[2048];

	begin_scram(&s);
	cr_assert_str_eq(
	    answer(&s, FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", text),
	    "c=biws," FIRST ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	cr_assert_not(sasl_client_is_satisfied(&s));
	cr_assert_str_eq(
	    answer(&s, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", text),
	    "");
	cr_assert(sasl_client_is_satisfied(&s));
	cr_assert_null(answer(&s, "", text));
}

static const struct {
	const char *first, *final; /* final NULL: first is not believed */
} lies[] = {
    {"r=else,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", NULL},
    {"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", NULL},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", NULL},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", NULL},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967297", NULL},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=100001", NULL},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==", NULL},
    {FIRST ",s=,i=4096", NULL},
    {FIRST ",s=W2,i=4096", NULL},
    {"m=x," FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", NULL},
    {"e=unknown-user", NULL},
    {"", NULL},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "e=invalid-proof"},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "v="},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ""},
    {FIRST ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
};

Test(sasl_client, believes_no_liar)
{
	for (size_t i = 0; i < COUNT(lies); i++) {
		struct sasl_client s;
		char text[2048];

		begin_scram(&s);
		cr_assert_eq(answer(&s, lies[i].first, text) != NULL,
		    lies[i].final != NULL, "%zu", i);
		if (lies[i].final != NULL)
			cr_assert_null(answer(&s, lies[i].final, text));
		cr_assert_not(sasl_client_is_satisfied(&s));
	}
}

Test(sasl_client, says_that_a_password_is_too_long)
{
	static char password[5000];
	memset(password, 'x', sizeof(password));
	BEGIN(SASL_PLAIN, .user = SLICE("tim"),
	    .password = slice_of(password, sizeof(password)));

	cr_assert(has_initial && out.overflowed);
}
