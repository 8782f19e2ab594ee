// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "sign/key_pair.h"

/*
 * Of libcrypto's secure heap, in bytes: the key, and a nonce for each thread that signs.
 * It is what every process may lock (RLIMIT_MEMLOCK was 64 KiB for long), and one page of
 * the largest size.
 */
#define SECURE_SIZE 65536
#define SECURE_PIECE 32

#define ID_DIGITS 32

struct delegate {
	struct signer signer; /* its public_key is but that */
	struct key_pair *pair;
};

/* ---------------------------------------------------------------- memory */

static struct {
	pthread_once_t once;
	int code; /* why there is none: a positive errno */
	enum delegate_memory memory;
} secure = { .once = PTHREAD_ONCE_INIT };

/*
 * Puts secret pages where libcrypto's secure heap is. All of it must be allocated then:
 * what is free of it has libcrypto's lists inside.
 */
static void use_secret_pages(void *heap)
{
#ifdef SYS_memfd_secret
	int fd = (int)syscall(SYS_memfd_secret, 0U);

	if (fd < 0)
		return;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (ftruncate(fd, SECURE_SIZE) == 0) {
		void *pages = mmap(NULL, SECURE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		/* Either all is moved over the old pages, or nothing is changed. */
		if (pages != MAP_FAILED) {
			if (mremap(pages, SECURE_SIZE, SECURE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				   heap) == heap)
				secure.memory = DELEGATE_SECRET;
			else
				munmap(pages, SECURE_SIZE);
		}
	}
	close(fd);
#else
	(void)heap;
#endif
}

static void set_up_memory(void)
{
	const struct rlimit none = { 0, 0 };
	void *heap;
	int made;

	/* Also for what is outside of the secure heap; not being allowed to is no reason to stop.
	 */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0) {
		secure.code = errno;
		return;
	}
	made = CRYPTO_secure_malloc_init(SECURE_SIZE, SECURE_PIECE);
	heap = made != 0 ? OPENSSL_secure_malloc(SECURE_SIZE) : NULL;
	if (!heap) {
		secure.code = ENOMEM;
		return;
	}
	use_secret_pages(heap);
	/* 2: the heap is there, but could not be locked or kept out of dumps. */
	if (made == 2 && secure.memory != DELEGATE_SECRET)
		secure.code = EPERM;
	OPENSSL_secure_free(heap);
	crypto_errors_drop();
}

/* ---------------------------------------------------------------- key */

static int delegate_sign(struct signer *signer, const struct assay_digest *digest,
			 struct buffer *out, struct assay_error *err)
{
	return key_pair_sign(((struct delegate *)signer)->pair, digest, "the delegate's key", out,
			     err);
}

static void close_delegate(struct signer *signer)
{
	struct delegate *delegate = (struct delegate *)signer;

	key_pair_free(delegate->pair); /* libcrypto wipes what it frees of the secure heap */
	EVP_PKEY_free(signer->public_key);
	free(delegate);
}

/* ---------------------------------------------------------------- certificate */

static bool add_extension(X509 *certificate, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, context, nid, value);
	bool good = extension && X509_add_ext(certificate, extension, -1);

	X509_EXTENSION_free(extension);
	return good;
}

static bool add_manifest_id(X509 *certificate, const char *manifest_id)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(DELEGATE_OID, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	ASN1_UTF8STRING *text = ASN1_UTF8STRING_new();
	X509_EXTENSION *extension = NULL;
	unsigned char *der = NULL;
	int size = -1;
	bool good;

	if (text && ASN1_STRING_set(text, manifest_id, -1))
		size = i2d_ASN1_UTF8STRING(text, &der);
	good = size > 0 && oid && octets && ASN1_OCTET_STRING_set(octets, der, size) &&
	       (extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets)) != NULL &&
	       X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	OPENSSL_free(der);
	ASN1_UTF8STRING_free(text);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(oid);
	return good;
}

static bool set_names(X509 *certificate, X509 *issuer, const char *manifest_id)
{
	X509_NAME *name = X509_NAME_new();
	char common_name[CERTIFICATE_SUBJECT_MAX];
	bool good;

	snprintf(common_name, sizeof(common_name), "assay delegate %s", manifest_id);
	good = name &&
	       X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)common_name, -1, -1, 0) &&
	       X509_set_subject_name(certificate, name) &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	X509_NAME_free(name);
	return good;
}

static bool fill_certificate(X509 *certificate, X509 *issuer, EVP_PKEY *key,
			     const char *manifest_id)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	return X509_set_version(certificate, X509_VERSION_3) &&
	       certificate_set_serial(certificate) && set_names(certificate, issuer, manifest_id) &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -DELEGATE_BACKDATE_SECONDS) &&
	       X509_gmtime_adj(X509_getm_notAfter(certificate), DELEGATE_HOURS * 3600L) &&
	       X509_set_pubkey(certificate, key) &&
	       add_extension(certificate, &context, NID_subject_key_identifier, "hash") &&
	       add_extension(certificate, &context, NID_authority_key_identifier, "keyid:always") &&
	       add_extension(certificate, &context, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, &context, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_manifest_id(certificate, manifest_id);
}

static int make_certificate(X509 *issuer_certificate, EVP_PKEY *key, const char *manifest_id,
			    X509 **ret, struct assay_error *err)
{
	X509 *certificate = X509_new();
	struct bytes key_id;
	int r = certificate_key_id(issuer_certificate, &key_id, err);

	if (r == 0 &&
	    (!certificate || !fill_certificate(certificate, issuer_certificate, key, manifest_id)))
		r = assay_fail(err, ENOMEM, "cannot make the delegate's certificate");
	crypto_errors_drop();
	if (r < 0) {
		X509_free(certificate);
		return r;
	}
	*ret = certificate;
	return 0;
}

int delegate_begin(X509 *issuer_certificate, const char *manifest_id, struct signer **ret,
		   X509 **ret_unsigned, enum delegate_memory *ret_memory, struct assay_error *err)
{
	struct delegate *delegate;
	X509 *certificate = NULL;
	EVP_PKEY *key;
	int r = 0;

	pthread_once(&secure.once, set_up_memory);
	if (secure.code != 0)
		return assay_fail(
			err, secure.code,
			"cannot lock %d bytes of memory for the delegate's key: %s; raise "
			"the limit (ulimit -l)",
			SECURE_SIZE, strerror(secure.code));
	delegate = calloc(1, sizeof(*delegate));
	if (!delegate)
		return assay_fail(err, ENOMEM, "cannot make a delegate: out of memory");
	delegate->signer = (struct signer){ .concurrent = true,
					    .sign = delegate_sign,
					    .close = close_delegate };
	key = EVP_EC_gen("P-256");
	if (key)
		delegate->pair = key_pair_new(key, true);
	if (!delegate->pair)
		r = assay_fail(err, EIO, "libcrypto failed to make the delegate's key");
	if (r == 0)
		r = make_certificate(issuer_certificate, key, manifest_id, &certificate, err);
	if (r == 0) {
		delegate->signer.public_key = X509_get_pubkey(certificate);
		if (!delegate->signer.public_key)
			r = assay_fail(err, ENOMEM, "cannot make a delegate: out of memory");
	}
	crypto_errors_drop();
	if (r < 0) {
		X509_free(certificate);
		close_delegate(&delegate->signer);
		return r;
	}
	*ret = &delegate->signer;
	*ret_unsigned = certificate;
	if (ret_memory)
		*ret_memory = secure.memory;
	return 0;
}

int delegate_new(struct signer *issuer, X509 *issuer_certificate, const char *manifest_id,
		 struct signer **ret, X509 **ret_certificate, enum delegate_memory *ret_memory,
		 struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	struct signer *delegate;
	int r = delegate_begin(issuer_certificate, manifest_id, &delegate, &certificate, ret_memory,
			       err);

	if (r < 0)
		return r;
	r = certificate_sign(issuer, certificate, ret_certificate, err);
	if (r < 0)
		delegate->close(delegate);
	else
		*ret = delegate;
	return r;
}

int delegate_manifest_id(X509 *certificate, char ret[33], struct assay_error *err)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(DELEGATE_OID, 1);
	int at = oid ? X509_get_ext_by_OBJ(certificate, oid, -1) : -1;
	ASN1_UTF8STRING *text = NULL;
	int r = -ENOENT;

	ASN1_OBJECT_free(oid);
	if (at >= 0) {
		const ASN1_OCTET_STRING *octets =
			X509_EXTENSION_get_data(X509_get_ext(certificate, at));
		const unsigned char *der = ASN1_STRING_get0_data(octets);

		text = d2i_ASN1_UTF8STRING(NULL, &der, ASN1_STRING_length(octets));
	}
	if (text && ASN1_STRING_length(text) == ID_DIGITS) {
		memcpy(ret, ASN1_STRING_get0_data(text), ID_DIGITS);
		ret[ID_DIGITS] = '\0';
		r = 0;
	}
	ASN1_UTF8STRING_free(text);
	crypto_errors_drop();
	if (r < 0)
		return assay_fail(err, ENOENT, "the certificate is not a delegate's");
	return 0;
}
