/* SPDX-License-Identifier: MIT */
/*
 * The manifest: the signed reference values of a set of files, as JSON Lines.
 *
 * The first line is the header, then one object a file, sorted by the bytes of the
 * path, each path once:
 *
 *	{"assay":1,"type":"manifest","id":"HEX32","created":"2025-01-31T12:00:00Z",
 *	 "product":TEXT,"hash":"sha256","block_size":4096,"salt":"HEX",
 *	 "signer":{"subject":...,"key_id":"HEX"},"also":{"subject":...,"key_id":"HEX"}}
 *	{"path":"/usr/bin/x","size":1234,"digest":"sha256:HEX","package":"coreutils",
 *	 "version":"9.1-1","architecture":"arm64","pkcs7":"BASE64","ima":"BASE64",
 *	 "mtime":1738324800000000000,"ctime":1738324800000000000,"inode":5678}
 *
 * Each object is on one line that ends in a newline (shown wrapped here). "product" and
 * "also" may be missing, and one of "pkcs7" and "ima" may be missing. "package", "version" and
 *"architecture" say which package of a distribution the file is of; all or none are there. "mtime",
 *"ctime" and "inode" tell a signer whether the file is still the one that it signed; nobody else
 *looks at them, and they may be missing. It is read and written as a stream: memory does not grow
 *with the number of files. Its own signature is described in sign/manifest_signature.h.
 *
 * For cmd/, assayd and also lib/verify: reading from memory and finding are pure. No TPM
 * code.
 */
#ifndef ASSAY_SIGN_MANIFEST_H
#define ASSAY_SIGN_MANIFEST_H

#include <stdio.h>

#include "base/json.h"
#include "base/utc.h"
#include "sign/certificate.h"
#include "sign/package.h"
#include "verity/verity.h"

#define MANIFEST_SIGNATURE_SUFFIX ".p7s"
#define MANIFEST_VERSION 1
#define MANIFEST_TYPE "manifest"
/* Longest path, with its NUL (PATH_MAX of Linux), and longest line, with its newline. */
#define MANIFEST_PATH_MAX 4096
#define MANIFEST_LINE_MAX 65536
/* A product's name: bytes at most. */
#define MANIFEST_PRODUCT_MAX 127
/* The subject of a signer, with its NUL, as it is shown. */
#define MANIFEST_SUBJECT_MAX 256
/* The subject key id of a signer: bytes at most. */
#define MANIFEST_KEY_ID_MAX 64

/**
 * struct manifest_header - the first line
 * @id: 32 lower-case hex digits, another for each manifest
 * @created: RFC 3339, UTC, whole seconds: "2025-01-31T12:00:00Z"
 * @product: what the files are of, for a verifier that accepts some products only: UTF-8
 *           without control characters; "" if it is not said
 * @parameters: of every digest in the manifest
 * @subject: the signer's certificate's subject, for people
 * @key_id: the signer's certificate's subject key id
 * @also_subject, @also_key_id: of a second signer, whose signature must be good besides;
 *                              @also_key_id_size is 0 where there is none
 */
struct manifest_header {
	char id[33];
	char created[UTC_LENGTH + 1];
	char product[MANIFEST_PRODUCT_MAX + 1];
	struct verity_parameters parameters;
	char subject[MANIFEST_SUBJECT_MAX];
	size_t key_id_size;
	uint8_t key_id[MANIFEST_KEY_ID_MAX];
	char also_subject[MANIFEST_SUBJECT_MAX];
	size_t also_key_id_size;
	uint8_t also_key_id[MANIFEST_KEY_ID_MAX];
};

/**
 * struct manifest_entry - one file
 * @path: absolute and normalised: no empty, "." or ".." component, UTF-8
 * @size: of the file's data, in bytes
 * @digest: its fs-verity digest, by the header's parameters
 * @package: whose it is; .name is NULL if that is not said
 * @pkcs7: the built-in signature, DER (sign/pkcs7.h); of size 0 if it has none
 * @ima: the value of security.ima (sign/ima_sig.h); of size 0 if it has none
 * @mtime: when the signer's file was last modified, in ns since 1970; 0: not known
 * @ctime: when its inode was last changed, which nobody can set back; likewise
 * @inode: the number of the signer's file; 0: not known
 */
struct manifest_entry {
	const char *path;
	uint64_t size;
	struct assay_digest digest;
	struct package_name package;
	struct bytes pkcs7;
	struct bytes ima;
	uint64_t mtime, ctime;
	uint64_t inode;
};

/* manifest_check_path() - absolute, normalised, UTF-8, not too long; -EBADMSG and why */
int manifest_check_path(const char *path, struct assay_error *err);

/* manifest_check_product() - one line of UTF-8, not too long; -EBADMSG and why */
int manifest_check_product(const char *product, struct assay_error *err);

/* manifest_created() - when it was, in seconds since 1970 */
uint64_t manifest_created(const struct manifest_header *header);

/*
 * manifest_entry_function - called for each file in order
 * @entry: and all it points to lives until the call returns
 *
 * Return: 0 to go on; anything else ends the reading and is its result
 */
typedef int (*manifest_entry_function)(void *context, const struct manifest_header *header,
				       const struct manifest_entry *entry, struct assay_error *err);

/*
 * manifest_read() - read a manifest from a stream, to its end
 * @name: names it in errors, which also tell the line
 * @each: called for each file; NULL to check only
 * @ret_header: the header; may be NULL
 *
 * Strict: the header first, known members only, sorted, no path twice, a digest of the
 * header's hash, every line ended. Note that entries are handed out before what follows
 * them was checked.
 *
 * Return: 0; -EBADMSG for what is not a manifest; what @each returned
 */
int manifest_read(FILE *stream, const char *name, manifest_entry_function each, void *context,
		  struct manifest_header *ret_header, struct assay_error *err);

/*
 * manifest_parse_header() - a header that was read as JSON; @what names it in errors
 * @ret: zeroed before
 */
int manifest_parse_header(const json_t *object, const char *what, struct manifest_header *ret,
			  struct assay_error *err);

/* manifest_parse_parameters() - hash, block size and salt of an object that was read as JSON */
int manifest_parse_parameters(const json_t *object, const char *what,
			      struct verity_parameters *parameters, struct assay_error *err);

/*
 * manifest_read_package() - the members package, version and architecture of an entry's object: all
 * three or none
 * @ret: zeroed before; its texts live as long as @object
 */
int manifest_read_package(const json_t *object, const char *what, struct package_name *ret,
			  struct assay_error *err);

/* manifest_read_header() - only the header, of a manifest in memory; pure */
int manifest_read_header(struct bytes text, const char *name, struct manifest_header *ret,
			 struct assay_error *err);

/* manifest_read_bytes() - the same from memory; pure */
int manifest_read_bytes(struct bytes text, const char *name, manifest_entry_function each,
			void *context, struct manifest_header *ret_header, struct assay_error *err);

/*
 * Reading entry by entry: as manifest_read(), where the caller asks for the next.
 *
 * manifest_reader_open() - reads the header; @stream and @name are the caller's
 * manifest_reader_next() - Return: 1 and an entry, which lives until the next call or
 * the close; 0 at the end; else a negative errno
 */
struct manifest_reader;

int manifest_reader_open(FILE *stream, const char *name, struct manifest_reader **ret,
			 struct assay_error *err);
const struct manifest_header *manifest_reader_header(const struct manifest_reader *reader);
int manifest_reader_next(struct manifest_reader *reader, struct manifest_entry *ret,
			 struct assay_error *err);
/* Does nothing with NULL. */
void manifest_reader_close(struct manifest_reader *reader);

/*
 * manifest_read_signed() - a manifest and its signature, the file beside it, as they are
 * @ret_text, @ret_signature: empty before; buffer_free() them, after a failure too
 */
int manifest_read_signed(const char *path, struct buffer *ret_text, struct buffer *ret_signature,
			 struct assay_error *err);

/* manifest_read_signature() - append only the signature of the manifest at @path to @out */
int manifest_read_signature(const char *path, struct buffer *out, struct assay_error *err);

/**
 * struct manifest_file - what is kept in memory of an entry: the reference values
 * @path: owned by the manifest
 * @package: whose it is, owned by the manifest; NULL if that is not said
 */
struct manifest_file {
	const char *path;
	uint64_t size;
	struct assay_digest digest;
	const struct package_name *package;
};

/* A manifest in memory, without the signatures: about 100 bytes and the path a file. */
struct manifest {
	struct manifest_header header;
	struct manifest_file *files; /* sorted by path */
	size_t count;
	struct packages packages;
};

/* manifest_parse() - all of it into memory; pure. manifest_free() it. */
int manifest_parse(struct bytes text, const char *name, struct manifest **ret,
		   struct assay_error *err);
/* manifest_load() - the same from a file */
int manifest_load(const char *path, struct manifest **ret, struct assay_error *err);
void manifest_free(struct manifest *manifest);

/* manifest_find() - the file with that path, NULL if there is none */
const struct manifest_file *manifest_find(const struct manifest *manifest, const char *path);

/*
 * manifest_begin() - a header with a fresh id and the present time
 * @certificate: the signer's
 */
int manifest_begin(struct manifest_header *ret, const struct verity_parameters *parameters,
		   X509 *certificate, struct assay_error *err);

/* manifest_set_product() - say what the files are of; as manifest_check_product() */
int manifest_set_product(struct manifest_header *header, const char *product,
			 struct assay_error *err);

/* manifest_set_also() - name a second signer; -EINVAL if it is the first */
int manifest_set_also(struct manifest_header *header, X509 *certificate, struct assay_error *err);

/* manifest_header_json() - a header as JSON, to json_decref(); NULL without memory */
json_t *manifest_header_json(const struct manifest_header *header);

/* Append a line to @out. Entries come sorted; the caller sees to that. */
int manifest_append_header(const struct manifest_header *header, struct buffer *out,
			   struct assay_error *err);
int manifest_append_entry(const struct manifest_entry *entry, struct buffer *out,
			  struct assay_error *err);

#endif /* ASSAY_SIGN_MANIFEST_H */
