/* wire.c -- one connection of a command-line tool.
 *
 * It waits by poll(2) for either direction: a server that answers in the middle
 * of what we send is heard, so that neither waits for the other for ever. */
#include "core/wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* The events that came, or -errno. */
static int wait_for(const struct wire *w, short events)
{
	struct pollfd p = {.fd = w->fd, .events = events};
	int count;

	do
		count = poll(&p, 1, w->wait_ms);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	return count == 0 ? -ETIMEDOUT : p.revents;
}

static int connect_to(struct wire *w, const struct addrinfo *a)
{
	int one = 1, err = 0, events;
	socklen_t len = sizeof(err);

	w->fd =
	    socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return -errno;
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(w->fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	events = wait_for(w, POLLOUT);
	if (events < 0)
		return events;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	return -err;
}

static enum wire_opened unknown(int err, const char **why)
{
	*why = err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err);
	return err == EAI_AGAIN || err == EAI_SYSTEM || err == EAI_MEMORY
		   ? WIRE_LATER
		   : WIRE_NO_HOST;
}

enum wire_opened wire_open(struct wire *w, const char *host, uint16_t port,
    unsigned wait_s, const char **why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *all, *a;
	char service[8];
	int err;

	w->fd = -1;
	w->tls = NULL;
	w->raw_len = 0;
	w->wait_ms = (int)wait_s * 1000;
	snprintf(service, sizeof(service), "%u", port);
	err = getaddrinfo(host, service, &hints, &all);
	if (err != 0)
		return unknown(err, why);
	err = -EADDRNOTAVAIL;
	for (a = all; a != NULL; a = a->ai_next) {
		memcpy(&w->peer, a->ai_addr, a->ai_addrlen);
		err = connect_to(w, a);
		if (err == 0)
			break;
		wire_close(w);
	}
	freeaddrinfo(all);
	*why = strerror(-err);
	return err == 0 ? WIRE_OPEN : WIRE_REFUSED;
}

void wire_close(struct wire *w)
{
	if (w->tls != NULL)
		tls_free(w->tls);
	if (w->fd >= 0)
		close(w->fd);
	w->tls = NULL;
	w->fd = -1;
}

/* 0 at the end of what the peer sends, 1 when there may be more, or -errno. */
static int take_raw(struct wire *w)
{
	ssize_t len =
	    recv(w->fd, w->raw + w->raw_len, sizeof(w->raw) - w->raw_len, 0);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	w->raw_len += (size_t)len;
	return len > 0;
}

static void drop_raw(struct wire *w, size_t left)
{
	memmove(w->raw, w->raw + w->raw_len - left, left);
	w->raw_len = left;
}

static int send_raw(struct wire *w, struct slice bytes)
{
	bool ended = false;

	while (bytes.len > 0) {
		bool hears = !ended && w->raw_len < sizeof(w->raw);
		int events = wait_for(w, hears ? POLLIN | POLLOUT : POLLOUT);

		if (events < 0)
			return events;
		if (hears && (events & POLLIN) != 0) {
			int err = take_raw(w);

			if (err < 0)
				return err;
			ended = err == 0;
		}
		if ((events & (POLLOUT | POLLERR | POLLHUP)) == 0)
			continue;
		ssize_t len = send(w->fd, bytes.at, bytes.len, MSG_NOSIGNAL);
		if (len < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (len > 0)
			(void)slice_cut(&bytes, (size_t)len);
	}
	return 0;
}

int wire_send(struct wire *w, struct slice bytes)
{
	if (w->tls == NULL)
		return send_raw(w, bytes);
	while (bytes.len > 0) {
		struct buf out = buf_over(w->sealed, sizeof(w->sealed));

		if (tls_write(w->tls, &bytes, &out) == TLS_FAILED)
			return -EPROTO;
		int err = send_raw(w, buf_slice(&out));
		if (err < 0)
			return err;
	}
	return 0;
}

/* As take_raw, but waits. */
static int wait_raw(struct wire *w)
{
	int events = wait_for(w, POLLIN);

	return events < 0 ? events : take_raw(w);
}

const char *wire_start_tls(
    struct wire *w, struct tls_context *context, const struct tls_peer *peer)
{
	w->tls = tls_connect(context, peer);
	if (w->tls == NULL)
		return "no memory";
	for (;;) {
		struct slice in = slice_of(w->raw, w->raw_len);
		struct buf out = buf_over(w->sealed, sizeof(w->sealed));
		size_t had = in.len;
		enum tls_state state = tls_handshake(w->tls, &in, &out);
		int err = send_raw(w, buf_slice(&out));

		drop_raw(w, in.len);
		if (state == TLS_OPEN && err == 0)
			return NULL;
		if (state == TLS_FAILED || state == TLS_ENDED)
			return tls_error(w->tls);
		if (err == 0 && out.len == 0 && in.len > 0 && in.len == had)
			return "the handshake does not go on";
		/* It eats and writes until it wants more input. */
		if (err == 0 && out.len == 0 && in.len == 0) {
			err = wait_raw(w);
			if (err == 0)
				return "the server closed the connection";
		}
		if (err < 0)
			return strerror(-err);
	}
}

bool wire_has_input(const struct wire *w)
{
	return w->raw_len > 0 || (w->tls != NULL && tls_pending(w->tls));
}

/* 1 when `plain` may be empty still; 0 at the end; or -errno. */
static int decrypt(struct wire *w, struct buf *plain)
{
	struct slice in = slice_of(w->raw, w->raw_len);
	struct buf out = buf_over(w->sealed, sizeof(w->sealed));
	enum tls_state state = tls_read(w->tls, &in, plain, &out);

	drop_raw(w, in.len);
	if (out.len > 0) {
		int err = send_raw(w, buf_slice(&out));

		if (err < 0 && state == TLS_OPEN)
			return err;
	}
	switch (state) {
	case TLS_HANDSHAKE:
	case TLS_FAILED: return -EPROTO;
	case TLS_ENDED: return 0;
	case TLS_OPEN: return 1;
	}
	return 1;
}

int wire_receive(struct wire *w, struct buf *plain)
{
	size_t before = plain->len;

	while (plain->len == before) {
		int more = 1;

		if (!wire_has_input(w))
			more = wait_raw(w);
		if (more > 0 && w->tls != NULL) {
			more = decrypt(w, plain);
		} else if (more > 0) {
			size_t len = w->raw_len < buf_left(plain)
					 ? w->raw_len
					 : buf_left(plain);

			buf_put(plain, slice_of(w->raw, len));
			drop_raw(w, w->raw_len - len);
		}
		if (more <= 0 && plain->len == before)
			return more;
	}
	return (int)(plain->len - before);
}
