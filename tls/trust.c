/* trust.c -- see trust.h.
 *
 * wolfSSL's certificate manager checks signatures, dates, critical extensions
 * and name constraints of one certificate against the authorities it holds.
 * From the leaf on: when the roots know the issuer the chain is good; otherwise
 * the issuer must be among what the peer sent, be allowed to sign, and, alone
 * in a manager of its own, verify what is below it. */
#include "tls/trust.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tls/pem.h"
#include "tls/wolfssl.h"

struct trust {
	WOLFSSL_CERT_MANAGER *roots;
};

/* Debian's, and where other distributions keep the same. */
static const char *const system_stores[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
};

static bool add_root(WOLFSSL_CERT_MANAGER *manager, struct slice der)
{
	return wolfSSL_CertManagerLoadCABuffer(manager, der.at, (long)der.len,
		   WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS;
}

static size_t add_roots(WOLFSSL_CERT_MANAGER *manager, struct slice text)
{
	uint8_t room[PEM_CERTIFICATE_MAX];
	struct buf der = buf_over(room, sizeof(room));
	enum pem_found found = pem_certificate(&text, &der);
	struct certificate c;
	size_t count = 0;

	while (found != PEM_NONE) {
		if (found == PEM_FOUND &&
		    certificate_read(&c, buf_slice(&der)) &&
		    add_root(manager, buf_slice(&der)))
			count++;
		found = pem_certificate(&text, &der);
	}
	return count;
}

static size_t read_roots(WOLFSSL_CERT_MANAGER *manager, const char *file)
{
	struct stat st;
	size_t count = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		void *at = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (at != MAP_FAILED) {
			count = add_roots(
			    manager, slice_of(at, (size_t)st.st_size));
			munmap(at, (size_t)st.st_size);
		}
	}
	close(fd);
	return count;
}

struct trust *trust_open(const char *file, const char **why)
{
	struct trust *t = WOLFSSL_TAKE(sizeof(*t));
	size_t count = 0;

	*why = "no memory";
	if (t == NULL)
		return NULL;
	t->roots = wolfSSL_CertManagerNew();
	if (t->roots == NULL)
		goto give;
	if (file != NULL)
		count = read_roots(t->roots, file);
	for (size_t i = 0; file == NULL && count == 0; i++) {
		if (i == COUNT(system_stores))
			break;
		count = read_roots(t->roots, system_stores[i]);
	}
	if (count > 0)
		return t;
	*why = file != NULL ? "it has no certificate that could be read"
			    : "this system has no store of trusted "
			      "certificates (package ca-certificates)";
	wolfSSL_CertManagerFree(t->roots);
give:
	WOLFSSL_GIVE(t);
	return NULL;
}

void trust_close(struct trust *t)
{
	wolfSSL_CertManagerFree(t->roots);
	WOLFSSL_GIVE(t);
}

static int verify_with(WOLFSSL_CERT_MANAGER *manager, struct slice der)
{
	return wolfSSL_CertManagerVerifyBuffer(
	    manager, der.at, (long)der.len, WOLFSSL_FILETYPE_ASN1);
}

/* Whether `issuer` signed it; dates of both included. */
static int verify_link(struct slice der, struct slice issuer)
{
	WOLFSSL_CERT_MANAGER *alone = wolfSSL_CertManagerNew();
	int result = MEMORY_E;

	if (alone == NULL)
		return result;
	result = wolfSSL_CertManagerLoadCABuffer(
	    alone, issuer.at, (long)issuer.len, WOLFSSL_FILETYPE_ASN1);
	if (result == WOLFSSL_SUCCESS)
		result = verify_with(alone, der);
	wolfSSL_CertManagerFree(alone);
	return result;
}

static const char *why_of(int result)
{
	switch (result) {
	case ASN_AFTER_DATE_E: return "certificate expired";
	case ASN_BEFORE_DATE_E: return "certificate not yet valid";
	case ASN_SELF_SIGNED_E: return "certificate is self-signed";
	case ASN_NO_SIGNER_E: return "certificate of an unknown authority";
	case ASN_SIG_CONFIRM_E: return "certificate with a wrong signature";
	default: return "certificate is not valid";
	}
}

struct path {
	struct certificate certificates[TRUST_CHAIN_MAX];
	bool used[TRUST_CHAIN_MAX];
	size_t count;
};

/* The certificate that issued number `at` and has not been on the way yet;
 * `below`: authorities between it and the leaf.  path->count: none. */
static size_t find_issuer(const struct path *path, size_t at, uint32_t below)
{
	const struct certificate *c = &path->certificates[at];

	for (size_t i = 1; i < path->count; i++) {
		const struct certificate *ca = &path->certificates[i];

		if (!path->used[i] && ca->is_ca && ca->path_max >= below &&
		    slice_eq(ca->subject, c->issuer))
			return i;
	}
	return path->count;
}

static const char *walk(const struct trust *t, struct path *path)
{
	size_t at = 0;

	for (uint32_t below = 0;; below++) {
		const struct certificate *c = &path->certificates[at];

		path->used[at] = true;
		int result = verify_with(t->roots, c->der);

		if (result == WOLFSSL_SUCCESS)
			return NULL;
		size_t issuer = find_issuer(path, at, below);

		if (issuer == path->count) {
			if (result == ASN_NO_SIGNER_E &&
			    slice_eq(c->issuer, c->subject))
				result = ASN_SELF_SIGNED_E;
			return why_of(result);
		}
		result = verify_link(c->der, path->certificates[issuer].der);
		if (result != WOLFSSL_SUCCESS)
			return why_of(result);
		at = issuer;
	}
}

const char *trust_verify(const struct trust *t, const struct slice *chain,
    size_t count, struct slice name)
{
	struct path path = {.count = 0};

	for (size_t i = 0; i < count && i < TRUST_CHAIN_MAX; i++) {
		if (!certificate_read(
			&path.certificates[path.count], chain[i])) {
			if (i == 0)
				break;
			continue;
		}
		path.count++;
	}
	if (path.count == 0)
		return "certificate cannot be read";
	const char *why = walk(t, &path);

	if (why != NULL)
		return why;
	if (!path.certificates[0].for_servers)
		return "certificate is not for servers";
	return certificate_is_for(&path.certificates[0], name)
		   ? NULL
		   : "certificate is for another name";
}
