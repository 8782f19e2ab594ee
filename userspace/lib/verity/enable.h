/* SPDX-License-Identifier: MIT */
/* Asks the kernel for fs-verity: turn it on for a file, and get a file's digest. */
#ifndef ASSAY_VERITY_ENABLE_H
#define ASSAY_VERITY_ENABLE_H

#include "verity/parameters.h"

/* FS_VERITY_MAX_SIGNATURE_SIZE of the kernel: larger built-in signatures are refused. */
#define VERITY_SIGNATURE_MAX 16128

/*
 * verity_enable() - FS_IOC_ENABLE_VERITY
 * @fd: a regular file, open O_RDONLY; nobody may have it open for writing
 * @signature: the built-in signature (PKCS#7, DER), or of size 0
 * @name: names the file in errors
 *
 * A file that another process has open for writing just now (as a fork leaves it
 * for a moment) is tried again for about a second.
 *
 * Return: 0; -EEXIST if verity is on already (compare with verity_measure());
 * else as the ioctl, with a sentence for each errno
 */
int verity_enable(int fd, const struct verity_parameters *parameters, struct bytes signature,
		  const char *name, struct assay_error *err);

/*
 * verity_can_enable() - would verity_enable() be tried in vain?
 * @fd: a regular file without verity
 *
 * Looks at the file system, its mount, the block size and the permission to write; not at
 * signatures, nor at who has the file open.
 *
 * Return: 0, or what verity_enable() would return
 */
int verity_can_enable(int fd, const struct verity_parameters *parameters, const char *name,
		      struct assay_error *err);

/*
 * verity_measure() - FS_IOC_MEASURE_VERITY: the digest that the kernel enforces
 * Return: 0; -ENODATA if verity is not on; else as the ioctl
 */
int verity_measure(int fd, const char *name, struct assay_digest *ret, struct assay_error *err);

/*
 * verity_enabled_with() - FS_IOC_READ_VERITY_METADATA: the parameters that verity is on with
 * Return: 0; -ENODATA if verity is not on; else as the ioctl, which kernels have since 5.12
 */
int verity_enabled_with(int fd, const char *name, struct verity_parameters *ret,
			struct assay_error *err);

#endif /* ASSAY_VERITY_ENABLE_H */
