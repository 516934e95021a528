/* shards.c -- the numbered subdirectories of a spool. */
#include "core/shards.h"

#include <dirent.h>
#include <errno.h>

#include "core/base/slice.h"

int shards_list(const char *spool, struct shards *shards)
{
	bool there[SHARDS_MAX] = {false};
	DIR *d = opendir(spool);

	*shards = (struct shards){0};
	if (d == NULL)
		return -errno;
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		uint64_t number;

		/* A shard's name has no leading zeros. */
		if (e->d_name[0] == '0' && e->d_name[1] != '\0')
			continue;
		if (slice_number(slice_of_str(e->d_name), &number) &&
		    number < SHARDS_MAX)
			there[number] = true;
	}
	closedir(d);
	for (unsigned k = 0; k < SHARDS_MAX; k++)
		if (there[k])
			shards->at[shards->count++] = (uint8_t)k;
	return 0;
}
