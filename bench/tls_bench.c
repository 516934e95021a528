/* tls_bench.c -- full handshakes a second on one core (TLS 1.3, X25519, a P-256
 * certificate): the relay's streams, and wolfSSL in a bare loop of accept(2)
 * and wolfSSL_accept(), in turn.
 *
 * Clients are processes of their own; what counts is the CPU time of the server
 * for each handshake, user's and system's.  Medians of the rounds.
 *
 *   tls_bench [ROUNDS]     exit status 1: the target is not reached */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tls/self_signed.h"
#include "tls/stream.h"
#include "tls/wolfssl.h"

#define ROUNDS_MAX 31
#define HANDSHAKES 400 /* of a round */
#define CLIENTS 2
#define TARGET 0.75

struct bench {
	uint8_t crt_room[SELF_SIGNED_MAX];
	uint8_t key_room[SELF_SIGNED_MAX];
	struct buf crt;
	struct buf key;
	int listener;
	struct sockaddr_in address;
	WOLFSSL_CTX *bare;
	struct tls_context *ours;
	struct loop *loop;
	struct stream_service streams;
	struct op accept;
	unsigned done_count;
	unsigned failed_count;
};

struct one {
	struct bench *bench;
	struct stream stream;
};

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* A client: full handshakes, one after the other, until it is killed. */
static void be_client(const struct bench *b)
{
	WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfTLSv1_3_client_method());

	wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, NULL);
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		WOLFSSL *ssl = wolfSSL_new(ctx);
		char byte;

		if (connect(fd, (const struct sockaddr *)&b->address,
			sizeof(b->address)) < 0)
			_exit(1);
		wolfSSL_UseKeyShare(ssl, WOLFSSL_ECC_X25519);
		wolfSSL_set_fd(ssl, fd);
		if (wolfSSL_connect(ssl) == WOLFSSL_SUCCESS)
			(void)wolfSSL_read(ssl, &byte, 1); /* its end */
		wolfSSL_free(ssl);
		close(fd);
	}
}

static double bare_round(struct bench *b)
{
	double begun = cpu_s();

	for (unsigned i = 0; i < HANDSHAKES; i++) {
		int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
		WOLFSSL *ssl = wolfSSL_new(b->bare);

		if (fd < 0 || ssl == NULL)
			die("accept");
		wolfSSL_set_fd(ssl, fd);
		if (wolfSSL_accept(ssl) != WOLFSSL_SUCCESS)
			b->failed_count++;
		(void)wolfSSL_shutdown(ssl);
		wolfSSL_free(ssl);
		close(fd);
	}
	return HANDSHAKES / (cpu_s() - begun);
}

static void on_shaken(struct stream *stream, int result)
{
	struct one *one = container_of(stream, struct one, stream);
	struct bench *b = one->bench;

	b->done_count++;
	if (result < 0)
		b->failed_count++;
	stream_close(&one->stream, true);
	free(one);
}

static void on_accepted(struct op *op, int result)
{
	struct bench *b = container_of(op, struct bench, accept);
	struct one *one;

	if (result == -ECANCELED)
		return;
	one = calloc(1, sizeof(*one));
	if (result < 0 || one == NULL)
		die("accept");
	one->bench = b;
	stream_init(&one->stream, &b->streams, result);
	stream_accept_tls(&one->stream, b->ours, on_shaken);
}

static double our_round(struct bench *b)
{
	unsigned begun_count = b->done_count;
	double begun = cpu_s();

	loop_accept(b->loop, &b->accept, b->listener, on_accepted);
	while (b->done_count < begun_count + HANDSHAKES)
		loop_turn(b->loop);
	double rate = (b->done_count - begun_count) / (cpu_s() - begun);

	loop_cancel(b->loop, &b->accept);
	while (b->accept.busy || b->streams.tls_count > 0)
		loop_turn(b->loop);
	return rate;
}

static void open_listener(struct bench *b)
{
	socklen_t len = sizeof(b->address);

	b->address.sin_family = AF_INET;
	b->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (b->listener < 0 ||
	    bind(b->listener, (struct sockaddr *)&b->address, len) < 0 ||
	    listen(b->listener, 128) < 0 ||
	    getsockname(b->listener, (struct sockaddr *)&b->address, &len) < 0)
		die("listen");
}

static void open_servers(struct bench *b)
{
	struct loop_options options = {.backend = LOOP_BACKEND_AUTO};
	struct tls_certificate certificate;
	char text[256] = "";
	const char *why = "";

	b->crt = buf_over(b->crt_room, sizeof(b->crt_room));
	b->key = buf_over(b->key_room, sizeof(b->key_room));
	if (!self_signed_make(slice_of_str("relay.example"),
		(uint64_t)time(NULL), &b->crt, &b->key))
		die("certificate");
	certificate = (struct tls_certificate){
	    buf_slice(&b->crt), buf_slice(&b->key), "own"};
	struct tls_server_options server = {.certificates = &certificate,
	    .certificate_count = 1,
	    .ticket_keys = tls_ticket_keys_open()};

	b->ours = tls_server_context(&server, text, sizeof(text));
	b->bare = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
	if (b->ours == NULL || b->bare == NULL ||
	    wolfSSL_CTX_use_certificate_buffer(b->bare, b->crt.at,
		(long)b->crt.len, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS ||
	    wolfSSL_CTX_use_PrivateKey_buffer(b->bare, b->key.at,
		(long)b->key.len, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
		die(text);
	if (loop_open(&b->loop, &options, &why) < 0 ||
	    stream_service_open(&b->streams, b->loop, 64) < 0)
		die(why);
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 7;
	double ours[ROUNDS_MAX], bare[ROUNDS_MAX], ratio[ROUNDS_MAX];
	struct bench *b = calloc(1, sizeof(*b));
	pid_t clients[CLIENTS];

	if (rounds < 1 || rounds > ROUNDS_MAX || b == NULL)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	wolfSSL_Init();
	open_listener(b);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = fork();
		if (clients[i] == 0)
			be_client(b);
	}
	open_servers(b);
	(void)our_round(b);
	for (int i = 0; i < rounds; i++) {
		bare[i] = bare_round(b);
		ours[i] = our_round(b);
		ratio[i] = ours[i] / bare[i];
	}
	for (int i = 0; i < CLIENTS; i++) {
		kill(clients[i], SIGTERM);
		waitpid(clients[i], NULL, 0);
	}
	qsort(ours, (size_t)rounds, sizeof(double), by_size);
	qsort(bare, (size_t)rounds, sizeof(double), by_size);
	qsort(ratio, (size_t)rounds, sizeof(double), by_size);
	printf("full handshakes a second of one core: ours %.0f, bare %.0f, "
	       "ratio %.2f (at least %.2f); %u failed\n",
	    ours[rounds / 2], bare[rounds / 2], ratio[rounds / 2], TARGET,
	    b->failed_count);
	return ratio[rounds / 2] < TARGET || b->failed_count > 0;
}
