/* SPDX-License-Identifier: MIT */
/*
 * Keys in the TPM: creating them, loading them from key files, signing with them.
 *
 * Keys are children of the storage primary of the owner hierarchy: ECC P-256 by the template H-2
 * with the storage attributes (TCG EK Credential Profile, section B.4.5, and TCG Provisioning
 * Guidance, section 7.5.1). It follows from the TPM's seed alone, so it is made anew whenever a
 * key is loaded and takes no place in the TPM; tpm2-openssl and systemd do the same, so a key
 * file works with all of them. Or they are children of a persistent key.
 *
 * The parent's name is noted when a key is made, and compared before the key's password is used:
 * sessions are salted with the parent (tpm/session.h).
 *
 * For commands that sign or quote. Includes nothing of the TPM stack. A TPM and
 * all that was loaded through it belong to one thread; a signer alone may be used by several.
 */
#ifndef ASSAY_TPM_KEY_H
#define ASSAY_TPM_KEY_H

#include "base/signer.h"
#include "sign/tpm_key_file.h"
#include "tpm/key_facts.h"

struct tpm;	 /* lib/tpm/context.h */
struct tpm_pcrs; /* lib/tpm/pcr.h */
struct tpm_key;

/* In the order of the words of `assay key create --algorithm`; RSA last. */
enum tpm_key_algorithm {
	TPM_KEY_P256,
	TPM_KEY_P384,
	TPM_KEY_P521,
	TPM_KEY_RSA2048,
	TPM_KEY_RSA3072,
	TPM_KEY_RSA4096,
};

/* The longest password of a new key, in bytes: a digest of its name algorithm, SHA-256. */
#define TPM_PASSWORD_MAX 32

/**
 * struct tpm_key_options - what key to make
 * @algorithm: of either kind; the scheme of an attestation key is fixed to ECDSA or RSASSA
 *             (PKCS#1 v1.5), with SHA-256, SHA-384 where it is P-384, SHA-512 where it is P-521
 * @pss: of an attestation key that is RSA: fixed to RSAPSS instead
 * @parent: a persistent handle; 0 for the owner hierarchy's storage primary. Its password, if it
 *          has one, is given by tpm_give_password()
 * @password: what using the key takes (auth value), 1 to TPM_PASSWORD_MAX bytes; of size
 *            0 for none. Wrong ones count for the TPM's dictionary attack lockout
 * @pcrs: using the key takes these PCRs to be as they are now; NULL for none. One bank
 */
struct tpm_key_options {
	enum tpm_key_use use;
	enum tpm_key_algorithm algorithm;
	bool pss;
	uint32_t parent;
	struct bytes password;
	const struct tpm_pcrs *pcrs;
};

/*
 * tpm_key_create() - make a key that never leaves the TPM
 * @ret: the new key's file; tpm_key_file_free() it. Nothing stays in the TPM.
 *
 * -EOPNOTSUPP: the TPM has not the algorithm
 */
int tpm_key_create(struct tpm *tpm, const struct tpm_key_options *options, struct tpm_key_file *ret,
		   struct assay_error *err);

/*
 * tpm_key_load() - load a key into the TPM; it takes a slot there until tpm_key_unload()
 * @password: what to use the key with, whatever its file says of one; of size 0 for none. It is
 *            only tried by using the key
 * @what: names the key in errors; copied
 *
 * Return: 0; -EBADMSG (not a key of this TPM, damaged), -EKEYREJECTED (the parent is not the one
 * that was noted), -EOPNOTSUPP (of no use, or it takes a policy that the file does not tell), ...
 */
int tpm_key_load(struct tpm *tpm, const struct tpm_key_file *file, struct bytes password,
		 const char *what, struct tpm_key **ret, struct assay_error *err);

/* A key that is in the TPM for good is named by this and its handle: "handle:0x81000001". */
#define TPM_KEY_HANDLE_PREFIX "handle:"

/**
 * struct tpm_key_handle - such a key
 * @handle: TPM_KEY_PERSISTENT_FIRST to TPM_KEY_PERSISTENT_LAST
 * @primary, @primary_size: the name of the owner hierarchy's storage primary, with which the
 *                          session for the password is salted; of size 0 where it is not known
 */
struct tpm_key_handle {
	uint32_t handle;
	uint8_t primary[TPM_KEY_NAME_MAX];
	size_t primary_size;
};

/*
 * tpm_key_handle() - read such a name, "handle:0x81000001" or
 * "handle:0x81000001,primary=000b..."
 *
 * Return: 0; -ENOENT where @name does not begin with the prefix, so is a file's; -EINVAL
 * where what follows is no persistent handle
 */
int tpm_key_handle(const char *name, struct tpm_key_handle *ret, struct assay_error *err);

/* tpm_key_find() - a key that is in the TPM for good; otherwise as tpm_key_load() */
int tpm_key_find(struct tpm *tpm, const struct tpm_key_handle *handle, struct bytes password,
		 const char *what, struct tpm_key **ret, struct assay_error *err);

/* tpm_key_describe() - tell about a key from its file alone, without a TPM. */
int tpm_key_describe(const struct tpm_key_file *file, const char *what, struct tpm_key_facts *ret,
		     struct assay_error *err);

/* tpm_key_file_public() - the public half of the key in a key file; EVP_PKEY_free() it */
int tpm_key_file_public(const struct tpm_key_file *file, const char *what, EVP_PKEY **ret,
			struct assay_error *err);

/*
 * tpm_key_persist() - keep a key in the TPM for good, so that it needs no key file
 * @handle: 0x81000000 to 0x81ffffff; -EEXIST where something stands there
 */
int tpm_key_persist(struct tpm_key *key, uint32_t handle, struct assay_error *err);

/*
 * tpm_key_open() - a key without a password: read its key file and load it, or find it
 * @name: the file's path, or a handle as above
 */
int tpm_key_open(struct tpm *tpm, const char *name, struct tpm_key **ret, struct assay_error *err);

/* Before the TPM is closed. Does nothing with NULL. */
void tpm_key_unload(struct tpm_key *key);

/* Whether it is an attestation key: restricted, for signing. */
bool tpm_key_attests(const struct tpm_key *key);

/*
 * tpm_key_qualified_name() - append the name of the key and its ancestors, as a quote
 * carries it (TPM 2.0 Library part 1, section 16)
 */
int tpm_key_qualified_name(const struct tpm_key *key, struct buffer *out, struct assay_error *err);

/* TPM2B_PUBLIC, marshalled; lives as long as the key. */
struct bytes tpm_key_public_area(const struct tpm_key *key);

/* The public half; owned by the key. */
EVP_PKEY *tpm_key_public(const struct tpm_key *key);

/*
 * tpm_key_signer() - a signer with a key in a TPM
 * @ret: close it with its own close(), which closes neither @key nor its TPM
 *
 * A restricted key is refused: it signs no digest that comes from outside.
 */
int tpm_key_signer(struct tpm_key *key, struct signer **ret, struct assay_error *err);

/* tpm_key_signer_own() - let the signer unload its key and close the TPM when it is closed */
void tpm_key_signer_own(struct signer *signer);

#endif /* ASSAY_TPM_KEY_H */
