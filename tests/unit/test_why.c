// SPDX-License-Identifier: MIT
/* lib/memory/why: the facts are read from machines made here, and each tells what follows. */
#define _GNU_SOURCE
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "memory/why.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define RELEASE "6.12.0-1-amd64"
#define MODULES "machine/lib/modules/" RELEASE

/* Parts of machines, made by a shell in machine/. */
#define BUILT                                                                                \
	"mkdir -p " MODULES "/updates/dkms; printf code >" MODULES "/updates/dkms/assay.ko;" \
	"echo 'kernel/a.ko: kernel/b.ko\nupdates/dkms/assay.ko:' >" MODULES "/modules.dep;"
#define SIGNED \
	BUILT "echo 'signature~Module signature appended~' >>" MODULES "/updates/dkms/assay.ko;"
#define COMPRESSED                                                                     \
	"mkdir -p " MODULES "; echo 'updates/dkms/assay.ko.xz: kernel/b.ko' >" MODULES \
	"/modules.dep;"
#define HEADERS "mkdir -p " MODULES "/build;"
#define DKMS "mkdir -p machine/var/lib/dkms/assay/0.1.0/source;"
#define TPM(major)                                         \
	"mkdir -p machine/sys/class/tpm/tpm0; echo " major \
	" >machine/sys/class/tpm/tpm0/tpm_version_major;"
#define REGION                                                               \
	"mkdir -p machine/etc/modprobe.d; echo 'options assay region=auto' " \
	">machine/etc/modprobe.d/assay.conf;"
#define ASKED                                              \
	"mkdir -p machine/etc/modules-load.d; echo assay " \
	">machine/etc/modules-load.d/assay.conf;"
#define NODE                                                              \
	"mkdir -p machine/proc/device-tree/assay; printf 'assay,log\\0' " \
	">machine/proc/device-tree/assay/compatible;"
#define LOCKDOWN                                                                         \
	"mkdir -p machine/sys/kernel/security; echo 'none [integrity] confidentiality' " \
	">machine/sys/kernel/security/lockdown;"
#define NO_LOCKDOWN                                                                      \
	"mkdir -p machine/sys/kernel/security; echo '[none] integrity confidentiality' " \
	">machine/sys/kernel/security/lockdown;"
#define SIG_ENFORCE                                              \
	"mkdir -p machine/sys/module/module/parameters; echo Y " \
	">machine/sys/module/module/parameters/sig_enforce;"
#define SECURE_BOOT                                                                         \
	"mkdir -p machine/sys/firmware/efi/efivars; printf '\\6\\0\\0\\0\\1' >machine/sys/" \
	"firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c;"
#define OWNER_KEY \
	"mkdir -p machine/var/lib/dkms; printf 'the certificate' >machine/var/lib/dkms/mok.pub;"
#define ENROLLED                                                                            \
	"mkdir -p machine/sys/firmware/efi/mok-variables; printf 'list: the certificate.' " \
	">machine/sys/firmware/efi/mok-variables/MokListRT;"
#define ANOTHER_ENROLLED                                                                   \
	"mkdir -p machine/sys/firmware/efi/mok-variables; printf 'list: the certificat.' " \
	">machine/sys/firmware/efi/mok-variables/MokListRT;"
#define DB_ENROLLED                                                                             \
	"mkdir -p machine/sys/firmware/efi/efivars; printf '....the certificate' >machine/sys/" \
	"firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f;"
#define CONFIG(verity)                                                       \
	"mkdir -p machine/boot; printf '# made\\nCONFIG_MODULES=y\\n" verity \
	"CONFIG_CONTIG_ALLOC=y\\nCONFIG_TCG_TPM=m\\n' >machine/boot/config-" RELEASE ";"
#define LOADED "mkdir -p machine/dev machine/sys/module/assay; : >machine/dev/assay;"

static const struct {
	const char *title, *machine, *release, *made;
	const char *reasons; /* their names, each with a blank behind it */
} rows[] = {
	{ "all is well", "x86_64", RELEASE, LOADED TPM("2"), "" },
	{ "loaded without a TPM", "x86_64", RELEASE, LOADED REGION, "no-tpm " },
	{ "loaded with an old TPM", "x86_64", RELEASE, LOADED REGION TPM("1"), "tpm-1.2 " },
	{ "another architecture", "riscv64", RELEASE, BUILT, "architecture " },
	{ "an old kernel", "aarch64", "5.10.0-1", "", "kernel-old " },
	{ "hardly too old", "aarch64", "6.0.12", "", "kernel-old " },
	{ "not too old", "aarch64", "6.1.0", "", "not-installed " },
	{ "not too old either", "aarch64", "10.0.1", "", "not-installed " },
	{ "a kernel without fs-verity", "aarch64", RELEASE,
	  CONFIG("# CONFIG_FS_VERITY is not set\\n"), "kernel-lacks " },
	{ "one with another option", "aarch64", RELEASE, CONFIG("CONFIG_FS_VERITY_X=y\\n"),
	  "kernel-lacks " },
	{ "one that has all", "aarch64", RELEASE, CONFIG("CONFIG_FS_VERITY=y\\n"),
	  "not-installed " },
	{ "nothing installed", "x86_64", RELEASE, HEADERS, "not-installed " },
	{ "no headers", "x86_64", RELEASE, DKMS, "no-headers " },
	{ "not built", "x86_64", RELEASE, DKMS HEADERS, "not-built " },
	{ "the build failed", "x86_64", RELEASE,
	  DKMS HEADERS "mkdir machine/var/lib/dkms/assay/0.1.0/build;"
		       ": >machine/var/lib/dkms/assay/0.1.0/build/make.log;",
	  "build-failed " },
	{ "for another kernel", "x86_64", RELEASE,
	  "mkdir -p machine/lib/modules/6.1.0; echo 'extra/assay.ko.zst:' "
	  ">machine/lib/modules/6.1.0/modules.dep;",
	  "other-kernel " },
	{ "another module's name", "x86_64", RELEASE,
	  "mkdir -p " MODULES "; echo 'extra/notassay.ko:' >" MODULES "/modules.dep;",
	  "not-installed " },
	{ "no region, no TPM", "x86_64", RELEASE, BUILT, "no-region no-tpm " },
	{ "no region", "x86_64", RELEASE, COMPRESSED TPM("2"), "no-region " },
	{ "other options of it", "x86_64", RELEASE,
	  BUILT TPM("2") "mkdir -p machine/etc/modprobe.d; echo 'options assay pcr=8' "
			 ">machine/etc/modprobe.d/a.conf;",
	  "no-region " },
	{ "a region on the command line", "x86_64", RELEASE,
	  BUILT TPM("2") ASKED "mkdir -p machine/proc; echo 'quiet assay.region=auto' "
			       ">machine/proc/cmdline;",
	  "not-tried " },
	{ "nobody asks for it", "x86_64", RELEASE, BUILT TPM("2") REGION, "not-asked " },
	{ "the device tree does", "aarch64", RELEASE, BUILT TPM("2") NODE, "not-tried " },
	{ "an old TPM", "x86_64", RELEASE, BUILT TPM("1") REGION ASKED, "tpm-1.2 " },
	{ "no signature, and none asked for", "x86_64", RELEASE,
	  BUILT TPM("2") REGION ASKED NO_LOCKDOWN, "not-tried " },
	{ "no signature, and lockdown", "x86_64", RELEASE, BUILT TPM("2") REGION LOCKDOWN,
	  "unsigned " },
	{ "no signature, and sig_enforce", "x86_64", RELEASE, BUILT TPM("2") REGION SIG_ENFORCE,
	  "unsigned " },
	{ "a key that is not enrolled", "x86_64", RELEASE,
	  SIGNED TPM("2") REGION LOCKDOWN SECURE_BOOT OWNER_KEY, "key-not-enrolled " },
	{ "another one is", "x86_64", RELEASE,
	  SIGNED TPM("2") REGION LOCKDOWN SECURE_BOOT OWNER_KEY ANOTHER_ENROLLED,
	  "key-not-enrolled " },
	{ "of a compressed module", "x86_64", RELEASE,
	  COMPRESSED TPM("2") REGION LOCKDOWN SECURE_BOOT OWNER_KEY, "key-not-enrolled " },
	{ "it is enrolled", "x86_64", RELEASE,
	  SIGNED TPM("2") REGION ASKED LOCKDOWN SECURE_BOOT OWNER_KEY ENROLLED, "not-tried " },
	{ "in the firmware's list", "x86_64", RELEASE,
	  SIGNED TPM("2") REGION ASKED LOCKDOWN SECURE_BOOT OWNER_KEY DB_ENROLLED, "not-tried " },
	{ "the key is somebody else's", "x86_64", RELEASE, SIGNED TPM("2") REGION ASKED LOCKDOWN,
	  "not-tried " },
};

static void facts_tell(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char reasons[256] = "";
		size_t size = 0;
		struct why_facts facts;
		json_t *array, *reason;
		size_t index;

		assert_int_equal(support_run("rm -rf machine; mkdir machine; %s", rows[i].made), 0);
		why_read("machine", rows[i].machine, rows[i].release, &facts);
		array = why_judge(&facts);
		assert_non_null(array);
		json_array_foreach(array, index, reason) {
			size += (size_t)snprintf(
				reasons + size, sizeof(reasons) - size, "%s ",
				json_string_value(json_object_get(reason, "reason_id")));
			assert_true(size < sizeof(reasons));
			assert_true(json_string_length(json_object_get(reason, "text")) > 10);
			assert_true(json_string_length(json_object_get(reason, "advice")) > 10);
		}
		json_decref(array);
		if (strcmp(reasons, rows[i].reasons) != 0)
			fail_msg("%s: %s rather than %s", rows[i].title, reasons, rows[i].reasons);
	}
}

/* Of the kernel's log: errors of the module, and what lockdown refused; the last of them. */
static void messages_are_kept(void **state)
{
	static const char log[] =
		"3,1,1,-;assay: the first\n"
		"6,2,2,-;assay: no error\n"
		"3,3,3,-;other: an error\n"
		"11,4,4,-;assay: of a program\n"
		"5,5,5,-;Lockdown: modprobe: unsigned module loading is restricted; see man\n"
		"5,5,5,-;Lockdown: x: /dev/mem,kmem,port is restricted\n"
		"3,6,6,-;assay assay.0: region \x01\xff is refused\n"
		" SUBSYSTEM=platform\n"
		"3,7,7,-;assaying: of another\n"
		"x;3,assay: no record\n"
		"\n"
		"2,8,8,-;assay assay: the fourth\n"
		"0,9,9,-;assay: the last";
	struct why_facts facts;
	json_t *array;

	(void)state;
	assert_int_equal(support_run("rm -rf machine; mkdir machine; " BUILT REGION TPM("2")), 0);
	support_write("log", BYTES_LITERAL(log));
	why_read("machine", "x86_64", RELEASE, &facts);
	why_read_messages("log", &facts);
	assert_int_equal(facts.message_count, 4);
	assert_string_equal(facts.messages[0],
			    "Lockdown: modprobe: unsigned module loading is restricted; see man");
	assert_string_equal(facts.messages[1], "assay assay.0: region ?? is refused");
	assert_string_equal(facts.messages[2], "assay assay: the fourth");
	assert_string_equal(facts.messages[3], "assay: the last");
	array = why_judge(&facts);
	assert_int_equal(json_array_size(array), 4);
	assert_string_equal(json_string_value(json_object_get(json_array_get(array, 3), "text")),
			    "the kernel said: assay: the last");
	json_decref(array);
	why_read_messages("none", &facts);
	assert_int_equal(facts.message_count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_tell),
		cmocka_unit_test(messages_are_kept),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
