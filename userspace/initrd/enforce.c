// SPDX-License-Identifier: MIT
#include "enforce.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "enforce/keyring.h"
#include "measure/trusted.h"

static int read_certificates(const struct initrd_enforce *enforce, struct trusted *ret,
			     struct assay_error *err)
{
	int r = trusted_load(enforce->certificates, ret, err);

	if (r == 0 && ret->count == 0)
		r = assay_fail(err, ENOENT,
			       "%s has no certificate: with a keyring that is locked and empty no "
			       "signature of a file counts",
			       enforce->certificates);
	return r;
}

static int read_policy(const struct initrd_enforce *enforce, struct buffer *ret,
		       struct assay_error *err)
{
	return file_read_regular(enforce->ipe_policy, IPE_SIGNED_MAX, ret, err);
}

int enforce_check(const struct initrd_enforce *enforce, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer der = { 0 };
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(ipe_policy_free) struct ipe_policy policy = { 0 };
	struct trusted trusted = { 0 };
	int r = enforce->certificates[0] ? read_certificates(enforce, &trusted, err) : 0;

	trusted_free(&trusted);
	if (r < 0 || !enforce->ipe_policy[0])
		return r;
	r = read_policy(enforce, &der, err);
	return r < 0 ? r :
		       ipe_open_signed(buffer_bytes(&der), enforce->ipe_policy, &text, &policy,
				       err);
}

static void __attribute__((format(printf, 2, 3)))
tell(char sentence[ENFORCE_SENTENCE_MAX], const char *format, ...)
{
	size_t used = strlen(sentence);
	va_list args;

	va_start(args, format);
	vsnprintf(sentence + used, ENFORCE_SENTENCE_MAX - used, format, args);
	va_end(args);
}

static int start_keyring(const struct initrd_enforce *enforce, char *sentence,
			 struct assay_error *err)
{
	struct trusted trusted = { 0 };
	bool already;
	int r = read_certificates(enforce, &trusted, err);

	if (r == 0)
		r = keyring_add(KEYRING_FS_VERITY, trusted.certificates, trusted.count,
				enforce->certificates, err);
	if (r == 0)
		r = keyring_lock(KEYRING_FS_VERITY, &already, err);
	if (r == 0)
		tell(sentence, "%zu certificate%s in " KEYRING_FS_VERITY ", which is locked",
		     trusted.count, trusted.count == 1 ? "" : "s");
	trusted_free(&trusted);
	return r;
}

static int start_ipe(const struct initrd_enforce *enforce, char *sentence, struct assay_error *err)
{
	const struct ipe_load load = { .securityfs = IPE_SECURITYFS,
				       .mode = enforce->ipe_mode,
				       .activate = true };
	CLEANUP(buffer_free) struct buffer der = { 0 };
	char version[IPE_VERSION_TEXT];
	struct ipe_loaded loaded;
	int r = read_policy(enforce, &der, err);

	if (r < 0)
		return r;
	/* Not every initramfs has it; that it could not be mounted is told by what is missing. */
	if (access(IPE_SECURITYFS "/lsm", F_OK) < 0)
		(void)mount("securityfs", IPE_SECURITYFS, "securityfs",
			    MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	r = ipe_load(buffer_bytes(&der), enforce->ipe_policy, &load, &loaded, err);
	if (r == 0)
		tell(sentence, "%sIPE's policy %s %s is active, %s", sentence[0] ? "; " : "",
		     loaded.name, ipe_version_text(&loaded.version, version),
		     enforce->ipe_mode == IPE_MODE_ENFORCE ? "and enforced" :
							     "and only told of (permissive)");
	return r;
}

int enforce_start(const struct initrd_enforce *enforce, char sentence[ENFORCE_SENTENCE_MAX],
		  struct assay_error *err)
{
	int r = 0;

	sentence[0] = '\0';
	if (enforce->certificates[0])
		r = start_keyring(enforce, sentence, err);
	if (r == 0 && enforce->require_signatures)
		r = keyring_require_signatures(err);
	if (r == 0 && enforce->require_signatures)
		tell(sentence, "%sfiles with fs-verity need a signature", sentence[0] ? "; " : "");
	if (r == 0 && enforce->ipe_policy[0])
		r = start_ipe(enforce, sentence, err);
	return r;
}
