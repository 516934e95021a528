/* machine.c -- the few system calls that are nobody's in particular. */
#include "bench/machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

uint64_t machine_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void machine_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int machine_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool machine_address(const char *text, union socket_address *address)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (colon == NULL || !machine_number(colon + 1, &port) || port > 65535)
		return false;
	size_t len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*address = (union socket_address){0};
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) != 1)
		return false;
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons((uint16_t)port);
	return true;
}

bool machine_number(const char *text, uint64_t *number)
{
	return slice_number(slice_of_str(text), number);
}

bool machine_size(const char *text, uint64_t *size)
{
	struct slice s = slice_of_str(text);
	unsigned shift = 0;

	if (s.len > 0) {
		uint8_t unit = byte_lower(s.at[s.len - 1]);
		shift = unit == 'k' ? 10 : unit == 'm' ? 20 : 0;
		s.len -= shift > 0;
	}
	if (!slice_number(s, size) || *size > UINT64_MAX >> shift)
		return false;
	*size <<= shift;
	return true;
}
