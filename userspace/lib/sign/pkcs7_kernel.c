// SPDX-License-Identifier: MIT
#include "sign/pkcs7_kernel.h"

#include <limits.h>
#include <openssl/asn1.h>

#define INDEFINITE 0x01 /* of what ASN1_get_object() returns, beside V_ASN1_CONSTRUCTED */
#define WRONG 0x80

/* Lengths that are not said, within each other: each is looked for in what is inside. */
#define DEPTH_MAX 8

/* struct element - of ASN.1: its tag, and what is inside */
struct element {
	int tag, class;
	bool constructed;
	struct bytes inside;
};

static bool is(const struct element *element, int class, int tag)
{
	return element->class == class && element->tag == tag;
}

/* The next element of @in, whose length may not be said: then zeros end it. */
static bool take_within(struct bytes *in, struct element *ret, int depth)
{
	const unsigned char *at = in->data;
	struct element each = { .tag = -1 };
	struct bytes rest;
	long size = 0;
	int bits;

	if (in->size == 0 || depth == 0)
		return false;
	bits = ASN1_get_object(&at, &size, &ret->tag, &ret->class, (long)in->size);
	if (bits & WRONG)
		return false;
	rest = BYTES(at, in->size - (size_t)(at - in->data));
	if (!(bits & INDEFINITE))
		rest = BYTES(at + size, rest.size - (size_t)size);
	while ((bits & INDEFINITE) && !is(&each, V_ASN1_UNIVERSAL, V_ASN1_EOC))
		if (!take_within(&rest, &each, depth - 1))
			return false;
	ret->constructed = bits & V_ASN1_CONSTRUCTED;
	ret->inside = BYTES(at, (size_t)(rest.data - at));
	*in = rest;
	return true;
}

/* @count elements, of which the last is @ret. */
static bool take(struct bytes *in, int count, struct element *ret)
{
	while (count-- > 0)
		if (!take_within(in, ret, DEPTH_MAX))
			return false;
	return true;
}

static bool enter(struct bytes *in)
{
	struct element element;

	if (!take(in, 1, &element))
		return false;
	*in = element.inside;
	return true;
}

static unsigned int small_number(const struct element *element)
{
	return element->inside.size == 1 ? element->inside.data[0] : UINT_MAX;
}

/* struct facts - what the kernel looks at: RFC 5652, sections 5.1 and 5.3 */
struct facts {
	unsigned int version, signer_version;
	bool revocations, by_key_id, in_pieces;
};

static bool read_signer(struct bytes info, struct facts *ret)
{
	struct element element;

	if (!take(&info, 1, &element))
		return false;
	ret->signer_version = small_number(&element);
	if (!take(&info, 1, &element))
		return false;
	ret->by_key_id = is(&element, V_ASN1_CONTEXT_SPECIFIC, 0);
	/* The digest's algorithm, attributes that are signed, the signature's algorithm. */
	if (!take(&info, 2, &element) ||
	    !take(&info, is(&element, V_ASN1_CONTEXT_SPECIFIC, 0) ? 2 : 1, &element))
		return false;
	ret->in_pieces = element.constructed;
	return true;
}

static bool read_signed(struct bytes in, struct facts *ret)
{
	struct element element;

	if (!take(&in, 1, &element))
		return false;
	ret->version = small_number(&element);
	/* Algorithms, the content, certificates. */
	if (!take(&in, 3, &element) ||
	    (is(&element, V_ASN1_CONTEXT_SPECIFIC, 0) && !take(&in, 1, &element)))
		return false;
	ret->revocations = is(&element, V_ASN1_CONTEXT_SPECIFIC, 1);
	if (ret->revocations && !take(&in, 1, &element))
		return false;
	return enter(&element.inside) && read_signer(element.inside, ret);
}

const char *pkcs7_kernel_refuses(struct bytes der)
{
	struct facts facts = { 0 };
	struct element type;

	if (!enter(&der) || !take(&der, 1, &type) || !enter(&der) || !enter(&der) ||
	    !read_signed(der, &facts))
		return "it is nested too deeply";
	if (facts.version != facts.signer_version || facts.version != (facts.by_key_id ? 3 : 1))
		return "its versions are not 1, or 3 where a key id names the signer";
	if (facts.revocations)
		return "it has revocation lists";
	if (facts.in_pieces)
		return "the signature is in pieces";
	return NULL;
}
