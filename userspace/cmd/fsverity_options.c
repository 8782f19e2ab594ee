// SPDX-License-Identifier: MIT
/* `assay fsverity`: options, and the ways to print and to complain. */
#define _GNU_SOURCE
#include "fsverity.h"
#include "verity/parameters.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger files are not taken for a signature; the kernel's own limit is lower. */
#define SIGNATURE_FILE_MAX 1000000

/* All but two take a value. */
const char *const fsverity_option_names[OPT_COUNT] = {
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

void fsverity_complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("ERROR: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	putc('\n', stderr);
}

int fsverity_wrong_usage(const struct fsverity_verb *verb)
{
	fprintf(stderr, "Usage:\n%s", verb->usage);
	return EXIT_USAGE;
}

int fsverity_open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		fsverity_complain("can't open '%s' for %s: %s", path,
				  flags == O_RDONLY ? "reading" : "writing", strerror(errno));
	return fd;
}

bool fsverity_write_all(int fd, const char *path, struct bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t done = write(fd, bytes.data, bytes.size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			fsverity_complain("writing to '%s': %s", path, strerror(errno));
			return false;
		}
		bytes = BYTES(bytes.data + done, bytes.size - (size_t)done);
	}
	return true;
}

/* Output that did not all reach its place is a failure. */
int fsverity_ended(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fsverity_complain("writing to 'stdout': %s", strerror(errno));
	return EXIT_FAILED;
}

void fsverity_list_algorithms(FILE *stream)
{
	fputs("Available hash algorithms:", stream);
	for (uint16_t i = 1; verity_hash_by_algorithm(i) != ASSAY_HASH_NONE; i++)
		fprintf(stream, " %s", assay_hash_name(verity_hash_by_algorithm(i)));
	putc('\n', stream);
}

static bool take_hash(struct fsverity_request *request, const char *text)
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
	fsverity_complain("unknown hash algorithm: '%s'", text);
	fsverity_list_algorithms(stderr);
	return false;
}

static bool take_block_size(struct fsverity_request *request, const char *text)
{
	char *end;
	unsigned long size = strtoul(text, &end, 10);

	if (size == 0 || size >= INT_MAX || (size & (size - 1)) != 0 || *end != '\0') {
		fsverity_complain("Invalid block size: %s.  Must be power of 2", text);
		return false;
	}
	request->block_size = (uint32_t)size;
	return true;
}

static bool take_salt(struct fsverity_request *request, const char *text)
{
	size_t capacity = strlen(text) / 2;

	request->salt = malloc(capacity + 1);
	if (request->salt && hex_decode(text, request->salt, capacity, &request->salt_size) == 0)
		return true;
	fsverity_complain("salt is not a valid hex string");
	return false;
}

static bool take_number(const char *name, const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (*end == '\0' && errno == 0)
		return true;
	fsverity_complain("invalid value for --%s", name);
	return false;
}

static bool read_signature_file(const char *path, struct buffer *out)
{
	int fd = fsverity_open_file(path, O_RDONLY);
	struct stat st;
	uint8_t *place;
	bool good = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0)
		fsverity_complain("can't stat '%s': %s", path, strerror(errno));
	else if (st.st_size <= 0)
		fsverity_complain("signature file '%s' is empty", path);
	else if (st.st_size > SIGNATURE_FILE_MAX)
		fsverity_complain("signature file '%s' is too large", path);
	else if (!(place = buffer_reserve(out, (size_t)st.st_size)))
		fsverity_complain("out of memory");
	else
		good = true;
	while (good && out->size < (size_t)st.st_size) {
		ssize_t got = read(fd, place + out->size, (size_t)st.st_size - out->size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			fsverity_complain("reading from '%s': %s", path,
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
static int take_option(struct fsverity_request *request, int option, const char *value)
{
	bool good = true;

	if (request->value[option] && takes_value(option)) {
		fsverity_complain("--%s can only be specified once", fsverity_option_names[option]);
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
		request->tree = fsverity_open_file(value, O_WRONLY | O_CREAT | O_TRUNC);
		good = request->tree >= 0;
		break;
	case OPT_DESCRIPTOR:
		request->descriptor = fsverity_open_file(value, O_WRONLY | O_CREAT | O_TRUNC);
		good = request->descriptor >= 0;
		break;
	case OPT_SIGNATURE:
		return read_signature_file(value, &request->signature) ? EXIT_OK : EXIT_FAILED;
	case OPT_OFFSET:
		good = take_number(fsverity_option_names[option], value, &request->offset);
		break;
	case OPT_LENGTH:
		good = take_number(fsverity_option_names[option], value, &request->length);
		break;
	}
	return good ? EXIT_OK : EXIT_USAGE;
}

/* @known: the options of the verb. EXIT_OK to go on; else what was wrong was told */
int fsverity_parse(struct fsverity_request *request, const struct fsverity_verb *verb,
		   const int *known, size_t count, int argc, char **argv)
{
	struct option table[OPT_COUNT + 1] = { 0 };
	int option, status;

	*request = (struct fsverity_request){ .hash = FS_VERITY_HASH_ALG_SHA256,
					      .block_size = VERITY_BLOCK_SIZE_DEFAULT,
					      .tree = -1,
					      .descriptor = -1 };
	for (size_t i = 0; i < count; i++)
		table[i] = (struct option){
			.name = fsverity_option_names[known[i]],
			.has_arg = takes_value(known[i]) ? required_argument : no_argument,
			.val = known[i],
		};
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		status = option == '?' ? EXIT_USAGE :
					 take_option(request, option, optarg ? optarg : "");
		if (status != EXIT_OK)
			return status == EXIT_USAGE ? fsverity_wrong_usage(verb) : status;
	}
	return EXIT_OK;
}

int fsverity_request_free(struct fsverity_request *request, int status)
{
	free(request->salt);
	buffer_free(&request->signature);
	if (request->tree >= 0)
		close(request->tree);
	if (request->descriptor >= 0)
		close(request->descriptor);
	return status;
}
