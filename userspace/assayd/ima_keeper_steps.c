// SPDX-License-Identifier: MIT
#include "ima_keeper_steps.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const struct assay_digest *scan_value(const struct ima_scan *scan,
					     const struct ima_keeper *keeper)
{
	return ima_running_value(&scan->running, scan->pcr.hash,
				 (unsigned int)keeper->service->config->ima.pcr);
}

static void begin_from(struct ima_scan *scan, const struct ima_keeper *keeper,
		       const struct ima_running *from)
{
	unsigned int pcr = (unsigned int)keeper->service->config->ima.pcr;
	const struct assay_digest *value = ima_running_value(from, scan->pcr.hash, pcr);

	if (value)
		ima_running_begin(&scan->running, pcr, value, 0);
}

int ima_scan_begin(struct ima_scan *scan, const struct ima_keeper *keeper,
		   const struct ima_running *from, struct assay_error *err)
{
	enum assay_hash bank = keeper->kernel.bank;
	int r;

	/* The list is never behind the PCR, as long as that is read first. */
	ima_pcr_extended(keeper->service->config, &scan->pcr);
	if (scan->pcr.size > 0)
		bank = scan->pcr.hash;
	scan->reached = false;
	scan->fd = ima_list_open(keeper, err);
	if (scan->fd < 0)
		return scan->fd;
	r = ima_running_open(&scan->running, &bank, 1, err);
	if (r == 0 && from)
		begin_from(scan, keeper, from);
	ima_feed_begin(&scan->feed, keeper->kernel.bank);
	return r;
}

void ima_scan_end(struct ima_scan *scan)
{
	close_descriptor(&scan->fd);
	scan->fd = -1;
	ima_running_close(&scan->running);
	scan->running = (struct ima_running){ 0 };
	ima_feed_free(&scan->feed);
}

static void compare_with_pcr(struct ima_scan *scan, const struct ima_keeper *keeper)
{
	const struct assay_digest *value = scan_value(scan, keeper);

	if (value && scan->pcr.size > 0 &&
	    memcmp(value->bytes, scan->pcr.bytes, scan->pcr.size) == 0)
		scan->reached = true;
}

/* A piece. 1: there is more. */
int ima_scan_on(struct ima_scan *scan, const struct ima_keeper *keeper, struct assay_error *err)
{
	uint8_t piece[IMA_PIECE];
	struct ima_frame frame;
	struct bytes bytes;
	ssize_t size = read(scan->fd, piece, sizeof(piece));
	int r;

	if (size < 0)
		return assay_fail(err, errno, "cannot read %s: %s", keeper->kernel.path,
				  strerror(errno));
	if (size == 0)
		return 0;
	r = ima_feed_add(&scan->feed, BYTES(piece, (size_t)size), err);
	while (r == 0 && (r = ima_feed_next(&scan->feed, &frame, &bytes, err)) == 1) {
		r = ima_running_add(&scan->running, keeper->kernel.bank, &frame, err);
		if (scan->running.entries == 1)
			scan->first_is_aggregate = scan->running.aggregates == 1;
		compare_with_pcr(scan, keeper);
	}
	return r < 0 ? r : 1;
}

/* The kernel puts an entry of its own boot behind those that it was handed: there are two then, or
 * the first is none. */
enum ima_carried ima_scan_carried(const struct ima_scan *scan)
{
	if (scan->running.entries > 0 &&
	    (!scan->first_is_aggregate || scan->running.aggregates > 1))
		return IMA_CARRIED;
	return scan->pcr.size > 0 && !scan->reached ? IMA_MAY_BE_CARRIED : IMA_NOT_CARRIED;
}

/* ---------------------------------------------------------------- the archive */

int ima_replay_bytes(void *context, struct bytes bytes, struct assay_error *err)
{
	struct ima_replay *replay = context;
	struct ima_keeper *keeper = replay->keeper;
	struct ima_frame frame;
	struct bytes entry;
	int r = ima_feed_add(&replay->feed, bytes, err);

	while (r == 0 && (r = ima_feed_next(&replay->feed, &frame, &entry, err)) == 1) {
		if (replay->next >= replay->extend_from)
			r = ima_running_add(&keeper->running, replay->feed.bank, &frame, err);
		else
			r = 0;
		if (r == 0 && replay->next >= ima_notes_kept(&keeper->notes))
			r = ima_join_keep(&keeper->join, entry, err);
		replay->next++;
	}
	return r;
}

/* Begin with the PCR that a file names before its first entry, if it does in every bank. */
static int begin_with(struct ima_keeper *keeper, const struct archive *archive, size_t index,
		      bool *ret, struct assay_error *err)
{
	unsigned int pcr = (unsigned int)keeper->service->config->ima.pcr;
	struct archive_header header;
	size_t known = 0;
	int r = archive_header(archive, ARCHIVE_IMA, index, &header, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < keeper->bank_count; i++)
		for (size_t n = 0; n < header.start_count; n++)
			known += header.start[n].hash == keeper->banks[i];
	*ret = known == keeper->bank_count;
	for (size_t n = 0; n < header.start_count && *ret; n++)
		ima_running_begin(&keeper->running, pcr, &header.start[n], header.first);
	return 0;
}

/* Where older files were removed, what they held is passed over in the list without being compared.
 */
int ima_replay_begin(struct ima_replay *replay, struct ima_keeper *keeper,
		     const struct archive *archive, struct assay_error *err)
{
	uint64_t kept = ima_notes_kept(&keeper->notes),
		 oldest = archive_begin(archive, ARCHIVE_IMA);
	size_t count, i;
	const struct archive_file *files = archive_files(archive, ARCHIVE_IMA, &count);
	bool known = false;
	int r;

	replay->keeper = keeper;
	ima_feed_begin(&replay->feed, keeper->kernel.bank);
	replay->next = replay->extend_from = oldest;
	if (count == 0)
		return 0;
	for (i = count - 1; i > 0 && files[i].first > kept;)
		i--;
	/* Else from the first entry of all, or of the boot before. */
	if (files[i].first <= kept || oldest == files[i].first)
		replay->next = files[i].first;
	if (replay->next > kept)
		kept = replay->next;
	keeper->join.unknown = (size_t)(kept - keeper->notes.deleted);
	r = begin_with(keeper, archive, count - 1, &known, err);
	replay->extend_from = known ? files[count - 1].first : oldest;
	/* A bank came later than the newest file: all that there is is replayed. */
	if (!known)
		replay->next = oldest;
	return r;
}

void ima_replay_end(struct ima_replay *replay)
{
	ima_feed_free(&replay->feed);
}
