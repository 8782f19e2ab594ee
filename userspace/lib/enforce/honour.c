// SPDX-License-Identifier: MIT
#include "enforce/honour_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "enforce/words.h"

#define SENTENCE_MAX 1024

void honour_tell(const struct honour *honour, enum honour_level level, const char *format, ...)
{
	char text[SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	honour->each(honour->context, level, text);
}

void honour_kernel(const struct honour *honour)
{
	const struct kernel_facts *facts = honour->facts;
	char release[WORDS_SHOWN_MAX];

	if (facts->config.count == 0)
		honour_tell(
			honour, HONOUR_WARNING,
			"This kernel's configuration is not known (%s): what it honours is told "
			"only as far as it can be seen. Give it by --kernel-config.",
			facts->no_config.text);
	else if (facts->config.release.size > 0)
		honour_tell(honour, HONOUR_SAYS, "The kernel is %s%s.",
			    words_show(facts->config.release, release),
			    facts->running ? ", which runs here" : ", by its configuration alone");
}

enum kernel_answer honour_option(const struct honour *honour, const char *name)
{
	if (honour->facts->config.count == 0)
		return KERNEL_UNKNOWN;
	return kernel_config_has(&honour->facts->config, name) ? KERNEL_YES : KERNEL_NO;
}

void honour_lsm(const struct honour *honour, const char *name)
{
	if (kernel_facts_lsm(honour->facts, name) == KERNEL_NO)
		honour_tell(honour, HONOUR_WARNING,
			    "This kernel does not start %s: it is not among its LSMs (%s). Boot it "
			    "with lsm=%s,%s.",
			    name, honour->facts->lsm, honour->facts->lsm, name);
}

void honour_verity_keyring(const struct honour *honour)
{
	if (honour_option(honour, "FS_VERITY_BUILTIN_SIGNATURES") == KERNEL_NO)
		return;
	honour_tell(
		honour, HONOUR_NOTE,
		"Built-in signatures count if their signer's certificate is in the keyring "
		".fs-verity. Root may add any certificate to it until it is locked: have the "
		"initramfs load and lock it (assay-initrd(8), or assay keyring load and lock).");
}
