// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* memmem() */
#include "sign/certificates.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/bio.h"
#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/der.h"

#define NAME_SHOWN 256 /* characters of an issuer's name in an error */
#define TIME_SHOWN 64

/* What is read: its names in errors, and how one is parsed and kept. */
struct kind {
	const char *what;
	const char *label; /* of PEM */
	bool (*add)(struct bytes der, void *out);
};

static bool add_certificate(struct bytes der, void *out)
{
	const unsigned char *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.size);

	if (certificate && at == der.data + der.size && sk_X509_push(out, certificate) > 0)
		return true;
	X509_free(certificate);
	return false;
}

static bool add_revocations(struct bytes der, void *out)
{
	const unsigned char *at = der.data;
	X509_CRL *list = d2i_X509_CRL(NULL, &at, (long)der.size);

	if (list && at == der.data + der.size && sk_X509_CRL_push(out, list) > 0)
		return true;
	X509_CRL_free(list);
	return false;
}

static const struct kind certificates = { "certificate", PEM_STRING_X509, add_certificate };
static const struct kind revocations = { "revocation list", PEM_STRING_X509_CRL, add_revocations };

static int fail_number(const struct kind *kind, const char *name, size_t count,
		       struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "%s: %s %zu in it cannot be read", name, kind->what,
			  count + 1);
}

static int fail_none(const struct kind *kind, const char *name, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "%s holds no %s, neither in PEM nor in DER", name,
			  kind->what);
}

static int fail_many(const struct kind *kind, const char *name, struct assay_error *err)
{
	return assay_fail(err, E2BIG, "%s holds more than %d %ss", name, CERTIFICATES_MAX,
			  kind->what);
}

/* One block of PEM, whose label is to be the kind's. */
static int add_block(const struct kind *kind, const char *name, const char *label, struct bytes der,
		     size_t *count, void *out, struct assay_error *err)
{
	char shown[TIME_SHOWN];

	if (strcmp(label, kind->label) != 0)
		return assay_fail(err, EBADMSG, "%s: what stands in it as \"%s\" is no %s", name,
				  text_escape(BYTES((const uint8_t *)label, strlen(label)), shown,
					      sizeof(shown)),
				  kind->what);
	if (*count == CERTIFICATES_MAX)
		return fail_many(kind, name, err);
	if (!kind->add(der, out))
		return fail_number(kind, name, *count, err);
	(*count)++;
	return 0;
}

static int parse_pem(const struct kind *kind, struct bytes data, const char *name, void *out,
		     struct assay_error *err)
{
	CLEANUP(bio_free_pointer)
	BIO *bio = data.size <= INT_MAX ? BIO_new_mem_buf(data.data, (int)data.size) : NULL;
	char *label, *header;
	unsigned char *der;
	size_t count = 0;
	long size;
	int r = 0;

	if (!bio)
		return assay_fail(err, ENOMEM, "out of memory");
	while (r == 0 && PEM_read_bio(bio, &label, &header, &der, &size) == 1) {
		r = add_block(kind, name, label, BYTES(der, (size_t)size), &count, out, err);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	/* It ends because nothing begins any more, or because something is no PEM. */
	if (r == 0 && (count == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE))
		r = fail_number(kind, name, count, err);
	return r;
}

static int parse_der(const struct kind *kind, struct bytes data, const char *name, void *out,
		     struct assay_error *err)
{
	struct bytes rest = data, der;
	size_t count = 0;

	while (der_take_sequence(&rest, &der)) {
		if (count == CERTIFICATES_MAX)
			return fail_many(kind, name, err);
		if (!kind->add(der, out))
			return count == 0 ? fail_none(kind, name, err) :
					    fail_number(kind, name, count, err);
		count++;
	}
	if (count == 0)
		return fail_none(kind, name, err);
	if (!der_is_padding(rest))
		return assay_fail(err, EBADMSG,
				  "%s has %zu bytes behind its %s that are no padding: the file is "
				  "damaged, or something else",
				  name, rest.size, kind->what);
	return 0;
}

static int parse_kind(const struct kind *kind, struct bytes data, const char *name, void *out,
		      struct assay_error *err)
{
	static const char mark[] = "-----BEGIN ";
	int r;

	if (data.data && memmem(data.data, data.size, mark, sizeof(mark) - 1))
		r = parse_pem(kind, data, name, out, err);
	else
		r = parse_der(kind, data, name, out, err);
	crypto_errors_drop();
	return r;
}

int certificates_parse(struct bytes data, const char *name, STACK_OF(X509) * out,
		       struct assay_error *err)
{
	return parse_kind(&certificates, data, name, out, err);
}

/* ---------------------------------------------------------------- revocation lists */

static void issuer_text(const X509_CRL *list, char text[static NAME_SHOWN])
{
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_s_mem());
	struct bytes shown = { 0 };

	if (bio && X509_NAME_print_ex(bio, X509_CRL_get_issuer(list), 0,
				      XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		shown = bio_bytes(bio);
	text_escape(shown, text, NAME_SHOWN);
}

static void time_text(const ASN1_TIME *time, char text[static TIME_SHOWN])
{
	CLEANUP(bio_free_pointer) BIO *bio = BIO_new(BIO_s_mem());
	struct bytes shown = { 0 };

	if (bio && ASN1_TIME_print(bio, time) == 1)
		shown = bio_bytes(bio);
	text_escape(shown, text, TIME_SHOWN);
}

/* A signature by a hash that is broken could be anybody's; OpenSSL does not look. */
static bool signed_well(const X509_CRL *list)
{
	int hash = NID_undef, key = NID_undef;

	return OBJ_find_sigid_algs(X509_CRL_get_signature_nid(list), &hash, &key) == 1 &&
	       hash != NID_sha1 && hash != NID_md5 && hash != NID_md4 && hash != NID_md2;
}

/*
 * A list that tells of some of what its issuer revoked only, or of what others issued. OpenSSL
 * passes over these as if they were not there (RFC 5280, 5.2.4 and 5.2.5), and over what they
 * revoke.
 */
static const char *why_partial(const X509_CRL *list)
{
	ISSUING_DIST_POINT *point;
	const char *why = NULL;
	int critical = -1;

	if (X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0)
		return "tells only what changed since another (deltaCRLIndicator)";
	point = X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, &critical, NULL);
	/* -1: there is none. */
	if (!point)
		return critical == -1 ? NULL : "says in no known form what it is of";
	if (point->onlysomereasons)
		why = "is of some reasons only (onlySomeReasons)";
	else if (point->indirectCRL > 0)
		why = "is of other issuers' certificates, too (indirectCRL)";
	ISSUING_DIST_POINT_free(point);
	return why;
}

static int check_list(const X509_CRL *list, const char *name, uint64_t now, struct assay_error *err)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
	const char *partial = why_partial(list);
	char issuer[NAME_SHOWN], when[TIME_SHOWN];
	time_t at = (time_t)now;

	issuer_text(list, issuer);
	if (!next)
		return assay_fail(err, EBADMSG,
				  "%s: the revocation list of %s does not say when the next one is "
				  "due, so nobody can tell whether it is the present one",
				  name, issuer);
	if (partial)
		return assay_fail(err, EBADMSG,
				  "%s: the revocation list of %s %s: give a whole one of its own",
				  name, issuer, partial);
	if (!signed_well(list))
		return assay_fail(err, EBADMSG,
				  "%s: the revocation list of %s is signed with a hash that is not "
				  "accepted (SHA-256 and longer ones are)",
				  name, issuer);
	if (now == REVOCATIONS_ANY_TIME)
		return 0;
	if (X509_cmp_time(next, &at) <= 0) {
		time_text(next, when);
		return assay_fail(err, ESTALE,
				  "%s: the revocation list of %s expired at %s: get the present "
				  "one from its issuer",
				  name, issuer, when);
	}
	if (X509_cmp_time(X509_CRL_get0_lastUpdate(list), &at) > 0) {
		time_text(X509_CRL_get0_lastUpdate(list), when);
		return assay_fail(err, ESTALE,
				  "%s: the revocation list of %s is valid from %s on only: check "
				  "this machine's clock",
				  name, issuer, when);
	}
	return 0;
}

int revocations_parse(struct bytes data, const char *name, uint64_t now, STACK_OF(X509_CRL) * out,
		      struct assay_error *err)
{
	int before = sk_X509_CRL_num(out);
	int r = parse_kind(&revocations, data, name, out, err);

	for (int i = before; r == 0 && i < sk_X509_CRL_num(out); i++)
		r = check_list(sk_X509_CRL_value(out, i), name, now, err);
	crypto_errors_drop();
	return r;
}
