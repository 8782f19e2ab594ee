/* SPDX-License-Identifier: MIT */
/* What unit tests share: a directory for each test, and the programs that serve as oracles. */
#ifndef ASSAY_TESTS_SUPPORT_H
#define ASSAY_TESTS_SUPPORT_H

/* clang-format off: cmocka.h needs these before it, in this order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/types.h>
/* clang-format on */

#include "base/bytes.h"

/*
 * Group set-up and tear-down: makes an empty directory and goes into it; removes it with all
 * that is in it.
 */
int support_enter_directory(void **state);
int support_leave_directory(void **state);

/* support_run() - run a shell command; its exit status, 128 or more if it was killed */
int support_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* support_have() - is there such a program? Tests with oracles skip() without. */
bool support_have(const char *program);

/* What a command prints, without the newline at the end; the command must succeed. free() it. */
char *support_output(const char *format, ...) __attribute__((format(printf, 1, 2)));

void support_write(const char *path, struct bytes bytes);
/* The whole file; buffer_free() it. */
struct buffer support_read(const char *path);

/* The bytes of a string, without its NUL; they are the string's. */
struct bytes support_text(const char *text);

/* JSON of so many values and a few, which are short: @begin, "[],[],...[]", @end. */
struct buffer support_many_values(const char *begin, size_t count, const char *end);

/* The next of numbers that look random; from the same @state (not 0) the same ones: a failure
 * repeats. */
uint32_t support_random(uint32_t *state);

/* Bytes that look random and are the same in each run: a small generator from @seed. */
void support_fill(uint8_t *data, size_t size, uint32_t seed);

/*
 * support_swtpm_start() - run a TPM with its state, its log and its socket "s" in @directory,
 * an absolute path; it ends with the test at the latest
 *
 * Return: its process, once the socket is there; -1 if it does not start
 */
pid_t support_swtpm_start(const char *directory);
void support_swtpm_stop(pid_t pid);

/* Fails the test if @err does not hold a sentence with @part in it. */
void support_assert_error(const struct assay_error *err, const char *part);

#endif /* ASSAY_TESTS_SUPPORT_H */
