// SPDX-License-Identifier: MIT
#include "sign/usage.h"

#include <openssl/x509v3.h>
#include <string.h>

#define HARDWARE_MODULE_NAME "1.3.6.1.5.5.7.8.4" /* RFC 4108 */
#define PERMANENT_IDENTIFIER "1.3.6.1.5.5.7.8.3" /* RFC 4043 */
#define OID_TEXT 64

/* What X509_get_ext_d2i() says of an extension that is not there; of others: -2. */
#define EXTENSION_ABSENT (-1)

static bool is_oid(const ASN1_OBJECT *object, const char *oid)
{
	char text[OID_TEXT];
	int length = OBJ_obj2txt(text, sizeof(text), object, 1);

	return length > 0 && (size_t)length < sizeof(text) && strcmp(text, oid) == 0;
}

enum usage usage_of(X509 *certificate, const char *oid)
{
	int critical = 0;
	EXTENDED_KEY_USAGE *usages =
		X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, NULL);
	enum usage found = USAGE_OTHERS;

	if (!usages)
		return critical == EXTENSION_ABSENT ? USAGE_ABSENT : USAGE_INVALID;
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
		if (is_oid(sk_ASN1_OBJECT_value(usages, i), oid))
			found = USAGE_NAMED;
	EXTENDED_KEY_USAGE_free(usages);
	return found;
}

bool usage_has_policy(X509 *certificate, const char *oid)
{
	CERTIFICATEPOLICIES *policies =
		X509_get_ext_d2i(certificate, NID_certificate_policies, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_POLICYINFO_num(policies); i++)
		found |= is_oid(sk_POLICYINFO_value(policies, i)->policyid, oid);
	CERTIFICATEPOLICIES_free(policies);
	return found;
}

bool usage_name_understood(X509 *certificate)
{
	int critical = 0;
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
	bool good = names || critical == EXTENSION_ABSENT;

	for (int i = 0; good && critical == 1 && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		good = name->type == GEN_DIRNAME ||
		       (name->type == GEN_OTHERNAME &&
			(is_oid(name->d.otherName->type_id, HARDWARE_MODULE_NAME) ||
			 is_oid(name->d.otherName->type_id, PERMANENT_IDENTIFIER)));
	}
	GENERAL_NAMES_free(names);
	return good;
}
