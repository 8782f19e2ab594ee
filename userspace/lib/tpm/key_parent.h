/* SPDX-License-Identifier: MIT */
/* The key below which a key stands. For lib/tpm's own files. */
#ifndef ASSAY_TPM_KEY_PARENT_H
#define ASSAY_TPM_KEY_PARENT_H

#include "tpm/key_facts.h"
#include "tpm/session.h"

/**
 * struct tpm_parent - a parent in use
 * @handle: where
 * @made: it was made for this and takes a slot
 * @name, @name_size: its name, of the public part that sessions are salted by
 */
struct tpm_parent {
	ESYS_TR handle;
	bool made;
	uint8_t name[TPM_KEY_NAME_MAX];
	size_t name_size;
};

/*
 * tpm_parent_open() - the owner hierarchy's storage primary, or a persistent key
 * @parent: as in struct tpm_key_file
 * @name: what its name is to be; of size 0 where that is not known
 *
 * Return: 0; -EKEYREJECTED where the TPM, or what stands between, shows another key
 */
int tpm_parent_open(struct tpm *tpm, uint32_t parent, struct bytes name, struct tpm_parent *ret,
		    struct assay_error *err);

/* tpm_parent_authorize() - what it is used with, salted with itself; tpm_end_session() it */
int tpm_parent_authorize(struct tpm *tpm, const struct tpm_parent *parent, TPMA_SESSION attributes,
			 ESYS_TR *ret, struct assay_error *err);

void tpm_parent_close(struct tpm *tpm, struct tpm_parent *parent);

#endif /* ASSAY_TPM_KEY_PARENT_H */
