/* SPDX-License-Identifier: MIT */
/*
 * Builds logs for tests: well-formed ones like those assay.ko writes, with the
 * digests right and the PCR replayed, and, by the same parts, ill-formed ones.
 * Written from uapi/assay.h and the CEL specification, not from lib/log, so that
 * the two check each other.
 */
#ifndef ASSAY_TEST_LOG_BUILDER_H
#define ASSAY_TEST_LOG_BUILDER_H

#include "base/bytes.h"
#include "uapi/assay.h"

/* The banks of a built log's records: SHA-1 and SHA-256. */
#define LOG_BUILDER_BANKS 2
/* START and KEXEC have a TIME, 2026-01-02 03:04:05.000000006 UTC; the rest have none. */
#define LOG_BUILDER_TIME 1767323045000000006

/**
 * struct log_builder - a log being built; log_builder_free() it
 * @log: the records
 * @pcr: the index that goes into them; 14 by log_builder_begin()
 * @recnum: of the next record
 * @chained: records of assay's content get what chains them
 * @value: the PCR's value in each bank after the last record; zeros at first
 */
struct log_builder {
	struct buffer log;
	uint8_t pcr;
	uint64_t recnum;
	bool chained;
	struct assay_digest value[LOG_BUILDER_BANKS];
};

void log_builder_begin(struct log_builder *builder);
void log_builder_free(struct log_builder *builder);

/* Append a TLV. */
void put_tlv(struct buffer *out, uint8_t type, struct bytes value);
void put_tlv_u8(struct buffer *out, uint8_t type, uint8_t value);
void put_tlv_u32(struct buffer *out, uint8_t type, uint32_t value);
void put_tlv_u64(struct buffer *out, uint8_t type, uint64_t value);
void put_tlv_text(struct buffer *out, uint8_t type, const char *text);

/* Append the fields of a content's value: KIND and what follows. */
void put_start(struct buffer *out, const struct assay_digest *pcr_values, size_t count);
void put_measure(struct buffer *out); /* KIND only; put_file() comes next */
void put_file(struct buffer *out, const char *path, const struct assay_digest *digest);
void put_failed_file(struct buffer *out, const char *path, uint32_t errnum);
void put_event(struct buffer *out, const char *label, struct bytes data); /* a batch of one */
void put_kexec(struct buffer *out, const struct assay_digest *pcr_values, size_t count);
void put_trim(struct buffer *out, uint64_t recnum, uint64_t offset, struct bytes gone,
	      const struct assay_digest *pcr_values, size_t count);
/* The same with another CUT_NEXT, or none for NULL. */
void put_trim_by(struct buffer *out, uint64_t recnum, uint64_t offset, struct bytes gone,
		 const struct assay_digest *pcr_values, size_t count, const uint8_t *next);
void put_tpm(struct buffer *out, uint64_t backlog, const struct assay_digest *pcr_values,
	     size_t count);
void put_seal(struct buffer *out, size_t pad);

/* The entries of a batch, for behind put_measure(), or put_kind() of any batch. */
void put_kind(struct buffer *out, uint8_t kind);
void put_event_entry(struct buffer *out, const char *label, struct bytes data);
void put_mirrored(struct buffer *out, uint32_t pcr, const struct assay_digest *digests,
		  size_t count, const char *name, struct bytes data);

/* Bytes of one of the fields of the chain of keys. MAC is a content's last one. */
#define LOG_CHAIN_FIELD (5 + ASSAY_KEY_SIZE)

/**
 * struct log_links - what chains a record to others, as uapi/assay.h describes it
 * @reveal: there is a KEY, which is @before
 * @before: the key of the record before
 * @own: the record's own key, which MAC is by
 * @next: what commits to the next record's
 */
struct log_links {
	bool reveal;
	uint8_t before[ASSAY_KEY_SIZE], own[ASSAY_KEY_SIZE], next[ASSAY_KEY_SIZE];
};

/* log_test_key() - a record's key in built logs; log_test_commitment() - its SHA-256 */
void log_test_key(uint64_t recnum, uint8_t key[ASSAY_KEY_SIZE]);
void log_test_commitment(uint64_t recnum, uint8_t commitment[ASSAY_KEY_SIZE]);
struct log_links log_links(uint64_t recnum);

/*
 * log_chain_by() - put KEY, NEXT and MAC of the record @recnum into a content's value, in place of
 * those that are there; without @links only take them out. A value that does not begin with KIND
 * stays as it is. log_chain() - by log_links()
 */
void log_chain_by(struct buffer *value, uint64_t recnum, const struct log_links *links);
void log_chain(struct buffer *value, uint64_t recnum);

/* log_builder_record() - the next record, with a content of that type and value */
void log_builder_record(struct log_builder *builder, uint8_t type, struct bytes value);

/* log_builder_sample() - START, MEASURE of two files and a failed one, EVENT */
void log_builder_sample(struct log_builder *builder);

/* log_builder_kinds() - START and one each of the kinds that the sample has not */
void log_builder_kinds(struct log_builder *builder);

/* log_test_digest() - a digest to tell apart from others by @seed */
struct assay_digest log_test_digest(enum assay_hash hash, uint8_t seed);

/* log_test_data() - a file of tests/data, read whole; fails the test if it cannot be */
struct buffer log_test_data(const char *path);

#endif /* ASSAY_TEST_LOG_BUILDER_H */
