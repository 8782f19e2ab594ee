// SPDX-License-Identifier: MIT
/* What follows from the facts of a machine for the module: see why.h. */
#include "memory/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT 768

struct reasons {
	json_t *array;
	bool failed;
};

__attribute__((format(printf, 4, 5))) static void add(struct reasons *reasons, const char *id,
						      const char *advice, const char *format, ...)
{
	char text[TEXT];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	if (json_array_append_new(reasons->array, json_pack("{s:s, s:s, s:s}", "reason_id", id,
							    "text", text, "advice", advice)) < 0)
		reasons->failed = true;
}

/* What kernels' releases begin with that are too old: all before 6.1. */
static bool too_old(const char *release)
{
	return release[0] >= '0' && release[0] <= '5' ?
		       release[1] == '.' :
		       strncmp(release, "6.0", 3) == 0 &&
			       (release[3] == '.' || release[3] == '-' || release[3] == '\0');
}

/* The kernel is one that the module can be built for; false ends the search. */
static bool judge_kernel(const struct why_facts *facts, struct reasons *reasons)
{
	if (strcmp(facts->machine, "aarch64") != 0 && strcmp(facts->machine, "x86_64") != 0) {
		add(reasons, "architecture",
		    "use a machine of one of these, or assay without the module",
		    "the module is for arm64 and x86-64; this machine is %s", facts->machine);
		return false;
	}
	if (too_old(facts->release)) {
		add(reasons, "kernel-old", "boot a newer kernel",
		    "the module needs a kernel 6.1 or newer; this one is %s", facts->release);
		return false;
	}
	if (facts->lacks[0]) {
		add(reasons, "kernel-lacks", "boot a kernel that has them, as Debian's own have",
		    "the kernel %s is built without what the module needs: %s", facts->release,
		    facts->lacks);
		return false;
	}
	return true;
}

/* There is a module for the kernel; false ends the search, for the rest is not known then. */
static bool judge_built(const struct why_facts *facts, struct reasons *reasons)
{
	if (facts->built)
		return true;
	if (!facts->source[0] && !facts->built_for[0])
		add(reasons, "not-installed",
		    "install assay-dkms and the kernel's headers; or build kmod/, put assay.ko "
		    "below "
		    "/lib/modules/$(uname -r)/updates and run depmod",
		    "there is no assay.ko for the kernel %s, and DKMS has no source of it",
		    facts->release);
	else if (facts->source[0] && !facts->headers)
		add(reasons, "no-headers",
		    "install the headers of this kernel (apt install linux-headers-$(uname -r)), "
		    "then "
		    "run dkms autoinstall",
		    "DKMS has the source of assay %s, but the headers of the kernel %s are not "
		    "installed",
		    facts->source, facts->release);
	else if (facts->source[0] && facts->failed)
		add(reasons, "build-failed", "read the log that it names, and report it",
		    "DKMS could not build assay %s for the kernel %s: "
		    "/var/lib/dkms/assay/%s/build/make.log says why",
		    facts->source, facts->release, facts->source);
	else if (facts->source[0])
		add(reasons, "not-built", "run dkms autoinstall as root, and read what it says",
		    "DKMS has the source of assay %s, but has not built it for the kernel %s",
		    facts->source, facts->release);
	else
		add(reasons, "other-kernel", "build it for this kernel, or boot that one",
		    "there is an assay.ko for the kernel %s, but none for %s, which runs",
		    facts->built_for, facts->release);
	return false;
}

/* The kernel takes the module's signature, or asks for none. */
static void judge_signature(const struct why_facts *facts, struct reasons *reasons)
{
	if (!facts->enforced[0])
		return;
	if (facts->signed_by_somebody == WHY_NO) {
		add(reasons, "unsigned",
		    "have DKMS sign it (its key is /var/lib/dkms/mok.key), or sign it with a key "
		    "that "
		    "the kernel knows",
		    "assay.ko has no signature, and the kernel refuses such modules (%s)",
		    facts->enforced);
		return;
	}
	if (facts->owner_key == WHY_YES && facts->enrolled == WHY_NO)
		add(reasons, "key-not-enrolled",
		    "run mokutil --import /var/lib/dkms/mok.pub, reboot, and confirm it in the "
		    "blue "
		    "menu before the system starts",
		    "the kernel takes only modules that a key it knows has signed (%s%s), and the "
		    "key "
		    "that DKMS signs with is not enrolled",
		    facts->enforced, facts->secure_boot == WHY_YES ? ", Secure Boot is on" : "");
}

/* The module, once it is loaded, finds what it needs. */
static void judge_needs(const struct why_facts *facts, struct reasons *reasons)
{
	if (!facts->device_tree && !facts->region)
		add(reasons, "no-region",
		    "write 'options assay region=auto' into /etc/modprobe.d/assay.conf, or give "
		    "the "
		    "device tree a node compatible \"assay,log\"",
		    "nobody says which memory the log is kept in");
	if (!facts->tpm)
		add(reasons, "no-tpm",
		    "load the driver of the TPM (such as tpm_tis or tpm_crb), or turn it on in the "
		    "firmware",
		    "the kernel has no TPM: the log would start, but not be anchored");
	else if (facts->tpm_major == 1)
		add(reasons, "tpm-1.2", "switch it to 2.0 in the firmware, where that is possible",
		    "the TPM is a TPM 1.2; the log needs a TPM 2.0");
}

json_t *why_judge(const struct why_facts *facts)
{
	struct reasons reasons = { .array = json_array() };

	if (!reasons.array)
		return NULL;
	if (facts->device && facts->loaded) {
		if (!facts->tpm || facts->tpm_major == 1)
			judge_needs(facts, &reasons);
	} else if (judge_kernel(facts, &reasons) && judge_built(facts, &reasons)) {
		judge_signature(facts, &reasons);
		judge_needs(facts, &reasons);
		for (size_t i = 0; i < facts->message_count; i++)
			add(&reasons, "kernel-message",
			    "see what it asks for; dmesg has what was said before",
			    "the kernel said: %s", facts->messages[i]);
		if (json_array_size(reasons.array) == 0 && !facts->asked && !facts->loaded)
			add(&reasons, "not-asked",
			    "write 'assay' into /etc/modules-load.d/assay.conf, and run modprobe "
			    "assay",
			    "nothing has the module loaded");
		if (json_array_size(reasons.array) == 0)
			add(&reasons, "not-tried", "run modprobe assay as root, and ask again",
			    "nothing that can be seen from here keeps the module from being "
			    "loaded");
	}
	if (reasons.failed) {
		json_decref(reasons.array);
		return NULL;
	}
	return reasons.array;
}
