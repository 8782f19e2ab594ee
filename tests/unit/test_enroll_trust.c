// SPDX-License-Identifier: MIT
/*
 * lib/enroll: which certificates of endorsement keys are believed, by the authorities between
 * them and a root, by revocation lists, and with what a device brings along. OpenSSL makes them.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enroll/ek_certificate.h"
#include "verify/ak_given.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * root issues "mid" and others of its kind, each of which issues a certificate of the same key:
 * mid.ek.crt. Lists are of the authority that their name begins with. "fake" has root's name.
 */
static int make_certificates(void **state)
{
	if (support_enter_directory(state) < 0)
		return -1;
	return support_run(
		"(set -e\n"
		"key() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $1.key; "
		"}\n"
		"key shared; key ek; openssl pkey -in ek.key -pubout -out ek.pub\n"
		"root() { key $1; openssl req -x509 -new -key $1.key -subj /CN=root -days 3650 "
		"-addext "
		"keyUsage=critical,keyCertSign,cRLSign -out $1.crt; }\n"
		"root root; root fake\n"
		"issue() { printf '%%s\\n' \"$4\" \"$5\" \"$6\" >ext; "
		"openssl req -new -key $2 -subj /CN=$3 -out req; "
		"openssl x509 -req -in req -CA $1.crt -CAkey $7 -CAcreateserial -days 3000 "
		"-extfile ext -out $3.crt; }\n"
		"mid() { issue root shared.key $1 \"$2\" \"$3\" \"$4\" root.key; "
		"issue $1 ek.key $1.ek keyUsage=critical,keyEncipherment "
		"extendedKeyUsage=2.23.133.8.1 basicConstraints=critical,CA:FALSE shared.key; }\n"
		"ca=basicConstraints=critical,CA:TRUE sign=keyUsage=critical,keyCertSign,cRLSign\n"
		"mid mid $ca $sign\n"
		"mid eku $ca $sign extendedKeyUsage=2.23.133.8.1\n"
		"mid any $ca $sign extendedKeyUsage=serverAuth,2.5.29.37.0\n"
		"mid web $ca $sign extendedKeyUsage=serverAuth,clientAuth\n"
		"mid aik $ca $sign extendedKeyUsage=critical,2.23.133.8.3\n"
		"mid bare $sign\n"
		"mid leaf basicConstraints=critical,CA:FALSE $sign\n"
		"mid nosign $ca keyUsage=critical,cRLSign\n"
		"mid nousage $ca\n"
		"printf '[ca]\\ndefault_ca=it\\n[it]\\ndatabase=index\\ndefault_md=sha256\\n"
		"[some]\\nissuingDistributionPoint=critical,@some_point\\n"
		"[some_point]\\nonlysomereasons=keyCompromise\\n"
		"[others]\\nissuingDistributionPoint=critical,@others_point\\n"
		"[others_point]\\nindirectCRL=TRUE\\n"
		"[users]\\nissuingDistributionPoint=critical,@users_point\\n"
		"[users_point]\\nonlyuser=TRUE\\n"
		"[delta]\\n2.5.29.27=critical,DER:020101\\n' "
		">ca.conf\n"
		"list() { : >index; [ -z \"$4\" ] || openssl ca -config ca.conf -cert $2.crt "
		"-keyfile $3 "
		"-revoke $4.crt; n=$1 c=$2 k=$3; shift 4; "
		"openssl ca -config ca.conf -cert $c.crt -keyfile $k -gencrl -out $n.crl "
		"${*:--crldays 10}; }\n"
		"list root root root.key ''\n"
		"list root.mid root root.key mid\n"
		"list mid mid shared.key ''\n"
		"list mid.ek mid shared.key mid.ek\n"
		"list mid.old mid shared.key '' -crl_lastupdate 20200101000000Z "
		"-crl_nextupdate 20200201000000Z\n"
		"list mid.soon mid shared.key '' -crl_lastupdate 20990101000000Z "
		"-crl_nextupdate 20990201000000Z\n"
		"list mid.sha1 mid shared.key '' -crldays 10 -md sha1\n"
		"for kind in some others users delta; do "
		"list mid.$kind mid shared.key mid.ek -crldays 10 -crlexts $kind; done\n"
		"list fake fake fake.key ''\n"
		"cat root.crl mid.crl >both.crl\n"
		"openssl crl -in mid.crl -outform DER -out mid.der\n"
		"for n in mid mid.ek; do openssl x509 -in $n.crt -outform DER -out $n.der.crt; "
		"done\n"
		") >log 2>&1 || { cat log; exit 1; }");
}

static STACK_OF(X509) * load_certificates(const char *name)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	struct buffer text = support_read(name);
	struct assay_error err;

	if (certificates_parse(buffer_bytes(&text), name, stack, &err) < 0)
		fail_msg("%s", err.text);
	buffer_free(&text);
	return stack;
}

static int load_lists(const char *names, STACK_OF(X509_CRL) * out, struct assay_error *err)
{
	char *copy = strdup(names), *rest = copy, *name;
	int r = 0;

	while (r == 0 && (name = strsep(&rest, " "))) {
		struct buffer text = support_read(name);

		r = revocations_parse(buffer_bytes(&text), name, (uint64_t)time(NULL), out, err);
		buffer_free(&text);
	}
	free(copy);
	return r;
}

/* Is the certificate of the key in ek.pub believed, with root.crt as the only root? */
static int judge(const char *certificate, const char *between, const char *chain, const char *lists,
		 struct chain_revocation *ret, struct assay_error *err)
{
	struct buffer key_text = support_read("ek.pub"), der = support_read(certificate);
	struct buffer chain_der = { 0 };
	struct chain_trust trust = {
		.roots = load_certificates("root.crt"),
		.intermediates = between ? load_certificates(between) : sk_X509_new_null(),
		.revocations = sk_X509_CRL_new_null(),
		.now = (uint64_t)time(NULL),
	};
	struct ak_given ek;
	int r = lists ? load_lists(lists, trust.revocations, err) : 0;

	if (chain)
		chain_der = support_read(chain);
	if (ak_given_read(buffer_bytes(&key_text), &ek, err) < 0)
		fail_msg("%s", err->text);
	if (r == 0)
		r = ek_certificate_check(buffer_bytes(&der), buffer_bytes(&chain_der), &ek.public,
					 &trust, ret, err);
	sk_X509_pop_free(trust.roots, X509_free);
	sk_X509_pop_free(trust.intermediates, X509_free);
	sk_X509_CRL_pop_free(trust.revocations, X509_CRL_free);
	ak_given_free(&ek);
	buffer_free(&key_text);
	buffer_free(&der);
	buffer_free(&chain_der);
	return r;
}

static void an_authority_between_is_one_for_endorsement_keys(void **state)
{
	static const struct {
		const char *name, *says; /* NULL: believed */
	} rows[] = {
		{ "mid", NULL },
		{ "eku", NULL },
		{ "any", NULL },
		/* RFC 5280, 6.1.4 (n): it counts where it is. */
		{ "nousage", NULL },
		{ "web", "an authority for other purposes" },
		{ "aik", "an authority for other purposes" },
		{ "bare", "invalid CA certificate" },
		{ "leaf", "invalid CA certificate" },
		{ "nosign", "invalid CA certificate" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_error err = { 0 };
		struct chain_revocation revocation;
		char certificate[64], between[64];
		int r;

		snprintf(certificate, sizeof(certificate), "%s.ek.crt", rows[i].name);
		snprintf(between, sizeof(between), "%s.crt", rows[i].name);
		r = judge(certificate, between, NULL, NULL, &revocation, &err);
		if (rows[i].says ? r != -EKEYREJECTED || !strstr(err.text, rows[i].says) : r != 0)
			fail_msg("%s: %d %s", rows[i].name, r, err.text);
		if (rows[i].says && !strstr(err.text, "at the certificate of"))
			fail_msg("%s: %s", rows[i].name, err.text);
	}
}

static void a_list_of_an_issuer_counts(void **state)
{
	static const struct {
		const char *lists;
		int code; /* 0: believed */
		const char *says;
		size_t unknown; /* of mid.ek, mid and root */
	} rows[] = {
		{ "root.crl mid.crl", 0, NULL, 0 },
		{ "both.crl", 0, NULL, 0 },
		{ "mid.der", 0, NULL, 2 },
		{ "root.crl", 0, NULL, 1 },
		{ "mid.ek.crl", EKEYREJECTED, "is revoked", 0 },
		{ "root.crl mid.ek.crl", EKEYREJECTED, "certificate of CN=mid.ek", 0 },
		/* Of two lists of one issuer, either. */
		{ "mid.crl mid.ek.crl", EKEYREJECTED, "is revoked", 0 },
		{ "mid.ek.crl mid.crl", EKEYREJECTED, "is revoked", 0 },
		{ "root.mid.crl", EKEYREJECTED, "certificate of CN=mid)", 0 },
		{ "mid.old.crl", ESTALE,
		  "mid.old.crl: the revocation list of CN=mid expired at Feb  1 00:00:00 2020 GMT",
		  0 },
		/* Also where it is of no use for this certificate. */
		{ "root.crl mid.crl mid.old.crl", ESTALE, "mid.old.crl", 0 },
		{ "mid.soon.crl", ESTALE, "from Jan  1 00:00:00 2099 GMT on", 0 },
		{ "mid.sha1.crl", EBADMSG, "a hash that is not accepted", 0 },
		/* They revoke mid.ek, and OpenSSL would pass over them. */
		{ "mid.some.crl", EBADMSG, "onlySomeReasons", 0 },
		{ "mid.others.crl", EBADMSG, "indirectCRL", 0 },
		{ "mid.delta.crl", EBADMSG, "deltaCRLIndicator", 0 },
		{ "mid.users.crl", EKEYREJECTED, "is revoked", 0 },
		/* Of root's name, and not by its key. */
		{ "fake.crl", EKEYREJECTED, "leads to no trusted root", 0 },
		{ "root.crt", EBADMSG, "is no revocation list", 0 },
		{ "ek.pub", EBADMSG, "is no revocation list", 0 },
		{ "req", EBADMSG, "is no revocation list", 0 },
		{ "ca.conf", EBADMSG, "holds no revocation list", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct chain_revocation revocation = { 0 };
		struct assay_error err = { 0 };
		int r = judge("mid.ek.crt", "mid.crt", NULL, rows[i].lists, &revocation, &err);

		if (r != -rows[i].code || (rows[i].says && !strstr(err.text, rows[i].says)))
			fail_msg("%s: %d %s", rows[i].lists, r, err.text);
		if (r == 0 &&
		    (revocation.unknown != rows[i].unknown || revocation.certificates != 3))
			fail_msg("%s: of %zu certificates %zu are unknown", rows[i].lists,
				 revocation.certificates, revocation.unknown);
	}
}

static void write_padded(const char *name, const char *from, int byte, size_t size)
{
	struct buffer text = support_read(from);

	for (size_t i = 0; i < size; i++)
		buffer_append_u8(&text, (uint8_t)byte);
	support_write(name, buffer_bytes(&text));
	buffer_free(&text);
}

/* As `tpm2_nvread` writes them: with what the NV index has behind them. */
static void padding_behind_a_certificate_does_not_matter(void **state)
{
	static const struct {
		int byte;
		size_t size;
		bool good;
	} rows[] = { { 0xff, 1, true },	  { 0xff, 900, true }, { 0x00, 1, true },
		     { 0x00, 900, true }, { 0x20, 1, false },  { 0x30, 1, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct chain_revocation revocation;
		struct assay_error err = { 0 };

		write_padded("padded", "mid.ek.der.crt", rows[i].byte, rows[i].size);
		assert_int_equal(judge("padded", "mid.crt", NULL, NULL, &revocation, &err),
				 rows[i].good ? 0 : -EBADMSG);
		write_padded("padded", "mid.der.crt", rows[i].byte, rows[i].size);
		if (rows[i].good)
			assert_int_equal(
				judge("mid.ek.crt", "padded", NULL, NULL, &revocation, &err), 0);
	}
}

static void a_chain_that_the_device_brings_may_stand_between(void **state)
{
	struct chain_revocation revocation;
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(judge("mid.ek.crt", NULL, NULL, NULL, &revocation, &err), -EKEYREJECTED);
	assert_int_equal(judge("mid.ek.crt", NULL, "mid.der.crt", NULL, &revocation, &err), 0);
	/* It is trusted for nothing: what it says is judged like all that stands between. */
	assert_int_equal(support_run("openssl x509 -in web.crt -outform DER -out web.der.crt && "
				     "openssl x509 -in fake.crt -outform DER -out fake.der.crt"),
			 0);
	assert_int_equal(judge("web.ek.crt", NULL, "web.der.crt", NULL, &revocation, &err),
			 -EKEYREJECTED);
	assert_int_equal(judge("mid.ek.crt", NULL, "fake.der.crt", NULL, &revocation, &err),
			 -EKEYREJECTED);
	assert_int_equal(judge("mid.ek.crt", NULL, "ca.conf", NULL, &revocation, &err), -EBADMSG);
	support_assert_error(&err, "the chain of the endorsement key's certificate holds no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_authority_between_is_one_for_endorsement_keys),
		cmocka_unit_test(a_list_of_an_issuer_counts),
		cmocka_unit_test(padding_behind_a_certificate_does_not_matter),
		cmocka_unit_test(a_chain_that_the_device_brings_may_stand_between),
	};

	return cmocka_run_group_tests(tests, make_certificates, support_leave_directory);
}
