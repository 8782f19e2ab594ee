/* SPDX-License-Identifier: MIT */
/*
 * A kernel's configuration, as /boot/config-RELEASE, /proc/config.gz (unpacked) and .config of a
 * build have it. Pure.
 */
#ifndef ASSAY_ENFORCE_KERNEL_CONFIG_H
#define ASSAY_ENFORCE_KERNEL_CONFIG_H

#include "base/bytes.h"

/* Debian's has some 300 KiB and 11,000 lines. */
#define KERNEL_CONFIG_MAX (4U << 20)

/* struct kernel_option - "CONFIG_@name=@value", in the text; quotes of a string are taken off */
struct kernel_option {
	struct bytes name, value;
};

/**
 * struct kernel_config - all that are set, by name; kernel_config_free() it
 * @release: of the line "Linux/arm64 6.12.117 Kernel Configuration" at its top; of size 0
 *           where there is none
 */
struct kernel_config {
	struct buffer text;
	struct bytes release;
	struct kernel_option *options;
	size_t count;
};

/*
 * kernel_config_read() - read a configuration, also one packed by gzip
 * @what: names it in errors, which also tell the line
 *
 * Return: 0; -EBADMSG for what is none: a line that is neither CONFIG_NAME=VALUE nor a comment,
 * an option with two values, no option at all; -EFBIG; -ENOMEM
 */
int kernel_config_read(struct bytes text, const char *what, struct kernel_config *ret,
		       struct assay_error *err);
/* Does nothing with an empty one. */
void kernel_config_free(struct kernel_config *config);

/* kernel_config_value() - of an option, without "CONFIG_"; of size 0 where it is not set */
struct bytes kernel_config_value(const struct kernel_config *config, const char *name);

/* kernel_config_has() - is it built in, or a module? */
bool kernel_config_has(const struct kernel_config *config, const char *name);

#endif /* ASSAY_ENFORCE_KERNEL_CONFIG_H */
