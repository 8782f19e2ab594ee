/* SPDX-License-Identifier: MIT */
/*
 * libassay: what every room of the library shares, and callers see.
 *
 * Functions that can fail return 0 (or a count) on success and a negative errno
 * on failure, and then leave a sentence for people in *err: what was tried, on
 * what, why it failed, and what to do. Output parameters named ret_* are set on
 * success only. The library never prints.
 */
#ifndef ASSAY_H
#define ASSAY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASSAY_VERSION "0.1.0"

/* The largest digest known (SHA-512), in bytes. */
#define ASSAY_DIGEST_MAX 64

/**
 * struct assay_error - why a call failed
 * @code: positive errno, 0 if nothing failed
 * @text: one or more sentences, UTF-8, always terminated; input that is quoted
 *        in it has its control characters escaped
 */
struct assay_error {
	int code;
	char text[1024];
};

/**
 * assay_fail() - note why a call failed
 * @err: where to; may be NULL
 * @code: positive errno
 * @format: the sentence, as for printf
 *
 * Return: -code, so that callers can write `return assay_fail(...)`.
 */
int assay_fail(struct assay_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * assay_fail_context() - put what was being done in front of a noted error
 * @err: an error that assay_fail() filled; may be NULL
 * @format: for example "manifest.jsonl line 12"; ": " is added
 *
 * Return: -err->code (-EINVAL where @err is NULL).
 */
int assay_fail_context(struct assay_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * enum assay_hash - hash algorithms, as TCG algorithm identifiers (TPM2_ALG_ID)
 */
enum assay_hash {
	ASSAY_HASH_NONE = 0,
	ASSAY_HASH_SHA1 = 0x0004,
	ASSAY_HASH_SHA256 = 0x000b,
	ASSAY_HASH_SHA384 = 0x000c,
	ASSAY_HASH_SHA512 = 0x000d,
};

/**
 * struct assay_digest - a digest and what made it
 */
struct assay_digest {
	enum assay_hash hash;
	size_t size;
	uint8_t bytes[ASSAY_DIGEST_MAX];
};

/* assay_hash_size() - bytes of a digest, 0 for an algorithm not known. */
size_t assay_hash_size(enum assay_hash hash);

/* assay_hash_name() - "sha256" and so on, NULL for an algorithm not known. */
const char *assay_hash_name(enum assay_hash hash);

/* assay_hash_by_name() - ASSAY_HASH_NONE for a name not known. */
enum assay_hash assay_hash_by_name(const char *name);

/* Characters of "sha512:HEX" with its NUL. */
#define ASSAY_DIGEST_TEXT_MAX (sizeof("sha512:") + 2 * ASSAY_DIGEST_MAX)

/*
 * assay_digest_text() - "sha256:HEX", lower case; @text has room for ASSAY_DIGEST_TEXT_MAX
 * Return: @text
 */
char *assay_digest_text(const struct assay_digest *digest, char *text);

/*
 * assay_digest_parse() - "sha256:HEX" of any hash known, with as many digits as it has
 * Return: 0, -EINVAL
 */
int assay_digest_parse(const char *text, struct assay_digest *ret);

#endif /* ASSAY_H */
