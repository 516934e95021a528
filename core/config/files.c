/* files.c -- files and folders, each read once; and all of them as one bundle.
 *
 * A bundle is a row of records: kind, whether it is absent, three lengths, and
 * the bytes of path, text and reason.  It never leaves this machine, so numbers
 * are as the machine has them; it comes from our own supervisor, so one that is
 * torn is a bug. */
#include "core/config/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/map.h"
#include "core/config/memory.h"

#define FILE_COUNT_MAX (1u << 20)

enum file_kind { FILE_PLAIN, FILE_FOLDER };

struct entry {
	struct file file;
	struct map_node node;
	struct entry *next; /* in the order of reading */
	enum file_kind kind;
};

struct files {
	struct config_memory *memory;
	struct map by_path;
	struct entry *first;
	struct entry **last;
	bool closed;	     /* to everything but the bundle */
	struct slice bundle; /* when it was asked for */
};

struct record {
	uint32_t kind;
	uint32_t absent;
	uint64_t path_len, text_len, why_len;
};

static uint64_t hash_of(const char *path, enum file_kind kind)
{
	return slice_hash_nocase(slice_of_str(path), kind);
}

static const struct file *find(
    const struct files *f, const char *path, enum file_kind kind)
{
	uint64_t hash = hash_of(path, kind);

	for (struct map_node *n = map_first(&f->by_path, hash); n != NULL;
	     n = map_next(n)) {
		struct entry *e = container_of(n, struct entry, node);

		if (e->kind == kind && strcmp(e->file.path, path) == 0)
			return &e->file;
	}
	return NULL;
}

static struct entry *add(
    struct files *f, struct slice path, enum file_kind kind)
{
	struct entry *e = memory_take(f->memory, sizeof(*e));

	e->kind = kind;
	e->file.path = memory_copy(f->memory, path);
	*f->last = e;
	f->last = &e->next;
	map_insert(&f->by_path, &e->node, hash_of(e->file.path, kind));
	return e;
}

static const char *error_text(struct files *f, int err)
{
	return memory_copy(f->memory, slice_of_str(strerror(err)));
}

/* Without stdio's buffer: it would keep a copy of a secret. */
static const char *read_all(
    struct files *f, FILE *stream, size_t room, struct slice *text)
{
	uint8_t *at = memory_take(f->memory, room + 1);
	size_t len;

	setvbuf(stream, NULL, _IONBF, 0);
	len = fread(at, 1, room + 1, stream);
	if (ferror(stream))
		return error_text(f, errno);
	/* It has grown since it was looked at. */
	if (len > room)
		return "it is being written to";
	*text = slice_of(at, len);
	return NULL;
}

static void read_plain(struct files *f, struct file *file)
{
	struct stat facts;
	FILE *stream = NULL;

	/* Opening a pipe would wait for its writer. */
	if (stat(file->path, &facts) < 0) {
		file->absent = errno == ENOENT;
		file->why = error_text(f, errno);
	} else if (!S_ISREG(facts.st_mode) && !S_ISCHR(facts.st_mode)) {
		file->why = "not a file";
	} else if (facts.st_size > (off_t)FILE_LEN_MAX) {
		file->why = "too large";
	} else if ((stream = fopen(file->path, "re")) == NULL) {
		file->why = error_text(f, errno);
	} else {
		file->why =
		    read_all(f, stream, (size_t)facts.st_size, &file->text);
		fclose(stream);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `names` one after the other, each with its NUL. */
static struct slice joined(
    struct config_memory *m, const char *const *names, size_t count)
{
	size_t len = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		len += strlen(names[i]) + 1;
	char *text = memory_take(m, len);
	for (size_t i = 0; i < count; i++) {
		memcpy(text + at, names[i], strlen(names[i]) + 1);
		at += strlen(names[i]) + 1;
	}
	return slice_of(text, len);
}

static void read_folder(struct files *f, struct file *file)
{
	DIR *dir = opendir(file->path);
	const char **names;
	size_t count = 0;

	if (dir == NULL) {
		file->absent = errno == ENOENT;
		file->why = error_text(f, errno);
		return;
	}
	names = calloc(FOLDER_NAMES_MAX, sizeof(names[0]));
	check(names != NULL);
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		/* Editors' and Kubernetes' own files begin with a dot. */
		if (e->d_name[0] == '.')
			continue;
		if (count == FOLDER_NAMES_MAX) {
			file->why = "it has more than 10000 files";
			break;
		}
		names[count++] =
		    memory_copy(f->memory, slice_of_str(e->d_name));
	}
	closedir(dir);
	qsort(names, count, sizeof(names[0]), by_bytes);
	file->text = joined(f->memory, names, count);
	free(names);
}

static const struct file *look(
    struct files *f, const char *path, enum file_kind kind)
{
	const struct file *known = find(f, path, kind);

	if (known != NULL)
		return known;
	struct entry *e = add(f, slice_of_str(path), kind);

	if (f->closed) {
		e->file.absent = true;
		e->file.why = error_text(f, ENOENT);
	} else if (kind == FILE_PLAIN) {
		read_plain(f, &e->file);
	} else {
		read_folder(f, &e->file);
	}
	return &e->file;
}

const struct file *files_read(struct files *f, const char *path)
{
	return look(f, path, FILE_PLAIN);
}

const struct file *files_list(struct files *f, const char *path)
{
	return look(f, path, FILE_FOLDER);
}

static struct slice taken(struct files *f, struct slice *rest, uint64_t len)
{
	check(len <= rest->len);
	struct slice piece = slice_cut(rest, len);

	return slice_of(memory_copy(f->memory, piece), piece.len);
}

static void unpack(struct files *f, struct slice rest)
{
	while (rest.len > 0) {
		struct record r;

		check(rest.len >= sizeof(r));
		memcpy(&r, slice_cut(&rest, sizeof(r)).at, sizeof(r));
		check(r.kind <= FILE_FOLDER);
		struct slice path = taken(f, &rest, r.path_len);
		struct entry *e = add(f, path, (enum file_kind)r.kind);
		e->file.text = taken(f, &rest, r.text_len);
		struct slice why = taken(f, &rest, r.why_len);
		if (why.len > 0)
			e->file.why = (const char *)why.at;
		e->file.absent = r.absent != 0;
	}
}

struct files *files_open(struct config_memory *m, struct slice bundle)
{
	struct files *f = memory_take(m, sizeof(*f));

	f->memory = m;
	f->last = &f->first;
	check(map_init(&f->by_path, FILE_COUNT_MAX) == 0);
	unpack(f, bundle);
	f->closed = bundle.len > 0;
	return f;
}

void files_close(struct files *f)
{
	map_deinit(&f->by_path);
}

static struct record record_of(const struct entry *e)
{
	const struct file *file = &e->file;

	return (struct record){
	    .kind = e->kind,
	    .absent = file->absent,
	    .path_len = strlen(file->path),
	    .text_len = file->text.len,
	    .why_len = file->why == NULL ? 0 : strlen(file->why),
	};
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(at, bytes, len);
	return at + len;
}

void files_each(
    const struct files *f, void (*each)(void *arg, const char *path), void *arg)
{
	for (const struct entry *e = f->first; e != NULL; e = e->next)
		each(arg, e->file.path);
}

struct slice files_bundle(struct files *f)
{
	size_t len = 0;
	uint8_t *at, *end;

	if (f->bundle.len > 0)
		return f->bundle;
	for (const struct entry *e = f->first; e != NULL; e = e->next) {
		struct record r = record_of(e);

		len += sizeof(r) + r.path_len + r.text_len + r.why_len;
	}
	end = at = memory_take(f->memory, len);
	for (const struct entry *e = f->first; e != NULL; e = e->next) {
		struct record r = record_of(e);

		end = put(end, &r, sizeof(r));
		end = put(end, e->file.path, r.path_len);
		end = put(end, e->file.text.at, r.text_len);
		end = put(end, e->file.why, r.why_len);
	}
	f->bundle = slice_of(at, len);
	return f->bundle;
}
