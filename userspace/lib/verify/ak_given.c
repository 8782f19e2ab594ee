// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* memmem() */
#include "verify/ak_given.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/json.h"

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 4096
#define COORDINATE_MAX 66 /* bytes: P-521 */
#define LABEL_SHOWN 64	  /* characters of a foreign name that an error shows */

#define WHAT "the attestation key"
#define GIVE "give the public key as PEM, DER, JWK, TPMT_PUBLIC or TPM2B_PUBLIC"

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "out of memory");
}

/* ---------------------------------------------------------------- what it may be instead */

static bool begins(struct bytes text, const char *with)
{
	size_t size = strlen(with);

	return text.size >= size && memcmp(text.data, with, size) == 0;
}

/* What a file of binary form is, by how it begins; NULL for what is not known. */
static const char *binary_kind(struct bytes text)
{
	static const struct {
		struct bytes magic;
		const char *kind;
	} kinds[] = {
		{ BYTES_LITERAL("\xba\xdc\xc0\xde"),
		  "a context or a credential of tpm2-tools: 'tpm2_readpublic -c FILE -o KEY' "
		  "writes the public key of a context" },
		{ BYTES_LITERAL("\xff"
				"TCG"),
		  "a quote (TPMS_ATTEST), not a key" },
		{ BYTES_LITERAL("\x00\x14\x00"), "a signature (TPMT_SIGNATURE), not a key" },
		{ BYTES_LITERAL("\x00\x16\x00"), "a signature (TPMT_SIGNATURE), not a key" },
		{ BYTES_LITERAL("\x00\x18\x00"), "a signature (TPMT_SIGNATURE), not a key" },
		{ BYTES_LITERAL("\x00\x0b"), "a key's name, which the key cannot be told from" },
		{ BYTES_LITERAL("\x00\x22\x00\x0b"),
		  "a key's name, which the key cannot be told from" },
		{ BYTES_LITERAL("ssh-"), "an SSH public key: 'ssh-keygen -e -m pkcs8 -f FILE' "
					 "writes it as PEM" },
		{ BYTES_LITERAL("ecdsa-sha2-"),
		  "an SSH public key: 'ssh-keygen -e -m pkcs8 -f FILE' writes it as PEM" },
		{ BYTES_LITERAL("name: "), "what tpm2_readpublic prints, not the file that it "
					   "writes with -o" },
		{ BYTES_LITERAL("CCEL"), "an ACPI table (CCEL), not a key" },
		{ BYTES_LITERAL("TPM2"), "an ACPI table (TPM2), not a key" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (text.size >= kinds[i].magic.size &&
		    bytes_equal(BYTES(text.data, kinds[i].magic.size), kinds[i].magic))
			return kinds[i].kind;
	return NULL;
}

static int fail_kind(const char *kind, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, WHAT " is %s; " GIVE, kind);
}

static bool is_text(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < 0x20 && !strchr("\t\n\r", text.data[i]))
			return false;
	return true;
}

static int fail_foreign(struct bytes text, struct assay_error *err)
{
	const char *kind = binary_kind(text);

	if (kind)
		return fail_kind(kind, err);
	if (text.size == 0)
		return fail_kind("an empty file", err);
	return fail_kind(is_text(text) ? "text that is neither PEM nor JSON" :
					 "of no form that is known",
			 err);
}

/* ---------------------------------------------------------------- of the TPM's form */

static int read_tpm_public(struct bytes area, enum ak_given_form form, struct ak_given *given,
			   struct assay_error *err)
{
	given->form = form;
	if (form == AK_GIVEN_TPMT_PUBLIC)
		buffer_append_be16(&given->public_area, (uint16_t)area.size);
	buffer_append_bytes(&given->public_area, area);
	if (given->public_area.failed)
		return out_of_memory(err);
	return tpm_public_parse(buffer_bytes(&given->public_area), &given->public, err);
}

/* Whether it begins as a public area of a kind that is read: TPMI_ALG_PUBLIC. */
static bool begins_public(struct bytes text)
{
	uint16_t type, hash;

	return bytes_take_be16(&text, &type) && (type == TPM_ALG_RSA || type == TPM_ALG_ECC) &&
	       bytes_take_be16(&text, &hash) && assay_hash_size((enum assay_hash)hash) > 0;
}

static bool is_sized(struct bytes text)
{
	uint16_t size;

	return bytes_take_be16(&text, &size) && size == text.size;
}

/* ---------------------------------------------------------------- numbers */

static int add_number(struct ak_given *given, const BIGNUM *number, size_t size,
		      struct assay_error *err)
{
	uint8_t *place = buffer_reserve(&given->numbers, size);

	if (!place || BN_bn2binpad(number, place, (int)size) < 0)
		return out_of_memory(err);
	given->numbers.size += size;
	return 0;
}

static int set_rsa(struct ak_given *given, const BIGNUM *modulus, const BIGNUM *exponent,
		   struct assay_error *err)
{
	int bits = BN_num_bits(modulus);
	int r;

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || BN_num_bits(exponent) > 32)
		return assay_fail(err, EBADMSG,
				  WHAT " is RSA of %d bits with an exponent of %d; a TPM's have "
				       "%d to %d, and at most 32",
				  bits, BN_num_bits(exponent), RSA_BITS_MIN, RSA_BITS_MAX);
	r = add_number(given, modulus, ((size_t)bits + 7) / 8, err);
	if (r < 0)
		return r;
	given->public.type = TPM_ALG_RSA;
	given->public.key_bits = (uint16_t)bits;
	given->public.exponent = (uint32_t)BN_get_word(exponent);
	given->public.modulus = buffer_bytes(&given->numbers);
	return 0;
}

static const struct curve {
	uint16_t id;
	const char *group, *jwk;
	size_t size;
} curves[] = {
	{ TPM_ECC_NIST_P256, "prime256v1", "P-256", 32 },
	{ TPM_ECC_NIST_P384, "secp384r1", "P-384", 48 },
	{ TPM_ECC_NIST_P521, "secp521r1", "P-521", COORDINATE_MAX },
};

static const struct curve *find_curve(const char *name)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(name, curves[i].group) == 0 || strcmp(name, curves[i].jwk) == 0)
			return &curves[i];
	return NULL;
}

static int fail_curve(const char *name, struct assay_error *err)
{
	char shown[LABEL_SHOWN];

	return assay_fail(
		err, EBADMSG, WHAT " is on the curve \"%s\"; P-256, P-384 and P-521 are read",
		text_escape(BYTES((const uint8_t *)name, strlen(name)), shown, sizeof(shown)));
}

static int set_ecc(struct ak_given *given, const struct curve *curve, const BIGNUM *x,
		   const BIGNUM *y, struct assay_error *err)
{
	int r = add_number(given, x, curve->size, err);

	if (r == 0)
		r = add_number(given, y, curve->size, err);
	if (r < 0)
		return r;
	given->public.type = TPM_ALG_ECC;
	given->public.curve = curve->id;
	given->public.x = BYTES(given->numbers.data, curve->size);
	given->public.y = BYTES(given->numbers.data + curve->size, curve->size);
	return 0;
}

CLEANUP_POINTER(BIGNUM, bn_free, BN_free);

static int set_key(struct ak_given *given, EVP_PKEY *key, struct assay_error *err)
{
	CLEANUP(bn_free_pointer) BIGNUM *first = NULL;
	CLEANUP(bn_free_pointer) BIGNUM *second = NULL;
	const struct curve *curve;
	char group[LABEL_SHOWN];

	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) {
		if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &first) ||
		    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &second))
			return out_of_memory(err);
		return set_rsa(given, first, second, err);
	}
	if (!EVP_PKEY_is_a(key, "EC"))
		return assay_fail(err, EBADMSG,
				  WHAT " is a key of the kind %s; a TPM attests with RSA and ECC",
				  EVP_PKEY_get0_type_name(key));
	if (!EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
		return fail_curve("unnamed", err);
	curve = find_curve(group);
	if (!curve)
		return fail_curve(group, err);
	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &first) ||
	    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &second))
		return assay_fail(err, EBADMSG, WHAT " is not a point of its curve");
	return set_ecc(given, curve, first, second, err);
}

/* ---------------------------------------------------------------- DER and PEM */

/* What DER is that is no public key. */
static const char *der_kind(struct bytes der)
{
	const unsigned char *at = der.data;
	CLEANUP(x509_free_pointer) X509 *certificate = d2i_X509(NULL, &at, (long)der.size);
	CLEANUP(evp_pkey_free_pointer) EVP_PKEY *private = NULL;

	if (certificate)
		return "a certificate: 'openssl x509 -noout -pubkey -in FILE' writes its key, and "
		       "whether to believe it is yours to say";
	at = der.data;
	private = d2i_AutoPrivateKey(NULL, &at, (long)der.size);
	if (private)
		return "a private key, which no TPM ever gives away: it can attest nothing";
	return "DER of something else, or damaged";
}

static int read_der(struct bytes der, struct ak_given *given, struct assay_error *err)
{
	const unsigned char *at = der.data;
	CLEANUP(evp_pkey_free_pointer) EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der.size);

	if (!key)
		return fail_kind(der_kind(der), err);
	if (at != der.data + der.size)
		return assay_fail(err, EBADMSG, WHAT " has %zu bytes behind its end",
				  der.size - (size_t)(at - der.data));
	given->form = AK_GIVEN_DER;
	return set_key(given, key, err);
}

static int read_rsa_public(struct bytes der, struct ak_given *given, struct assay_error *err)
{
	const unsigned char *at = der.data;
	CLEANUP(evp_pkey_free_pointer)
	EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der.size);

	if (!key || at != der.data + der.size)
		return assay_fail(err, EBADMSG, WHAT ": the PEM block is not an RSAPublicKey");
	return set_key(given, key, err);
}

static int read_pem_block(const char *label, struct bytes der, struct ak_given *given,
			  struct assay_error *err)
{
	static const struct {
		const char *label, *kind;
	} others[] = {
		{ "CERTIFICATE", "a certificate: 'openssl x509 -noout -pubkey -in FILE' writes its "
				 "key, and whether to believe it is yours to say" },
		{ "TSS2 PRIVATE KEY",
		  "a TPM's key file: its public key is what 'assay key create --public' wrote, and "
		  "what 'assay key export --key FILE' writes" },
		{ "CERTIFICATE REQUEST",
		  "a request for a certificate: 'openssl req -noout -pubkey -in FILE' writes its "
		  "key" },
	};
	char shown[LABEL_SHOWN];
	int r;

	if (strcmp(label, "PUBLIC KEY") == 0)
		r = read_der(der, given, err);
	else if (strcmp(label, "RSA PUBLIC KEY") == 0)
		r = read_rsa_public(der, given, err);
	else
		r = 1;
	given->form = AK_GIVEN_PEM;
	if (r <= 0)
		return r;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(label, others[i].label) == 0)
			return fail_kind(others[i].kind, err);
	if (strstr(label, "PRIVATE KEY"))
		return fail_kind("a private key, which no TPM ever gives away: it can attest "
				 "nothing",
				 err);
	return assay_fail(
		err, EBADMSG, WHAT " is PEM of a \"%s\"; " GIVE,
		text_escape(BYTES((const uint8_t *)label, strlen(label)), shown, sizeof(shown)));
}

/* The next block of PEM; false where there is none. All are OPENSSL_free()d by the caller. */
static bool next_block(BIO *bio, char **label, char **header, unsigned char **der, long *size)
{
	return PEM_read_bio(bio, label, header, der, size) == 1;
}

static int read_pem(struct bytes text, struct ak_given *given, struct assay_error *err)
{
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new_mem_buf(text.data, (int)text.size);
	char *label[2] = { NULL, NULL }, *header[2] = { NULL, NULL };
	unsigned char *der[2] = { NULL, NULL };
	long size[2] = { 0, 0 };
	int r;

	if (!bio)
		return out_of_memory(err);
	if (!next_block(bio, &label[0], &header[0], &der[0], &size[0]))
		r = assay_fail(err, EBADMSG, WHAT " is PEM that is damaged or cut");
	else if (next_block(bio, &label[1], &header[1], &der[1], &size[1]))
		r = assay_fail(err, EBADMSG,
			       WHAT " is one of several PEM blocks: leave only the one");
	else
		r = read_pem_block(label[0], BYTES(der[0], (size_t)size[0]), given, err);
	for (size_t i = 0; i < 2; i++) {
		OPENSSL_free(label[i]);
		OPENSSL_free(header[i]);
		OPENSSL_free(der[i]);
	}
	return r;
}

/* ---------------------------------------------------------------- JWK */

/* base64url without padding (RFC 7515, section 2) as the number that it is. */
static int get_number(const json_t *root, const char *key, size_t size, BIGNUM **ret,
		      struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer bytes = { 0 };
	const char *text;
	int r = json_get_string(root, key, WHAT, &text, err);

	if (r < 0)
		return r;
	r = base64url_decode(text, strlen(text), &bytes);
	if (r == -ENOMEM)
		return out_of_memory(err);
	if (r < 0 || bytes.size == 0 || (size > 0 && bytes.size != size))
		return assay_fail(err, EBADMSG, WHAT ": \"%s\" is not base64url of a number%s", key,
				  size > 0 ? " as long as the curve has it" : "");
	*ret = BN_bin2bn(bytes.data, (int)bytes.size, NULL);
	return *ret ? 0 : out_of_memory(err);
}

static int read_jwk_ec(const json_t *root, struct ak_given *given, struct assay_error *err)
{
	CLEANUP(bn_free_pointer) BIGNUM *x = NULL;
	CLEANUP(bn_free_pointer) BIGNUM *y = NULL;
	const struct curve *curve;
	const char *name;
	int r = json_get_string(root, "crv", WHAT, &name, err);

	if (r < 0)
		return r;
	curve = find_curve(name);
	if (!curve || strcmp(curve->jwk, name) != 0)
		return fail_curve(name, err);
	r = get_number(root, "x", curve->size, &x, err);
	if (r == 0)
		r = get_number(root, "y", curve->size, &y, err);
	return r < 0 ? r : set_ecc(given, curve, x, y, err);
}

static int read_jwk_rsa(const json_t *root, struct ak_given *given, struct assay_error *err)
{
	CLEANUP(bn_free_pointer) BIGNUM *modulus = NULL;
	CLEANUP(bn_free_pointer) BIGNUM *exponent = NULL;
	int r = get_number(root, "n", 0, &modulus, err);

	if (r == 0)
		r = get_number(root, "e", 0, &exponent, err);
	return r < 0 ? r : set_rsa(given, modulus, exponent, err);
}

/* What a JSON object is that is no JWK. */
static int fail_object(const json_t *root, struct assay_error *err)
{
	const char *type = json_string_value(json_object_get(root, "type"));

	if (json_object_get(root, "assay") && type && strcmp(type, "device") == 0)
		return fail_kind("a device's record: give it with --device", err);
	if (json_object_get(root, "assay") && type && strlen(type) < LABEL_SHOWN)
		return assay_fail(err, EBADMSG, WHAT " is assay's \"%s\" file; " GIVE, type);
	if (json_object_get(root, "keys"))
		return fail_kind("a set of JWKs: take the one out of \"keys\"", err);
	if (json_object_get(root, "payloadType"))
		return fail_kind("a DSSE envelope", err);
	return fail_kind("JSON without \"kty\", so no JWK", err);
}

static int read_jwk(struct bytes text, struct ak_given *given, struct assay_error *err)
{
	static const char *const private_members[] = { "d", "p", "q", "dp", "dq", "qi", "oth" };
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	const char *type;
	int r = json_parse(text, WHAT, &root, err);

	if (r < 0)
		return r;
	if (!json_object_get(root, "kty"))
		return fail_object(root, err);
	for (size_t i = 0; i < sizeof(private_members) / sizeof(private_members[0]); i++)
		if (json_object_get(root, private_members[i]))
			return fail_kind("a private key, which no TPM ever gives away: it can "
					 "attest nothing",
					 err);
	given->form = AK_GIVEN_JWK;
	r = json_get_string(root, "kty", WHAT, &type, err);
	if (r < 0)
		return r;
	if (strcmp(type, "EC") == 0)
		return read_jwk_ec(root, given, err);
	if (strcmp(type, "RSA") == 0)
		return read_jwk_rsa(root, given, err);
	return assay_fail(err, EBADMSG, WHAT ": \"kty\" must be \"EC\" or \"RSA\"");
}

/* ---------------------------------------------------------------- whichever it is */

static struct bytes skip_space(struct bytes text)
{
	while (text.size > 0 && strchr(" \t\r\n", text.data[0]) && text.data[0])
		text = BYTES(text.data + 1, text.size - 1);
	return text;
}

static bool has_pem(struct bytes text)
{
	static const char mark[] = "-----BEGIN ";

	return begins(text, mark) ||
	       (is_text(text) && text.size > 0 &&
		memmem(text.data, text.size, "\n-----BEGIN ", sizeof(mark)) != NULL);
}

static int read_form(struct bytes text, struct ak_given *given, struct assay_error *err)
{
	struct bytes inner = text;
	uint16_t size;

	if (is_sized(text) && bytes_take_be16(&inner, &size) && begins_public(inner))
		return read_tpm_public(text, AK_GIVEN_TPM2B_PUBLIC, given, err);
	if (begins_public(text) && text.size <= UINT16_MAX)
		return read_tpm_public(text, AK_GIVEN_TPMT_PUBLIC, given, err);
	if (has_pem(text))
		return read_pem(text, given, err);
	if (begins(skip_space(text), "{"))
		return read_jwk(text, given, err);
	if (text.size > 0 && text.data[0] == 0x30) /* SEQUENCE */
		return read_der(text, given, err);
	inner = text;
	if (bytes_take_be16(&inner, &size) && begins_public(inner))
		return assay_fail(err, EBADMSG,
				  WHAT " is a TPM2B_PUBLIC that is cut or has bytes behind its "
				       "end: it says that it has %u bytes, and %zu follow",
				  size, inner.size);
	return fail_foreign(text, err);
}

int ak_given_read(struct bytes text, struct ak_given *ret, struct assay_error *err)
{
	struct ak_given given = { 0 };
	int r;

	if (text.size > AK_GIVEN_MAX_SIZE)
		return assay_fail(err, EFBIG, WHAT " has %zu bytes; at most %d are read", text.size,
				  AK_GIVEN_MAX_SIZE);
	r = read_form(text, &given, err);
	if (r == 0)
		r = tpm_public_key_digest(&given.public, &given.key, err);
	crypto_errors_drop();
	if (r < 0) {
		ak_given_free(&given);
		return r;
	}
	*ret = given;
	return 0;
}

void ak_given_free(struct ak_given *given)
{
	buffer_free(&given->public_area);
	buffer_free(&given->numbers);
	*given = (struct ak_given){ 0 };
}
