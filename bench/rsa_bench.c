/* rsa_bench.c -- RSA signatures a second on one core: ours, wolfSSL's, and
 * those of `openssl speed`, in turn.
 *
 * All three are CPU time: a busy neighbour costs the same for all.  Ours are
 * blinded and checked; wolfSSL's and OpenSSL's are what their libraries do by
 * themselves.  Medians of the rounds; the ratios are what to read.
 *
 *   rsa_bench [ROUNDS]     exit status 1: the targets are not reached */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dkim/rsa.h"
#include "dkim/rsa_private.h"

#define ROUNDS_MAX 31
#define SLICE_S 0.1
#define TARGET_OPENSSL 1.8
#define TARGET_WOLFSSL 0.95

static const unsigned sizes[] = {1024, 2048, 3072, 4096};
static const unsigned counts[] = {1, 2, 4, 8};

struct bench {
	struct rsa *rsa;
	struct rsa_key *keys[COUNT(sizes)];
	double ours[COUNT(sizes)][COUNT(counts)][ROUNDS_MAX];
	double wolfssl[COUNT(sizes)][ROUNDS_MAX];
	double openssl[COUNT(sizes)][ROUNDS_MAX];
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static struct rsa_key *make_key(struct rsa *r, unsigned bits)
{
	char command[128];
	uint8_t der[4096];
	const char *why;

	snprintf(command, sizeof(command),
	    "openssl genrsa %u 2>/dev/null |"
	    " openssl rsa -outform DER 2>/dev/null",
	    bits);
	FILE *in = popen(command, "re");
	size_t len = in == NULL ? 0 : fread(der, 1, sizeof(der), in);
	if (in != NULL)
		pclose(in);
	struct rsa_key *key = rsa_key_open(r, der, len, &why);
	if (key == NULL) {
		fprintf(
		    stderr, "openssl makes no key of %u bits: %s\n", bits, why);
		exit(69);
	}
	return key;
}

static double ours(struct rsa *r, struct rsa_key *key, unsigned count)
{
	struct rsa_job job[RSA_BATCH_MAX], *jobs[RSA_BATCH_MAX];
	unsigned signed_count = 0;
	double begin, took;

	for (unsigned i = 0; i < count; i++) {
		jobs[i] = &job[i];
		job[i] = (struct rsa_job){.key = key};
	}
	begin = now_s();
	do {
		for (unsigned i = 0; i < count; i++)
			job[i].digest[i] ^= (uint8_t)signed_count;
		rsa_sign(r, jobs, count);
		for (unsigned i = 0; i < count; i++)
			check(job[i].good && !job[i].faulted);
		signed_count += count;
		took = now_s() - begin;
	} while (took < SLICE_S);
	return signed_count / took;
}

static double wolfssl(struct rsa *r, struct rsa_key *key)
{
	uint8_t info[RSA_INFO_LEN], signature[RSA_SIGNATURE_MAX];
	word32 at = 0, len = (word32)rsa_key_signature_len(key);
	unsigned signed_count = 0;
	double begin, took;
	RsaKey loaded;

	rsa_digest_info((const uint8_t[32]){0}, info);
	check(wc_InitRsaKey(&loaded, NULL) == 0);
	check(wc_RsaPrivateKeyDecode(key->der.whole.at, &at, &loaded,
		  (word32)key->der.whole.len) == 0);
	check(wc_RsaSetRNG(&loaded, &r->rng) == 0);
	begin = now_s();
	do {
		check(wc_RsaSSL_Sign(info, sizeof(info), signature, len,
			  &loaded, &r->rng) == (int)len);
		signed_count++;
		took = now_s() - begin;
	} while (took < SLICE_S);
	wc_FreeRsaKey(&loaded);
	return signed_count / took;
}

/* The last line: rsa 2048 bits 0.000250s 0.000015s 4008.0 66201.0 */
static double openssl(unsigned bits)
{
	char command[80], line[256];
	double rate = 0;

	snprintf(command, sizeof(command),
	    "openssl speed -seconds 1 rsa%u 2>/dev/null", bits);
	FILE *in = popen(command, "re");
	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		const char *word = strstr(line, " bits ");

		if (strncmp(line, "rsa", 3) != 0 || word == NULL)
			continue;
		word = strstr(word + 6, "s ");
		word = word == NULL ? NULL : strstr(word + 2, "s ");
		if (word != NULL)
			rate = strtod(word + 2, NULL);
	}
	if (in != NULL)
		pclose(in);
	if (rate <= 0) {
		fprintf(stderr, "openssl speed says nothing of rsa%u\n", bits);
		exit(69);
	}
	return rate;
}

static void measure(struct bench *b, unsigned round)
{
	for (size_t s = 0; s < COUNT(sizes); s++) {
		for (size_t c = 0; c < COUNT(counts); c++)
			b->ours[s][c][round] =
			    ours(b->rsa, b->keys[s], counts[c]);
		b->wolfssl[s][round] = wolfssl(b->rsa, b->keys[s]);
		b->openssl[s][round] = openssl(sizes[s]);
	}
}

static int report(struct bench *b, unsigned rounds, enum rsa_engine engine)
{
	int status = 0;

	puts("signatures a second, and how often OpenSSL's and wolfSSL's\n"
	     "bits   at once     ours  openssl  wolfssl  /openssl  /wolfssl");
	for (size_t s = 0; s < COUNT(sizes); s++) {
		double w = median(b->wolfssl[s], rounds);
		double o = median(b->openssl[s], rounds);

		for (size_t c = 0; c < COUNT(counts); c++) {
			double x = median(b->ours[s][c], rounds);

			printf("%-6u %7u %8.0f %8.0f %8.0f %9.2f %9.2f\n",
			    sizes[s], counts[c], x, o, w, x / o, x / w);
			if (x / w < TARGET_WOLFSSL)
				status = 1;
			if (sizes[s] == 2048 && counts[c] == 8 &&
			    engine == RSA_IFMA && x / o < TARGET_OPENSSL)
				status = 1;
		}
	}
	printf("%s: never below %.2f of wolfSSL%s\n",
	    status == 0 ? "reached" : "NOT REACHED", TARGET_WOLFSSL,
	    engine == RSA_IFMA ? ", 2048 bits 8 at once 1.8 of OpenSSL" : "");
	return status;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
	struct bench *b = calloc(1, sizeof(*b));
	const char *why;

	check(b != NULL);
	check(rounds > 0 && rounds <= ROUNDS_MAX);
	b->rsa = rsa_open(&why);
	check(b->rsa != NULL);
	printf("engine: %s\n", why);
	for (size_t s = 0; s < COUNT(sizes); s++)
		b->keys[s] = make_key(b->rsa, sizes[s]);
	for (unsigned round = 0; round < rounds; round++)
		measure(b, round);
	int status = report(b, rounds, rsa_engine(b->rsa));
	for (size_t s = 0; s < COUNT(sizes); s++)
		rsa_key_close(b->keys[s]);
	rsa_close(b->rsa);
	free(b);
	return status;
}
