/* shim.c -- two constants of the peers that no setting reaches, and that would
 * make them look slower than they are in this race:
 *
 * OpenSMTPD listens with a backlog of 5, so that of 20 clients that connect at
 * once most lose their SYN and wait a second.
 *
 * Exim waits up to 200 ms before it answers QUIT, so that a client that waits
 * for the answer gets five connections a second.
 *
 * Loaded with LD_PRELOAD into these two only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <sys/socket.h>

int listen(int fd, int backlog)
{
	int (*real)(int, int) = dlsym(RTLD_NEXT, "listen");

	return real(fd, backlog < 1000 ? 1000 : backlog);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");

	return real(fds, count, timeout == 200 ? 0 : timeout);
}
