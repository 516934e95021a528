/* fuzz_dkim_header.c -- any bytes as a header section: its end is the body
 * hash's beginning, its fields cover it, and what is chosen is in bounds. */
#include "dkim/body.h"
#include "dkim/signed_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The body by the hasher's reading, and by the section's end. */
static void check_body(struct slice message, struct slice section)
{
	uint8_t streamed[DKIM_HASH_LEN], cut[DKIM_HASH_LEN];
	struct slice rest =
	    slice_of(message.at + section.len, message.len - section.len);
	struct dkim_body b;

	dkim_body_init(&b, 1u << DKIM_SIMPLE);
	dkim_body_feed(&b, message);
	dkim_body_finish(&b, DKIM_SIMPLE, streamed);
	if (rest.len >= 2 && rest.at[0] == '\r')
		slice_cut(&rest, 2);
	dkim_body_init(&b, 1u << DKIM_SIMPLE);
	dkim_body_feed(&b, SLICE("A: b\r\n\r\n"));
	dkim_body_feed(&b, rest);
	dkim_body_finish(&b, DKIM_SIMPLE, cut);
	check(memcmp(streamed, cut, sizeof(cut)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice message = slice_of(data, size);
	struct slice section, early;
	struct dkim_field field;
	struct signed_fields fields;

	/* A bare CR or LF never gets here, nor a line without its end. */
	for (size_t i = 0; i < size; i++)
		if ((data[i] == '\n') != (i > 0 && data[i - 1] == '\r'))
			return 0;
	if (size > 0 && data[size - 1] != '\n')
		return 0;
	check(dkim_header_section(message, true, &section));
	check(section.len <= message.len);
	if (dkim_header_section(message, false, &early))
		check(early.len == section.len);
	check_body(message, section);
	if (signed_fields_choose(&fields, section) == NULL)
		check(fields.count >= 2 && fields.count <= SIGNED_FIELDS_MAX);
	struct slice rest = section;

	while (dkim_field_next(&rest, &field)) {
		wc_Sha256 sha256;

		wc_InitSha256(&sha256);
		dkim_field_hash(&sha256, &field, DKIM_RELAXED, true);
		dkim_field_hash(&sha256, &field, DKIM_SIMPLE, true);
	}
	check(rest.len == 0);
	return 0;
}
