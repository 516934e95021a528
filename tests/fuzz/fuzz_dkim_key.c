/* fuzz_dkim_key.c -- any bytes as a private key: as PEM, and as the DER in it,
 * which mutations would not get through base64.
 *
 * A key that opens has signed and verified; its record must be readable text,
 * and closing it must give back all that was taken. */
#include <stdlib.h>

#include "core/base/base64.h"
#include "dkim/key.h"

#define INPUT_MAX 3072

/* Its start takes longer than a key. */
static struct dkim *d;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void close_it(void)
{
	dkim_close(d);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *why;

	(void)argc;
	(void)argv;
	d = dkim_open(&why);
	check(d != NULL);
	atexit(close_it);
	return 0;
}

static void open_one(struct slice pem)
{
	const char *why = NULL, *warning = NULL;
	struct dkim_key *key = dkim_key_open(d, pem, &why, &warning);
	uint8_t room[2048];
	struct buf record = buf_over(room, sizeof(room));

	if (key == NULL) {
		check(why != NULL);
		return;
	}
	dkim_key_record(key, &record);
	check(!record.overflowed);
	for (size_t i = 0; i < record.len; i++)
		check(room[i] >= ' ' && room[i] < 0x7f);
	dkim_key_close(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t room[2 * INPUT_MAX];
	struct buf text = buf_over(room, sizeof(room));

	if (size > INPUT_MAX)
		return 0;
	open_one(slice_of(data, size));
	base64_encode(slice_of(data, size), &text);
	check(!text.overflowed);
	open_one(buf_slice(&text));
	return 0;
}
