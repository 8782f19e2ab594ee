/* SPDX-License-Identifier: MIT */
/* Which versions devices run, by what their evidence proves: of each, since its boot was judged. */
#ifndef ASSAY_FLEET_VERSIONS_H
#define ASSAY_FLEET_VERSIONS_H

#include <jansson.h>

#include "assay-verify.h"
#include "store.h"
#include "verify/evidence.h"

#define VERSION_MAX 127 /* bytes of UTF-8; what is longer is cut */

/**
 * struct versions - "" where nothing proves it
 * @known: at least one is; or of another boot, of which none has to be
 * @kernel: its release; @module: of assay: both of the log's START
 * @firmware: of the firmware's log (EV_S_CRTM_VERSION)
 */
struct versions {
	bool known;
	char kernel[VERSION_MAX + 1], module[VERSION_MAX + 1], firmware[VERSION_MAX + 1];
};

/* versions_read() - what whole evidence says; nothing of it is proved yet */
void versions_read(const struct evidence *evidence, struct versions *ret);

/* struct versions_proven - which logs of evidence were extended into the PCRs that were quoted */
struct versions_proven {
	bool assay_log, uefi_log;
};

/* versions_proven_by() - what a verdict says of that */
struct versions_proven versions_proven_by(const struct assay_verdict *verdict);

/* versions_believe() - forget what stands in a log that is not proven */
void versions_believe(struct versions *versions, struct versions_proven proven);

/* struct device_versions - of a device */
struct device_versions {
	const char *name;
	const struct versions *versions;
};

/* versions_save() - keep them, of each device once; its former ones are forgotten */
int versions_save(struct store *store, const struct device_versions *devices, size_t count,
		  struct assay_error *err);

/* versions_forget() - of a device that is enrolled no more, or with another key */
int versions_forget(struct store *store, const char *name, struct assay_error *err);

/* What can be counted; also the members of a filter of devices. */
enum version_kind {
	VERSION_KERNEL,
	VERSION_MODULE,
	VERSION_FIRMWARE,
	VERSION_POLICY, /* that the device was judged by last */
	VERSION_KINDS,
};

/* version_kind_name() - "kernel", "module", "firmware", "policy" */
const char *version_kind_name(enum version_kind kind);

/*
 * versions_count() - how many devices have which, those that most have first
 * @limit: of each kind
 * @ret: an object with an array of {"version", "count"} for each kind's name is added to; "version"
 *       is "" of devices of which it is not known
 */
int versions_count(struct store *store, uint64_t limit, json_t *ret, struct assay_error *err);

#endif /* ASSAY_FLEET_VERSIONS_H */
