/* SPDX-License-Identifier: MIT */
/*
 * The log into its archive: from the mapped ring to files, and the ring cut behind them. For
 * archiver.c, which says when.
 */
#ifndef ASSAY_ASSAYD_ARCHIVER_LOG_H
#define ASSAY_ASSAYD_ARCHIVER_LOG_H

#include "archive/archive_writer.h"
#include "log/device.h"

#define LOG_ARCHIVE_BANKS ASSAY_MAX_BANKS

/**
 * struct log_archive - the log of this system and its archive; start with {0}
 * @device: a descriptor of its own, whose position waits for records; -1 while not open
 * @log: mapped
 * @writer: NULL while not open
 * @join_limit: set before it is opened: small files are joined up to so many bytes; 0: never
 * @path: of the archive's directory
 * @values: the PCR before the record that is due next, in @value_count banks
 * @lost_from, @lost_to: records that were cut off before they could be archived: numbers of the
 *                       first, and of the one behind the last; equal if there are none
 * @differs: the PCR that the log makes is not the one that the module keeps
 * @is_aside: a damaged file was set aside when it was opened
 * @files, @bytes, @records: that were written since the start, before compression
 * @trimmed: records that were cut off since the start
 */
struct log_archive {
	struct device device;
	struct device_log log;
	struct archive_writer *writer;
	uint64_t join_limit;
	char *path;
	struct assay_digest values[LOG_ARCHIVE_BANKS];
	size_t value_count;
	uint64_t lost_from, lost_to;
	bool differs, is_aside;
	uint64_t files, bytes, records, trimmed;
};

/*
 * log_archive_open() - map the log, and find where its archive goes on
 * @root: directory of the archives
 * @boot_id: text
 *
 * The directory is ROOT/BOOT-ID. A log that the module began anew in the same boot has one of its
 * own: ROOT/BOOT-ID.1 and so on.
 */
int log_archive_open(struct log_archive *archive, const char *root, const char *boot_id,
		     struct assay_error *err);
void log_archive_close(struct log_archive *archive);
bool log_archive_is_open(const struct log_archive *archive);

/* log_archive_waiting() - bytes that are anchored and not archived; no system call */
uint64_t log_archive_waiting(const struct log_archive *archive);

/* log_archive_used() - what the ring holds, in percent of it; no system call */
unsigned int log_archive_used(const struct log_archive *archive);

/*
 * log_archive_write() - one file more
 * @limit: bytes of records in it, but for a record that alone is larger
 *
 * Return: 1; 0 if there is nothing to archive; -ESTALE if somebody else has cut the log meanwhile:
 *         try again; as archive_write(); -EBADMSG for a log that cannot be read
 */
int log_archive_write(struct log_archive *archive, uint64_t limit, struct assay_error *err);

/*
 * log_archive_trim() - cut off the ring what is archived
 * @device: open for writing
 *
 * The newest archived record stays in the ring. Return: 1; 0 if there is nothing to cut; as
 * device_trim(), and -EPERM without CAP_SYS_ADMIN
 */
int log_archive_trim(struct log_archive *archive, const struct device *device,
		     struct assay_error *err);

#endif /* ASSAY_ASSAYD_ARCHIVER_LOG_H */
