/* SPDX-License-Identifier: MIT */
/* `assay replay --events`: what the entries of a log say, one a line, or in JSON. */
#ifndef ASSAY_CMD_REPLAY_EVENTS_H
#define ASSAY_CMD_REPLAY_EVENTS_H

#include "assay.h"
#include "base/bytes.h"

/*
 * replay_events - print the entries of a log
 * @template_bank: of IMA's list: the hash of its template digests
 * @json: as a member of an object that was begun; else as a table
 *
 * Return: 0; -EBADMSG where the log breaks off, what comes before that having been printed;
 *         -ENOMEM, -EIO
 */
typedef int replay_events(struct bytes log, enum assay_hash template_bank, bool json,
			  struct assay_error *err);

replay_events replay_events_uefi, replay_events_ccel, replay_events_ima;

#endif /* ASSAY_CMD_REPLAY_EVENTS_H */
