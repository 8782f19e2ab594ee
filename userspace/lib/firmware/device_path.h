/* SPDX-License-Identifier: MIT */
/*
 * A UEFI device path in words (UEFI 2.10, section 10: the structures, and the text for them),
 * "PciRoot(0x0)/Pci(0x1,0x1)/HD(1,GPT,...)/EFI/BOOT/BOOTAA64.EFI". Hostile, bounded, pure.
 */
#ifndef ASSAY_FIRMWARE_DEVICE_PATH_H
#define ASSAY_FIRMWARE_DEVICE_PATH_H

#include "base/bytes.h"

/*
 * efi_device_path_text() - append the path as text to @out, which is not yet fit to print
 *
 * Nodes that are not known are "Path(TYPE,SUBTYPE,HEX)", as the specification has them; several
 * paths are put apart by ','. In names of files '/' stands for the backslash, and the first one is
 * that between nodes. What is behind the end of a path is not looked at: some firmware leaves some.
 *
 * Return: whether it is well-formed to its end; if not, what was read is appended all the same
 */
bool efi_device_path_text(struct bytes path, struct buffer *out);

/* efi_device_path_file() - UTF-16: what the last file path node names; of size 0 if there is none
 */
struct bytes efi_device_path_file(struct bytes path);

#endif /* ASSAY_FIRMWARE_DEVICE_PATH_H */
