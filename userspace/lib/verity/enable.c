// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/enable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fsverity.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* A writer that a fork left behind is gone within milliseconds; a real one is not. */
#define BUSY_TRIES 20
#define BUSY_PAUSE_NS (50L * 1000 * 1000)

/* What to say of each errno; the ioctls' list is in Documentation/filesystems/fsverity.rst. */
static int enable_failed(int code, const struct verity_parameters *parameters, const char *name,
			 struct assay_error *err)
{
	switch (code) {
	case EEXIST:
		return assay_fail(err, code, "verity is on already for %s", name);
	case ETXTBSY:
		return assay_fail(err, code,
				  "cannot enable verity for %s: a process has the file open for "
				  "writing; end it (fuser shows which) and try again",
				  name);
	case EOPNOTSUPP:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: its file system does not have the verity "
			"feature (make it with 'mke2fs -O verity', or switch it on with "
			"'tune2fs -O verity'), or this kernel was built without "
			"CONFIG_FS_VERITY",
			name);
	case ENOTTY:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: this kind of file system does not know "
			"verity; use ext4, f2fs or btrfs",
			name);
	case EKEYREJECTED:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: the kernel rejects the signature: it "
			"is not of this file's digest, or not made by the certificate's key",
			name);
	case ENOKEY:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: the signer's certificate is not in "
			"the kernel's .fs-verity keyring; load it with 'assay keyring load'",
			name);
	case EBADMSG:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: the kernel cannot read the signature "
			"(it is no detached PKCS#7 in DER)",
			name);
	case ENOPKG:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: this kernel does not have the algorithm of "
			"the digest or of the signature (ML-DSA: kernels from 7.0 on, with "
			"CONFIG_CRYPTO_MLDSA)",
			name);
	case EMSGSIZE:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: the salt or the signature is longer "
			"than the kernel takes",
			name);
	case EINVAL:
		return assay_fail(err, code,
				  "cannot enable verity for %s: the kernel does not take the "
				  "parameters; before Linux 6.3, blocks must be as large as its "
				  "pages, and are of %" PRIu32 " bytes",
				  name, parameters->block_size);
	case EPERM:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: not permitted: the file is append-only, "
			"or has no signature while fs.verity.require_signatures is set",
			name);
	case EACCES:
		return assay_fail(err, code,
				  "cannot enable verity for %s: no permission to write to the file",
				  name);
	case EROFS:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: the file system is mounted read-only", name);
	case ENOSPC:
	case EDQUOT:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: no space for its Merkle tree (about "
			"1/127 of the file's size with SHA-256); free some, and of the "
			"volume below it, if that is thin (dm-vdo, dm-thin)",
			name);
	case EIO:
		return assay_fail(err, code,
				  "cannot enable verity for %s: Input/output error; is the disk "
				  "failing, or the volume below it out of physical space (dm-vdo, "
				  "dm-thin)? The file is as it was",
				  name);
	case EFBIG:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: the file is too large for blocks of "
			"%" PRIu32 " bytes",
			name, parameters->block_size);
	case EISDIR:
		return assay_fail(err, code, "cannot enable verity for %s: it is a directory",
				  name);
	case EBUSY:
		return assay_fail(
			err, code,
			"cannot enable verity for %s: another process is doing it just now", name);
	case EINTR:
		return assay_fail(err, code, "enabling verity for %s was interrupted", name);
	default:
		return assay_fail(err, code, "cannot enable verity for %s: %s", name,
				  strerror(code));
	}
}

/* What the kernel has no other word for than EINVAL. -EINVAL with the limit that is not kept */
static int check_block_size(int fd, const struct verity_parameters *parameters, const char *name,
			    struct assay_error *err)
{
	long page_size = sysconf(_SC_PAGESIZE);
	struct statvfs fs;

	if (page_size > 0 && parameters->block_size > (unsigned long)page_size)
		return assay_fail(err, EINVAL,
				  "cannot enable verity for %s: blocks of %" PRIu32
				  " bytes are larger than this kernel's pages of %ld; sign with a "
				  "smaller --block-size",
				  name, parameters->block_size, page_size);
	if (fstatvfs(fd, &fs) == 0 && fs.f_bsize > 0 && parameters->block_size > fs.f_bsize)
		return assay_fail(
			err, EINVAL,
			"cannot enable verity for %s: blocks of %" PRIu32
			" bytes are larger than its file system's blocks of %lu; sign with "
			"a smaller --block-size",
			name, parameters->block_size, fs.f_bsize);
	return 0;
}

int verity_enable(int fd, const struct verity_parameters *parameters, struct bytes signature,
		  const char *name, struct assay_error *err)
{
	struct fsverity_enable_arg arg = { .version = 1 };
	int r = verity_check_parameters(parameters, err);

	if (r < 0)
		return r;
	if (signature.size > VERITY_SIGNATURE_MAX)
		return assay_fail(err, EMSGSIZE,
				  "the signature of %s has %zu bytes; the kernel takes %d at most",
				  name, signature.size, VERITY_SIGNATURE_MAX);
	arg.hash_algorithm = verity_algorithm(parameters->hash);
	arg.block_size = parameters->block_size;
	arg.salt_size = (uint32_t)parameters->salt_size;
	arg.salt_ptr = (uintptr_t)parameters->salt;
	arg.sig_size = (uint32_t)signature.size;
	arg.sig_ptr = (uintptr_t)signature.data;
	for (int tries = 1; ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) < 0; tries++) {
		const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
		int code = errno;

		if (code == EINVAL && check_block_size(fd, parameters, name, err) < 0)
			return -EINVAL;
		if (code != ETXTBSY || tries == BUSY_TRIES)
			return enable_failed(code, parameters, name, err);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int verity_can_enable(int fd, const struct verity_parameters *parameters, const char *name,
		      struct assay_error *err)
{
	struct fsverity_digest none = { 0 };
	struct statvfs fs;

	/* Of a file without verity it tells what the file system can do. */
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &none) == 0 || errno == EOVERFLOW)
		return enable_failed(EEXIST, parameters, name, err);
	if (errno != ENODATA)
		return enable_failed(errno, parameters, name, err);
	if (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		return enable_failed(EROFS, parameters, name, err);
	if (faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) < 0 && errno == EACCES)
		return enable_failed(EACCES, parameters, name, err);
	return check_block_size(fd, parameters, name, err);
}

int verity_measure(int fd, const char *name, struct assay_digest *ret, struct assay_error *err)
{
	union {
		struct fsverity_digest head;
		uint8_t room[sizeof(struct fsverity_digest) + ASSAY_DIGEST_MAX];
	} answer = { .head.digest_size = ASSAY_DIGEST_MAX };
	struct assay_digest digest = { 0 };

	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &answer) < 0) {
		int code = errno;

		if (code == ENODATA)
			return assay_fail(err, code, "verity is not on for %s", name);
		return assay_fail(err, code, "cannot get the fs-verity digest of %s: %s%s", name,
				  strerror(code),
				  code == ENOTTY || code == EOPNOTSUPP ?
					  "; its file system or this kernel has no verity" :
					  "");
	}
	digest.hash = verity_hash_by_algorithm(answer.head.digest_algorithm);
	digest.size = answer.head.digest_size;
	if (digest.hash == ASSAY_HASH_NONE || digest.size != assay_hash_size(digest.hash))
		return assay_fail(err, ENOTSUP,
				  "the fs-verity digest of %s has algorithm %u, which is not known",
				  name, answer.head.digest_algorithm);
	memcpy(digest.bytes, answer.room + sizeof(answer.head), digest.size);
	*ret = digest;
	return 0;
}

int verity_enabled_with(int fd, const char *name, struct verity_parameters *ret,
			struct assay_error *err)
{
	struct fsverity_descriptor descriptor = { 0 };
	struct fsverity_read_metadata_arg arg = {
		.metadata_type = FS_VERITY_METADATA_TYPE_DESCRIPTOR,
		.length = sizeof(descriptor),
		.buf_ptr = (uintptr_t)&descriptor,
	};
	int got = ioctl(fd, FS_IOC_READ_VERITY_METADATA, &arg);

	if (got < 0)
		return assay_fail(err, errno, "cannot read the fs-verity descriptor of %s: %s",
				  name, strerror(errno));
	if (got != (int)sizeof(descriptor) || descriptor.version != 1 ||
	    descriptor.log_blocksize > 31 || descriptor.salt_size > sizeof(descriptor.salt))
		return assay_fail(err, ENOTSUP,
				  "the fs-verity descriptor of %s is of a kind that is not known",
				  name);
	*ret = (struct verity_parameters){
		.hash = verity_hash_by_algorithm(descriptor.hash_algorithm),
		.block_size = 1U << descriptor.log_blocksize,
		.salt_size = descriptor.salt_size,
	};
	memcpy(ret->salt, descriptor.salt, descriptor.salt_size);
	return 0;
}
