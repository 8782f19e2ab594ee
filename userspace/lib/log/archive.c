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

/**
 * struct vouching - what TRIM records say of a piece
 * @next: the record before which the piece was cut off
 * @size: bytes of the piece
 * @digest: of these
 * @record, @trim: the last TRIM record that is about @next
 * @found: there is one
 * @fits: it is about these bytes
 */
struct vouching {
	uint64_t next;
	size_t size;
	struct assay_digest digest;
	struct cel_record record;
	struct assay_content trim;
	bool found, fits;
};

/*
 * Look through a later piece. There may be several records about one cut: of one that the TPM
 * did not take in time nothing came, but its record stays.
 */
static void find_trim(const struct log_piece *in, struct vouching *v)
{
	struct cel_reader reader;
	struct cel_record record;
	struct assay_content trim;

	cel_begin(&reader, in->cel, 0);
	while (!v->fits && cel_next(&reader, &record, NULL) == 1) {
		if (record.type != ASSAY_CEL_CONTENT ||
		    assay_content_parse(&record, &trim, NULL) < 0 || trim.kind != ASSAY_KIND_TRIM ||
		    trim.trim.recnum != v->next)
			continue;
		v->record = record;
		v->trim = trim;
		v->found = true;
		v->fits = trim.trim.size == v->size &&
			  bytes_equal(BYTES(trim.trim.digest.bytes, trim.trim.digest.size),
				      BYTES(v->digest.bytes, v->digest.size));
	}
}

static int check_piece(struct log_piece *piece, const struct log_piece *later, size_t later_count,
		       struct hasher *hasher, struct assay_error *err)
{
	struct vouching v = { .next = piece->first + piece->records, .size = piece->cel.size };
	int r;

	if (later[0].first != v.next)
		return assay_fail(err, EBADMSG,
				  "%s ends with record %" PRIu64 ", and %s begins with %" PRIu64
				  ": they are not next to each other",
				  piece->name, v.next - 1, later[0].name, later[0].first);
	r = hasher_digest(hasher, piece->cel, BYTES(NULL, 0), &v.digest, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < later_count && !v.fits; i++)
		find_trim(&later[i], &v);
	if (!v.found)
		return assay_fail(err, EBADMSG,
				  "no TRIM record in what follows %s says that the log was cut "
				  "before record %" PRIu64,
				  piece->name, v.next);
	if (!v.fits) {
		char is[2 * ASSAY_DIGEST_MAX + 1], due[2 * ASSAY_DIGEST_MAX + 1];

		hex_encode(BYTES(v.digest.bytes, v.digest.size), is);
		hex_encode(BYTES(v.trim.trim.digest.bytes, v.trim.trim.digest.size), due);
		return assay_fail(err, EBADMSG,
				  "%s is not what was cut off: it has %zu bytes with SHA-256 %s; "
				  "record %" PRIu64 " (TRIM) says %" PRIu64 " bytes with %s",
				  piece->name, piece->cel.size, is, v.record.recnum,
				  v.trim.trim.size, due);
	}
	piece->base = v.trim.trim.offset - v.trim.trim.size;
	piece->trim_recnum = v.record.recnum;
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
