// SPDX-License-Identifier: MIT
#include "sign/ima_sig.h"

#include <errno.h>
#include <string.h>

#include "sign/signature.h"
#include "verity/verity.h"

#define IMA_SIG_VERSION 3

/* enum hash_algo of include/uapi/linux/hash_info.h; not fs-verity's numbers */
enum {
	HASH_ALGO_SHA1 = 2,
	HASH_ALGO_SHA256 = 4,
	HASH_ALGO_SHA384 = 5,
	HASH_ALGO_SHA512 = 6,
};

static uint8_t hash_algo(const struct assay_digest *digest)
{
	if (digest->size != assay_hash_size(digest->hash))
		return 0;
	switch (digest->hash) {
	case ASSAY_HASH_SHA256:
		return HASH_ALGO_SHA256;
	case ASSAY_HASH_SHA512:
		return HASH_ALGO_SHA512;
	default:
		return 0;
	}
}

struct bytes ima_sig_message(const struct assay_digest *digest, uint8_t *room)
{
	if (hash_algo(digest) == 0)
		return BYTES(NULL, 0);
	room[0] = IMA_SIG_TYPE;
	room[1] = hash_algo(digest);
	memcpy(room + 2, digest->bytes, digest->size);
	return BYTES(room, 2 + digest->size);
}

static int file_message(const struct assay_digest *digest, uint8_t *room, struct bytes *ret,
			struct assay_error *err)
{
	*ret = ima_sig_message(digest, room);
	if (ret->size == 0)
		return assay_fail(
			err, EINVAL,
			"IMA signatures are of SHA-256 and SHA-512 fs-verity digests only");
	return 0;
}

/* IMA looks for the key whose subject key id ends in these 4 bytes. */
static int key_id_end(X509 *certificate, struct bytes *ret, struct assay_error *err)
{
	struct bytes id;
	int r = certificate_key_id(certificate, &id, err);

	if (r < 0)
		return r;
	*ret = BYTES(id.data + id.size - 4, 4);
	return 0;
}

int ima_sig_sign(struct signer *signer, X509 *certificate, const struct assay_digest *digest,
		 struct buffer *out, struct assay_error *err)
{
	uint8_t room[IMA_SIG_MESSAGE_MAX];
	struct buffer signature = { 0 };
	struct bytes key_id, message;
	int r;

	r = key_id_end(certificate, &key_id, err);
	if (r < 0)
		return r;
	if (signer->hash != ASSAY_HASH_NONE && signer->hash != digest->hash)
		return assay_fail(
			err, EINVAL,
			"the key signs %s digests only, and IMA's signature of a %s "
			"fs-verity digest needs that hash: use --hash %s if there is such "
			"a digest, else --signatures pkcs7",
			assay_hash_name(signer->hash), assay_hash_name(digest->hash),
			assay_hash_name(signer->hash));
	r = file_message(digest, room, &message, err);
	if (r < 0)
		return r;
	r = signature_make(signer, digest->hash, message, &signature, err);
	if (r < 0)
		goto out;
	buffer_append_u8(out, IMA_SIG_TYPE);
	buffer_append_u8(out, IMA_SIG_VERSION);
	buffer_append_u8(out, hash_algo(digest));
	buffer_append_bytes(out, key_id);
	buffer_append_be16(out, (uint16_t)signature.size);
	buffer_append_bytes(out, buffer_bytes(&signature));
	if (out->failed || signature.failed)
		r = assay_fail(err, ENOMEM, "cannot sign: out of memory");
out:
	buffer_free(&signature);
	return r;
}

/* EVM_IMA_XATTR_DIGSIG of enum evm_ima_xattr_type, and its version. */
#define DATA_SIG_TYPE 0x03
#define DATA_SIG_VERSION 2

/* What security.ima holds. */
struct ima_sig {
	uint8_t type, version, algo;
	struct bytes key_id, signature;
};

static int ima_sig_parse(struct bytes value, struct ima_sig *ret, struct assay_error *err)
{
	uint16_t size;

	if (!bytes_take_u8(&value, &ret->type) || !bytes_take_u8(&value, &ret->version) ||
	    !bytes_take_u8(&value, &ret->algo) || !bytes_take(&value, 4, &ret->key_id) ||
	    !bytes_take_be16(&value, &size) || !bytes_take(&value, size, &ret->signature))
		return assay_fail(err, EBADMSG, "the IMA signature is cut off");
	if (value.size != 0)
		return assay_fail(err, EBADMSG, "%zu bytes follow the IMA signature", value.size);
	return 0;
}

static int check_type(const struct ima_sig *sig, uint8_t type, uint8_t version, const char *what,
		      struct assay_error *err)
{
	if (sig->type != type || sig->version != version)
		return assay_fail(err, EBADMSG,
				  "the IMA signature has type %u and version %u; a signature of %s "
				  "has %u and %u",
				  sig->type, sig->version, what, type, version);
	return 0;
}

static bool is_data_sig(const struct ima_sig *sig)
{
	return sig->type == DATA_SIG_TYPE && sig->version == DATA_SIG_VERSION;
}

int ima_sig_key_id(struct bytes value, struct bytes *ret, struct assay_error *err)
{
	struct ima_sig sig;
	int r = ima_sig_parse(value, &sig, err);

	if (r == 0 && !is_data_sig(&sig))
		r = check_type(&sig, IMA_SIG_TYPE, IMA_SIG_VERSION, "an fs-verity digest", err);
	if (r == 0)
		*ret = sig.key_id;
	return r;
}

static const char what[] = "the IMA signature";

/* Is it @certificate's key that the signature names? */
static int check_key_id(const struct ima_sig *sig, X509 *certificate, struct assay_error *err)
{
	struct bytes expected_id;
	int r = key_id_end(certificate, &expected_id, err);

	if (r < 0)
		return r;
	if (!bytes_equal(sig->key_id, expected_id))
		return assay_fail(err, ENOKEY,
				  "the IMA signature names another key than the certificate's");
	return 0;
}

int ima_sig_verify(struct bytes value, const struct assay_digest *digest, X509 *certificate,
		   struct assay_error *err)
{
	uint8_t room[IMA_SIG_MESSAGE_MAX];
	struct bytes message;
	struct ima_sig sig;
	int r = ima_sig_parse(value, &sig, err);

	if (r == 0)
		r = check_type(&sig, IMA_SIG_TYPE, IMA_SIG_VERSION, "an fs-verity digest", err);
	if (r == 0)
		r = file_message(digest, room, &message, err);
	if (r < 0)
		return r;
	if (sig.algo != hash_algo(digest))
		return assay_fail(err, EBADMSG,
				  "the IMA signature is of another hash algorithm (%u) than the "
				  "fs-verity digest (%u)",
				  sig.algo, hash_algo(digest));
	r = check_key_id(&sig, certificate, err);
	return r < 0 ? r :
		       signature_verify_message(X509_get0_pubkey(certificate), digest->hash,
						message, sig.signature, what, err);
}

int ima_sig_verify_data(struct bytes value, const struct assay_digest *digest, X509 *certificate,
			struct assay_error *err)
{
	uint8_t expected = digest->hash == ASSAY_HASH_SHA384 ? HASH_ALGO_SHA384 :
			   digest->hash == ASSAY_HASH_SHA1   ? HASH_ALGO_SHA1 :
							       hash_algo(digest);
	struct ima_sig sig;
	int r = ima_sig_parse(value, &sig, err);

	if (r == 0)
		r = check_type(&sig, DATA_SIG_TYPE, DATA_SIG_VERSION, "a file's data", err);
	if (r < 0)
		return r;
	if (expected == 0 || sig.algo != expected)
		return assay_fail(err, EBADMSG,
				  "the IMA signature is of another hash algorithm (%u) than the "
				  "file's digest (%u), or of one that is not accepted",
				  sig.algo, expected);
	r = check_key_id(&sig, certificate, err);
	return r < 0 ? r :
		       signature_verify(X509_get0_pubkey(certificate), digest, sig.signature, what,
					err);
}
