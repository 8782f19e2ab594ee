// SPDX-License-Identifier: MIT
/* `assay fsverity enable`, `measure` and `dump_metadata`: what only the kernel can do. */
#define _GNU_SOURCE
#include "fsverity.h"
#include "verity/parameters.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What one FS_IOC_READ_VERITY_METADATA is asked for. */
#define METADATA_PIECE 65536

int fsverity_enable(const struct fsverity_verb *verb, int argc, char **argv)
{
	static const int known[] = { OPT_HASH_ALG, OPT_BLOCK_SIZE, OPT_SALT, OPT_SIGNATURE };
	struct fsverity_enable_arg arg = { .version = 1 };
	struct fsverity_request request;
	int fd, status = fsverity_parse(&request, verb, FSVERITY_KNOWN(known), argc, argv);

	if (status == EXIT_OK && argc - optind != 1)
		status = fsverity_wrong_usage(verb);
	if (status != EXIT_OK)
		return fsverity_request_free(&request, status);
	fd = fsverity_open_file(argv[optind], O_RDONLY);
	if (fd < 0)
		return fsverity_request_free(&request, EXIT_FAILED);
	arg.hash_algorithm = request.hash;
	arg.block_size = request.block_size;
	arg.salt_size = (uint32_t)request.salt_size;
	arg.salt_ptr = (uintptr_t)request.salt;
	arg.sig_size = (uint32_t)request.signature.size;
	arg.sig_ptr = (uintptr_t)request.signature.data;
	/* Once only, and whatever was asked for: scripts test what the kernel refuses. */
	if (ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) != 0) {
		fsverity_complain("FS_IOC_ENABLE_VERITY failed on '%s': %s", argv[optind],
				  strerror(errno));
		status = EXIT_FAILED;
	}
	close(fd);
	return fsverity_request_free(&request, status);
}

static bool measure_file(const char *path)
{
	union {
		struct fsverity_digest head;
		uint8_t room[sizeof(struct fsverity_digest) + ASSAY_DIGEST_MAX];
	} answer = { .head.digest_size = ASSAY_DIGEST_MAX };
	char hex[2 * ASSAY_DIGEST_MAX + 1];
	int fd = fsverity_open_file(path, O_RDONLY);
	enum assay_hash hash;
	bool good = false;

	if (fd < 0)
		return false;
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &answer) != 0 ||
	    answer.head.digest_size > ASSAY_DIGEST_MAX) {
		fsverity_complain("FS_IOC_MEASURE_VERITY failed on '%s': %s", path,
				  strerror(errno));
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

/* Takes no options, but "--" before files whose names begin with a dash, as 1.6 does. */
int fsverity_measure(const struct fsverity_verb *verb, int argc, char **argv)
{
	struct fsverity_request request;
	int status = fsverity_parse(&request, verb, NULL, 0, argc, argv);

	if (status == EXIT_OK && optind == argc)
		status = fsverity_wrong_usage(verb);
	for (int i = optind; i < argc && status == EXIT_OK; i++)
		if (!measure_file(argv[i]))
			status = EXIT_FAILED;
	return fsverity_request_free(&request, fsverity_ended(status));
}

/* @length: UINT64_MAX for all */
static bool dump_metadata(int fd, const char *path, uint64_t type, uint64_t offset, uint64_t length)
{
	static uint8_t piece[METADATA_PIECE];
	int got;

	/* Once also for nothing: whether there is such metadata is the kernel's answer. */
	do {
		struct fsverity_read_metadata_arg arg = {
			.metadata_type = type,
			.offset = offset,
			.length = length < sizeof(piece) ? length : sizeof(piece),
			.buf_ptr = (uintptr_t)piece,
		};

		got = ioctl(fd, FS_IOC_READ_VERITY_METADATA, &arg);
		if (got < 0) {
			fsverity_complain("FS_IOC_READ_VERITY_METADATA failed on '%s': %s", path,
					  strerror(errno));
			return false;
		}
		if (!fsverity_write_all(STDOUT_FILENO, "stdout", BYTES(piece, (size_t)got)))
			return false;
		offset += (uint64_t)got;
		length -= (uint64_t)got;
	} while (got > 0 && length > 0);
	return true;
}

int fsverity_dump_metadata(const struct fsverity_verb *verb, int argc, char **argv)
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
	struct fsverity_request request;
	uint64_t type = 0;
	bool part;
	int fd, status = fsverity_parse(&request, verb, FSVERITY_KNOWN(known), argc, argv);

	if (status != EXIT_OK)
		return fsverity_request_free(&request, status);
	if (argc - optind != 2)
		return fsverity_request_free(&request, fsverity_wrong_usage(verb));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(argv[optind], types[i].name) == 0)
			type = types[i].type;
	if (type == 0) {
		fsverity_complain(
			"unknown metadata type: %s\n"
			"       Expected \"merkle_tree\", \"descriptor\", or \"signature\"",
			argv[optind]);
		return fsverity_request_free(&request, fsverity_wrong_usage(verb));
	}
	part = request.value[OPT_OFFSET];
	if (part != (request.value[OPT_LENGTH] != NULL)) {
		fsverity_complain("--%s specified without --%s",
				  fsverity_option_names[part ? OPT_OFFSET : OPT_LENGTH],
				  fsverity_option_names[part ? OPT_LENGTH : OPT_OFFSET]);
		return fsverity_request_free(&request, fsverity_wrong_usage(verb));
	}
	fd = fsverity_open_file(argv[optind + 1], O_RDONLY);
	if (fd < 0)
		return fsverity_request_free(&request, EXIT_FAILED);
	if (!dump_metadata(fd, argv[optind + 1], type, request.offset,
			   part ? request.length : UINT64_MAX))
		status = EXIT_FAILED;
	close(fd);
	return fsverity_request_free(&request, status);
}
