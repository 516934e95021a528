#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/outbound/resolv_conf.h"

static const struct {
	const char *text;
	const char *want; /* servers, "/", search domains */
} cases[] = {
    {"", "127.0.0.1 / "},
    {"nameserver 192.0.2.1\n", "192.0.2.1 / "},
    {"nameserver 192.0.2.1", "192.0.2.1 / "},
    {"  nameserver\t192.0.2.1  \r\n", "192.0.2.1 / "},
    {"nameserver 192.0.2.1 # the first\n", "192.0.2.1 / "},
    {"nameserver\nnameserver fe80::1%eth0\n", "fe80::1%eth0 / "},
    {"nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\n"
     "nameserver 4.4.4.4\n",
	"1.1.1.1 2.2.2.2 3.3.3.3 / "},
    {"# nameserver 1.1.1.1\n; nameserver 2.2.2.2\n#nameserver 3.3.3.3\n",
	"127.0.0.1 / "},
    {"Nameserver 1.1.1.1\nnameservers 1.1.1.1\n", "127.0.0.1 / "},
    {"search mail.svc.cluster.local svc.cluster.local\tcluster.local\n"
     "nameserver 10.96.0.10\noptions ndots:5\n",
	"10.96.0.10 / mail.svc.cluster.local svc.cluster.local "
	"cluster.local "},
    {"search a b\nsearch c.\n", "127.0.0.1 / c "},
    {"search a b\ndomain d e\n", "127.0.0.1 / d "},
    {"domain d\nsearch a . b\n", "127.0.0.1 / a b "},
    {"search 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n",
	"127.0.0.1 / 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "},
};

static void show(const struct resolv_conf *conf, char *room, size_t room_len)
{
	struct buf out = buf_over(room, room_len - 1);

	for (unsigned i = 0; i < conf->server_count; i++) {
		buf_put(&out, conf->servers[i]);
		buf_put_byte(&out, ' ');
	}
	buf_put_str(&out, "/ ");
	for (unsigned i = 0; i < conf->search_count; i++) {
		buf_put(&out, conf->search[i]);
		buf_put_byte(&out, ' ');
	}
	room[out.len] = '\0';
}

Test(resolv_conf, takes_servers_and_search_domains)
{
	static struct resolv_conf conf;
	char got[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		conf.len = strlen(cases[i].text);
		memcpy(conf.room, cases[i].text, conf.len);
		resolv_conf_parse(&conf);
		show(&conf, got, sizeof(got));
		cr_expect_str_eq(
		    got, cases[i].want, "%s: %s", cases[i].text, got);
	}
}

Test(resolv_conf, bears_any_file)
{
	static struct resolv_conf conf;
	char got[512];
	char path[] = "/tmp/resolv_conf.XXXXXX";
	int fd = mkstemp(path);

	resolv_conf_read(&conf, "/nonexistent");
	show(&conf, got, sizeof(got));
	cr_expect_str_eq(got, "127.0.0.1 / ");
	resolv_conf_read(&conf, "/");
	cr_expect_eq(conf.server_count, 1);
	cr_assert(fd >= 0);
	dprintf(fd, "nameserver 192.0.2.1\n");
	resolv_conf_read(&conf, path);
	show(&conf, got, sizeof(got));
	cr_expect_str_eq(got, "192.0.2.1 / ");
	for (unsigned i = 0; i < 2 * RESOLV_CONF_LEN_MAX; i++)
		dprintf(fd, "x");
	resolv_conf_read(&conf, path);
	cr_expect_eq(conf.len, RESOLV_CONF_LEN_MAX);
	show(&conf, got, sizeof(got));
	cr_expect_str_eq(got, "192.0.2.1 / ");
	close(fd);
	unlink(path);
}
