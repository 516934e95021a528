/* io.h -- what wolfSSL calls for bytes; its argument is the struct tls. */
#ifndef TLS_IO_H
#define TLS_IO_H

#include "tls/wolfssl.h"

int tls_io_recv(WOLFSSL *ssl, char *to, int room, void *arg);
int tls_io_send(WOLFSSL *ssl, char *from, int len, void *arg);

#endif
