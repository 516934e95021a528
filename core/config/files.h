/* files.h -- the files and folders that a configuration is made of, each read
 * once.
 *
 * Everything that is read goes through here, so that what was read can be
 * handed on as one bundle: a configuration loaded from the bundle, by a process
 * that may not open the files, is the same to the byte. */
#ifndef CORE_CONFIG_FILES_H
#define CORE_CONFIG_FILES_H

#include <stdbool.h>

#include "core/base/slice.h"

#define FILE_LEN_MAX (16u << 20)
#define FOLDER_NAMES_MAX 10000

struct config_memory;
struct files;

struct file {
	const char *path;
	struct slice text; /* a folder: its names, each with its NUL */
	const char *why;   /* it cannot be read, or NULL */
	bool absent;	   /* there is none; `why` says so too */
};

/* In the memory, and gone with it.  `bundle`: what files_bundle made, the only
 * place to look; empty: the file system. */
struct files *files_open(struct config_memory *m, struct slice bundle);
void files_close(struct files *f);

/* The text stays as long as the memory does. */
const struct file *files_read(struct files *f, const char *path);
/* The names in a folder that do not begin with a dot, in byte order. */
const struct file *files_list(struct files *f, const char *path);

/* All that was read, in the memory; made once. */
struct slice files_bundle(struct files *f);

/* Each path that was looked at. */
void files_each(const struct files *f,
    void (*each)(void *arg, const char *path), void *arg);

#endif
