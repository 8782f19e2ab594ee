/* SPDX-License-Identifier: MIT */
/*
 * Stage 1: what the rules in the initramfs name, measured on the root file system before anything
 * of it runs, as the running system will see it.
 */
#ifndef ASSAY_INITRD_STAGE1_H
#define ASSAY_INITRD_STAGE1_H

#include "initrd_config.h"
#include "measure/outcome.h"

/**
 * struct stage1 - where all is
 * @root: the directory that the root file system is mounted on
 * @rules, @certificates: directories of the initramfs
 * @runtime: descriptor of the directory for results, which the running system keeps
 */
struct stage1 {
	const char *root, *rules, *certificates;
	int runtime;
	struct initrd_config config;
};

/* What is left there. */
#define STAGE1_RESULT "stage1.json"
#define STAGE1_KNOWN "stage1.measured" /* measure/known.h */

/*
 * stage1_measure() - measure; the process' root is another one behind it
 * @ret: what came of it; outcome_free() it
 */
void stage1_measure(const struct stage1 *stage1, struct outcome *ret);

/* stage1_deed() - what is to be done where that came of it */
enum initrd_deed stage1_deed(const struct stage1 *stage1, enum outcome_kind kind);

/* stage1_write() - leave the result in the runtime directory */
int stage1_write(const struct stage1 *stage1, const struct outcome *outcome,
		 struct assay_error *err);

#endif /* ASSAY_INITRD_STAGE1_H */
