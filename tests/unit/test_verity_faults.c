// SPDX-License-Identifier: MIT
/*
 * lib/verity where reading does not go as it mostly does: files that are not in page cache, or in
 * part, reads that are short, interrupted, fail, or end early. The program's own pread() and
 * preadv2() stand before the kernel's.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "verity/pool.h"
#include "verity/runs.h"
#include "verity/verity.h"

enum fault {
	NO_FAULT,
	/* Those after which the digest is the same. */
	NOT_CACHED,
	HALF_CACHED,
	CACHE_NOT_ASKED,
	SHORT,
	INTERRUPTED,
	/* Those of one file, after which it has none. */
	FAILS,
	ENDS_EARLY,
	FAULTS
};

/* The file that the last ones are of, by its size. */
#define FAULTY_SIZE 16385

static atomic_int fault;
static atomic_uint met;

static int own_errno(int code)
{
	met++;
	errno = code;
	return -1;
}

static bool is_faulty(int fd)
{
	struct stat file;

	return fstat(fd, &file) == 0 && file.st_size == FAULTY_SIZE;
}

/* These stand for the C library's. */
ssize_t own_pread(int fd, void *data, size_t size, off_t offset) __asm__("pread");
ssize_t own_preadv2(int fd, const struct iovec *vectors, int count, off_t offset,
		    int flags) __asm__("preadv2");

ssize_t own_pread(int fd, void *data, size_t size, off_t offset)
{
	static atomic_uint calls;

	switch (atomic_load(&fault)) {
	case SHORT:
		met++;
		size = size < 777 ? size : 777;
		break;
	case INTERRUPTED:
		if (calls++ % 2 == 0)
			return own_errno(EINTR);
		break;
	case FAILS:
		if (is_faulty(fd))
			return own_errno(EIO);
		break;
	case ENDS_EARLY:
		if (is_faulty(fd) && offset > 0) {
			met++;
			return 0;
		}
		size = is_faulty(fd) ? 5000 : size;
		break;
	default:
		break;
	}
	return syscall(SYS_pread64, fd, data, size, offset);
}

ssize_t own_preadv2(int fd, const struct iovec *vectors, int count, off_t offset, int flags)
{
	struct iovec half = vectors[0];

	assert_int_equal(count, 1);
	assert_int_equal(flags, RWF_NOWAIT);
	switch (atomic_load(&fault)) {
	case HALF_CACHED:
		met++;
		half.iov_len /= 2;
		break;
	case CACHE_NOT_ASKED:
		return own_errno(EOPNOTSUPP);
	case NO_FAULT:
		break;
	case FAILS:
		/* Either way is to be tried. */
		if (met++ % 2 == 0)
			return own_errno(EIO);
		return own_errno(EAGAIN);
	default:
		return own_errno(EAGAIN);
	}
	return syscall(SYS_pread64, fd, half.iov_base, half.iov_len, offset);
}

/* Files of a batch, of several buffers, and of several pieces; the last one has a hole. */
static const size_t sizes[] = { 0,
				1,
				4096,
				4097,
				16384,
				FAULTY_SIZE,
				300000,
				524288,
				HASHER_PIECE,
				HASHER_PIECE + 1,
				3 * HASHER_PIECE + 5,
				5 * HASHER_PIECE };

#define FILES (sizeof(sizes) / sizeof(sizes[0]))

static char *file_name(size_t number)
{
	char *name;

	assert_true(asprintf(&name, "f%zu", number) > 0);
	return name;
}

static void make_files(void)
{
	uint8_t *data = malloc(5 * HASHER_PIECE);

	assert_non_null(data);
	for (size_t i = 0; i < 5 * HASHER_PIECE; i++)
		data[i] = (uint8_t)(i * 7 + i / 251 + i / 65537);
	for (size_t i = 0; i < FILES; i++) {
		char *name = file_name(i);
		int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		size_t data_size = i + 1 < FILES ? sizes[i] : HASHER_PIECE + 9000;

		assert_true(fd >= 0);
		assert_int_equal(write(fd, data, data_size), (ssize_t)data_size);
		assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
		close(fd);
		free(name);
	}
	free(data);
}

static void digest_all(unsigned int threads, struct verity_job jobs[FILES])
{
	struct verity_pool *pool;

	assert_int_equal(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, threads, &pool, NULL), 0);
	for (size_t i = 0; i < FILES; i++)
		verity_pool_put(pool, file_name(i), -1);
	for (size_t i = 0; i < FILES; i++) {
		verity_pool_take(pool, &jobs[i]);
		free(jobs[i].path);
		jobs[i].path = NULL;
	}
	verity_pool_free(pool);
}

/* By a hasher alone, which has the same way to read. */
static int digest_one(size_t number, struct assay_digest *ret, struct assay_error *err)
{
	char *name = file_name(number);
	int fd = open(name, O_RDONLY | O_CLOEXEC), r;
	struct verity_hasher *hasher;

	assert_true(fd >= 0);
	assert_int_equal(verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, NULL), 0);
	r = verity_hash_fd(hasher, fd, name, ret, NULL, err);
	verity_hasher_free(hasher);
	close(fd);
	free(name);
	return r;
}

static void check_result(enum fault made, size_t number, int result, const struct assay_error *err,
			 const struct assay_digest *digest, const struct assay_digest *expected)
{
	if (made < FAILS || sizes[number] != FAULTY_SIZE) {
		if (result != 0)
			fail_msg("fault %d, %zu bytes: %s", made, sizes[number], err->text);
		assert_true(verity_digest_equal(digest, expected));
		return;
	}
	assert_int_equal(result, -EIO);
	support_assert_error(err, made == FAILS ? "cannot read f5: Input/output error" :
						  "f5 changed while it was read");
}

static void faults_of_reading_change_no_digest(void **state)
{
	static struct verity_job expected[FILES], jobs[FILES];

	(void)state;
	make_files();
	digest_all(1, expected);
	for (size_t i = 0; i < FILES; i++)
		assert_int_equal(expected[i].result, 0);
	for (enum fault made = NO_FAULT; made < FAULTS; made++) {
		atomic_store(&fault, made);
		met = 0;
		for (unsigned int threads = 1; threads <= 3; threads += 2) {
			digest_all(threads, jobs);
			for (size_t i = 0; i < FILES; i++)
				check_result(made, i, jobs[i].result, &jobs[i].err, &jobs[i].digest,
					     &expected[i].digest);
		}
		for (size_t i = 0; i < FILES; i++) {
			struct assay_error err = { 0 };
			struct assay_digest digest;
			int r = digest_one(i, &digest, &err);

			check_result(made, i, r, &err, &digest, &expected[i].digest);
		}
		assert_true(made == NO_FAULT ? met == 0 : met > 0);
	}
	atomic_store(&fault, NO_FAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_of_reading_change_no_digest),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
