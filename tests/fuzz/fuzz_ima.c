// SPDX-License-Identifier: MIT
/* Fuzzing the reader of IMA's measurement lists; the first byte chooses the bank. */
#include <stdint.h>
#include <stdlib.h>

#include "log/ima.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct bytes part, struct bytes whole)
{
	if (part.size > 0 &&
	    (part.data < whole.data || part.data + part.size > whole.data + whole.size))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						 ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };
	struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct hasher hasher;
	struct ima_reader reader;
	struct ima_entry entry;
	struct assay_error err;
	enum assay_hash bank;

	if (size == 0)
		return 0;
	if (hasher_open(&hasher, ASSAY_HASH_SHA256, &err) < 0)
		abort();
	ima_begin(&reader, BYTES(data + 1, size - 1), banks[data[0] % 4]);
	while (ima_next(&reader, &entry, &err) == 1) {
		/* Whatever is accepted replays, and what is handed out is within the entry. */
		if (ima_extend(&entry, &hasher, &value, &err) < 0)
			abort();
		within(entry.path, entry.data);
		within(entry.digest, entry.data);
		within(entry.signature, entry.data);
		within(entry.buffer, entry.data);
		within(entry.modsig_digest, entry.data);
		within(entry.modsig, entry.data);
		within(entry.evm_signature, entry.data);
		within(entry.xattr_names, entry.data);
		within(entry.xattr_lengths, entry.data);
		within(entry.xattr_values, entry.data);
		if ((!entry.known || entry.problem) && (entry.path.data || entry.digest.data))
			abort();
	}
	if (reader.offset + reader.rest.size != size - 1)
		abort();
	(void)ima_detect_bank(BYTES(data + 1, size - 1), &bank, &err);
	hasher_close(&hasher);
	return 0;
}
