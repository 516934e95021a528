/* directory.c -- the configuration directory: which files, in which order.
 *
 * In yaml.d, names ending in .yaml or _yaml are read in byte order.  What is
 * absent is empty; what is there and cannot be read is an error.  The other
 * folders of the directory decide who may send and what is signed: this
 * version cannot read them, and says so rather than run without. */
#include "core/config/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/config/memory.h"
#include "core/config/yaml.h"

#define FILES_MAX 10000 /* of one folder */

static bool ends_with(const char *name, const char *end)
{
	size_t name_len = strlen(name), end_len = strlen(end);

	return name_len >= end_len &&
	       strcmp(name + name_len - end_len, end) == 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The paths of the folder's files whose names end in one of the two. */
static struct string_list list_files(struct config *c,
    struct complaints *complaints, const char *folder, const char *end,
    const char *other_end)
{
	struct string_list files = {0};
	const char *path = memory_printf(c->memory, "%s/%s", c->dir, folder);
	DIR *d = opendir(path);

	if (d == NULL) {
		if (errno != ENOENT)
			complain(complaints, (struct origin){path, 0},
			    "cannot be read: %s", strerror(errno));
		return files;
	}
	files.at = memory_take(c->memory, FILES_MAX * sizeof(files.at[0]));
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		/* Editors' and Kubernetes' own files begin with a dot. */
		if (e->d_name[0] == '.' || !(ends_with(e->d_name, end) ||
					       ends_with(e->d_name, other_end)))
			continue;
		if (files.count == FILES_MAX) {
			complain(complaints, (struct origin){path, 0},
			    "has more than %d files", FILES_MAX);
			break;
		}
		files.at[files.count++] =
		    memory_printf(c->memory, "%s/%s", path, e->d_name);
	}
	closedir(d);
	qsort(files.at, files.count, sizeof(files.at[0]), by_bytes);
	return files;
}

/* The whole of a plain file, to be freed; NULL after a complaint. */
static uint8_t *read_file(
    struct complaints *complaints, const char *path, size_t *len)
{
	struct stat facts;
	uint8_t *text = NULL;
	const char *why = NULL;
	FILE *f = fopen(path, "re");

	if (f == NULL || fstat(fileno(f), &facts) < 0) {
		why = strerror(errno);
	} else if (!S_ISREG(facts.st_mode)) {
		why = "not a file";
	} else if (facts.st_size > (off_t)YAML_LEN_MAX) {
		why = "too large";
	} else {
		/* Never a malloc of nothing. */
		text = malloc((size_t)facts.st_size + 1);
		check(text != NULL);
		*len = fread(text, 1, (size_t)facts.st_size, f);
		if (ferror(f))
			why = "error while reading";
	}
	if (f != NULL)
		fclose(f);
	if (why == NULL)
		return text;
	complain(
	    complaints, (struct origin){path, 0}, "cannot be read: %s", why);
	free(text);
	return NULL;
}

static void refuse_files(struct config *c, struct complaints *complaints,
    const char *folder, const char *end, const char *other_end)
{
	struct string_list files =
	    list_files(c, complaints, folder, end, other_end);

	for (size_t i = 0; i < files.count; i++)
		complain(complaints, (struct origin){files.at[i], 1},
		    "%s is not supported by this version yet", folder);
}

void source_directory(struct config *c, struct complaints *complaints)
{
	struct string_list files =
	    list_files(c, complaints, "yaml.d", ".yaml", "_yaml");

	refuse_files(c, complaints, "postfix.d", ".conf", "_conf");
	refuse_files(c, complaints, "opendkim", "signingtable", "keytable");
	refuse_files(c, complaints, "users.d", ".conf", "_conf");
	for (size_t i = 0; i < files.count; i++) {
		size_t len = 0;
		uint8_t *text = read_file(complaints, files.at[i], &len);

		if (text == NULL)
			continue;
		source_yaml(c, complaints, files.at[i], slice_of(text, len));
		free(text);
	}
}
