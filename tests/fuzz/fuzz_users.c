/* Any bytes as a file of users.d, and as SH_AUTH: who is taken has a name and a
 * password that can be sent. */
#include "core/config/text.h"
#include "core/config/user.h"
#include "tests/fuzz/closed.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
	struct config *c = closed_config();
	struct complaints complaints = {.out = fopen("/dev/null", "w")};
	struct origin where = {"SH_AUTH", 0};

	users_table(c, &complaints, "u", slice_of(at, len));
	users_variable(c, &complaints, where, slice_of(at, len));
	users_finish(c, &complaints);
	for (size_t i = 0; i < c->user_count; i++) {
		struct slice name = slice_of_str(c->users[i].name);
		struct slice password = slice_of_str(c->users[i].password);

		check(name.len > 0 && name.len <= 255);
		check(password.len > 0 && password.len <= 1000);
		check(!text_has_control(name) && !text_has_control(password));
	}
	fclose(complaints.out);
	config_free(c);
	return 0;
}
