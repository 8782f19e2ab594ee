/* SPDX-License-Identifier: MIT */
/*
 * The command by which a guest tells tpm-proxy how its TPM shall behave. It goes the way
 * of every command, through /dev/tpm0; a TPM without the proxy refuses it.
 *
 *	TPM header: tag 0x8001, size 10 + 16, TPM_PROXY_COMMAND
 *	u32 PCR whose extends are meant, u32 milliseconds that each answer is held back,
 *	u32 enum tpm_proxy_fault, u32 how many of a thousand have the fault
 *
 * All big endian. The answer is a header with TPM_RC_SUCCESS.
 *
 * TPM_PROXY_RESET, a header alone: the TPM is reset and started anew, and nobody is told.
 */
#ifndef QEMU_TPM_PROXY_H
#define QEMU_TPM_PROXY_H

/* The vendor bit of TPM_CC: TPM 2.0 Library, part 2, 6.5.1. */
#define TPM_PROXY_COMMAND 0x20000a55
#define TPM_PROXY_RESET 0x20000a56

enum tpm_proxy_fault {
	TPM_PROXY_NONE,
	TPM_PROXY_FAIL,	   /* the TPM answers with an error, and has not extended */
	TPM_PROXY_DONE,	   /* it has extended, and answers with an error */
	TPM_PROXY_GARBAGE, /* it has extended, and answers with noise */
	TPM_PROXY_BUSY,	   /* it asks to be asked again (TPM_RC_RETRY), and has not extended */
	TPM_PROXY_FAULTS,
};

#endif /* QEMU_TPM_PROXY_H */
