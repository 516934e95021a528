/* test_advice.c -- which limits stand in the way. */
#include "core/advice.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/resource.h>

#define MANY 65536
#define M8 (8 << 20)
#define EXT4 0xef53

static const struct {
	struct advice_facts facts;
	struct advice_wishes wishes;
	unsigned count;
	const char *part; /* of what is said last */
} cases[] = {
    {{MANY, M8, 4096, EXT4}, {.workers = 2, .rings = true}, 0, ""},
    {{1024, M8, 4096, EXT4}, {.workers = 2}, 1, "nofile=65536"},
    {{4096, M8, 4096, EXT4}, {.workers = 2}, 0, ""},
    {{4096, M8, 4096, EXT4}, {.workers = 2, .sessions = 1000}, 0, ""},
    {{1024, M8, 4096, EXT4}, {.workers = 2, .sessions = 500}, 0, ""},
    {{1024, M8, 4096, EXT4}, {.workers = 2, .sessions = 1000}, 1,
	"config.connection_limit"},
    {{MANY, M8, 4096, EXT4}, {.workers = 2, .sessions = 100000}, 1,
	"LimitNOFILE=133589"},
    {{MANY, 64 << 10, 4096, EXT4}, {.workers = 2, .rings = true}, 1,
	"LimitMEMLOCK"},
    {{MANY, 64 << 10, 4096, EXT4}, {.workers = 2}, 0, ""},
    {{MANY, M8, 4096, EXT4}, {.workers = 9, .rings = true}, 1, "9216"},
    {{MANY, UINT64_MAX, 4096, EXT4}, {.workers = 256, .rings = true}, 0, ""},
    {{MANY, M8, 128, EXT4}, {.workers = 2}, 1, "somaxconn=4096"},
    {{MANY, M8, 0, EXT4}, {.workers = 2}, 0, ""},
    {{MANY, M8, 4096, 0x01021994}, {.workers = 2}, 1, "tmpfs"},
    {{MANY, M8, 4096, 0x794c7630}, {.workers = 2}, 1, "volume"},
    {{MANY, M8, 4096, 0x6969}, {.workers = 2}, 1, "NFS"},
    {{64, M8, 1, 0x6969}, {.workers = 2}, 3, "NFS"},
};

static void keep(void *arg, const char *what, const char *instead)
{
	snprintf(arg, 400, "%s; %s", what, instead);
}

Test(advice, names_what_is_in_the_way)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char said[400] = "";

		cr_assert_eq(
		    advice_judge(&cases[i].facts, &cases[i].wishes, keep, said),
		    cases[i].count, "%zu: %s", i, said);
		cr_assert_not_null(
		    strstr(said, cases[i].part), "%zu: %s", i, said);
	}
}

Test(advice, looks_at_this_process)
{
	struct rlimit few = {100, 100};
	struct config c = {.connection_limit = 1000, .loop = LOOP_EPOLL};
	char said[400] = "";

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_assert_geq(advice_give(&c, 1, "/dev/shm", keep, said), 2);
	cr_assert_not_null(strstr(said, "tmpfs"), "%s", said);
}
