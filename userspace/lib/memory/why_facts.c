// SPDX-License-Identifier: MIT
/* Reads the facts of a machine that tell why the module does not load: see why.h. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "memory/value.h"
#include "memory/why.h"
#include "memory/why_lines.h"

#define FILE_LIMIT (8u << 20) /* of modules.dep, lists of keys and the like */
#define EFI "/sys/firmware/efi"

/* Paths of one machine. */
struct place {
	const char *root;
};

__attribute__((format(printf, 3, 4))) static bool
path_of(const struct place *place, char path[PATH_MAX], const char *format, ...)
{
	char below[PATH_MAX];
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(below, sizeof(below), format, values);
	va_end(values);
	return length < PATH_MAX && snprintf(path, PATH_MAX, "%s%s", place->root, below) < PATH_MAX;
}

static bool is_there(const struct place *place, const char *below)
{
	char path[PATH_MAX];

	return path_of(place, path, "%s", below) && access(path, F_OK) == 0;
}

/* The whole of a file; 0 or -errno. buffer_free() it. */
static int read_file(const char *path, struct buffer *out)
{
	struct assay_error unused;

	return file_read_regular(path, FILE_LIMIT, out, &unused);
}

static int read_below(const struct place *place, const char *below, struct buffer *out)
{
	char path[PATH_MAX];

	return path_of(place, path, "%s", below) ? read_file(path, out) : -ENAMETOOLONG;
}

static bool has(const struct buffer *file, const char *text)
{
	const struct bytes bytes = buffer_bytes(file);

	return bytes.size > 0 && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

/* What a file of a directory is asked; false goes on to the next. */
typedef bool look(const struct place *place, const char *path, const char *name,
		  struct why_facts *facts);

/* Looks at the entries of a directory, sorted, until one is it. */
static bool any_of(const struct place *place, const char *directory, look *looks,
		   struct why_facts *facts)
{
	char path[PATH_MAX];
	struct dirent **entries;
	bool found = false;
	int count;

	if (!path_of(place, path, "%s", directory))
		return false;
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char file[PATH_MAX];

		if (!found && entries[i]->d_name[0] != '.' &&
		    path_of(place, file, "%s/%s", directory, entries[i]->d_name))
			found = looks(place, file, entries[i]->d_name, facts);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return found;
}

/* ---------------------------------------------------------------- the module's file */

/* The file of the module in what depmod(8) wrote of a kernel: "updates/dkms/assay.ko.xz: ..." */
static bool find_module(const struct place *place, const char *release, char below[PATH_MAX])
{
	struct buffer list = { 0 };
	struct bytes in, line;
	char path[PATH_MAX];
	bool found = false;

	if (path_of(place, path, "/lib/modules/%s/modules.dep", release) &&
	    read_file(path, &list) == 0) {
		in = buffer_bytes(&list);
		while (!found && why_take_line(&in, &line)) {
			const uint8_t *colon = line.size ? memchr(line.data, ':', line.size) : NULL;
			char name[WHY_NAME];

			if (!colon || (size_t)(colon - line.data) >= sizeof(name))
				continue;
			why_copy_text(BYTES(line.data, (size_t)(colon - line.data)), name,
				      sizeof(name));
			if (strncmp(name, "assay.ko", 8) != 0 && !strstr(name, "/assay.ko"))
				continue;
			found = snprintf(below, PATH_MAX, "/lib/modules/%s/%s", release, name) <
				PATH_MAX;
		}
	}
	buffer_free(&list);
	return found;
}

static bool other_kernel(const struct place *place, const char *path, const char *name,
			 struct why_facts *facts)
{
	char below[PATH_MAX];

	(void)path;
	if (strcmp(name, facts->release) == 0 || strlen(name) >= WHY_NAME ||
	    !find_module(place, name, below))
		return false;
	why_copy_text(BYTES((const uint8_t *)name, strlen(name)), facts->built_for, WHY_NAME);
	return true;
}

/* What the kernel looks for at the end of a module (include/linux/module_signature.h). */
#define SIGNATURE_MARK "~Module signature appended~\n"

static enum why_known is_signed(const char *path)
{
	char end[sizeof(SIGNATURE_MARK) - 1];
	enum why_known known = WHY_UNKNOWN;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return WHY_UNKNOWN;
	if (lseek(fd, -(off_t)sizeof(end), SEEK_END) < 0)
		known = errno == EINVAL ? WHY_NO : WHY_UNKNOWN; /* it is shorter */
	else if (read(fd, end, sizeof(end)) == (ssize_t)sizeof(end))
		known = memcmp(end, SIGNATURE_MARK, sizeof(end)) == 0 ? WHY_YES : WHY_NO;
	close(fd);
	return known;
}

static void read_module_file(const struct place *place, struct why_facts *facts)
{
	char below[PATH_MAX], path[PATH_MAX];

	facts->built = find_module(place, facts->release, below);
	if (!facts->built) {
		any_of(place, "/lib/modules", other_kernel, facts);
		return;
	}
	/* DKMS compresses modules where the distribution does. */
	if (strcmp(below + strlen(below) - 3, ".ko") == 0 && path_of(place, path, "%s", below))
		facts->signed_by_somebody = is_signed(path);
}

/* ---------------------------------------------------------------- DKMS and the kernel */

static bool dkms_version(const struct place *place, const char *path, const char *name,
			 struct why_facts *facts)
{
	char below[PATH_MAX];

	if (name[0] < '0' || name[0] > '9' || strlen(name) >= WHY_NAME)
		return false;
	why_copy_text(BYTES((const uint8_t *)name, strlen(name)), facts->source, WHY_NAME);
	facts->failed = snprintf(below, sizeof(below), "%s/build/make.log",
				 path + strlen(place->root)) < (int)sizeof(below) &&
			is_there(place, below);
	return true;
}

static void read_config(const struct place *place, struct why_facts *facts)
{
	static const char *const needed[] = { "CONFIG_FS_VERITY", "CONFIG_TCG_TPM",
					      "CONFIG_CONTIG_ALLOC", "CONFIG_MODULES" };
	struct buffer config = { 0 };
	char below[PATH_MAX], yes[64], module[64];

	if (snprintf(below, sizeof(below), "/boot/config-%s", facts->release) <
		    (int)sizeof(below) &&
	    read_below(place, below, &config) == 0)
		for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
			const size_t used = strlen(facts->lacks);

			snprintf(yes, sizeof(yes), "\n%s=y\n", needed[i]);
			snprintf(module, sizeof(module), "\n%s=m\n", needed[i]);
			if (!has(&config, yes) && !has(&config, module))
				snprintf(facts->lacks + used, WHY_NAME - used, "%s%s",
					 used ? " " : "", needed[i]);
		}
	buffer_free(&config);
}

static void read_enforcement(const struct place *place, struct why_facts *facts)
{
	struct buffer file = { 0 };

	if (read_below(place, "/sys/kernel/security/lockdown", &file) == 0 &&
	    (has(&file, "[integrity]") || has(&file, "[confidentiality]")))
		snprintf(facts->enforced, WHY_NAME, "lockdown");
	buffer_free(&file);
	file = (struct buffer){ 0 };
	if (!facts->enforced[0] &&
	    read_below(place, "/sys/module/module/parameters/sig_enforce", &file) == 0 &&
	    has(&file, "Y"))
		snprintf(facts->enforced, WHY_NAME, "module.sig_enforce");
	buffer_free(&file);
}

/* ---------------------------------------------------------------- Secure Boot and its keys */

/* The UEFI specification's and shim's names. A variable's file has four bytes of attributes first.
 */
#define SECURE_BOOT EFI "/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
static const char *const key_lists[] = {
	EFI "/mok-variables/MokListRT",
	EFI "/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
	EFI "/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f",
};

static enum why_known read_secure_boot(const struct place *place)
{
	struct buffer file = { 0 };
	enum why_known known = WHY_UNKNOWN;
	struct bytes bytes;

	if (!is_there(place, EFI))
		return WHY_NO;
	if (read_below(place, SECURE_BOOT, &file) == 0) {
		bytes = buffer_bytes(&file);
		if (bytes.size == 5)
			known = bytes.data[4] == 1 ? WHY_YES : WHY_NO;
	}
	buffer_free(&file);
	return known;
}

/* The certificate itself stands in a list (EFI_SIGNATURE_LIST, EFI_CERT_X509_GUID). */
static enum why_known read_enrolled(const struct place *place, struct bytes certificate)
{
	enum why_known known = WHY_NO;

	for (size_t i = 0; i < sizeof(key_lists) / sizeof(key_lists[0]) && known != WHY_YES; i++) {
		struct buffer list = { 0 };
		const int r = read_below(place, key_lists[i], &list);
		const struct bytes bytes = buffer_bytes(&list);

		if (r == 0 && bytes.size >= certificate.size &&
		    memmem(bytes.data, bytes.size, certificate.data, certificate.size))
			known = WHY_YES;
		else if (r < 0 && r != -ENOENT)
			known = WHY_UNKNOWN;
		buffer_free(&list);
	}
	return known;
}

static void read_keys(const struct place *place, struct why_facts *facts)
{
	struct buffer certificate = { 0 };
	const int r = read_below(place, "/var/lib/dkms/mok.pub", &certificate);

	facts->secure_boot = read_secure_boot(place);
	if (r == 0 && buffer_bytes(&certificate).size > 0) {
		facts->owner_key = WHY_YES;
		facts->enrolled = read_enrolled(place, buffer_bytes(&certificate));
	} else {
		facts->owner_key = r == -ENOENT || r == 0 ? WHY_NO : WHY_UNKNOWN;
	}
	buffer_free(&certificate);
}

/* ---------------------------------------------------------------- what the module needs */

static bool is_tpm(const struct place *place, const char *path, const char *name,
		   struct why_facts *facts)
{
	struct buffer version = { 0 };
	struct assay_error unused;
	char below[PATH_MAX];
	uint64_t major;

	if (strncmp(name, "tpm", 3) != 0 || name[3] < '0' || name[3] > '9')
		return false;
	facts->tpm = true;
	if (snprintf(below, sizeof(below), "%s/tpm_version_major", path + strlen(place->root)) <
		    (int)sizeof(below) &&
	    read_below(place, below, &version) == 0 &&
	    value_unsigned(value_text(buffer_bytes(&version)), &major, &unused) == 0 && major <= 2)
		facts->tpm_major = (unsigned int)major;
	buffer_free(&version);
	return true;
}

static bool is_node(const struct place *place, const char *path, const char *name,
		    struct why_facts *facts)
{
	struct buffer compatible = { 0 };
	char below[PATH_MAX];

	(void)name;
	facts->device_tree = snprintf(below, sizeof(below), "%s/compatible",
				      path + strlen(place->root)) < (int)sizeof(below) &&
			     read_below(place, below, &compatible) == 0 &&
			     has(&compatible, "assay,log");
	buffer_free(&compatible);
	return facts->device_tree;
}

/* modprobe.d(5): "options assay region=..." */
static bool has_region(const struct place *place, const char *path, const char *name,
		       struct why_facts *facts)
{
	struct buffer file = { 0 };
	struct bytes in, line;

	(void)place;
	(void)name;
	if (read_file(path, &file) == 0)
		for (in = buffer_bytes(&file); !facts->region && why_take_line(&in, &line);)
			facts->region = why_starts_with(line, "options assay ") &&
					why_contains(line, "region=");
	buffer_free(&file);
	return facts->region;
}

/* modules-load.d(5): a name a line */
static bool names_module(const struct place *place, const char *path, const char *name,
			 struct why_facts *facts)
{
	struct buffer file = { 0 };
	struct bytes in, line;

	(void)place;
	(void)name;
	if (read_file(path, &file) == 0)
		for (in = buffer_bytes(&file); !facts->asked && why_take_line(&in, &line);)
			facts->asked = bytes_equal(line, BYTES_LITERAL("assay"));
	buffer_free(&file);
	return facts->asked;
}

/* Where there is a rule the initramfs loads the module. */
static bool is_rule(const struct place *place, const char *path, const char *name,
		    struct why_facts *facts)
{
	const size_t length = strlen(name);

	(void)place;
	(void)path;
	facts->asked = length > 5 && strcmp(name + length - 5, ".conf") == 0;
	return facts->asked;
}

static void read_needs(const struct place *place, struct why_facts *facts)
{
	static const char *const options[] = { "/etc/modprobe.d", "/run/modprobe.d",
					       "/usr/lib/modprobe.d", "/lib/modprobe.d" };
	static const char *const loads[] = { "/etc/modules-load.d", "/run/modules-load.d",
					     "/usr/lib/modules-load.d" };
	struct buffer line = { 0 };
	char path[PATH_MAX];

	any_of(place, "/sys/class/tpm", is_tpm, facts);
	any_of(place, "/proc/device-tree", is_node, facts);
	if (read_below(place, "/proc/cmdline", &line) == 0)
		facts->region = has(&line, "assay.region=");
	buffer_free(&line);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && !facts->region; i++)
		any_of(place, options[i], has_region, facts);
	facts->asked = facts->device_tree;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]) && !facts->asked; i++)
		any_of(place, loads[i], names_module, facts);
	if (!facts->asked && path_of(place, path, "/etc/modules"))
		names_module(place, path, "modules", facts);
	if (!facts->asked)
		any_of(place, "/etc/assay/measure.d", is_rule, facts);
}

void why_read(const char *root, const char *machine, const char *release, struct why_facts *ret)
{
	const struct place place = { root };
	char below[PATH_MAX];

	*ret = (struct why_facts){ 0 };
	snprintf(ret->machine, WHY_NAME, "%s", machine);
	snprintf(ret->release, WHY_NAME, "%s", release);
	ret->device = is_there(&place, "/dev/assay");
	ret->loaded = is_there(&place, "/sys/module/assay");
	read_module_file(&place, ret);
	any_of(&place, "/var/lib/dkms/assay", dkms_version, ret);
	ret->headers = snprintf(below, sizeof(below), "/lib/modules/%s/build", release) <
			       (int)sizeof(below) &&
		       is_there(&place, below);
	read_config(&place, ret);
	read_enforcement(&place, ret);
	read_keys(&place, ret);
	read_needs(&place, ret);
}
