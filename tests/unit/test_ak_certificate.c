// SPDX-License-Identifier: MIT
/*
 * lib/verify: which certificates of attestation keys are believed, and what they say. OpenSSL
 * makes chains as the TCG has them for IAKs; those of a cloud are real.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "verify/ak_certificate.h"

#define DATA "tests/data/ak_certificates/"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * root issues iak, which issues NAME.crt with the extensions of [NAME] for one key, ak.key. "deep"
 * may have no authority below it, and has one.
 */
static const char *const make_chains =
	"set -e\n"
	"cat >ext.conf <<'END'\n"
	"[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
	"[short]\nbasicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
	"[eku]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
	"extendedKeyUsage=2.23.133.8.3\n"
	"[ekca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
	"extendedKeyUsage=2.23.133.8.1\n"
	"[module]\ntype=OID:2.23.133.1.2\nserial=FORMAT:ASCII,OCT:4d5\n"
	"[identifier]\nvalue=UTF8:ee074a918b0c6346\nassigner=OID:2.23.133.12.1\n"
	"[maker]\na.2.23.133.2.1=id:00001014\nb.2.23.133.2.2=swtpm\nc.2.23.133.2.3=id:20240125\n"
	"END\n"
	"section() { printf '[%s]\\n' $1; shift; printf '%s\\n' \"$@\"; }\n"
	"T='basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature "
	"subjectAltName=critical,otherName:1.3.6.1.5.5.7.8.4;SEQ:module,"
	"otherName:1.3.6.1.5.5.7.8.3;SEQ:identifier,dirName:maker'\n"
	"P=certificatePolicies=2.23.133.11.1.1\n"
	"R=$P,2.23.133.11.1.3 A=extendedKeyUsage=2.23.133.8.3 L=basicConstraints=CA:FALSE\n"
	"{ section iak-eku $T $A; section iak-policy $T $R; section both $T $A $R; "
	"section bare $T; section idevid $T $P,2.23.133.11.1.2; "
	"section web $T extendedKeyUsage=serverAuth; "
	"section web-policy $T extendedKeyUsage=serverAuth $R; "
	"section ek $T extendedKeyUsage=2.23.133.8.1; "
	"section authority basicConstraints=critical,CA:TRUE keyUsage=keyCertSign,digitalSignature "
	"$A; "
	"section nosign $L keyUsage=critical,keyEncipherment $A; "
	"section host $L subjectAltName=critical,DNS:example.org $A; "
	"section critical $L 1.3.6.1.4.1.55555.1=critical,ASN1:NULL $A; "
	"section nousage $A; } >leaf.conf\n"
	"cat leaf.conf >>ext.conf\n"
	"key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }\n"
	"for k in root mid ak other; do key $k; done\n"
	"openssl genpkey -algorithm ED25519 -out ed.key\n"
	"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out koblitz.key\n"
	"for k in root other; do openssl req -x509 -new -key $k.key -subj /CN=$k -days 3650 "
	"-addext keyUsage=critical,keyCertSign,cRLSign -out $k.crt; done\n"
	/* issue NAME EXTENSIONS KEY ISSUER ISSUER'S-KEY OPTION... */
	"issue() { n=$1 e=$2 k=$3 i=$4 ik=$5; shift 5; openssl req -new -key $k.key -subj /CN=$n "
	"-out req; openssl x509 -req -in req -CA $i.crt -CAkey $ik.key -CAcreateserial -days 3000 "
	"-extfile ext.conf -extensions $e -out $n.crt \"$@\"; }\n"
	"issue iak ca mid root root; issue short short mid root root; issue aikca eku mid root "
	"root; issue ekca ekca mid root root; issue deep ca mid short mid\n"
	"for n in iak-eku iak-policy both bare idevid web web-policy ek authority nosign host "
	"critical nousage; do issue $n $n ak iak mid; done\n"
	"issue by-aikca iak-eku ak aikca mid; issue by-ekca iak-eku ak ekca mid\n"
	"issue by-short iak-eku ak short mid; issue by-deep iak-eku ak deep mid\n"
	"issue sha1 iak-eku ak iak mid -sha1; issue ed iak-eku ed iak mid\n"
	"issue koblitz iak-eku koblitz iak mid\n"
	"printf '[ca]\\ndefault_ca=it\\n[it]\\ndatabase=index\\nnew_certs_dir=.\\nserial=serial\\n"
	"default_md=sha256\\npolicy=any\\nrand_serial=yes\\nunique_subject=no\\n[any]\\ncommonName="
	"optional\\n' "
	">ca.conf\n"
	"cat ext.conf >>ca.conf; : >index\n"
	"openssl req -new -key ak.key -subj /CN=dated -out dated.req\n"
	"dated() { openssl ca -batch -config ca.conf -in dated.req -cert iak.crt -keyfile mid.key "
	"-startdate $2 -enddate $3 -extensions iak-eku -notext -out $1.crt; }\n"
	"dated expired 20200101000000Z 20210101000000Z\n"
	"dated future 20990101000000Z 20990201000000Z\n"
	"list() { : >index; [ -z \"$2\" ] || openssl ca -config ca.conf -cert iak.crt -keyfile "
	"mid.key -revoke $2.crt; openssl ca -config ca.conf -cert iak.crt -keyfile mid.key "
	"-gencrl -crldays 10 -out $1.crl; }\n"
	"list none ''; list revoked iak-eku\n";

static int make_certificates(void **state)
{
	if (support_enter_directory(state) < 0)
		return -1;
	support_write("make-chains", support_text(make_chains));
	return support_run("sh ./make-chains >log 2>&1 || { cat log; exit 1; }") == 0 ? 0 : -1;
}

static void read_into(STACK_OF(X509) * stack, const char *name)
{
	struct buffer text = support_read(name);
	struct assay_error err;

	if (certificates_parse(buffer_bytes(&text), name, stack, &err) < 0)
		fail_msg("%s", err.text);
	buffer_free(&text);
}

/* A file of PEM as DER, one certificate after the other. */
static struct buffer der_of(const char *name)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	struct buffer out = { 0 };

	read_into(stack, name);
	for (int i = 0; i < sk_X509_num(stack); i++) {
		unsigned char *der = NULL;
		int size = i2d_X509(sk_X509_value(stack, i), &der);

		buffer_append(&out, der, (size_t)size);
		OPENSSL_free(der);
	}
	sk_X509_pop_free(stack, X509_free);
	return out;
}

struct ask {
	const char *certificate, *root, *between, *list;
	bool vouched;
	int64_t later; /* seconds: what was read is judged so much later */
};

static int judge(const struct ask *ask, struct ak_certificate *ret, struct assay_error *err)
{
	struct chain_trust trust = { .roots = sk_X509_new_null(),
				     .intermediates = sk_X509_new_null(),
				     .revocations = sk_X509_CRL_new_null(),
				     .now = (uint64_t)time(NULL) };
	struct buffer der = der_of(ask->certificate);
	int r = 0;

	read_into(trust.roots, ask->root);
	if (ask->between)
		read_into(trust.intermediates, ask->between);
	if (ask->list) {
		struct buffer text = support_read(ask->list);

		r = revocations_parse(buffer_bytes(&text), ask->list, REVOCATIONS_ANY_TIME,
				      trust.revocations, err);
		buffer_free(&text);
	}
	trust.now += (uint64_t)ask->later;
	if (r == 0)
		r = ak_certificate_check(buffer_bytes(&der), &trust, ask->vouched, ret, err);
	buffer_free(&der);
	sk_X509_pop_free(trust.roots, X509_free);
	sk_X509_pop_free(trust.intermediates, X509_free);
	sk_X509_CRL_pop_free(trust.revocations, X509_CRL_free);
	return r;
}

static void a_chain_is_believed_or_refused(void **state)
{
	static const struct {
		const char *name, *between, *list;
		bool vouched;
		const char *says; /* NULL: believed */
		bool restricted;
	} rows[] = {
		{ "iak-eku", "iak", NULL, false, NULL, true },
		{ "iak-policy", "iak", NULL, false, NULL, true },
		{ "both", "iak", NULL, false, NULL, true },
		{ "nousage", "iak", NULL, false, NULL, true },
		{ "web-policy", "iak", NULL, false, NULL, true },
		{ "bare", "iak", NULL, false, NULL, false },
		{ "idevid", "iak", NULL, false, NULL, false },
		{ "by-aikca", "aikca", NULL, false, NULL, true },
		{ "by-short", "short", NULL, false, NULL, true },
		{ "web", "iak", NULL, false, "is for another purpose", false },
		{ "web", "iak", NULL, true, NULL, false },
		{ "ek", "iak", NULL, false, "is for another purpose", false },
		{ "authority", "iak", NULL, false, "is an authority's", false },
		{ "nosign", "iak", NULL, false, "does not allow digitalSignature", false },
		{ "host", "iak", NULL, false, "critical subject alternative name", false },
		{ "critical", "iak", NULL, false, "unhandled critical extension", false },
		{ "by-ekca", "ekca", NULL, false, "an authority for other purposes", false },
		{ "by-ekca", "ekca", NULL, true, NULL, true },
		{ "by-deep", "deepest", NULL, false, "path length constraint exceeded", false },
		{ "iak-eku", NULL, NULL, false, "leads to no trusted root: unable to get", false },
		{ "iak-eku", "other", NULL, false, "leads to no trusted root", false },
		{ "sha1", "iak", NULL, false, "too weak", false },
		{ "expired", "iak", NULL, false, "certificate has expired", false },
		{ "future", "iak", NULL, false, "not yet valid", false },
		{ "iak-eku", "iak", "none.crl", false, NULL, true },
		{ "iak-eku", "iak", "revoked.crl", false, "is revoked", false },
		{ "both", "iak", "revoked.crl", false, NULL, true },
		{ "ed", "iak", NULL, false, "a TPM attests with RSA and ECC", false },
		{ "koblitz", "iak", NULL, false, "is on the curve \"secp256k1\"", false },
	};

	(void)state;
	assert_int_equal(support_run("cat short.crt deep.crt >deepest.crt"), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char certificate[64], between[64];
		struct ask ask = { .certificate = certificate,
				   .root = "root.crt",
				   .list = rows[i].list,
				   .vouched = rows[i].vouched };
		struct ak_certificate told = { 0 };
		struct assay_error err = { 0 };
		int r;

		snprintf(certificate, sizeof(certificate), "%s.crt", rows[i].name);
		snprintf(between, sizeof(between), "%s.crt",
			 rows[i].between ? rows[i].between : "");
		ask.between = rows[i].between ? between : NULL;
		r = judge(&ask, &told, &err);
		if (rows[i].says ? r >= 0 || !strstr(err.text, rows[i].says) :
				   r != 0 || told.restricted != rows[i].restricted)
			fail_msg("%s: %d %s", rows[i].name, r, err.text);
		ak_given_free(&told.key);
	}
}

/* Who reads lists once judges by them for long: the time that counts is the verdict's. */
static void a_list_counts_for_its_time_only(void **state)
{
	static const struct {
		const char *list;
		int64_t later;
		const char *says;
	} rows[] = {
		{ "none.crl", 9 * 86400, NULL },
		{ "none.crl", 11 * 86400, "a revocation list that expired" },
		{ "future.crl", 0, "a revocation list that is not valid yet" },
		/* Of no issuer in the chain: it says nothing of it. */
		{ "other.crl", 11 * 86400, NULL },
	};

	(void)state;
	assert_int_equal(support_run(": >index; { openssl ca -config ca.conf -cert other.crt "
				     "-keyfile other.key -gencrl -crldays 10 -out other.crl; "
				     "openssl ca -config ca.conf -cert iak.crt -keyfile mid.key "
				     "-gencrl -crl_lastupdate 20990101000000Z -crl_nextupdate "
				     "20990201000000Z -out future.crl; } >log 2>&1"),
			 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ask ask = { .certificate = "iak-eku.crt",
				   .root = "root.crt",
				   .between = "iak.crt",
				   .list = rows[i].list,
				   .later = rows[i].later };
		struct ak_certificate told = { 0 };
		struct assay_error err = { 0 };
		int r = judge(&ask, &told, &err);

		if (rows[i].says ? r >= 0 || !strstr(err.text, rows[i].says) : r != 0)
			fail_msg("%s, %lld s later: %d %s", rows[i].list, (long long)rows[i].later,
				 r, err.text);
		ak_given_free(&told.key);
	}
}

static void the_key_is_the_one_that_other_forms_give(void **state)
{
	struct ask ask = { "iak-eku.crt", "root.crt", "iak.crt", "none.crl", false, 0 };
	struct ak_certificate told = { 0 };
	struct ak_given given;
	struct assay_error err;
	struct buffer pem;

	(void)state;
	assert_int_equal(support_run("openssl pkey -in ak.key -pubout -out ak.pub"), 0);
	pem = support_read("ak.pub");
	assert_int_equal(ak_given_read(buffer_bytes(&pem), &given, &err), 0);
	assert_int_equal(judge(&ask, &told, &err), 0);
	assert_memory_equal(told.key.key.bytes, given.key.bytes, given.key.size);
	assert_string_equal(told.subject, "CN=iak-eku");
	assert_int_equal(told.revocation.certificates, 3);
	assert_int_equal(told.revocation.unknown, 2);
	ak_given_free(&told.key);
	ak_given_free(&given);
	buffer_free(&pem);
}

static void what_leads_to_a_root_may_stand_behind_it(void **state)
{
	struct ask ask = { "whole.crt", "root.crt", NULL, NULL, false, 0 };
	struct ak_certificate told = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(support_run("cat iak-eku.crt iak.crt >whole.crt; cat iak.crt iak-eku.crt "
				     ">turned.crt"),
			 0);
	assert_int_equal(judge(&ask, &told, &err), 0);
	ak_given_free(&told.key);
	ask.certificate = "turned.crt";
	assert_int_equal(judge(&ask, &told, &err), -EKEYREJECTED);
	support_assert_error(&err, "is an authority's");
}

static void damaged_certificates_are_refused(void **state)
{
	struct buffer der = der_of("iak-eku.crt");
	struct chain_trust trust = { .roots = sk_X509_new_null(),
				     .intermediates = sk_X509_new_null(),
				     .now = (uint64_t)time(NULL) };
	struct ak_certificate told = { 0 };
	struct assay_error err;

	(void)state;
	read_into(trust.roots, "root.crt");
	read_into(trust.intermediates, "iak.crt");
	for (size_t size = 0; size < der.size; size++)
		assert_true(ak_certificate_check(BYTES(der.data, size), &trust, true, &told, &err) <
			    0);
	for (size_t i = 0; i < der.size; i++) {
		der.data[i] ^= 0x10;
		assert_true(ak_certificate_check(buffer_bytes(&der), &trust, true, &told, &err) <
			    0);
		der.data[i] ^= 0x10;
	}
	assert_int_equal(ak_certificate_check(buffer_bytes(&der), &trust, false, &told, &err), 0);
	ak_given_free(&told.key);
	buffer_append(&der, "behind", 6);
	assert_int_equal(ak_certificate_check(buffer_bytes(&der), &trust, false, &told, &err),
			 -EBADMSG);
	buffer_free(&der);
	sk_X509_pop_free(trust.roots, X509_free);
	sk_X509_pop_free(trust.intermediates, X509_free);
}

static void certificates_of_a_cloud_need_somebody_who_vouches(void **state)
{
	static const struct {
		const char *name;
		const char *says; /* where nobody vouches */
	} rows[] = { { "", "an authority for other purposes" },
		     { "-uca", "an authority for other purposes" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char paths[3][128];
		struct ask ask = { paths[0], paths[1], paths[2], NULL, false, 0 };
		struct ak_certificate told = { 0 };
		struct assay_error err = { 0 };

		snprintf(paths[0], 128, DATA "gce-ak%s.pem", rows[i].name);
		snprintf(paths[1], 128, DATA "gce-root%s.pem", rows[i].name);
		snprintf(paths[2], 128, DATA "gce-intermediate%s.pem", rows[i].name);
		assert_int_equal(judge(&ask, &told, &err), -EKEYREJECTED);
		support_assert_error(&err, rows[i].says);
		ask.vouched = true;
		assert_int_equal(judge(&ask, &told, &err), 0);
		assert_false(told.restricted);
		ak_given_free(&told.key);
	}
}

int main(void)
{
	const struct CMUnitTest here[] = {
		cmocka_unit_test(certificates_of_a_cloud_need_somebody_who_vouches),
	};
	const struct CMUnitTest made[] = {
		cmocka_unit_test(a_chain_is_believed_or_refused),
		cmocka_unit_test(a_list_counts_for_its_time_only),
		cmocka_unit_test(the_key_is_the_one_that_other_forms_give),
		cmocka_unit_test(what_leads_to_a_root_may_stand_behind_it),
		cmocka_unit_test(damaged_certificates_are_refused),
	};
	/* What reads tests/data comes before the other leaves its directory. */
	int failed = cmocka_run_group_tests(here, NULL, NULL);

	return failed + cmocka_run_group_tests(made, make_certificates, support_leave_directory);
}
