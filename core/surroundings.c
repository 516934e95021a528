/* surroundings.c -- what a process finds when it is started, made as the relay
 * needs it: limits, standard descriptors. */
#include "core/surroundings.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_MIN 65536
#define RING_MEMORY (1u << 20) /* more than one ring counts */
#define RINGS_OF_OTHERS 256

/* To the hard limit; root may go beyond it. */
static void raise_limit(int resource, rlim_t wish)
{
	struct rlimit limit;

	if (getrlimit((unsigned)resource, &limit) < 0 || limit.rlim_cur >= wish)
		return;
	struct rlimit more = {
	    wish, limit.rlim_max > wish ? limit.rlim_max : wish};

	if (setrlimit((unsigned)resource, &more) == 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit((unsigned)resource, &limit);
}

/* Sockets need descriptors; the rings of all workers, and of everybody else
 * with our user id, count as locked memory. */
void surroundings_raise_limits(unsigned worker_count)
{
	struct rlimit files = {.rlim_max = DESCRIPTORS_MIN};

	(void)getrlimit(RLIMIT_NOFILE, &files);
	raise_limit(RLIMIT_NOFILE, files.rlim_max > DESCRIPTORS_MIN
				       ? files.rlim_max
				       : DESCRIPTORS_MIN);
	raise_limit(
	    RLIMIT_MEMLOCK, RING_MEMORY * (worker_count + RINGS_OF_OTHERS));
}

/* A program started without them would open a spool file as its standard
 * output, and write log lines into it. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Workers write to one file: each write must go to its end. */
static void append_output(void)
{
	struct stat output;
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && fstat(STDOUT_FILENO, &output) == 0 &&
	    S_ISREG(output.st_mode))
		(void)fcntl(STDOUT_FILENO, F_SETFL, flags | O_APPEND);
}

void surroundings_open(void)
{
	open_standard_descriptors();
	append_output();
}
