/* SPDX-License-Identifier: MIT */
/*
 * Why the module does not keep a log on this machine: facts that are read from it, and what
 * follows from them. For `assay status --why`.
 */
#ifndef ASSAY_MEMORY_WHY_H
#define ASSAY_MEMORY_WHY_H

#include <jansson.h>

#include "base/bytes.h"

#define WHY_NAME 128	/* bytes of a release or a version, with its NUL */
#define WHY_MESSAGES 4	/* of the kernel's messages, the last so many are kept */
#define WHY_MESSAGE 256 /* bytes of one, with its NUL; what is longer is cut */

/* Where it is not known: what says so cannot be read by who asks, or is not there. */
enum why_known { WHY_UNKNOWN, WHY_NO, WHY_YES };

/**
 * struct why_facts - of the machine
 * @machine: as uname(2) has it
 * @release: of the kernel that runs
 * @device: there is /dev/assay
 * @loaded: the module is loaded
 * @built: there is an assay.ko for this kernel, as depmod(8) has noted
 * @built_for: another kernel that there is one for; empty if there is none
 * @source: version of the module's source that DKMS has; empty without
 * @failed: DKMS has a log of a build that came to nothing
 * @headers: those of this kernel are installed
 * @signed_by_somebody: the module has a signature; not known of a compressed one
 * @lacks: options that this kernel's configuration says no to, with blanks between; empty
 * @enforced: the kernel refuses a module that no key it knows has signed, and why: "lockdown",
 *            "module.sig_enforce"; empty
 * @secure_boot: the firmware verifies what it starts
 * @owner_key: DKMS has a key of this machine to sign with
 * @enrolled: it is among the keys of the machine's owner (MOK), or the firmware's
 * @tpm: there is one
 * @tpm_major: its version: 1 or 2; 0 where that is not known
 * @device_tree: it has a node for the log
 * @region: modprobe's configuration or the kernel's command line has region= for the module
 * @asked: something has the module loaded at the boot
 * @messages: what the kernel said last of the module, errors alone, oldest first
 */
struct why_facts {
	char machine[WHY_NAME];
	char release[WHY_NAME];
	bool device, loaded, built;
	char built_for[WHY_NAME];
	char source[WHY_NAME];
	bool failed, headers;
	enum why_known signed_by_somebody;
	char lacks[WHY_NAME];
	char enforced[WHY_NAME];
	enum why_known secure_boot, owner_key, enrolled;
	bool tpm;
	unsigned int tpm_major;
	bool device_tree, region, asked;
	size_t message_count;
	char messages[WHY_MESSAGES][WHY_MESSAGE];
};

/*
 * why_read() - the facts of the machine
 * @root: "" for this one; a directory before all paths for tests
 * @machine, @release: as uname(2) has them
 *
 * What cannot be read is not known, and no error.
 */
void why_read(const char *root, const char *machine, const char *release, struct why_facts *ret);

/*
 * why_read_messages() - the errors that the kernel's log has of the module
 * @path: /dev/kmsg, or a file with its lines for tests
 */
void why_read_messages(const char *path, struct why_facts *facts);

/* why_take_messages() - the same of lines that were read from there, "3,456,7890,-;assay: text" */
void why_take_messages(struct bytes log, struct why_facts *facts);

/*
 * why_judge() - what keeps the module from its work, the first to be mended first
 *
 * Return: an array of {"reason_id", "text", "advice"}, empty where nothing does; json_decref()
 * it; NULL without memory
 */
json_t *why_judge(const struct why_facts *facts);

#endif /* ASSAY_MEMORY_WHY_H */
