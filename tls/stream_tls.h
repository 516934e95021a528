/* stream_tls.h -- what stream.c leaves to TLS. */
#ifndef TLS_STREAM_TLS_H
#define TLS_STREAM_TLS_H

#include "tls/stream.h"

MUST_USE int stream_tls_open(struct stream_service *service, size_t tls_max);
void stream_tls_close_down(struct stream_service *service);

/* recv_done, or send_done and message, are set. */
void stream_tls_recv(struct stream *s);
void stream_tls_send(struct stream *s);

/* Says close_notify, as far as the socket takes it at once. */
void stream_tls_notify(struct stream *s);

/* Gives everything back that TLS holds for it. */
void stream_tls_end(struct stream *s);

/* For the handshake: keeps what is left of what was received; the buffer for
 * what is to be sent; sends what is in it now or never; and gives it back. */
void stream_hold(struct stream *s, struct slice in);
struct slice stream_held(const struct stream *s);
struct buf *stream_out_take(struct stream *s);
void stream_out_begin(struct stream *s, op_done *done);
bool stream_out_ended(struct stream *s, int result);
void stream_out_now(struct stream *s);

#endif
