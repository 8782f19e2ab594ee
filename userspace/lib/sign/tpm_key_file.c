// SPDX-License-Identifier: MIT
#include "sign/tpm_key_file.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/asn1t.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/bio.h"
#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/file.h"

#define PEM_NAME "TSS2 PRIVATE KEY"
static const char pem_begin[] = "-----BEGIN " PEM_NAME "-----";

/* Key types, draft-bottomley-tpm2-keys section 3.1. */
#define OID_LOADABLE "2.23.133.10.1.3"
#define OID_IMPORTABLE "2.23.133.10.1.4"
#define OID_SEALED "2.23.133.10.1.5"

/* TPM_CC of TPM 2.0 Library part 2, section 6.5.2. */
#define COMMAND_POLICY_AUTH_VALUE 0x16b
#define COMMAND_POLICY_PCR 0x17f

/* One command of a policy, with its parameters as the command has them. */
typedef struct {
	ASN1_INTEGER *command;
	ASN1_OCTET_STRING *parameters;
} TPM_POLICY;

// cppcheck-suppress unknownMacro
DEFINE_STACK_OF(TPM_POLICY)

ASN1_SEQUENCE(TPM_POLICY) = {
	ASN1_EXP(TPM_POLICY, command, ASN1_INTEGER, 0),
	ASN1_EXP(TPM_POLICY, parameters, ASN1_OCTET_STRING, 1),
} static_ASN1_SEQUENCE_END(TPM_POLICY)

/* TPMKey. What assay refuses is kept as it comes. */
typedef struct {
	ASN1_OBJECT *type;
	ASN1_BOOLEAN empty_auth;
	STACK_OF(TPM_POLICY) * policy;
	ASN1_TYPE *secret;
	ASN1_TYPE *auth_policy;
	ASN1_UTF8STRING *description;
	ASN1_BOOLEAN rsa_parent;
	ASN1_INTEGER *parent;
	ASN1_OCTET_STRING *public_area;
	ASN1_OCTET_STRING *private_area;
} TPM_KEY;

ASN1_SEQUENCE(TPM_KEY) = {
	ASN1_SIMPLE(TPM_KEY, type, ASN1_OBJECT),
	ASN1_EXP_OPT(TPM_KEY, empty_auth, ASN1_BOOLEAN, 0),
	ASN1_EXP_SEQUENCE_OF_OPT(TPM_KEY, policy, TPM_POLICY, 1),
	ASN1_EXP_OPT(TPM_KEY, secret, ASN1_ANY, 2),
	ASN1_EXP_OPT(TPM_KEY, auth_policy, ASN1_ANY, 3),
	ASN1_EXP_OPT(TPM_KEY, description, ASN1_UTF8STRING, 4),
	ASN1_EXP_OPT(TPM_KEY, rsa_parent, ASN1_BOOLEAN, 5),
	ASN1_SIMPLE(TPM_KEY, parent, ASN1_INTEGER),
	ASN1_SIMPLE(TPM_KEY, public_area, ASN1_OCTET_STRING),
	ASN1_SIMPLE(TPM_KEY, private_area, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(TPM_KEY)

static bool takes_literal(struct bytes *text, struct bytes literal)
{
	struct bytes rest = *text, start;

	if (!bytes_take(&rest, literal.size, &start) || !bytes_equal(start, literal))
		return false;
	*text = rest;
	return true;
}

/* The name of a parent: an algorithm and its digest. */
static bool is_name(struct bytes name)
{
	uint16_t hash;

	return bytes_take_be16(&name, &hash) && name.size > 0 &&
	       name.size == assay_hash_size((enum assay_hash)hash);
}

/* The line in front of the PEM block, if there is one: moves @text behind it. */
static int take_parent_name(struct bytes *text, const char *what, struct buffer *ret,
			    struct assay_error *err)
{
	char hex[2 * (2 + ASSAY_DIGEST_MAX) + 1];
	uint8_t name[2 + ASSAY_DIGEST_MAX];
	struct bytes line = { 0 };
	const uint8_t *end;
	size_t size = 0;

	if (!takes_literal(text, BYTES_LITERAL(TPM_KEY_FILE_PARENT_NAME)))
		return 0;
	end = memchr(text->data, '\n', text->size);
	if (end && bytes_take(text, (size_t)(end - text->data), &line) && line.size < sizeof(hex)) {
		memcpy(hex, line.data, line.size);
		hex[line.size] = '\0';
		text->data++;
		text->size--;
		if (strlen(hex) == line.size && hex_decode(hex, name, sizeof(name), &size) == 0 &&
		    is_name(BYTES(name, size)))
			buffer_append(ret, name, size);
	}
	if (ret->size > 0)
		return 0;
	return assay_fail(err, EBADMSG,
			  "%s: what follows \"" TPM_KEY_FILE_PARENT_NAME
			  "\" is no name of a key in hexadecimal",
			  what);
}

/* The DER inside the PEM block, to OPENSSL_free(). */
static int unwrap_pem(struct bytes text, const char *what, uint8_t **ret_der, long *ret_size,
		      struct assay_error *err)
{
	char *name = NULL, *header = NULL;
	struct bytes start = text;
	uint8_t *der = NULL;
	long size = 0;
	bool good, tail = false;
	BIO *bio;

	if (!takes_literal(&start, BYTES_LITERAL(pem_begin)))
		return assay_fail(err, EBADMSG,
				  "%s is not a TPM's key file: it has to start with \"%s\"", what,
				  pem_begin);
	bio = BIO_new_mem_buf(text.data, (int)text.size);
	if (!bio)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", what);
	good = PEM_read_bio(bio, &name, &header, &der, &size) == 1 && strcmp(name, PEM_NAME) == 0 &&
	       header[0] == '\0';
	if (good) {
		char rest;

		while (BIO_read(bio, &rest, 1) == 1)
			tail = tail || (rest != '\n' && rest != '\r');
	}
	BIO_free(bio);
	crypto_errors_drop();
	OPENSSL_free(name);
	OPENSSL_free(header);
	if (!good || tail) {
		OPENSSL_free(der);
		return assay_fail(err, EBADMSG, "%s: %s", what,
				  !good ? "the PEM block is damaged or cut" :
					  "there is something behind the PEM block");
	}
	*ret_der = der;
	*ret_size = size;
	return 0;
}

/* -EBADMSG unless @der is exactly one TPMKey in DER, the one way to write it. */
static int decode_key(const uint8_t *der, long size, const char *what, TPM_KEY **ret,
		      struct assay_error *err)
{
	const uint8_t *in = der;
	uint8_t *again = NULL;
	int again_size;
	bool same;
	TPM_KEY *key;

	key = (TPM_KEY *)ASN1_item_d2i(NULL, &in, size, ASN1_ITEM_rptr(TPM_KEY));
	if (!key) {
		crypto_errors_drop();
		return assay_fail(err, EBADMSG, "%s: the content is no TPMKey structure", what);
	}
	again_size = ASN1_item_i2d((ASN1_VALUE *)key, &again, ASN1_ITEM_rptr(TPM_KEY));
	same = again_size == size && memcmp(again, der, (size_t)size) == 0;
	OPENSSL_free(again);
	crypto_errors_drop();
	if (!same) {
		ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(TPM_KEY));
		return assay_fail(
			err, EBADMSG,
			"%s: the TPMKey structure is not in DER or has something behind it", what);
	}
	*ret = key;
	return 0;
}

/* Why a well-formed key cannot be used; NULL if it can. */
static const char *reason_unusable(const TPM_KEY *key)
{
	char oid[64];

	OBJ_obj2txt(oid, sizeof(oid), key->type, 1);
	if (strcmp(oid, OID_IMPORTABLE) == 0)
		return "it has to be imported into the TPM first (tpm2_import)";
	if (strcmp(oid, OID_SEALED) == 0)
		return "it is sealed data, no key";
	if (strcmp(oid, OID_LOADABLE) != 0)
		return "its type is not known";
	if (key->auth_policy)
		return "it can be used by a signed policy only";
	if (key->secret)
		return "it has to be imported into the TPM first (tpm2_import)";
	return NULL;
}

/* A TPM2B: its size field has to count exactly what follows. */
static bool counted(const ASN1_OCTET_STRING *string, struct bytes *ret)
{
	struct bytes in = BYTES(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
	uint16_t size;

	*ret = in;
	return bytes_take_be16(&in, &size) && size > 0 && size == in.size;
}

static bool is_command(const TPM_POLICY *policy, uint64_t command)
{
	uint64_t is;

	return ASN1_INTEGER_get_uint64(&is, policy->command) == 1 && is == command;
}

/* The policies that `assay key create` makes: PCRs, and with a password that, too. */
static bool extract_policy(const TPM_KEY *key, struct tpm_key_file *file)
{
	const TPM_POLICY *pcr, *password;

	if (!key->policy)
		return true;
	if (sk_TPM_POLICY_num(key->policy) < 1 || sk_TPM_POLICY_num(key->policy) > 2)
		return false;
	pcr = sk_TPM_POLICY_value(key->policy, 0);
	password = sk_TPM_POLICY_value(key->policy, 1);
	if (!is_command(pcr, COMMAND_POLICY_PCR) || ASN1_STRING_length(pcr->parameters) == 0 ||
	    (password && (!is_command(password, COMMAND_POLICY_AUTH_VALUE) ||
			  ASN1_STRING_length(password->parameters) != 0)))
		return false;
	buffer_append(&file->pcr_policy, ASN1_STRING_get0_data(pcr->parameters),
		      (size_t)ASN1_STRING_length(pcr->parameters));
	file->policy_password = password != NULL;
	/* Whether to ask for one: the policy knows, where the mark is but a hint. */
	file->password = file->policy_password;
	return true;
}

static int extract_key(const TPM_KEY *key, const char *what, struct tpm_key_file *ret,
		       struct assay_error *err)
{
	const char *reason = reason_unusable(key);
	struct tpm_key_file file = { 0 };
	struct bytes public_area, private_area;
	uint64_t parent;

	if (reason)
		return assay_fail(err, EOPNOTSUPP, "%s: this key cannot be used: %s", what, reason);
	if (!counted(key->public_area, &public_area))
		return assay_fail(err, EBADMSG, "%s: the public part is no TPM2B_PUBLIC", what);
	if (!counted(key->private_area, &private_area))
		return assay_fail(err, EBADMSG, "%s: the private part is no TPM2B_PRIVATE", what);
	if (ASN1_INTEGER_get_uint64(&parent, key->parent) != 1) {
		crypto_errors_drop();
		return assay_fail(err, EBADMSG, "%s: the parent is no handle", what);
	}
	if (parent != TPM_KEY_PARENT_OWNER &&
	    (parent < TPM_KEY_PERSISTENT_FIRST || parent > TPM_KEY_PERSISTENT_LAST))
		return assay_fail(err, EOPNOTSUPP,
				  "%s: this key cannot be used: its parent is 0x%" PRIx64
				  ", neither the owner hierarchy (0x%" PRIx32
				  ") nor a persistent key (0x%" PRIx32 " and up)",
				  what, parent, TPM_KEY_PARENT_OWNER, TPM_KEY_PERSISTENT_FIRST);
	/* Of a persistent key it is what it is; a primary would have to be made by another
	 * template. */
	if (key->rsa_parent > 0 && parent == TPM_KEY_PARENT_OWNER)
		return assay_fail(
			err, EOPNOTSUPP,
			"%s: this key cannot be used: its parent is an RSA key that is not "
			"in the TPM for good",
			what);
	file.parent = (uint32_t)parent;
	/* Absent is -1, and means the same as false. */
	file.password = key->empty_auth <= 0;
	if (!extract_policy(key, &file)) {
		crypto_errors_drop();
		return assay_fail(err, EOPNOTSUPP,
				  "%s: this key cannot be used: it has another policy than PCRs "
				  "and a password",
				  what);
	}
	buffer_append_bytes(&file.public_area, public_area);
	buffer_append_bytes(&file.private_area, private_area);
	if (file.public_area.failed || file.private_area.failed || file.pcr_policy.failed) {
		tpm_key_file_free(&file);
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", what);
	}
	*ret = file;
	return 0;
}

int tpm_key_file_parse(struct bytes text, const char *what, struct tpm_key_file *ret,
		       struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer parent_name = { 0 };
	TPM_KEY *key = NULL;
	uint8_t *der = NULL;
	long size = 0;
	int r;

	if (text.size > TPM_KEY_FILE_LIMIT)
		return assay_fail(err, EFBIG,
				  "%s is larger than the %d bytes a TPM's key file has at most",
				  what, TPM_KEY_FILE_LIMIT);
	r = take_parent_name(&text, what, &parent_name, err);
	if (r == 0)
		r = unwrap_pem(text, what, &der, &size, err);
	if (r < 0)
		return r;
	r = decode_key(der, size, what, &key, err);
	OPENSSL_free(der);
	if (r < 0)
		return r;
	r = extract_key(key, what, ret, err);
	ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(TPM_KEY));
	if (r == 0) {
		ret->parent_name = parent_name;
		parent_name = (struct buffer){ 0 };
	}
	return r;
}

static bool add_policy(TPM_KEY *key, uint64_t command, struct bytes parameters)
{
	TPM_POLICY *policy = (TPM_POLICY *)ASN1_item_new(ASN1_ITEM_rptr(TPM_POLICY));

	if (!key->policy)
		key->policy = sk_TPM_POLICY_new_null();
	if (policy && key->policy && ASN1_INTEGER_set_uint64(policy->command, command) == 1 &&
	    ASN1_OCTET_STRING_set(policy->parameters, parameters.data, (int)parameters.size) == 1 &&
	    sk_TPM_POLICY_push(key->policy, policy) > 0)
		return true;
	ASN1_item_free((ASN1_VALUE *)policy, ASN1_ITEM_rptr(TPM_POLICY));
	return false;
}

static bool fill_policy(TPM_KEY *key, const struct tpm_key_file *file)
{
	static const uint8_t none[1];

	if (file->pcr_policy.size == 0)
		return true;
	return add_policy(key, COMMAND_POLICY_PCR, buffer_bytes(&file->pcr_policy)) &&
	       (!file->policy_password ||
		add_policy(key, COMMAND_POLICY_AUTH_VALUE, BYTES(none, 0)));
}

/* Whether all of @file went into @key. */
static bool fill_key(TPM_KEY *key, const struct tpm_key_file *file)
{
	ASN1_OBJECT_free(key->type);
	key->type = OBJ_txt2obj(OID_LOADABLE, 1);
	/* TRUE in DER (X.690 section 11.1); FALSE is written, too, for others to see. */
	key->empty_auth = file->password ? 0 : 0xff;
	key->rsa_parent = -1;
	return key->type && ASN1_INTEGER_set_uint64(key->parent, file->parent) == 1 &&
	       ASN1_OCTET_STRING_set(key->public_area, file->public_area.data,
				     (int)file->public_area.size) == 1 &&
	       ASN1_OCTET_STRING_set(key->private_area, file->private_area.data,
				     (int)file->private_area.size) == 1 &&
	       fill_policy(key, file);
}

static void append_parent_name(BIO *bio, struct bytes name)
{
	char hex[2 * (2 + ASSAY_DIGEST_MAX) + 1];

	if (name.size == 0 || 2 * name.size >= sizeof(hex))
		return;
	hex_encode(name, hex);
	BIO_printf(bio, TPM_KEY_FILE_PARENT_NAME "%s\n", hex);
}

int tpm_key_file_format(const struct tpm_key_file *file, struct buffer *out,
			struct assay_error *err)
{
	TPM_KEY *key = (TPM_KEY *)ASN1_item_new(ASN1_ITEM_rptr(TPM_KEY));
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *der = NULL;
	bool good = false;
	int size = -1;

	if (key && bio && fill_key(key, file))
		size = ASN1_item_i2d((ASN1_VALUE *)key, &der, ASN1_ITEM_rptr(TPM_KEY));
	if (size > 0) {
		append_parent_name(bio, buffer_bytes(&file->parent_name));
		good = PEM_write_bio(bio, PEM_NAME, "", der, size) > 0;
	}
	if (good) {
		buffer_append_bytes(out, bio_bytes(bio));
		good = !out->failed;
	}
	OPENSSL_free(der);
	if (key)
		ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(TPM_KEY));
	crypto_errors_drop();
	return good ? 0 : assay_fail(err, ENOMEM, "cannot write the TPM's key file: out of memory");
}

void tpm_key_file_free(struct tpm_key_file *file)
{
	buffer_free(&file->public_area);
	buffer_free(&file->private_area);
	buffer_free(&file->parent_name);
	buffer_free(&file->pcr_policy);
	*file = (struct tpm_key_file){ 0 };
}

int tpm_key_file_read(const char *path, struct tpm_key_file *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read(path, TPM_KEY_FILE_LIMIT, &text, err);

	return r < 0 ? r : tpm_key_file_parse(buffer_bytes(&text), path, ret, err);
}
