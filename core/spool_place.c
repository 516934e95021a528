/* spool_place.c -- the directory of the queue.
 *
 * Images with Postfix inside tell their users to mount a volume on
 * /var/spool/postfix.  Who changes to this program and leaves everything else
 * as it is must not lose mail with the container.  It is asked anew by every
 * command that needs the place, so that `queue list` and the relay agree. */
#include "core/spool_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/slice.h"

#define POSTFIX_SETTINGS "/etc/postfix/main.cf"

/* The mount point is the fifth word of a line: proc_pid_mountinfo(5).  A blank
 * in it would be written as \040; in the names we ask for there is none. */
static bool is_about(struct slice line, struct slice dir)
{
	for (unsigned i = 0; i < 4; i++)
		(void)slice_cut_at(&line, ' ');
	return slice_eq(slice_cut_at(&line, ' '), dir);
}

bool spool_place_is_mounted(const char *mountinfo, const char *dir)
{
	FILE *f = fopen(mountinfo, "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	ssize_t len;

	if (f == NULL)
		return false;
	while (!found && (len = getline(&line, &room, f)) > 0)
		found =
		    is_about(slice_of(line, (size_t)len), slice_of_str(dir));
	free(line);
	fclose(f);
	return found;
}

const char *spool_place(const char *configured)
{
	if (strcmp(configured, SPOOL_USUAL) == 0 &&
	    access(POSTFIX_SETTINGS, F_OK) < 0 &&
	    spool_place_is_mounted("/proc/self/mountinfo", SPOOL_OF_OLD))
		return SPOOL_OF_OLD "/smarthost";
	return configured;
}
