// SPDX-License-Identifier: MIT
/*
 * The PCR that IMA extends, as the kernel shows it (/sys/class/tpm/tpm0/pcr-BANK/N, Linux 5.12).
 *
 * The kernel puts an entry into its list and extends the PCR after that. So the PCR is read before
 * the list: what it was then is what the entries came to at one of those that were read.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "ima_keeper.h"

static const enum assay_hash known[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384, ASSAY_HASH_SHA512,
					 ASSAY_HASH_SHA1 };

#define KNOWN (sizeof(known) / sizeof(known[0]))

static bool read_value(const struct config *config, enum assay_hash hash, struct assay_digest *ret)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	char path[IMA_PATH_MAX], hex[2 * ASSAY_DIGEST_MAX + 1];
	size_t size = assay_hash_size(hash), got;

	snprintf(path, sizeof(path), "%s/pcr-%s/%u", config->ima.tpm, assay_hash_name(hash),
		 (unsigned int)config->ima.pcr);
	if (file_read(path, 2 * ASSAY_DIGEST_MAX + 1, &text, NULL) < 0 || text.size < 2 * size)
		return false;
	memcpy(hex, text.data, 2 * size);
	hex[2 * size] = '\0';
	*ret = (struct assay_digest){ .hash = hash, .size = size };
	return hex_decode(hex, ret->bytes, size, &got) == 0 && got == size;
}

size_t ima_pcr_banks(const struct config *config, enum assay_hash banks[HASHERS_MAX])
{
	struct assay_digest value;
	size_t count = 0;

	_Static_assert(KNOWN <= HASHERS_MAX, "room for all");
	for (size_t i = 0; i < KNOWN; i++)
		if (read_value(config, known[i], &value))
			banks[count++] = known[i];
	return count;
}

void ima_pcr_extended(const struct config *config, struct assay_digest *ret)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (read_value(config, known[i], ret) &&
		    !bytes_are_zero(BYTES(ret->bytes, ret->size)))
			return;
	*ret = (struct assay_digest){ 0 };
}

void ima_pcr_read(struct ima_keeper *keeper)
{
	keeper->expected_count = 0;
	keeper->reached = false;
	for (size_t i = 0; i < keeper->bank_count; i++)
		if (read_value(keeper->service->config, keeper->banks[i],
			       &keeper->expected[keeper->expected_count]))
			keeper->expected_count++;
	ima_pcr_compare(keeper);
}

void ima_pcr_compare(struct ima_keeper *keeper)
{
	const struct config *config = keeper->service->config;

	if (keeper->expected_count == 0 || keeper->running.entries == 0)
		return;
	for (size_t i = 0; i < keeper->expected_count; i++) {
		const struct assay_digest *expected = &keeper->expected[i];
		const struct assay_digest *value = ima_running_value(
			&keeper->running, expected->hash, (unsigned int)config->ima.pcr);

		if (!value || memcmp(value->bytes, expected->bytes, expected->size) != 0)
			return;
	}
	keeper->reached = true;
	keeper->verified = keeper->running.entries;
}

static bool is_untouched(const struct ima_keeper *keeper)
{
	for (size_t i = 0; i < keeper->expected_count; i++)
		if (!bytes_are_zero(BYTES(keeper->expected[i].bytes, keeper->expected[i].size)))
			return false;
	return true;
}

void ima_pcr_judge(struct ima_keeper *keeper)
{
	const struct config *config = keeper->service->config;
	const char *part = keeper->part->name;

	if (keeper->expected_count == 0 || keeper->running.entries == 0)
		return;
	if (keeper->reached)
		keeper->anchor = IMA_VERIFIED;
	else if (is_untouched(keeper) && keeper->verified == 0)
		keeper->anchor = IMA_BYPASSED;
	else
		keeper->anchor = IMA_DIFFERS;
	if (keeper->anchor != IMA_DIFFERS) {
		problem_clear(keeper->service, part, "pcr");
		return;
	}
	problem_set(keeper->service, part, "pcr",
		    "IMA's list does not come to PCR %u: the first %llu of its %llu entries do. "
		    "Something else has extended the PCR, or entries were deleted before they were "
		    "archived; a verifier will refuse the list until the next boot",
		    (unsigned int)config->ima.pcr, (unsigned long long)keeper->verified,
		    (unsigned long long)keeper->running.entries);
}
