/* SPDX-License-Identifier: MIT */
/*
 * The verifier's directory of device records: who is enrolled, and which challenges are open.
 *
 *	DIR/lock		held while anybody reads or writes the rest
 *	DIR/devices/MACHINE.json	device records
 *	DIR/eks/DIGEST		link to the record of the device with the endorsement key
 *				of that digest, or that certified attestation key: no key
 *				counts for two machines
 *	DIR/pending/DIGEST.json	the open challenge for the endorsement key of that digest
 *	DIR/pending/ID		link to it, from the challenge's id
 *
 * One endorsement key a machine id, and one machine id a key, whoever comes first: a second
 * one is refused until the first one's record is removed.
 *
 * One challenge an endorsement key, too: the newest. Requests can be copied and sent again by
 * anyone who saw one, so many for one key are not to fill the disk; and were an older challenge
 * still open, its answer could put an older attestation key in the place of a newer one.
 */
#ifndef ASSAY_ENROLL_STORE_H
#define ASSAY_ENROLL_STORE_H

#include "enroll/message.h"

struct store;

/*
 * store_open() - take the directory, waiting for whoever has it
 * It is made, with what is in it, if it is not there; only its owner can read it then.
 */
int store_open(const char *path, struct store **ret, struct assay_error *err);
/* Does nothing with NULL. */
void store_close(struct store *store);

/*
 * store_check() - could this device be enrolled?
 * @ek_key: as device_record_identity()
 * @replace: with another attestation key than it has now
 *
 * Return: 0; -EEXIST with what is in the way
 */
int store_check(const struct store *store, const char *machine_id,
		const struct assay_digest *ek_key, bool replace, struct assay_error *err);

/*
 * store_add() - store_check(), and keep the record
 * @ret_path: of the record; free() it
 */
int store_add(const struct store *store, const struct device_record *record, bool replace,
	      char **ret_path, struct assay_error *err);

/*
 * store_add_pending() - keep an open challenge, in the place of one for the same endorsement key,
 * and drop those that expired before @now
 */
int store_add_pending(const struct store *store, const struct enroll_pending *pending, uint64_t now,
		      struct assay_error *err);

/* store_find_pending() - -ENOENT where no challenge of that id is open */
int store_find_pending(const struct store *store, const uint8_t id[ENROLL_ID_SIZE],
		       struct enroll_pending *ret, struct assay_error *err);

/* store_drop_pending() - a challenge is answered once */
int store_drop_pending(const struct store *store, const struct enroll_pending *pending,
		       struct assay_error *err);

#endif /* ASSAY_ENROLL_STORE_H */
