/* Questions to a real name server: NSD on 127.0.0.1, started by each test.
 *
 * The zone lab. is written here; root.zone, signed.zone and bad.zone, signed
 * for many years, lie in tests/outbound/dns. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/check.h"
#include "core/outbound/dns.h"

#define FIXTURES "tests/outbound/dns/"
#define MANY 2000

struct lab {
	char dir[64];
	char server[32]; /* 127.0.0.1@port */
	uint16_t port;
	pid_t nsd;
	struct loop *loop;
	struct log log;
	int log_fd;
	char log_text[4096];
	struct dns *dns;
};

static struct lab lab;

static void write_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", lab.dir, name);
	FILE *file = fopen(path, "w");

	cr_assert(file != NULL);
	fputs(text, file);
	fclose(file);
}

static int udp_socket(uint16_t *port)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&to, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&to, &len), 0);
	*port = ntohs(to.sin_port);
	return fd;
}

/* Until NSD answers for lab.; false when it ended (another program took the
 * port). */
static bool await_nsd(void)
{
	static const uint8_t question[] = "\0\7\0\0\0\1\0\0\0\0\0\0"
					  "\3lab\0\0\6\0\1";
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(lab.port)};
	uint8_t reply[512];

	for (unsigned i = 0; i < 200; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		/* Bound, not connected: nobody's refusal ends the wait. */
		sendto(fd, question, sizeof(question) - 1, 0,
		    (struct sockaddr *)&to, sizeof(to));
		poll(&ready, 1, 50);
		ssize_t len = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);

		close(fd);
		if (waitpid(lab.nsd, NULL, WNOHANG) != 0)
			return false;
		if (len > 12 && (reply[3] & 15) == 0)
			return true;
	}
	cr_assert_fail("nsd does not answer");
	return false;
}

static void zone_conf(struct buf *conf, const char *name, const char *file)
{
	char cwd[512];

	cr_assert(getcwd(cwd, sizeof(cwd)) != NULL);
	buf_printf(conf, "zone:\n name: %s\n zonefile: ", name);
	if (file[0] != '/')
		buf_printf(conf, "%s/%s", cwd, FIXTURES);
	buf_printf(conf, "%s\n", file);
}

static void lab_zone(void)
{
	FILE *file;
	char path[128];

	snprintf(path, sizeof(path), "%s/lab.zone", lab.dir);
	file = fopen(path, "w");
	cr_assert(file != NULL);
	fputs("$ORIGIN lab.\n$TTL 300\n"
	      "@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
	      "two 60 MX 20 Second\ntwo 60 MX 10 first\nnull MX 0 .\n"
	      "first A 127.0.0.2\nfirst A 127.0.0.3\nfirst AAAA ::1\n"
	      "alias CNAME alias2\nalias2 30 CNAME first\n"
	      "dangling CNAME nothing\n"
	      "text TXT \"v=1\" \";x\"\n"
	      "_25._tcp.first TLSA 3 1 1 "
	      "000102030405060708090a0b0c0d0e0f"
	      "101112131415161718191a1b1c1d1e1f\n",
	    file);
	for (unsigned i = 0; i < 200; i++)
		fprintf(file, "big A 10.0.0.%u\n", i);
	for (unsigned i = 0; i < MANY; i++)
		fprintf(file, "d%u MX 10 first\n", i);
	fclose(file);
}

static bool nsd_try(bool with_root)
{
	char room[4096], path[128];
	struct buf conf = buf_over(room, sizeof(room) - 1);

	close(udp_socket(&lab.port));
	snprintf(lab.server, sizeof(lab.server), "127.0.0.1@%u", lab.port);
	buf_printf(&conf,
	    "server:\n ip-address: 127.0.0.1@%u\n username: \"\"\n"
	    " server-count: 1\n rrl-ratelimit: 0\n"
	    " pidfile: \"%s/pid\"\n zonelistfile: \"%s/list\"\n"
	    " xfrdfile: \"%s/xfrd\"\n"
	    "remote-control:\n control-enable: no\n",
	    lab.port, lab.dir, lab.dir, lab.dir);
	lab_zone();
	snprintf(path, sizeof(path), "%s/lab.zone", lab.dir);
	zone_conf(&conf, "lab.", path);
	zone_conf(&conf, "signed.", "signed.zone");
	zone_conf(&conf, "bad.", "bad.zone");
	if (with_root)
		zone_conf(&conf, ".", "root.zone");
	room[conf.len] = '\0';
	cr_assert_not(conf.overflowed);
	write_file("nsd.conf", room);
	snprintf(path, sizeof(path), "%s/nsd.conf", lab.dir);
	lab.nsd = fork();
	if (lab.nsd == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(null, 1);
		dup2(null, 2);
		execl("/usr/sbin/nsd", "nsd", "-d", "-c", path, NULL);
		_exit(127);
	}
	return await_nsd();
}

static void nsd_start(bool with_root)
{
	for (unsigned i = 0; i < 10; i++)
		if (nsd_try(with_root))
			return;
	cr_assert_fail("nsd does not start");
}

static void begin(void)
{
	const struct loop_options options = {.without_recv = true};
	char log_path[128];
	const char *why;

	signal(SIGPIPE, SIG_IGN);
	snprintf(lab.dir, sizeof(lab.dir), "/tmp/test-dns.XXXXXX");
	cr_assert(mkdtemp(lab.dir) != NULL);
	cr_assert_eq(loop_open(&lab.loop, &options, &why), 0, "%s", why);
	snprintf(log_path, sizeof(log_path), "%s/log", lab.dir);
	lab.log_fd = open(log_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(
	    log_open(&lab.log, lab.log_fd, NULL, 4096, LOG_DEBUG, LOG_TEXT), 0);
}

static void end(void)
{
	char command[128];

	if (lab.dns != NULL)
		dns_close(lab.dns);
	loop_close_down(lab.loop);
	log_close(&lab.log);
	if (lab.nsd > 0) {
		kill(lab.nsd, SIGTERM);
		waitpid(lab.nsd, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", lab.dir);
	cr_assert_eq(system(command), 0);
}

static const char *log_text(void)
{
	ssize_t len =
	    pread(lab.log_fd, lab.log_text, sizeof(lab.log_text) - 1, 0);

	lab.log_text[len < 0 ? 0 : len] = '\0';
	return lab.log_text;
}

/* A resolver that asks lab.server. */
static void open_dns(struct dns_options options)
{
	const char *const servers[] = {lab.server};

	options.servers = servers;
	options.server_count = 1;
	cr_assert_eq(dns_open(&lab.dns, &options, lab.loop, &lab.log), 0);
}

static unsigned done_count;

static void on_done(struct dns_query *q)
{
	cr_assert_not(q->busy);
	done_count++;
}

static void ask(struct dns_query *q, struct slice name, uint16_t type)
{
	unsigned before = done_count;

	q->done = on_done;
	dns_ask(lab.dns, name, type, q);
	cr_assert_eq(done_count, before, "done() ran inside dns_ask");
	cr_assert(q->busy);
}

static void turn_until(unsigned count)
{
	while (done_count < count)
		loop_turn(lab.loop);
	cr_assert_eq(done_count, count);
}

/* "found 60 10 first.lab,20 second.lab," */
static void show(const struct dns_query *q, char *room, size_t room_len)
{
	static const char *const words[] = {
	    [DNS_FOUND] = "found",
	    [DNS_NO_DATA] = "no data",
	    [DNS_NO_NAME] = "no name",
	    [DNS_FAILED] = "failed",
	};
	struct buf out = buf_over(room, room_len - 1);

	buf_printf(&out, "%s%s", q->secure ? "secure " : "", words[q->status]);
	if (q->status == DNS_FAILED)
		cr_assert_gt(strlen(q->why), 0);
	for (unsigned i = 0; i < q->answer.count; i++) {
		struct slice data = q->answer.records[i].data;

		buf_put_byte(&out, ' ');
		if (q->type == DNS_TYPE_MX)
			buf_printf(
			    &out, "%u/", q->answer.records[i].preference);
		if (q->type == DNS_TYPE_A || q->type == DNS_TYPE_AAAA ||
		    q->type == DNS_TYPE_TLSA)
			for (size_t k = 0; k < data.len; k++)
				buf_printf(&out, "%02x", data.at[k]);
		else
			buf_put(&out, data);
	}
	room[out.len] = '\0';
}

/* The records of an answer come in any order. */
static bool same_words(const char *a, const char *b)
{
	char room[512];

	if (strlen(a) != strlen(b))
		return false;
	snprintf(room, sizeof(room), "%s", a);
	for (char *rest, *word = strtok_r(room, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		if (strstr(b, word) == NULL)
			return false;
	return true;
}

struct question {
	struct slice name;
	uint16_t type;
	const char *want;
};

static void run(const struct question *questions, size_t count)
{
	static struct dns_query queries[64];
	char got[512];

	cr_assert_leq(count, COUNT(queries));
	/* The second time the answers lie in the cache. */
	for (unsigned pass = 0; pass < 2; pass++) {
		done_count = 0;
		for (size_t i = 0; i < count; i++)
			ask(&queries[i], questions[i].name, questions[i].type);
		turn_until(count);
		for (size_t i = 0; i < count; i++) {
			show(&queries[i], got, sizeof(got));
			cr_expect(same_words(got, questions[i].want),
			    "%.*s, pass %u: %s, not %s; %s",
			    (int)questions[i].name.len, questions[i].name.at,
			    pass, got, questions[i].want, queries[i].why);
		}
	}
}

TestSuite(dns, .init = begin, .fini = end);

static const struct question plain[] = {
    {{(const uint8_t *)"two.lab", 7}, DNS_TYPE_MX,
	"found 10/first.lab 20/second.lab"},
    {{(const uint8_t *)"TWO.Lab.", 8}, DNS_TYPE_MX,
	"found 10/first.lab 20/second.lab"},
    {{(const uint8_t *)"null.lab", 8}, DNS_TYPE_MX, "found 0/."},
    {{(const uint8_t *)"first.lab", 9}, DNS_TYPE_MX, "no data"},
    {{(const uint8_t *)"first.lab", 9}, DNS_TYPE_A, "found 7f000002 7f000003"},
    {{(const uint8_t *)"first.lab", 9}, DNS_TYPE_AAAA,
	"found 00000000000000000000000000000001"},
    {{(const uint8_t *)"alias.lab", 9}, DNS_TYPE_A, "found 7f000002 7f000003"},
    {{(const uint8_t *)"dangling.lab", 12}, DNS_TYPE_A, "no name"},
    {{(const uint8_t *)"nowhere.lab", 11}, DNS_TYPE_MX, "no name"},
    {{(const uint8_t *)"text.lab", 8}, DNS_TYPE_TXT, "found v=1;x"},
    {{(const uint8_t *)"_25._tcp.first.lab", 18}, DNS_TYPE_TLSA,
	"found 030101000102030405060708090a0b0c0d0e0f"
	"101112131415161718191a1b1c1d1e1f"},
    /* NSD refuses what is not in its zones. */
    {{(const uint8_t *)"elsewhere.example", 17}, DNS_TYPE_MX, "failed"},
    {{(const uint8_t *)"", 0}, DNS_TYPE_MX, "no name"},
    {{(const uint8_t *)".", 1}, DNS_TYPE_MX, "no name"},
    {{(const uint8_t *)"a..lab", 6}, DNS_TYPE_MX, "no name"},
    {{(const uint8_t *)"a\0b.lab", 7}, DNS_TYPE_MX, "no name"},
    {{(const uint8_t *)"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		       "xxxxxxxxxxx.lab",
	 68},
	DNS_TYPE_MX, "no name"},
};

Test(dns, answers_each_kind_of_question)
{
	nsd_start(false);
	open_dns((struct dns_options){.dnssec = false});
	run(plain, COUNT(plain));
	cr_expect_str_eq(log_text(), "");
}

Test(dns, knows_how_long_an_answer_lives)
{
	struct dns_query q = {0};

	nsd_start(false);
	open_dns((struct dns_options){.dnssec = false});
	ask(&q, SLICE("two.lab"), DNS_TYPE_MX);
	turn_until(1);
	cr_expect(q.ttl_s > 50 && q.ttl_s <= 60, "%u", q.ttl_s);
	ask(&q, SLICE("alias.lab"), DNS_TYPE_A);
	turn_until(2);
	cr_expect(q.ttl_s > 20 && q.ttl_s <= 30, "%u", q.ttl_s);
}

Test(dns, asks_by_tcp_what_is_too_long_for_a_packet)
{
	struct dns_query q = {0};

	nsd_start(false);
	open_dns((struct dns_options){.dnssec = false});
	ask(&q, SLICE("big.lab"), DNS_TYPE_A);
	turn_until(1);
	cr_expect_eq(q.status, DNS_FOUND, "%s", q.why);
	cr_expect_eq(q.answer.count, DNS_RECORDS_MAX);
	cr_expect(q.answer.truncated);
}

Test(dns, answers_many_at_once)
{
	static struct dns_query queries[MANY];
	char name[32];

	nsd_start(false);
	open_dns((struct dns_options){.dnssec = false});
	for (unsigned pass = 0; pass < 2; pass++) {
		done_count = 0;
		for (unsigned i = 0; i < MANY; i++) {
			snprintf(name, sizeof(name), "d%u.lab", i);
			ask(&queries[i], slice_of_str(name), DNS_TYPE_MX);
		}
		turn_until(MANY);
		for (unsigned i = 0; i < MANY; i++)
			cr_assert_eq(queries[i].status, DNS_FOUND, "d%u: %s", i,
			    queries[i].why);
	}
}

Test(dns, gives_up_when_nobody_answers)
{
	static struct dns_query queries[3];
	int silent = udp_socket(&lab.port);

	snprintf(lab.server, sizeof(lab.server), "127.0.0.1@%u", lab.port);
	open_dns((struct dns_options){
	    .dnssec = false, .timeout_ms = 300, .in_flight_max = 2});
	uint64_t begun_ms = loop_now_ms(lab.loop);

	ask(&queries[0], SLICE("a.lab"), DNS_TYPE_MX);
	ask(&queries[1], SLICE("b.lab"), DNS_TYPE_MX);
	ask(&queries[2], SLICE("c.lab"), DNS_TYPE_MX);
	turn_until(2);
	uint64_t first_ms = loop_now_ms(lab.loop) - begun_ms;

	/* The third had to wait for its turn. */
	turn_until(3);
	uint64_t all_ms = loop_now_ms(lab.loop) - begun_ms;

	cr_expect(first_ms >= 290 && first_ms < 3000);
	cr_expect(all_ms >= 590 && all_ms < 6000);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_eq(queries[i].status, DNS_FAILED);
		cr_expect_str_eq(
		    queries[i].why, "no answer from the DNS servers");
	}
	close(silent);
}

Test(dns, ends_open_questions_when_it_is_closed)
{
	static struct dns_query queries[3];
	int silent = udp_socket(&lab.port);

	snprintf(lab.server, sizeof(lab.server), "127.0.0.1@%u", lab.port);
	open_dns((struct dns_options){.dnssec = true, .in_flight_max = 1});
	ask(&queries[0], SLICE("a.local"), DNS_TYPE_MX); /* or the probe */
	ask(&queries[1], SLICE("b.lab"), DNS_TYPE_MX);
	ask(&queries[2], SLICE(""), DNS_TYPE_MX); /* answered already */
	dns_close(lab.dns);
	lab.dns = NULL;
	cr_assert_eq(done_count, 0);
	turn_until(3);
	cr_expect_eq(queries[0].status, DNS_FAILED);
	cr_expect_eq(queries[1].status, DNS_FAILED);
	cr_expect_eq(queries[2].status, DNS_NO_NAME);
	close(silent);
}

static const struct question validated[] = {
    {{(const uint8_t *)"signed", 6}, DNS_TYPE_MX, "secure found 10/mx.signed"},
    {{(const uint8_t *)"mx.signed", 9}, DNS_TYPE_A, "secure found 7f000002"},
    {{(const uint8_t *)"alias.signed", 12}, DNS_TYPE_A,
	"secure found 7f000002"},
    {{(const uint8_t *)"mx.signed", 9}, DNS_TYPE_AAAA, "secure no data"},
    {{(const uint8_t *)"nowhere.signed", 14}, DNS_TYPE_A, "secure no name"},
    {{(const uint8_t *)"good.bad", 8}, DNS_TYPE_A, "secure found 7f000003"},
    {{(const uint8_t *)"mx.bad", 6}, DNS_TYPE_A, "failed"},
    {{(const uint8_t *)"first.lab", 9}, DNS_TYPE_A, "found 7f000002 7f000003"},
    {{(const uint8_t *)"nowhere.lab", 11}, DNS_TYPE_A, "no name"},
};

Test(dns, validates_from_the_root)
{
	nsd_start(true);
	open_dns((struct dns_options){
	    .dnssec = true, .trust_anchor_file = FIXTURES "root.key"});
	run(validated, COUNT(validated));
	cr_expect_str_eq(log_text(), "");
}

Test(dns, validates_what_the_operator_has_keys_for_when_the_root_is_hidden)
{
	nsd_start(false);
	open_dns((struct dns_options){
	    .dnssec = true, .trust_anchor_file = FIXTURES "zones.key"});
	run(validated, COUNT(validated));
	cr_expect(strstr(log_text(), "dnssec_off") != NULL);
}

Test(dns, goes_on_without_dnssec_when_the_servers_hide_it)
{
	static const struct question questions[] = {
	    {{(const uint8_t *)"mx.signed", 9}, DNS_TYPE_A, "found 7f000002"},
	    {{(const uint8_t *)"mx.bad", 6}, DNS_TYPE_A, "found 7f000009"},
	    {{(const uint8_t *)"first.lab", 9}, DNS_TYPE_A,
		"found 7f000002 7f000003"},
	};

	nsd_start(false);
	open_dns((struct dns_options){.dnssec = true});
	run(questions, COUNT(questions));
	const char *line = strstr(log_text(), "warn dnssec_off why=");

	cr_expect(line != NULL);
	cr_expect(line == NULL || strstr(line + 6, "dnssec_off") == NULL);
}

Test(dns, does_not_wait_long_for_the_roots_keys)
{
	struct dns_query q = {0};
	int silent = udp_socket(&lab.port);

	snprintf(lab.server, sizeof(lab.server), "127.0.0.1@%u", lab.port);
	open_dns((struct dns_options){.dnssec = true, .timeout_ms = 200});
	uint64_t begun_ms = loop_now_ms(lab.loop);

	ask(&q, SLICE("a.lab"), DNS_TYPE_MX);
	turn_until(1);
	uint64_t took_ms = loop_now_ms(lab.loop) - begun_ms;

	cr_expect_eq(q.status, DNS_FAILED);
	cr_expect(took_ms >= 2000 && took_ms < 5000);
	cr_expect(strstr(log_text(), "dnssec_off") != NULL);
	/* The probe itself ends too, and is begun again later. */
	ask(&q, SLICE("b.lab"), DNS_TYPE_MX);
	turn_until(2);
	ask(&q, SLICE("c.lab"), DNS_TYPE_MX);
	turn_until(3);
	close(silent);
}

/* Stands between the resolver and NSD, and loses every question for the root's
 * keys for `lose_ms`. */
static void stand_between(int front, uint16_t nsd_port, int lose_ms)
{
	static struct sockaddr_in clients[65536]; /* by the question's id */
	struct sockaddr_in nsd = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons(nsd_port)};
	static const uint8_t root_keys[] = {0, 0, 48, 0, 1};
	uint16_t port;
	int back = udp_socket(&port);
	struct pollfd ready[] = {
	    {.fd = front, .events = POLLIN}, {.fd = back, .events = POLLIN}};
	struct timespec begun, now;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (;;) {
		uint8_t packet[4096];
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);

		poll(ready, COUNT(ready), -1);
		bool question = ready[0].revents != 0;
		ssize_t len = recvfrom(question ? front : back, packet,
		    sizeof(packet), 0, (struct sockaddr *)&from, &from_len);

		if (len < 17)
			continue;
		struct sockaddr_in *client =
		    &clients[packet[0] << 8 | packet[1]];

		clock_gettime(CLOCK_MONOTONIC, &now);
		int ms = (now.tv_sec - begun.tv_sec) * 1000 +
			 (now.tv_nsec - begun.tv_nsec) / 1000000;

		if (question && ms < lose_ms &&
		    memcmp(packet + 12, root_keys, sizeof(root_keys)) == 0)
			continue;
		if (question)
			*client = from;
		sendto(question ? back : front, packet, len, 0,
		    (struct sockaddr *)(question ? &nsd : client), sizeof(nsd));
	}
}

Test(dns, validates_again_when_the_roots_keys_come_late)
{
	struct dns_query q = {0};
	uint16_t port;
	int front = udp_socket(&port);

	nsd_start(true);
	pid_t between = fork();

	if (between == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stand_between(front, lab.port, 2300);
	}
	snprintf(lab.server, sizeof(lab.server), "127.0.0.1@%u", port);
	open_dns((struct dns_options){
	    .dnssec = true, .trust_anchor_file = FIXTURES "root.key"});
	ask(&q, SLICE("first.lab"), DNS_TYPE_A);
	while (strstr(log_text(), "dnssec_off") == NULL)
		loop_turn(lab.loop);
	cr_expect(q.busy);
	turn_until(1);
	cr_expect_eq(q.status, DNS_FOUND, "%s", q.why);
	while (strstr(log_text(), "dnssec_on") == NULL)
		loop_turn(lab.loop);
	ask(&q, SLICE("mx.signed"), DNS_TYPE_A);
	turn_until(2);
	cr_expect_eq(q.status, DNS_FOUND, "%s", q.why);
	cr_expect(q.secure);
	kill(between, SIGKILL);
	waitpid(between, NULL, 0);
}

Test(dns, defers_when_the_anchor_file_is_no_good)
{
	struct dns_query q = {0};
	char path[128];

	nsd_start(false);
	write_file("anchors", "this is not a key\n");
	snprintf(path, sizeof(path), "%s/anchors", lab.dir);
	open_dns(
	    (struct dns_options){.dnssec = true, .trust_anchor_file = path});
	ask(&q, SLICE("first.lab"), DNS_TYPE_A);
	turn_until(1);
	cr_expect_eq(q.status, DNS_FAILED);
	cr_expect(strstr(q.why, "trust anchor file") != NULL, "%s", q.why);
}

Test(dns, reads_servers_and_search_domains_from_resolv_conf)
{
	struct dns_query q = {0};
	char text[128], path[128];

	nsd_start(false);
	snprintf(text, sizeof(text),
	    "nameserver nonsense\nnameserver %s\nsearch a.lab. lab\n",
	    lab.server);
	write_file("resolv.conf", text);
	snprintf(path, sizeof(path), "%s/resolv.conf", lab.dir);
	cr_assert_eq(
	    dns_open(&lab.dns, &(struct dns_options){.resolv_conf = path},
		lab.loop, &lab.log),
	    0);
	cr_expect(slice_eq(dns_search_domain(lab.dns, 0), SLICE("a.lab")));
	cr_expect(slice_eq(dns_search_domain(lab.dns, 1), SLICE("lab")));
	cr_expect_eq(dns_search_domain(lab.dns, 2).len, 0);
	cr_expect(strstr(log_text(), "server=nonsense") != NULL);
	ask(&q, SLICE("first.lab"), DNS_TYPE_A);
	turn_until(1);
	cr_expect_eq(q.status, DNS_FOUND, "%s", q.why);
	dns_defer(lab.dns, &q);
	cr_expect_eq(done_count, 1);
	turn_until(2);
	cr_expect_eq(q.status, DNS_NO_DATA);
}

Test(dns, refuses_servers_that_are_no_addresses)
{
	static const struct {
		const char *server;
		bool good;
	} servers[] = {
	    {"192.0.2.1", true},
	    {"192.0.2.1@5353", true},
	    {"2001:db8::1", true},
	    {"2001:db8::1@53", true},
	    {"fe80::1%lo", true},
	    {"", false},
	    {"@53", false},
	    {"192.0.2.1@", false},
	    {"192.0.2.1@0", false},
	    {"192.0.2.1@65536", false},
	    {"192.0.2.1@x", false},
	    {"192.0.2.1:53", false},
	    {"192.0.2", false},
	    {"dns.example", false},
	    {"recursive@53", false},
	    {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	     "x",
		false},
	};

	for (size_t i = 0; i < COUNT(servers); i++) {
		struct dns *dns;
		const struct dns_options options = {
		    .servers = &servers[i].server, .server_count = 1};
		int err = dns_open(&dns, &options, lab.loop, &lab.log);

		cr_expect_eq(err, servers[i].good ? 0 : -EINVAL, "'%s'",
		    servers[i].server);
		if (err == 0)
			dns_close(dns);
	}
	cr_expect_eq(dns_open(&lab.dns,
			 &(struct dns_options){.dnssec = true,
			     .trust_anchor_file = "/nonexistent"},
			 lab.loop, &lab.log),
	    -ENOENT);
}
