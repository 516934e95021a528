/* handover.c -- how a configuration that the supervisor has read comes to its
 * workers, who may not read it themselves. */
#include "core/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int handover_open(int *ours, int *theirs)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, ends) < 0)
		return -errno;
	*ours = ends[0];
	*theirs = ends[1];
	return 0;
}

static int write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t len = write(fd, bytes.at, bytes.len);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		slice_cut(&bytes, (size_t)len);
	}
	return 0;
}

int handover_make(struct slice bytes)
{
	int fd = memfd_create(
	    "smarthost configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	int err = write_all(fd, bytes);
	if (err == 0 &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* Room for one descriptor beside a message. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int handover_send(int ours, int bundle)
{
	char byte = 'c';
	struct iovec iov = {&byte, 1};
	union control control = {0};
	struct msghdr message = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &bundle, sizeof(int));
	return sendmsg(ours, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_one(int theirs)
{
	char byte;
	struct iovec iov = {&byte, 1};
	union control control = {0};
	struct msghdr message = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room),
	};
	ssize_t len = recvmsg(theirs, &message, MSG_CMSG_CLOEXEC);
	int fd;

	if (len <= 0)
		return len == 0 ? -EPIPE : -errno;
	/* The kernel had no descriptor left for us. */
	if (message.msg_controllen < sizeof(struct cmsghdr))
		return -EMFILE;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

int handover_receive(int theirs)
{
	int last = -EAGAIN, fd;

	while ((fd = receive_one(theirs)) >= 0) {
		if (last >= 0)
			close(last);
		last = fd;
	}
	return last >= 0 ? last : fd;
}

struct slice handover_map(int bundle)
{
	struct stat facts;
	void *at;

	if (fstat(bundle, &facts) < 0 || facts.st_size == 0)
		return (struct slice){0};
	at = mmap(
	    NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, bundle, 0);
	if (at == MAP_FAILED)
		return (struct slice){0};
	(void)madvise(at, (size_t)facts.st_size, MADV_DONTDUMP);
	return slice_of(at, (size_t)facts.st_size);
}

void handover_unmap(struct slice bytes)
{
	union {
		const uint8_t *at;
		void *pages;
	} mapped = {.at = bytes.at};

	munmap(mapped.pages, bytes.len);
}
