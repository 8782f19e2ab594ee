// SPDX-License-Identifier: MIT
/* lib/sign: delegates, whom they sign for, and that their key does not leave the process. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sign/delegate.h"
#include "sign/ima_sig.h"
#include "sign/key_file.h"
#include "base/utc.h"
#include "sign/manifest_signature.h"
#include "sign/pkcs7.h"
#include "sign/trust.h"

#define ID "0123456789abcdef0123456789abcdef"
#define OTHER_ID "ffffffffffffffffffffffffffffffff"
#define MANIFEST(id)                                                                      \
	"{\"assay\":1,\"type\":\"manifest\",\"id\":\"" id "\",\"created\":"               \
	"\"2025-01-31T12:00:00Z\",\"hash\":\"sha256\",\"block_size\":4096,\"salt\":\"\"," \
	"\"signer\":{\"subject\":\"CN=x\",\"key_id\":\"01020304\"}}\n"

static struct signer *key, *delegate;
static X509 *certificate, *other, *delegate_certificate;
static enum delegate_memory memory;

static struct signer *open_key(const char *path)
{
	struct buffer pem = support_read(path);
	struct signer *signer;

	assert_int_equal(key_file_signer(buffer_bytes(&pem), path, &signer, NULL), 0);
	buffer_free(&pem);
	return signer;
}

static int make_delegate(void **state)
{
	struct assay_error err = { 0 };

	if (support_enter_directory(state) < 0)
		return -1;
	if (support_run("for name in key other; do openssl req -x509 -newkey ec -nodes -pkeyopt "
			"ec_paramgen_curve:P-256 -subj /CN=$name -keyout $name.pem -out $name.crt "
			"-days 2 2>/dev/null; done") != 0)
		return -1;
	key = open_key("key.pem");
	assert_int_equal(certificate_load("key.crt", &certificate, NULL), 0);
	assert_int_equal(certificate_load("other.crt", &other, NULL), 0);
	if (delegate_new(key, certificate, ID, &delegate, &delegate_certificate, &memory, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int drop_delegate(void **state)
{
	delegate->close(delegate);
	key->close(key);
	X509_free(delegate_certificate);
	X509_free(certificate);
	X509_free(other);
	return support_leave_directory(state);
}

static struct assay_digest some_digest(uint32_t seed)
{
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = 32 };

	support_fill(digest.bytes, digest.size, seed);
	return digest;
}

static void its_certificate_leads_to_the_key_and_names_the_manifest(void **state)
{
	struct buffer pem = { 0 };
	char id[33], *text;

	(void)state;
	assert_int_equal(certificate_append_pem(delegate_certificate, &pem, NULL), 0);
	support_write("delegate.crt", buffer_bytes(&pem));
	buffer_free(&pem);
	assert_int_equal(support_run("openssl verify -partial_chain -trusted key.crt delegate.crt "
				     ">/dev/null 2>verify.log || { cat verify.log; false; }"),
			 0);
	assert_int_equal(support_run("openssl verify -partial_chain -trusted other.crt "
				     "delegate.crt >/dev/null 2>&1"),
			 2);
	text = support_output("openssl x509 -in delegate.crt -noout -text");
	assert_non_null(strstr(text, "Issuer: CN = key\n"));
	assert_non_null(strstr(text, "Subject: CN = assay delegate " ID "\n"));
	assert_non_null(strstr(text, "X509v3 Key Usage: critical\n"));
	assert_non_null(strstr(text, "Digital Signature\n"));
	assert_non_null(strstr(text, "CA:FALSE\n"));
	assert_non_null(strstr(text, DELEGATE_OID ": \n"));
	free(text);
	/* Valid now, and not for long. */
	assert_int_equal(support_run("openssl x509 -in delegate.crt -noout -checkend %d >/dev/null",
				     DELEGATE_HOURS * 3600 - 60),
			 0);
	assert_int_equal(support_run("openssl x509 -in delegate.crt -noout -checkend %d >/dev/null",
				     DELEGATE_HOURS * 3600 + 1),
			 1);
	assert_int_equal(delegate_manifest_id(delegate_certificate, id, NULL), 0);
	assert_string_equal(id, ID);
	assert_int_equal(delegate_manifest_id(certificate, id, NULL), -ENOENT);
	assert_int_equal(certificate_check_signer(delegate_certificate, delegate, NULL), 0);
}

static void what_it_signs_the_keys_certificate_vouches_for(void **state)
{
	struct assay_digest digest = some_digest(1), second = some_digest(2);
	struct buffer pkcs7 = { 0 }, ima = { 0 };
	struct assay_error err = { 0 };
	struct trust *trust;
	X509 *signer;

	(void)state;
	assert_int_equal(
		pkcs7_sign_with_certificate(delegate, delegate_certificate, &digest, &pkcs7, NULL),
		0);
	assert_int_equal(ima_sig_sign(delegate, delegate_certificate, &digest, &ima, NULL), 0);
	assert_int_equal(trust_new(&trust, NULL), 0);
	assert_int_equal(trust_add(trust, other, TRUST_AUTHORITY, NULL), 0);
	assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&pkcs7), &digest, NULL, &err),
			 -ENOKEY);
	assert_int_equal(trust_add(trust, certificate, TRUST_AUTHORITY, NULL), 0);
	if (trust_verify_pkcs7(trust, buffer_bytes(&pkcs7), &digest, &signer, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(X509_cmp(signer, delegate_certificate), 0);
	assert_int_equal(trust_verify_ima(trust, buffer_bytes(&ima), &digest, signer, NULL, NULL),
			 0);
	assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&pkcs7), &second, NULL, NULL),
			 -EKEYREJECTED);
	X509_free(signer);
	trust_free(trust);
	/* openssl, too. */
	support_write("signature", buffer_bytes(&pkcs7));
	{
		uint8_t room[VERITY_FORMATTED_MAX];

		support_write("content", verity_formatted_digest(&digest, room));
	}
	assert_int_equal(support_run("openssl cms -verify -binary -inform DER -in signature "
				     "-content content -CAfile key.crt -partial_chain -purpose any "
				     "-out /dev/null 2>cms.log || { cat cms.log; false; }"),
			 0);
	buffer_free(&pkcs7);
	buffer_free(&ima);
}

/* @later: seconds after now when the manifest says that it was created */
static int verify_manifest(struct bytes literal, int64_t later, X509 *by, bool as_file,
			   unsigned int flags, struct assay_error *err)
{
	struct buffer signature = { 0 };
	struct assay_digest digest;
	char room[1024], time_text[UTC_LENGTH + 1], *created;
	struct bytes text = BYTES((uint8_t *)room, literal.size);
	int r;

	assert_true(literal.size < sizeof(room));
	memcpy(room, literal.data, literal.size);
	room[literal.size] = '\0';
	created = strstr(room, "\"created\":\"");
	if (created)
		memcpy(created + 11, utc_text((uint64_t)(time(NULL) + later), time_text),
		       UTC_LENGTH);

	assert_int_equal(verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT, text, "m", &digest, NULL),
			 0);
	r = as_file ?
		    pkcs7_sign_with_certificate(delegate, delegate_certificate, &digest, &signature,
						NULL) :
		    manifest_sign(delegate, delegate_certificate, true, &digest, &signature, NULL);
	assert_int_equal(r, 0);
	r = manifest_verify(text, "m", buffer_bytes(&signature), by, flags, err);
	buffer_free(&signature);
	return r;
}

static void it_signs_its_own_manifest_and_no_other(void **state)
{
	struct assay_error err = { 0 };

	(void)state;
	if (verify_manifest(BYTES_LITERAL(MANIFEST(ID)), 0, certificate, false, 0, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(
		verify_manifest(BYTES_LITERAL(MANIFEST(OTHER_ID)), 0, certificate, false, 0, &err),
		-EKEYREJECTED);
	support_assert_error(&err, "the signature of m: it is by a delegate for another manifest");
	assert_int_equal(verify_manifest(BYTES_LITERAL(MANIFEST(ID)), 0, other, false, 0, &err),
			 -ENOKEY);
	assert_true(verify_manifest(BYTES_LITERAL("no manifest\n"), 0, certificate, false, 0,
				    &err) < 0);
	/* Its certificate is good for a day, and so is what it signs. */
	assert_int_equal(verify_manifest(BYTES_LITERAL(MANIFEST(ID)), DELEGATE_HOURS * 3600 - 60,
					 certificate, false, 0, &err),
			 0);
	assert_int_equal(verify_manifest(BYTES_LITERAL(MANIFEST(ID)), DELEGATE_HOURS * 3600 + 60,
					 certificate, false, 0, &err),
			 -EKEYEXPIRED);
	support_assert_error(&err, "CN=assay delegate");
	assert_int_equal(verify_manifest(BYTES_LITERAL(MANIFEST(ID)),
					 -DELEGATE_BACKDATE_SECONDS - 60, certificate, false, 0,
					 &err),
			 -EKEYEXPIRED);
	/* A file that it signed is no manifest, even with the id of the manifest. */
	assert_int_equal(
		verify_manifest(BYTES_LITERAL(MANIFEST(ID)), 0, certificate, true, 0, &err),
		-EPERM);
	assert_int_equal(verify_manifest(BYTES_LITERAL(MANIFEST(ID)), 0, certificate, true,
					 MANIFEST_ACCEPT_FILE_SIGNATURE, &err),
			 0);
	assert_true(verify_manifest(BYTES_LITERAL(MANIFEST(OTHER_ID)), 0, certificate, true,
				    MANIFEST_ACCEPT_FILE_SIGNATURE, &err) < 0);
}

static void a_signer_without_key_id_cannot_have_one(void **state)
{
	struct assay_error err = { 0 };
	struct signer *signer;
	X509 *without, *made;

	(void)state;
	assert_int_equal(support_run("openssl req -x509 -key key.pem -subj /CN=x -days 2 -addext "
				     "subjectKeyIdentifier=none -out noid.crt 2>/dev/null"),
			 0);
	assert_int_equal(certificate_load("noid.crt", &without, NULL), 0);
	assert_int_equal(delegate_new(key, without, ID, &signer, &made, NULL, &err), -EINVAL);
	support_assert_error(&err, "no subject key id");
	X509_free(without);
}

/* ---------------------------------------------------------------- where the key is */

static void *sign_many(void *argument)
{
	struct signer *signer = argument;

	for (uint32_t i = 1; i < 50; i++) {
		struct assay_digest digest = some_digest(i);
		struct buffer out = { 0 };

		if (signer->sign(signer, &digest, &out, NULL) < 0)
			_exit(3);
		buffer_free(&out);
	}
	return NULL;
}

/* A key like a delegate's, in memory like any other. */
static int sign_plainly(struct signer *signer, const struct assay_digest *digest,
			struct buffer *out, struct assay_error *err)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, signer->public_key, NULL);
	size_t size = (size_t)EVP_PKEY_get_size(signer->public_key);
	uint8_t *place = buffer_reserve(out, size);
	bool good = context && place && EVP_PKEY_sign_init(context) == 1 &&
		    EVP_PKEY_sign(context, place, &size, digest->bytes, digest->size) == 1;

	(void)err;
	EVP_PKEY_CTX_free(context);
	return good ? 0 : -EIO;
}

/* What the other process does: a key, work for it on two threads, and then it waits. */
static void hold_key(bool as_delegate, int out)
{
	struct signer plain = { .sign = sign_plainly }, *signer = &plain;
	unsigned char *point = NULL;
	X509 *made = NULL;
	pthread_t thread;
	size_t size;
	uint8_t kind = DELEGATE_LOCKED;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (as_delegate) {
		enum delegate_memory used;

		if (delegate_new(key, certificate, ID, &signer, &made, &used, NULL) < 0)
			_exit(2);
		kind = (uint8_t)used;
	} else {
		plain.public_key = EVP_EC_gen("P-256");
	}
	if (pthread_create(&thread, NULL, sign_many, signer) != 0)
		_exit(2);
	sign_many(signer);
	pthread_join(thread, NULL);
	size = EVP_PKEY_get1_encoded_public_key(signer->public_key, &point);
	if (size != 65 || write(out, &kind, 1) != 1 || write(out, point, size) != 65)
		_exit(2);
	for (;;)
		pause();
}

struct holder {
	pid_t pid;
	enum delegate_memory kind;
	EC_GROUP *group;
	EC_POINT *point;
};

/* Forks before this process has any secret heap, or a delegate, of its own. */
static struct holder start_holder(bool as_delegate)
{
	struct holder holder = { 0 };
	uint8_t kind, point[65];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	holder.pid = fork();
	assert_true(holder.pid >= 0);
	if (holder.pid == 0)
		hold_key(as_delegate, ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &kind, 1), 1);
	assert_int_equal(read(ends[0], point, sizeof(point)), sizeof(point));
	close(ends[0]);
	holder.kind = kind;
	holder.group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	holder.point = EC_POINT_new(holder.group);
	assert_int_equal(EC_POINT_oct2point(holder.group, holder.point, point, sizeof(point), NULL),
			 1);
	return holder;
}

static int end_holder(struct holder *holder, int with)
{
	int status;

	kill(holder->pid, with);
	assert_int_equal(waitpid(holder->pid, &status, 0), holder->pid);
	EC_POINT_free(holder->point);
	EC_GROUP_free(holder->group);
	return status;
}

/* Could these be the bytes of a key? Of 32 random ones some 30 differ, and 16 are above 127. */
static bool looks_random(const uint8_t *bytes)
{
	bool seen[256] = { false };
	unsigned int high = 0, different = 0;

	for (size_t i = 0; i < 32; i++) {
		high += bytes[i] > 127;
		different += !seen[bytes[i]];
		seen[bytes[i]] = true;
	}
	return high >= 5 && different >= 22;
}

static bool is_key(const struct holder *holder, const uint8_t *bytes)
{
	EC_POINT *point = EC_POINT_new(holder->group);
	BIGNUM *numbers[] = { BN_lebin2bn(bytes, 32, NULL), BN_bin2bn(bytes, 32, NULL) };
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		if (EC_POINT_mul(holder->group, point, numbers[i], NULL, NULL, NULL) == 1 &&
		    EC_POINT_cmp(holder->group, point, holder->point, NULL) == 0)
			found = true;
		BN_free(numbers[i]);
	}
	EC_POINT_free(point);
	return found;
}

static bool key_in_page(const struct holder *holder, const uint8_t *page, size_t size)
{
	for (size_t at = 0; at + 32 <= size; at += 8)
		if (looks_random(page + at) && is_key(holder, page + at))
			return true;
	return false;
}

struct search {
	unsigned int found, locked, refused;
	size_t pages;
};

/* What is in memory of a region, a page at a time; @locked: nobody may read it at all. */
static void search_region(const struct holder *holder, int mem, int pagemap, uint64_t from,
			  uint64_t to, bool locked, struct search *search)
{
	const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *page = malloc(page_size);

	for (uint64_t at = from; at < to; at += page_size) {
		uint64_t entry = 0;

		/* Documentation/admin-guide/mm/pagemap.rst: bit 63 is "present". */
		if (!locked &&
		    (pread(pagemap, &entry, 8, (off_t)(at / page_size * 8)) != 8 || !(entry >> 63)))
			continue;
		search->pages++;
		if (pread(mem, page, page_size, (off_t)at) != (ssize_t)page_size)
			search->refused++;
		else if (!locked && key_in_page(holder, page, page_size))
			search->found++;
	}
	free(page);
}

/* All memory that a process can write to, but for what is locked and kept out of dumps. */
static struct search search_memory(const struct holder *holder)
{
	struct search search = { 0 };
	char path[64], line[4096];
	uint64_t from = 0, to = 0;
	bool writable = false;
	int mem, pagemap;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/mem", holder->pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", holder->pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/smaps", holder->pid);
	maps = fopen(path, "re");
	if (mem < 0 || pagemap < 0 || !maps) {
		/* Others may not even look. */
		assert_true(geteuid() != 0);
		skip();
	}
	while (fgets(line, sizeof(line), maps)) {
		char *at;
		uint64_t number = strtoull(line, &at, 16);

		/* "FROM-TO rw-p ...", then lines about it. */
		if (*at == '-') {
			from = number;
			to = strtoull(at + 1, &at, 16);
			writable = at[0] == ' ' && at[2] == 'w';
		} else if (strncmp(line, "VmFlags:", 8) == 0 && writable) {
			bool locked = strstr(line, " lo") && strstr(line, " dd");

			search.locked += locked;
			/* The sanitizer's shadow is terabytes and holds nobody's data. */
			if (to - from < (uint64_t)1 << 36 &&
			    (!locked || holder->kind == DELEGATE_SECRET))
				search_region(holder, mem, pagemap, from, to, locked, &search);
		}
	}
	fclose(maps);
	close(mem);
	close(pagemap);
	return search;
}

static void a_key_in_plain_memory_is_found_by_this_search(void **state)
{
	struct holder holder = start_holder(false);
	struct search search = search_memory(&holder);

	(void)state;
	end_holder(&holder, SIGKILL);
	assert_true(search.found > 0);
}

static void a_delegates_key_is_in_locked_pages_and_nowhere_else(void **state)
{
	struct holder holder = start_holder(true);
	struct search search = search_memory(&holder);

	(void)state;
	end_holder(&holder, SIGKILL);
	assert_true(search.pages > 100);
	assert_int_equal(search.found, 0);
	assert_true(search.locked > 0);
	/* Not even root can read them. */
	if (holder.kind == DELEGATE_SECRET)
		assert_true(search.refused >= 65536 / (size_t)sysconf(_SC_PAGESIZE));
}

static void dies_with_core(bool as_delegate, bool *ret)
{
	/* Whether there is a core is the question, not all of it. */
	const struct rlimit some = { 1 << 20, RLIM_INFINITY };
	struct holder holder;
	struct rlimit before;
	int status;

	getrlimit(RLIMIT_CORE, &before);
	if (setrlimit(RLIMIT_CORE, &some) < 0)
		skip();
	holder = start_holder(as_delegate);
	setrlimit(RLIMIT_CORE, &before);
	status = end_holder(&holder, SIGQUIT);
	assert_true(WIFSIGNALED(status));
	*ret = WCOREDUMP(status);
}

static void a_process_with_a_delegate_dumps_no_core(void **state)
{
	bool plain, delegated;

	(void)state;
	dies_with_core(false, &plain);
	if (!plain)
		skip(); /* nothing dumps core here */
	dies_with_core(true, &delegated);
	assert_false(delegated);
}

static int only_key(void **state)
{
	if (support_enter_directory(state) < 0 ||
	    support_run("openssl req -x509 -newkey ec -nodes -pkeyopt ec_paramgen_curve:P-256 "
			"-subj /CN=key -keyout key.pem -out key.crt -days 2 2>/dev/null") != 0)
		return -1;
	key = open_key("key.pem");
	return certificate_load("key.crt", &certificate, NULL);
}

static int drop_key(void **state)
{
	key->close(key);
	X509_free(certificate);
	return support_leave_directory(state);
}

int main(void)
{
	/* The first group has no delegate in this process: its children inherit none. */
	const struct CMUnitTest memory_tests[] = {
		cmocka_unit_test(a_key_in_plain_memory_is_found_by_this_search),
		cmocka_unit_test(a_delegates_key_is_in_locked_pages_and_nowhere_else),
		cmocka_unit_test(a_process_with_a_delegate_dumps_no_core),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_certificate_leads_to_the_key_and_names_the_manifest),
		cmocka_unit_test(what_it_signs_the_keys_certificate_vouches_for),
		cmocka_unit_test(it_signs_its_own_manifest_and_no_other),
		cmocka_unit_test(a_signer_without_key_id_cannot_have_one),
	};
	int failed = cmocka_run_group_tests(memory_tests, only_key, drop_key);

	return failed + cmocka_run_group_tests(tests, make_delegate, drop_delegate);
}
