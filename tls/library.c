/* library.c -- which wolfSSL this is, and what it uses of the CPU.
 *
 * The kernel's list of the CPU's features is the same file on all
 * architectures; that a feature is used is known from how wolfSSL was built. */
#include <stdio.h>

#include "tls/tls.h"
#include "tls/wolfssl.h"

struct features {
	bool aes;
	bool sha;
};

static bool has_word(const char *line, const char *word)
{
	size_t len = strlen(word);
	const char *at = strstr(line, word);

	while (at != NULL) {
		if (at > line && at[-1] == ' ' &&
		    (at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
			return true;
		at = strstr(at + len, word);
	}
	return false;
}

static struct features cpu_features(void)
{
	struct features f = {false, false};
	char line[8192];
	FILE *file = fopen("/proc/cpuinfo", "re");

	if (file == NULL)
		return f;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "flags", 5) != 0 &&
		    strncmp(line, "Features", 8) != 0)
			continue;
		f.aes = has_word(line, "aes");
		f.sha = has_word(line, "sha_ni") || has_word(line, "sha2");
		break;
	}
	fclose(file);
	return f;
}

static const char *use(bool in_cpu, bool in_library)
{
	if (!in_cpu)
		return "not in this CPU";
	return in_library ? "used" : "not used";
}

void tls_library(struct buf *out)
{
	struct features cpu = cpu_features();

	buf_printf(out,
	    "wolfSSL %s (" WOLFSSL_ORIGIN
	    "; AES instructions %s, SHA instructions %s)",
	    wolfSSL_lib_version(), use(cpu.aes, WOLFSSL_HAS_AES_ASM),
	    use(cpu.sha, WOLFSSL_HAS_SHA_ASM));
}
