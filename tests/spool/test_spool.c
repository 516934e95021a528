/* The spool as its users see it, on a real loop and real files. */
#include <errno.h>

#include "tests/spool/shard.h"

struct place {
	const char *where;
	bool plain;
};

/* A disk, memory, and a file system without O_DIRECT. */
static const struct place places[] = {
    {"/tmp", false},
    {"/dev/shm", false},
    {"/tmp", true},
    {"/dev/shm", true},
};

static const struct content {
	size_t pieces;
	size_t len;
} contents[] = {
    {0, 0}, {0, 1}, {0, 4096}, {0, SPOOL_PIECE_MAX}, {1, 0}, {1, 1}, {3, 5000},
    {100, 77}, /* more than a segment */
};

static void round_trip(const struct place *place)
{
	struct shard *shard = shard_make(place->where, place->plain);
	uint64_t ids[COUNT(contents)];

	for (size_t i = 0; i < COUNT(contents); i++) {
		cr_assert_eq(shard_commit(shard, 2, contents[i].pieces,
				 contents[i].len, &ids[i]),
		    0);
		cr_assert_eq(shard->ready_count, i + 1);
		cr_assert_eq(shard->ready[i]->id, ids[i]);
		cr_assert_eq(shard->ready[i]->rcpt_count, 2);
		cr_assert_str_eq(shard->envelope,
		    "s@example.org r@example.net r@example.net");
		cr_assert(shard_content_good(shard, shard->ready[i]));
	}
	for (unsigned life = 0; life < 2; life++) {
		if (life == 0) {
			shard_reopen(shard);
		} else {
			shard_crash(shard);
			shard_open(shard);
		}
		cr_assert_eq(shard->ready_count, COUNT(contents));
		for (size_t i = 0; i < COUNT(contents); i++) {
			struct message *m = spool_find(shard->spool, ids[i]);

			cr_assert_not_null(m);
			cr_assert_eq(m->content_len,
			    100 + contents[i].pieces * SPOOL_PIECE_MAX +
				contents[i].len);
			cr_assert(shard_content_good(shard, m));
		}
	}
	cr_assert_eq(spool_facts(shard->spool).alive_count, COUNT(contents));
	shard_end(shard);
}

Test(spool, gives_back_what_it_was_given_on_any_file_system)
{
	for (size_t i = 0; i < COUNT(places); i++)
		round_trip(&places[i]);
}

/* Twice round the image, over the ends of segments: what is new comes from
 * memory, what is old from disk. */
Test(spool, reads_what_the_image_has_and_what_it_has_no_more)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t ids[120];
	uint64_t total = 0;

	for (size_t i = 0; i < COUNT(ids); i++) {
		size_t len = 1000 + i * 3571 % 60000;

		cr_assert_eq(shard_commit(shard, 1, i % 5, len, &ids[i]), 0);
		cr_assert(shard_content_good(shard, shard->ready[i]));
		total += shard->ready[i]->content_len;
		/* The one before, and one of long ago. */
		cr_assert(shard_content_good(shard, shard->ready[i / 2]));
	}
	cr_assert_gt(total, 2 * (uint64_t)IMAGE_LEN);
	for (unsigned life = 0; life < 2; life++) {
		for (size_t i = 0; i < COUNT(ids); i++)
			cr_assert(shard_content_good(
			    shard, spool_find(shard->spool, ids[i])));
		shard_reopen(shard);
	}
	shard_end(shard);
}

Test(spool, reads_any_part)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;
	uint8_t bytes[3 * SPOOL_PIECE_MAX];
	static const uint64_t edges[] = {0, 1, 99, 100, 101, 4095, 65635, 65636,
	    65637, 131171, 131172, 131173, 136171, 136172};

	cr_assert_eq(shard_commit(shard, 1, 2, 5000, &id), 0);
	shard_reopen(shard);
	struct message *m = spool_find(shard->spool, id);

	cr_assert_eq(m->content_len, 136172);
	for (size_t i = 0; i < COUNT(edges); i++) {
		for (size_t k = i; k < COUNT(edges); k++) {
			size_t len = (size_t)(edges[k] - edges[i]);
			int n = shard_read(shard, m, edges[i], bytes, len);

			cr_assert_eq(n, (int)len, "%llu + %zu: %d",
			    (unsigned long long)edges[i], len, n);
			for (size_t b = 0; b < len; b++)
				cr_assert_eq(
				    bytes[b], shard_byte(edges[i] + b));
		}
	}
	cr_assert_eq(shard_read(shard, m, 136000, bytes, 5000), 172);
	shard_end(shard);
}

struct counted_read {
	struct spool_read read;
	int result;
	bool done;
	uint8_t bytes[SPOOL_PIECE_MAX];
};

static void on_counted_read(struct spool_read *r, int result)
{
	struct counted_read *c = container_of(r, struct counted_read, read);

	c->result = result;
	c->done = true;
}

Test(spool, a_message_may_be_finished_while_it_is_read)
{
	enum { READS = 40 }; /* more than there are buffers */
	static struct counted_read reads[READS];
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;

	cr_assert_eq(shard_commit(shard, 1, 2, 1000, &id), 0);
	shard_reopen(shard); /* nothing is in memory */
	struct message *m = spool_find(shard->spool, id);

	for (int i = 0; i < READS; i++) {
		reads[i].read.done = on_counted_read;
		if (i % 2 == 0)
			spool_read(shard->spool, m, 0, reads[i].bytes,
			    SPOOL_PIECE_MAX, &reads[i].read);
		else
			spool_read_envelope(
			    shard->spool, m, reads[i].bytes, &reads[i].read);
		if (i == READS / 2)
			loop_turn(shard->loop);
	}
	uint32_t envelope_len = m->envelope_len;

	spool_finish(shard->spool, m);
	cr_assert_null(spool_find(shard->spool, id));
	for (int i = 0; i < READS; i++) {
		while (!reads[i].done)
			loop_turn(shard->loop);
		if (reads[i].result >= 0)
			cr_assert_eq(reads[i].result,
			    i % 2 == 0 ? SPOOL_PIECE_MAX : (int)envelope_len);
		else
			cr_assert_eq(reads[i].result, -ENOENT);
	}
	cr_assert_eq(shard->spool->messages.count_used, 0);
	/* Its struct is somebody else's now, and good. */
	cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
	cr_assert(shard_content_good(shard, spool_find(shard->spool, id)));
	shard_end(shard);
}

Test(spool, many_reads_wait_for_few_buffers)
{
	struct shard *shard = shard_make("/dev/shm", false);
	static struct shard_read reads[60];
	static uint8_t bytes[60][3000];
	uint64_t id;
	size_t done = 0;

	cr_assert_eq(shard_commit(shard, 1, 1, 3000, &id), 0);
	shard_reopen(shard);
	struct message *m = spool_find(shard->spool, id);

	for (size_t i = 0; i < COUNT(reads); i++) {
		reads[i].read.done = shard_read_done;
		spool_read(shard->spool, m, i * 1000, bytes[i],
		    sizeof(bytes[i]), &reads[i].read);
	}
	for (int turns = 0; turns < 10000 && done < COUNT(reads); turns++) {
		loop_turn(shard->loop);
		done = 0;
		for (size_t i = 0; i < COUNT(reads); i++)
			done += reads[i].count;
	}
	for (size_t i = 0; i < COUNT(reads); i++) {
		cr_assert_eq(reads[i].count, 1);
		cr_assert_eq(reads[i].result, 3000);
		cr_assert_eq(bytes[i][0], shard_byte(i * 1000));
		cr_assert_eq(bytes[i][2999], shard_byte(i * 1000 + 2999));
	}
	shard_end(shard);
}

Test(spool, messages_of_one_turn_share_a_commit)
{
	struct shard *shard = shard_make("/dev/shm", false);
	static struct shard_wait waits[50];
	uint8_t envelope[256];
	uint64_t before = spool_facts(shard->spool).commit_count;

	for (size_t i = 0; i < COUNT(waits); i++) {
		struct draft d;

		waits[i].wait.done = shard_told;
		cr_assert_eq(spool_begin(shard->spool, &d), 0);
		spool_commit(shard->spool, &d,
		    shard_envelope(1, envelope, sizeof(envelope)),
		    SLICE("X: y\r\n"), SLICE("\r\nhello\r\n"), NULL, NULL,
		    &waits[i].wait);
		cr_assert_eq(waits[i].count, 0);
	}
	for (size_t i = 0; i < COUNT(waits); i++)
		cr_assert_eq(shard_wait(shard, &waits[i]), 0);
	for (size_t i = 1; i < COUNT(waits); i++)
		cr_assert_lt(shard->ready[i - 1]->id, shard->ready[i]->id);
	cr_assert_eq(spool_facts(shard->spool).commit_count, before + 1);
	shard_end(shard);
}

Test(spool, outcomes_survive)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t ids[3];
	static const uint32_t first[] = {0, 2, 99};
	static const uint32_t second[] = {2, 70};

	for (size_t i = 0; i < COUNT(ids); i++)
		cr_assert_eq(shard_commit(shard, 100, 0, 10, &ids[i]), 0);
	struct message *m = spool_find(shard->spool, ids[1]);
	struct note note = {.finished = first,
	    .finished_count = 3,
	    .attempt_count = 1,
	    .due_s = 1234};

	spool_note(shard->spool, m, &note);
	note = (struct note){.finished = second,
	    .finished_count = 2,
	    .attempt_count = 2,
	    .due_s = 5678};
	spool_note(shard->spool, m, &note);
	spool_finish(shard->spool, spool_find(shard->spool, ids[0]));
	for (unsigned life = 0; life < 3; life++) {
		m = spool_find(shard->spool, ids[1]);
		cr_assert_eq(message_rcpts_left(m), 96);
		cr_assert(message_rcpt_finished(m, 99));
		cr_assert(message_rcpt_finished(m, 70));
		cr_assert_not(message_rcpt_finished(m, 1));
		cr_assert_eq(m->attempt_count, 2);
		cr_assert_eq(m->due_s, 5678);
		cr_assert_null(spool_find(shard->spool, ids[0]));
		cr_assert_not_null(spool_find(shard->spool, ids[2]));
		shard_reopen(shard);
	}
	shard_end(shard);
}

Test(spool, a_note_is_durable_soon_without_a_commit_after_it)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;

	cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
	uint64_t before = spool_facts(shard->spool).commit_count;
	uint64_t from_ms = loop_now_ms(shard->loop);

	spool_finish(shard->spool, spool_find(shard->spool, id));
	while (spool_facts(shard->spool).commit_count == before)
		loop_turn(shard->loop);
	cr_assert_leq(loop_now_ms(shard->loop) - from_ms, 1000);
	shard_crash(shard);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 0);
	shard_end(shard);
}

Test(spool, a_report_settles_in_its_own_commit)
{
	struct shard *shard = shard_make("/dev/shm", false);
	struct shard_wait wait = {.wait.done = shard_told};
	static const uint32_t settled[] = {1};
	struct note note = {.finished = settled,
	    .finished_count = 1,
	    .attempt_count = 4,
	    .due_s = 99};
	uint8_t envelope[256];
	struct draft d;
	uint64_t id;

	cr_assert_eq(shard_commit(shard, 2, 0, 10, &id), 0);
	struct message *m = spool_find(shard->spool, id);

	cr_assert_eq(spool_begin(shard->spool, &d), 0);
	spool_commit(shard->spool, &d,
	    shard_envelope(1, envelope, sizeof(envelope)), SLICE(""),
	    SLICE("report\r\n"), m, &note, &wait.wait);
	cr_assert_not(message_rcpt_finished(m, 1));
	cr_assert_eq(shard_wait(shard, &wait), 0);
	cr_assert(message_rcpt_finished(m, 1));
	shard_crash(shard);
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 2);
	cr_assert(message_rcpt_finished(spool_find(shard->spool, id), 1));
	shard_end(shard);
}

Test(spool, ids_are_never_used_again)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t last = 0;

	for (unsigned life = 0; life < 4; life++) {
		uint64_t id;
		struct draft d;

		cr_assert_eq(spool_begin(shard->spool, &d), 0);
		cr_assert_gt(d.id, last);
		last = d.id;
		cr_assert_eq(d.id >> 56, 7);
		spool_abort(shard->spool, &d);
		cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
		cr_assert_gt(id, last);
		last = id;
		spool_finish(shard->spool, spool_find(shard->spool, id));
		cr_assert_eq(spool_begin(shard->spool, &d), 0);
		last = d.id; /* on no disk */
		spool_abort(shard->spool, &d);
		shard_reopen(shard);
	}
	shard_end(shard);
}

Test(spool, space_comes_back)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;

	/* Far more than the quota, never more than one alive. */
	for (unsigned i = 0; i < 60; i++) {
		cr_assert_eq(shard_commit(shard, 1, 40, 10, &id), 0);
		spool_finish(shard->spool, spool_find(shard->spool, id));
	}
	struct spool_facts facts = spool_facts(shard->spool);

	cr_assert_eq(facts.alive_count, 0);
	cr_assert_eq(facts.alive_len, 0);
	cr_assert_leq(facts.segment_count, 3);
	cr_assert_leq(facts.disk_len, facts.quota_len);
	cr_assert_gt(facts.written_len, 2 * facts.quota_len);
	shard_end(shard);
}

Test(spool, what_is_long_alive_is_moved_out_of_the_way)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t kept[4];
	uint64_t id;
	static const uint32_t finished[] = {5, 66};
	struct note note = {.finished = finished,
	    .finished_count = 2,
	    .attempt_count = 3,
	    .due_s = 42};

	for (size_t i = 0; i < COUNT(kept); i++)
		cr_assert_eq(
		    shard_commit(shard, 67, i == 3 ? 5 : 0, 900, &kept[i]), 0);
	spool_note(shard->spool, spool_find(shard->spool, kept[1]), &note);
	for (unsigned i = 0; i < 30; i++) {
		cr_assert_eq(shard_commit(shard, 1, 40, 10, &id), 0);
		spool_finish(shard->spool, spool_find(shard->spool, id));
	}
	cr_assert_gt(spool_facts(shard->spool).moved_len, 0);
	for (unsigned life = 0; life < 3; life++) {
		for (size_t i = 0; i < COUNT(kept); i++)
			cr_assert(shard_content_good(
			    shard, spool_find(shard->spool, kept[i])));
		struct message *m = spool_find(shard->spool, kept[1]);

		cr_assert(message_rcpt_finished(m, 66));
		cr_assert_eq(message_rcpts_left(m), 65);
		cr_assert_eq(m->attempt_count, 3);
		cr_assert_eq(m->due_s, 42);
		cr_assert_leq(spool_facts(shard->spool).segment_count, 12);
		shard_reopen(shard);
		cr_assert_eq(shard->ready_count, COUNT(kept));
	}
	shard_end(shard);
}

Test(spool, refuses_when_the_quota_is_full_and_takes_again)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;
	size_t count = 0;

	while (spool_accepts(shard->spool)) {
		cr_assert_eq(shard_commit(shard, 1, 10, 10, &id), 0);
		cr_assert_lt(++count, 200);
	}
	cr_assert_gt(count, 60);
	/* Reports and outcomes still find room, and reading goes on. */
	cr_assert_eq(shard_commit(shard, 1, 0, 1000, &id), 0);
	for (size_t i = 0; i < count; i++)
		cr_assert(shard_content_good(shard, shard->ready[i]));
	for (size_t i = 0; i < count; i++)
		spool_finish(shard->spool, shard->ready[i]);
	cr_assert(spool_accepts(shard->spool));
	cr_assert_eq(shard_commit(shard, 1, 0, 1000, &id), 0);
	cr_assert_leq(spool_facts(shard->spool).disk_len,
	    spool_facts(shard->spool).quota_len);
	shard_end(shard);
}

Test(spool, a_full_spool_opens_and_empties)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;
	size_t count = 0;

	while (spool_accepts(shard->spool)) {
		cr_assert_eq(shard_commit(shard, 1, 10, 10, &id), 0);
		count++;
	}
	/* Each opening takes a segment, beyond the quota if it must. */
	for (unsigned life = 0; life < 8; life++) {
		shard_reopen(shard);
		cr_assert_eq(shard->ready_count, count);
		spool_finish(shard->spool, shard->ready[count - 1]);
		count--;
	}
	for (size_t i = 0; i < count; i++)
		spool_finish(shard->spool, shard->ready[i]);
	shard_reopen(shard);
	cr_assert_eq(shard->ready_count, 0);
	cr_assert(spool_accepts(shard->spool));
	shard_end(shard);
}

Test(spool, a_draft_may_end_at_any_time)
{
	struct shard *shard = shard_make("/dev/shm", false);
	static uint8_t piece[SPOOL_PIECE_MAX];
	struct shard_wait waits[3] = {{.wait.done = shard_told},
	    {.wait.done = shard_told}, {.wait.done = shard_told}};
	struct draft drafts[3];

	for (size_t i = 0; i < COUNT(drafts); i++) {
		cr_assert_eq(spool_begin(shard->spool, &drafts[i]), 0);
		spool_append(shard->spool, &drafts[i],
		    slice_of(piece, sizeof(piece)), &waits[i].wait);
		cr_assert_eq(waits[i].count, 0);
	}
	spool_abort(shard->spool, &drafts[1]);
	for (size_t i = 0; i < COUNT(drafts); i++)
		cr_assert_eq(shard_wait(shard, &waits[i]), 0);
	spool_abort(shard->spool, &drafts[0]);
	spool_abort(shard->spool, &drafts[2]);
	shard_reopen(shard);
	cr_assert_eq(shard->ready_count, 0);
	shard_end(shard);
}

Test(spool, may_be_finished_as_soon_as_it_is_ready)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;

	for (unsigned i = 0; i < 20; i++)
		cr_assert_eq(shard_commit(shard, 1, i % 3, 10, &id), 0);
	spool_close(shard->spool);
	shard->finish_when_ready = true;
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 20);
	cr_assert_eq(spool_facts(shard->spool).alive_count, 0);
	cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
	shard->finish_when_ready = false;
	shard_reopen(shard);
	cr_assert_eq(shard->ready_count, 0);
	shard_end(shard);
}

Test(spool, belongs_to_one_process_and_one_shard)
{
	struct shard *shard = shard_make("/dev/shm", false);
	struct spool *other;
	uint64_t id;

	cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
	cr_assert_eq(
	    spool_open(&other, &shard->options, shard->loop, &shard->log),
	    -EWOULDBLOCK);
	cr_assert(spool_in_use(shard->options.dir));
	spool_close(shard->spool);
	cr_assert_not(spool_in_use(shard->options.dir));
	shard->options.shard = 8;
	cr_assert_eq(shard_try_open(shard), -EXDEV);
	shard->options.shard = 7;
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 1);
	shard_end(shard);
}

Test(spool, opens_what_was_made_with_other_limits)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;

	for (unsigned i = 0; i < 20; i++)
		cr_assert_eq(shard_commit(shard, 1, 10, 10, &id), 0);
	spool_close(shard->spool);
	shard->options.segment_len = 8u << 20;
	shard->options.quota_len = 16u << 20;
	shard->options.message_count_max = 10;
	shard_open(shard);
	cr_assert_eq(shard->ready_count, 20);
	cr_assert_not(spool_accepts(shard->spool));
	for (size_t i = 0; i < 20; i++) {
		cr_assert(shard_content_good(shard, shard->ready[i]));
		spool_finish(shard->spool, shard->ready[i]);
	}
	shard_reopen(shard);
	cr_assert_eq(shard->ready_count, 0);
	for (unsigned i = 0; i < 20; i++) {
		cr_assert_eq(shard_commit(shard, 1, 10, 10, &id), 0);
		spool_finish(shard->spool, spool_find(shard->spool, id));
	}
	shard_end(shard);
}

Test(spool, may_have_more_segments_than_descriptors)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;

	spool_close(shard->spool);
	shard->options.quota_len = 400u << 20;
	shard_open(shard);
	while (spool_facts(shard->spool).segment_count < SEGMENT_FD_MAX + 8)
		cr_assert_eq(shard_commit(shard, 1, 30, 10, &id), 0);
	for (unsigned life = 0; life < 2; life++) {
		cr_assert_leq(shard->spool->fd_count,
		    SEGMENT_FD_MAX + SPARES_WANTED + SEALS + BOUNCES);
		for (size_t i = 0; i < shard->ready_count; i += 7)
			cr_assert(shard_content_good(shard, shard->ready[i]));
		shard_reopen(shard);
	}
	shard_end(shard);
}

static void count_one(void *arg, struct message *m)
{
	size_t *count = arg;

	cr_assert_eq(m->rcpt_count, 1);
	(*count)++;
}

Test(spool, shows_every_message)
{
	struct shard *shard = shard_make("/dev/shm", false);
	uint64_t id;
	size_t count = 0;

	for (unsigned i = 0; i < 1500; i++) {
		cr_assert_eq(shard_commit(shard, 1, 0, 10, &id), 0);
		if (i % 3 == 0)
			spool_finish(
			    shard->spool, spool_find(shard->spool, id));
	}
	spool_each(shard->spool, count_one, &count);
	cr_assert_eq(count, 1000);
	cr_assert_null(spool_find(shard->spool, id + 1));
	shard_end(shard);
}
