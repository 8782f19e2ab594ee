/* SPDX-License-Identifier: MIT */
/*
 * IMA's version 3 signatures of fs-verity digests, the value of `security.ima`:
 *
 *	u8 0x06 (IMA_VERITY_DIGSIG), u8 3, u8 hash_algo, be32 key id, be16 size, signature
 *
 * over H(struct ima_file_id) = H(u8 0x06, u8 hash_algo, digest), H being the digest's
 * own algorithm, hash_algo the kernel's enum hash_algo (include/uapi/linux/hash_info.h),
 * (ML-DSA keys, which kernels from 7.2 on take: over the struct itself, asymmetric_verify_v3())
 * and the key id the last 4 bytes of the certificate's subject key id
 * (security/integrity/integrity.h: struct signature_v2_hdr).
 *
 * No TPM code and, but for the signer's own, no I/O: lib/verify may use this too.
 */
#ifndef ASSAY_SIGN_IMA_SIG_H
#define ASSAY_SIGN_IMA_SIG_H

#include "sign/certificate.h"

/* The extended attribute that holds it. */
#define IMA_SIG_XATTR "security.ima"
/* Its first byte: IMA_VERITY_DIGSIG of enum evm_ima_xattr_type. */
#define IMA_SIG_TYPE 0x06
/* Header and the largest signature of the keys we take (ML-DSA-87). */
#define IMA_SIG_MAX (9 + 4627)

/*
 * ima_sig_message() - what a signature covers: struct ima_file_id without its unused end
 * @room: IMA_SIG_MESSAGE_MAX bytes
 *
 * Return: the bytes, in @room; of size 0 for a digest that is neither SHA-256 nor SHA-512
 */
#define IMA_SIG_MESSAGE_MAX (2 + ASSAY_DIGEST_MAX)
struct bytes ima_sig_message(const struct assay_digest *digest, uint8_t *room);

/* ima_sig_sign() - append the value of security.ima for @digest to @out */
int ima_sig_sign(struct signer *signer, X509 *certificate, const struct assay_digest *digest,
		 struct buffer *out, struct assay_error *err);

/*
 * ima_sig_key_id() - the 4 bytes by which IMA finds the key; borrowed from @value
 *
 * Of a signature of an fs-verity digest and of one of a file's data.
 * Return: 0; -EBADMSG for anything else
 */
int ima_sig_key_id(struct bytes value, struct bytes *ret, struct assay_error *err);

/*
 * ima_sig_verify() - is @value a version 3 signature of @digest by @certificate's key?
 *
 * Pure; nothing may follow the signature.
 *
 * Return: 0; -EBADMSG for anything that is not such a value; -ENOKEY where it names another
 * key; -EKEYREJECTED where it is another's or of other data; -EOPNOTSUPP where it is valid, but
 * not accepted: *err says why ("the key is too weak (RSA 1024)"); -EINVAL for a certificate
 * without subject key id
 */
int ima_sig_verify(struct bytes value, const struct assay_digest *digest, X509 *certificate,
		   struct assay_error *err);

/*
 * ima_sig_verify_data() - the same of a signature of a file's data, which others make
 * (evmctl ima_sign): type 0x03, version 2, over the digest itself
 * @digest: SHA-1 (which is valid at best), SHA-256, SHA-384 or SHA-512 of the data
 */
int ima_sig_verify_data(struct bytes value, const struct assay_digest *digest, X509 *certificate,
			struct assay_error *err);

#endif /* ASSAY_SIGN_IMA_SIG_H */
