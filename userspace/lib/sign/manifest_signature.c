// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/manifest_signature.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/der.h"
#include "sign/certificate_judge.h"
#include "sign/delegate.h"
#include "sign/manifest.h"
#include "sign/pkcs7.h"

struct bytes manifest_content(const struct assay_digest *digest, uint8_t *room)
{
	const size_t magic = sizeof(MANIFEST_CONTENT_MAGIC) - 1;
	uint16_t algorithm = verity_algorithm(digest->hash);
	const uint8_t middle[] = { (uint8_t)algorithm, (uint8_t)(algorithm >> 8),
				   (uint8_t)digest->size, 0 };

	if (algorithm == 0 || digest->size != assay_hash_size(digest->hash))
		return BYTES(NULL, 0);
	memcpy(room, MANIFEST_CONTENT_MAGIC, magic);
	memcpy(room + magic, middle, sizeof(middle));
	memcpy(room + magic + sizeof(middle), digest->bytes, digest->size);
	return BYTES(room, magic + sizeof(middle) + digest->size);
}

int manifest_sign(struct signer *signer, X509 *certificate, bool inside,
		  const struct assay_digest *digest, struct buffer *out, struct assay_error *err)
{
	uint8_t room[MANIFEST_CONTENT_MAX];
	const struct pkcs7_content content = { "the manifest's signature",
					       manifest_content(digest, room), false, 0, false };

	return pkcs7_sign_content(signer, certificate, inside, &content, digest->hash, out, err);
}

/* A delegate's manifest is the one that its certificate names. */
static int check_delegate(X509 *signer, const char *id, struct assay_error *err)
{
	char of[33];

	if (delegate_manifest_id(signer, of, NULL) < 0 || strcmp(of, id) == 0)
		return 0;
	return assay_fail(err, EKEYREJECTED,
			  "it is by a delegate for another manifest, that with the id %s", of);
}

/* By someone of @trust, over @content. */
static int verify_by_trust(const struct manifest_signed *manifest,
			   const struct pkcs7_content *content, const struct trust *trust,
			   X509 **ret_signer, struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *signer = NULL;
	int r = trust_verify_content(trust, manifest->signature, content, &signer, err);

	if (r == 0)
		r = check_delegate(signer, manifest->id, err);
	if (r == 0 && ret_signer) {
		*ret_signer = signer;
		signer = NULL;
	}
	return r;
}

/* By @certificate's key or its delegate, over @content. */
static int verify_by_certificate(const struct manifest_signed *manifest,
				 const struct pkcs7_content *content, X509 *certificate,
				 struct assay_error *err)
{
	struct assay_error why = { 0 };
	struct trust *trust;
	int delegated, r = pkcs7_verify_content(manifest->signature, content, certificate, err);

	if (r == 0)
		return certificate_judge_at(certificate, content->when, err);
	/* One with a certificate inside pkcs7_verify_content() does not take. */
	if (r != -EBADMSG)
		return r;
	delegated = trust_new(&trust, &why);
	if (delegated < 0)
		return r;
	delegated = trust_add(trust, certificate, TRUST_AUTHORITY, &why);
	if (delegated == 0)
		delegated = verify_by_trust(manifest, content, trust, NULL, &why);
	trust_free(trust);
	if (delegated == -ENOKEY || delegated == -EKEYREJECTED || delegated == -EKEYEXPIRED ||
	    delegated == -EOPNOTSUPP)
		return assay_fail(err, why.code, "%s", why.text);
	return delegated == 0 ? 0 : r;
}

/* With either @certificate or @trust. */
static int verify_either(const struct manifest_signed *manifest,
			 const struct pkcs7_content *content, X509 *certificate,
			 const struct trust *trust, X509 **ret_signer, struct assay_error *err)
{
	return certificate ? verify_by_certificate(manifest, content, certificate, err) :
			     verify_by_trust(manifest, content, trust, ret_signer, err);
}

static int verify_signed(const struct manifest_signed *manifest, X509 *certificate,
			 const struct trust *trust, X509 **ret_signer, struct assay_error *err)
{
	uint8_t room[MANIFEST_CONTENT_MAX], file_room[VERITY_FORMATTED_MAX];
	const struct pkcs7_content own = { "the manifest's signature",
					   manifest_content(&manifest->digest, room), false,
					   manifest->created, false };
	struct pkcs7_content file = pkcs7_file_content(&manifest->digest, file_room);
	bool accept = manifest->flags & MANIFEST_ACCEPT_FILE_SIGNATURE;
	int r;

	/* Where it is refused in any case, it is told for what it is, whenever it was made. */
	file.when = accept ? manifest->created : 0;
	r = verify_either(manifest, &own, certificate, trust, ret_signer, err);
	if (r < 0 && verify_either(manifest, &file, certificate, trust, accept ? ret_signer : NULL,
				   NULL) == 0) {
		if (accept)
			return 0;
		r = assay_fail(err, EPERM,
			       "it is the signature of a file, as earlier versions made it for "
			       "manifests: whoever had any file signed may have made this "
			       "manifest; sign it again, or accept it with "
			       "--accept-file-signature");
	}
	if (r < 0)
		assay_fail_context(err, "the signature of %s", manifest->name);
	return r;
}

/* ---------------------------------------------------------------- all signers */

/* Whoever is to believe the signatures: one of @certificates, or someone of @trust. */
struct believed {
	X509 *const *certificates;
	size_t count;
	const struct trust *trust;
};

static int no_second(const struct manifest_signed *manifest, struct assay_error *err)
{
	char hex[2 * MANIFEST_KEY_ID_MAX + 1];

	hex_encode(manifest->also_key_id, hex);
	return assay_fail(
		err, ENOKEY,
		"%s is to be signed by a second key as well, that with the key id %s: its "
		"certificate is not among those given",
		manifest->name, hex);
}

/* The certificate of the second signer; @first is what the first was believed by. */
static int find_second(const struct manifest_signed *manifest, const struct believed *believed,
		       X509 *first, X509 **ret, struct assay_error *err)
{
	struct bytes id;

	*ret = believed->trust ? trust_find(believed->trust, manifest->also_key_id) : NULL;
	for (size_t i = 0; i < believed->count && !*ret; i++)
		if (certificate_key_id(believed->certificates[i], &id, NULL) == 0 &&
		    bytes_equal(id, manifest->also_key_id))
			*ret = believed->certificates[i];
	if (!*ret)
		return no_second(manifest, err);
	/* Else one key that is broken would do for both. */
	if (EVP_PKEY_eq(X509_get0_pubkey(*ret), X509_get0_pubkey(first)) == 1 ||
	    X509_verify(first, X509_get0_pubkey(*ret)) == 1) {
		crypto_errors_drop();
		return assay_fail(
			err, EKEYREJECTED,
			"both signatures of %s depend on one key, where two are to be good",
			manifest->name);
	}
	crypto_errors_drop();
	return 0;
}

static int verify_second(const struct manifest_signed *manifest, struct bytes signature,
			 const struct believed *believed, X509 *first, struct assay_error *err)
{
	uint8_t room[MANIFEST_CONTENT_MAX];
	const struct pkcs7_content content = { "the manifest's second signature",
					       manifest_content(&manifest->digest, room), false,
					       manifest->created, false };
	X509 *second;
	int r = find_second(manifest, believed, first, &second, err);

	if (r == 0)
		r = pkcs7_verify_content(signature, &content, second, err);
	if (r == 0)
		r = certificate_judge_at(second, manifest->created, err);
	return r < 0 ? assay_fail_context(err, "the second signature of %s", manifest->name) : 0;
}

/* By the first signer; @ret: whose certificate it was believed by, borrowed or the signer's own */
static int verify_first(const struct manifest_signed *manifest, const struct believed *believed,
			X509 **ret, X509 **ret_signer, struct assay_error *err)
{
	int r = believed->trust ? 0 :
				  assay_fail(err, ENOKEY, "no signer's certificate is accepted");

	if (believed->trust) {
		r = verify_signed(manifest, NULL, believed->trust, ret_signer, err);
		*ret = *ret_signer;
	}
	for (size_t i = 0; r < 0 && i < believed->count; i++) {
		r = verify_signed(manifest, believed->certificates[i], NULL, NULL, err);
		*ret = believed->certificates[i];
	}
	return r;
}

static int verify_signers(const struct manifest_signed *manifest, const struct believed *believed,
			  X509 **ret_signer, struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *signer = NULL;
	struct manifest_signed one = *manifest;
	struct bytes rest = manifest->signature, first;
	X509 *by = NULL;
	int r;

	if (manifest->also_key_id.size > 0) {
		if (!der_take_sequence(&rest, &first) || rest.size == 0)
			return assay_fail(err, EKEYREJECTED,
					  "%s says that two keys have signed it, and has not two "
					  "signatures",
					  manifest->name);
		one.signature = first;
	}
	r = verify_first(&one, believed, &by, &signer, err);
	if (r == 0 && manifest->also_key_id.size > 0)
		r = verify_second(manifest, rest, believed, by, err);
	if (r == 0 && ret_signer) {
		*ret_signer = signer;
		signer = NULL;
	}
	return r;
}

int manifest_signed_verify(const struct manifest_signed *manifest, X509 *const *certificates,
			   size_t count, struct assay_error *err)
{
	const struct believed believed = { certificates, count, NULL };

	return verify_signers(manifest, &believed, NULL, err);
}

static int verify_text(struct bytes text, const char *name, struct bytes signature,
		       unsigned int flags, const struct believed *believed, X509 **ret_signer,
		       struct assay_error *err)
{
	struct manifest_header header = { .id = "" };
	struct manifest_signed manifest = {
		.name = name, .id = header.id, .signature = signature, .flags = flags
	};
	int r = verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT, text, name, &manifest.digest, err);

	if (r < 0)
		return r;
	/* What is no manifest is told by whoever reads it; no delegate can be for it. */
	if (manifest_read_header(text, name, &header, NULL) == 0) {
		manifest.created = manifest_created(&header);
		manifest.also_key_id = BYTES(header.also_key_id, header.also_key_id_size);
	}
	return verify_signers(&manifest, believed, ret_signer, err);
}

int manifest_verify_any(struct bytes text, const char *name, struct bytes signature,
			X509 *const *certificates, size_t count, unsigned int flags,
			struct assay_error *err)
{
	const struct believed believed = { certificates, count, NULL };

	return verify_text(text, name, signature, flags, &believed, NULL, err);
}

int manifest_verify(struct bytes text, const char *name, struct bytes signature, X509 *certificate,
		    unsigned int flags, struct assay_error *err)
{
	return manifest_verify_any(text, name, signature, &certificate, 1, flags, err);
}

int manifest_verify_trust(struct bytes text, const char *name, struct bytes signature,
			  const struct trust *trust, unsigned int flags, X509 **ret_signer,
			  struct assay_error *err)
{
	const struct believed believed = { NULL, 0, trust };

	return verify_text(text, name, signature, flags, &believed, ret_signer, err);
}
