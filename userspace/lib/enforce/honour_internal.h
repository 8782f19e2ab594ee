/* SPDX-License-Identifier: MIT */
/* What the explanations of both kinds of policies share. */
#ifndef ASSAY_ENFORCE_HONOUR_INTERNAL_H
#define ASSAY_ENFORCE_HONOUR_INTERNAL_H

#include "enforce/honour.h"

/* struct honour - who is told; @facts may be NULL */
struct honour {
	const struct kernel_facts *facts;
	honour_function each;
	void *context;
};

void honour_tell(const struct honour *honour, enum honour_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Of a kernel: which it is, and whether its configuration is known. */
void honour_kernel(const struct honour *honour);

/* honour_option() - is a CONFIG_ option set? KERNEL_UNKNOWN where the configuration is not known */
enum kernel_answer honour_option(const struct honour *honour, const char *name);

/* Warns if an LSM is not among those that run. */
void honour_lsm(const struct honour *honour, const char *name);

/* What .fs-verity takes, and who may add to it. */
void honour_verity_keyring(const struct honour *honour);

#endif /* ASSAY_ENFORCE_HONOUR_INTERNAL_H */
