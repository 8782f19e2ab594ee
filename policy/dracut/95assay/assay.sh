#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut without systemd, before the root is switched to: runs assay-initrd. Where it says that the
# boot must not go on there is dracut's shell, and another try behind it.

/usr/lib/assay/initrd-load
until assay-initrd --root "${NEWROOT:?}"; do
	emergency_shell -n assay "assay-initrd says that the boot must not go on, see above"
done
