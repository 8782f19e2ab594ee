/* SPDX-License-Identifier: MIT */
/*
 * A verdict in the words that every output of it begins with: text, JSON, HTML, JUnit and
 * whoever else shows one. Nobody else words it, so that no two outputs can differ.
 */
#ifndef ASSAY_VERIFY_SENTENCE_H
#define ASSAY_VERIFY_SENTENCE_H

#include "verify/verdict.h"

/*
 * verdict_boot_judged() - is it known what the machine booted?
 * PCRs 10 and 14 can be extended by root of any machine with any kernel, so without this
 * a trusted log is only as good as the kernel that nobody looked at.
 */
bool verdict_boot_judged(const struct verdict *verdict);

/*
 * verdict_sentence() - "trusted", "trusted (the boot was not judged)" or "NOT TRUSTED"
 * Static text.
 */
const char *verdict_sentence(const struct verdict *verdict);

#endif /* ASSAY_VERIFY_SENTENCE_H */
