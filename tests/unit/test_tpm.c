// SPDX-License-Identifier: MIT
/*
 * lib/tpm against swtpm, which the tests start themselves; tpm2-tools and openssl
 * are the oracles. Between the library and the TPM sits, where a test asks for it,
 * a relay that may change an answer or slip in a command: the TPM is not trusted.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <ftw.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti.h>
#include <unistd.h>

#include "base/digest.h"
#include "import/pcr_file.h"
#include "sign/certificate.h"
#include "sign/pkcs7.h"
#include "tpm/context.h"
#include "tpm/key.h"
#include "tpm/key_internal.h"
#include "tpm/pcr.h"
#include "tpm/quote.h"
#include "tpm/signer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ------------------------------------------------------------------- swtpm */

struct machine {
	char directory[64];
	char tcti[96];
	pid_t pid;
};

/* The TPM of most tests, and where they write. */
static struct machine machine;

/* Run a shell command in the machine's directory, with tpm2-tools pointed at its TPM. */
static int shell(const struct machine *at, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int shell(const struct machine *at, const char *format, ...)
{
	char *command, *whole;
	va_list args;
	int status;

	va_start(args, format);
	assert_true(vasprintf(&command, format, args) > 0);
	va_end(args);
	/* Programs that are not built with the sanitizers are not to be checked by them. */
	assert_true(asprintf(&whole,
			     "cd %s && export TPM2TOOLS_TCTI=%s && { %s; } >>oracle.log 2>&1",
			     at->directory, at->tcti, command) > 0);
	status = system(whole);
	free(whole);
	free(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define SHELL(at, ...) assert_int_equal(shell(at, __VA_ARGS__), 0)

/* @banks: NULL for a TPM as swtpm makes it when it finds no state */
static void start(struct machine *ret, const char *banks)
{
	strcpy(ret->directory, "/tmp/assay-tpm-XXXXXX");
	assert_non_null(mkdtemp(ret->directory));
	snprintf(ret->tcti, sizeof(ret->tcti), "swtpm:path=%s/s", ret->directory);
	if (banks)
		SHELL(ret, "swtpm_setup --tpm2 --tpmstate %s --pcr-banks %s --overwrite",
		      ret->directory, banks);
	ret->pid = support_swtpm_start(ret->directory);
	assert_true(ret->pid > 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void kill_tpm(struct machine *at)
{
	support_swtpm_stop(at->pid);
	at->pid = 0;
}

static void stop(struct machine *at)
{
	kill_tpm(at);
	nftw(at->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in(const struct machine *at, const char *name)
{
	static char paths[4][128];
	static size_t next;
	char *path = paths[next++ % COUNT(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", at->directory, name);
	return path;
}

static void write_to(const struct machine *at, const char *name, struct bytes content)
{
	support_write(in(at, name), content);
}

static struct buffer read_from(const struct machine *at, const char *name)
{
	return support_read(in(at, name));
}

static struct tpm *open_tpm(const struct machine *at)
{
	struct assay_error err;
	struct tpm *tpm;

	if (tpm_open(at->tcti, &tpm, &err) < 0)
		fail_msg("%s", err.text);
	return tpm;
}

#define GOOD(call)                                           \
	do {                                                 \
		if ((call) < 0)                              \
			fail_msg("%s: %s", #call, err.text); \
	} while (0)

static const struct tpm_key_options signing = { .use = TPM_KEY_SIGNING };

static int open_signer(const struct machine *at, const char *path, struct signer **ret,
		       struct assay_error *err)
{
	return signer_open(&(struct signer_source){ .key = path, .tpm.tcti = at->tcti }, ret, err);
}

/* The call must fail with this code, and say so. */
#define BAD(call, number, words)                                                                 \
	do {                                                                                     \
		int bad_result = (call);                                                         \
		if (bad_result != -(number) || err.code != (number) || !strstr(err.text, words)) \
			fail_msg("%s: %d \"%s\", expected \"%s\"", #call, bad_result, err.text,  \
				 words);                                                         \
	} while (0)

/* Make a key and write it to a file, as `assay key create` does. */
static void make_key(const struct machine *at, enum tpm_key_use use, const char *name)
{
	struct tpm *tpm = open_tpm(at);
	struct tpm_key_file file;
	struct buffer text = { 0 };
	struct assay_error err;

	GOOD(tpm_key_create(tpm, &(struct tpm_key_options){ .use = use }, &file, &err));
	GOOD(tpm_key_file_format(&file, &text, &err));
	write_to(at, name, buffer_bytes(&text));
	buffer_free(&text);
	tpm_key_file_free(&file);
	tpm_close(tpm);
}

static struct assay_digest digest_of(enum assay_hash hash, struct bytes data)
{
	struct assay_digest digest;

	assert_int_equal(digest_bytes(hash, data, &digest, NULL), 0);
	return digest;
}

static bool verifies(EVP_PKEY *key, enum assay_hash hash, struct bytes data, struct bytes signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	good = EVP_DigestVerifyInit(context, NULL, EVP_get_digestbyname(assay_hash_name(hash)),
				    NULL, key) == 1 &&
	       EVP_DigestVerify(context, signature.data, signature.size, data.data, data.size) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

/* The slots that the tests of one TPM leave taken. */
static void assert_slots_free(const struct machine *at)
{
	struct buffer list;

	SHELL(at, "tpm2_getcap handles-transient >slots");
	list = read_from(at, "slots");
	assert_int_equal(list.size, 0);
	buffer_free(&list);
}

/* -------------------------------------------------------------- connecting */

static void no_tpm_is_told_with_what_to_do(void **state)
{
	static const struct {
		const char *tcti;
		int code;
		const char *says;
	} rows[] = {
		{ "device:/dev/no-such-tpm", ENODEV, "no TPM at /dev/no-such-tpm: load the TPM" },
		{ "device:/dev/null", ENODEV, "no TPM answers at device:/dev/null" },
		{ "device:/proc/self/no/tpm", ENODEV, "no TPM at /proc/self/no/tpm" },
		{ "swtpm:path=/no/such/socket", ENODEV, "start swtpm" },
		{ "swtpm:host=127.0.0.1,port=1", ENODEV, "no TPM answers" },
		{ "swtpm:nonsense=1", EINVAL, "does not say where a TPM is" },
		{ "no-such-kind:x", EINVAL, "does not say where a TPM is" },
		{ "", EINVAL, "does not say where a TPM is" },
	};
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tpm *tpm = NULL;

		BAD(tpm_open(rows[i].tcti, &tpm, &err), rows[i].code, rows[i].says);
		assert_null(tpm);
	}
}

static void the_environment_says_where_the_tpm_is(void **state)
{
	struct assay_error err;
	struct tpm *tpm;

	(void)state;
	setenv("TPM2TOOLS_TCTI", "device:/dev/second", 1);
	BAD(tpm_open(NULL, &tpm, &err), ENODEV, "/dev/second");
	setenv("ASSAY_TCTI", "device:/dev/first", 1);
	BAD(tpm_open(NULL, &tpm, &err), ENODEV, "/dev/first");
	BAD(tpm_open("device:/dev/option", &tpm, &err), ENODEV, "/dev/option");
	setenv("ASSAY_TCTI", machine.tcti, 1);
	GOOD(tpm_open(NULL, &tpm, &err));
	tpm_close(tpm);
	unsetenv("ASSAY_TCTI");
	unsetenv("TPM2TOOLS_TCTI");
}

static void a_tpm_that_was_not_started_is_told(void **state)
{
	struct assay_error err;
	struct machine other;
	struct tpm *tpm;

	(void)state;
	start(&other, NULL);
	/* A power cycle without TPM2_Startup. */
	SHELL(&other, "swtpm_ioctl --unix s.ctrl -i");
	BAD(tpm_open(other.tcti, &tpm, &err), EIO, "not started");
	stop(&other);
}

static void a_tpm_that_dies_is_told(void **state)
{
	struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, BYTES_LITERAL("x"));
	struct buffer signature = { 0 };
	struct signer *signer;
	struct assay_error err;
	struct machine other;

	(void)state;
	start(&other, NULL);
	make_key(&other, TPM_KEY_SIGNING, "k.pem");
	GOOD(open_signer(&other, in(&other, "k.pem"), &signer, &err));
	kill_tpm(&other);
	BAD(signer->sign(signer, &digest, &signature, &err), EIO, "does not answer any more");
	signer->close(signer);
	buffer_free(&signature);
	stop(&other);
}

/* -------------------------------------------------------------------- keys */

static void a_signing_key_signs_every_digest(void **state)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						  ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };
	const struct bytes data = BYTES_LITERAL("what is signed");
	struct signer *signer;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	GOOD(open_signer(&machine, in(&machine, "sign.pem"), &signer, &err));
	for (size_t i = 0; i < COUNT(hashes); i++) {
		struct assay_digest digest = digest_of(hashes[i], data);
		struct buffer out = { 0 };

		buffer_append_u8(&out, 0x55);
		GOOD(signer->sign(signer, &digest, &out, &err));
		assert_int_equal(out.data[0], 0x55);
		assert_true(verifies(signer->public_key, hashes[i], data,
				     BYTES(out.data + 1, out.size - 1)));
		assert_false(verifies(signer->public_key, hashes[i],
				      BYTES_LITERAL("something else"),
				      BYTES(out.data + 1, out.size - 1)));
		buffer_free(&out);
	}
	signer->close(signer);
	assert_slots_free(&machine);
}

/* Of a thread that signs beside others: it notes what went wrong and makes no assertions. */
struct signing {
	pthread_t thread;
	struct signer *signer;
	unsigned int number, good, refused;
};

static void *sign_many(void *argument)
{
	struct signing *self = argument;

	for (unsigned int i = 0; i < 20; i++) {
		const uint8_t data[] = { (uint8_t)self->number, (uint8_t)i };
		struct assay_digest digest =
			digest_of(ASSAY_HASH_SHA256, BYTES(data, sizeof(data)));
		struct buffer out = { 0 };
		struct assay_error err;

		/* One of them that the TPM is not asked for. */
		if (i == 10)
			digest.size--;
		if (self->signer->sign(self->signer, &digest, &out, &err) < 0)
			self->refused += i == 10 && strstr(err.text, "malformed") != NULL;
		else
			self->good += verifies(self->signer->public_key, ASSAY_HASH_SHA256,
					       BYTES(data, sizeof(data)), buffer_bytes(&out));
		buffer_free(&out);
	}
	return NULL;
}

static void threads_get_their_own_signatures(void **state)
{
	struct signing threads[5];
	struct signer *signer;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "shared.pem");
	GOOD(open_signer(&machine, in(&machine, "shared.pem"), &signer, &err));
	assert_true(signer->concurrent);
	for (unsigned int i = 0; i < COUNT(threads); i++) {
		threads[i] = (struct signing){ .signer = signer, .number = i };
		assert_int_equal(pthread_create(&threads[i].thread, NULL, sign_many, &threads[i]),
				 0);
	}
	for (unsigned int i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
		assert_int_equal(threads[i].good, 19);
		assert_int_equal(threads[i].refused, 1);
	}
	signer->close(signer);
	assert_slots_free(&machine);
}

static void a_malformed_digest_is_not_signed(void **state)
{
	struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, BYTES_LITERAL("x"));
	struct buffer out = { 0 };
	struct signer *signer;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	GOOD(open_signer(&machine, in(&machine, "sign.pem"), &signer, &err));
	digest.size = 31;
	BAD(signer->sign(signer, &digest, &out, &err), EINVAL, "malformed");
	digest.size = 0;
	BAD(signer->sign(signer, &digest, &out, &err), EINVAL, "malformed");
	digest.size = 32;
	digest.hash = (enum assay_hash)0x0012;
	BAD(signer->sign(signer, &digest, &out, &err), EINVAL, "malformed");
	assert_int_equal(out.size, 0);
	signer->close(signer);
}

static void a_certificate_made_by_the_tpm_verifies(void **state)
{
	struct buffer text = { 0 };
	struct signer *signer;
	struct assay_error err;
	X509 *certificate;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	GOOD(open_signer(&machine, in(&machine, "sign.pem"), &signer, &err));
	GOOD(certificate_make(signer, "unit test", 30, &certificate, &err));
	GOOD(certificate_check_signer(certificate, signer, &err));
	GOOD(certificate_append_pem(certificate, &text, &err));
	write_to(&machine, "cert.pem", buffer_bytes(&text));
	SHELL(&machine, "openssl verify -check_ss_sig -CAfile cert.pem cert.pem");
	SHELL(&machine, "openssl x509 -in cert.pem -noout -ext subjectKeyIdentifier | "
			"grep -q 'Subject Key Identifier'");
	X509_free(certificate);
	buffer_free(&text);
	signer->close(signer);
}

static void an_attestation_key_signs_no_files(void **state)
{
	struct signer *signer = NULL;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	BAD(open_signer(&machine, in(&machine, "ak.pem"), &signer, &err), EPERM,
	    "is an attestation key");
	assert_null(signer);
	assert_slots_free(&machine);
}

/* What the TPM itself holds against is what counts; the library only says it earlier. */
static void the_tpm_refuses_foreign_digests_for_an_attestation_key(void **state)
{
	const TPMT_TK_HASHCHECK no_ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	const TPM2B_DIGEST digest = { .size = 32 };
	TPMT_SIGNATURE *signature = NULL;
	struct tpm_key *key;
	struct tpm *tpm;
	struct assay_error err;
	TSS2_RC rc;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	tpm = open_tpm(&machine);
	GOOD(tpm_key_open(tpm, in(&machine, "ak.pem"), &key, &err));
	rc = Esys_Sign(tpm->esys, key->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
		       &digest, &scheme, &no_ticket, &signature);
	assert_true(tpm_rc_is(rc, TPM2_RC_TICKET));
	tpm_key_unload(key);
	tpm_close(tpm);
}

static void an_attestation_key_has_what_a_verifier_wants(void **state)
{
	struct tpm *tpm;
	struct tpm_key *key;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	tpm = open_tpm(&machine);
	GOOD(tpm_key_open(tpm, in(&machine, "ak.pem"), &key, &err));
	assert_true(tpm_key_attests(key));
	write_to(&machine, "ak.pub", tpm_key_public_area(key));
	tpm_key_unload(key);
	tpm_close(tpm);
	SHELL(&machine, "tpm2_print -t TPM2B_PUBLIC ak.pub >ak.yaml");
	SHELL(&machine, "grep -q 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|"
			"restricted|sign$' ak.yaml");
	SHELL(&machine, "grep -A1 '^scheme:' ak.yaml | grep -q ecdsa");
	SHELL(&machine, "grep -A1 '^scheme-halg:' ak.yaml | grep -q sha256");
	SHELL(&machine, "grep -A1 '^curve-id:' ak.yaml | grep -q p256");
}

static void a_name_told_without_the_tpm_is_the_tpms(void **state)
{
	struct tpm_key_file file = { 0 };
	struct tpm_key_facts facts;
	struct buffer name;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	GOOD(tpm_key_file_read(in(&machine, "ak.pem"), &file, &err));
	GOOD(tpm_key_describe(&file, "ak.pem", &facts, &err));
	assert_int_equal(facts.use, TPM_KEY_ATTESTATION);
	assert_string_equal(facts.algorithm, "P-256");
	assert_true(facts.made_here);
	write_to(&machine, "ak.pub", buffer_bytes(&file.public_area));
	SHELL(&machine, "tpm2_loadexternal -u ak.pub -c ak.ctx -n ak.name; tpm2_flushcontext -t");
	name = read_from(&machine, "ak.name");
	assert_true(bytes_equal(buffer_bytes(&name), BYTES(facts.name, facts.name_size)));
	buffer_free(&name);
	tpm_key_file_free(&file);
}

/* The primary is the one that others make too. */
static void tpm2_tools_can_use_our_key(void **state)
{
	struct tpm_key_file file = { 0 };
	struct buffer signature;
	struct tpm_key *key;
	struct tpm *tpm;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	GOOD(tpm_key_file_read(in(&machine, "sign.pem"), &file, &err));
	write_to(&machine, "our.pub", buffer_bytes(&file.public_area));
	write_to(&machine, "our.priv", buffer_bytes(&file.private_area));
	write_to(&machine, "data", BYTES_LITERAL("some data"));
	SHELL(&machine,
	      "tpm2_createprimary -C o -G ecc256:aes128cfb -c primary.ctx -a "
	      "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'");
	SHELL(&machine, "tpm2_flushcontext -t; tpm2_load -C primary.ctx -u our.pub -r our.priv "
			"-c our.ctx");
	SHELL(&machine, "tpm2_flushcontext -t; tpm2_sign -c our.ctx -g sha256 -s ecdsa -f plain "
			"-o data.sig data; tpm2_flushcontext -t");
	tpm = open_tpm(&machine);
	GOOD(tpm_key_load(tpm, &file, BYTES(NULL, 0), "our key", &key, &err));
	signature = read_from(&machine, "data.sig");
	assert_true(verifies(tpm_key_public(key), ASSAY_HASH_SHA256, BYTES_LITERAL("some data"),
			     buffer_bytes(&signature)));
	buffer_free(&signature);
	tpm_key_unload(key);
	tpm_close(tpm);
	tpm_key_file_free(&file);
}

/* What a signing key is for: a certificate of its own, and the signature of a file. */
static void assert_signs_files(struct signer *signer, const char *name)
{
	struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, BYTES_LITERAL("a file's"));
	struct buffer signature = { 0 };
	struct assay_error err;
	X509 *certificate;

	if (certificate_make(signer, "unit test", 30, &certificate, &err) < 0 ||
	    certificate_check_signer(certificate, signer, &err) < 0 ||
	    pkcs7_sign(signer, certificate, &digest, &signature, &err) < 0 ||
	    pkcs7_verify(buffer_bytes(&signature), &digest, certificate, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	X509_free(certificate);
	buffer_free(&signature);
}

static void keys_of_tpm2_tools_work(void **state)
{
	static const struct {
		const char *algorithm; /* for tpm2_create -G */
		const char *name;
		enum assay_hash good, bad; /* what it signs, what not */
		const char *says;
	} rows[] = {
		{ "ecc:ecdsa-sha256", "P-256", ASSAY_HASH_SHA256, ASSAY_HASH_SHA384, "scheme" },
		{ "ecc384", "P-384", ASSAY_HASH_SHA384, ASSAY_HASH_NONE, "" },
		{ "ecc384:ecdsa-sha384", "P-384", ASSAY_HASH_SHA384, ASSAY_HASH_SHA256, "scheme" },
		{ "ecc:ecdsa-sha512", "P-256", ASSAY_HASH_SHA512, ASSAY_HASH_SHA256, "scheme" },
		{ "ecc521", "P-521", ASSAY_HASH_SHA512, ASSAY_HASH_NONE, "" },
		{ "ecc521:ecdsa-sha512", "P-521", ASSAY_HASH_SHA512, ASSAY_HASH_SHA256, "sha512" },
		{ "rsa2048:rsassa-sha256", "RSA-2048", ASSAY_HASH_SHA256, ASSAY_HASH_SHA512,
		  "scheme" },
		{ "rsa2048:rsassa-sha384", "RSA-2048", ASSAY_HASH_SHA384, ASSAY_HASH_SHA256,
		  "sha384" },
		{ "rsa2048:rsassa-sha512", "RSA-2048", ASSAY_HASH_SHA512, ASSAY_HASH_SHA1,
		  "scheme" },
		{ "rsa2048:rsapss-sha256:null", "RSA-2048", ASSAY_HASH_NONE, ASSAY_HASH_SHA256,
		  "scheme" },
		{ "rsa2048", "RSA-2048", ASSAY_HASH_SHA512, ASSAY_HASH_NONE, "" },
	};
	const struct bytes data = BYTES_LITERAL("data");
	struct assay_error err;

	(void)state;
	SHELL(&machine, "tpm2_createprimary -C o -G ecc -c storage.ctx; "
			"tpm2_evictcontrol -C o -c storage.ctx 0x81000007; tpm2_flushcontext -t");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tpm_key_file file = { .parent = 0x81000007 };
		struct tpm_key_facts facts;
		struct buffer text = { 0 };
		struct signer *signer;

		SHELL(&machine,
		      "tpm2_create -C 0x81000007 -G %s -u their.pub -r their.priv -a "
		      "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'",
		      rows[i].algorithm);
		file.public_area = read_from(&machine, "their.pub");
		file.private_area = read_from(&machine, "their.priv");
		GOOD(tpm_key_describe(&file, "their key", &facts, &err));
		assert_string_equal(facts.algorithm, rows[i].name);
		GOOD(tpm_key_file_format(&file, &text, &err));
		write_to(&machine, "their.pem", buffer_bytes(&text));
		GOOD(open_signer(&machine, in(&machine, "their.pem"), &signer, &err));
		if (rows[i].good != ASSAY_HASH_NONE) {
			struct assay_digest digest = digest_of(rows[i].good, data);
			struct buffer out = { 0 };

			GOOD(signer->sign(signer, &digest, &out, &err));
			assert_true(verifies(signer->public_key, rows[i].good, data,
					     buffer_bytes(&out)));
			buffer_free(&out);
			assert_signs_files(signer, rows[i].algorithm);
		}
		if (rows[i].bad != ASSAY_HASH_NONE) {
			struct assay_digest digest = digest_of(rows[i].bad, data);
			struct buffer out = { 0 };

			BAD(signer->sign(signer, &digest, &out, &err), EOPNOTSUPP, rows[i].says);
			buffer_free(&out);
		}
		signer->close(signer);
		buffer_free(&text);
		tpm_key_file_free(&file);
	}
	SHELL(&machine, "tpm2_evictcontrol -C o -c 0x81000007");
	assert_slots_free(&machine);
}

static void keys_that_cannot_sign_are_refused(void **state)
{
	struct tpm_key_file file = { .parent = TPM_KEY_PARENT_OWNER };
	struct tpm_key_facts facts;
	struct assay_error err;

	(void)state;
	SHELL(&machine, "tpm2_createprimary -C o -G ecc -c storage.ctx; tpm2_flushcontext -t");
	SHELL(&machine, "tpm2_create -C storage.ctx -G aes128cfb -u their.pub -r their.priv; "
			"tpm2_flushcontext -t");
	file.public_area = read_from(&machine, "their.pub");
	BAD(tpm_key_describe(&file, "aes.pem", &facts, &err), EOPNOTSUPP, "does not sign");
	buffer_free(&file.public_area);
	SHELL(&machine,
	      "tpm2_create -C storage.ctx -G rsa1024 -u their.pub -r their.priv -a "
	      "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'; tpm2_flushcontext -t");
	file.public_area = read_from(&machine, "their.pub");
	BAD(tpm_key_describe(&file, "weak.pem", &facts, &err), EOPNOTSUPP, "2048 bits");
	tpm_key_file_free(&file);
}

static void a_public_part_cut_or_off_its_curve_is_refused(void **state)
{
	struct tpm_key_file file = { 0 };
	struct tpm_key_facts facts;
	struct assay_error err;
	size_t size;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	GOOD(tpm_key_file_read(in(&machine, "sign.pem"), &file, &err));
	size = file.public_area.size;
	/* The last byte is of the point's y: no other y fits its x but the negated one. */
	file.public_area.data[size - 1] ^= 1;
	BAD(tpm_key_describe(&file, "off.pem", &facts, &err), EOPNOTSUPP,
	    "P-256, P-384 or P-521, or RSA");
	file.public_area.data[size - 1] ^= 1;
	for (size_t i = 0; i < size; i++) {
		struct buffer cut = { 0 };
		struct tpm_key_file short_file = { .parent = TPM_KEY_PARENT_OWNER };

		buffer_append(&cut, file.public_area.data, i);
		short_file.public_area = cut;
		assert_true(tpm_key_describe(&short_file, "cut.pem", &facts, &err) < 0);
		buffer_free(&cut);
	}
	GOOD(tpm_key_describe(&file, "whole.pem", &facts, &err));
	tpm_key_file_free(&file);
}

static void a_key_of_another_tpm_is_told(void **state)
{
	struct signer *signer;
	struct assay_error err;
	struct machine other;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	start(&other, NULL);
	BAD(open_signer(&other, in(&machine, "sign.pem"), &signer, &err), EKEYREJECTED,
	    "is not the one that was noted");
	SHELL(&machine, "sed -i /Parent-Name/d sign.pem");
	BAD(open_signer(&other, in(&machine, "sign.pem"), &signer, &err), EBADMSG,
	    "is not a key of the TPM at");
	assert_slots_free(&other);
	stop(&other);
}

static void a_private_part_that_is_damaged_is_told(void **state)
{
	struct tpm_key_file file = { 0 };
	struct tpm_key *key;
	struct tpm *tpm;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	GOOD(tpm_key_file_read(in(&machine, "sign.pem"), &file, &err));
	file.private_area.data[file.private_area.size - 1] ^= 1;
	tpm = open_tpm(&machine);
	BAD(tpm_key_load(tpm, &file, BYTES(NULL, 0), "sign.pem", &key, &err), EBADMSG,
	    "the file is damaged");
	tpm_close(tpm);
	tpm_key_file_free(&file);
	assert_slots_free(&machine);
}

static void a_password_on_the_owner_hierarchy_is_told(void **state)
{
	struct tpm_key_file file;
	struct assay_error err;
	struct machine other;
	struct tpm *tpm;

	(void)state;
	start(&other, NULL);
	SHELL(&other, "tpm2_changeauth -c owner secret");
	tpm = open_tpm(&other);
	BAD(tpm_key_create(tpm, &signing, &file, &err), EACCES, "has a password");
	tpm_close(tpm);
	stop(&other);
}

static void slots_are_given_back(void **state)
{
	struct signer *signer;
	struct assay_error err;

	(void)state;
	/* swtpm has three slots; each of these takes two at its peak. */
	for (int i = 0; i < 8; i++) {
		make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
		GOOD(open_signer(&machine, in(&machine, "sign.pem"), &signer, &err));
		signer->close(signer);
	}
	assert_slots_free(&machine);
	SHELL(&machine, "tpm2_createprimary -C o -G ecc; tpm2_createprimary -C o -G ecc; "
			"tpm2_createprimary -C o -G ecc");
	BAD(open_signer(&machine, in(&machine, "sign.pem"), &signer, &err), EBUSY,
	    "tpm2_flushcontext -t");
	SHELL(&machine, "tpm2_flushcontext -t");
}

/* --------------------------------------------------------- PCRs and quotes */

static const uint8_t nonce_bytes[32] = "a nonce of exactly 32 bytes.....";
#define NONCE BYTES(nonce_bytes, sizeof(nonce_bytes))

static void banks_and_values_are_those_of_tpm2_tools(void **state)
{
	struct buffer ours = { 0 }, theirs;
	struct assay_error err;
	struct tpm_pcrs pcrs;
	bool changed = true;
	struct tpm *tpm;

	(void)state;
	SHELL(&machine, "tpm2_pcrextend 16:sha1=%040d,sha256=%064d,sha384=%096d", 1, 2, 3);
	tpm = open_tpm(&machine);
	GOOD(tpm_pcr_allocated(tpm, &pcrs, &err));
	assert_int_equal(pcrs.count, 3);
	for (size_t i = 0; i < pcrs.count; i++)
		assert_int_equal(pcrs.banks[i].selected, 0xffffff);
	/* 72 values of which an answer holds 8. */
	GOOD(tpm_pcr_read(tpm, &pcrs, &changed, &err));
	assert_false(changed);
	tpm_close(tpm);
	SHELL(&machine, "tpm2_pcrread -o values sha1:all+sha256:all+sha384:all");
	theirs = read_from(&machine, "values");
	for (size_t i = 0; i < pcrs.count; i++)
		for (size_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			buffer_append(&ours, pcrs.banks[i].value[pcr],
				      assay_hash_size(pcrs.banks[i].hash));
	assert_true(bytes_equal(buffer_bytes(&ours), buffer_bytes(&theirs)));
	buffer_free(&ours);
	buffer_free(&theirs);
}

static void a_bank_that_is_not_there_is_told(void **state)
{
	struct tpm_pcrs pcrs = { .count = 2,
				 .banks = { { .hash = ASSAY_HASH_SHA256, .selected = 1 << 10 },
					    { .hash = ASSAY_HASH_SHA512, .selected = 1 << 14 } } };
	struct assay_error err;
	struct tpm *tpm;

	(void)state;
	tpm = open_tpm(&machine);
	BAD(tpm_pcr_read(tpm, &pcrs, NULL, &err), EADDRNOTAVAIL, "no PCR 14 in the bank sha512");
	tpm_close(tpm);
}

/* The values in the form of tpm2-tools; buffer_free() it. */
static struct buffer serialized(const struct tpm_quote *quote)
{
	struct evidence evidence = { 0 };
	struct buffer out = { 0 };
	struct assay_error err;

	for (size_t i = 0; i < quote->pcrs.count; i++) {
		const struct tpm_pcr_bank *bank = &quote->pcrs.banks[i];

		for (unsigned int pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
			struct assay_digest value = { .hash = bank->hash,
						      .size = assay_hash_size(bank->hash) };

			if (!(bank->selected >> pcr & 1))
				continue;
			memcpy(value.bytes, bank->value[pcr], value.size);
			GOOD(evidence_add_pcr(&evidence, pcr, &value, &err));
		}
	}
	buffer_append_bytes(&evidence.attest, buffer_bytes(&quote->attest));
	GOOD(pcr_file_write(&evidence, &out, &err));
	evidence_free(&evidence);
	return out;
}

/* Write the quote's parts as `assay quote --export` does. */
static void export(const struct machine *at, const struct tpm_quote *quote,
		   const struct tpm_key *key)
{
	struct buffer pcrs = serialized(quote);

	write_to(at, "ak.pub", tpm_key_public_area(key));
	write_to(at, "attest", buffer_bytes(&quote->attest));
	write_to(at, "sig", buffer_bytes(&quote->signature));
	write_to(at, "pcrs", buffer_bytes(&pcrs));
	write_to(at, "nonce", NONCE);
	buffer_free(&pcrs);
}

#define CHECKQUOTE "tpm2_checkquote -u ak.pub -m attest -s sig -f pcrs -g sha256 -q nonce"

static void tpm2_checkquote_accepts_our_quotes(void **state)
{
	static const struct tpm_pcrs rows[] = {
		{ .count = 1, .banks = { { .hash = ASSAY_HASH_SHA256, .selected = 1 << 14 } } },
		{ .count = 1, .banks = { { .hash = ASSAY_HASH_SHA256, .selected = 0xffffff } } },
		{ .count = 3,
		  .banks = { { .hash = ASSAY_HASH_SHA384, .selected = 0x4401 },
			     { .hash = ASSAY_HASH_SHA1, .selected = 0x4401 },
			     { .hash = ASSAY_HASH_SHA256, .selected = 0x4401 } } },
	};
	struct tpm_key *key;
	struct tpm *tpm;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	SHELL(&machine, "tpm2_pcrextend 14:sha1=%040d,sha256=%064d,sha384=%096d", 4, 5, 6);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tpm_quote quote = { 0 };

		tpm = open_tpm(&machine);
		GOOD(tpm_key_open(tpm, in(&machine, "ak.pem"), &key, &err));
		GOOD(tpm_quote(tpm, key, NONCE, &rows[i], &quote, &err));
		export(&machine, &quote, key);
		tpm_key_unload(key);
		tpm_close(tpm);
		SHELL(&machine, CHECKQUOTE);
		SHELL(&machine, "tpm2_print -t TPMS_ATTEST attest | grep -q 'type: 8018'");
		/* The oracle can say no. */
		quote.pcrs.banks[0].value[14][0] ^= 1;
		{
			struct buffer pcrs = serialized(&quote);

			write_to(&machine, "pcrs", buffer_bytes(&pcrs));
			buffer_free(&pcrs);
		}
		assert_int_not_equal(shell(&machine, CHECKQUOTE), 0);
		tpm_quote_free(&quote);
	}
}

static void what_cannot_be_quoted_is_told(void **state)
{
	static const uint8_t long_nonce[TPM_NONCE_MAX + 1];
	const struct tpm_pcrs good = {
		.count = 1, .banks = { { .hash = ASSAY_HASH_SHA256, .selected = 1 << 14 } }
	};
	struct tpm_pcrs bad = good;
	struct tpm_quote quote = { 0 };
	struct tpm_key *ak, *sign;
	struct tpm *tpm;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	make_key(&machine, TPM_KEY_SIGNING, "sign.pem");
	tpm = open_tpm(&machine);
	GOOD(tpm_key_open(tpm, in(&machine, "ak.pem"), &ak, &err));
	GOOD(tpm_key_open(tpm, in(&machine, "sign.pem"), &sign, &err));
	BAD(tpm_quote(tpm, sign, NONCE, &good, &quote, &err), EPERM, "no attestation key");
	BAD(tpm_quote(tpm, ak, BYTES(nonce_bytes, 7), &good, &quote, &err), EINVAL, "nonce");
	BAD(tpm_quote(tpm, ak, BYTES(NULL, 0), &good, &quote, &err), EINVAL, "nonce");
	BAD(tpm_quote(tpm, ak, BYTES(long_nonce, sizeof(long_nonce)), &good, &quote, &err), EINVAL,
	    "nonce");
	GOOD(tpm_quote(tpm, ak, BYTES(nonce_bytes, 8), &good, &quote, &err));
	tpm_quote_free(&quote);
	bad.count = 0;
	BAD(tpm_quote(tpm, ak, NONCE, &bad, &quote, &err), EINVAL, "banks");
	bad = good;
	bad.banks[0].selected = 0;
	BAD(tpm_quote(tpm, ak, NONCE, &bad, &quote, &err), EINVAL, "PCRs from 0 to 23");
	bad.banks[0].selected = 1 << 24;
	BAD(tpm_quote(tpm, ak, NONCE, &bad, &quote, &err), EINVAL, "PCRs from 0 to 23");
	bad = good;
	bad.count = 2;
	bad.banks[1] = bad.banks[0];
	BAD(tpm_quote(tpm, ak, NONCE, &bad, &quote, &err), EINVAL, "twice");
	bad = good;
	bad.banks[0].hash = ASSAY_HASH_SHA512;
	BAD(tpm_quote(tpm, ak, NONCE, &bad, &quote, &err), EADDRNOTAVAIL, "bank sha512");
	tpm_key_unload(sign);
	tpm_key_unload(ak);
	tpm_close(tpm);
}

/* -------------------------------------------------- a TPM that is not true */

#define COMMAND_CREATE_PRIMARY 0x131
#define COMMAND_CREATE 0x153
#define COMMAND_LOAD 0x157
#define COMMAND_QUOTE 0x158
#define COMMAND_SIGN 0x15d
#define COMMAND_START_AUTH_SESSION 0x176
#define COMMAND_GET_CAPABILITY 0x17a
#define COMMAND_PCR_READ 0x17e

/* What stands between the stack and the TPM. */
struct relay {
	TSS2_TCTI_CONTEXT_COMMON_V2 common;
	TSS2_TCTI_CONTEXT *inner;
	uint32_t command;      /* code of the last command */
	uint32_t flip_command; /* flip a bit in the answers to this one... */
	size_t flip_bit;       /* ...this one */
	bool flipped;
	int extends;	       /* slip in so many PCR extends, one before each quote */
	bool listens;	       /* keep all that goes over, both ways... */
	struct buffer heard;   /* ...here */
	size_t salted, bare;   /* sessions that were started with a salt, and without */
	size_t signs;	       /* signatures that were asked for */
	uint32_t own_primary;  /* put a primary of this hierarchy in the place of the owner's */
	uint32_t owner_to_own; /* how often that was done */
};

static TSS2_RC relay_transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command);

static TSS2_RC relay_receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response,
			     int32_t timeout)
{
	struct relay *relay = (struct relay *)context;
	TSS2_RC rc = Tss2_Tcti_Receive(relay->inner, size, response, timeout);

	if (rc == TSS2_RC_SUCCESS && response && relay->command == relay->flip_command &&
	    relay->flip_bit / 8 < *size) {
		response[relay->flip_bit / 8] ^= (uint8_t)(1 << relay->flip_bit % 8);
		relay->flipped = true;
	}
	if (rc == TSS2_RC_SUCCESS && response && relay->listens)
		buffer_append(&relay->heard, response, *size);
	return rc;
}

static void relay_finalize(TSS2_TCTI_CONTEXT *context)
{
	(void)context;
}

/* A command of the test's own; its answer's response code. */
static uint32_t raw(TSS2_TCTI_CONTEXT *tcti, struct bytes command)
{
	uint8_t response[4096];
	size_t size = sizeof(response);
	struct bytes answer;
	uint16_t tag;
	uint32_t length, rc = UINT32_MAX;

	assert_int_equal(Tss2_Tcti_Transmit(tcti, command.size, command.data), TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_Receive(tcti, &size, response, TSS2_TCTI_TIMEOUT_BLOCK),
			 TSS2_RC_SUCCESS);
	answer = BYTES(response, size);
	assert_true(bytes_take_be16(&answer, &tag) && bytes_take_be32(&answer, &length) &&
		    bytes_take_be32(&answer, &rc));
	return rc;
}

static void extend_16(TSS2_TCTI_CONTEXT *tcti)
{
	static const struct bytes command = BYTES_LITERAL(
		"\x80\x02\x00\x00\x00\x41\x00\x00\x01\x82\x00\x00\x00\x10\x00\x00\x00\x09"
		"\x40\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x0b"
		"0123456789abcdef0123456789abcdef");

	assert_int_equal(raw(tcti, command), 0);
}

/* Whatever a run left in the slots. */
static void flush_all(TSS2_TCTI_CONTEXT *tcti)
{
	uint8_t command[] = "\x80\x01\x00\x00\x00\x0e\x00\x00\x01\x65\x80\x00\x00\x00";

	for (uint8_t i = 0; i < 3; i++) {
		command[13] = i;
		(void)raw(tcti, BYTES(command, sizeof(command) - 1));
	}
}

/* TPM2_StartAuthSession; a session that only tries a policy proves nothing, and needs no salt. */
static void count_session(struct relay *relay, struct bytes command)
{
	struct bytes skipped;
	uint16_t size = 0;
	uint32_t key = 0;
	uint8_t type = 0;

	assert_true(bytes_take(&command, 10, &skipped) && bytes_take_be32(&command, &key) &&
		    bytes_take(&command, 4, &skipped) && bytes_take_be16(&command, &size) &&
		    bytes_take(&command, size, &skipped) && bytes_take_be16(&command, &size) &&
		    bytes_take(&command, size, &skipped) && bytes_take_u8(&command, &type));
	if (key != TPM2_RH_NULL && size > 0)
		relay->salted++;
	else if (type != TPM2_SE_TRIAL)
		relay->bare++;
}

/* The same command, but for the hierarchy in it. */
static TSS2_RC transmit_own_primary(struct relay *relay, size_t size, const uint8_t *command)
{
	uint8_t changed[4096];

	assert_true(size > 14 && size <= sizeof(changed));
	memcpy(changed, command, size);
	for (size_t i = 0; i < 4; i++)
		changed[10 + i] = (uint8_t)(relay->own_primary >> (24 - 8 * i));
	relay->owner_to_own++;
	return Tss2_Tcti_Transmit(relay->inner, size, changed);
}

static TSS2_RC relay_transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	struct relay *relay = (struct relay *)context;
	struct bytes in_command = BYTES(command, size), skipped;
	const uint8_t owner[] = { 0x40, 0, 0, 1 };

	assert_true(bytes_take(&in_command, 6, &skipped) &&
		    bytes_take_be32(&in_command, &relay->command));
	if (relay->command == COMMAND_QUOTE && relay->extends > 0) {
		relay->extends--;
		extend_16(relay->inner);
	}
	if (relay->command == COMMAND_START_AUTH_SESSION)
		count_session(relay, BYTES(command, size));
	relay->signs += relay->command == COMMAND_SIGN;
	if (relay->listens)
		buffer_append(&relay->heard, command, size);
	if (relay->own_primary != 0 && relay->command == COMMAND_CREATE_PRIMARY &&
	    memcmp(command + 10, owner, sizeof(owner)) == 0)
		return transmit_own_primary(relay, size, command);
	return Tss2_Tcti_Transmit(relay->inner, size, command);
}

/* Puts @relay between @tpm and its TPM. */
static void relay_begin(struct relay *relay, struct tpm *tpm)
{
	*relay = (struct relay){ .inner = tpm->tcti };
	relay->common.v1.magic = 0x61737361;
	relay->common.v1.version = 2;
	relay->common.v1.transmit = relay_transmit;
	relay->common.v1.receive = relay_receive;
	relay->common.v1.finalize = relay_finalize;
	Esys_Finalize(&tpm->esys);
	assert_int_equal(Esys_Initialize(&tpm->esys, (TSS2_TCTI_CONTEXT *)relay, NULL),
			 TSS2_RC_SUCCESS);
}

/* So that what a changed answer confused in the stack is not in the next run. */
static void relay_again(struct relay *relay, struct tpm *tpm)
{
	Esys_Finalize(&tpm->esys);
	flush_all(relay->inner);
	assert_int_equal(Esys_Initialize(&tpm->esys, (TSS2_TCTI_CONTEXT *)relay, NULL),
			 TSS2_RC_SUCCESS);
	relay->flipped = false;
}

static void a_quote_waits_until_values_and_digest_agree(void **state)
{
	const struct tpm_pcrs pcrs = {
		.count = 1, .banks = { { .hash = ASSAY_HASH_SHA256, .selected = 1 << 16 } }
	};
	struct tpm_quote quote = { 0 };
	struct tpm_key *key;
	struct relay relay;
	struct tpm *tpm;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	tpm = open_tpm(&machine);
	relay_begin(&relay, tpm);
	GOOD(tpm_key_open(tpm, in(&machine, "ak.pem"), &key, &err));
	relay.extends = 3;
	GOOD(tpm_quote(tpm, key, NONCE, &pcrs, &quote, &err));
	assert_int_equal(relay.extends, 0);
	export(&machine, &quote, key);
	tpm_quote_free(&quote);
	relay.extends = 1000;
	BAD(tpm_quote(tpm, key, NONCE, &pcrs, &quote, &err), EAGAIN, "changed during each");
	tpm_key_unload(key);
	tpm_close(tpm);
	SHELL(&machine, CHECKQUOTE);
}

/* The attest that came out must be signed, and hold our nonce and the values' digest. */
static void check_quote(struct tpm_key *key, const struct tpm_quote *quote)
{
	struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, buffer_bytes(&quote->attest));
	struct buffer out = { 0 };
	TPMT_SIGNATURE signature;
	struct assay_error err;
	TPMS_ATTEST attest;
	size_t used = 0;

	assert_int_equal(Tss2_MU_TPMT_SIGNATURE_Unmarshal(quote->signature.data,
							  quote->signature.size, &used, &signature),
			 0);
	assert_int_equal(used, quote->signature.size);
	GOOD(tpm_key_check_signature(key, &signature, &digest, &out, &err));
	assert_true(verifies(tpm_key_public(key), ASSAY_HASH_SHA256, buffer_bytes(&quote->attest),
			     buffer_bytes(&out)));
	buffer_free(&out);
	used = 0;
	assert_int_equal(Tss2_MU_TPMS_ATTEST_Unmarshal(quote->attest.data, quote->attest.size,
						       &used, &attest),
			 0);
	assert_true(bytes_equal(BYTES(attest.extraData.buffer, attest.extraData.size), NONCE));
	GOOD(tpm_key_qualified_name(key, &out, &err));
	assert_true(bytes_equal(BYTES(attest.qualifiedSigner.name, attest.qualifiedSigner.size),
				buffer_bytes(&out)));
	buffer_free(&out);
	digest = digest_of(ASSAY_HASH_SHA256, BYTES(quote->pcrs.banks[0].value[14], 32));
	assert_memory_equal(attest.attested.quote.pcrDigest.buffer, digest.bytes, 32);
}

static void no_bit_of_an_answer_makes_a_wrong_quote(void **state)
{
	static const uint32_t commands[] = { COMMAND_PCR_READ, COMMAND_QUOTE };
	const struct tpm_pcrs pcrs = {
		.count = 1, .banks = { { .hash = ASSAY_HASH_SHA256, .selected = 1 << 14 } }
	};
	size_t refused = 0, taken = 0;
	struct tpm_key *key;
	struct relay relay;
	struct tpm *tpm;
	struct assay_error err;

	(void)state;
	make_key(&machine, TPM_KEY_ATTESTATION, "ak.pem");
	tpm = open_tpm(&machine);
	relay_begin(&relay, tpm);
	for (size_t i = 0; i < COUNT(commands); i++)
		for (size_t bit = 0;; bit += 7) {
			struct tpm_quote quote = { 0 };
			int r;

			relay_again(&relay, tpm);
			relay.flip_command = 0;
			GOOD(tpm_key_open(tpm, in(&machine, "ak.pem"), &key, &err));
			relay.flip_command = commands[i];
			relay.flip_bit = bit;
			r = tpm_quote(tpm, key, NONCE, &pcrs, &quote, &err);
			relay.flip_command = 0;
			if (r == 0)
				check_quote(key, &quote);
			if (relay.flipped)
				r < 0 ? refused++ : taken++;
			tpm_quote_free(&quote);
			tpm_key_unload(key);
			if (!relay.flipped)
				break;
		}
	relay_again(&relay, tpm);
	tpm_close(tpm);
	/* Only bits that carry nothing may go unnoticed: session attributes, an update counter. */
	assert_true(refused > 200);
	assert_true(taken < 40);
}

static void no_bit_of_an_answer_makes_a_wrong_signature(void **state)
{
	static const uint32_t commands[] = { COMMAND_CREATE_PRIMARY, COMMAND_CREATE, COMMAND_LOAD,
					     COMMAND_SIGN };
	const struct bytes data = BYTES_LITERAL("data");
	const struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, data);
	struct relay relay;
	struct tpm *tpm;
	size_t refused = 0;

	(void)state;
	tpm = open_tpm(&machine);
	relay_begin(&relay, tpm);
	for (size_t i = 0; i < COUNT(commands); i++)
		for (size_t bit = 0;; bit += 23) {
			struct tpm_key_file file = { 0 };
			struct signer *signer = NULL;
			struct tpm_key *key = NULL;
			struct buffer out = { 0 };
			struct assay_error err;
			int r;

			relay_again(&relay, tpm);
			relay.flip_command = commands[i];
			relay.flip_bit = bit;
			r = tpm_key_create(tpm, &signing, &file, &err);
			if (r == 0)
				r = tpm_key_load(tpm, &file, BYTES(NULL, 0), "key", &key, &err);
			if (r == 0)
				r = tpm_key_signer(key, &signer, &err);
			if (r == 0)
				r = signer->sign(signer, &digest, &out, &err);
			if (r == 0)
				assert_true(verifies(signer->public_key, ASSAY_HASH_SHA256, data,
						     buffer_bytes(&out)));
			else
				refused++;
			if (signer)
				signer->close(signer);
			tpm_key_unload(key);
			tpm_key_file_free(&file);
			buffer_free(&out);
			if (!relay.flipped)
				break;
		}
	relay_again(&relay, tpm);
	tpm_close(tpm);
	assert_true(refused > 40);
}

static void no_bit_of_an_answer_breaks_the_list_of_banks(void **state)
{
	struct relay relay;
	struct tpm *tpm;
	size_t refused = 0;

	(void)state;
	tpm = open_tpm(&machine);
	relay_begin(&relay, tpm);
	relay.flip_command = COMMAND_GET_CAPABILITY;
	for (size_t bit = 0;; bit++) {
		struct assay_error err;
		struct tpm_pcrs pcrs;

		relay_again(&relay, tpm);
		relay.flip_bit = bit;
		if (tpm_pcr_allocated(tpm, &pcrs, &err) < 0)
			refused++;
		else
			assert_true(pcrs.count <= TPM_BANK_MAX);
		if (!relay.flipped)
			break;
	}
	relay.flip_command = 0;
	relay_again(&relay, tpm);
	tpm_close(tpm);
	assert_true(refused > 50);
}

/* ------------------------------------------------------------------ passwords */

#define PASSWORD "a password of 25 bytes..."
#define OTHER_PASSWORD "not the password of 28 bytes"
#define PASSWORD_BYTES BYTES_LITERAL(PASSWORD)

/* What makes a key of each kind that has a password. */
static const struct password_row {
	const char *name;
	bool pcrs, persistent, rsa;
} password_rows[] = {
	{ "plain", false, false, false },
	{ "RSA", false, false, true },
	{ "bound to PCRs", true, false, false },
	{ "persistent", false, true, false },
};

/* A key with the password, in "p.pem" or at the handle 0x81000031; its name is returned. */
static const char *make_password_key(const struct machine *at, struct tpm *tpm,
				     const struct password_row *row)
{
	const struct tpm_pcrs pcrs = {
		.count = 1, .banks = { { .hash = ASSAY_HASH_SHA256, .selected = 1 << 15 } }
	};
	const struct tpm_key_options options = {
		.algorithm = row->rsa ? TPM_KEY_RSA2048 : TPM_KEY_P256,
		.password = PASSWORD_BYTES,
		.pcrs = row->pcrs ? &pcrs : NULL,
	};
	struct tpm_key_file file = { 0 };
	struct buffer text = { 0 };
	struct assay_error err;
	struct tpm_key *key;

	GOOD(tpm_key_create(tpm, &options, &file, &err));
	if (row->persistent) {
		GOOD(tpm_key_load(tpm, &file, PASSWORD_BYTES, "key", &key, &err));
		GOOD(tpm_key_persist(key, 0x81000031, &err));
		tpm_key_unload(key);
	}
	GOOD(tpm_key_file_format(&file, &text, &err));
	write_to(at, "p.pem", buffer_bytes(&text));
	buffer_free(&text);
	tpm_key_file_free(&file);
	return row->persistent ? "handle:0x81000031" : in(at, "p.pem");
}

static void forget_password_key(const struct machine *at, const struct password_row *row)
{
	if (row->persistent)
		SHELL(at, "tpm2_evictcontrol -C o -c 0x81000031");
}

/* Wrong passwords that the TPM has counted. */
static unsigned int lockout_counter(const struct machine *at)
{
	struct buffer text;
	static const char name[] = "TPM2_PT_LOCKOUT_COUNTER: 0x";
	unsigned long count;
	const char *found;
	char *end;

	SHELL(at, "tpm2_getcap properties-variable >variable; echo >>variable");
	text = read_from(at, "variable");
	text.data[text.size - 1] = '\0';
	found = strstr((const char *)text.data, name);
	assert_non_null(found);
	count = strtoul(found + strlen(name), &end, 16);
	assert_int_equal(*end, '\n');
	buffer_free(&text);
	return (unsigned int)count;
}

static void *sign_refused(void *argument)
{
	struct signing *self = argument;
	struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, BYTES_LITERAL("x"));
	struct buffer out = { 0 };
	struct assay_error err;

	self->refused = self->signer->sign(self->signer, &digest, &out, &err) == -EACCES &&
			strstr(err.text, "has a password, and it was not given, or another");
	buffer_free(&out);
	return NULL;
}

/* However many threads wait for a signature; the next try is a new signer's. */
static void a_wrong_password_costs_one_try(void **state)
{
	struct machine other;

	(void)state;
	start(&other, "sha256");
	write_to(&other, "wrong", BYTES_LITERAL(OTHER_PASSWORD));
	write_to(&other, "right", PASSWORD_BYTES);
	for (size_t i = 0; i < COUNT(password_rows); i++) {
		struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, BYTES_LITERAL("x"));
		struct signer_source source = { .tpm.tcti = other.tcti };
		struct signing threads[32];
		struct buffer out = { 0 };
		struct signer *signer;
		struct assay_error err;
		struct tpm *tpm = open_tpm(&other);

		source.key = make_password_key(&other, tpm, &password_rows[i]);
		tpm_close(tpm);
		source.passphrase_file = in(&other, "wrong");
		GOOD(signer_open(&source, &signer, &err));
		for (size_t j = 0; j < COUNT(threads); j++) {
			threads[j] = (struct signing){ .signer = signer };
			assert_int_equal(
				pthread_create(&threads[j].thread, NULL, sign_refused, &threads[j]),
				0);
		}
		for (size_t j = 0; j < COUNT(threads); j++) {
			assert_int_equal(pthread_join(threads[j].thread, NULL), 0);
			assert_int_equal(threads[j].refused, 1);
		}
		assert_int_equal(signer->sign(signer, &digest, &out, &err), -EACCES);
		signer->close(signer);
		assert_int_equal(lockout_counter(&other), 1);
		source.passphrase_file = in(&other, "right");
		GOOD(signer_open(&source, &signer, &err));
		GOOD(signer->sign(signer, &digest, &out, &err));
		signer->close(signer);
		buffer_free(&out);
		assert_int_equal(lockout_counter(&other), 1);
		SHELL(&other, "tpm2_dictionarylockout --clear-lockout");
		forget_password_key(&other, &password_rows[i]);
	}
	assert_slots_free(&other);
	stop(&other);
}

static bool heard(const struct relay *relay, struct bytes secret)
{
	return memmem(relay->heard.data, relay->heard.size, secret.data, secret.size) != NULL;
}

/* What a listener between assay and the TPM hears. */
static void no_password_goes_over_in_clear(void **state)
{
	const TPMT_TK_HASHCHECK no_ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
	const struct bytes data = BYTES_LITERAL("x");
	const struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, data);
	struct tpm *tpm = open_tpm(&machine);
	struct relay relay;

	(void)state;
	relay_begin(&relay, tpm);
	relay.listens = true;
	for (size_t i = 0; i < COUNT(password_rows); i++) {
		struct tpm_key_handle handle = { .handle = 0x81000031 };
		struct tpm_key_file file = { 0 };
		struct signer *signer;
		struct tpm_key *key;
		struct assay_error err;

		make_password_key(&machine, tpm, &password_rows[i]);
		GOOD(tpm_key_file_read(in(&machine, "p.pem"), &file, &err));
		memcpy(handle.primary, file.parent_name.data, file.parent_name.size);
		for (int named = 0; named <= 1; named++) {
			struct buffer out = { 0 };

			handle.primary_size = named ? file.parent_name.size : 0;
			if (password_rows[i].persistent)
				GOOD(tpm_key_find(tpm, &handle, PASSWORD_BYTES, "key", &key, &err));
			else
				GOOD(tpm_key_load(tpm, &file, PASSWORD_BYTES, "key", &key, &err));
			GOOD(tpm_key_signer(key, &signer, &err));
			GOOD(signer->sign(signer, &digest, &out, &err));
			assert_true(verifies(tpm_key_public(key), ASSAY_HASH_SHA256, data,
					     buffer_bytes(&out)));
			GOOD(signer->sign(signer, &digest, &out, &err));
			signer->close(signer);
			tpm_key_unload(key);
			buffer_free(&out);
			if (!password_rows[i].persistent)
				break;
		}
		tpm_key_file_free(&file);
		forget_password_key(&machine, &password_rows[i]);
		if (heard(&relay, PASSWORD_BYTES))
			fail_msg("%s: the password goes over in clear", password_rows[i].name);
	}
	assert_int_equal(relay.bare, 0);
	assert_true(relay.salted >= 2 * COUNT(password_rows));

	/* The listener can hear: this is how a password goes over without a session. */
	{
		TPM2B_AUTH auth = { .size = sizeof(PASSWORD) - 1 };
		const TPM2B_DIGEST empty = { .size = 32 };
		const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_ECDSA,
						 .details.any.hashAlg = TPM2_ALG_SHA256 };
		TPMT_SIGNATURE *signature = NULL;
		struct tpm_key_file file = { 0 };
		struct tpm_key *key;
		struct assay_error err;

		memcpy(auth.buffer, PASSWORD, sizeof(PASSWORD) - 1);
		make_password_key(&machine, tpm, &password_rows[0]);
		GOOD(tpm_key_file_read(in(&machine, "p.pem"), &file, &err));
		GOOD(tpm_key_load(tpm, &file, BYTES(NULL, 0), "key", &key, &err));
		assert_false(heard(&relay, PASSWORD_BYTES));
		assert_int_equal(Esys_TR_SetAuth(tpm->esys, key->handle, &auth), TSS2_RC_SUCCESS);
		assert_int_equal(Esys_Sign(tpm->esys, key->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					   ESYS_TR_NONE, &empty, &scheme, &no_ticket, &signature),
				 TSS2_RC_SUCCESS);
		assert_true(heard(&relay, PASSWORD_BYTES));
		Esys_Free(signature);
		tpm_key_unload(key);
		tpm_key_file_free(&file);
	}
	buffer_free(&relay.heard);
	relay.listens = false;
	tpm_close(tpm);
	assert_slots_free(&machine);
}

/* The owner's and the parent's passwords: given, wrong, and not given. */
static void owner_and_parent_passwords_are_used_and_not_heard(void **state)
{
	static const struct bytes owner = BYTES_LITERAL("the owner's password");
	static const struct bytes parent = BYTES_LITERAL("the parent's password");
	const struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, BYTES_LITERAL("x"));
	struct tpm_key_options below = { .parent = 0x81000032, .password = PASSWORD_BYTES };
	struct machine other;
	struct relay relay;
	struct tpm *tpm;
	struct assay_error err;

	(void)state;
	start(&other, NULL);
	SHELL(&other, "tpm2_createprimary -C o -G ecc -c storage.ctx -p \"the parent's password\"; "
		      "tpm2_evictcontrol -C o -c storage.ctx 0x81000032; tpm2_flushcontext -t; "
		      "tpm2_changeauth -c owner \"the owner's password\"");
	tpm = open_tpm(&other);
	relay_begin(&relay, tpm);
	relay.listens = true;
	for (int i = 0; i < 2; i++) {
		const struct tpm_key_options *options = i == 0 ? &signing : &below;
		enum tpm_authority whose = i == 0 ? TPM_OWNER : TPM_PARENT;
		struct tpm_key_file file = { 0 };
		struct buffer out = { 0 };
		struct signer *signer;
		struct tpm_key *key;

		BAD(tpm_key_create(tpm, options, &file, &err), EACCES, "has a password");
		GOOD(tpm_give_password(tpm, whose, BYTES_LITERAL("wrong"), &err));
		BAD(tpm_key_create(tpm, options, &file, &err), EACCES, "or another");
		GOOD(tpm_give_password(tpm, whose, i == 0 ? owner : parent, &err));
		GOOD(tpm_key_create(tpm, options, &file, &err));
		GOOD(tpm_key_load(tpm, &file, options->password, "key", &key, &err));
		GOOD(tpm_key_signer(key, &signer, &err));
		GOOD(signer->sign(signer, &digest, &out, &err));
		signer->close(signer);
		if (i == 0)
			GOOD(tpm_key_persist(key, 0x81000033, &err));
		tpm_key_unload(key);
		tpm_key_file_free(&file);
		buffer_free(&out);
	}
	assert_false(heard(&relay, owner));
	assert_false(heard(&relay, parent));
	assert_false(heard(&relay, PASSWORD_BYTES));
	assert_int_equal(relay.bare, 0);
	buffer_free(&relay.heard);
	tpm_close(tpm);
	assert_slots_free(&other);
	stop(&other);
}

/*
 * What stands between assay and the TPM shows a primary of its own, of the same template: by the
 * name it is another, and no session is salted with it.
 */
static void a_primary_that_was_put_in_its_place_is_refused(void **state)
{
	struct tpm *tpm = open_tpm(&machine);
	struct relay relay;

	(void)state;
	relay_begin(&relay, tpm);
	for (size_t i = 0; i < COUNT(password_rows); i++) {
		struct tpm_key_handle handle = { .handle = 0x81000031 };
		struct tpm_key_file file = { 0 };
		struct tpm_key *key;
		struct assay_error err;

		make_password_key(&machine, tpm, &password_rows[i]);
		GOOD(tpm_key_file_read(in(&machine, "p.pem"), &file, &err));
		handle.primary_size = file.parent_name.size;
		memcpy(handle.primary, file.parent_name.data, file.parent_name.size);
		relay.own_primary = TPM2_RH_NULL;
		relay.owner_to_own = 0;
		relay.salted = 0;
		if (password_rows[i].persistent)
			BAD(tpm_key_find(tpm, &handle, PASSWORD_BYTES, "key", &key, &err),
			    EKEYREJECTED, "is not the one that was noted");
		else
			BAD(tpm_key_load(tpm, &file, PASSWORD_BYTES, "key", &key, &err),
			    EKEYREJECTED, "is not the one that was noted");
		assert_int_equal(relay.owner_to_own, 1);
		assert_int_equal(relay.salted + relay.bare + relay.signs, 0);
		relay.own_primary = 0;
		tpm_key_file_free(&file);
		forget_password_key(&machine, &password_rows[i]);
	}
	tpm_close(tpm);
	assert_slots_free(&machine);
}

/* A key's file says whether it has a password, and may be wrong either way. */
static void the_mark_of_a_password_is_a_hint(void **state)
{
	static const struct {
		bool password, mark;
		const char *given; /* file; NULL: none */
		bool good;
	} rows[] = {
		{ false, true, "empty", true },	  { false, false, "empty", true },
		{ false, false, NULL, true },	  { true, false, "right", true },
		{ true, true, "right", true },	  { true, false, NULL, false },
		{ true, true, "empty", false },	  { true, false, "wrong", false },
		{ false, false, "wrong", false },
	};
	struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, BYTES_LITERAL("x"));

	(void)state;
	write_to(&machine, "empty", BYTES_LITERAL(""));
	write_to(&machine, "wrong", BYTES_LITERAL(OTHER_PASSWORD));
	write_to(&machine, "right", PASSWORD_BYTES);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct tpm_key_options options = {
			.password = rows[i].password ? PASSWORD_BYTES : BYTES(NULL, 0),
		};
		struct signer_source source = { .key = in(&machine, "k.pem"),
						.tpm.tcti = machine.tcti };
		struct tpm *tpm = open_tpm(&machine);
		struct tpm_key_file file = { 0 };
		struct buffer text = { 0 }, out = { 0 };
		struct signer *signer;
		struct assay_error err;
		int r;

		GOOD(tpm_key_create(tpm, &options, &file, &err));
		tpm_close(tpm);
		assert_int_equal(file.password, rows[i].password);
		file.password = rows[i].mark;
		GOOD(tpm_key_file_format(&file, &text, &err));
		write_to(&machine, "k.pem", buffer_bytes(&text));
		if (rows[i].given)
			source.passphrase_file = in(&machine, rows[i].given);
		GOOD(signer_open(&source, &signer, &err));
		r = signer->sign(signer, &digest, &out, &err);
		if ((r == 0) != rows[i].good || (r < 0 && r != -EACCES))
			fail_msg("row %zu: %d %s", i, r, r < 0 ? err.text : "");
		signer->close(signer);
		buffer_free(&text);
		buffer_free(&out);
		tpm_key_file_free(&file);
	}
	SHELL(&machine, "tpm2_dictionarylockout --clear-lockout");
	assert_slots_free(&machine);
}

static void a_policy_that_the_file_does_not_tell_is_told(void **state)
{
	struct tpm *tpm = open_tpm(&machine);
	struct tpm_key_file file = { 0 };
	struct tpm_key *key;
	struct assay_error err;

	(void)state;
	make_password_key(&machine, tpm, &password_rows[2]);
	GOOD(tpm_key_file_read(in(&machine, "p.pem"), &file, &err));
	file.pcr_policy.size = 0;
	BAD(tpm_key_load(tpm, &file, PASSWORD_BYTES, "key", &key, &err), EOPNOTSUPP,
	    "takes a policy");
	tpm_key_file_free(&file);
	tpm_close(tpm);
	assert_slots_free(&machine);
}

static int begin(void **state)
{
	(void)state;
	/* The sanitizers' allocator stays out of the programs that tests start. */
	unsetenv("LD_PRELOAD");
	unsetenv("ASSAY_TCTI");
	unsetenv("TPM2TOOLS_TCTI");
	start(&machine, "sha1,sha256,sha384");
	return 0;
}

static int end(void **state)
{
	(void)state;
	stop(&machine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_tpm_is_told_with_what_to_do),
		cmocka_unit_test(the_environment_says_where_the_tpm_is),
		cmocka_unit_test(a_tpm_that_was_not_started_is_told),
		cmocka_unit_test(a_tpm_that_dies_is_told),
		cmocka_unit_test(a_signing_key_signs_every_digest),
		cmocka_unit_test(threads_get_their_own_signatures),
		cmocka_unit_test(a_malformed_digest_is_not_signed),
		cmocka_unit_test(a_certificate_made_by_the_tpm_verifies),
		cmocka_unit_test(an_attestation_key_signs_no_files),
		cmocka_unit_test(the_tpm_refuses_foreign_digests_for_an_attestation_key),
		cmocka_unit_test(an_attestation_key_has_what_a_verifier_wants),
		cmocka_unit_test(a_name_told_without_the_tpm_is_the_tpms),
		cmocka_unit_test(tpm2_tools_can_use_our_key),
		cmocka_unit_test(keys_of_tpm2_tools_work),
		cmocka_unit_test(keys_that_cannot_sign_are_refused),
		cmocka_unit_test(a_public_part_cut_or_off_its_curve_is_refused),
		cmocka_unit_test(a_key_of_another_tpm_is_told),
		cmocka_unit_test(a_private_part_that_is_damaged_is_told),
		cmocka_unit_test(a_password_on_the_owner_hierarchy_is_told),
		cmocka_unit_test(slots_are_given_back),
		cmocka_unit_test(banks_and_values_are_those_of_tpm2_tools),
		cmocka_unit_test(a_bank_that_is_not_there_is_told),
		cmocka_unit_test(tpm2_checkquote_accepts_our_quotes),
		cmocka_unit_test(what_cannot_be_quoted_is_told),
		cmocka_unit_test(a_quote_waits_until_values_and_digest_agree),
		cmocka_unit_test(no_bit_of_an_answer_makes_a_wrong_quote),
		cmocka_unit_test(no_bit_of_an_answer_makes_a_wrong_signature),
		cmocka_unit_test(no_bit_of_an_answer_breaks_the_list_of_banks),
		cmocka_unit_test(a_wrong_password_costs_one_try),
		cmocka_unit_test(no_password_goes_over_in_clear),
		cmocka_unit_test(owner_and_parent_passwords_are_used_and_not_heard),
		cmocka_unit_test(a_primary_that_was_put_in_its_place_is_refused),
		cmocka_unit_test(the_mark_of_a_password_is_a_hint),
		cmocka_unit_test(a_policy_that_the_file_does_not_tell_is_told),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
