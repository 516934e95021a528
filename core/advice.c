/* advice.c -- what of this machine's limits stands in the relay's way.
 *
 * The relay has raised its own limits as far as it may before it is asked.
 * Nothing here keeps it from running: with too few descriptors it has fewer
 * sessions, with a short queue of connections a storm of clients loses some. */
#include "core/advice.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "core/listen.h"

#define DESCRIPTORS_FEW 4096	 /* fewer make a small relay */
#define DESCRIPTORS_OTHERS 256	 /* spool, log, DNS */
#define RING_MEMORY (1ull << 20) /* more than one ring counts */

/* By the numbers of statfs(2). */
static const struct {
	long type;
	const char *what, *instead;
} file_systems[] = {
    {0x01021994, "the spool is on tmpfs: a restart loses all mail in it",
	"put config.spool on a disk"},
    {0x858458f6, "the spool is on ramfs: a restart loses all mail in it",
	"put config.spool on a disk"},
    {0x794c7630, "the spool is on an overlay: its mail goes with the container",
	"mount a volume on the directory of config.spool"},
    {0x6969, "the spool is on NFS, which is slow, and whose locks may be lost",
	"put config.spool on a local disk"},
    {0xff534d42, "the spool is on CIFS, which is slow and may lose writes",
	"put config.spool on a local disk"},
    {0xfe534d42, "the spool is on SMB, which is slow and may lose writes",
	"put config.spool on a local disk"},
    {0x65735546,
	"the spool is on FUSE: whether it keeps what it was told to "
	"is another program's doing",
	"put config.spool on a local disk"},
    {0x01021997,
	"the spool is on 9p: whether it keeps what it was told to is "
	"another machine's doing",
	"put config.spool on a local disk"},
    {0x00c36400, "the spool is on CephFS: each commit waits for the network",
	"put config.spool on a local disk or a block volume"},
};

static unsigned judge_descriptors(const struct advice_facts *facts,
    const struct advice_wishes *wishes, advice_say *say, void *arg)
{
	uint64_t wanted = wishes->sessions > 0
			      ? wishes->sessions * 4 / 3 + DESCRIPTORS_OTHERS
			      : DESCRIPTORS_FEW;
	char what[160], instead[160];

	if (facts->descriptors >= wanted)
		return 0;
	snprintf(what, sizeof(what),
	    "a worker may open %llu files, which is not enough for %s",
	    (unsigned long long)facts->descriptors,
	    wishes->sessions > 0 ? "config.connection_limit" : "many sessions");
	snprintf(instead, sizeof(instead),
	    "LimitNOFILE=%llu in the unit, docker run --ulimit nofile=%llu, "
	    "or ulimit -n",
	    (unsigned long long)(wanted > 65536 ? wanted : 65536),
	    (unsigned long long)(wanted > 65536 ? wanted : 65536));
	say(arg, what, instead);
	return 1;
}

static unsigned judge_locked(const struct advice_facts *facts,
    const struct advice_wishes *wishes, advice_say *say, void *arg)
{
	uint64_t wanted = RING_MEMORY * wishes->workers;
	char what[160], instead[160];

	if (!wishes->rings || facts->locked >= wanted)
		return 0;
	snprintf(what, sizeof(what),
	    "RLIMIT_MEMLOCK is %llu KiB, and the rings of %u workers may "
	    "need %llu",
	    (unsigned long long)facts->locked / 1024, wishes->workers,
	    (unsigned long long)wanted / 1024);
	snprintf(instead, sizeof(instead),
	    "LimitMEMLOCK=infinity in the unit, or docker run --ulimit "
	    "memlock=-1");
	say(arg, what, instead);
	return 1;
}

static unsigned judge_backlog(
    const struct advice_facts *facts, advice_say *say, void *arg)
{
	char what[160], instead[160];

	if (facts->somaxconn == 0 || facts->somaxconn >= LISTEN_BACKLOG)
		return 0;
	snprintf(what, sizeof(what),
	    "net.core.somaxconn is %llu: more clients than that may not wait",
	    (unsigned long long)facts->somaxconn);
	snprintf(instead, sizeof(instead), "sysctl -w net.core.somaxconn=%d",
	    LISTEN_BACKLOG);
	say(arg, what, instead);
	return 1;
}

unsigned advice_judge(const struct advice_facts *facts,
    const struct advice_wishes *wishes, advice_say *say, void *arg)
{
	unsigned count = judge_descriptors(facts, wishes, say, arg);

	count += judge_locked(facts, wishes, say, arg);
	count += judge_backlog(facts, say, arg);
	for (size_t i = 0; i < COUNT(file_systems); i++)
		if (facts->file_system == file_systems[i].type) {
			say(arg, file_systems[i].what, file_systems[i].instead);
			count++;
		}
	return count;
}

static uint64_t limit_of(int resource)
{
	struct rlimit limit;

	if (getrlimit((unsigned)resource, &limit) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

static uint64_t read_somaxconn(void)
{
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
	char line[32] = "";
	uint64_t number = 0;

	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return slice_number(slice_of_str(line), &number) ? number : 0;
}

unsigned advice_give(const struct config *c, unsigned worker_count,
    const char *spool, advice_say *say, void *arg)
{
	struct statfs fs;
	const struct advice_facts facts = {
	    .descriptors = limit_of(RLIMIT_NOFILE),
	    .locked = limit_of(RLIMIT_MEMLOCK),
	    .somaxconn = read_somaxconn(),
	    .file_system =
		statfs(spool, &fs) == 0 ? (long)(uint32_t)fs.f_type : 0,
	};
	const struct advice_wishes wishes = {
	    .sessions = c->connection_limit,
	    .workers = worker_count,
	    .rings = c->loop != LOOP_EPOLL,
	};

	return advice_judge(&facts, &wishes, say, arg);
}

static void say_in_log(void *arg, const char *what, const char *instead)
{
	struct log *log = arg;

	log_begin(log, LOG_WARN, "advice");
	log_str(log, "what", what);
	log_str(log, "do", instead);
	log_end(log);
}

void advice_log(const struct config *c, unsigned worker_count,
    const char *spool, struct log *log)
{
	(void)advice_give(c, worker_count, spool, say_in_log, log);
}
