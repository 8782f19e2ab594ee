/* SPDX-License-Identifier: MIT */
/*
 * What is another in one boot than in another, by the logs of their firmware, in words. Names are
 * those that the logs give, which nobody proves: what is compared are digests. Pure.
 */
#ifndef ASSAY_FIRMWARE_DIFF_H
#define ASSAY_FIRMWARE_DIFF_H

#include "base/bytes.h"

/**
 * struct firmware_change - one thing that is another
 * @area: what it is of: "firmware", "drivers", "secure-boot", "keys", "programs", "command-line",
 *        "files", "sections", "mok" or "configuration"
 * @pcr: that it is measured into
 * @text: a sentence, fit to print
 */
struct firmware_change {
	const char *area;
	uint32_t pcr;
	const char *text;
};

typedef void firmware_change_function(void *context, const struct firmware_change *change);

/*
 * firmware_diff() - compare the logs @before and @after, in a bank that both have
 *
 * Return: how many changes there are; as uefi_open() and uefi_next(), with which log it is;
 * -ENOTSUP where they have no bank in common
 */
int firmware_diff(struct bytes before, struct bytes after, firmware_change_function *each,
		  void *context, struct assay_error *err);

#endif /* ASSAY_FIRMWARE_DIFF_H */
