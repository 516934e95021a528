/* A good segment file with some of its bytes changed: recovery must survive,
 * and what it finds must be readable or known to be bad.
 *
 * The input is a list of changes: offset (4 bytes, in the file of 4 MiB), what
 * to do (1 byte), value (1 byte). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/loop.h"
#include "spool/crc.h"
#include "spool/envelope.h"
#include "spool/record.h"
#include "spool/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define FILE_LEN (4u << 20)
#define SEED 99u
#define MESSAGES 12u

static uint8_t *put_message(uint8_t *at, uint64_t id)
{
	struct record *r = (struct record *)(void *)at;
	struct buf out = buf_over(at + sizeof(*r), 200);
	struct envelope e = {.sender = SLICE("a@b"), .rcpt_count = 1};
	struct envelope_rcpt rcpt = {.address = SLICE("c@d")};

	check(envelope_put(&out, &e));
	check(envelope_put_rcpt(&out, &rcpt));
	*r = (struct record){
	    .type = id % 3 == 0 ? RECORD_MOVE : RECORD_MSG,
	    .id = id,
	    .content_len = 500,
	    .rcpt_count = 1,
	    .envelope_len = (uint32_t)out.len,
	    .head_len = 20,
	};
	struct record_parts parts = record_parts(r);

	r->len = record_len(r);
	r->envelope_crc = crc32c(0, at + sizeof(*r), out.len + parts.bits);
	r->content_crc = crc32c(0, at + sizeof(*r) + out.len + parts.bits, 500);
	record_seal(r, SEED);
	return at + r->len;
}

static uint8_t *put_outcome(uint8_t *at, enum record_type type, uint64_t id)
{
	struct record *r = (struct record *)(void *)at;

	*r = (struct record){.type = (uint8_t)type,
	    .id = id,
	    .len = sizeof(*r),
	    .attempt_count = 3};
	record_seal(r, SEED);
	return at + r->len;
}

static void make_segment(uint8_t *file)
{
	struct segment_block b = {.number = 1,
	    .seed = SEED,
	    .first_lsn = 1,
	    .next_sequence = 100,
	    .segment_len = FILE_LEN};

	segment_block_seal(&b);
	memcpy(file, &b, sizeof(b));
	for (uint32_t i = 0; i < MESSAGES; i++) {
		uint32_t offset = BLOCK_LEN * (1 + i);
		uint8_t *at = file + offset + sizeof(struct commit_head);
		struct commit_head h = {.number = 1,
		    .offset = offset,
		    .lsn = i + 1,
		    .stable_lsn = i > 2 ? i - 2 : 0,
		    .next_sequence = 100 + i,
		    .record_count = 2,
		    .seed = SEED};

		at = put_message(at, 1 + i);
		at = put_outcome(
		    at, i % 4 == 3 ? RECORD_DONE : RECORD_NOTE, i / 2);
		h.len = (uint32_t)(at - (file + offset));
		commit_head_seal(&h);
		memcpy(file + offset, &h, sizeof(h));
	}
}

static void change(uint8_t *file, const uint8_t *step)
{
	uint32_t offset =
	    (step[0] | (uint32_t)step[1] << 8 | (uint32_t)step[2] << 16) %
	    (BLOCK_LEN * (MESSAGES + 2));
	uint32_t head = offset / 8 * 8;

	file[offset] = step[5];
	if (step[4] % 3 == 1)
		record_seal((struct record *)(void *)(file + head), SEED);
	if (step[4] % 3 == 2)
		commit_head_seal(
		    (struct commit_head *)(void *)(file + offset / BLOCK_LEN *
							      BLOCK_LEN));
}

struct found {
	struct message *at[MESSAGES + 8];
	size_t count;
};

static void on_ready(void *arg, struct message *m, struct slice envelope)
{
	struct found *found = arg;

	check(envelope.len == m->envelope_len);
	if (found->count < COUNT(found->at))
		found->at[found->count++] = m;
}

struct reading {
	struct spool_read read;
	bool done;
};

static void on_read(struct spool_read *r, int result)
{
	(void)result;
	container_of(r, struct reading, read)->done = true;
}

static void recover_it(const char *dir, struct loop *loop)
{
	static uint8_t bytes[200000];
	struct found found = {.count = 0};
	struct log log;
	struct spool *s;
	struct spool_options options = {.dir = dir,
	    .segment_len = FILE_LEN,
	    .quota_len = 64u << 20,
	    .message_count_max = 1000,
	    .plain = true,
	    .ready = on_ready,
	    .arg = &found};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	check(log_open(&log, fd, NULL, 65536, LOG_ERROR, LOG_TEXT) == 0);
	if (spool_open(&s, &options, loop, &log) == 0) {
		for (size_t i = 0; i < found.count; i++) {
			struct reading r = {.read.done = on_read};

			spool_read(
			    s, found.at[i], 0, bytes, sizeof(bytes), &r.read);
			while (!r.done)
				loop_turn(loop);
			spool_finish(s, found.at[i]);
		}
		spool_close(s);
	}
	log_close(&log);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char dir[] = "/dev/shm/fuzz-XXXXXX";
	char path[64];
	struct loop *loop;
	struct loop_options options = {.without_recv = true, .entries = 16};
	const char *why;

	check(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/00000000.seg", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	check(fd >= 0 && ftruncate(fd, FILE_LEN) == 0);
	uint8_t *file =
	    mmap(NULL, FILE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	check(file != MAP_FAILED);
	make_segment(file);
	for (size_t i = 0; i + 6 <= len; i += 6)
		change(file, bytes + i);
	munmap(file, FILE_LEN);
	close(fd);
	check(loop_open(&loop, &options, &why) == 0);
	recover_it(dir, loop);
	loop_close_down(loop);
	snprintf(path, sizeof(path), "rm -rf %s", dir);
	return system(path);
}
