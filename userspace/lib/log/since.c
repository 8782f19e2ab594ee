// SPDX-License-Identifier: MIT
#include "log/since.h"

#include <errno.h>

#include "log/cel.h"
#include "log/hasher.h"

typedef unsigned long long ull;

static int extend(const struct cel_record *record, struct hasher *hasher,
		  struct assay_digest *value, struct assay_error *err)
{
	const struct assay_digest *digest = cel_record_digest(record, value->hash);

	if (!digest)
		return assay_fail(err, EBADMSG, "record %llu has no %s digest", (ull)record->recnum,
				  assay_hash_name(value->hash));
	return hasher_extend(hasher, value, BYTES(digest->bytes, digest->size), err);
}

/* One bank's value before the record at @end. */
static int replay_to(struct bytes log, unsigned int pcr, size_t end, struct assay_digest *value,
		     struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	struct hasher hasher;
	int r = hasher_open(&hasher, value->hash, err);

	if (r < 0)
		return r;
	cel_begin(&reader, BYTES(log.data, end), 0);
	while ((r = cel_next(&reader, &record, err)) > 0) {
		r = record.pcr == pcr ? extend(&record, &hasher, value, err) : 0;
		if (r < 0)
			break;
	}
	hasher_close(&hasher);
	return r < 0 ? r : 0;
}

int log_since(struct bytes log, unsigned int pcr, uint64_t recnum, struct assay_digest *values,
	      size_t count, size_t *ret_offset, struct assay_error *err)
{
	uint64_t next = 0;
	struct cel_reader reader;
	struct cel_record record;
	size_t offset = 0;
	int r;

	cel_begin(&reader, log, 0);
	while ((r = cel_next(&reader, &record, err)) > 0) {
		if (offset == 0 && record.recnum > recnum)
			return assay_fail(err, ESTALE,
					  "record %llu is not in the log any more: it begins with "
					  "record %llu, what is older was trimmed",
					  (ull)recnum, (ull)record.recnum);
		if (record.recnum == recnum)
			break;
		offset = (size_t)(record.offset + record.size);
		next = record.recnum + 1;
	}
	if (r < 0)
		return r;
	if (r == 0 && recnum != next)
		return assay_fail(err, ERANGE,
				  "there is no record %llu yet: the next one will be %llu; was "
				  "the machine restarted, so that its log began anew?",
				  (ull)recnum, (ull)next);
	for (size_t i = 0; i < count; i++) {
		r = replay_to(log, pcr, offset, &values[i], err);
		if (r < 0)
			return r;
	}
	*ret_offset = offset;
	return 0;
}
