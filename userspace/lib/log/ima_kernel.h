/* SPDX-License-Identifier: MIT */
/*
 * IMA's lists as this kernel shows them in securityfs: which there are, and how long they are.
 * For commands and assayd.
 */
#ifndef ASSAY_LOG_IMA_KERNEL_H
#define ASSAY_LOG_IMA_KERNEL_H

#include "assay.h"

#define IMA_DIRECTORY "/sys/kernel/security/ima"
#define IMA_PATH_MAX 4096

/**
 * struct ima_kernel - the list to read
 * @bank: what its template digests are in
 * @path: of the list
 * @staged: of what of it is staged (CONFIG_IMA_STAGING, Linux 7.2); empty where the kernel
 *          cannot: see Documentation/security/IMA-export-delete.rst of the kernel
 */
struct ima_kernel {
	enum assay_hash bank;
	char path[IMA_PATH_MAX];
	char staged[IMA_PATH_MAX];
};

/*
 * ima_kernel_find() - the list of a bank
 * @directory: IMA_DIRECTORY
 * @banks, @count: those wanted, the best first. Newer kernels have a list a bank; where there is
 *                 none of these it is the one with SHA-1, which every kernel has
 *
 * Return: 0; -ENOENT, with what to do, where there is none; -ENAMETOOLONG
 */
int ima_kernel_find(const char *directory, const enum assay_hash *banks, size_t count,
		    struct ima_kernel *ret, struct assay_error *err);

/*
 * ima_kernel_count() - entries in the list now; what is staged does not count
 * The file is root's to read: -EACCES.
 */
int ima_kernel_count(const char *directory, uint64_t *ret, struct assay_error *err);

#endif /* ASSAY_LOG_IMA_KERNEL_H */
