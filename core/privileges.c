/* privileges.c -- from root to a user that owns nothing but the spool.
 *
 * The supervisor keeps CAP_DAC_READ_SEARCH, with which nothing can be changed,
 * and its workers, to whom strangers speak, keep none.  No program that either
 * starts could gain one: the bounding set is empty.
 *
 * The spool becomes the working directory while we still may go there: parents
 * that the new user cannot search (a home directory) then do not matter. */
#include "core/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* Of the capabilities that we have only those in the set stay, and they are in
 * force.  Giving up needs no privilege: it cannot fail. */
static void keep_capabilities(uint64_t set)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {0};

	check(syscall(SYS_capget, &header, data) == 0);
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(set >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	check(syscall(SYS_capset, &header, data) == 0);
}

/* What an executed program could get.  Where we may not empty the bounding set
 * (no CAP_SETPCAP) we have little to lose. */
static void forbid_regaining(void)
{
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool become(const struct passwd *user, struct log *log)
{
	(void)prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 ||
	    setuid(user->pw_uid) < 0)
		return complain(log, "becoming user", user->pw_name);
	(void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	return true;
}

static bool leave_root(struct log *log)
{
	const struct passwd *user = getpwnam("smarthost");

	if (user == NULL)
		user = getpwnam("nobody");
	if (user == NULL) {
		errno = ENOENT;
		return complain(log, "no user `smarthost` or", "nobody");
	}
	return give_spool(user, log) && become(user, log);
}

void privileges_begin(void)
{
	keep_capabilities(~0ull);
}

bool privileges_drop(const char *spool, struct log *log)
{
	if (make_directory(spool) < 0)
		return complain(log, "making the spool directory", spool);
	if (chdir(spool) < 0)
		return complain(log, "entering the spool directory", spool);
	bool was_root = geteuid() == 0;

	forbid_regaining();
	if (was_root && !leave_root(log))
		return false;
	keep_capabilities(1ull << CAP_DAC_READ_SEARCH);
	check(!was_root || setuid(0) < 0);
	return true;
}

void privileges_end(void)
{
	keep_capabilities(0);
}
