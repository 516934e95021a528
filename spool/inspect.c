/* inspect.c -- a stopped spool, read by a person.
 *
 * Opens the shard read-only, that is, runs recovery and nothing else, and
 * prints what it found.  `check` also reads every commit of every segment,
 * sealed or not, and every checksum in it. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/id.h"
#include "spool/envelope.h"
#include "spool/index.h"
#include "spool/recover.h"

enum status { STATUS_GOOD = 0, STATUS_DAMAGED = 1, STATUS_CANNOT_READ = 74 };

#define LOG_ROOM 65536

static int open_stopped(const char *dir, struct log *log, struct spool **s,
    void (*ready)(void *arg, struct message *m, struct slice envelope))
{
	struct spool_options options = {
	    .dir = dir,
	    .segment_len = 4u << 20,
	    .quota_len = 1u << 30,
	    .message_count_max = 1u << 24,
	    .read_only = true,
	    .ready = ready,
	};
	int err =
	    log_open(log, STDERR_FILENO, NULL, LOG_ROOM, LOG_ERROR, LOG_TEXT);

	if (err < 0)
		return err;
	err = spool_open(s, &options, NULL, log);
	if (err < 0) {
		fprintf(stderr, "smarthost: %s: %s\n", dir,
		    err == -EWOULDBLOCK ? "in use by a running smarthost"
					: strerror(-err));
		log_close(log);
	}
	return err;
}

static const char *state_name(const struct segment *g)
{
	if (g->damage_count > 0)
		return "damaged";
	return g->sealed ? "sealed" : "open";
}

/* A line for the segment; how much of it is damaged. */
static uint64_t print_segment(struct spool *s, struct segment *g)
{
	struct recover_facts facts;

	if (recover_verify(s, g, &facts) < 0)
		return 1;
	uint64_t damage_count = g->damage_count + facts.damage_count;

	printf("segment %08x.seg number=%u state=%s commits=%llu "
	       "records=%llu alive=%u damages=%llu\n",
	    g->slot, g->number, state_name(g),
	    (unsigned long long)facts.commit_count,
	    (unsigned long long)facts.record_count, g->alive_count,
	    (unsigned long long)damage_count);
	return damage_count;
}

int spool_check_print(const char *dir)
{
	struct log log;
	struct spool *s;
	uint64_t damage_count = 0;
	uint32_t spare_count = 0;

	if (open_stopped(dir, &log, &s, NULL) < 0)
		return STATUS_CANNOT_READ;
	LIST_EACH (node, &s->chain)
		damage_count +=
		    print_segment(s, container_of(node, struct segment, link));
	for (uint32_t i = 0; i < s->segment_slots; i++)
		spare_count += s->segments[i].state == SEGMENT_SPARE;
	printf("%s: %s: %llu messages alive, %llu bytes, %u segments, "
	       "%u spares, %llu damages\n",
	    dir, damage_count == 0 ? "good" : "DAMAGED",
	    (unsigned long long)s->alive_count,
	    (unsigned long long)s->alive_len, s->chain_count, spare_count,
	    (unsigned long long)damage_count);
	spool_close(s);
	log_close(&log);
	return damage_count == 0 ? STATUS_GOOD : STATUS_DAMAGED;
}

static void print_message(void *arg, struct message *m, struct slice envelope)
{
	struct id_text id = id_format(m->id);
	struct envelope e;
	struct envelope_rcpt r;
	struct slice rest;

	(void)arg;
	printf("%s received=%u attempts=%u due=%u size=%llu", id.at,
	    m->received_s, m->attempt_count, m->due_s,
	    (unsigned long long)m->content_len);
	if (!envelope_get(envelope, &e, &rest)) {
		printf(" envelope=damaged\n");
		return;
	}
	printf(" from=<%.*s>", (int)e.sender.len, (const char *)e.sender.at);
	for (uint32_t i = 0; i < m->rcpt_count; i++) {
		if (!envelope_get_rcpt(&rest, &r))
			break;
		printf(" to=<%.*s>%s", (int)r.address.len,
		    (const char *)r.address.at,
		    message_rcpt_finished(m, i) ? "(finished)" : "");
	}
	printf("\n");
}

int spool_dump_print(const char *dir)
{
	struct log log;
	struct spool *s;

	if (open_stopped(dir, &log, &s, print_message) < 0)
		return STATUS_CANNOT_READ;
	int status = s->damage_count == 0 ? STATUS_GOOD : STATUS_DAMAGED;

	spool_close(s);
	log_close(&log);
	return status;
}
