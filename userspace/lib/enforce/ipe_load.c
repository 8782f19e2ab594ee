// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "enforce/ipe_load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/pkcs7.h"

int ipe_open_signed(struct bytes der, const char *what, struct buffer *text, struct ipe_policy *ret,
		    struct assay_error *err)
{
	int r = pkcs7_content_inside(der, text, err);

	if (r == -EBADMSG)
		return assay_fail(err, EBADMSG,
				  "%s: it is no signed policy (PKCS#7 in DER, assay policy sign): "
				  "the kernel takes no other",
				  what);
	if (r < 0)
		return assay_fail_context(err, "%s", what);
	return ipe_policy_read(buffer_bytes(text), what, ret, err);
}

/* In one write: what the kernel gets in one is one policy. */
static int write_whole(const char *path, struct bytes bytes)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), code;
	ssize_t wrote;

	if (fd < 0)
		return -errno;
	wrote = write(fd, bytes.data, bytes.size);
	code = wrote < 0 ? errno : (size_t)wrote < bytes.size ? EIO : 0;
	close(fd);
	return -code;
}

static int fail_policy(const char *what, int code, const struct ipe_policy *policy,
		       struct assay_error *err)
{
	char version[IPE_VERSION_TEXT];

	switch (code) {
	case ENOKEY:
		return assay_fail(
			err, code,
			"%s: the kernel has no certificate of its signer. It looks among those "
			"built "
			"into it, machine owner keys (mokutil --import, then the next boot; "
			".machine) and the firmware's db (.platform): enroll the signer's there",
			what);
	case EKEYREJECTED:
		return assay_fail(err, code,
				  "%s: the kernel refuses its signature: it is of another text, or "
				  "the key may not sign",
				  what);
	case EBADMSG:
	case EINVAL:
	case ERANGE:
		return assay_fail(err, code,
				  "%s: the kernel cannot read it (%s): a newer word than it knows, "
				  "or a policy of another name",
				  what, strerror(code));
	case ESTALE:
		return assay_fail(err, code,
				  "%s: the kernel has a policy %s of this version (%s) or a newer "
				  "one, and never goes back: sign it with a higher version",
				  what, policy->name, ipe_version_text(&policy->version, version));
	case EPERM:
	case EACCES:
		return assay_fail(err, code, "%s: not permitted: run as root (CAP_MAC_ADMIN)",
				  what);
	case ENOPKG:
		return assay_fail(err, code,
				  "%s: the kernel has no driver for the signature's algorithm",
				  what);
	default:
		return assay_fail(err, code, "%s: the kernel refuses it: %s", what, strerror(code));
	}
}

/* struct place - files of a policy in securityfs */
struct place {
	char root[PATH_MAX / 2];
	char policy[PATH_MAX - IPE_NAME_MAX];
};

static int find_place(const struct ipe_load *load, const struct ipe_policy *policy,
		      struct place *ret, struct assay_error *err)
{
	if (strlen(load->securityfs) > sizeof(ret->root) - 32)
		return assay_fail(err, ENAMETOOLONG, "%s: too long a path", load->securityfs);
	snprintf(ret->root, sizeof(ret->root), "%s/ipe", load->securityfs);
	snprintf(ret->policy, sizeof(ret->policy), "%s/policies/%s", ret->root, policy->name);
	if (access(ret->root, F_OK) == 0)
		return 0;
	return assay_fail(err, ENOENT,
			  "there is no %s: the kernel has no IPE (CONFIG_SECURITY_IPE, from 6.12 "
			  "on), does not start it (\"ipe\" in lsm=), or securityfs is not mounted",
			  ret->root);
}

/* A file below; @name has no more than 16 bytes. */
static char *below(const char *directory, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%.16s", directory, name);
	return path;
}

/* Signed by the same key, too: else the kernel is to look who signed it. */
static bool is_same(const struct place *place, struct bytes der)
{
	CLEANUP(buffer_free) struct buffer present = { 0 };
	struct assay_error unused;
	char path[PATH_MAX];

	return file_read(below(place->policy, "pkcs7", path), IPE_SIGNED_MAX, &present, &unused) ==
		       0 &&
	       bytes_equal(buffer_bytes(&present), der);
}

static bool is_active(const struct place *place)
{
	CLEANUP(buffer_free) struct buffer active = { 0 };
	struct assay_error unused;
	char path[PATH_MAX];

	return file_read(below(place->policy, "active", path), 16, &active, &unused) == 0 &&
	       active.size > 0 && active.data[0] == '1';
}

static int give(const struct place *place, struct bytes der, const char *what,
		const struct ipe_policy *policy, struct ipe_loaded *loaded, struct assay_error *err)
{
	char path[PATH_MAX];
	int r;

	loaded->updated = access(place->policy, F_OK) == 0;
	if (loaded->updated && is_same(place, der)) {
		loaded->updated = false;
		loaded->already = true;
		return 0;
	}
	r = write_whole(loaded->updated ? below(place->policy, "update", path) :
					  below(place->root, "new_policy", path),
			der);
	return r < 0 ? fail_policy(what, -r, policy, err) : 0;
}

static int set_mode(const struct place *place, enum ipe_mode mode, struct assay_error *err)
{
	char path[PATH_MAX];
	int r;

	if (mode == IPE_MODE_KEEP)
		return 0;
	r = write_whole(below(place->root, "enforce", path),
			mode == IPE_MODE_ENFORCE ? BYTES_LITERAL("1") : BYTES_LITERAL("0"));
	return r < 0 ? assay_fail(err, -r, "cannot write to %s: %s", path, strerror(-r)) : 0;
}

static int activate(const struct place *place, const char *what, struct assay_error *err)
{
	char path[PATH_MAX];
	int r = write_whole(below(place->policy, "active", path), BYTES_LITERAL("1"));

	if (r == -EINVAL)
		return assay_fail(
			err, EINVAL,
			"%s: it is loaded, but a policy of a higher version is active, and "
			"the kernel never goes back: sign it with a higher version",
			what);
	return r < 0 ? assay_fail(err, -r, "cannot write to %s: %s", path, strerror(-r)) : 0;
}

int ipe_load(struct bytes der, const char *what, const struct ipe_load *load,
	     struct ipe_loaded *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(ipe_policy_free) struct ipe_policy policy = { 0 };
	struct ipe_loaded loaded = { 0 };
	struct place place;
	int r = ipe_open_signed(der, what, &text, &policy, err);

	if (r == 0)
		r = find_place(load, &policy, &place, err);
	if (r == 0)
		r = give(&place, der, what, &policy, &loaded, err);
	if (r == 0)
		r = set_mode(&place, load->mode, err);
	if (r == 0 && load->activate)
		r = activate(&place, what, err);
	if (r < 0)
		return r;
	memcpy(loaded.name, policy.name, sizeof(loaded.name));
	loaded.version = policy.version;
	loaded.active = is_active(&place);
	*ret = loaded;
	return 0;
}
