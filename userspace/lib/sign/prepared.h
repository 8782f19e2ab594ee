/* SPDX-License-Identifier: MIT */
/*
 * What is to be signed elsewhere, in one file: JSON Lines. The header first:
 *
 *	{"assay":1,"type":"to-sign","signatures":"pkcs7"|"ima"|"both","manifest":{the header of
 *	 the manifest, see sign/manifest.h},"delegate":"BASE64"}
 *
 * "delegate" is the certificate of a delegate (sign/delegate.h) that the signing key has yet to
 * sign, DER; else it is missing. Then, in any order but for files, which are sorted by path:
 *
 *	{"path":"/usr/bin/x","size":1234,"verity":"sha256:HEX"}
 *	{"sign":"pkcs7","algorithm":"ecdsa-sha256","digest":"sha256:HEX","bytes":"BASE64"}
 *	{"digest":"sha256:HEX","signature":"BASE64"}
 *
 * the files as they were, with their fs-verity digest; what is to be signed, once if it is the
 * same of several files; and what is signed already. "sign" says of what it is: a file's built-in
 * signature ("pkcs7": struct fsverity_formatted_digest) or IMA signature ("ima": struct
 * ima_file_id), the manifest ("manifest", sign/manifest_signature.h), or the delegate's
 * certificate ("certificate": TBSCertificate of RFC 5280). "digest" is what a device that signs
 * digests gets, the hash of "bytes", what others get.
 *
 * For commands that sign; reading is pure.
 */
#ifndef ASSAY_SIGN_PREPARED_H
#define ASSAY_SIGN_PREPARED_H

#include "sign/manifest.h"
#include "sign/signatures.h"

#define PREPARED_TYPE "to-sign"
/* The most bytes of such a file. */
#define PREPARED_SIZE_MAX ((size_t)1 << 31)

/**
 * struct prepared_header - what all of it is for
 * @manifest: of the manifest that comes of it
 * @pkcs7, @ima: which signatures files get
 * @delegate: not signed yet; NULL: the signing key signs files. Whoever fills it in owns it
 */
struct prepared_header {
	struct manifest_header manifest;
	bool pkcs7, ima;
	X509 *delegate;
};

/**
 * struct prepared_file - a file as it was
 * @path: owned by the struct prepared
 */
struct prepared_file {
	const char *path;
	uint64_t size;
	struct assay_digest digest;
};

/**
 * struct prepared - what was read
 * @files, @count: sorted by path
 * @wanted: how many things are to be signed; @only: the digest of the one, where it is one
 * @next: of @files, for prepared_match()
 */
struct prepared {
	struct prepared_header header;
	struct prepared_file *files;
	size_t count, wanted, next;
	struct assay_digest only;
};

/*
 * prepared_parse() - read such a file
 * @signatures: gets what is signed already
 * @ret: prepared_free() it
 *
 * Return: 0; -EBADMSG and where it is none
 */
int prepared_parse(struct bytes text, const char *name, struct signatures *signatures,
		   struct prepared **ret, struct assay_error *err);
/* Does nothing with NULL. */
void prepared_free(struct prepared *prepared);

enum prepared_match {
	PREPARED_SAME, /* the file of that path */
	PREPARED_NEW,  /* there was none of that path */
	PREPARED_GONE, /* one before it was not asked for; ask again */
};

/*
 * prepared_match() - the next file, in order
 * @path: behind those asked for before; NULL: there is none any more
 * @ret: of PREPARED_SAME and PREPARED_GONE
 */
enum prepared_match prepared_match(struct prepared *prepared, const char *path,
				   const struct prepared_file **ret);

/* What is to be signed. */
struct prepared_item {
	const char *sign;
	enum assay_hash hash;
	struct assay_digest digest;
	struct bytes bytes;
};

struct prepared_writer;

/*
 * prepared_writer_open() - begin such a file, complete or as it was
 * @key: that will sign
 */
int prepared_writer_open(const char *path, const struct prepared_header *header, EVP_PKEY *key,
			 struct prepared_writer **ret, struct assay_error *err);

/* prepared_writer_stream() - where it is written to, for who must not sign it */
FILE *prepared_writer_stream(const struct prepared_writer *writer);

/* prepared_writer_file() - a file, in order, and which of its signatures are to be made */
int prepared_writer_file(struct prepared_writer *writer, const struct prepared_file *file,
			 bool pkcs7, bool ima, struct assay_error *err);

/* prepared_writer_item() - one more thing to sign; the same twice is written once */
int prepared_writer_item(struct prepared_writer *writer, const struct prepared_item *item,
			 struct assay_error *err);

/* prepared_writer_items() - how many things there are to sign by now */
size_t prepared_writer_items(const struct prepared_writer *writer);

/* prepared_writer_commit() - the signatures that are there at the end, and put it in place */
int prepared_writer_commit(struct prepared_writer *writer, const struct signatures *signatures,
			   struct assay_error *err);

/* Does nothing with NULL; what was not committed is gone. */
void prepared_writer_free(struct prepared_writer *writer);

#endif /* ASSAY_SIGN_PREPARED_H */
