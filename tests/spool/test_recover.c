/* Files that a crash or a bad disk has touched.  (What a crash may leave in all
 * its forms: tests/sim/test_spool.c.) */
#include <errno.h>
#include <sys/stat.h>

#include "tests/spool/shard.h"

/* The path of the first segment file. */
static void segment_path(const struct shard *shard, unsigned slot, char *path)
{
	sprintf(path, "%s/%08x.seg", shard->dir, slot);
}

/* Turns bits round in a file. */
static void damage(
    const struct shard *shard, unsigned slot, uint64_t offset, size_t len)
{
	char path[128];
	uint8_t *bytes = malloc(len);

	segment_path(shard, slot, path);
	int fd = open(path, O_RDWR);

	cr_assert_geq(fd, 0);
	cr_assert_eq(pread(fd, bytes, len, (off_t)offset), (ssize_t)len);
	for (size_t i = 0; i < len; i++)
		bytes[i] ^= 0x5a;
	cr_assert_eq(pwrite(fd, bytes, len, (off_t)offset), (ssize_t)len);
	close(fd);
	free(bytes);
}

/* Where in the first segment a message lies. */
static uint64_t place_of(const struct shard *shard, uint64_t id)
{
	const struct message *m = spool_find(shard->spool, id);

	cr_assert_not_null(m);
	return ((const uint32_t *)m->private_words)[1];
}

/* Ten messages in the first segment, each in its commit; crashed. */
static struct shard *ten(uint64_t ids[10], uint64_t places[10])
{
	struct shard *shard = shard_make("/dev/shm", true);

	for (size_t i = 0; i < 10; i++) {
		cr_assert_eq(shard_commit(shard, 1, 0, 9000, &ids[i]), 0);
		places[i] = place_of(shard, ids[i]);
	}
	shard_crash(shard);
	return shard;
}

Test(recover, a_torn_tail_ends_the_log_and_is_no_damage)
{
	uint64_t ids[10];
	uint64_t places[10];
	struct shard *shard = ten(ids, places);

	damage(shard, 0, places[9] + 5000, 1);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 9);
	cr_assert_eq(shard->spool->damage_count, 0);
	cr_assert_null(spool_find(shard->spool, ids[9]));
	/* What came behind the hole stays void when the log goes on. */
	uint64_t id;

	cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
	damage(shard, 0, places[9] + 5000, 1); /* as it was */
	shard_crash(shard);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 10);
	cr_assert_null(spool_find(shard->spool, ids[9]));
	shard_end(shard);
}

Test(recover, damage_before_the_end_costs_only_what_it_hit)
{
	static const struct {
		const char *what;
		int64_t at; /* from the record of message 4 */
		bool found;
		bool readable;
	} cases[] = {
	    {"content", 5000, true, false},
	    {"envelope", 70, false, false},
	    {"head of the record", 10, false, false},
	    {"head of the commit", -30, true, true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t ids[10];
		uint64_t places[10];
		struct shard *shard = ten(ids, places);
		char byte;

		damage(shard, 0, places[4] + (uint64_t)cases[i].at, 1);
		for (unsigned life = 0; life < 2; life++) {
			shard_open(shard);
			cr_assert_eq(shard->ready_count,
			    cases[i].found ? 10 : 9, "%s", cases[i].what);
			cr_assert_gt(shard->spool->damage_count, 0);
			struct message *m = spool_find(shard->spool, ids[4]);

			cr_assert_eq(m != NULL, cases[i].found);
			if (m != NULL && cases[i].readable)
				cr_assert(shard_content_good(shard, m));
			else if (m != NULL)
				cr_assert_eq(shard_read(shard, m, 0, &byte, 1),
				    -EBADMSG);
			for (size_t k = 0; k < 10; k++)
				cr_assert(k == 4 || shard_content_good(shard,
							spool_find(shard->spool,
							    ids[k])));
			spool_close(shard->spool);
		}
		shard_unmake(shard);
	}
}

Test(recover, a_lost_block_costs_only_the_mail_in_it)
{
	uint64_t ids[10];
	uint64_t places[10];
	struct shard *shard = ten(ids, places);

	damage(shard, 0, places[4] / 4096 * 4096, 4096);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 9);
	cr_assert_gt(shard->spool->damage_count, 0);
	shard_end(shard);
}

Test(recover, the_first_block_may_be_lost)
{
	uint64_t ids[10];
	uint64_t places[10];

	for (unsigned sealed = 0; sealed < 2; sealed++) {
		struct shard *shard = ten(ids, places);

		if (sealed > 0) {
			shard_open(shard);
			uint64_t id;

			cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
			spool_close(shard->spool);
			damage(shard, 1, 0, 4096);
		}
		damage(shard, 0, 0, 4096);
		shard_open(shard);
		cr_assert_eq(shard->ready_count, 10 + sealed);
		cr_assert_gt(shard->spool->damage_count, 0);
		for (size_t i = 0; i < shard->ready_count; i++)
			cr_assert(shard_content_good(shard, shard->ready[i]));
		shard_end(shard);
	}
}

Test(recover, without_a_good_seal_the_segment_is_read)
{
	struct shard *shard = shard_make("/dev/shm", true);
	uint64_t id;

	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(shard_commit(shard, 2, 0, 100, &id), 0);
	spool_close(shard->spool);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 100);
	cr_assert(container_of(shard->spool->chain.next, struct segment, link)
		      ->sealed);
	spool_close(shard->spool);
	damage(shard, 0, (4u << 20) - 2 * 4096, 1);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 100);
	cr_assert_not(
	    container_of(shard->spool->chain.next, struct segment, link)
		->sealed);
	shard_end(shard);
}

Test(recover, a_segment_that_is_gone_is_noticed)
{
	struct shard *shard = shard_make("/dev/shm", true);
	char path[128];
	uint64_t id;

	for (unsigned i = 0; i < 20; i++)
		cr_assert_eq(shard_commit(shard, 1, 10, 100, &id), 0);
	spool_close(shard->spool);
	segment_path(shard, 1, path);
	cr_assert_eq(unlink(path), 0);
	shard_open(shard);
	cr_assert_gt(shard->spool->damage_count, 0);
	cr_assert_gt(shard->ready_count, 10);
	cr_assert_lt(shard->ready_count, 20);
	shard_end(shard);
}

Test(recover, damaged_mail_is_moved_and_stays_known)
{
	struct shard *shard = shard_make("/dev/shm", true);
	uint64_t bad;
	uint64_t good;
	uint64_t id;
	char byte;

	cr_assert_eq(shard_commit(shard, 1, 0, 9000, &bad), 0);
	cr_assert_eq(shard_commit(shard, 1, 0, 9000, &good), 0);
	uint64_t place = place_of(shard, bad);

	shard_reopen(shard);
	damage(shard, 0, place + 5000, 1);
	for (unsigned i = 0; i < 40; i++) {
		cr_assert_eq(shard_commit(shard, 1, 40, 10, &id), 0);
		spool_finish(shard->spool, spool_find(shard->spool, id));
	}
	cr_assert_gt(spool_facts(shard->spool).moved_len, 9000);
	for (unsigned life = 0; life < 2; life++) {
		struct message *m = spool_find(shard->spool, bad);

		cr_assert_not_null(m);
		cr_assert_eq(shard_read(shard, m, 0, &byte, 1), -EBADMSG);
		cr_assert(
		    shard_content_good(shard, spool_find(shard->spool, good)));
		shard_reopen(shard);
	}
	shard_end(shard);
}

Test(recover, ignores_what_is_not_a_segment)
{
	struct shard *shard = shard_make("/dev/shm", true);
	uint64_t id;
	char command[256];

	cr_assert_eq(shard_commit(shard, 1, 0, 100, &id), 0);
	spool_close(shard->spool);
	sprintf(command,
	    "cd %s && touch 00000009.seg 12.seg readme && "
	    "head -c 100000 /dev/urandom > 0000000a.seg",
	    shard->dir);
	cr_assert_eq(system(command), 0);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 1);
	cr_assert_eq(shard->spool->damage_count, 0);
	for (unsigned i = 0; i < 40; i++) {
		cr_assert_eq(shard_commit(shard, 1, 40, 10, &id), 0);
		spool_finish(shard->spool, spool_find(shard->spool, id));
	}
	shard_end(shard);
}

static int print_to(
    const char *path, int (*print)(const char *dir), const char *dir)
{
	fflush(stdout);
	cr_assert_not_null(freopen(path, "w", stdout));
	int status = print(dir);

	fflush(stdout);
	return status;
}

static void expect_in(const char *path, const char *text)
{
	char command[256];

	snprintf(command, sizeof(command), "grep -q '%s' %s", text, path);
	cr_assert_eq(system(command), 0, "%s", text);
}

Test(inspect, prints_what_there_is)
{
	struct shard *shard = shard_make("/dev/shm", true);
	static const uint32_t first[] = {0};
	struct note note = {.finished = first,
	    .finished_count = 1,
	    .attempt_count = 2,
	    .due_s = 77};
	char path[128];
	uint64_t id;

	snprintf(path, sizeof(path), "%s/out", shard->dir);
	cr_assert_eq(shard_commit(shard, 2, 1, 9000, &id), 0);
	uint64_t place = place_of(shard, id);

	spool_note(shard->spool, spool_find(shard->spool, id), &note);
	cr_assert_eq(print_to(path, spool_check_print, shard->dir), 74);
	spool_close(shard->spool);
	cr_assert_eq(print_to(path, spool_check_print, shard->dir), 0);
	expect_in(path, "segment 00000000.seg number=1 state=sealed");
	expect_in(path, "good: 1 messages alive");
	cr_assert_eq(print_to(path, spool_dump_print, shard->dir), 0);
	expect_in(path, "attempts=2 due=77 size=74636 from=<s@example.org> "
			"to=<r@example.net>(finished) to=<r@example.net>$");
	damage(shard, 0, place + 5000, 1);
	cr_assert_eq(print_to(path, spool_check_print, shard->dir), 1);
	expect_in(path, "DAMAGED: 1 messages alive");
	cr_assert_eq(print_to(path, spool_check_print, "/nonexistent"), 74);
	shard_unmake(shard);
}
