/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An entry of IMA's list as the log holds it (uapi/assay.h, IMA_ENTRY): is it one? Pure, like
 * frame. Called by call for what user space hands in, so that no record is malformed.
 */
#ifndef _ASSAY_MIRROR_H
#define _ASSAY_MIRROR_H

#include <linux/types.h>

#include "uapi/assay.h"

/**
 * assay_mirror_check() - are these the TLVs of one IMA_ENTRY
 * @bytes: IMA_PCR, IMA_DIGEST once a bank and no bank twice, IMA_TEMPLATE, IMA_DATA
 * @size: bytes of these
 *
 * Return: 0, -EINVAL
 */
int assay_mirror_check(const __u8 *bytes, __u32 size);

#endif /* _ASSAY_MIRROR_H */
