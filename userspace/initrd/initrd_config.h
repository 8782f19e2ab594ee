/* SPDX-License-Identifier: MIT */
/*
 * What the initramfs says of stage 1: /etc/assay/initrd.conf in it, assay-initrd(8). The root file
 * system has no say: who can write to it must not be able to turn measuring off.
 */
#ifndef ASSAY_INITRD_CONFIG_H
#define ASSAY_INITRD_CONFIG_H

#include "assay.h"

/* What is done where the files could not be measured. */
enum initrd_deed {
	INITRD_CONTINUE,  /* say so, and let the boot go on */
	INITRD_EMERGENCY, /* stop the boot */
	INITRD_POWEROFF,  /* turn the machine off */
};

/**
 * struct initrd_config - the keys of [initrd]
 * @on_failure: where nothing was measured, or a rule could not be followed
 * @on_missing: where files that rules name could not be measured, and the rest was
 * @read: have the kernel read every file to its end
 * @timeout: seconds after which it is a failure; 0: none
 */
struct initrd_config {
	enum initrd_deed on_failure, on_missing;
	bool read;
	uint64_t timeout;
};

/* initrd_config_load() - the defaults, and what the file says if it is there */
int initrd_config_load(const char *path, struct initrd_config *ret, struct assay_error *err);

const char *initrd_deed_name(enum initrd_deed deed);

#endif /* ASSAY_INITRD_CONFIG_H */
