/* SPDX-License-Identifier: MIT */
/*
 * The kernel's keyrings of who may sign files: certificates loaded into them, and locked.
 * For the device's command and the initramfs.
 */
#ifndef ASSAY_ENFORCE_KEYRING_H
#define ASSAY_ENFORCE_KEYRING_H

#include <openssl/x509.h>

#include "base/bytes.h"

#define KEYRING_FS_VERITY ".fs-verity"
/* Of root hashes of dm-verity, in newer kernels: it counts once it is locked. */
#define KEYRING_DM_VERITY ".dm-verity"
/* Where IMA looks in kernels without a trusted .ima; user space has to make it. */
#define KEYRING_USER_IMA "_ima"
#define KEYRING_REQUIRE_SIGNATURES "/proc/sys/fs/verity/require_signatures"

/* keyring_find() - its number; -ENOKEY and why where there is none to be seen */
int keyring_find(const char *keyring, int32_t *ret, struct assay_error *err);

/*
 * keyring_load() - add certificates, files in PEM or DER, each with a subject key id
 * @keys: @count numbers of the keys that they became; 0 for those that were not added
 *
 * All are looked at before the first is added. KEYRING_USER_IMA is made where it is not there.
 */
int keyring_load(const char *keyring, const char *const *paths, size_t count, int32_t *keys,
		 struct assay_error *err);

/* keyring_add() - the same with certificates in memory; @what names them in errors */
int keyring_add(const char *keyring, X509 *const *certificates, size_t count, const char *what,
		struct assay_error *err);

/* keyring_lock() - no more keys until the next boot; @ret_already: it had a rule already */
int keyring_lock(const char *keyring, bool *ret_already, struct assay_error *err);

/* keyring_require_signatures() - of each file with fs-verity, from now on */
int keyring_require_signatures(struct assay_error *err);

/* keyring_signatures_required() - '0' or '1'; 0 where the kernel has no such setting */
char keyring_signatures_required(void);

#endif /* ASSAY_ENFORCE_KEYRING_H */
