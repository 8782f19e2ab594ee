/* SPDX-License-Identifier: MIT */
/*
 * What the initramfs has the kernel enforce before anything of the root file system runs, so that
 * who can write to that cannot keep it from being so: the section [enforce] of initrd.conf.
 */
#ifndef ASSAY_INITRD_ENFORCE_H
#define ASSAY_INITRD_ENFORCE_H

#include "initrd_config.h"

#define ENFORCE_SENTENCE_MAX 512

/*
 * enforce_check() - read all that it names, and change nothing
 * Return: 0; -ENOENT for a directory without a certificate; what reading says
 */
int enforce_check(const struct initrd_enforce *enforce, struct assay_error *err);

/*
 * enforce_start() - have the kernel enforce it
 * @sentence: what was done; "" if there is nothing to do
 *
 * It ends with the first thing that fails.
 */
int enforce_start(const struct initrd_enforce *enforce, char sentence[ENFORCE_SENTENCE_MAX],
		  struct assay_error *err);

#endif /* ASSAY_INITRD_ENFORCE_H */
