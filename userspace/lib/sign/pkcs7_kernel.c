// SPDX-License-Identifier: MIT
#include "sign/pkcs7_kernel.h"

#include <limits.h>
#include <openssl/asn1.h>

#define INDEFINITE 0x01 /* of what ASN1_get_object() returns, beside V_ASN1_CONSTRUCTED */
#define WRONG 0x80

/* Elements within each other: more than the kernel has room for. */
#define DEPTH_MAX 64

#define LONG_TAG 0x1f /* the first byte of a tag of several */
#define SHORT_LENGTH 0x7f

/*
 * struct element - of ASN.1: its tag, and what is inside
 * @der: it is written as DER has it, with all that is inside
 */
struct element {
	int tag, class;
	bool constructed, der;
	struct bytes inside;
};

static bool is(const struct element *element, int class, int tag)
{
	return element->class == class && element->tag == tag;
}

/* Bytes of a tag and of a length that is no longer than it need be. */
static long shortest_head(long size)
{
	return size <= SHORT_LENGTH ? 2 : size <= UINT8_MAX ? 3 : 4;
}

/* OpenSSL makes one of a string in pieces, and hashes that. */
static bool is_in_pieces(const struct element *element)
{
	return element->constructed && element->class == V_ASN1_UNIVERSAL &&
	       element->tag != V_ASN1_SEQUENCE && element->tag != V_ASN1_SET;
}

/*
 * The next element of @in, whose length may not be said: then zeros end it. The kernel has tags of
 * one byte, and lengths that take two at most.
 */
static bool take_within(struct bytes *in, struct element *ret, int depth)
{
	const unsigned char *at = in->data, *end = in->data + in->size;
	struct element each = { .tag = -1 };
	struct bytes rest;
	long size = 0, head;
	bool said;
	int bits;

	if (in->size == 0 || depth == 0 || (*at & LONG_TAG) == LONG_TAG)
		return false;
	bits = ASN1_get_object(&at, &size, &ret->tag, &ret->class, (long)in->size);
	head = at - in->data;
	if ((bits & WRONG) || head > shortest_head(UINT16_MAX))
		return false;
	said = !(bits & INDEFINITE);
	ret->constructed = bits & V_ASN1_CONSTRUCTED;
	ret->der = said && head == shortest_head(size) && !is_in_pieces(ret);
	rest = BYTES(at, said ? (size_t)size : (size_t)(end - at));
	while (ret->constructed &&
	       (said ? rest.size > 0 : !is(&each, V_ASN1_UNIVERSAL, V_ASN1_EOC))) {
		if (!take_within(&rest, &each, depth - 1))
			return false;
		ret->der = ret->der && each.der;
	}
	if (!ret->constructed)
		rest.data += rest.size;
	ret->inside = BYTES(at, (size_t)(rest.data - at));
	*in = BYTES(rest.data, (size_t)(end - rest.data));
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
	bool revocations, by_key_id, in_pieces, other_attributes;
};

static bool read_signer(struct bytes info, struct facts *ret)
{
	struct element element;
	bool signs_attributes;

	if (!take(&info, 1, &element))
		return false;
	ret->signer_version = small_number(&element);
	if (!take(&info, 1, &element))
		return false;
	ret->by_key_id = is(&element, V_ASN1_CONTEXT_SPECIFIC, 0);
	ret->in_pieces = ret->by_key_id && element.constructed;
	/* The digest's algorithm, attributes that are signed, the signature's algorithm. */
	if (!take(&info, 2, &element))
		return false;
	signs_attributes = is(&element, V_ASN1_CONTEXT_SPECIFIC, 0);
	ret->other_attributes = signs_attributes && !element.der;
	if (!take(&info, signs_attributes ? 2 : 1, &element))
		return false;
	ret->in_pieces = ret->in_pieces || element.constructed;
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
		return "it has a tag of several bytes, a length of more than two, or is nested too "
		       "deeply";
	if (facts.version != facts.signer_version || facts.version != (facts.by_key_id ? 3 : 1))
		return "its versions are not 1, or 3 where a key id names the signer";
	if (facts.revocations)
		return "it has revocation lists";
	if (facts.in_pieces)
		return "the signature, or its key's id, is in pieces";
	/* It is the bytes that it hashes, where OpenSSL makes them anew. */
	if (facts.other_attributes)
		return "its signed attributes are not in DER";
	return NULL;
}
