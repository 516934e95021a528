/* stream.h -- a connection on the loop, in clear or inside of TLS: the one way
 * in which sessions receive and send.
 *
 * The rules are those of loop.h: done() never runs inside the call that began
 * the operation; the stream and the memory it was given stay until done(); a
 * cancelled operation completes.  At most one receive and one send (or
 * handshake) are under way. */
#ifndef TLS_STREAM_H
#define TLS_STREAM_H

#include "core/base/list.h"
#include "core/base/loop.h"
#include "core/base/pool.h"
#include "tls/tls.h"

/* The most that a receive in TLS gives at a time. */
#define STREAM_PIECE_MAX 16384

struct stream;
struct stream_held; /* TLS: records that were received and not yet opened */
struct stream_out;  /* TLS: records on their way to the kernel */

typedef void stream_done(struct stream *s, int result);

/* What all streams of a process share. */
struct stream_service {
	struct loop *loop;
	/* private */
	size_t tls_max;
	size_t tls_count;
	struct pool held_pool;
	struct pool small_pool; /* of stream_out: one for each in TLS */
	struct pool large_pool; /* several records; when there is one left */
	struct list handshakes; /* with something to do: a few in a turn */
	struct op handshake_turn;
	uint32_t handshake_count; /* under way: the owner limits them */
	uint8_t *plain;		  /* where bytes are decrypted, one at a time */
	uint8_t *gather;	  /* where small pieces become one record */
};

/* `tls_max`: streams that may be inside of TLS at one time. */
MUST_USE int stream_service_open(
    struct stream_service *service, struct loop *loop, size_t tls_max);
void stream_service_close(struct stream_service *service);

struct stream {
	struct stream_service *service;
	struct slice received; /* valid inside the receive's done() only */
	struct tls *tls;       /* NULL: in clear */
	int fd;
	/* private */
	bool recv_cancelled;
	bool send_cancelled;
	bool over; /* TLS: nothing more will be received */
	struct op recv;
	struct op send;
	stream_done *recv_done;
	stream_done *send_done;
	struct stream_held *held;
	struct stream_out *out;
	const struct msghdr *message; /* being sent, and how far */
	size_t iov_index;
	size_t iov_at;
	size_t sent;
	struct list link; /* service->handshakes */
};

void stream_init(struct stream *s, struct stream_service *service, int fd);

/* done(): > 0 the number of bytes in s->received; 0 the peer has sent all it
 * will (TLS: close_notify; a bare end of the connection inside of TLS is
 * -ECONNRESET: it may be an attacker's); or -errno (-EPROTO: TLS failed). */
void stream_recv(struct stream *s, stream_done *done);
static inline bool stream_receiving(const struct stream *s)
{
	return s->recv_done != NULL;
}

/* Sends all of it: `message` as for loop_send; the iovecs and the bytes stay
 * until done().  done(): the number of (plain) bytes sent, all of them unless
 * something failed; or -errno. */
void stream_send(
    struct stream *s, const struct msghdr *message, stream_done *done);
static inline bool stream_sending(const struct stream *s)
{
	return s->send_done != NULL;
}

/* Begins TLS, as the server or as the client, when neither receive nor send is
 * under way.  done(): 0, or -EPROTO (tls_error(s->tls) says why; close it), or
 * -errno of the connection, -ENOMEM.  The time-out is the caller's:
 * stream_cancel ends it with -ECANCELED. */
void stream_accept_tls(
    struct stream *s, struct tls_context *context, stream_done *done);
void stream_connect_tls(struct stream *s, struct tls_context *context,
    const struct tls_peer *peer, stream_done *done);

/* Whatever is under way ends soon; done() runs all the same. */
void stream_cancel(struct stream *s);
static inline bool stream_busy(const struct stream *s)
{
	return s->recv_done != NULL || s->send_done != NULL;
}

/* We have sent all we will: close_notify as far as the socket takes it at once,
 * and the end of our direction.  Only when nothing is being sent. */
void stream_shutdown(struct stream *s);

/* Only when not busy: gives the TLS connection back and closes the descriptor.
 * `notify`: says close_notify first (as far as the socket takes it). */
void stream_close(struct stream *s, bool notify);

#endif
