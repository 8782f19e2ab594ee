/* SPDX-License-Identifier: MIT */
/* Keylime's reference state of a measured boot, as rules on the firmware's log. For
 * policy_import(). */
#ifndef ASSAY_VERIFY_POLICY_IMPORT_BOOT_H
#define ASSAY_VERIFY_POLICY_IMPORT_BOOT_H

#include <jansson.h>

#include "verify/policy_references.h"

/* boot_state_is() - is it a reference state, as create_mb_refstate and 'keylime-policy create
 * measured-boot' write it? */
bool boot_state_is(const json_t *root);

/*
 * boot_state_import() - its values as the member "firmware" of a policy
 * What Keylime's policy "example" compares with them; what is judged otherwise here is told.
 *
 * Return: 0 with *ret a new object; -EBADMSG with the member that is off; -ENOMEM
 */
int boot_state_import(struct policy_references *references, const json_t *root, json_t **ret);

#endif /* ASSAY_VERIFY_POLICY_IMPORT_BOOT_H */
