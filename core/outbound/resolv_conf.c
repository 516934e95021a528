/* resolv_conf.c -- what /etc/resolv.conf says, see resolv.conf(5).
 *
 * Of its lines only nameserver, search and domain matter to us.  What the file
 * is silent about is as in the C library: one server, 127.0.0.1, and no search
 * domain (the library would take the host's own; a relay host's name should
 * not depend on it). */
#include "core/outbound/resolv_conf.h"

#include <fcntl.h>
#include <unistd.h>

static struct slice word_cut(struct slice *line)
{
	size_t len = 0;

	*line = slice_trim(*line);
	while (len < line->len && line->at[len] != ' ' && line->at[len] != '\t')
		len++;
	return slice_cut(line, len);
}

static struct slice without_dots(struct slice s)
{
	while (s.len > 0 && s.at[0] == '.')
		slice_cut(&s, 1);
	while (s.len > 0 && s.at[s.len - 1] == '.')
		s.len--;
	return s;
}

static void search_put(struct resolv_conf *conf, struct slice words)
{
	conf->search_count = 0;
	for (;;) {
		struct slice word = word_cut(&words);

		if (word.len == 0)
			return;
		word = without_dots(word);
		if (word.len > 0 && conf->search_count < RESOLV_CONF_SEARCH_MAX)
			conf->search[conf->search_count++] = word;
	}
}

static void line_parse(struct resolv_conf *conf, struct slice line)
{
	struct slice keyword = word_cut(&line);

	if (slice_eq(keyword, SLICE("nameserver"))) {
		struct slice server = word_cut(&line);

		if (server.len > 0 &&
		    conf->server_count < RESOLV_CONF_SERVERS_MAX)
			conf->servers[conf->server_count++] = server;
	} else if (slice_eq(keyword, SLICE("search"))) {
		search_put(conf, line);
	} else if (slice_eq(keyword, SLICE("domain"))) {
		/* Like a search list of one; the last of both counts. */
		search_put(conf, word_cut(&line));
	}
}

void resolv_conf_parse(struct resolv_conf *conf)
{
	struct slice text = slice_of(conf->room, conf->len);

	conf->server_count = 0;
	conf->search_count = 0;
	while (text.len > 0) {
		struct slice line = slice_cut_at(&text, '\n');

		if (line.len > 0 && line.at[line.len - 1] == '\r')
			line.len--;
		line_parse(conf, line);
	}
	if (conf->server_count == 0)
		conf->servers[conf->server_count++] = SLICE("127.0.0.1");
}

void resolv_conf_read(struct resolv_conf *conf, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	conf->len = 0;
	while (fd >= 0 && conf->len < sizeof(conf->room)) {
		ssize_t count = read(
		    fd, conf->room + conf->len, sizeof(conf->room) - conf->len);

		if (count <= 0)
			break;
		conf->len += (size_t)count;
	}
	if (fd >= 0)
		close(fd);
	resolv_conf_parse(conf);
}
