// SPDX-License-Identifier: MIT
#include "log/archive.h"

#include <errno.h>
#include <inttypes.h>

#include "log/cel.h"
#include "log/hasher.h"

/* Numbers of the first record and how many there are; records in a row, none missing. */
static int count_records(struct log_piece *piece, struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	uint64_t count = 0;
	int r;

	cel_begin(&reader, piece->cel, 0);
	while ((r = cel_next(&reader, &record, err)) == 1) {
		if (count == 0)
			piece->first = record.recnum;
		if (record.recnum != piece->first + count)
			return assay_fail(err, EBADMSG,
					  "%s has record %" PRIu64 " where %" PRIu64 " is due",
					  piece->name, record.recnum, piece->first + count);
		count++;
	}
	if (r < 0)
		return assay_fail_context(err, "%s", piece->name);
	if (count == 0)
		return assay_fail(err, EBADMSG, "%s has no records", piece->name);
	piece->records = count;
	return 0;
}

/* The TRIM record in @in that cut the log before record @recnum. */
static bool find_trim(const struct log_piece *in, uint64_t recnum, struct cel_record *ret_record,
		      struct assay_content *ret)
{
	struct cel_reader reader;

	cel_begin(&reader, in->cel, 0);
	while (cel_next(&reader, ret_record, NULL) == 1)
		if (ret_record->type == ASSAY_CEL_CONTENT &&
		    assay_content_parse(ret_record, ret, NULL) == 0 &&
		    ret->kind == ASSAY_KIND_TRIM && ret->trim.recnum == recnum)
			return true;
	return false;
}

static int check_piece(struct log_piece *piece, const struct log_piece *later, size_t later_count,
		       struct hasher *hasher, struct assay_error *err)
{
	uint64_t next = piece->first + piece->records;
	struct assay_digest digest;
	struct assay_content trim;
	struct cel_record record;
	bool found = false;
	int r;

	if (later[0].first != next)
		return assay_fail(err, EBADMSG,
				  "%s ends with record %" PRIu64 ", and %s begins with %" PRIu64
				  ": they are not next to each other",
				  piece->name, next - 1, later[0].name, later[0].first);
	for (size_t i = 0; i < later_count && !found; i++)
		found = find_trim(&later[i], next, &record, &trim);
	if (!found)
		return assay_fail(err, EBADMSG,
				  "no TRIM record in what follows %s says that the log was cut "
				  "before record %" PRIu64,
				  piece->name, next);
	r = hasher_digest(hasher, piece->cel, BYTES(NULL, 0), &digest, err);
	if (r < 0)
		return r;
	if (trim.trim.size != piece->cel.size ||
	    !bytes_equal(BYTES(trim.trim.digest.bytes, trim.trim.digest.size),
			 BYTES(digest.bytes, digest.size))) {
		char is[2 * ASSAY_DIGEST_MAX + 1], due[2 * ASSAY_DIGEST_MAX + 1];

		hex_encode(BYTES(digest.bytes, digest.size), is);
		hex_encode(BYTES(trim.trim.digest.bytes, trim.trim.digest.size), due);
		return assay_fail(err, EBADMSG,
				  "%s is not what was cut off: it has %zu bytes with SHA-256 %s; "
				  "record %" PRIu64 " (TRIM) says %" PRIu64 " bytes with %s",
				  piece->name, piece->cel.size, is, record.recnum, trim.trim.size,
				  due);
	}
	piece->base = trim.trim.offset - trim.trim.size;
	piece->trim_recnum = record.recnum;
	return 0;
}

int archive_chain(struct log_piece *pieces, size_t count, struct assay_error *err)
{
	struct hasher hasher;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = count_records(&pieces[i], err);
	if (r < 0)
		return r;
	r = hasher_open(&hasher, ASSAY_HASH_SHA256, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i + 1 < count && r == 0; i++) {
		r = check_piece(&pieces[i], &pieces[i + 1], count - i - 1, &hasher, err);
		pieces[i + 1].base = pieces[i].base + pieces[i].cel.size;
	}
	hasher_close(&hasher);
	return r;
}
