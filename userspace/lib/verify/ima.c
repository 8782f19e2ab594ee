// SPDX-License-Identifier: MIT
/* The checks of what IMA's list says, beyond its form (see logs.c). */
#include <string.h>

#include "log/cel.h"
#include "log/ima.h"
#include "verify/checks.h"

typedef unsigned long long ull;

/* ---------------------------------------------------------------- where it begins */

/*
 * The kernel's ima_add_boot_aggregate(): the first entry of each boot, of PCRs 0 to 9 as
 * IMA found them, or zeros without a TPM. Newer kernels wait for a TPM and say "late".
 */
static bool is_boot_aggregate(const struct ima_entry *entry)
{
	return bytes_equal(entry->path, BYTES_LITERAL("boot_aggregate")) ||
	       bytes_equal(entry->path, BYTES_LITERAL("boot_aggregate_late"));
}

static bool is_zero(struct bytes bytes)
{
	uint8_t any = 0;

	for (size_t i = 0; i < bytes.size; i++)
		any |= bytes.data[i];
	return any == 0;
}

/* How many kernels have written to the log: each adopted it from the one before. */
static uint64_t boots(const struct appraisal *appraisal)
{
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;
	uint64_t count = 1;

	cel_begin(&reader, buffer_bytes(&appraisal->evidence.assay_cel), 0);
	while (appraisal->evidence.has_assay_log && cel_next(&reader, &record, NULL) > 0)
		if (record.type == ASSAY_CEL_CONTENT &&
		    assay_content_parse(&record, &content, NULL) == 0)
			count += content.kind == ASSAY_KIND_KEXEC;
	return count;
}

bool check_ima_log_start(struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	uint64_t number = 0, zeros = 0, aggregates = 0, expected = boots(appraisal);
	struct bytes first = { 0 };
	struct ima_reader reader;
	struct ima_entry entry;

	ima_begin(&reader, buffer_bytes(&evidence->ima_data), evidence->ima_template_bank);
	for (; ima_next(&reader, &entry, NULL) > 0; number++) {
		if (!is_boot_aggregate(&entry)) {
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
