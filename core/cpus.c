/* cpus.c -- how many CPUs this process may use. */
#include "core/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* cgroup v2: "QUOTA PERIOD" or "max PERIOD" in microseconds. */
static unsigned quota_of(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned long quota = 0, period = 0;

	if (f == NULL)
		return 0;
	int fields = fscanf(f, "%lu %lu", &quota, &period);

	fclose(f);
	if (fields != 2 || period == 0)
		return 0;
	return (unsigned)((quota + period - 1) / period);
}

/* The path of our cgroup v2 below its mount, or "" (also inside a container
 * with a namespace of its own, where the files are at the mount's root). */
static void cgroup_path(char *path, size_t room)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[512];

	path[0] = '\0';
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, room, "%s", line + 3);
	}
	fclose(f);
}

unsigned cpus_usable(void)
{
	cpu_set_t set;
	unsigned count = 1;
	char group[512];
	char path[600];

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = (unsigned)CPU_COUNT(&set);
	cgroup_path(group, sizeof(group));
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group);
	unsigned quota = quota_of(path);

	if (quota == 0)
		quota = quota_of("/sys/fs/cgroup/cpu.max");
	if (quota > 0 && quota < count)
		count = quota;
	return count > 0 ? count : 1;
}
