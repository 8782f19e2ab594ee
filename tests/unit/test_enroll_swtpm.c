// SPDX-License-Identifier: MIT
/*
 * Credentials between lib/enroll, which has no TPM, and a TPM: through lib/tpm and through
 * tpm2-tools, both ways; the endorsement key and its certificate as the TPM tells them; and
 * TPMs that do not tell the truth, with a relay that changes what they answer.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_tcti.h>
#include <unistd.h>

#include "tpm/context.h"
/* The verifier's side has names of its own for these, with the same values. */
#undef TPMA_OBJECT_RESTRICTED
#undef TPMA_OBJECT_DECRYPT
#include "enroll/credential.h"
#include "sign/certificate.h"
#include "tpm/ek.h"
#include "tpm/key.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define COMMAND_NV_READ_PUBLIC 0x169
#define COMMAND_NV_READ 0x14e
#define COMMAND_READ_PUBLIC 0x173
#define COMMAND_CREATE_PRIMARY 0x131
#define COMMAND_ACTIVATE_CREDENTIAL 0x147

static pid_t tpm_process;
static char tcti[160];

static const enum tpm_ek_template all_templates[] = {
	TPM_EK_P256_LOW, TPM_EK_RSA2048_LOW, TPM_EK_P256, TPM_EK_RSA2048, TPM_EK_P384,
};

#define GOOD(call)                                           \
	do {                                                 \
		if ((call) < 0)                              \
			fail_msg("%s: %s", #call, err.text); \
	} while (0)

#define BAD(call, number, words)                                                                 \
	do {                                                                                     \
		int bad_result = (call);                                                         \
		if (bad_result != -(number) || err.code != (number) || !strstr(err.text, words)) \
			fail_msg("%s: %d \"%s\", expected \"%s\"", #call, bad_result, err.text,  \
				 words);                                                         \
	} while (0)

/* A shell command with tpm2-tools pointed at the TPM, which must work. */
#define SHELL(...) assert_int_equal(support_run(__VA_ARGS__), 0)

static struct tpm *open_tpm(void)
{
	struct assay_error err;
	struct tpm *tpm;

	GOOD(tpm_open(tcti, &tpm, &err));
	return tpm;
}

static struct tpm_key *make_ak(struct tpm *tpm, enum tpm_key_algorithm algorithm)
{
	const struct tpm_key_options options = { .use = TPM_KEY_ATTESTATION,
						 .algorithm = algorithm };
	struct tpm_key_file file;
	struct assay_error err;
	struct tpm_key *key;

	GOOD(tpm_key_create(tpm, &options, &file, &err));
	GOOD(tpm_key_load(tpm, &file, BYTES(NULL, 0), "the AK", &key, &err));
	tpm_key_file_free(&file);
	return key;
}

static struct tpm_name name_of(struct bytes public_area)
{
	struct tpm_public public;
	struct assay_error err;
	struct tpm_name name;

	GOOD(tpm_public_parse(public_area, &public, &err));
	GOOD(tpm_key_name(&public, &name, &err));
	return name;
}

static void make(struct bytes ek_area, const struct tpm_name *name, struct bytes secret,
		 struct credential *ret)
{
	struct assay_error err;
	struct tpm_public ek;

	GOOD(tpm_public_parse(ek_area, &ek, &err));
	GOOD(credential_check_ek(&ek, &err));
	GOOD(credential_make(&ek, name, secret, ret, &err));
}

/* -------------------------------------------------------------- credentials */

static void the_tpm_opens_a_credential_for_every_kind_of_ek(void **state)
{
	static const enum tpm_key_algorithm aks[] = { TPM_KEY_P256, TPM_KEY_RSA2048, TPM_KEY_P384 };
	uint8_t secret[CREDENTIAL_SECRET_SIZE];

	(void)state;
	support_fill(secret, sizeof(secret), 7);
	for (size_t i = 0; i < COUNT(all_templates); i++) {
		struct tpm *tpm = open_tpm();
		struct tpm_key *ak = make_ak(tpm, aks[i % COUNT(aks)]);
		struct tpm_name name = name_of(tpm_key_public_area(ak));
		struct credential credential = { 0 };
		struct assay_error err;
		struct tpm_ek *ek;

		GOOD(tpm_ek_open(tpm, all_templates[i], &ek, &err));
		/* Of ECDH every run is another one: numbers with leading zeros come up, too. */
		for (int run = 0; run < 24; run++) {
			struct buffer opened = { 0 };

			make(tpm_ek_public_area(ek), &name, BYTES(secret, sizeof(secret)),
			     &credential);
			GOOD(tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
					     buffer_bytes(&credential.secret), &opened, &err));
			assert_true(
				bytes_equal(buffer_bytes(&opened), BYTES(secret, sizeof(secret))));
			buffer_free(&opened);
			credential_free(&credential);
		}
		tpm_ek_close(ek);
		tpm_key_unload(ak);
		tpm_close(tpm);
	}
}

/* What stands in front in the files of tpm2-tools. */
static const struct bytes tools_magic = BYTES_LITERAL("\xba\xdc\xc0\xde\x00\x00\x00\x01");

static void tpm2_activatecredential_opens_ours(void **state)
{
	static const struct {
		const char *algorithm;
	} rows[] = { { "ecc" }, { "rsa" } };
	uint8_t secret[CREDENTIAL_SECRET_SIZE];

	(void)state;
	support_fill(secret, sizeof(secret), 9);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credential credential = { 0 };
		struct buffer text = { 0 }, area, ak, opened;
		struct tpm_name name;

		SHELL("tpm2_createek -G %s -c ek.ctx -u ek.pub && tpm2_createak -C ek.ctx -G ecc "
		      "-g sha256 -s ecdsa -c ak.ctx -u ak.pub && tpm2_flushcontext -t",
		      rows[i].algorithm);
		area = support_read("ek.pub");
		ak = support_read("ak.pub");
		name = name_of(buffer_bytes(&ak));
		make(buffer_bytes(&area), &name, BYTES(secret, sizeof(secret)), &credential);
		buffer_append_bytes(&text, tools_magic);
		buffer_append_bytes(&text, buffer_bytes(&credential.blob));
		buffer_append_bytes(&text, buffer_bytes(&credential.secret));
		support_write("credential", buffer_bytes(&text));
		SHELL("tpm2_startauthsession --policy-session -S s.ctx && "
		      "tpm2_policysecret -S s.ctx -c e && "
		      "tpm2_activatecredential -c ak.ctx -C ek.ctx -i credential -o opened "
		      "-P session:s.ctx && tpm2_flushcontext s.ctx; r=$?; tpm2_flushcontext -t -l; "
		      "exit $r");
		opened = support_read("opened");
		assert_true(bytes_equal(buffer_bytes(&opened), BYTES(secret, sizeof(secret))));
		buffer_free(&opened);
		buffer_free(&text);
		buffer_free(&area);
		buffer_free(&ak);
		credential_free(&credential);
	}
}

static void we_open_what_tpm2_makecredential_makes(void **state)
{
	uint8_t secret[CREDENTIAL_SECRET_SIZE];

	(void)state;
	support_fill(secret, sizeof(secret), 11);
	support_write("secret", BYTES(secret, sizeof(secret)));
	for (size_t i = 0; i < COUNT(all_templates); i++) {
		struct tpm *tpm = open_tpm();
		struct tpm_key *ak = make_ak(tpm, TPM_KEY_P256);
		struct tpm_name name = name_of(tpm_key_public_area(ak));
		char hex[2 * TPM_NAME_MAX + 1];
		struct buffer file, opened = { 0 };
		struct bytes rest, magic, blob, wrapped;
		struct assay_error err;
		struct tpm_ek *ek;
		uint16_t size;

		GOOD(tpm_ek_open(tpm, all_templates[i], &ek, &err));
		support_write("ek.pub", tpm_ek_public_area(ek));
		hex_encode(BYTES(name.bytes, name.size), hex);
		/* The oracle makes it without the TPM. */
		SHELL("tpm2_makecredential -T none -u ek.pub -s secret -n %s -o credential", hex);
		file = support_read("credential");
		rest = buffer_bytes(&file);
		assert_true(bytes_take(&rest, tools_magic.size, &magic));
		blob.data = rest.data;
		assert_true(bytes_take_be16(&rest, &size) && bytes_take(&rest, size, &wrapped));
		blob.size = 2u + size;
		wrapped = rest;
		GOOD(tpm_ek_activate(ek, ak, blob, wrapped, &opened, &err));
		assert_true(bytes_equal(buffer_bytes(&opened), BYTES(secret, sizeof(secret))));
		buffer_free(&opened);
		buffer_free(&file);
		tpm_ek_close(ek);
		tpm_key_unload(ak);
		tpm_close(tpm);
	}
}

static void try_changed_credentials(enum tpm_ek_template template)
{
	uint8_t secret[CREDENTIAL_SECRET_SIZE] = { 1 };
	struct tpm *tpm = open_tpm();
	struct tpm_key *ak = make_ak(tpm, TPM_KEY_P256), *other = make_ak(tpm, TPM_KEY_P256);
	struct tpm_name name = name_of(tpm_key_public_area(ak));
	struct credential credential = { 0 };
	struct buffer opened = { 0 };
	struct assay_error err;
	struct tpm_ek *ek;

	GOOD(tpm_ek_open(tpm, template, &ek, &err));
	make(tpm_ek_public_area(ek), &name, BYTES(secret, sizeof(secret)), &credential);
	/* I1: the key that is here is not the one that the credential names. */
	BAD(tpm_ek_activate(ek, other, buffer_bytes(&credential.blob),
			    buffer_bytes(&credential.secret), &opened, &err),
	    EKEYREJECTED, "for another key");
	for (size_t i = 0; i < 2; i++) {
		struct buffer *part = i == 0 ? &credential.blob : &credential.secret;

		for (size_t at = 0; at < part->size; at += 11) {
			part->data[at] ^= 1;
			BAD(tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
					    buffer_bytes(&credential.secret), &opened, &err),
			    EKEYREJECTED, "credential");
			part->data[at] ^= 1;
		}
		/* Cut, and with something behind it. */
		part->size--;
		BAD(tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
				    buffer_bytes(&credential.secret), &opened, &err),
		    EKEYREJECTED, "not of the TPM's form");
		part->size++;
		buffer_append_u8(part, 0);
		BAD(tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
				    buffer_bytes(&credential.secret), &opened, &err),
		    EKEYREJECTED, "not of the TPM's form");
		part->size--;
	}
	assert_int_equal(opened.size, 0);
	GOOD(tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
			     buffer_bytes(&credential.secret), &opened, &err));
	buffer_free(&opened);
	credential_free(&credential);
	tpm_ek_close(ek);
	tpm_key_unload(other);
	tpm_key_unload(ak);
	tpm_close(tpm);
}

static void a_credential_for_another_key_or_changed_is_not_opened(void **state)
{
	(void)state;
	try_changed_credentials(TPM_EK_P384);
	try_changed_credentials(TPM_EK_RSA2048_LOW);
}

static void a_credential_for_another_tpm_is_not_opened(void **state)
{
	/* Any other endorsement key will do. */
	static const struct {
		enum tpm_ek_template its, other;
	} rows[] = { { TPM_EK_P256, TPM_EK_P256_LOW }, { TPM_EK_RSA2048, TPM_EK_RSA2048_LOW } };
	uint8_t secret[CREDENTIAL_SECRET_SIZE] = { 1 };
	struct tpm *tpm = open_tpm();
	struct tpm_key *ak = make_ak(tpm, TPM_KEY_P256);
	struct tpm_name name = name_of(tpm_key_public_area(ak));
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct credential credential = { 0 };
		struct buffer opened = { 0 };
		struct tpm_ek *ek;

		GOOD(tpm_ek_open(tpm, rows[i].other, &ek, &err));
		make(tpm_ek_public_area(ek), &name, BYTES(secret, sizeof(secret)), &credential);
		tpm_ek_close(ek);
		GOOD(tpm_ek_open(tpm, rows[i].its, &ek, &err));
		BAD(tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
				    buffer_bytes(&credential.secret), &opened, &err),
		    EKEYREJECTED, "for another TPM");
		credential_free(&credential);
		tpm_ek_close(ek);
	}
	tpm_key_unload(ak);
	tpm_close(tpm);
}

static void a_key_that_is_no_ek_gets_no_credential(void **state)
{
	static const struct {
		uint32_t attributes;
		const char *says;
	} rows[] = {
		{ 0x200b2, "not restricted" },	 { 0x100b2, "does not decrypt" },
		{ 0x300b0, "not fixedTPM" },	 { 0x300a2, "not fixedParent" },
		{ 0x30092, "somebody brought" }, { 0x700b2, "signs" },
	};
	struct tpm *tpm = open_tpm();
	struct tpm_public good, bad;
	struct assay_error err;
	struct tpm_ek *ek;

	(void)state;
	GOOD(tpm_ek_open(tpm, TPM_EK_RSA2048_LOW, &ek, &err));
	GOOD(tpm_public_parse(tpm_ek_public_area(ek), &good, &err));
	assert_int_equal(good.attributes, 0x300b2);
	GOOD(credential_check_ek(&good, &err));
	for (size_t i = 0; i < COUNT(rows); i++) {
		bad = good;
		bad.attributes = rows[i].attributes;
		BAD(credential_check_ek(&bad, &err), EINVAL, rows[i].says);
	}
#define CHANGED(member, value, says)                                \
	do {                                                        \
		bad = good;                                         \
		bad.member = (value);                               \
		BAD(credential_check_ek(&bad, &err), EINVAL, says); \
	} while (0)
	CHANGED(name_hash, ASSAY_HASH_SHA1, "named by algorithm 0x0004");
	CHANGED(symmetric, TPM_ALG_NULL, "AES");
	CHANGED(symmetric_mode, 0x44, "CFB");
	CHANGED(symmetric_bits, 192, "AES of 128 or 256");
	CHANGED(key_bits, 1024, "not accepted");
	CHANGED(exponent, 3, "not accepted");
	CHANGED(exponent, 65538, "not accepted");
	CHANGED(modulus.size, 255, "not accepted");
	tpm_ek_close(ek);
	GOOD(tpm_ek_open(tpm, TPM_EK_P256, &ek, &err));
	GOOD(tpm_public_parse(tpm_ek_public_area(ek), &good, &err));
	CHANGED(curve, 0x0005, "P-256 (0x0003)");
	CHANGED(x.size, 33, "P-256 (0x0003)");
	/* A point off its curve: the form is right, no key is there. */
	{
		struct credential credential = { 0 };
		struct tpm_name name = { .size = 34 };
		uint8_t secret[CREDENTIAL_SECRET_SIZE] = { 0 };

		bad = good;
		bad.y = good.x;
		GOOD(credential_check_ek(&bad, &err));
		BAD(credential_make(&bad, &name, BYTES(secret, sizeof(secret)), &credential, &err),
		    EINVAL, "not a point of the curve");
		BAD(credential_make(&good, &name, BYTES(secret, 31), &credential, &err), EINVAL,
		    "not 31");
	}
	tpm_ek_close(ek);
	tpm_close(tpm);
}

/* -------------------------------------------------------------- the EK and its certificate */

static void our_eks_are_those_of_tpm2_tools(void **state)
{
	static const struct {
		enum tpm_ek_template template;
		const char *algorithm;
	} rows[] = { { TPM_EK_P256_LOW, "ecc" }, { TPM_EK_RSA2048_LOW, "rsa" } };
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer theirs;
		struct tpm_ek *ek;
		struct tpm *tpm;

		SHELL("tpm2_createek -G %s -c ek.ctx -u ek.pub && tpm2_flushcontext -t",
		      rows[i].algorithm);
		theirs = support_read("ek.pub");
		tpm = open_tpm();
		GOOD(tpm_ek_open(tpm, rows[i].template, &ek, &err));
		assert_true(bytes_equal(tpm_ek_public_area(ek), buffer_bytes(&theirs)));
		tpm_ek_close(ek);
		tpm_close(tpm);
		buffer_free(&theirs);
	}
}

/* swtpm's maker put a certificate of each of its two keys into NV memory. */
static void a_certificate_is_of_the_key_of_its_template(void **state)
{
	static const enum tpm_ek_template held[] = { TPM_EK_RSA2048_LOW, TPM_EK_P384 };
	struct tpm *tpm = open_tpm();
	enum tpm_ek_template found;
	struct assay_error err;
	struct buffer der = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(held); i++) {
		struct tpm_public public;
		X509 *certificate;
		struct tpm_ek *ek;
		EVP_PKEY *key;

		GOOD(tpm_ek_certificate(tpm, held[i], &found, &der, &err));
		assert_int_equal(found, held[i]);
		GOOD(certificate_parse(buffer_bytes(&der), "the certificate", &certificate, &err));
		GOOD(tpm_ek_open(tpm, held[i], &ek, &err));
		GOOD(tpm_public_parse(tpm_ek_public_area(ek), &public, &err));
		key = tpm_public_key(&public);
		assert_int_equal(EVP_PKEY_eq(key, X509_get0_pubkey(certificate)), 1);
		EVP_PKEY_free(key);
		X509_free(certificate);
		tpm_ek_close(ek);
		buffer_free(&der);
		der = (struct buffer){ 0 };
	}
	GOOD(tpm_ek_certificate(tpm, TPM_EK_ANY, &found, &der, &err));
	assert_int_equal(found, TPM_EK_RSA2048_LOW);
	buffer_free(&der);
	der = (struct buffer){ 0 };
	BAD(tpm_ek_certificate(tpm, TPM_EK_P256, &found, &der, &err), ENODATA,
	    "no certificate of its p256 endorsement key");
	tpm_close(tpm);
}

/* TPM2_CreatePrimary in the endorsement hierarchy, byte by byte; the key's TPM2B_PUBLIC. */
static struct buffer create_primary(struct tpm *tpm, struct bytes template)
{
	static const struct bytes flush_key =
		BYTES_LITERAL("\x80\x01\x00\x00\x00\x0e\x00\x00\x01\x65\x80\x00\x00\x00");
	/* Endorsement hierarchy, an empty password, an empty TPM2B_SENSITIVE_CREATE. */
	static const struct bytes middle =
		BYTES_LITERAL("\x40\x00\x00\x0b\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00"
			      "\x00\x00\x00\x04\x00\x00\x00\x00");
	uint8_t response[4096];
	struct buffer command = { 0 }, public = { 0 };
	size_t size = sizeof(response);
	struct bytes answer, skipped;
	uint16_t length = 0;

	buffer_append_be16(&command, 0x8002);
	buffer_append_be32(&command, (uint32_t)(10 + middle.size + 2 + template.size + 2 + 4));
	buffer_append_be32(&command, COMMAND_CREATE_PRIMARY);
	buffer_append_bytes(&command, middle);
	buffer_append_be16(&command, (uint16_t) template.size);
	buffer_append_bytes(&command, template);
	buffer_append_be16(&command, 0); /* outsideInfo */
	buffer_append_be32(&command, 0); /* creationPCR */
	assert_int_equal(Tss2_Tcti_Transmit(tpm->tcti, command.size, command.data), 0);
	assert_int_equal(Tss2_Tcti_Receive(tpm->tcti, &size, response, TSS2_TCTI_TIMEOUT_BLOCK), 0);
	answer = BYTES(response, size);
	/* Header, handle, size of the parameters. */
	assert_true(bytes_take(&answer, 10 + 4 + 4, &skipped) && bytes_take_be16(&answer, &length));
	buffer_append_be16(&public, length);
	assert_true(bytes_take(&answer, length, &skipped));
	buffer_append_bytes(&public, skipped);
	assert_int_equal(Tss2_Tcti_Transmit(tpm->tcti, flush_key.size, flush_key.data), 0);
	size = sizeof(response);
	assert_int_equal(Tss2_Tcti_Receive(tpm->tcti, &size, response, TSS2_TCTI_TIMEOUT_BLOCK), 0);
	buffer_free(&command);
	return public;
}

static void a_template_in_nv_memory_stands_in_for_the_profiles(void **state)
{
	struct buffer template, expected, plain;
	struct assay_error err;
	struct tpm_ek *ek;
	struct tpm *tpm;

	(void)state;
	/* A unique field of its own makes it another key. */
	SHELL("tpm2_createek -G ecc -c ek.ctx -u plain.pub && tpm2_flushcontext -t && "
	      "tail -c +3 plain.pub >template && "
	      "tpm2_nvdefine -C p -s $(stat -c %%s template) "
	      "-a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' 0x1c0000c && "
	      "tpm2_nvwrite -C p -i template 0x1c0000c");
	template = support_read("template");
	plain = support_read("plain.pub");
	tpm = open_tpm();
	expected = create_primary(tpm, buffer_bytes(&template));
	GOOD(tpm_ek_open(tpm, TPM_EK_P256_LOW, &ek, &err));
	assert_true(bytes_equal(tpm_ek_public_area(ek), buffer_bytes(&expected)));
	assert_false(bytes_equal(buffer_bytes(&plain), buffer_bytes(&expected)));
	tpm_ek_close(ek);
	tpm_close(tpm);
	buffer_free(&expected);
	buffer_free(&template);
	buffer_free(&plain);
	SHELL("tpm2_nvundefine -C p 0x1c0000c");
	/* What is no template is told. */
	SHELL("head -c 40 template >cut && tpm2_nvdefine -C p -s 40 "
	      "-a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' 0x1c0000c && "
	      "tpm2_nvwrite -C p -i cut 0x1c0000c");
	tpm = open_tpm();
	BAD(tpm_ek_open(tpm, TPM_EK_P256_LOW, &ek, &err), EPROTO, "does not hold a template");
	tpm_close(tpm);
	SHELL("tpm2_nvundefine -C p 0x1c0000c");
}

#define READABLE "ppwrite|ppread|ownerread|authread|no_da|platformcreate"

/* An NV index that only the platform can remove, with what @make prints in it. */
static void define_nv(const char *make, const char *attributes, uint32_t index)
{
	SHELL("%s >content && tpm2_nvdefine -C p -s $(stat -c %%s content) -a '%s' 0x%x && "
	      "tpm2_nvwrite -C p -i content 0x%x",
	      make, attributes, index, index);
}

static void an_index_of_no_use_does_not_end_the_search(void **state)
{
	static const struct {
		const char *make, *attributes;
		int code;
		const char *says; /* NULL: it is taken */
	} rows[] = {
		{ "head -c 500 good", READABLE, EPROTO, "not hold a whole certificate" },
		{ "head -c 3 good", READABLE, EPROTO, "not hold a whole certificate" },
		{ "printf 0", READABLE, EPROTO, "not hold a whole certificate" },
		{ "printf '\\060\\204\\377\\377\\377\\377x'", READABLE, EPROTO,
		  "not hold a whole" },
		{ "printf '\\060\\202\\377\\377x'", READABLE, EPROTO, "not hold a whole" },
		{ "printf 'no certificate at all'", READABLE, EPROTO, "not hold a whole" },
		{ "cat good", "ppwrite|ppread|policyread|no_da|platformcreate", EIO,
		  "cannot read the NV index 0x01c0000a" },
		/* Makers define more room than they need. */
		{ "{ cat good; head -c 700 /dev/zero; }", READABLE, 0, NULL },
		{ "{ cat good; head -c 700 /dev/zero | tr '\\0' '\\377'; }", READABLE, 0, NULL },
		/* With the owner's password, which is empty. */
		{ "cat good", "ppwrite|ppread|ownerread|no_da|platformcreate", 0, NULL },
	};
	struct buffer good = { 0 }, der = { 0 };
	enum tpm_ek_template found;
	struct assay_error err;
	struct tpm *tpm;

	(void)state;
	tpm = open_tpm();
	GOOD(tpm_ek_certificate(tpm, TPM_EK_RSA2048_LOW, &found, &good, &err));
	tpm_close(tpm);
	support_write("good", buffer_bytes(&good));
	for (size_t i = 0; i < COUNT(rows); i++) {
		define_nv(rows[i].make, rows[i].attributes, 0x1c0000a);
		tpm = open_tpm();
		if (rows[i].says)
			BAD(tpm_ek_certificate(tpm, TPM_EK_P256_LOW, &found, &der, &err),
			    rows[i].code, rows[i].says);
		GOOD(tpm_ek_certificate(tpm, TPM_EK_ANY, &found, &der, &err));
		assert_int_equal(found, rows[i].says ? TPM_EK_RSA2048_LOW : TPM_EK_P256_LOW);
		assert_true(bytes_equal(buffer_bytes(&der), buffer_bytes(&good)));
		tpm_close(tpm);
		buffer_free(&der);
		der = (struct buffer){ 0 };
		SHELL("tpm2_nvundefine -C p 0x1c0000a");
	}
	/* Defined, and nothing was written to it: as if there were none. */
	SHELL("tpm2_nvdefine -C p -s 100 -a '" READABLE "' 0x1c0000a");
	tpm = open_tpm();
	GOOD(tpm_ek_certificate(tpm, TPM_EK_ANY, &found, &der, &err));
	assert_int_equal(found, TPM_EK_RSA2048_LOW);
	BAD(tpm_ek_certificate(tpm, TPM_EK_P256_LOW, &found, &der, &err), ENODATA,
	    "holds no certificate");
	tpm_close(tpm);
	SHELL("tpm2_nvundefine -C p 0x1c0000a");
	buffer_free(&der);
	buffer_free(&good);
}

/* The profile's NV indices of the chain; a certificate may begin in one and end in the next. */
static void a_chain_in_nv_memory_is_read(void **state)
{
	static const struct {
		const char *first, *second; /* what is in the two indices; NULL: nothing is there */
		const char *expected;	    /* what comes of it; NULL: refused */
	} rows[] = {
		{ NULL, NULL, "true" },
		{ "cat one two", NULL, "cat one two" },
		{ "cat one", "cat two", "cat one two" },
		{ "{ cat one two | head -c 900; }", "{ cat one two | tail -c +901; }",
		  "cat one two" },
		{ "{ cat one; head -c 20 /dev/zero; }",
		  "{ cat two; head -c 20 /dev/zero | tr '\\0' '\\377'; }", "cat one two" },
		{ "head -c 400 one", NULL, NULL },
		{ "echo no certificate", NULL, NULL },
		{ "printf '\\060\\003\\002\\001\\001'", NULL, NULL },
		{ "{ cat one; echo behind; }", NULL, NULL },
	};
	struct assay_error err;

	(void)state;
	SHELL("for n in one two; do openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj "
	      "/CN=$n "
	      "-outform DER -out $n 2>/dev/null || exit 1; done");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer chain = { 0 }, expected;
		struct tpm *tpm;

		if (rows[i].first)
			define_nv(rows[i].first, READABLE, 0x1c00100);
		if (rows[i].second)
			define_nv(rows[i].second, READABLE, 0x1c00101);
		tpm = open_tpm();
		if (rows[i].expected) {
			GOOD(tpm_ek_chain(tpm, &chain, &err));
			SHELL("%s >expected", rows[i].expected);
			expected = support_read("expected");
			assert_true(bytes_equal(buffer_bytes(&chain), buffer_bytes(&expected)));
			buffer_free(&expected);
		} else {
			BAD(tpm_ek_chain(tpm, &chain, &err), EPROTO, "is not the chain");
			assert_int_equal(chain.size, 0);
		}
		tpm_close(tpm);
		buffer_free(&chain);
		SHELL("for i in 0x1c00100 0x1c00101; do tpm2_nvundefine -C p $i 2>/dev/null; done; "
		      "true");
	}
}

/* -------------------------------------------------------------- a TPM that is not true */

/* Between the stack and the TPM: changes answers to one command. */
struct relay {
	TSS2_TCTI_CONTEXT_COMMON_V2 common;
	TSS2_TCTI_CONTEXT *inner;
	uint32_t command, flip_command;
	size_t flip_bit;
	uint8_t *patch; /* of its answer: these bytes instead, from @patch_at on */
	size_t patch_at, patch_size;
	bool changed;
};

static TSS2_RC relay_transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	struct relay *relay = (struct relay *)context;
	struct bytes in = BYTES(command, size), skipped;

	assert_true(bytes_take(&in, 6, &skipped) && bytes_take_be32(&in, &relay->command));
	return Tss2_Tcti_Transmit(relay->inner, size, command);
}

static TSS2_RC relay_receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response,
			     int32_t timeout)
{
	struct relay *relay = (struct relay *)context;
	TSS2_RC rc = Tss2_Tcti_Receive(relay->inner, size, response, timeout);

	if (rc != TSS2_RC_SUCCESS || !response || relay->command != relay->flip_command)
		return rc;
	if (relay->patch && relay->patch_at + relay->patch_size <= *size) {
		memcpy(response + relay->patch_at, relay->patch, relay->patch_size);
		relay->changed = true;
	} else if (!relay->patch && relay->flip_bit / 8 < *size) {
		response[relay->flip_bit / 8] ^= (uint8_t)(1 << relay->flip_bit % 8);
		relay->changed = true;
	}
	return rc;
}

static void relay_finalize(TSS2_TCTI_CONTEXT *context)
{
	(void)context;
}

static void relay_begin(struct relay *relay, struct tpm *tpm)
{
	*relay = (struct relay){ .inner = tpm->tcti };
	relay->common.v1.magic = 0x61737361;
	relay->common.v1.version = 2;
	relay->common.v1.transmit = relay_transmit;
	relay->common.v1.receive = relay_receive;
	relay->common.v1.finalize = relay_finalize;
	Esys_Finalize(&tpm->esys);
	assert_int_equal(Esys_Initialize(&tpm->esys, (TSS2_TCTI_CONTEXT *)relay, NULL), 0);
}

/* TPM2_FlushContext, byte by byte, of what may be there. */
static void flush_handle(struct relay *relay, TPM2_HANDLE handle)
{
	uint8_t response[64];
	struct buffer command = { 0 };
	size_t size = sizeof(response);

	buffer_append_be16(&command, 0x8001);
	buffer_append_be32(&command, 14);
	buffer_append_be32(&command, 0x165);
	buffer_append_be32(&command, handle);
	assert_int_equal(Tss2_Tcti_Transmit(relay->inner, command.size, command.data), 0);
	assert_int_equal(Tss2_Tcti_Receive(relay->inner, &size, response, TSS2_TCTI_TIMEOUT_BLOCK),
			 0);
	buffer_free(&command);
}

/* Back to the TPM itself, whose slots may be taken by what the changes confused. */
static void relay_end(struct relay *relay, struct tpm *tpm)
{
	Esys_Finalize(&tpm->esys);
	for (TPM2_HANDLE slot = 0; slot < 3; slot++) {
		flush_handle(relay, 0x80000000 | slot);
		flush_handle(relay, 0x02000000 | slot);
		flush_handle(relay, 0x03000000 | slot);
	}
	assert_int_equal(Esys_Initialize(&tpm->esys, relay->inner, NULL), 0);
}

static void a_huge_size_in_nv_memory_is_not_believed(void **state)
{
	/* Where TPM2_NV_ReadPublic's answer has dataSize: header, size, index, hash, attributes,
	 * policy's size. */
	uint8_t huge[] = { 0xff, 0xff };
	struct buffer der = { 0 };
	enum tpm_ek_template found;
	struct tpm *tpm = open_tpm();
	struct assay_error err;
	struct relay relay;

	(void)state;
	relay_begin(&relay, tpm);
	relay.flip_command = COMMAND_NV_READ_PUBLIC;
	relay.patch = huge;
	relay.patch_size = sizeof(huge);
	relay.patch_at = 10 + 2 + 4 + 2 + 4 + 2;
	BAD(tpm_ek_certificate(tpm, TPM_EK_RSA2048_LOW, &found, &der, &err), EPROTO,
	    "says that its NV index 0x01c00002 has 65535 bytes");
	assert_true(relay.changed);
	assert_int_equal(der.size, 0);
	relay_end(&relay, tpm);
	tpm_close(tpm);
}

/* Whatever the answers say: no crash, no secret, and a certificate only if it is the one. */
static void no_bit_of_an_answer_opens_a_credential(void **state)
{
	static const uint32_t commands[] = { COMMAND_NV_READ_PUBLIC, COMMAND_NV_READ,
					     COMMAND_READ_PUBLIC, COMMAND_CREATE_PRIMARY,
					     COMMAND_ACTIVATE_CREDENTIAL };
	uint8_t secret[CREDENTIAL_SECRET_SIZE];
	struct tpm *tpm = open_tpm();
	struct credential credential = { 0 };
	struct tpm_key *ak = make_ak(tpm, TPM_KEY_P256);
	struct tpm_name name = name_of(tpm_key_public_area(ak));
	struct tpm_ek *ek;
	struct assay_error err;
	struct tpm_key_file file;
	size_t refused = 0;
	const struct tpm_key_options options = { .use = TPM_KEY_ATTESTATION };

	(void)state;
	tpm_key_unload(ak);
	support_fill(secret, sizeof(secret), 13);
	GOOD(tpm_key_create(tpm, &options, &file, &err));
	GOOD(tpm_key_load(tpm, &file, BYTES(NULL, 0), "the AK", &ak, &err));
	name = name_of(tpm_key_public_area(ak));
	tpm_key_unload(ak);
	GOOD(tpm_ek_open(tpm, TPM_EK_P256, &ek, &err));
	make(tpm_ek_public_area(ek), &name, BYTES(secret, sizeof(secret)), &credential);
	tpm_ek_close(ek);
	for (size_t i = 0; i < COUNT(commands); i++)
		for (size_t bit = 0;; bit += 17) {
			struct buffer opened = { 0 }, der = { 0 };
			enum tpm_ek_template found;
			struct relay relay;
			bool changed;
			int r;

			relay_begin(&relay, tpm);
			relay.flip_command = commands[i];
			relay.flip_bit = bit;
			ek = NULL;
			ak = NULL;
			r = tpm_ek_certificate(tpm, TPM_EK_RSA2048_LOW, &found, &der, &err);
			if (r == 0)
				r = tpm_key_load(tpm, &file, BYTES(NULL, 0), "the AK", &ak, &err);
			if (r == 0)
				r = tpm_ek_open(tpm, TPM_EK_P256, &ek, &err);
			if (r == 0)
				r = tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
						    buffer_bytes(&credential.secret), &opened,
						    &err);
			/* A flipped secret is for the verifier to refuse. */
			if (r < 0)
				refused++;
			assert_true(r == 0 || opened.size == 0);
			changed = relay.changed;
			tpm_key_unload(ak);
			tpm_ek_close(ek);
			relay_end(&relay, tpm);
			buffer_free(&opened);
			buffer_free(&der);
			if (!changed)
				break;
		}
	assert_true(refused > 50);
	tpm_key_file_free(&file);
	credential_free(&credential);
	tpm_close(tpm);
}

/* -------------------------------------------------------------- hierarchies with passwords */

static void give(struct tpm *tpm, enum tpm_authority whose, const char *password)
{
	struct assay_error err;

	GOOD(tpm_give_password(tpm, whose, support_text(password), &err));
}

static void an_ek_is_used_with_its_hierarchys_password(void **state)
{
	static const enum tpm_ek_template tried[] = { TPM_EK_P256_LOW, TPM_EK_P256 };
	uint8_t secret[CREDENTIAL_SECRET_SIZE] = { 3 };
	struct buffer good = { 0 }, der = { 0 };
	enum tpm_ek_template found;
	struct assay_error err;
	struct tpm_ek *ek;
	struct tpm *tpm = open_tpm();

	(void)state;
	GOOD(tpm_ek_certificate(tpm, TPM_EK_RSA2048_LOW, &found, &good, &err));
	tpm_close(tpm);
	support_write("good", buffer_bytes(&good));
	define_nv("cat good", "ppwrite|ppread|ownerread|no_da|platformcreate", 0x1c0000a);
	SHELL("tpm2_changeauth -c e endorsed && tpm2_changeauth -c o owned");
	for (size_t i = 0; i < COUNT(tried); i++) {
		struct credential credential = { 0 };
		struct buffer opened = { 0 };
		struct tpm_name name;
		struct tpm_key *ak;

		tpm = open_tpm();
		BAD(tpm_ek_open(tpm, tried[i], &ek, &err), EACCES,
		    "cannot make the endorsement key");
		give(tpm, TPM_ENDORSEMENT, "wrong");
		BAD(tpm_ek_open(tpm, tried[i], &ek, &err), EACCES,
		    "cannot make the endorsement key");
		BAD(tpm_ek_certificate(tpm, TPM_EK_P256_LOW, &found, &der, &err), EACCES,
		    "cannot read the NV index");
		give(tpm, TPM_ENDORSEMENT, "endorsed");
		give(tpm, TPM_OWNER, "owned");
		GOOD(tpm_ek_certificate(tpm, TPM_EK_P256_LOW, &found, &der, &err));
		GOOD(tpm_ek_open(tpm, tried[i], &ek, &err));
		ak = make_ak(tpm, TPM_KEY_P256);
		name = name_of(tpm_key_public_area(ak));
		make(tpm_ek_public_area(ek), &name, BYTES(secret, sizeof(secret)), &credential);
		GOOD(tpm_ek_activate(ek, ak, buffer_bytes(&credential.blob),
				     buffer_bytes(&credential.secret), &opened, &err));
		assert_true(bytes_equal(buffer_bytes(&opened), BYTES(secret, sizeof(secret))));
		buffer_free(&opened);
		credential_free(&credential);
		tpm_ek_close(ek);
		tpm_key_unload(ak);
		tpm_close(tpm);
	}
	SHELL("tpm2_changeauth -c e -p endorsed && tpm2_changeauth -c o -p owned && "
	      "tpm2_nvundefine -C p 0x1c0000a && test -z \"$(tpm2_getcap handles-transient)"
	      "$(tpm2_getcap handles-loaded-session)\"");
	buffer_free(&good);
	buffer_free(&der);
}

/* -------------------------------------------------------------- keys that stay */

static void an_attestation_key_is_found_at_its_handle(void **state)
{
	struct tpm *tpm = open_tpm();
	struct tpm_key *ak = make_ak(tpm, TPM_KEY_RSA2048), *again;
	struct assay_error err;
	struct tpm_key_handle handle;

	(void)state;
	GOOD(tpm_key_persist(ak, 0x81000020, &err));
	BAD(tpm_key_persist(ak, 0x81000020, &err), EEXIST, "something at the handle 0x81000020");
	GOOD(tpm_key_open(tpm, "handle:0x81000020", &again, &err));
	assert_true(tpm_key_attests(again));
	assert_true(bytes_equal(tpm_key_public_area(again), tpm_key_public_area(ak)));
	tpm_key_unload(again);
	tpm_key_unload(ak);
	BAD(tpm_key_open(tpm, "handle:0x80000020", &again, &err), EINVAL, "persistent handle");
	BAD(tpm_key_open(tpm, "handle:0x8100002x", &again, &err), EINVAL, "persistent handle");
	BAD(tpm_key_open(tpm, "handle:0x81000021", &again, &err), ENOENT, "no key with the handle");
	assert_int_equal(tpm_key_handle("ak.pem", &handle, &err), -ENOENT);
	tpm_close(tpm);
	SHELL("tpm2_evictcontrol -C o -c 0x81000020");
}

static int begin(void **state)
{
	char *source = get_current_dir_name(), *directory = NULL, *path = NULL;
	int r = -1;

	/* The sanitizers' allocator stays out of the programs that tests start. */
	unsetenv("LD_PRELOAD");
	if (source && support_enter_directory(state) == 0 &&
	    support_run("'%s/qemu/make-tpm' state", source) == 0)
		directory = get_current_dir_name();
	if (directory && asprintf(&path, "%s/state", directory) > 0) {
		snprintf(tcti, sizeof(tcti), "swtpm:path=%s/s", path);
		setenv("TPM2TOOLS_TCTI", tcti, 1);
		tpm_process = support_swtpm_start(path);
		r = tpm_process > 0 ? 0 : -1;
	}
	free(path);
	free(directory);
	free(source);
	return r;
}

static int end(void **state)
{
	support_swtpm_stop(tpm_process);
	return support_leave_directory(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tpm_opens_a_credential_for_every_kind_of_ek),
		cmocka_unit_test(tpm2_activatecredential_opens_ours),
		cmocka_unit_test(we_open_what_tpm2_makecredential_makes),
		cmocka_unit_test(a_credential_for_another_key_or_changed_is_not_opened),
		cmocka_unit_test(a_credential_for_another_tpm_is_not_opened),
		cmocka_unit_test(a_key_that_is_no_ek_gets_no_credential),
		cmocka_unit_test(our_eks_are_those_of_tpm2_tools),
		cmocka_unit_test(a_certificate_is_of_the_key_of_its_template),
		cmocka_unit_test(a_template_in_nv_memory_stands_in_for_the_profiles),
		cmocka_unit_test(an_index_of_no_use_does_not_end_the_search),
		cmocka_unit_test(a_chain_in_nv_memory_is_read),
		cmocka_unit_test(a_huge_size_in_nv_memory_is_not_believed),
		cmocka_unit_test(no_bit_of_an_answer_opens_a_credential),
		cmocka_unit_test(an_ek_is_used_with_its_hierarchys_password),
		cmocka_unit_test(an_attestation_key_is_found_at_its_handle),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
