/* watch.c -- whether files of a configuration may have changed. */
#include "core/watch.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define QUIET_MS 1000
#define EVENTS                                                                 \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |              \
	    IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* The folder, or the nearest above it that is there. */
static void add_folder(struct watch *w, const char *path)
{
	char folder[PATH_MAX];
	int len = snprintf(folder, sizeof(folder), "%s", path);

	if (len <= 0 || (size_t)len >= sizeof(folder) || path[0] != '/')
		return;
	while (inotify_add_watch(w->fd, folder, EVENTS) < 0) {
		char *slash = strrchr(folder, '/');

		if (slash == folder)
			return;
		*slash = '\0';
	}
}

/* The folder that a path is in. */
static void add_path(void *arg, const char *path)
{
	struct watch *w = arg;
	char folder[PATH_MAX];
	int len = snprintf(folder, sizeof(folder), "%s", path);
	char *slash;

	if (len <= 0 || (size_t)len >= sizeof(folder))
		return;
	slash = strrchr(folder, '/');
	if (slash == NULL || slash == folder)
		return;
	*slash = '\0';
	add_folder(w, folder);
}

/* Also those that nothing was read from yet: a key may be missing there. */
static void add_subfolders(struct watch *w, const char *path)
{
	DIR *dir = opendir(path);
	char name[PATH_MAX];

	if (dir == NULL)
		return;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		int len =
		    snprintf(name, sizeof(name), "%s/%s", path, e->d_name);

		if (e->d_name[0] != '.' && len > 0 &&
		    (size_t)len < sizeof(name))
			(void)inotify_add_watch(w->fd, name, EVENTS);
	}
	closedir(dir);
}

void watch_config(struct watch *w, const struct config *c, uint64_t now_ms)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return;
	add_folder(w, c->dir);
	add_subfolders(w, c->dir);
	config_each_path(c, add_path, w);
	w->changed = true;
	w->changed_ms = now_ms;
}

bool watch_due(struct watch *w, uint64_t now_ms)
{
	_Alignas(struct inotify_event) char events[4096];

	if (w->fd < 0)
		return false;
	while (read(w->fd, events, sizeof(events)) > 0) {
		w->changed = true;
		w->changed_ms = now_ms;
	}
	if (!w->changed || now_ms - w->changed_ms < QUIET_MS)
		return false;
	w->changed = false;
	return true;
}
