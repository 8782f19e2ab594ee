/* SPDX-License-Identifier: MIT */
/*
 * What the verbs of `assay fsverity` share: their options, and how they print, as fsverity-utils
 * does. Only for fsverity*.c.
 */
#ifndef ASSAY_CMD_FSVERITY_H
#define ASSAY_CMD_FSVERITY_H

#include "cmd.h"

#include "base/bytes.h"

struct fsverity_verb {
	const char *name, *summary, *usage;
	int (*run)(const struct fsverity_verb *verb, int argc, char **argv);
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

/* Each option's name. */
extern const char *const fsverity_option_names[OPT_COUNT];

/**
 * struct fsverity_request - what the options of a call say
 * @value: of each option, NULL where it is not there; "" of one without value
 * @hash, @block_size: as the kernel takes them
 * @tree, @descriptor: files to write these to, or -1
 */
struct fsverity_request {
	const char *value[OPT_COUNT];
	uint32_t hash, block_size;
	uint8_t *salt;
	size_t salt_size;
	int tree, descriptor;
	struct buffer signature;
	uint64_t offset, length;
};

/* fsverity_complain() - "ERROR: ...", behind what was printed so far */
void fsverity_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* fsverity_wrong_usage() - prints how the verb is used; returns EXIT_USAGE */
int fsverity_wrong_usage(const struct fsverity_verb *verb);

/* fsverity_ended() - @status, or EXIT_FAILED where output did not all reach its place */
int fsverity_ended(int status);

void fsverity_list_algorithms(FILE *stream);

/* These two complain if they fail: the descriptor or -1; and whether all was written. */
int fsverity_open_file(const char *path, int flags);
bool fsverity_write_all(int fd, const char *path, struct bytes bytes);

/*
 * fsverity_parse() - the options of a verb; optind is then where its other words begin
 * @known: those options that the verb has
 *
 * Return: EXIT_OK to go on; else what was wrong was told. End it with fsverity_request_free()
 */
int fsverity_parse(struct fsverity_request *request, const struct fsverity_verb *verb,
		   const int *known, size_t count, int argc, char **argv);

/* fsverity_request_free() - returns @status */
int fsverity_request_free(struct fsverity_request *request, int status);

#define FSVERITY_KNOWN(array) array, sizeof(array) / sizeof((array)[0])

/* The verbs: their exit status. */
int fsverity_digest(const struct fsverity_verb *verb, int argc, char **argv);
int fsverity_sign(const struct fsverity_verb *verb, int argc, char **argv);
int fsverity_enable(const struct fsverity_verb *verb, int argc, char **argv);
int fsverity_measure(const struct fsverity_verb *verb, int argc, char **argv);
int fsverity_dump_metadata(const struct fsverity_verb *verb, int argc, char **argv);

#endif /* ASSAY_CMD_FSVERITY_H */
