// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/prepared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "sign/ima_sig.h"
#include "sign/pkcs7.h"
#include "sign/signature.h"

/* @items: digests of what was written to be signed, as a set; the signatures in it are empty */
struct prepared_writer {
	struct file_writer file;
	struct signatures *items;
	const char *algorithm;
};

static int write_line(struct prepared_writer *writer, json_t *object, struct assay_error *err)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = 0;

	json_decref(object);
	if (!text)
		return assay_fail(err, ENOMEM, "cannot write %s: out of memory", writer->file.path);
	errno = 0;
	if (fprintf(writer->file.stream, "%s\n", text) < 0)
		r = assay_fail(err, errno ? errno : EIO, "cannot write %s: %s", writer->file.path,
			       strerror(errno ? errno : EIO));
	free(text);
	return r;
}

static int write_header(struct prepared_writer *writer, const struct prepared_header *header,
			struct assay_error *err)
{
	struct buffer der = { 0 };
	json_t *object;
	int r = 0;

	object = json_pack("{s:i, s:s, s:s, s:o}", "assay", JSON_VERSION, "type", PREPARED_TYPE,
			   "signatures",
			   header->pkcs7 && header->ima ? "both" :
			   header->ima			? "ima" :
							  "pkcs7",
			   "manifest", manifest_header_json(&header->manifest));
	if (header->delegate)
		r = certificate_append_der(header->delegate, &der, err);
	if (r == 0 && header->delegate &&
	    json_object_set_new(object, "delegate", json_base64(buffer_bytes(&der))) < 0) {
		json_decref(object);
		object = NULL;
	}
	buffer_free(&der);
	if (r < 0) {
		json_decref(object);
		return r;
	}
	return write_line(writer, object, err);
}

int prepared_writer_open(const char *path, const struct prepared_header *header, EVP_PKEY *key,
			 struct prepared_writer **ret, struct assay_error *err)
{
	struct prepared_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return assay_fail(err, ENOMEM, "cannot write %s: out of memory", path);
	writer->algorithm = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? "rsa-pkcs1v15" : "ecdsa";
	r = signatures_new(&writer->items, err);
	if (r == 0)
		r = file_begin(&writer->file, path, 0644, err);
	if (r == 0)
		r = write_header(writer, header, err);
	if (r < 0) {
		prepared_writer_free(writer);
		return r;
	}
	*ret = writer;
	return 0;
}

FILE *prepared_writer_stream(const struct prepared_writer *writer)
{
	return writer->file.stream;
}

int prepared_writer_item(struct prepared_writer *writer, const struct prepared_item *item,
			 struct assay_error *err)
{
	char algorithm[64], digest[ASSAY_DIGEST_TEXT_MAX];
	int r;

	if (signatures_have(writer->items, &item->digest))
		return 0;
	r = signatures_add(writer->items, &item->digest, BYTES(NULL, 0), err);
	if (r < 0)
		return r;
	snprintf(algorithm, sizeof(algorithm), "%s-%s", writer->algorithm,
		 assay_hash_name(item->hash));
	return write_line(writer,
			  json_pack("{s:s, s:s, s:s, s:o}", "sign", item->sign, "algorithm",
				    algorithm, "digest", assay_digest_text(&item->digest, digest),
				    "bytes", json_base64(item->bytes)),
			  err);
}

static int write_item(struct prepared_writer *writer, const char *sign, enum assay_hash hash,
		      struct bytes bytes, struct assay_error *err)
{
	struct prepared_item item = { .sign = sign, .hash = hash, .bytes = bytes };
	int r = digest_bytes(hash, bytes, &item.digest, err);

	return r < 0 ? r : prepared_writer_item(writer, &item, err);
}

int prepared_writer_file(struct prepared_writer *writer, const struct prepared_file *file,
			 bool pkcs7, bool ima, struct assay_error *err)
{
	char digest[ASSAY_DIGEST_TEXT_MAX];
	uint8_t room[VERITY_FORMATTED_MAX + IMA_SIG_MESSAGE_MAX];
	int r = write_line(writer,
			   json_pack("{s:s, s:I, s:s}", "path", file->path, "size",
				     (json_int_t)file->size, "verity",
				     assay_digest_text(&file->digest, digest)),
			   err);

	if (r == 0 && pkcs7)
		r = write_item(writer, "pkcs7", file->digest.hash,
			       pkcs7_file_content(&file->digest, room).bytes, err);
	if (r == 0 && ima)
		r = write_item(writer, "ima", file->digest.hash,
			       ima_sig_message(&file->digest, room), err);
	return r;
}

size_t prepared_writer_items(const struct prepared_writer *writer)
{
	return signatures_count(writer->items);
}

static int write_signature(void *context, const struct assay_digest *digest, struct bytes signature,
			   struct assay_error *err)
{
	char text[ASSAY_DIGEST_TEXT_MAX];

	return write_line(context,
			  json_pack("{s:s, s:o}", "digest", assay_digest_text(digest, text),
				    "signature", json_base64(signature)),
			  err);
}

int prepared_writer_commit(struct prepared_writer *writer, const struct signatures *signatures,
			   struct assay_error *err)
{
	int r = signatures_each(signatures, write_signature, writer, err);

	return r < 0 ? r : file_commit(&writer->file, err);
}

void prepared_writer_free(struct prepared_writer *writer)
{
	if (!writer)
		return;
	file_abort(&writer->file);
	signatures_free(writer->items);
	free(writer);
}
