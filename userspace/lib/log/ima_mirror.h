/* SPDX-License-Identifier: MIT */
/*
 * An entry of IMA's list as assay's log holds it (uapi/assay.h, IMA_ENTRY): what device_mirror()
 * takes, and ima_source_mirrored() gives back. For assayd.
 */
#ifndef ASSAY_LOG_IMA_MIRROR_H
#define ASSAY_LOG_IMA_MIRROR_H

#include "log/ima.h"

/*
 * ima_mirror_entry() - append the value of an IMA_ENTRY to @out: an entry of a list, verbatim
 * @bank: what the list's template digests are in
 */
void ima_mirror_entry(const struct ima_frame *frame, enum assay_hash bank, struct buffer *out);

#endif /* ASSAY_LOG_IMA_MIRROR_H */
