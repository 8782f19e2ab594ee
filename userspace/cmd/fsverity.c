// SPDX-License-Identifier: MIT
/*
 * `assay fsverity`, also by the name fsverity through a link: the commands of
 * fsverity-utils 1.5, with their options, output and exit statuses (0 done, 1 failed, 2
 * wrong usage), so that scripts that call fsverity run unchanged. Its words are
 * others' interface: they differ from assay's own on purpose.
 */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sign/certificate.h"
#include "sign/pkcs7.h"
#include "tpm/signer.h"

#define COMPATIBLE_VERSION "fsverity v1.5\n"
/* Larger files are not taken for a signature; the kernel's own limit is lower. */
#define SIGNATURE_FILE_MAX 1000000
/* What one FS_IOC_READ_VERITY_METADATA is asked for. */
#define METADATA_PIECE 65536

struct verb {
	const char *name, *summary, *usage;
	int (*run)(const struct verb *verb, int argc, char **argv);
};

enum {
	OPT_HASH_ALG,
	OPT_BLOCK_SIZE,
	OPT_SALT,
	OPT_TREE,
	OPT_DESCRIPTOR,
	OPT_COMPACT,
	OPT_FOR_BUILTIN_SIG,
	OPT_KEY,
	OPT_CERT,
	OPT_ENGINE,
	OPT_MODULE,
	OPT_KEY_ID,
	OPT_SIGNATURE,
	OPT_OFFSET,
	OPT_LENGTH,
	OPT_COUNT
};

/* Each option's name; all but two take a value. */
static const char *const names[OPT_COUNT] = {
	[OPT_HASH_ALG] = "hash-alg",
	[OPT_BLOCK_SIZE] = "block-size",
	[OPT_SALT] = "salt",
	[OPT_TREE] = "out-merkle-tree",
	[OPT_DESCRIPTOR] = "out-descriptor",
	[OPT_COMPACT] = "compact",
	[OPT_FOR_BUILTIN_SIG] = "for-builtin-sig",
	[OPT_KEY] = "key",
	[OPT_CERT] = "cert",
	[OPT_ENGINE] = "pkcs11-engine",
	[OPT_MODULE] = "pkcs11-module",
	[OPT_KEY_ID] = "pkcs11-keyid",
	[OPT_SIGNATURE] = "signature",
	[OPT_OFFSET] = "offset",
	[OPT_LENGTH] = "length",
};

/**
 * struct request - what the options of a call say
 * @value: of each option, NULL where it is not there; "" of one without value
 * @hash, @block_size: as the kernel takes them
 * @tree, @descriptor: files to write these to, or -1
 */
struct request {
	const char *value[OPT_COUNT];
	uint32_t hash, block_size;
	uint8_t *salt;
	size_t salt_size;
	int tree, descriptor;
	struct buffer signature;
	uint64_t offset, length;
};

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("ERROR: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	putc('\n', stderr);
}

static int wrong_usage(const struct verb *verb)
{
	fprintf(stderr, "Usage:\n%s", verb->usage);
	return EXIT_USAGE;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		complain("can't open '%s' for %s: %s", path,
			 flags == O_RDONLY ? "reading" : "writing", strerror(errno));
	return fd;
}

static bool write_all(int fd, const char *path, struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t done = write(fd, bytes.data, bytes.size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			complain("writing to '%s': %s", path, strerror(errno));
			return false;
		}
		bytes = BYTES(bytes.data + done, bytes.size - (size_t)done);
	}
	return true;
}

/* Output that did not all reach its place is a failure. */
static int ended(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("writing to 'stdout': %s", strerror(errno));
	return EXIT_FAILED;
}

/* ---------------------------------------------------------------- options */

static void list_algorithms(FILE *stream)
{
	fputs("Available hash algorithms:", stream);
	for (uint16_t i = 1; verity_hash_by_algorithm(i) != ASSAY_HASH_NONE; i++)
		fprintf(stream, " %s", assay_hash_name(verity_hash_by_algorithm(i)));
	putc('\n', stream);
}

static bool take_hash(struct request *request, const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (number > 0 && number < INT32_MAX && *end == '\0') {
		/* A number that is not known is for the kernel to refuse. */
		request->hash = (uint32_t)number;
		return true;
	}
	request->hash = verity_algorithm(assay_hash_by_name(text));
	if (request->hash != 0)
		return true;
	complain("unknown hash algorithm: '%s'", text);
	list_algorithms(stderr);
	return false;
}

static bool take_block_size(struct request *request, const char *text)
{
	char *end;
	unsigned long size = strtoul(text, &end, 10);

	if (size == 0 || size >= INT_MAX || (size & (size - 1)) != 0 || *end != '\0') {
		complain("Invalid block size: %s.  Must be power of 2", text);
		return false;
	}
	request->block_size = (uint32_t)size;
	return true;
}

static bool take_salt(struct request *request, const char *text)
{
	size_t capacity = strlen(text) / 2;

	request->salt = malloc(capacity + 1);
	if (request->salt && hex_decode(text, request->salt, capacity, &request->salt_size) == 0)
		return true;
	complain("salt is not a valid hex string");
	return false;
}

static bool take_number(const char *name, const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (*end == '\0' && errno == 0)
		return true;
	complain("invalid value for --%s", name);
	return false;
}

static bool read_signature_file(const char *path, struct buffer *out)
{
	int fd = open_file(path, O_RDONLY);
	struct stat st;
	uint8_t *place;
	bool good = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0)
		complain("can't stat '%s': %s", path, strerror(errno));
	else if (st.st_size <= 0)
		complain("signature file '%s' is empty", path);
	else if (st.st_size > SIGNATURE_FILE_MAX)
		complain("signature file '%s' is too large", path);
	else if (!(place = buffer_reserve(out, (size_t)st.st_size)))
		complain("out of memory");
	else
		good = true;
	while (good && out->size < (size_t)st.st_size) {
		ssize_t got = read(fd, place + out->size, (size_t)st.st_size - out->size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			complain("reading from '%s': %s", path,
				 got < 0 ? strerror(errno) : "unexpected end-of-file");
			good = false;
			break;
		}
		out->size += (size_t)got;
	}
	close(fd);
	return good;
}

static bool takes_value(int option)
{
	return option != OPT_COMPACT && option != OPT_FOR_BUILTIN_SIG;
}

/* One option; @value is "" of one without. EXIT_OK to go on */
static int take_option(struct request *request, int option, const char *value)
{
	bool good = true;

	if (request->value[option] && takes_value(option)) {
		complain("--%s can only be specified once", names[option]);
		return EXIT_USAGE;
	}
	request->value[option] = value;
	switch (option) {
	case OPT_HASH_ALG:
		good = take_hash(request, value);
		break;
	case OPT_BLOCK_SIZE:
		good = take_block_size(request, value);
		break;
	case OPT_SALT:
		good = take_salt(request, value);
		break;
	case OPT_TREE:
		request->tree = open_file(value, O_WRONLY | O_CREAT | O_TRUNC);
		good = request->tree >= 0;
		break;
	case OPT_DESCRIPTOR:
		request->descriptor = open_file(value, O_WRONLY | O_CREAT | O_TRUNC);
		good = request->descriptor >= 0;
		break;
	case OPT_SIGNATURE:
		return read_signature_file(value, &request->signature) ? EXIT_OK : EXIT_FAILED;
	case OPT_OFFSET:
		good = take_number(names[option], value, &request->offset);
		break;
	case OPT_LENGTH:
		good = take_number(names[option], value, &request->length);
		break;
	}
	return good ? EXIT_OK : EXIT_USAGE;
}

/* @known: the options of the verb. EXIT_OK to go on; else what was wrong was told */
static int take_options(struct request *request, const struct verb *verb, const int *known,
			size_t count, int argc, char **argv)
{
	struct option table[OPT_COUNT + 1] = { 0 };
	int option, status;

	*request = (struct request){ .hash = FS_VERITY_HASH_ALG_SHA256,
				     .block_size = VERITY_BLOCK_SIZE_DEFAULT,
				     .tree = -1,
				     .descriptor = -1 };
	for (size_t i = 0; i < count; i++)
		table[i] = (struct option){
			.name = names[known[i]],
			.has_arg = takes_value(known[i]) ? required_argument : no_argument,
			.val = known[i],
		};
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		status = option == '?' ? EXIT_USAGE :
					 take_option(request, option, optarg ? optarg : "");
		if (status != EXIT_OK)
			return status == EXIT_USAGE ? wrong_usage(verb) : status;
	}
	return EXIT_OK;
}

static int drop(struct request *request, int status)
{
	free(request->salt);
	buffer_free(&request->signature);
	if (request->tree >= 0)
		close(request->tree);
	if (request->descriptor >= 0)
		close(request->descriptor);
	return status;
}

#define KNOWN(array) array, sizeof(array) / sizeof((array)[0])

/* ---------------------------------------------------------------- digest, sign */

/* The request's parameters, if digests can be computed with them. */
static bool parameters_of(const struct request *request, struct verity_parameters *ret)
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
		complain("unknown hash algorithm: %" PRIu32, request->hash);
	} else if (request->salt_size > sizeof(parameters.salt)) {
		complain("unsupported salt size (%zu)", request->salt_size);
	} else if (verity_check_parameters(&parameters, &err) < 0) {
		complain("%s", err.text);
	} else {
		if (request->salt_size > 0)
			memcpy(parameters.salt, request->salt, request->salt_size);
		*ret = parameters;
		return true;
	}
	complain("failed to compute digest");
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
static bool digest_file(const struct request *request, struct verity_hasher *hasher,
			const char *path, struct assay_digest *ret)
{
	int fd = open_file(path, O_RDONLY), r;
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
		complain("%s", err.text);
		complain("failed to compute digest");
		return false;
	}
	return request->descriptor < 0 ||
	       write_all(request->descriptor, request->value[OPT_DESCRIPTOR],
			 BYTES(output.descriptor, sizeof(output.descriptor)));
}

/* A hasher for the request's parameters, NULL where there is none for them. */
static struct verity_hasher *open_hasher(const struct request *request)
{
	struct verity_parameters parameters;
	struct verity_hasher *hasher;
	struct assay_error err;

	if (!parameters_of(request, &parameters))
		return NULL;
	if (verity_hasher_new(&parameters, &hasher, &err) == 0)
		return hasher;
	complain("%s", err.text);
	return NULL;
}

static int run_digest(const struct verb *verb, int argc, char **argv)
{
	static const int known[] = { OPT_HASH_ALG,   OPT_BLOCK_SIZE, OPT_SALT,		 OPT_TREE,
				     OPT_DESCRIPTOR, OPT_COMPACT,    OPT_FOR_BUILTIN_SIG };
	struct verity_hasher *hasher;
	struct request request;
	int status = take_options(&request, verb, KNOWN(known), argc, argv);

	if (status == EXIT_OK && optind == argc)
		status = wrong_usage(verb);
	if (status != EXIT_OK)
		return drop(&request, status);
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
	return drop(&request, ended(status));
}

static int open_key(const struct request *request, struct signer **ret, X509 **ret_certificate,
		    struct assay_error *err)
{
	const char *certificate = request->value[OPT_CERT];
	struct signer_source source = { .key = request->value[OPT_KEY] };
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

static bool sign_digest(const struct request *request, const struct assay_digest *digest,
			struct buffer *out)
{
	struct signer *signer;
	X509 *certificate;
	struct assay_error err;
	int r = open_key(request, &signer, &certificate, &err);

	if (r == 0) {
		r = pkcs7_sign(signer, certificate, digest, out, &err);
		X509_free(certificate);
		signer->close(signer);
	}
	if (r == 0)
		return true;
	complain("%s", err.text);
	complain("failed to sign digest");
	return false;
}

static bool write_file(const char *path, struct bytes bytes)
{
	int fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
	bool good;

	if (fd < 0)
		return false;
	good = write_all(fd, path, bytes);
	if (close(fd) < 0 && good) {
		complain("closing '%s': %s", path, strerror(errno));
		good = false;
	}
	return good;
}

static int run_sign(const struct verb *verb, int argc, char **argv)
{
	static const int known[] = { OPT_HASH_ALG,   OPT_BLOCK_SIZE, OPT_SALT, OPT_TREE,
				     OPT_DESCRIPTOR, OPT_KEY,	     OPT_CERT, OPT_ENGINE,
				     OPT_MODULE,     OPT_KEY_ID };
	struct buffer signature = { 0 };
	struct verity_hasher *hasher;
	struct assay_digest digest;
	struct request request;
	int status = take_options(&request, verb, KNOWN(known), argc, argv);

	if (status == EXIT_OK && argc - optind != 2)
		status = wrong_usage(verb);
	if (status != EXIT_OK)
		return drop(&request, status);
	hasher = open_hasher(&request);
	status = EXIT_FAILED;
	if (hasher && digest_file(&request, hasher, argv[optind], &digest) &&
	    sign_digest(&request, &digest, &signature) &&
	    write_file(argv[optind + 1], buffer_bytes(&signature))) {
		char text[VERITY_TEXT_MAX];

		printf("Signed file '%s' (%s)\n", argv[optind], verity_digest_text(&digest, text));
		status = EXIT_OK;
	}
	verity_hasher_free(hasher);
	buffer_free(&signature);
	return drop(&request, ended(status));
}

/* ---------------------------------------------------------------- the kernel's */

static int run_enable(const struct verb *verb, int argc, char **argv)
{
	static const int known[] = { OPT_HASH_ALG, OPT_BLOCK_SIZE, OPT_SALT, OPT_SIGNATURE };
	struct fsverity_enable_arg arg = { .version = 1 };
	struct request request;
	int fd, status = take_options(&request, verb, KNOWN(known), argc, argv);

	if (status == EXIT_OK && argc - optind != 1)
		status = wrong_usage(verb);
	if (status != EXIT_OK)
		return drop(&request, status);
	fd = open_file(argv[optind], O_RDONLY);
	if (fd < 0)
		return drop(&request, EXIT_FAILED);
	arg.hash_algorithm = request.hash;
	arg.block_size = request.block_size;
	arg.salt_size = (uint32_t)request.salt_size;
	arg.salt_ptr = (uintptr_t)request.salt;
	arg.sig_size = (uint32_t)request.signature.size;
	arg.sig_ptr = (uintptr_t)request.signature.data;
	/* Once only, and whatever was asked for: scripts test what the kernel refuses. */
	if (ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) != 0) {
		complain("FS_IOC_ENABLE_VERITY failed on '%s': %s", argv[optind], strerror(errno));
		status = EXIT_FAILED;
	}
	close(fd);
	return drop(&request, status);
}

static bool measure_file(const char *path)
{
	union {
		struct fsverity_digest head;
		uint8_t room[sizeof(struct fsverity_digest) + ASSAY_DIGEST_MAX];
	} answer = { .head.digest_size = ASSAY_DIGEST_MAX };
	char hex[2 * ASSAY_DIGEST_MAX + 1];
	int fd = open_file(path, O_RDONLY);
	enum assay_hash hash;
	bool good = false;

	if (fd < 0)
		return false;
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &answer) != 0 ||
	    answer.head.digest_size > ASSAY_DIGEST_MAX) {
		complain("FS_IOC_MEASURE_VERITY failed on '%s': %s", path, strerror(errno));
	} else {
		hex_encode(BYTES(answer.room + sizeof(answer.head), answer.head.digest_size), hex);
		hash = verity_hash_by_algorithm(answer.head.digest_algorithm);
		if (hash != ASSAY_HASH_NONE)
			printf("%s:%s %s\n", assay_hash_name(hash), hex, path);
		else
			printf("ALG_%u:%s %s\n", answer.head.digest_algorithm, hex, path);
		good = true;
	}
	close(fd);
	return good;
}

/* Takes no options: each word is a file. */
static int run_measure(const struct verb *verb, int argc, char **argv)
{
	int status = EXIT_OK;

	if (argc < 2)
		return wrong_usage(verb);
	for (int i = 1; i < argc && status == EXIT_OK; i++)
		if (!measure_file(argv[i]))
			status = EXIT_FAILED;
	return ended(status);
}

static bool dump(int fd, const char *path, uint64_t type, uint64_t offset, uint64_t length)
{
	static uint8_t piece[METADATA_PIECE];

	while (length > 0) {
		struct fsverity_read_metadata_arg arg = {
			.metadata_type = type,
			.offset = offset,
			.length = length < sizeof(piece) ? length : sizeof(piece),
			.buf_ptr = (uintptr_t)piece,
		};
		int got = ioctl(fd, FS_IOC_READ_VERITY_METADATA, &arg);

		if (got < 0) {
			complain("FS_IOC_READ_VERITY_METADATA failed on '%s': %s", path,
				 strerror(errno));
			return false;
		}
		if (got == 0)
			return true;
		if (!write_all(STDOUT_FILENO, "stdout", BYTES(piece, (size_t)got)))
			return false;
		offset += (uint64_t)got;
		length -= (uint64_t)got;
	}
	return true;
}

static int run_dump_metadata(const struct verb *verb, int argc, char **argv)
{
	static const int known[] = { OPT_OFFSET, OPT_LENGTH };
	static const struct {
		const char *name;
		uint64_t type;
	} types[] = {
		{ "merkle_tree", FS_VERITY_METADATA_TYPE_MERKLE_TREE },
		{ "descriptor", FS_VERITY_METADATA_TYPE_DESCRIPTOR },
		{ "signature", FS_VERITY_METADATA_TYPE_SIGNATURE },
	};
	struct request request;
	uint64_t type = 0;
	bool part;
	int fd, status = take_options(&request, verb, KNOWN(known), argc, argv);

	if (status != EXIT_OK)
		return drop(&request, status);
	if (argc - optind != 2)
		return drop(&request, wrong_usage(verb));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(argv[optind], types[i].name) == 0)
			type = types[i].type;
	if (type == 0) {
		complain("unknown metadata type: %s\n"
			 "       Expected \"merkle_tree\", \"descriptor\", or \"signature\"",
			 argv[optind]);
		return drop(&request, wrong_usage(verb));
	}
	part = request.value[OPT_OFFSET];
	if (part != (request.value[OPT_LENGTH] != NULL)) {
		complain("--%s specified without --%s", names[part ? OPT_OFFSET : OPT_LENGTH],
			 names[part ? OPT_LENGTH : OPT_OFFSET]);
		return drop(&request, wrong_usage(verb));
	}
	fd = open_file(argv[optind + 1], O_RDONLY);
	if (fd < 0)
		return drop(&request, EXIT_FAILED);
	if (!dump(fd, argv[optind + 1], type, request.offset, part ? request.length : UINT64_MAX))
		status = EXIT_FAILED;
	close(fd);
	return drop(&request, status);
}

/* ---------------------------------------------------------------- all */

/* clang-format off */
static const struct verb verbs[] = {
	{
		"digest", "Compute the fs-verity digest of the given file(s), for offline signing",
		"    fsverity digest FILE...\n"
		"               [--hash-alg=HASH_ALG] [--block-size=BLOCK_SIZE] [--salt=SALT]\n"
		"               [--out-merkle-tree=FILE] [--out-descriptor=FILE]\n"
		"               [--compact] [--for-builtin-sig]\n",
		run_digest,
	},
	{
		"dump_metadata", "Dump the fs-verity metadata of the given file",
		"    fsverity dump_metadata TYPE FILE [--offset=OFFSET] [--length=LENGTH]\n",
		run_dump_metadata,
	},
	{
		"enable", "Enable fs-verity on a file",
		"    fsverity enable FILE\n"
		"               [--hash-alg=HASH_ALG] [--block-size=BLOCK_SIZE] [--salt=SALT]\n"
		"               [--signature=SIGFILE]\n",
		run_enable,
	},
	{
		"measure", "Display the fs-verity digest of the given verity file(s)",
		"    fsverity measure FILE...\n",
		run_measure,
	},
	{
		"sign", "Sign a file for fs-verity built-in signature verification",
		"    fsverity sign FILE OUT_SIGFILE\n"
		"               [--key=KEYFILE] [--cert=CERTFILE] [--pkcs11-engine=SOFILE]\n"
		"               [--pkcs11-module=SOFILE] [--pkcs11-keyid=KEYID]\n"
		"               [--hash-alg=HASH_ALG] [--block-size=BLOCK_SIZE] [--salt=SALT]\n"
		"               [--out-merkle-tree=FILE] [--out-descriptor=FILE]\n",
		run_sign,
	},
};
/* clang-format on */

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_usage(FILE *stream)
{
	fputs("Usage:\n", stream);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(stream, "  %s:\n%s\n", verbs[i].summary, verbs[i].usage);
	fputs("  Standard options:\n"
	      "    fsverity --help\n"
	      "    fsverity --version\n"
	      "\n",
	      stream);
	list_algorithms(stream);
}

static int run_fsverity(int argc, char **argv)
{
	const struct verb *verb = NULL;

	if (argc < 2) {
		complain("no command specified");
		print_usage(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			verb = &verbs[i];
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			if (verb)
				printf("Usage:\n%s", verb->usage);
			else
				print_usage(stdout);
			return ended(EXIT_OK);
		}
		if (strcmp(argv[i], "--version") == 0) {
			fputs(COMPATIBLE_VERSION, stdout);
			return ended(EXIT_OK);
		}
	}
	if (!verb) {
		complain("unrecognized command: '%s'", argv[1]);
		print_usage(stderr);
		return EXIT_USAGE;
	}
	return verb->run(verb, argc - 1, argv + 1);
}

const struct command command_fsverity = {
	.name = "fsverity",
	.summary = "do what fsverity(1) does, with its options and output",
	.help = "",
	.run = run_fsverity,
};
