/* SPDX-License-Identifier: MIT */
/*
 * The connection to a TPM, and its errors as sentences.
 *
 * For lib/tpm and the commands that use a TPM. What the TPM answers is not trusted:
 * the stack bounds what it unmarshals, and who uses a value checks it. The stack's
 * own messages on standard error are switched off, unless TSS2_LOG is set.
 */
#ifndef ASSAY_TPM_CONTEXT_H
#define ASSAY_TPM_CONTEXT_H

#include <tss2/tss2_esys.h>

#include "base/bytes.h"

/* Whose password: what a key file's own password is not. */
enum tpm_authority {
	TPM_OWNER,	 /* the owner (storage) hierarchy */
	TPM_ENDORSEMENT, /* the endorsement hierarchy */
	TPM_PARENT,	 /* the persistent key below which keys stand */
	TPM_AUTHORITIES,
};

/**
 * struct tpm - a TPM in use
 * @esys: the stack's context; one thread at a time
 * @tcti: what carries the commands; owned
 * @name: the configuration it was opened with, for errors
 * @passwords: of each authority; of size 0 for none
 */
struct tpm {
	ESYS_CONTEXT *esys;
	TSS2_TCTI_CONTEXT *tcti;
	char *name;
	struct buffer passwords[TPM_AUTHORITIES];
};

/*
 * tpm_open() - connect to a TPM
 * @tcti: "device:PATH", "swtpm:path=SOCKET", "swtpm:host=H,port=P" and so on, as
 *        tpm2-tools take it; NULL for $ASSAY_TCTI, else $TPM2TOOLS_TCTI, else
 *        TPM_DEFAULT_TCTI
 *
 * Sets TSS2_LOG in the environment if it is not set: call it before other threads run.
 * From then on SIGHUP, SIGINT, SIGQUIT and SIGTERM, where they would end the process, do not at
 * once, so that no slot of the TPM stays taken: see tpm_interrupted().
 *
 * Return: 0, -ENODEV (no TPM there), -EACCES, -EBUSY, -EINVAL (no such kind), ...
 */
int tpm_open(const char *tcti, struct tpm **ret, struct assay_error *err);

/*
 * tpm_interrupted() - has such a signal come?
 *
 * Signers fail with -EINTR then; whoever does something else for long asks now and then,
 * and ends. A second signal ends the process as it is.
 */
bool tpm_interrupted(void);

/* tpm_end_interrupted() - when all is closed: end the process by the signal, if one came */
void tpm_end_interrupted(void);

/* Does nothing with NULL. */
void tpm_close(struct tpm *tpm);

/*
 * tpm_fail() - note what the TPM or its stack refused
 * @rc: the response code, not 0; it is put into words behind the sentence
 *
 * Return: a negative errno that fits @rc
 */
int tpm_fail(const struct tpm *tpm, struct assay_error *err, TSS2_RC rc, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * tpm_give_password() - the password of an authority, for what is asked of the TPM from now on
 * @password: copied; of size 0 for none
 */
int tpm_give_password(struct tpm *tpm, enum tpm_authority whose, struct bytes password,
		      struct assay_error *err);

/* tpm_auth_refused() - whether @rc says that a password was wrong or is not taken now: to try it
 * again would do nothing but bring the dictionary attack lockout nearer. */
bool tpm_auth_refused(TSS2_RC rc);

/* tpm_rc_is() - whether @rc is the TPM's (or its resource manager's) @code, whatever parameter it
 * names. */
bool tpm_rc_is(TSS2_RC rc, TSS2_RC code);

#endif /* ASSAY_TPM_CONTEXT_H */
