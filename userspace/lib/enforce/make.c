// SPDX-License-Identifier: MIT
#include "enforce/make.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "enforce/ima_policy.h"

/* Of a path that stands in a comment. */
#define PATH_SHOWN_MAX 512
#define LINE_MAX_BYTES 1024

static int look(void *context, const struct manifest_header *header,
		const struct manifest_entry *entry, struct assay_error *err)
{
	struct make_source *source = context;
	struct bytes path = BYTES((const uint8_t *)entry->path, strlen(entry->path));

	(void)header;
	(void)err;
	source->file_count++;
	if (entry->pkcs7.size == 0 && source->without_pkcs7++ == 0)
		text_escape(path, source->first_without_pkcs7, sizeof(source->first_without_pkcs7));
	if (entry->ima.size == 0 && source->without_ima++ == 0)
		text_escape(path, source->first_without_ima, sizeof(source->first_without_ima));
	return 0;
}

int make_source_read(struct bytes text, const char *name, struct make_source *ret,
		     struct assay_error *err)
{
	struct make_source source = { .text = text, .name = name };
	int r = manifest_read_bytes(text, name, look, &source, &source.header, err);

	if (r < 0)
		return r;
	if (source.file_count == 0)
		return assay_fail(err, ENOENT, "%s: there is no file in it, so nothing would run",
				  name);
	*ret = source;
	return 0;
}

static void __attribute__((format(printf, 2, 3)))
append_line(struct buffer *out, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (size < 0 || (size_t)size >= sizeof(line))
		out->failed = true;
	else
		buffer_append(out, line, (size_t)size);
	buffer_append_u8(out, '\n');
}

/* The header's own texts are 32 digits and a time (sign/manifest.h). */
static void append_origin(const struct make_source *source, struct buffer *out)
{
	append_line(out, "# made by assay from the manifest %s of %s, %zu files", source->header.id,
		    source->header.created, source->file_count);
}

static int fail_unsigned(const struct make_source *source, size_t count, const char *first,
			 const char *kind, const char *remedy, struct assay_error *err)
{
	return assay_fail(
		err, ENOKEY,
		"%s: %zu of %zu files have no %s, first %s: they would not run. Sign them "
		"%s",
		source->name, count, source->file_count, kind, first, remedy);
}

/* ---------------------------------------------------------------- IPE */

/**
 * struct digests - the rules of a manifest's digests
 * @wanted: which operations are enforced
 */
struct digests {
	const struct make_ipe *wanted;
	struct buffer *out;
};

static bool ends_in(const char *path, const char *end)
{
	size_t size = strlen(path), end_size = strlen(end);

	return size >= end_size && strcmp(path + size - end_size, end) == 0;
}

/* What the kernel will be asked to do with a file, by where it is. */
static enum ipe_operation operation_of(const char *path)
{
	if (ends_in(path, ".ko") || ends_in(path, ".ko.xz") || ends_in(path, ".ko.zst") ||
	    ends_in(path, ".ko.gz"))
		return IPE_KMODULE;
	if (strncmp(path, "/lib/firmware/", 14) == 0 ||
	    strncmp(path, "/usr/lib/firmware/", 18) == 0)
		return IPE_FIRMWARE;
	return IPE_EXECUTE;
}

static int append_digest(void *context, const struct manifest_header *header,
			 const struct manifest_entry *entry, struct assay_error *err)
{
	const struct digests *digests = context;
	enum ipe_operation operation = operation_of(entry->path);
	char shown[PATH_SHOWN_MAX], text[ASSAY_DIGEST_TEXT_MAX];

	(void)header;
	(void)err;
	if (!(digests->wanted->operations & 1U << operation))
		return 0;
	assay_digest_text(&entry->digest, text);
	text_escape(BYTES((const uint8_t *)entry->path, strlen(entry->path)), shown, sizeof(shown));
	append_line(digests->out, "# %s", shown);
	append_line(digests->out, "op=%s fsverity_digest=%s action=ALLOW",
		    ipe_operation_name(operation), text);
	return 0;
}

static void append_allow(const struct make_ipe *wanted, const char *property, struct buffer *out)
{
	for (unsigned int i = 0; i < IPE_OPERATIONS; i++)
		if (wanted->operations & 1U << i)
			append_line(out, "op=%s %s action=ALLOW",
				    ipe_operation_name((enum ipe_operation)i), property);
}

/* "sha256:HEX": what stands there is part of a rule. */
static int check_root_hashes(const struct make_ipe *wanted, struct assay_error *err)
{
	for (size_t i = 0; i < wanted->root_hash_count; i++) {
		const char *hash = wanted->root_hashes[i];
		size_t name = strspn(hash, "abcdefghijklmnopqrstuvwxyz0123456789-");
		const char *digits = hash[name] == ':' ? hash + name + 1 : "";
		size_t count = strspn(digits, "0123456789abcdefABCDEF");

		if (name == 0 || count == 0 || count % 2 != 0 || digits[count] != '\0' ||
		    count > 2 * (size_t)ASSAY_DIGEST_MAX)
			return assay_fail(err, EINVAL,
					  "a root hash of dm-verity is HASH:HEX, such as "
					  "sha256:0123..., as veritysetup prints it");
	}
	return 0;
}

static int append_ipe_rules(const struct make_source *source, const struct make_ipe *wanted,
			    struct buffer *out, struct assay_error *err)
{
	struct digests digests = { .wanted = wanted, .out = out };
	char property[LINE_MAX_BYTES / 2];

	append_line(out, "DEFAULT action=DENY");
	for (unsigned int i = 0; i < IPE_OPERATIONS; i++)
		if (!(wanted->operations & 1U << i))
			append_line(out, "DEFAULT op=%s action=ALLOW",
				    ipe_operation_name((enum ipe_operation)i));
	if (wanted->boot_verified)
		append_allow(wanted, "boot_verified=TRUE", out);
	if (wanted->dmverity_signature)
		append_allow(wanted, "dmverity_signature=TRUE", out);
	for (size_t i = 0; i < wanted->root_hash_count; i++) {
		snprintf(property, sizeof(property), "dmverity_roothash=%s",
			 wanted->root_hashes[i]);
		append_allow(wanted, property, out);
	}
	if (!wanted->by_digest) {
		append_allow(wanted, "fsverity_signature=TRUE", out);
		return 0;
	}
	return manifest_read_bytes(source->text, source->name, append_digest, &digests, NULL, err);
}

int make_ipe_policy(const struct make_source *source, const struct make_ipe *wanted,
		    struct buffer *out, struct assay_error *err)
{
	struct ipe_policy again = { 0 };
	char version[IPE_VERSION_TEXT];
	int r = ipe_check_name(wanted->name, err);

	if (r == 0)
		r = check_root_hashes(wanted, err);
	if (r < 0)
		return r;
	if (!wanted->by_digest && source->without_pkcs7 > 0)
		return fail_unsigned(source, source->without_pkcs7, source->first_without_pkcs7,
				     "built-in signature", "(assay sign), or take --by digest",
				     err);
	if (wanted->by_digest && source->file_count > MAKE_DIGESTS_MAX)
		return assay_fail(err, E2BIG,
				  "%s: it has %zu files, and the kernel compares one after the "
				  "other: at most %d by digest; take --by signature",
				  source->name, source->file_count, MAKE_DIGESTS_MAX);
	append_line(out, "policy_name=%s policy_version=%s", wanted->name,
		    ipe_version_text(&wanted->version, version));
	append_origin(source, out);
	r = append_ipe_rules(source, wanted, out, err);
	if (r == 0 && out->failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = ipe_policy_read(buffer_bytes(out), "the policy", &again, err);
	ipe_policy_free(&again);
	return r;
}

/* ---------------------------------------------------------------- IMA */

/*
 * Of what the kernel makes up itself nothing can be signed, and it is read and mapped all the
 * time. Where a program can be put (tmpfs, ramfs) there is no exception.
 */
static const struct {
	const char *magic, *what;
} made_up[] = {
	{ "0x9fa0", "procfs" },		 { "0x62656572", "sysfs" },
	{ "0x64626720", "debugfs" },	 { "0x74726163", "tracefs" },
	{ "0x73636673", "securityfs" },	 { "0x1cd1", "devpts" },
	{ "0x42494e4d", "binfmt_misc" }, { "0x27e0eb", "cgroup" },
	{ "0x63677270", "cgroup2" },	 { "0x6e736673", "nsfs" },
	{ "0xde5e81e4", "efivarfs" },	 { "0xcafe4a11", "bpf" },
};

int make_ima_policy(const struct make_source *source, const struct make_ima *wanted,
		    struct buffer *out, struct assay_error *err)
{
	static const char *const hooks[] = { "BPRM_CHECK", "MMAP_CHECK mask=MAY_EXEC",
					     "FIRMWARE_CHECK" };
	size_t count = wanted->firmware ? 3 : 2;
	char where[64] = "";

	if (source->without_ima > 0)
		return fail_unsigned(source, source->without_ima, source->first_without_ima,
				     "IMA signature", "with assay sign --signatures both", err);
	if (wanted->filesystem)
		snprintf(where, sizeof(where), " fsuuid=%s", wanted->filesystem);
	append_origin(source, out);
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]) && !wanted->filesystem; i++) {
		append_line(out, "# %s", made_up[i].what);
		append_line(out, "dont_appraise fsmagic=%s", made_up[i].magic);
	}
	for (size_t i = 0; i < count; i++) {
		append_line(out, "appraise func=%s%s digest_type=verity appraise_type=sigv3",
			    hooks[i], where);
		if (wanted->measure)
			append_line(out, "measure func=%s%s digest_type=verity template=ima-sigv2",
				    hooks[i], where);
	}
	if (out->failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return ima_policy_read(buffer_bytes(out), "the policy", NULL, NULL, err);
}
