/* Any bytes as a file of postfix.d: understood, or complained about; and what
 * was understood can be printed and read again. */
#include <stdlib.h>

#include "core/config/postconf.h"
#include "core/config/source.h"
#include "tests/fuzz/closed.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
	struct config *c = closed_config();
	struct complaints complaints = {.out = fopen("/dev/null", "w")};
	char *text;
	size_t text_len;

	postconf_file(c, &complaints, "p", slice_of(at, len));
	postconf_apply(c, &complaints);
	postconf_finish(c, &complaints);
	if (complaints.count == 0) {
		struct config *again = closed_config();
		FILE *out = open_memstream(&text, &text_len);

		config_print(c, out);
		fclose(out);
		source_yaml(again, &complaints, "g", slice_of(text, text_len));
		check(complaints.count == 0);
		config_free(again);
		free(text);
	}
	fclose(complaints.out);
	config_free(c);
	return 0;
}
