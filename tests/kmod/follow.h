/* SPDX-License-Identifier: MIT */
/*
 * Following the mapped log while it grows and is cut: record after record, each checked as
 * it appears and added to a replay of the PCR in every bank. Nothing here needs the log
 * to begin with START: it begins with what the header says of its head.
 */
#ifndef TESTS_KMOD_FOLLOW_H
#define TESTS_KMOD_FOLLOW_H

#include "guest.h"

/* To be zero before the first follow_start(). */
struct follower {
	const struct log *log;
	uint64_t offset; /* of the next record */
	uint64_t number; /* of the next record */
	unsigned int bank_count;
	struct follower_bank {
		uint16_t alg;
		unsigned int size;
		uint8_t value[ASSAY_MAX_DIGEST]; /* the PCR before the next record */
	} banks[ASSAY_MAX_BANKS];
	uint8_t *copy; /* of the last record */
	size_t copy_size;
	const char *wrong; /* what was wrong with the record that was refused */
};

enum followed {
	FOLLOWED,   /* a record, good; it stays until the next call */
	FOLLOW_END, /* there is no further one yet */
	FOLLOW_CUT, /* what comes next was trimmed */
	FOLLOW_BAD, /* see wrong */
};

static inline uint64_t follow_head(const struct log *log)
{
	return __atomic_load_n(&log->header->head, __ATOMIC_ACQUIRE);
}

static inline uint64_t follow_tail(const struct log *log)
{
	return __atomic_load_n(&log->header->tail, __ATOMIC_ACQUIRE);
}

/* A header whose members fit each other. */
static inline struct assay_log_header follow_header(const struct log *log)
{
	struct assay_log_header header;
	uint32_t before, after;

	do {
		before = __atomic_load_n(&log->header->sequence, __ATOMIC_ACQUIRE);
		memcpy(&header, log->header, sizeof(header));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&log->header->sequence, __ATOMIC_RELAXED);
	} while (before != after || before % 2);
	return header;
}

/* Start where a header says the head is. There must be banks: a TPM was seen. */
static inline void follow_from(struct follower *follower, const struct log *log,
			       const struct assay_log_header *header)
{
	follower->log = log;
	follower->offset = header->head;
	follower->number = header->head_recnum;
	follower->bank_count = header->bank_count;
	need(follower->bank_count > 0 && follower->bank_count <= ASSAY_MAX_BANKS, "banks");
	for (unsigned int i = 0; i < follower->bank_count; i++) {
		struct follower_bank *bank = &follower->banks[i];

		bank->alg = header->banks[i].alg;
		bank->size = digest_size(bank->alg);
		need(bank->size, "the size of bank %#x", bank->alg);
		memcpy(bank->value, header->banks[i].start, bank->size);
	}
}

/* Start, or start anew, at the head of a log that is in use. */
static inline void follow_start(struct follower *follower, const struct log *log)
{
	const struct assay_log_header header = follow_header(log);

	follow_from(follower, log, &header);
}

static inline void follow_end(struct follower *follower)
{
	free(follower->copy);
	follower->copy = NULL;
}

/* Bytes of the record at @bytes, 0 if it does not end within @size. What is read may be changing.
 */
static inline size_t follow_record_size(const uint8_t *bytes, size_t size)
{
	size_t at = 0;

	for (int tlvs = 0; tlvs < 4; tlvs++) {
		uint64_t length;

		if (size - at < 5)
			return 0;
		length = 5 + be(bytes + at + 1, 4);
		if (length > size - at)
			return 0;
		at += (size_t)length;
	}
	return at;
}

static inline enum followed follow_wrong(struct follower *follower, const char *what)
{
	follower->wrong = what;
	return FOLLOW_BAD;
}

/* The digests of a record against its content, and the replay. */
static inline bool follow_extend(struct follower *follower, const struct record *record)
{
	for (unsigned int i = 0; i < follower->bank_count; i++) {
		struct follower_bank *bank = &follower->banks[i];
		struct tlv digest = find_tlv(record->digests.value, record->digests.size,
					     ASSAY_CEL_DIGEST_TYPE(bank->alg));
		uint8_t chain[2 * ASSAY_MAX_DIGEST];

		memcpy(chain, bank->value, bank->size);
		sha(bank->size, record->content.whole, record->content.whole_size,
		    chain + bank->size);
		if (!digest.value || digest.size != bank->size ||
		    memcmp(digest.value, chain + bank->size, bank->size) != 0)
			return false;
		sha(bank->size, chain, 2 * (size_t)bank->size, bank->value);
	}
	return true;
}

/*
 * Takes the next record. A reader of a log that may be cut copies first and looks then
 * whether that was still there.
 */
static inline enum followed follow_next(struct follower *follower, struct record *record)
{
	const struct assay_log_header *header = follower->log->header;
	uint64_t available = follow_tail(follower->log) - follower->offset;
	const uint8_t *bytes = follower->log->ring + follower->offset % header->ring_size;
	size_t size, rest;

	if (!available)
		return FOLLOW_END;
	if (available > header->ring_size) /* so far behind that the ring has come round */
		return follow_head(follower->log) > follower->offset ?
			       FOLLOW_CUT :
			       follow_wrong(follower, "more than the ring holds");
	size = follow_record_size(bytes, (size_t)available);
	if (size > follower->copy_size) {
		follower->copy = realloc(follower->copy, size);
		need(follower->copy, "memory for a record");
		follower->copy_size = size;
	}
	if (size)
		memcpy(follower->copy, bytes, size);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (follow_head(follower->log) > follower->offset)
		return FOLLOW_CUT;

	bytes = follower->copy;
	rest = size;
	if (!size || !next_record(&bytes, &rest, record))
		return follow_wrong(follower, "no record");
	if (record->number != follower->number)
		return follow_wrong(follower, "not the number that comes next");
	if (record->pcr != header->pcr)
		return follow_wrong(follower, "another PCR");
	if (!follow_extend(follower, record))
		return follow_wrong(follower, "a digest is not that of the content");
	follower->offset += size;
	follower->number++;
	return FOLLOWED;
}

/* Whether the TPM's PCR is, in every bank, what the records so far make of it. */
static inline bool follow_matches_pcr(const struct follower *follower)
{
	for (unsigned int i = 0; i < follower->bank_count; i++) {
		const struct follower_bank *bank = &follower->banks[i];
		uint8_t value[ASSAY_MAX_DIGEST];

		if (!read_pcr(bank->alg, follower->log->header->pcr, value) ||
		    memcmp(value, bank->value, bank->size) != 0)
			return false;
	}
	return true;
}

#endif /* TESTS_KMOD_FOLLOW_H */
