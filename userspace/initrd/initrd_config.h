/* SPDX-License-Identifier: MIT */
/*
 * What the initramfs says of stage 1: /etc/assay/initrd.conf in it, assay-initrd(8). The root file
 * system has no say: who can write to it must not be able to turn measuring off.
 */
#ifndef ASSAY_INITRD_CONFIG_H
#define ASSAY_INITRD_CONFIG_H

#include "assay.h"
#include "enforce/ipe_load.h"

/* Of a path in it, with its NUL. */
#define INITRD_PATH_MAX 256

/* What is done where the files could not be measured. */
enum initrd_deed {
	INITRD_CONTINUE,  /* say so, and let the boot go on */
	INITRD_EMERGENCY, /* stop the boot */
	INITRD_POWEROFF,  /* turn the machine off */
};

/**
 * struct initrd_enforce - the keys of [enforce]: what the kernel is to enforce from then on
 * @certificates: directory of those whose signatures of files .fs-verity takes; it is locked then.
 *                "": it stays as it is
 * @require_signatures: fs.verity.require_signatures
 * @ipe_policy: a signed policy of IPE's, which becomes active; "": none
 * @ipe_mode: IPE_MODE_PERMISSIVE or IPE_MODE_ENFORCE
 */
struct initrd_enforce {
	char certificates[INITRD_PATH_MAX], ipe_policy[INITRD_PATH_MAX];
	bool require_signatures;
	enum ipe_mode ipe_mode;
};

/**
 * struct initrd_config - the keys of [initrd], and [enforce]
 * @on_failure: where nothing was measured, or a rule could not be followed
 * @on_missing: where files that rules name could not be measured, and the rest was
 * @read: have the kernel read every file to its end
 * @timeout: seconds after which it is a failure; 0: none
 */
struct initrd_config {
	enum initrd_deed on_failure, on_missing;
	bool read;
	uint64_t timeout;
	struct initrd_enforce enforce;
};

/* initrd_config_load() - the defaults, and what the file says if it is there */
int initrd_config_load(const char *path, struct initrd_config *ret, struct assay_error *err);

const char *initrd_deed_name(enum initrd_deed deed);

#endif /* ASSAY_INITRD_CONFIG_H */
