/* certificates.c -- what the relay shows inside of TLS.
 *
 * The one that it made itself lies in the spool, `state/self-signed.pem`:
 *
 *   smarthost self-signed NAME
 *   (private key, PEM)
 *   (certificate, PEM)
 *
 * so that clients which have noted it know it again after a restart.  It is
 * made again when the host's name changes, when it expires soon, or when the
 * file cannot be used.  It is written beside its place and moved there, so that
 * there is never half of it. */
#include "core/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/self_signed.h"

#define STATE_DIR "state"
#define SELF_SIGNED STATE_DIR "/self-signed.pem"
#define SELF_SIGNED_NEW STATE_DIR "/self-signed.new"
#define OWN_MAX 8192
#define DAY_S 86400
#define EXPIRES_SOON_S (14 * DAY_S)

bool certificates_wanted(const struct config *c)
{
	return c->tls.level != TLS_LEVEL_NONE ||
	       c->listen_submissions.count > 0;
}

/* The file, when it is one of ours for this name. */
static bool read_own(const char *hostname, struct buf *pem)
{
	char want[320];
	int fd = open(SELF_SIGNED, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	ssize_t len = read(fd, pem->at, pem->room);

	close(fd);
	if (len <= 0 || (size_t)len == pem->room)
		return false;
	pem->len = (size_t)len;
	snprintf(want, sizeof(want), "smarthost self-signed %s\n", hostname);
	size_t want_len = strlen(want);

	return pem->len > want_len && memcmp(pem->at, want, want_len) == 0;
}

static struct tls_context *own_context(struct slice pem,
    struct tls_ticket_keys *ticket_keys, char *why, size_t why_len)
{
	struct tls_certificate own = {
	    .crt = pem,
	    .key = pem,
	    .source = SELF_SIGNED,
	};
	struct tls_server_options options = {
	    .certificates = &own,
	    .certificate_count = 1,
	    .ticket_keys = ticket_keys,
	};

	return tls_server_context(&options, why, why_len);
}

static bool is_good(struct slice pem, uint64_t now_s)
{
	char why[CERTIFICATES_WHY_MAX];
	const char *source;
	struct tls_context *c = own_context(pem, NULL, why, sizeof(why));
	bool good = c != NULL &&
		    tls_context_expires_s(c, &source) > now_s + EXPIRES_SOON_S;

	if (c != NULL)
		tls_context_give(c);
	return good;
}

static int write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t len = write(fd, bytes.at, bytes.len);

		if (len < 0)
			return -errno;
		slice_cut(&bytes, (size_t)len);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int sync_directory(void)
{
	int fd = open(STATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static int write_own(struct slice pem)
{
	int err;

	if (mkdir(STATE_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	(void)unlink(SELF_SIGNED_NEW); /* of one that was interrupted */
	int fd = open(
	    SELF_SIGNED_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	err = write_all(fd, pem);
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(SELF_SIGNED_NEW, SELF_SIGNED) < 0)
		err = -errno;
	if (err == 0)
		err = sync_directory();
	return err;
}

static int make_own(const char *hostname, uint64_t now_s, struct buf *pem)
{
	uint8_t room[SELF_SIGNED_MAX];
	struct buf crt = buf_over(room, sizeof(room));

	buf_clear(pem);
	buf_printf(pem, "smarthost self-signed %s\n", hostname);
	if (!self_signed_make(slice_of_str(hostname), now_s, &crt, pem) ||
	    !buf_put(pem, buf_slice(&crt)))
		return -EIO;
	return write_own(buf_slice(pem));
}

static int prepare_own(const struct config *c, uint64_t now_s, struct log *log)
{
	uint8_t room[OWN_MAX];
	struct buf pem = buf_over(room, sizeof(room));
	int err = 0;
	bool there =
	    read_own(c->hostname, &pem) && is_good(buf_slice(&pem), now_s);

	if (!there)
		err = make_own(c->hostname, now_s, &pem);
	explicit_bzero(room, sizeof(room));
	if (err < 0)
		return err;
	log_begin(log, LOG_WARN, "self_signed");
	log_str(log, "name", c->hostname);
	log_str(log, "reply",
	    "no certificate is configured (config.tls.crt_file): clients that "
	    "verify will refuse the relay's own");
	log_end(log);
	return 0;
}

int certificates_prepare(const struct config *c, uint64_t now_s,
    struct log *log, char *why, size_t why_len)
{
	int err = 0;

	if (certificates_wanted(c) && c->tls.certificate_count == 0)
		err = prepare_own(c, now_s, log);
	if (err < 0)
		snprintf(
		    why, why_len, "making %s: %s", SELF_SIGNED, strerror(-err));
	return err;
}

static struct tls_context *load_own(const struct config *c,
    struct tls_ticket_keys *ticket_keys, char *why, size_t why_len)
{
	uint8_t room[OWN_MAX];
	struct buf pem = buf_over(room, sizeof(room));
	struct tls_context *context = NULL;

	if (read_own(c->hostname, &pem))
		context =
		    own_context(buf_slice(&pem), ticket_keys, why, why_len);
	else
		snprintf(why, why_len, "%s cannot be read", SELF_SIGNED);
	explicit_bzero(room, sizeof(room));
	return context;
}

#define CERTIFICATES_MAX 64

struct tls_context *certificates_context(const struct config *c,
    struct tls_ticket_keys *ticket_keys, char *why, size_t why_len)
{
	struct tls_certificate all[CERTIFICATES_MAX];
	size_t count = c->tls.certificate_count;

	if (count == 0)
		return load_own(c, ticket_keys, why, why_len);
	if (count > COUNT(all)) {
		snprintf(
		    why, why_len, "more than %zu certificates", COUNT(all));
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		all[i] = (struct tls_certificate){
		    .crt = c->tls.certificates[i].crt.text,
		    .key = c->tls.certificates[i].key.text,
		    .source = c->tls.certificates[i].crt.source,
		};
	struct tls_server_options options = {
	    .certificates = all,
	    .certificate_count = count,
	    .ticket_keys = ticket_keys,
	};

	return tls_server_context(&options, why, why_len);
}

void certificates_look(
    const struct tls_context *context, uint64_t now_s, struct log *log)
{
	const char *source = "";
	uint64_t expires_s = tls_context_expires_s(context, &source);

	if (expires_s > now_s + EXPIRES_SOON_S)
		return;
	log_begin(log, expires_s > now_s ? LOG_WARN : LOG_ERROR,
	    expires_s > now_s ? "certificate_expires" : "certificate_expired");
	log_str(log, "name", source);
	log_number(log, "days", ((int64_t)expires_s - (int64_t)now_s) / DAY_S);
	log_end(log);
}
