/* directory.c -- the configuration directory: which files, in which order.
 *
 * Names of postfix.d are read as `sort -V` orders them, those of the other
 * folders in byte order.  What is absent is empty; what is there and cannot be
 * read is an error. */
#include "core/config/source.h"

#include <stdlib.h>

#include "core/config/files.h"
#include "core/config/memory.h"
#include "core/config/opendkim.h"
#include "core/config/postconf.h"
#include "core/config/user.h"

static bool ends_with(const char *name, const char *end)
{
	size_t name_len = strlen(name), end_len = strlen(end);

	return name_len >= end_len &&
	       strcmp(name + name_len - end_len, end) == 0;
}

/* The paths of the folder's files whose names end in one of the two. */
static struct string_list list_files(struct config *c,
    struct complaints *complaints, const char *folder, const char *end,
    const char *other_end)
{
	struct string_list files = {0};
	const char *path = memory_printf(c->memory, "%s/%s", c->dir, folder);
	const struct file *listing = files_list(c->memory->files, path);
	struct slice names = listing->text;

	if (listing->why != NULL && !listing->absent)
		complain(complaints, (struct origin){path, 0},
		    "cannot be read: %s", listing->why);
	while (names.len > 0) {
		const char *name = (const char *)slice_cut_at(&names, '\0').at;

		if (!ends_with(name, end) && !ends_with(name, other_end))
			continue;
		files.at = memory_grow(
		    c->memory, files.at, files.count, sizeof(files.at[0]));
		files.at[files.count++] =
		    memory_printf(c->memory, "%s/%s", path, name);
	}
	return files;
}

static const struct file *read_file(
    struct config *c, struct complaints *complaints, const char *path)
{
	const struct file *file = files_read(c->memory->files, path);

	if (file->why == NULL)
		return file;
	complain(complaints, (struct origin){path, 0}, "cannot be read: %s",
	    file->why);
	return NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* As `sort -V`: numbers in names count as numbers. */
static int by_version(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;

	while (*x != '\0' && *y != '\0') {
		if (!is_digit(*x) || !is_digit(*y)) {
			if (*x != *y)
				return (unsigned char)*x - (unsigned char)*y;
			x++;
			y++;
			continue;
		}
		while (*x == '0')
			x++;
		while (*y == '0')
			y++;
		size_t m = strspn(x, "0123456789"), n = strspn(y, "0123456789");
		int order = m != n ? (m < n ? -1 : 1) : memcmp(x, y, m);
		if (order != 0)
			return order;
		x += m;
		y += n;
	}
	return (unsigned char)*x - (unsigned char)*y;
}

static void read_postfix(struct config *c, struct complaints *complaints)
{
	struct string_list files =
	    list_files(c, complaints, "postfix.d", ".conf", "_conf");

	if (files.count > 1)
		qsort(files.at, files.count, sizeof(files.at[0]), by_version);
	for (size_t i = 0; i < files.count; i++) {
		const struct file *file = read_file(c, complaints, files.at[i]);

		if (file != NULL)
			postconf_file(c, complaints, file->path, file->text);
	}
	postconf_apply(c, complaints);
}

/* Both tables or neither: one alone signs nothing. */
static void read_opendkim(struct config *c, struct complaints *complaints)
{
	const char *folder = memory_printf(c->memory, "%s/opendkim", c->dir);
	const struct file *tables[2];
	static const char *const names[2] = {"keytable", "signingtable"};
	unsigned present = 0;

	for (unsigned i = 0; i < 2; i++) {
		tables[i] = files_read(c->memory->files,
		    memory_printf(c->memory, "%s/%s", folder, names[i]));
		present += !tables[i]->absent;
		if (tables[i]->why != NULL && !tables[i]->absent)
			complain(complaints,
			    (struct origin){tables[i]->path, 0},
			    "cannot be read: %s", tables[i]->why);
	}
	if (present == 1)
		complain(complaints, (struct origin){folder, 0},
		    "%s is there, but no %s",
		    tables[0]->absent ? names[1] : names[0],
		    tables[0]->absent ? names[0] : names[1]);
	if (tables[0]->why != NULL || tables[1]->why != NULL)
		return;
	struct opendkim_table keys = {tables[0]->path, tables[0]->text};
	struct opendkim_table rules = {tables[1]->path, tables[1]->text};
	opendkim_read(c, complaints, &keys, &rules);
}

static void read_users(struct config *c, struct complaints *complaints)
{
	struct string_list files =
	    list_files(c, complaints, "users.d", ".conf", "_conf");

	for (size_t i = 0; i < files.count; i++) {
		const struct file *file = read_file(c, complaints, files.at[i]);

		if (file != NULL)
			users_table(c, complaints, file->path, file->text);
	}
}

static void read_yaml(struct config *c, struct complaints *complaints)
{
	struct string_list files =
	    list_files(c, complaints, "yaml.d", ".yaml", "_yaml");

	for (size_t i = 0; i < files.count; i++) {
		const struct file *file = read_file(c, complaints, files.at[i]);

		if (file != NULL)
			source_yaml(c, complaints, file->path, file->text);
	}
}

void source_directory(struct config *c, struct complaints *complaints)
{
	read_postfix(c, complaints);
	read_opendkim(c, complaints);
	read_users(c, complaints);
	read_yaml(c, complaints);
}
