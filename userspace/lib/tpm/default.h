/* SPDX-License-Identifier: MIT */
/* Where a TPM is, for who opens it and for who says that in a help text. */
#ifndef ASSAY_TPM_DEFAULT_H
#define ASSAY_TPM_DEFAULT_H

/* Where the TPM is found if nothing else is said: the kernel's resource manager. */
#define TPM_DEFAULT_TCTI "device:/dev/tpmrm0"

#endif /* ASSAY_TPM_DEFAULT_H */
