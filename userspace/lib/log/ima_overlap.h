/* SPDX-License-Identifier: MIT */
/*
 * Where two parts of IMA's list meet: how many of the last entries that are kept are the first
 * ones that the kernel still has. Pure. For assayd.
 */
#ifndef ASSAY_LOG_IMA_OVERLAP_H
#define ASSAY_LOG_IMA_OVERLAP_H

#include "base/bytes.h"

/* Of an entry, the beginning of the SHA-256 digest of all its bytes. */
typedef uint64_t ima_print;

/* ima_print_of() - of an entry as it stands in the list */
int ima_print_of(struct bytes entry, ima_print *ret, struct assay_error *err);

/*
 * ima_overlap() - the longest end of @kept that is the beginning of @list
 *
 * Entries may be alike: of a violation there can be several that do not differ. Of several
 * answers this is the longest.
 *
 * Return: 0 with *ret_count set, -ENOMEM
 */
int ima_overlap(const ima_print *kept, size_t kept_count, const ima_print *list, size_t list_count,
		size_t *ret_count, struct assay_error *err);

/**
 * struct ima_meeting - of a list, what of it is kept
 * @known: so many of its first entries
 * @run: the last so many of these are the end of what is kept; those before may be anywhere
 */
struct ima_meeting {
	size_t known, run;
};

/*
 * ima_meet() - ima_overlap(), also where a kexec has handed over less than what is kept
 * @kept: what the list should begin with
 * @own: in @list, the last entry that stands for a boot; 0 where that is its first, or none does
 *
 * A kernel may hand its list over as it was before the last entries came, or as much of it as there
 * is room for. The next kernel goes on behind that with the entry of its own boot. So where the
 * list up to that one is what is kept, it is handed over, and the end of what is kept may go on
 * behind it. Of both answers this is the longer one.
 *
 * Return: 0, -ENOMEM
 */
int ima_meet(const ima_print *kept, size_t kept_count, const ima_print *list, size_t list_count,
	     size_t own, struct ima_meeting *ret, struct assay_error *err);

#endif /* ASSAY_LOG_IMA_OVERLAP_H */
