/* listen.c -- listening sockets.
 *
 * `*:587` means all IPv4 and all IPv6 addresses: two sockets, so that an IPv4
 * client is seen with its IPv4 address and a host without IPv6 works.
 * TCP_NODELAY is set here and inherited by every accepted socket. */
#include "core/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096

static int open_one(const struct addrinfo *ai)
{
	int one = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void complain(struct log *log, const char *entry, const char *why)
{
	log_begin(log, LOG_ERROR, "listen_failed");
	log_str(log, "address", entry);
	log_str(log, "reply", why);
	log_end(log);
}

/* host:port, [v6]:port or *:port */
static bool split(
    const char *entry, char *host, size_t host_room, const char **port)
{
	const char *colon = strrchr(entry, ':');
	size_t len;

	if (colon == NULL || colon[1] == '\0')
		return false;
	*port = colon + 1;
	len = (size_t)(colon - entry);
	if (len >= 2 && entry[0] == '[' && entry[len - 1] == ']') {
		entry++;
		len -= 2;
	}
	if (len == 0 || len >= host_room)
		return false;
	memcpy(host, entry, len);
	host[len] = '\0';
	return true;
}

static bool add(struct listen_sockets *sockets, const struct addrinfo *list,
    const char *entry, bool proxy, bool everywhere, struct log *log)
{
	unsigned opened = 0;
	int err = 0;

	for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		if (sockets->count == LISTEN_SOCKETS_MAX) {
			complain(log, entry, "too many listen addresses");
			return false;
		}
		int fd = open_one(ai);

		if (fd < 0) {
			err = fd;
			if (everywhere && err == -EAFNOSUPPORT)
				continue; /* a host without IPv6 */
			complain(log, entry, strerror(-err));
			return false;
		}
		sockets->fd[sockets->count] = fd;
		sockets->proxy[sockets->count++] = proxy;
		opened++;
	}
	if (opened == 0)
		complain(log, entry, strerror(-err));
	return opened > 0;
}

static bool open_entry(struct listen_sockets *sockets, const char *entry,
    bool proxy, struct log *log)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *list;
	char host[256];
	const char *port;

	if (!split(entry, host, sizeof(host), &port)) {
		complain(log, entry, "not host:port");
		return false;
	}
	bool everywhere = strcmp(host, "*") == 0;
	int err = getaddrinfo(everywhere ? NULL : host, port, &hints, &list);

	if (err != 0) {
		complain(log, entry, gai_strerror(err));
		return false;
	}
	bool good = add(sockets, list, entry, proxy, everywhere, log);

	freeaddrinfo(list);
	return good;
}

static bool open_list(struct listen_sockets *sockets,
    const struct string_list *list, bool proxy, struct log *log)
{
	for (size_t i = 0; i < list->count; i++)
		if (!open_entry(sockets, list->at[i], proxy, log))
			return false;
	return true;
}

bool listen_open(struct listen_sockets *sockets, const struct config *config,
    struct log *log)
{
	sockets->count = 0;
	if (open_list(sockets, &config->listen_submission, false, log) &&
	    open_list(sockets, &config->listen_proxy, true, log))
		return true;
	listen_close(sockets);
	return false;
}

void listen_close(struct listen_sockets *sockets)
{
	for (unsigned i = 0; i < sockets->count; i++)
		close(sockets->fd[i]);
	sockets->count = 0;
}
