/* listen.c -- listening sockets.
 *
 * `*:587` means all IPv4 and all IPv6 addresses: two sockets, so that an IPv4
 * client is seen with its IPv4 address and a host without IPv6 works.
 * TCP_NODELAY is set here and inherited by every accepted socket. */
#include "core/listen.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/config/value.h"

#define ADDRESS_WAIT_MS 3000

/* How sockets share their address. */
enum sharing {
	SHARED,	      /* with the other workers' */
	SHARED_FIRST, /* the first of them: nobody else may have the address */
	ALONE,
};

static int bind_to(int fd, const union socket_address *at)
{
	socklen_t len =
	    at->any.sa_family == AF_INET6 ? sizeof(at->v6) : sizeof(at->v4);
	const struct timespec step = {.tv_nsec = 20000000};

	/* The sockets of a relay that was killed stay until the kernel has put
	 * away its rings, a moment after it is gone. */
	for (unsigned ms = 0; bind(fd, &at->any, len) < 0; ms += 20) {
		if (errno != EADDRINUSE || ms >= ADDRESS_WAIT_MS)
			return -errno;
		nanosleep(&step, NULL);
	}
	return 0;
}

static int open_one(const union socket_address *at, enum sharing sharing)
{
	int one = 1;
	bool v6 = at->any.sa_family == AF_INET6;
	int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sharing == SHARED)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	int err = bind_to(fd, at);

	/* Without it the bind failed if somebody had the address, with or
	 * without it; from now on the other workers may share it. */
	if (err == 0 && sharing == SHARED_FIRST)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (err == 0 && listen(fd, LISTEN_BACKLOG) < 0)
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

static bool complain(struct log *log, const char *entry, const char *why)
{
	log_begin(log, LOG_ERROR, "listen_failed");
	log_str(log, "address", entry);
	log_str(log, "reply", why);
	log_end(log);
	return false;
}

/* IPv4 where the address is ::ffff:a.b.c.d */
static union socket_address address_of(const struct endpoint *e)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	union socket_address at = {0};

	if (memcmp(e->address, mapped, sizeof(mapped)) == 0) {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons(e->port);
		memcpy(&at.v4.sin_addr, e->address + 12, 4);
	} else {
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons(e->port);
		memcpy(&at.v6.sin6_addr, e->address, 16);
	}
	return at;
}

static int add(struct listen_sockets *sockets, const union socket_address *at,
    enum listener_kind kind, enum sharing sharing)
{
	if (sockets->count == LISTEN_SOCKETS_MAX)
		return -E2BIG;
	int fd = open_one(at, sharing);

	if (fd < 0)
		return fd;
	sockets->fd[sockets->count] = fd;
	sockets->kind[sockets->count++] = kind;
	return 0;
}

static int add_everywhere(struct listen_sockets *sockets, uint16_t port,
    enum listener_kind kind, enum sharing sharing)
{
	union socket_address v4 = {
	    .v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
	union socket_address v6 = {
	    .v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
	int err = add(sockets, &v4, kind, sharing);

	if (err < 0)
		return err;
	err = add(sockets, &v6, kind, sharing);
	/* A host without IPv6 is served by IPv4 alone. */
	return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL ? 0 : err;
}

static bool open_entry(struct listen_sockets *sockets, const char *entry,
    enum listener_kind kind, enum sharing sharing, struct log *log)
{
	struct endpoint e;
	const char *why = "";
	int err;

	if (!endpoint_parse(slice_of_str(entry), &e, &why))
		return complain(log, entry, why);
	if (e.every) {
		err = add_everywhere(sockets, e.port, kind, sharing);
	} else {
		union socket_address at = address_of(&e);

		err = add(sockets, &at, kind, sharing);
	}
	return err == 0 || complain(log, entry, strerror(-err));
}

static bool open_list(struct listen_sockets *sockets,
    const struct string_list *list, enum listener_kind kind,
    enum sharing sharing, struct log *log)
{
	for (size_t i = 0; i < list->count; i++)
		if (!open_entry(sockets, list->at[i], kind, sharing, log))
			return false;
	return true;
}

bool listen_open(struct listen_sockets *sockets, const struct config *config,
    bool first, struct log *log)
{
	enum sharing sharing = first ? SHARED_FIRST : SHARED;

	sockets->count = 0;
	if (open_list(sockets, &config->listen_submission, LISTENER_SMTP,
		sharing, log) &&
	    open_list(
		sockets, &config->listen_proxy, LISTENER_PROXY, sharing, log) &&
	    open_list(sockets, &config->listen_submissions, LISTENER_TLS,
		sharing, log))
		return true;
	listen_close(sockets);
	return false;
}

bool listen_open_admin(struct listen_sockets *sockets,
    const struct config *config, struct log *log)
{
	sockets->count = 0;
	if (open_list(
		sockets, &config->admin_listen, LISTENER_ADMIN, ALONE, log))
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
