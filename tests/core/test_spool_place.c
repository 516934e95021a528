/* Where the queue is, by tables of mounts as the kernel writes them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/check.h"
#include "core/spool_place.h"

#define ROOT                                                                   \
	"23 28 0:21 / / rw,relatime - overlay overlay rw,lowerdir=/l\n"        \
	"24 23 0:22 / /proc rw,nosuid - proc proc rw\n"

static const struct table {
	const char *name, *text;
	bool mounted;
} tables[] = {
    {"nothing", "", false},
    {"a container without volumes", ROOT, false},
    {"a volume",
	ROOT "90 23 8:1 /volumes/q/_data /var/spool/postfix rw,relatime "
	     "master:1 - ext4 /dev/sda1 rw\n",
	true},
    {"the last line has no end",
	"90 23 8:1 / /var/spool/postfix rw - ext4 /dev/sda1 rw", true},
    {"a directory below it",
	ROOT "90 23 8:1 / /var/spool/postfix/dev rw - ext4 /dev/sda1 rw\n",
	false},
    {"a directory above it",
	ROOT "90 23 8:1 / /var/spool rw - ext4 /dev/sda1 rw\n", false},
    {"a longer name",
	ROOT "90 23 8:1 / /var/spool/postfix2 rw - ext4 /dev/sda1 rw\n", false},
    {"as the root of another mount",
	ROOT "90 23 8:1 /var/spool/postfix /mnt rw - ext4 /dev/sda1 rw\n",
	false},
    {"a line that is cut short", "90 23 8:1 /\n", false},
};

Test(spool_place, a_mount_is_seen)
{
	for (size_t i = 0; i < COUNT(tables); i++) {
		char path[] = "/tmp/smarthost-test-mounts-XXXXXX";
		int fd = mkstemp(path);
		size_t len = strlen(tables[i].text);

		cr_assert_geq(fd, 0);
		cr_assert_eq(write(fd, tables[i].text, len), (ssize_t)len);
		close(fd);
		cr_expect_eq(spool_place_is_mounted(path, SPOOL_OF_OLD),
		    tables[i].mounted, "%s", tables[i].name);
		unlink(path);
	}
	cr_expect_not(spool_place_is_mounted("/nonexistent", SPOOL_OF_OLD));
}

Test(spool_place, what_is_configured_is_obeyed)
{
	cr_expect_str_eq(spool_place("/srv/mail"), "/srv/mail");
}
