/* Any bytes as a configuration file: read, or complained about; and what was
 * read without complaint is printed as YAML that reads as well. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/check.h"
#include "core/config/config.h"
#include "core/config/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
	struct config_arguments arguments = {.dir = "/nonexistent"};
	struct complaints complaints = {.out = fopen("/dev/null", "w")};
	struct config *c = config_load(&arguments, stderr);
	char *text;
	size_t text_len;

	source_yaml(c, &complaints, "f", slice_of(at, len));
	if (complaints.count == 0) {
		FILE *out = open_memstream(&text, &text_len);

		config_print(c, out);
		fclose(out);
		source_yaml(c, &complaints, "g", slice_of(text, text_len));
		check(complaints.count == 0);
		free(text);
	}
	fclose(complaints.out);
	config_free(c);
	return 0;
}
