// SPDX-License-Identifier: MIT
/* The checks of what IMA's list says, beyond its form (see logs.c). */
#include "log/ima.h"
#include "verify/checks.h"

typedef unsigned long long ull;

/* ---------------------------------------------------------------- where it begins */

static bool is_zero(struct bytes bytes)
{
	uint8_t any = 0;

	for (size_t i = 0; i < bytes.size; i++)
		any |= bytes.data[i];
	return any == 0;
}

bool check_ima_log_start(struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	uint64_t number = 0, zeros = 0, aggregates = 0, expected = 1 + appraisal->log.kexecs;
	struct bytes first = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;

	ima_begin(&reader, buffer_bytes(&evidence->ima_data), evidence->ima_template_bank);
	for (; ima_next(&reader, &entry, NULL) > 0; number++) {
		if (entry.boot_aggregate == IMA_NO_BOOT_AGGREGATE) {
			if (number == 0)
				return check_tell(false, detail,
						  "the first entry is not boot_aggregate, which "
						  "IMA writes first: the list was cut");
			continue;
		}
		if (is_zero(entry.digest)) {
			zeros++;
			continue;
		}
		/* PCRs 0 to 9 outlive kexec and nothing else: another value is another boot's. */
		if (aggregates++ > 0 && !bytes_equal(entry.digest, first))
			return check_tell(false, detail,
					  "entry %llu at offset %llu is a second boot_aggregate "
					  "with another value: the list is of two boots",
					  (ull)number, (ull)entry.offset);
		first = entry.digest;
	}
	if (aggregates == 0)
		return check_tell(false, detail,
				  "boot_aggregate is zeros: IMA found no TPM when it began, so its "
				  "list is not anchored");
	if (aggregates + zeros > expected && !(aggregates == 1 && zeros == 1))
		return check_tell(false, detail,
				  "there are %llu boot_aggregate entries, and assay's log knows of "
				  "%llu boot%s without a TPM reset",
				  (ull)(aggregates + zeros), (ull)expected,
				  expected == 1 ? "" : "s");
	return check_tell(true, detail, "boot_aggregate%s",
			  aggregates > 1 ? ", the same after kexec" : "");
}
