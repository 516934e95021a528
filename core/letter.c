/* letter.c -- a message that a command-line tool submits, in memory. */
#include "core/letter.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM_MIN (1u << 16)

static bool make_room(struct letter *l, size_t len)
{
	size_t room = l->room > 0 ? l->room : ROOM_MIN;
	void *at;

	if (l->failed || len <= l->room - l->len)
		return !l->failed;
	while (room - l->len < len)
		room *= 2;
	at = l->at == NULL ? mmap(NULL, room, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
			   : mremap(l->at, l->room, room, MREMAP_MAYMOVE);
	l->failed = at == MAP_FAILED;
	if (l->failed)
		return false;
	l->at = at;
	l->room = room;
	return true;
}

void letter_free(struct letter *l)
{
	if (l->at != NULL)
		munmap(l->at, l->room);
	*l = (struct letter){0};
}

void letter_put(struct letter *l, struct slice bytes)
{
	if (bytes.len == 0 || !make_room(l, bytes.len))
		return;
	memcpy(l->at + l->len, bytes.at, bytes.len);
	l->len += bytes.len;
}

int letter_read(struct letter *l, int fd)
{
	for (;;) {
		if (!make_room(l, ROOM_MIN))
			return -ENOMEM;
		ssize_t len = read(fd, l->at + l->len, l->room - l->len);

		if (len < 0 && errno != EINTR)
			return -errno;
		if (len == 0)
			return 0;
		if (len > 0)
			l->len += (size_t)len;
	}
}

bool letter_next_line(struct slice *rest, struct slice *line)
{
	if (rest->len == 0)
		return false;
	*line = slice_cut_at(rest, '\n');
	if (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

void letter_put_line(struct letter *l, struct slice line)
{
	/* RFC 5321, 4.5.2 */
	if (line.len > 0 && line.at[0] == '.')
		letter_put(l, SLICE("."));
	for (size_t i = 0; i < line.len && !l->has_8bit; i++)
		l->has_8bit = line.at[i] > 0x7f;
	letter_put(l, line);
	letter_put(l, SLICE("\r\n"));
}
