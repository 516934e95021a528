/* doctor_machine.c -- whether this machine is fit for the relay: certificates,
 * clock, limits, spool, ports. */
#include "core/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "core/advice.h"
#include "core/config/value.h"
#include "core/cpus.h"
#include "core/spool_place.h"
#include "spool/spool.h"
#include "tls/certificate.h"
#include "tls/pem.h"

#define EXPIRES_SOON_S (14 * 86400)
#define FREE_MIN (256ull << 20)
#define BLOCK 4096
#define WRITES 16
#define SLOW_US 20000

static void judge_expiry(
    struct doctor *d, const char *source, const struct certificate *c)
{
	uint64_t now_s = (uint64_t)time(NULL);
	long long days = ((long long)c->not_after_s - (long long)now_s) / 86400;

	if (c->not_after_s <= now_s)
		doctor_say(d, DOCTOR_FAIL, "certificate",
		    "%s has expired; renew it, the relay then reads it by "
		    "itself",
		    source);
	else if (c->not_before_s > now_s)
		doctor_say(d, DOCTOR_FAIL, "certificate",
		    "%s is not valid yet; is the clock right?", source);
	else
		doctor_say(d,
		    c->not_after_s - now_s < EXPIRES_SOON_S ? DOCTOR_WARN
							    : DOCTOR_OK,
		    "certificate", "%s expires in %lld days", source, days);
}

static void judge_certificate(
    struct doctor *d, const struct config_certificate *pair)
{
	uint8_t room[PEM_CERTIFICATE_MAX];
	struct buf der = buf_over(room, sizeof(room));
	struct slice text = pair->crt.text;
	struct certificate c;
	const char *hostname = d->config->hostname;

	if (pem_certificate(&text, &der) != PEM_FOUND ||
	    !certificate_read(&c, buf_slice(&der))) {
		doctor_say(d, DOCTOR_FAIL, "certificate", "%s cannot be read",
		    pair->crt.source);
		return;
	}
	if (certificate_is_for(&c, slice_of_str(hostname)))
		doctor_say(d, DOCTOR_OK, "certificate", "%s is for %s",
		    pair->crt.source, hostname);
	else
		doctor_say(d,
		    d->config->tls.certificate_count > 1 ? DOCTOR_OK
							 : DOCTOR_WARN,
		    "certificate",
		    "%s is not for %s: clients that look will not believe it",
		    pair->crt.source, hostname);
	judge_expiry(d, pair->crt.source, &c);
}

void doctor_certificates(struct doctor *d)
{
	const struct config *c = d->config;
	bool tls =
	    c->tls.level != TLS_LEVEL_NONE || c->listen_submissions.count > 0;

	if (!tls)
		doctor_say(d, c->auth ? DOCTOR_WARN : DOCTOR_OK, "certificate",
		    "clients get no TLS%s",
		    c->auth ? ", and send their passwords in clear; set "
			      "config.tls.level"
			    : " (config.tls.level)");
	else if (c->tls.certificate_count == 0)
		doctor_say(d, DOCTOR_WARN, "certificate",
		    "none is configured: a self-signed one is made at each "
		    "start, which no client can verify");
	for (size_t i = 0; tls && i < c->tls.certificate_count; i++)
		judge_certificate(d, &c->tls.certificates[i]);
}

void doctor_clock(struct doctor *d)
{
	struct timex t = {.modes = 0};
	int state = adjtimex(&t);

	if (state < 0)
		doctor_say(d, DOCTOR_WARN, "clock",
		    "the kernel does not say whether it is right: %s",
		    strerror(errno));
	else if (state == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		doctor_say(d, DOCTOR_WARN, "clock",
		    "nobody keeps it right; run chrony or systemd-timesyncd "
		    "(signatures and certificates have dates)");
	else
		doctor_say(d, DOCTOR_OK, "clock", "it is synchronised");
}

static void say_advice(void *arg, const char *what, const char *instead)
{
	doctor_say(arg, DOCTOR_WARN, "limits", "%s; %s", what, instead);
}

void doctor_limits(struct doctor *d)
{
	const struct config *c = d->config;
	unsigned workers = c->workers > 0 ? c->workers : cpus_usable();

	if (advice_give(c, workers, spool_place(c->spool), say_advice, d) == 0)
		doctor_say(d, DOCTOR_OK, "limits",
		    "files, locked memory and net.core.somaxconn suffice");
}

void doctor_loop(struct doctor *d)
{
	struct loop_options options = {
	    .backend = LOOP_BACKEND_IO_URING, .without_recv = true};
	struct loop *loop;
	const char *why = "";

	if (d->config->loop == LOOP_EPOLL) {
		doctor_say(d, DOCTOR_OK, "io_uring",
		    "not used (config.loop is epoll)");
	} else if (loop_open(&loop, &options, &why) == 0) {
		doctor_say(d, DOCTOR_OK, "io_uring", "allowed");
		loop_close_down(loop);
	} else {
		doctor_say(d,
		    d->config->loop == LOOP_AUTO ? DOCTOR_WARN : DOCTOR_FAIL,
		    "io_uring", "%s", why);
	}
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* As the relay writes: whole blocks, each durable before the next.  The mean,
 * or -errno. */
static int64_t measure(const char *dir, bool direct)
{
	int flags = O_TMPFILE | O_RDWR | O_DSYNC | O_CLOEXEC;
	int fd = open(dir, direct ? flags | O_DIRECT : flags, 0600);
	void *block;
	uint64_t began = now_us();
	int64_t err = fd < 0 ? -errno : 0;

	if (fd < 0)
		return err;
	block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		err = -ENOMEM;
	for (unsigned i = 0; i < WRITES && err == 0; i++)
		if (pwrite(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK)
			err = errno != 0 ? -errno : -EIO;
	if (block != MAP_FAILED)
		munmap(block, BLOCK);
	close(fd);
	return err < 0 ? err : (int64_t)((now_us() - began) / WRITES);
}

static void judge_disk(struct doctor *d, const char *dir)
{
	int64_t us = measure(dir, true);
	bool direct = us >= 0;

	if (us == -EINVAL || us == -EOPNOTSUPP)
		us = measure(dir, false);
	if (us < 0)
		doctor_say(d, DOCTOR_WARN, "spool",
		    "%s cannot be written by this user (%s): its speed is not "
		    "known; ask as root or as the relay's user",
		    dir, strerror((int)-us));
	else
		doctor_say(d, us > SLOW_US ? DOCTOR_WARN : DOCTOR_OK, "spool",
		    "a durable write takes %lld us%s%s", (long long)us,
		    direct ? "" : ", and there is no O_DIRECT",
		    us > SLOW_US ? "; a faster disk would help" : "");
}

void doctor_spool(struct doctor *d)
{
	const char *dir = spool_place(d->config->spool);
	struct statvfs fs;
	uint64_t bytes;

	if (statvfs(dir, &fs) < 0) {
		doctor_say(d, errno == ENOENT ? DOCTOR_OK : DOCTOR_FAIL,
		    "spool", "%s: %s", dir,
		    errno == ENOENT ? "it is made at the first start"
				    : strerror(errno));
		return;
	}
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	doctor_say(d,
	    (fs.f_flag & ST_RDONLY) != 0 ? DOCTOR_FAIL
	    : bytes < FREE_MIN		 ? DOCTOR_WARN
					 : DOCTOR_OK,
	    "spool", "%s: %llu MiB are free%s", dir,
	    (unsigned long long)(bytes >> 20),
	    (fs.f_flag & ST_RDONLY) != 0 ? ", but it may not be written to"
	    : bytes < FREE_MIN ? "; with less than a few hundred, mail is "
				 "refused"
			       : "");
	judge_disk(d, dir);
}

/* 0, or why it cannot be listened on. */
static int try_port(const struct endpoint *e)
{
	static const uint8_t v4_prefix[12] = {[10] = 0xff, 0xff};
	bool v4 =
	    e->every || memcmp(e->address, v4_prefix, sizeof(v4_prefix)) == 0;
	union socket_address at = {.any.sa_family = v4 ? AF_INET : AF_INET6};
	int one = 1, err;
	int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	at.v4.sin_port = htons(e->port); /* at the same place in both */
	if (v4 && !e->every)
		memcpy(&at.v4.sin_addr, e->address + 12, 4);
	else if (!v4)
		memcpy(&at.v6.sin6_addr, e->address, 16);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = bind(fd, &at.any, v4 ? sizeof(at.v4) : sizeof(at.v6)) < 0 ? errno
									: 0;
	if (err == 0 && listen(fd, 1) < 0)
		err = errno;
	close(fd);
	return err;
}

static void judge_port(struct doctor *d, const char *entry, bool relay_runs)
{
	struct endpoint e;
	const char *why;
	int err;

	if (!endpoint_parse(slice_of_str(entry), &e, &why))
		return;
	err = try_port(&e);
	if (err == 0)
		doctor_say(d, relay_runs ? DOCTOR_WARN : DOCTOR_OK, "port",
		    "%s %s", entry,
		    relay_runs ? "is free, though the relay runs: it has "
				 "another configuration"
			       : "is free");
	else if (err == EADDRINUSE && relay_runs)
		doctor_say(d, DOCTOR_OK, "port",
		    "%s is taken, and the relay runs", entry);
	else if (err == EADDRINUSE)
		doctor_say(d, DOCTOR_FAIL, "port",
		    "another program listens on %s; end it, or change "
		    "config.listen",
		    entry);
	else if (err == EACCES)
		doctor_say(d, DOCTOR_WARN, "port",
		    "%s may not be listened on by this user; the relay needs "
		    "CAP_NET_BIND_SERVICE",
		    entry);
	else
		doctor_say(
		    d, DOCTOR_FAIL, "port", "%s: %s", entry, strerror(err));
}

void doctor_ports(struct doctor *d)
{
	const struct config *c = d->config;
	const struct string_list *lists[] = {&c->listen_submission,
	    &c->listen_proxy, &c->listen_submissions, &c->admin_listen};
	char shard[4200];
	bool runs;

	snprintf(shard, sizeof(shard), "%s/0", spool_place(c->spool));
	runs = spool_in_use(shard);
	for (size_t i = 0; i < COUNT(lists); i++)
		for (size_t n = 0; n < lists[i]->count; n++)
			judge_port(d, lists[i]->at[n], runs);
}
