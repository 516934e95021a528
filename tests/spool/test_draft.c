/* More mail at once than goes to the disk at once. */
#include "tests/spool/shard.h"

#define MESSAGES_MAX 2000

static void begin_commit(struct shard *shard, size_t len, struct shard_wait *w)
{
	static uint8_t body[SPOOL_PIECE_MAX];
	uint8_t room[256];
	struct slice envelope = shard_envelope(1, room, sizeof(room));
	struct draft d = {0};

	cr_assert_eq(spool_begin(shard->spool, &d), 0);
	w->wait.done = shard_told;
	spool_commit(shard->spool, &d, envelope, SLICE("Received: here\r\n"),
	    slice_of(body, len), NULL, NULL, &w->wait);
}

static size_t fill(struct shard *shard, size_t len, struct shard_wait *waits)
{
	size_t count = 0;

	while (count < MESSAGES_MAX && spool_has_room(shard->spool))
		begin_commit(shard, len, &waits[count++]);
	return count;
}

/* Who asks before each commit is never refused, and told when to ask again. */
Test(draft, there_is_room_for_whoever_asks_and_waits)
{
	static const size_t lens[] = {10, 5000, SPOOL_PIECE_MAX};
	struct shard_wait *waits = calloc(MESSAGES_MAX, sizeof(*waits));

	for (size_t i = 0; i < COUNT(lens); i++) {
		struct shard *shard = shard_make("/tmp", false);
		struct shard_wait room[2] = {
		    {.wait.done = shard_told}, {.wait.done = shard_told}};

		memset(waits, 0, MESSAGES_MAX * sizeof(*waits));
		size_t count = fill(shard, lens[i], waits);

		cr_assert_geq(count, 60);
		if (count < MESSAGES_MAX)
			cr_assert_not(spool_has_room(shard->spool));
		spool_await_room(shard->spool, &room[0].wait);
		spool_await_room(shard->spool, &room[1].wait);
		cr_assert_eq(room[0].count, 0);
		cr_assert_eq(shard_wait(shard, &room[0]), 0);
		cr_assert_eq(shard_wait(shard, &room[1]), 0);
		cr_assert(spool_has_room(shard->spool));
		for (size_t k = 0; k < count; k++)
			cr_assert_eq(shard_wait(shard, &waits[k]), 0);
		shard_end(shard);
	}
	free(waits);
}

/* Nobody is left behind by the end. */
Test(draft, a_wait_for_room_ends_with_the_spool)
{
	struct shard *shard = shard_make("/tmp", false);
	struct shard_wait *waits = calloc(MESSAGES_MAX, sizeof(*waits));
	struct shard_wait room = {.wait.done = shard_told};

	(void)fill(shard, SPOOL_PIECE_MAX, waits);
	cr_assert_not(spool_has_room(shard->spool));
	spool_await_room(shard->spool, &room.wait);
	shard_end(shard);
	cr_assert_eq(room.count, 1);
	free(waits);
}
