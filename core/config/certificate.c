/* certificate.c -- the text of certificates and keys, from files or inline.
 *
 * Here is only seen whether something that looks like a key is where a key is
 * asked for: the mistake of naming the wrong file.  Whether it can be used, and
 * whether it belongs to the certificate, is for those who know. */
#include "core/config/certificate.h"

#include "core/base/check.h"
#include "core/config/files.h"
#include "core/config/memory.h"
#include "core/config/option.h"
#include "core/config/text.h"

bool pem_read(struct config *c, struct complaints *complaints,
    struct origin where, const char *path, struct config_text *pem)
{
	const struct file *file = files_read(c->memory->files, path);

	*pem = (struct config_text){
	    .text = file->text,
	    .source = memory_copy(c->memory, slice_of_str(path)),
	};
	if (file->why == NULL)
		return true;
	complain(complaints, where, "%s: cannot be read: %s", path, file->why);
	return false;
}

bool pem_has_key(struct complaints *complaints, struct origin where,
    const struct config_text *pem)
{
	if (text_has(pem->text, "PRIVATE KEY-----"))
		return true;
	complain(complaints, where, "%s: there is no private key in it (PEM)",
	    pem->source);
	return false;
}

bool pem_has_certificate(struct complaints *complaints, struct origin where,
    const struct config_text *pem)
{
	if (text_has(pem->text, "-----BEGIN CERTIFICATE-----"))
		return true;
	complain(complaints, where, "%s: there is no certificate in it (PEM)",
	    pem->source);
	return false;
}

/* One side of the pairs: files, or one inline text. */
struct side {
	const char *file_key, *inline_key;
	const struct string_list *files;
	const struct config_text *text;
	struct origin where;
	size_t count;
	bool good;
};

static struct origin origin_of(const struct config *c, const char *key)
{
	const struct option *o = option_find(slice_of_str(key));

	return c->memory->origins[option_index(o)];
}

static void look(
    const struct config *c, struct complaints *complaints, struct side *side)
{
	bool has_text = side->text->text.len > 0;

	side->good = !(has_text && side->files->count > 0);
	side->count = has_text ? 1 : side->files->count;
	side->where =
	    origin_of(c, has_text ? side->inline_key : side->file_key);
	if (!side->good)
		complain(complaints, side->where, "%s and %s are both given",
		    side->inline_key, side->file_key);
}

static struct config_text read_one(struct config *c,
    struct complaints *complaints, struct side *side, size_t index)
{
	struct config_text pem = *side->text;

	if (pem.text.len == 0)
		side->good &= pem_read(
		    c, complaints, side->where, side->files->at[index], &pem);
	return pem;
}

static void read_pairs(struct config *c, struct complaints *complaints,
    struct side *crt, struct side *key)
{
	c->tls.certificate_count = crt->count;
	c->tls.certificates =
	    memory_take(c->memory, crt->count * sizeof(c->tls.certificates[0]));
	for (size_t i = 0; i < crt->count; i++) {
		struct config_certificate *one = &c->tls.certificates[i];
		/* A key may be in the file of its certificate. */
		struct side *from = key->count > 0 ? key : crt;

		crt->good = key->good = true;
		one->crt = read_one(c, complaints, crt, i);
		if (crt->good)
			pem_has_certificate(complaints, crt->where, &one->crt);
		one->key =
		    from == crt ? one->crt : read_one(c, complaints, from, i);
		if (from->good)
			pem_has_key(complaints, from->where, &one->key);
	}
}

void certificates_finish(struct config *c, struct complaints *complaints)
{
	struct side crt = {
	    .file_key = "config.tls.crt_file",
	    .inline_key = "config.tls.crt",
	    .files = &c->tls.crt_files,
	    .text = &c->tls.crt,
	};
	struct side key = {
	    .file_key = "config.tls.key_file",
	    .inline_key = "config.tls.key",
	    .files = &c->tls.key_files,
	    .text = &c->tls.key,
	};

	look(c, complaints, &crt);
	look(c, complaints, &key);
	if (!crt.good || !key.good)
		return;
	if (key.count > 0 && key.count != crt.count)
		complain(complaints, key.where,
		    "config.tls: %zu certificates, but %zu keys", crt.count,
		    key.count);
	else
		read_pairs(c, complaints, &crt, &key);
}
