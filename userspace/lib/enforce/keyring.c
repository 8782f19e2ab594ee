// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "enforce/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <keyutils.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sign/certificate.h"

static int fail_find(const char *keyring, int code, struct assay_error *err)
{
	switch (code) {
	case ENOKEY:
	case ENOENT:
		return assay_fail(
			err, ENOKEY,
			"there is no keyring %s that you may see: run as root, on a kernel "
			"with CONFIG_FS_VERITY_BUILTIN_SIGNATURES (for .fs-verity) or "
			"CONFIG_INTEGRITY_TRUSTED_KEYRING (for .ima; kernels without "
			"have " KEYRING_USER_IMA ")",
			keyring);
	default:
		return assay_fail(err, code, "cannot find the keyring %s: %s", keyring,
				  strerror(code));
	}
}

int keyring_find(const char *keyring, int32_t *ret, struct assay_error *err)
{
	key_serial_t ring = find_key_by_type_and_desc("keyring", keyring, 0);

	if (ring < 0)
		return fail_find(keyring, errno, err);
	*ret = ring;
	return 0;
}

static int fail_add(const char *path, const char *keyring, int code, struct assay_error *err)
{
	const char *reason;

	switch (code) {
	case EACCES:
		reason = "not permitted: run as root";
		break;
	case EPERM:
		reason = "the keyring is locked and takes no more keys until the next boot";
		break;
	case EKEYREJECTED:
	case ENOKEY:
		reason = "the keyring takes only certificates that a key it trusts has signed";
		break;
	case EBADMSG:
		reason = "the kernel cannot read the certificate";
		break;
	case ENOPKG:
	case ENOENT:
		reason = "the kernel has no driver for the certificate's algorithm: ECDSA needs "
			 "CONFIG_CRYPTO_ECDSA, ML-DSA CONFIG_CRYPTO_MLDSA (kernels from 7.0 on)";
		break;
	case ENODEV:
		reason = "the kernel has no asymmetric keys: it needs "
			 "CONFIG_ASYMMETRIC_KEY_TYPE and CONFIG_X509_CERTIFICATE_PARSER";
		break;
	case EDQUOT:
		reason = "the quota of keys is used up: see /proc/key-users";
		break;
	default:
		reason = strerror(code);
	}
	return assay_fail(err, code, "cannot add %s to the keyring %s: %s", path, keyring, reason);
}

/* A certificate to add, and the key it became. */
struct addition {
	const char *path;
	struct buffer der;
	int32_t key;
};

static int take_certificate(struct addition *addition, X509 *certificate, struct assay_error *err)
{
	struct bytes key_id;
	/* IMA and delegate certificates find a key by it, so no key goes in without. */
	int r = certificate_key_id(certificate, &key_id, err);

	return r < 0 ? assay_fail_context(err, "%s", addition->path) :
		       certificate_append_der(certificate, &addition->der, err);
}

static int read_certificate(struct addition *addition, struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	int r = certificate_load(addition->path, &certificate, err);

	return r < 0 ? r : take_certificate(addition, certificate, err);
}

static int find_or_make(const char *keyring, int32_t *ret, struct assay_error *err)
{
	int r = keyring_find(keyring, ret, err);

	if (r != -ENOKEY || strcmp(keyring, KEYRING_USER_IMA) != 0)
		return r;
	/* The kernel asks for it by name and finds it in root's user keyring. */
	*ret = add_key("keyring", keyring, NULL, 0, KEY_SPEC_USER_KEYRING);
	if (*ret < 0)
		return assay_fail(err, errno, "cannot make the keyring %s: %s", keyring,
				  strerror(errno));
	return 0;
}

static int add_all(const char *keyring, struct addition *additions, size_t count,
		   struct assay_error *err)
{
	int32_t ring = 0;
	int r = find_or_make(keyring, &ring, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		struct addition *addition = &additions[i];

		/* Without a description the kernel takes the certificate's subject and key id. */
		addition->key =
			add_key("asymmetric", "", addition->der.data, addition->der.size, ring);
		if (addition->key < 0)
			r = fail_add(addition->path, keyring, errno, err);
	}
	return r;
}

static void free_all(struct addition *additions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_free(&additions[i].der);
	free(additions);
}

int keyring_load(const char *keyring, const char *const *paths, size_t count, int32_t *keys,
		 struct assay_error *err)
{
	struct addition *additions = calloc(count, sizeof(*additions));
	int r = 0;

	if (!additions)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count && r == 0; i++) {
		additions[i].path = paths[i];
		r = read_certificate(&additions[i], err);
	}
	if (r == 0)
		r = add_all(keyring, additions, count, err);
	for (size_t i = 0; i < count; i++)
		keys[i] = additions[i].key;
	free_all(additions, count);
	return r;
}

int keyring_add(const char *keyring, X509 *const *certificates, size_t count, const char *what,
		struct assay_error *err)
{
	struct addition *additions = calloc(count, sizeof(*additions));
	int r = 0;

	if (!additions)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count && r == 0; i++) {
		additions[i].path = what;
		r = take_certificate(&additions[i], certificates[i], err);
	}
	if (r == 0)
		r = add_all(keyring, additions, count, err);
	free_all(additions, count);
	return r;
}

int keyring_require_signatures(struct assay_error *err)
{
	int fd = open(KEYRING_REQUIRE_SIGNATURES, O_WRONLY | O_CLOEXEC), code = errno;

	if (fd < 0 && code == ENOENT)
		return assay_fail(err, ENOENT,
				  "there is no " KEYRING_REQUIRE_SIGNATURES
				  ": the kernel needs CONFIG_FS_VERITY_BUILTIN_SIGNATURES");
	if (fd < 0)
		return assay_fail(err, code, "cannot open " KEYRING_REQUIRE_SIGNATURES ": %s%s",
				  strerror(code),
				  code == EACCES || code == EPERM ? "; run as root" : "");
	code = write(fd, "1", 1) == 1 ? 0 : errno;
	close(fd);
	return code == 0 ?
		       0 :
		       assay_fail(err, code, "cannot write to " KEYRING_REQUIRE_SIGNATURES ": %s",
				  strerror(code));
}

int keyring_lock(const char *keyring, bool *ret_already, struct assay_error *err)
{
	int32_t ring = 0;
	int r = keyring_find(keyring, &ring, err), code;

	if (r < 0)
		return r;
	*ret_already = false;
	if (keyctl_restrict_keyring(ring, NULL, NULL) == 0)
		return 0;
	code = errno;
	if (code == EEXIST) {
		*ret_already = true;
		return 0;
	}
	return assay_fail(err, code, "cannot lock the keyring %s: %s%s", keyring, strerror(code),
			  code == EACCES || code == EPERM ? "; run as root" : "");
}

/* '0' or '1'; 0 where the kernel has no such setting. */
char keyring_signatures_required(void)
{
	int fd = open(KEYRING_REQUIRE_SIGNATURES, O_RDONLY | O_CLOEXEC);
	char value = 0;

	if (fd < 0 || read(fd, &value, 1) != 1)
		value = 0;
	if (fd >= 0)
		close(fd);
	return value;
}
