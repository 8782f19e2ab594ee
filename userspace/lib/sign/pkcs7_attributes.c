// SPDX-License-Identifier: MIT
#include "sign/pkcs7_attributes.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/digest.h"

/* More than any signer makes. */
#define ATTRIBUTES_MAX 64

static int refuse(struct assay_error *err, const char *why)
{
	return assay_fail(err, EBADMSG, "its signed attributes are not good: %s", why);
}

/* Of the one whose object that is, its value; NULL with @err told. */
static const ASN1_TYPE *find(PKCS7_SIGNER_INFO *info, int nid, const char *name,
			     struct assay_error *err)
{
	int at = X509at_get_attr_by_NID(info->auth_attr, nid, -1);
	X509_ATTRIBUTE *attribute = X509at_get_attr(info->auth_attr, at);

	if (!attribute)
		assay_fail(err, EBADMSG, "its signed attributes are not good: there is no %s",
			   name);
	return attribute ? X509_ATTRIBUTE_get0_type(attribute, 0) : NULL;
}

static int check_digest(const ASN1_TYPE *value, const struct pkcs7_content *content,
			enum assay_hash hash, struct assay_error *err)
{
	struct assay_digest digest;
	int r;

	if (value->type != V_ASN1_OCTET_STRING)
		return refuse(err, "messageDigest is no OCTET STRING");
	r = digest_bytes(hash, content->bytes, &digest, err);
	if (r < 0)
		return r;
	if (!bytes_equal(BYTES(digest.bytes, digest.size),
			 BYTES(ASN1_STRING_get0_data(value->value.octet_string),
			       (size_t)ASN1_STRING_length(value->value.octet_string))))
		return assay_fail(err, EKEYREJECTED,
				  "%s is of other data: messageDigest is another", content->what);
	return 0;
}

bool pkcs7_attribute_is_refused(const ASN1_OBJECT *object)
{
	char oid[64] = "";

	(void)OBJ_obj2txt(oid, sizeof(oid), object, 1);
	return OBJ_obj2nid(object) == NID_SMIMECapabilities ||
	       strcmp(oid, "1.3.6.1.4.1.311.2.1.11") == 0 || /* SpcStatementType */
	       strcmp(oid, "1.3.6.1.4.1.311.2.1.12") == 0;   /* SpcSpOpusInfo */
}

static int check_each(PKCS7_SIGNER_INFO *info, bool kernel, struct assay_error *err)
{
	for (int i = 0; i < X509at_get_attr_count(info->auth_attr); i++) {
		X509_ATTRIBUTE *attribute = X509at_get_attr(info->auth_attr, i);
		ASN1_OBJECT *object = X509_ATTRIBUTE_get0_object(attribute);

		if (X509_ATTRIBUTE_count(attribute) != 1)
			return refuse(err, "one of them does not have exactly one value");
		if (X509at_get_attr_by_OBJ(info->auth_attr, object, i) >= 0)
			return refuse(err, "one of them is there twice");
		if (kernel && pkcs7_attribute_is_refused(object))
			return refuse(err, "the kernel refuses S/MIME capabilities and "
					   "Authenticode's attributes (openssl cms -sign "
					   "-nosmimecap makes none)");
	}
	return 0;
}

/* The SET OF, with the tag that is signed (RFC 5652, section 5.4). */
static int append_signed(PKCS7_SIGNER_INFO *info, struct buffer *out, struct assay_error *err)
{
	unsigned char *as_is = NULL, *sorted = NULL;
	int size = ASN1_item_i2d((ASN1_VALUE *)info->auth_attr, &as_is,
				 ASN1_ITEM_rptr(PKCS7_ATTR_VERIFY));
	int again = ASN1_item_i2d((ASN1_VALUE *)info->auth_attr, &sorted,
				  ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));
	int r = 0;

	if (size <= 0 || again <= 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	else if (!bytes_equal(BYTES(as_is, (size_t)size), BYTES(sorted, (size_t)again)))
		r = refuse(err, "they are not in the order that DER wants");
	else
		buffer_append(out, as_is, (size_t)size);
	OPENSSL_free(as_is);
	OPENSSL_free(sorted);
	return r == 0 && out->failed ? assay_fail(err, ENOMEM, "out of memory") : r;
}

int pkcs7_attributes(PKCS7_SIGNER_INFO *info, const struct pkcs7_content *content,
		     enum assay_hash hash, struct buffer *out, struct assay_error *err)
{
	const ASN1_TYPE *type, *digest;
	int r;

	if (X509at_get_attr_count(info->auth_attr) > ATTRIBUTES_MAX)
		return refuse(err, "there are too many");
	r = check_each(info, content->kernel, err);
	if (r < 0)
		return r;
	type = find(info, NID_pkcs9_contentType, "contentType", err);
	digest = type ? find(info, NID_pkcs9_messageDigest, "messageDigest", err) : NULL;
	if (!digest)
		return -EBADMSG;
	if (type->type != V_ASN1_OBJECT || OBJ_obj2nid(type->value.object) != NID_pkcs7_data)
		return refuse(err, "contentType is not data");
	r = check_digest(digest, content, hash, err);
	return r < 0 ? r : append_signed(info, out, err);
}
