/* SPDX-License-Identifier: MIT */
/* What the checks of assay's log and of IMA's list have in common. Only for lib/verify. */
#ifndef ASSAY_VERIFY_LOGS_H
#define ASSAY_VERIFY_LOGS_H

#include "verify/replay.h"
#include "verify/tell.h"

/*
 * replay_tell() - the end that both replays have: say how far the log came
 * @quoted: the value of PCR @pcr that was to be reached
 * @unit: what the log consists of: "records"
 * @size: bytes of the whole log
 */
bool replay_tell(const struct replay *replay, const struct assay_digest *quoted, unsigned int pcr,
		 const char *unit, size_t size, struct covered_log *ret, char *detail);

#endif /* ASSAY_VERIFY_LOGS_H */
