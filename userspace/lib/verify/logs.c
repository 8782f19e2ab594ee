// SPDX-License-Identifier: MIT
#include "verify/logs.h"

typedef unsigned long long ull;

bool replay_tell(const struct replay *replay, const struct assay_digest *quoted, unsigned int pcr,
		 const char *unit, size_t size, struct covered_log *ret, char *detail)
{
	char found[DIGEST_TEXT], expected[DIGEST_TEXT];

	ret->records = replay->records;
	ret->covered = replay->covered;
	if (!replay->reached)
		return check_tell(
			false, detail,
			"%llu %s replay to %s; the quoted %s PCR %u is %s, which comes up "
			"after none: the log is another one, was cut or was changed",
			(ull)replay->records, unit, check_digest_text(&replay->last, found),
			assay_hash_name(quoted->hash), pcr, check_digest_text(quoted, expected));
	if (replay->covered < replay->records)
		return check_tell(true, detail,
				  "the first %llu of %llu %s replay to the quoted %s PCR %u; the "
				  "last %llu (%llu bytes) came later and are not covered",
				  (ull)replay->covered, (ull)replay->records, unit,
				  assay_hash_name(quoted->hash), pcr,
				  (ull)(replay->records - replay->covered),
				  (ull)(size - replay->covered_size));
	return check_tell(true, detail, "%llu %s replay to the quoted %s PCR %u",
			  (ull)replay->records, unit, assay_hash_name(quoted->hash), pcr);
}
