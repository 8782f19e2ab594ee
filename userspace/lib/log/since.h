/* SPDX-License-Identifier: MIT */
/*
 * A log from one of its records on, for a verifier that has judged what is before it.
 * For commands that collect evidence.
 */
#ifndef ASSAY_LOG_SINCE_H
#define ASSAY_LOG_SINCE_H

#include "base/bytes.h"

/*
 * log_since() - where in a log a record is, and what the PCR was before it
 * @log: records of assay's log, TCG CEL-TLV
 * @pcr: the PCR that anchors it; records of others do not count
 * @recnum: of the record sought; the number of the next one to come is found at the end
 * @values, @count: the PCR before the first record in each bank, turned into what it was
 *                  before the record found
 * @ret_offset: the record's first byte in @log
 *
 * Return: 0; -ESTALE where @log begins with a later record; -ERANGE where the record is
 * not there yet; -EBADMSG for bytes that are no log, and for a record that has no digest
 * of one of the banks; -ENOMEM. After a failure @values are of no use
 */
int log_since(struct bytes log, unsigned int pcr, uint64_t recnum, struct assay_digest *values,
	      size_t count, size_t *ret_offset, struct assay_error *err);

#endif /* ASSAY_LOG_SINCE_H */
