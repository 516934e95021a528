/* privileges.c -- from root to a user that owns nothing but the spool.
 *
 * The spool becomes the working directory while we still may go there: parents
 * that the new user cannot search (a home directory) then do not matter. */
#include "core/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(struct log *log, const char *what, const char *name)
{
	int err = errno;

	log_begin(log, LOG_ERROR, "start_failed");
	log_str(log, "what", what);
	log_str(log, "name", name);
	log_str(log, "reply", strerror(err));
	log_end(log);
	return false;
}

/* mkdir -p */
static int make_directory(const char *path)
{
	char part[4096];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, path, len + 1);
	for (size_t i = 1; i < len; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -1;
		part[i] = '/';
	}
	if (mkdir(part, 0700) < 0 && errno != EEXIST)
		return -1;
	return 0;
}

/* Gives the directory's files, and those of its shards, to the user. */
static void give_entries(int dir_fd, const struct passwd *user, int depth)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)!fchownat(dir_fd, e->d_name, user->pw_uid, user->pw_gid,
		    AT_SYMLINK_NOFOLLOW);
		if (depth == 0)
			continue;
		int sub = openat(dir_fd, e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (sub >= 0) {
			give_entries(sub, user, depth - 1);
			close(sub);
		}
	}
	closedir(dir);
}

static bool give_spool(const struct passwd *user, struct log *log)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fchown(fd, user->pw_uid, user->pw_gid) < 0) {
		if (fd >= 0)
			close(fd);
		return complain(log, "chown of the spool to", user->pw_name);
	}
	give_entries(fd, user, 1);
	close(fd);
	return true;
}

static bool become(const struct passwd *user, struct log *log)
{
	if (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 ||
	    setuid(user->pw_uid) < 0)
		return complain(log, "becoming user", user->pw_name);
	check(setuid(0) < 0);
	return true;
}

bool privileges_drop(const char *spool, struct log *log)
{
	if (make_directory(spool) < 0)
		return complain(log, "making the spool directory", spool);
	if (chdir(spool) < 0)
		return complain(log, "entering the spool directory", spool);
	if (geteuid() != 0)
		return true;
	const struct passwd *user = getpwnam("smarthost");

	if (user == NULL)
		user = getpwnam("nobody");
	if (user == NULL) {
		errno = ENOENT;
		return complain(log, "no user `smarthost` or", "nobody");
	}
	return give_spool(user, log) && become(user, log);
}
