// SPDX-License-Identifier: MIT
/* Lists of signatures in words: PK, KEK, db, dbx, and what verified a program. */
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "firmware/describe_internal.h"
#include "sign/certificate.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Certificates that are named in a line; all others are counted. */
#define SUBJECTS_SHOWN 4
/* Kinds of signatures in a line. */
#define TYPES_SHOWN 8

char *firmware_signature_subject(struct bytes data)
{
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	const uint8_t *at = data.data;

	if (data.size == 0 || data.size > INT32_MAX)
		return NULL;
	certificate = d2i_X509(NULL, &at, (long)data.size);
	return certificate ? certificate_subject(certificate) : NULL;
}

bool firmware_is_signatures(const struct uefi_event *event, const struct efi_variable *variable)
{
	static const char *const global[] = { "PK", "KEK" };
	static const char *const database[] = { "db", "dbx", "dbr", "dbt" };

	if (event->type != UEFI_EV_EFI_VARIABLE_DRIVER_CONFIG)
		return false;
	for (size_t i = 0; i < COUNT_OF(global); i++)
		if (efi_variable_is(variable, EFI_GLOBAL_VARIABLE, global[i]))
			return true;
	for (size_t i = 0; i < COUNT_OF(database); i++)
		if (efi_variable_is(variable, EFI_IMAGE_SECURITY_DATABASE, database[i]))
			return true;
	return false;
}

static void put_type(struct buffer *out, const uint8_t *type)
{
	const char *name = efi_guid_name(type);
	char text[EFI_GUID_TEXT];

	firmware_put(out, "%s", name ? name : efi_guid_text(type, text));
}

static void put_subjects(struct buffer *out, struct bytes lists)
{
	struct efi_signatures signatures;
	struct efi_signature signature;
	size_t shown = 0;

	efi_signatures_begin(&signatures, lists);
	while (efi_signatures_next(&signatures, &signature) > 0) {
		CLEANUP(free_pointer) char *subject = NULL;

		if (!efi_guid_is(signature.type, EFI_CERT_X509))
			continue;
		if (shown++ >= SUBJECTS_SHOWN) {
			firmware_put(out, "; ...");
			return;
		}
		subject = firmware_signature_subject(signature.data);
		firmware_put(out, "%s", shown == 1 ? ": " : "; ");
		firmware_put(out, "%s", subject ? subject : "a certificate that cannot be read");
	}
}

void firmware_put_signatures(struct buffer *out, struct bytes lists)
{
	struct {
		const uint8_t *type;
		size_t count;
	} types[TYPES_SHOWN] = { 0 };
	struct efi_signatures signatures;
	struct efi_signature signature;
	size_t used = 0, others = 0;
	int r;

	efi_signatures_begin(&signatures, lists);
	while ((r = efi_signatures_next(&signatures, &signature)) > 0) {
		size_t i = 0;

		while (i < used && memcmp(types[i].type, signature.type, EFI_GUID_SIZE) != 0)
			i++;
		if (i == TYPES_SHOWN) {
			others++;
			continue;
		}
		types[i].type = signature.type;
		types[i].count++;
		used += i == used;
	}
	if (used == 0)
		firmware_put(out, r < 0 ? "malformed" : "empty");
	for (size_t i = 0; i < used; i++) {
		firmware_put(out, "%s%zu ", i > 0 ? ", " : "", types[i].count);
		put_type(out, types[i].type);
	}
	if (others > 0)
		firmware_put(out, ", %zu others", others);
	put_subjects(out, lists);
	if (used > 0 && r < 0)
		firmware_put(out, "; malformed behind that");
}

struct bytes firmware_authority(const struct efi_variable *variable)
{
	struct bytes data = variable->value, owner;

	/* A certificate is a SEQUENCE of more than 255 bytes: an owner begins so once in 65536. */
	if (data.size > 2 && data.data[0] == 0x30 && data.data[1] == 0x82)
		return data;
	return bytes_take(&data, EFI_GUID_SIZE, &owner) ? data : BYTES(NULL, 0);
}

static json_t *signature_json(const struct efi_signature *signature)
{
	static const struct {
		const char *type;
		enum assay_hash hash;
	} hashes[] = {
		{ EFI_CERT_SHA256, ASSAY_HASH_SHA256 },
		{ "826ca512-cf10-4ac9-b187-be01496631bd", ASSAY_HASH_SHA1 },
		{ "ff3e5307-9fd0-48c9-85f1-8ad56c701e01", ASSAY_HASH_SHA384 },
		{ "093e0fae-a6c4-4f50-9f1b-d41e2b89c19a", ASSAY_HASH_SHA512 },
	};
	CLEANUP(free_pointer) char *subject = NULL;
	const char *name = efi_guid_name(signature->type);
	char type[EFI_GUID_TEXT], owner[EFI_GUID_TEXT], text[ASSAY_DIGEST_TEXT_MAX];
	json_t *object = json_pack("{s:s, s:s, s:I}", "signature_type",
				   name ? name : efi_guid_text(signature->type, type),
				   "signature_owner", efi_guid_text(signature->owner, owner),
				   "size", (json_int_t)signature->data.size);

	if (efi_guid_is(signature->type, EFI_CERT_X509))
		subject = firmware_signature_subject(signature->data);
	if (subject)
		json_object_set_new(object, "subject", json_text(subject));
	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		struct assay_digest digest = { .hash = hashes[i].hash,
					       .size = assay_hash_size(hashes[i].hash) };

		if (!efi_guid_is(signature->type, hashes[i].type) ||
		    signature->data.size != digest.size)
			continue;
		memcpy(digest.bytes, signature->data.data, digest.size);
		json_object_set_new(object, "digest",
				    json_string(assay_digest_text(&digest, text)));
	}
	return object;
}

json_t *firmware_signatures_json(struct bytes lists, bool *ret_whole)
{
	struct efi_signatures signatures;
	struct efi_signature signature;
	json_t *array = json_array();
	int r;

	efi_signatures_begin(&signatures, lists);
	while ((r = efi_signatures_next(&signatures, &signature)) > 0)
		json_array_append_new(array, signature_json(&signature));
	*ret_whole = r == 0;
	return array;
}
