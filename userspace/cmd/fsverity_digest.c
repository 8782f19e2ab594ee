// SPDX-License-Identifier: MIT
/* `assay fsverity digest` and `sign`: what needs no kernel. */
#define _GNU_SOURCE
#include "fsverity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sign/certificate.h"
#include "sign/pkcs7.h"
#include "tpm/signer.h"
#include "verity/verity.h"

/* The request's parameters, if digests can be computed with them. */
static bool parameters_of(const struct fsverity_request *request, struct verity_parameters *ret)
{
	struct verity_parameters parameters = {
		.hash = request->hash <= UINT16_MAX ?
				verity_hash_by_algorithm((uint16_t)request->hash) :
				ASSAY_HASH_NONE,
		.block_size = request->block_size,
		.salt_size = request->salt_size,
	};
	struct assay_error err;

	if (parameters.hash == ASSAY_HASH_NONE) {
		fsverity_complain("unknown hash algorithm: %" PRIu32, request->hash);
	} else if (request->salt_size > sizeof(parameters.salt)) {
		fsverity_complain("unsupported salt size (%zu)", request->salt_size);
	} else if (request->block_size < 2 * assay_hash_size(parameters.hash)) {
		fsverity_complain("block size (%" PRIu32 ") too small for hash algorithm %s",
				  request->block_size, assay_hash_name(parameters.hash));
	} else if (verity_check_parameters_small(&parameters, &err) < 0) {
		fsverity_complain("%s", err.text);
	} else {
		if (request->salt_size > 0)
			memcpy(parameters.salt, request->salt, request->salt_size);
		*ret = parameters;
		return true;
	}
	fsverity_complain("failed to compute digest");
	return false;
}

/* Of several files, each one's Merkle tree is written over the one before, as fsverity does. */
static int write_blocks(void *context, uint64_t offset, struct bytes blocks,
			struct assay_error *err)
{
	const int *fd = context;

	while (blocks.size > 0) {
		ssize_t done = pwrite(*fd, blocks.data, blocks.size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return assay_fail(err, errno, "writing the Merkle tree: %s",
					  strerror(errno));
		blocks = BYTES(blocks.data + done, blocks.size - (size_t)done);
		offset += (uint64_t)done;
	}
	return 0;
}

/* The digest of a file, and what belongs to it to where the request wants it. */
static bool digest_file(const struct fsverity_request *request, struct verity_hasher *hasher,
			const char *path, struct assay_digest *ret)
{
	int fd = fsverity_open_file(path, O_RDONLY), r;
	int tree = request->tree;
	struct verity_output output = {
		.write = tree >= 0 ? write_blocks : NULL,
		.context = &tree,
	};
	struct assay_error err = { 0 };
	struct stat st;

	if (fd < 0)
		return false;
	/* A device without a size, such as /dev/null, counts as an empty file. */
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) &&
	    st.st_size == 0) {
		close(fd);
		fd = memfd_create("empty", MFD_CLOEXEC);
	}
	r = verity_hash_fd_output(hasher, fd, path, &output, ret, NULL, &err);
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		fsverity_complain("%s", err.text);
		fsverity_complain("failed to compute digest");
		return false;
	}
	return request->descriptor < 0 ||
	       fsverity_write_all(request->descriptor, request->value[OPT_DESCRIPTOR],
				  BYTES(output.descriptor, sizeof(output.descriptor)));
}

/* A hasher for the request's parameters, NULL where there is none for them. */
static struct verity_hasher *open_hasher(const struct fsverity_request *request)
{
	struct verity_parameters parameters;
	struct verity_hasher *hasher;
	struct assay_error err;

	if (!parameters_of(request, &parameters))
		return NULL;
	if (verity_hasher_new_small(&parameters, &hasher, &err) == 0)
		return hasher;
	fsverity_complain("%s", err.text);
	return NULL;
}

int fsverity_digest(const struct fsverity_verb *verb, int argc, char **argv)
{
	static const int known[] = { OPT_HASH_ALG,   OPT_BLOCK_SIZE, OPT_SALT,		 OPT_TREE,
				     OPT_DESCRIPTOR, OPT_COMPACT,    OPT_FOR_BUILTIN_SIG };
	struct verity_hasher *hasher;
	struct fsverity_request request;
	int status = fsverity_parse(&request, verb, FSVERITY_KNOWN(known), argc, argv);

	if (status == EXIT_OK && optind == argc)
		status = fsverity_wrong_usage(verb);
	if (status != EXIT_OK)
		return fsverity_request_free(&request, status);
	hasher = open_hasher(&request);
	if (!hasher)
		status = EXIT_FAILED;
	for (int i = optind; i < argc && status == EXIT_OK; i++) {
		uint8_t room[VERITY_FORMATTED_MAX];
		char hex[2 * VERITY_FORMATTED_MAX + 1];
		struct assay_digest digest;
		bool built_in = request.value[OPT_FOR_BUILTIN_SIG];

		if (!digest_file(&request, hasher, argv[i], &digest)) {
			status = EXIT_FAILED;
			break;
		}
		hex_encode(built_in ? verity_formatted_digest(&digest, room) :
				      BYTES(digest.bytes, digest.size),
			   hex);
		if (request.value[OPT_COMPACT])
			printf("%s\n", hex);
		else if (built_in)
			printf("%s %s\n", hex, argv[i]);
		else
			printf("%s:%s %s\n", assay_hash_name(digest.hash), hex, argv[i]);
	}
	verity_hasher_free(hasher);
	return fsverity_request_free(&request, fsverity_ended(status));
}

static int open_signing_key(const struct fsverity_request *request, struct signer **ret,
			    X509 **ret_certificate, struct assay_error *err)
{
	const char *certificate = request->value[OPT_CERT];
	struct signer_source source = { .key = request->value[OPT_KEY], .standard_input = true };
	int r;

	if (!certificate)
		certificate = source.key;
	if (!certificate)
		return assay_fail(err, EINVAL, "no certificate specified");
	if (request->value[OPT_ENGINE] || request->value[OPT_MODULE] ||
	    request->value[OPT_KEY_ID]) {
		if (source.key)
			return assay_fail(err, EINVAL,
					  "private key must be specified either by file or by "
					  "PKCS#11 token, not both");
		if (!request->value[OPT_ENGINE])
			return assay_fail(err, EINVAL, "no PKCS#11 engine specified");
		if (!request->value[OPT_MODULE])
			return assay_fail(err, EINVAL, "no PKCS#11 module specified");
		source.pkcs11_engine = request->value[OPT_ENGINE];
		source.pkcs11_module = request->value[OPT_MODULE];
		source.key = request->value[OPT_KEY_ID] ? request->value[OPT_KEY_ID] : "";
	} else if (!source.key) {
		return assay_fail(err, EINVAL, "no private key specified");
	}
	r = signer_open(&source, ret, err);
	if (r < 0)
		return r;
	r = certificate_load(certificate, ret_certificate, err);
	if (r == 0 && EVP_PKEY_eq(X509_get0_pubkey(*ret_certificate), (*ret)->public_key) != 1) {
		X509_free(*ret_certificate);
		r = assay_fail(err, EINVAL, "private key does not match certificate");
	}
	if (r < 0)
		(*ret)->close(*ret);
	return r;
}

static bool sign_digest(const struct fsverity_request *request, const struct assay_digest *digest,
			struct buffer *out)
{
	struct signer *signer;
	X509 *certificate;
	struct assay_error err;
	int r = open_signing_key(request, &signer, &certificate, &err);

	if (r == 0) {
		r = pkcs7_sign(signer, certificate, digest, out, &err);
		X509_free(certificate);
		signer->close(signer);
	}
	if (r == 0)
		return true;
	fsverity_complain("%s", err.text);
	fsverity_complain("failed to sign digest");
	return false;
}

static bool write_file(const char *path, struct bytes bytes)
{
	int fd = fsverity_open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
	bool good;

	if (fd < 0)
		return false;
	good = fsverity_write_all(fd, path, bytes);
	if (close(fd) < 0 && good) {
		fsverity_complain("closing '%s': %s", path, strerror(errno));
		good = false;
	}
	return good;
}

int fsverity_sign(const struct fsverity_verb *verb, int argc, char **argv)
{
	static const int known[] = { OPT_HASH_ALG,   OPT_BLOCK_SIZE, OPT_SALT, OPT_TREE,
				     OPT_DESCRIPTOR, OPT_KEY,	     OPT_CERT, OPT_ENGINE,
				     OPT_MODULE,     OPT_KEY_ID };
	struct buffer signature = { 0 };
	struct verity_hasher *hasher;
	struct assay_digest digest;
	struct fsverity_request request;
	int status = fsverity_parse(&request, verb, FSVERITY_KNOWN(known), argc, argv);

	if (status == EXIT_OK && argc - optind != 2)
		status = fsverity_wrong_usage(verb);
	if (status != EXIT_OK)
		return fsverity_request_free(&request, status);
	hasher = open_hasher(&request);
	status = EXIT_FAILED;
	if (hasher && digest_file(&request, hasher, argv[optind], &digest) &&
	    sign_digest(&request, &digest, &signature) &&
	    write_file(argv[optind + 1], buffer_bytes(&signature))) {
		char text[ASSAY_DIGEST_TEXT_MAX];

		if (request.block_size < VERITY_BLOCK_SIZE_MIN)
			fprintf(stderr,
				"WARNING: no kernel enables fs-verity with blocks of %" PRIu32
				" bytes; the least is %d\n",
				request.block_size, VERITY_BLOCK_SIZE_MIN);
		printf("Signed file '%s' (%s)\n", argv[optind], assay_digest_text(&digest, text));
		status = EXIT_OK;
	}
	verity_hasher_free(hasher);
	buffer_free(&signature);
	return fsverity_request_free(&request, fsverity_ended(status));
}
