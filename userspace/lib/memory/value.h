/* SPDX-License-Identifier: MIT */
/*
 * What a file of the module's sysfs says, as numbers: pure functions over its bytes. For
 * memory.c. A newline at the end belongs to the file, not to the value; all else that
 * does not belong there is an error.
 */
#ifndef ASSAY_MEMORY_VALUE_H
#define ASSAY_MEMORY_VALUE_H

#include "base/bytes.h"

/* value_text() - without the newline at the end */
struct bytes value_text(struct bytes file);

/* value_unsigned() - decimal digits, at most 2^64-1; -EBADMSG */
int value_unsigned(struct bytes file, uint64_t *ret, struct assay_error *err);

/* value_address() - "0x" and hexadecimal digits, at most 2^64-1; -EBADMSG */
int value_address(struct bytes file, uint64_t *ret, struct assay_error *err);

/**
 * struct value_condition - "full" or "none (WHY)"
 * @full: which
 * @why: why not, fit to print; empty if @full
 */
struct value_condition {
	bool full;
	char why[256];
};

/* value_condition() - -EBADMSG */
int value_condition(struct bytes file, struct value_condition *ret, struct assay_error *err);

#define VALUE_MAX_SLOTS 64

/**
 * struct value_latencies - how many of something took how long
 * @count: of @slots
 * @total: of all slots' counts
 * @slots: in growing order, none with a @count of 0; what is in a slot took less than
 *         @below_us microseconds, and no less than the slot before says
 */
struct value_latencies {
	size_t count;
	uint64_t total;
	struct value_slot {
		uint64_t below_us;
		uint64_t count;
	} slots[VALUE_MAX_SLOTS];
};

/* value_latencies() - "BELOW_US:COUNT ...", or nothing at all; -EBADMSG */
int value_latencies(struct bytes file, struct value_latencies *ret, struct assay_error *err);

/*
 * value_latency_below() - the time, in microseconds, that @percent (1 to 100) of them
 * stayed below; 0 if there are none
 */
uint64_t value_latency_below(const struct value_latencies *latencies, unsigned int percent);

#endif /* ASSAY_MEMORY_VALUE_H */
