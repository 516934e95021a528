/* test_users.c -- who may log in. */
#include "core/inbound/users.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/sasl.h"

#define VERIFIER                                                               \
	"{SCRAM-SHA-256}5000,W22ZaJ0SNY7soEsUEjb6gQ==,"                        \
	"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"                        \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define HASHED "$2b$04$abcdefghijklmnopqrstuu/FyAyuZSl3DbPdvio4KrIBdz2k2yhV2"

static const uint8_t key[HASH_SHA256_LEN] = {1, 2, 3};

Test(users, are_found_by_their_names)
{
	enum { N = 3000 };
	static char names[N][16];
	static struct config_user configured[N];
	struct users users;

	for (size_t i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "user%zu@x", i);
		configured[i] = (struct config_user){
		    .name = names[i], .password = names[i]};
	}
	cr_assert_eq(users_open(&users, configured, N, key), 0);
	for (size_t i = 0; i < N; i++) {
		struct slice name = slice_of_str(names[i]);
		struct user *user = users_find(&users, name);
		struct sasl_secret room;

		cr_assert(user != NULL && slice_eq(user->name, name));
		cr_assert_eq(user->allowed_from, &configured[i].allowed_from);
		cr_assert_eq(users_secret(&users, name, &room), &user->secret);
		cr_assert(secret_matches(&user->secret, name));
	}
	cr_assert_null(users_find(&users, SLICE("USER1@x")));
	cr_assert_null(users_find(&users, SLICE("user1@")));
	cr_assert_null(users_find(&users, SLICE("")));
	users_close(&users);
}

#define USER(n, p)                                                             \
	{                                                                      \
		.name = (char[]){n}, .password = (char[]){p},                  \
	}

Test(users, say_which_mechanisms_anybody_can_use)
{
	unsigned clear = 1u << SASL_PLAIN | 1u << SASL_LOGIN;
	unsigned scram =
	    1u << SASL_SCRAM_SHA_256 | 1u << SASL_SCRAM_SHA_256_PLUS;
	const struct {
		struct config_user at[2];
		size_t count;
		unsigned mechanisms;
	} cases[] = {
	    {{{0}}, 0, 0},
	    {{USER("a", HASHED)}, 1, clear},
	    {{USER("a", HASHED), USER("b", VERIFIER)}, 2, clear | scram},
	    {{USER("a", HASHED), USER("b", "x")}, 2, 0x3f},
	    {{USER("a", "{SSHA}x")}, 1, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct users users;

		cr_assert_eq(
		    users_open(&users, cases[i].at, cases[i].count, key), 0);
		cr_assert_eq(users.mechanisms, cases[i].mechanisms, "%zu", i);
		users_close(&users);
	}
}

/* What a client sees of a name that nobody has: kind, salt and iterations of
 * somebody, the same each time; and no password is right. */
Test(users, nobody_looks_like_somebody)
{
	struct config_user configured[] = {
	    USER("a", "secret"), USER("b", VERIFIER), USER("c", HASHED)};
	unsigned seen = 0;
	struct users users, none;

	cr_assert_eq(users_open(&users, configured, 3, key), 0);
	cr_assert_eq(users_open(&none, NULL, 0, key), 0);
	for (unsigned i = 0; i < 100; i++) {
		char text[16];
		struct slice name;
		struct sasl_secret decoy, again;

		snprintf(text, sizeof(text), "nobody%u", i);
		name = slice_of_str(text);
		cr_assert_eq(users_secret(&users, name, &decoy), &decoy);
		cr_assert_eq(users_secret(&users, name, &again), &again);
		cr_assert(decoy.is_decoy && decoy.memo == NULL);
		cr_assert(decoy.kind == again.kind &&
			  decoy.iterations == again.iterations &&
			  decoy.salt_len == again.salt_len &&
			  memcmp(decoy.salt, again.salt, decoy.salt_len) == 0);
		cr_assert(decoy.kind == SECRET_SCRAM_SHA_256
			      ? decoy.iterations == 5000
			      : decoy.iterations == SECRET_ITERATIONS);
		seen |= 1u << decoy.kind;
		if (i < 10) {
			cr_assert_not(secret_matches(&decoy, SLICE("secret")));
			cr_assert_not(secret_matches(&decoy, SLICE("pencil")));
		}
		cr_assert_eq(users_secret(&none, name, &decoy), &decoy);
		cr_assert_not(secret_matches(&decoy, SLICE("nobody's")));
	}
	cr_assert_eq(seen, 7);
	users_close(&users);
	users_close(&none);
}

Test(users, what_is_wrong_is_said)
{
	static char long_name[300];
	const struct {
		struct config_user user;
		bool good;
	} cases[] = {
	    {USER("joe", "x"), true},
	    {USER("j\xc3\xb6@d", "x y"), true},
	    {USER("joe", VERIFIER), true},
	    {USER("joe", HASHED), true},
	    {USER("", "x"), false},
	    {USER("joe", ""), false},
	    {USER("j\toe", "x"), false},
	    {{.name = long_name, .password = (char[]){"x"}}, false},
	    {USER("joe", "{SSHA}x"), false},
	    {USER("joe", "$6$x"), false},
	};

	memset(long_name, 'x', 256);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = users_judge(&cases[i].user);

		cr_assert_eq(why == NULL, cases[i].good, "%zu", i);
	}
}
