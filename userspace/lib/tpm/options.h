/* SPDX-License-Identifier: MIT */
/*
 * How the TPM is reached, as the user says it: where it is, the passwords of its hierarchies, and
 * the key below which a key file's key stands. For commands; includes nothing of the TPM stack.
 */
#ifndef ASSAY_TPM_OPTIONS_H
#define ASSAY_TPM_OPTIONS_H

#include "tpm/default.h"
#include "tpm/key.h"

/**
 * struct tpm_options - @tcti: as of tpm_open(); the password files are of secret_read()
 * @parent: a persistent handle in place of the parent that a key file names; 0: that one
 */
struct tpm_options {
	const char *tcti;
	const char *owner_password, *endorsement_password, *parent_password;
	uint32_t parent;
};

/* tpm_options_open() - tpm_open(), and give it the passwords */
int tpm_options_open(const struct tpm_options *options, struct tpm **ret, struct assay_error *err);

/*
 * tpm_options_load() - tpm_key_load(), below the parent that the options name
 * @file: its parent is changed where they name another
 */
int tpm_options_load(const struct tpm_options *options, struct tpm *tpm, struct tpm_key_file *file,
		     struct bytes password, const char *what, struct tpm_key **ret,
		     struct assay_error *err);

/*
 * tpm_options_key() - tpm_key_open(), below the parent that the options name
 * Return: as tpm_key_open(); -EINVAL where @name is a handle and a parent is named
 */
int tpm_options_key(const struct tpm_options *options, struct tpm *tpm, const char *name,
		    struct tpm_key **ret, struct assay_error *err);

#endif /* ASSAY_TPM_OPTIONS_H */
