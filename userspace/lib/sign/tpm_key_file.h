/* SPDX-License-Identifier: MIT */
/*
 * Key files of a TPM's keys: "TSS2 PRIVATE KEY" in PEM around the ASN.1 TPMKey
 * that tpm2-openssl, tpm2-tss-engine and systemd share (draft-bottomley-tpm2-keys,
 * section 3). Reading and writing only, no TPM and no TPM stack: so that the parser can
 * be fuzzed. key_file_is_tss2() tells such a file from a plain private key; lib/tpm
 * loads what is in one.
 *
 * The format has no place for the parent's name. It stands on a line of its own before the PEM
 * block, where readers of PEM skip what they do not know (RFC 7468, section 5.2).
 *
 * The file is of no use outside the TPM that made it, which has encrypted the private
 * part; but whoever has both the file and that TPM can sign.
 */
#ifndef ASSAY_SIGN_TPM_KEY_FILE_H
#define ASSAY_SIGN_TPM_KEY_FILE_H

#include "base/bytes.h"

/* What stands in front of the PEM block, and the parent's name in hexadecimal behind it. */
#define TPM_KEY_FILE_PARENT_NAME "Parent-Name: "

/* The most bytes that a key file has; those of the largest RSA keys have 4 KiB. */
#define TPM_KEY_FILE_LIMIT 16384

/* TPM_RH_OWNER (TPM 2.0 Library part 2, section 7.4): the storage primary is the parent. */
#define TPM_KEY_PARENT_OWNER UINT32_C(0x40000001)

/* Persistent objects (TPM 2.0 Library part 2, section 7.2, and the registry of handles). */
#define TPM_KEY_PERSISTENT_FIRST UINT32_C(0x81000000)
#define TPM_KEY_PERSISTENT_LAST UINT32_C(0x81ffffff)

/**
 * struct tpm_key_file - a key file's content
 * @parent: TPM_KEY_PARENT_OWNER, or a persistent handle (0x81000000 to 0x81ffffff)
 * @public_area: TPM2B_PUBLIC, marshalled; of a file that was read, its size field fits
 * @private_area: TPM2B_PRIVATE, likewise
 * @parent_name: the parent's name (hash algorithm and digest) when the key was made, against
 *               which it is compared before the key is used; of size 0 where the file has none
 * @password: using the key takes a password (auth value). A hint for whether to ask for one:
 *            other programs write it wrongly
 * @pcr_policy: using the key takes PCRs with certain values: pcrDigest (TPM2B_DIGEST)
 *              and pcrs (TPML_PCR_SELECTION) of TPM2_PolicyPCR, marshalled; of size 0 for none
 * @policy_password: besides those, the password (TPM2_PolicyAuthValue)
 *
 * Start with {0}, end with tpm_key_file_free().
 */
struct tpm_key_file {
	uint32_t parent;
	struct buffer public_area;
	struct buffer private_area;
	struct buffer parent_name;
	bool password;
	struct buffer pcr_policy;
	bool policy_password;
};

/*
 * tpm_key_file_parse() - read a key file
 * @text: the whole file: the line with the parent's name, if there is one, and the PEM block;
 *        nothing else may stand before or behind it
 * @what: names it in errors
 *
 * Refuses what could not be used: importable and sealed objects, keys with another policy
 * than PCRs and the password, other parents.
 *
 * Return: 0, -EBADMSG (not such a file), -EOPNOTSUPP (one that assay cannot use),
 * -EFBIG, -ENOMEM
 */
int tpm_key_file_parse(struct bytes text, const char *what, struct tpm_key_file *ret,
		       struct assay_error *err);

/* tpm_key_file_read() - the same from a file; "-" is standard input */
int tpm_key_file_read(const char *path, struct tpm_key_file *ret, struct assay_error *err);

/* tpm_key_file_format() - append the file's text to @out. */
int tpm_key_file_format(const struct tpm_key_file *file, struct buffer *out,
			struct assay_error *err);

void tpm_key_file_free(struct tpm_key_file *file);

#endif /* ASSAY_SIGN_TPM_KEY_FILE_H */
