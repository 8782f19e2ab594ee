// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "verify/state.h"
#include "verity/verity.h"

#define WHAT "the device's state"

#define STATE_MAGIC 0xa5
#define STATE_VERSION 1
#define BOOT_ID_SIZE 16
#define SHARE(array) (sizeof(array) / sizeof((array)[0]))

/* Of which bit n of passed and failed is: only added to, whatever becomes of enum check. */
static const enum check carried[] = {
	CHECK_UEFI_LOG_PARSED,	    CHECK_UEFI_LOG_REPLAY,	 CHECK_UEFI_LOG_EVENTS,
	CHECK_FIRMWARE_SECURE_BOOT, CHECK_FIRMWARE_KEYS,	 CHECK_FIRMWARE_DBX,
	CHECK_FIRMWARE_AUTHORITIES, CHECK_FIRMWARE_PLATFORM,	 CHECK_FIRMWARE_DRIVERS,
	CHECK_FIRMWARE_PROGRAMS,    CHECK_FIRMWARE_FILES,	 CHECK_FIRMWARE_SECTIONS,
	CHECK_FIRMWARE_MOK,	    CHECK_FIRMWARE_COMMAND_LINE, CHECK_FIRMWARE_PHASES,
	CHECK_FIRMWARE_SEPARATOR,   CHECK_IMA_BOOT_AGGREGATE,	 CHECK_IMA_LOG_ENTRIES,
	CHECK_IMA_LOG_VIOLATIONS,   CHECK_IMA_SIGNATURES,	 CHECK_IMA_FILES_MATCH,
	CHECK_IMA_FILES_KNOWN,	    CHECK_FILES_MEASURED,	 CHECK_FILES_FILESYSTEM,
	CHECK_FILES_KNOWN,	    CHECK_FILES_MATCH,
};

_Static_assert(SHARE(carried) <= 32, "a bit each");

check_mask state_carried(void)
{
	check_mask checks = 0;

	for (size_t i = 0; i < SHARE(carried); i++)
		checks |= CHECK_BIT(carried[i]);
	return checks;
}

bool state_goes_on(const struct verify_state *state, const struct assay_digest *references)
{
	return state->goes_on && state->references.size > 0 &&
	       verity_digest_equal(&state->references, references);
}

static uint32_t pack_checks(check_mask checks)
{
	uint32_t packed = 0;

	for (size_t i = 0; i < SHARE(carried); i++)
		if (checks & CHECK_BIT(carried[i]))
			packed |= UINT32_C(1) << i;
	return packed;
}

static bool unpack_checks(uint32_t packed, check_mask *ret)
{
	*ret = 0;
	for (size_t i = 0; i < SHARE(carried); i++)
		if (packed & UINT32_C(1) << i)
			*ret |= CHECK_BIT(carried[i]);
	return pack_checks(*ret) == packed;
}

/* ---------------------------------------------------------------- its members, each once */

/* What is true or false, bit n of the flags each. */
#define FLAGS(state)                                                       \
	{                                                                  \
		&(state)->late_tpm, &(state)->writable, &(state)->goes_on, \
			&(state)->unknown_files, &(state)->mirrored        \
	}
#define FLAG_BOOT_ID (1U << 15)

#define DIGESTS(state)                                                                         \
	{                                                                                      \
		&(state)->value, &(state)->next_key, &(state)->complete, &(state)->references, \
			&(state)->ima.value, &(state)->ima.aggregate, &(state)->firmware.log,  \
			&(state)->firmware.pcrs                                                \
	}

#define COUNTS(state)                                                              \
	{                                                                          \
		&(state)->kexecs, &(state)->ima.entries, &(state)->ima.aggregates, \
			&(state)->ima.zeros, &(state)->firmware.size               \
	}

/* ---------------------------------------------------------------- writing */

static void put_boot_id(const char *text, struct buffer *out)
{
	static const uint8_t none[BOOT_ID_SIZE];
	char hex[2 * BOOT_ID_SIZE + 1] = "";
	uint8_t id[BOOT_ID_SIZE];
	size_t used = 0, size = 0;

	for (; *text && used < 2 * (size_t)BOOT_ID_SIZE; text++)
		if (*text != '-')
			hex[used++] = *text;
	if (hex_decode(hex, id, sizeof(id), &size) < 0 || size != sizeof(id))
		buffer_append(out, none, sizeof(none));
	else
		buffer_append(out, id, sizeof(id));
}

static void put_digest(const struct assay_digest *digest, struct buffer *out)
{
	buffer_append_be16(out, digest->size > 0 ? (uint16_t)digest->hash : 0);
	buffer_append(out, digest->bytes, digest->size);
}

static void put_manifests(const struct verify_state *state, struct buffer *out)
{
	buffer_append_u8(out, (uint8_t)state->manifest_count);
	for (size_t i = 0; i < state->manifest_count; i++) {
		size_t length = strlen(state->manifests[i].product);

		buffer_append_u8(out, (uint8_t)length);
		buffer_append(out, state->manifests[i].product, length);
		buffer_append_be64(out, state->manifests[i].created);
	}
}

void state_to_bytes(const struct verify_state *state, struct buffer *out)
{
	const bool *const flags[] = FLAGS(state);
	const struct assay_digest *const digests[] = DIGESTS(state);
	const uint64_t *const counts[] = COUNTS(state);
	uint16_t bits = state->boot_id[0] ? FLAG_BOOT_ID : 0;

	for (size_t i = 0; i < SHARE(flags); i++)
		bits |= (uint16_t)(*flags[i] ? 1U << i : 0);
	buffer_append_u8(out, STATE_MAGIC);
	buffer_append_u8(out, STATE_VERSION);
	buffer_append_be16(out, bits);
	buffer_append_be32(out, state->reset_count);
	buffer_append_be32(out, state->restart_count);
	buffer_append_be64(out, state->clock);
	buffer_append_be64(out, state->firmware_version);
	buffer_append_be64(out, state->verified);
	buffer_append_be64(out, state->records);
	put_boot_id(state->boot_id, out);
	for (size_t i = 0; i < SHARE(digests); i++)
		put_digest(digests[i], out);
	for (size_t i = 0; i < SHARE(counts); i++)
		buffer_append_be64(out, *counts[i]);
	buffer_append_be32(out, pack_checks(state->passed));
	buffer_append_be32(out, pack_checks(state->failed));
	put_manifests(state, out);
	buffer_append_be16(out, (uint16_t)state->seen_size);
	buffer_append(out, state->seen, state->seen_size);
}

/* ---------------------------------------------------------------- reading */

bool state_are_bytes(struct bytes bytes)
{
	return bytes.size > 0 && bytes.data[0] == STATE_MAGIC;
}

static int fail_cut(struct assay_error *err)
{
	return assay_fail(err, EBADMSG, WHAT " is cut, or a number in it is off");
}

static bool take_boot_id(struct bytes *in, bool there, char *ret)
{
	char hex[2 * BOOT_ID_SIZE + 1], *at = ret;
	struct bytes id;

	if (!bytes_take(in, BOOT_ID_SIZE, &id))
		return false;
	if (!there)
		return bytes_are_zero(id);
	hex_encode(id, hex);
	for (size_t i = 0; i < 2 * (size_t)BOOT_ID_SIZE; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*at++ = '-';
		*at++ = hex[i];
	}
	*at = '\0';
	return true;
}

static bool take_digest(struct bytes *in, struct assay_digest *ret)
{
	struct bytes digest;
	uint16_t hash;

	if (!bytes_take_be16(in, &hash))
		return false;
	if (hash == 0)
		return true;
	ret->hash = (enum assay_hash)hash;
	ret->size = assay_hash_size(ret->hash);
	if (ret->size == 0 || !bytes_take(in, ret->size, &digest))
		return false;
	memcpy(ret->bytes, digest.data, digest.size);
	return true;
}

static bool take_manifests(struct bytes *in, struct verify_state *state)
{
	uint8_t count, length;
	struct bytes product;

	if (!bytes_take_u8(in, &count) || count > VERIFY_STATE_PRODUCTS)
		return false;
	for (; state->manifest_count < count; state->manifest_count++) {
		char *name = state->manifests[state->manifest_count].product;

		if (!bytes_take_u8(in, &length) || length > MANIFEST_PRODUCT_MAX ||
		    !bytes_take(in, length, &product) ||
		    (length > 0 && memchr(product.data, '\0', length)) ||
		    !bytes_take_be64(in, &state->manifests[state->manifest_count].created))
			return false;
		if (length > 0)
			memcpy(name, product.data, length);
	}
	return true;
}

static bool take_seen(struct bytes *in, struct verify_state *state)
{
	struct bytes seen;
	uint16_t size;

	if (!bytes_take_be16(in, &size) || size > sizeof(state->seen) ||
	    !bytes_take(in, size, &seen))
		return false;
	state->seen_size = size;
	if (size > 0)
		memcpy(state->seen, seen.data, size);
	return true;
}

static bool take_head(struct bytes *in, struct verify_state *state)
{
	bool *const flags[] = FLAGS(state);
	uint16_t bits;

	if (!bytes_take_be16(in, &bits) ||
	    (bits & ~(FLAG_BOOT_ID | ((1U << SHARE(flags)) - 1))) != 0)
		return false;
	for (size_t i = 0; i < SHARE(flags); i++)
		*flags[i] = (bits >> i & 1) != 0;
	return bytes_take_be32(in, &state->reset_count) &&
	       bytes_take_be32(in, &state->restart_count) && bytes_take_be64(in, &state->clock) &&
	       bytes_take_be64(in, &state->firmware_version) &&
	       bytes_take_be64(in, &state->verified) && bytes_take_be64(in, &state->records) &&
	       take_boot_id(in, (bits & FLAG_BOOT_ID) != 0, state->boot_id);
}

static bool take_numbers(struct bytes *in, struct verify_state *state)
{
	struct assay_digest *const digests[] = DIGESTS(state);
	uint64_t *const counts[] = COUNTS(state);
	uint32_t passed, failed;

	for (size_t i = 0; i < SHARE(digests); i++)
		if (!take_digest(in, digests[i]))
			return false;
	for (size_t i = 0; i < SHARE(counts); i++)
		if (!bytes_take_be64(in, counts[i]))
			return false;
	return bytes_take_be32(in, &passed) && bytes_take_be32(in, &failed) &&
	       unpack_checks(passed, &state->passed) && unpack_checks(failed, &state->failed);
}

/* What cannot be together, whoever wrote it. */
static int check_sense(const struct verify_state *state, struct assay_error *err)
{
	if (state->value.size == 0 && state->records > 0)
		return assay_fail(err, EBADMSG, WHAT ": there are records, and no PCR of theirs");
	if (state->ima.value.size == 0 && state->ima.entries > 0)
		return assay_fail(err, EBADMSG,
				  WHAT ": there are entries of IMA, and no PCR of theirs");
	if (state->next_key.size > 0 && state->next_key.hash != ASSAY_HASH_SHA256)
		return assay_fail(err, EBADMSG, WHAT ": the next key's is no SHA-256 digest");
	if (state->passed & state->failed)
		return assay_fail(err, EBADMSG, WHAT ": a check has both passed and failed");
	return 0;
}

int state_from_bytes(struct bytes bytes, struct verify_state *ret, struct assay_error *err)
{
	struct verify_state state = { 0 };
	uint8_t magic, version;
	int r;

	if (bytes.size > STATE_BYTES_MAX)
		return assay_fail(err, EBADMSG, WHAT " has %zu bytes; at most %d are read",
				  bytes.size, STATE_BYTES_MAX);
	if (!bytes_take_u8(&bytes, &magic) || magic != STATE_MAGIC ||
	    !bytes_take_u8(&bytes, &version))
		return assay_fail(err, EBADMSG, WHAT " does not begin as one");
	if (version != STATE_VERSION)
		return assay_fail(err, EBADMSG, WHAT " is of version %u; version %d is known",
				  version, STATE_VERSION);
	if (!take_head(&bytes, &state) || !take_numbers(&bytes, &state) ||
	    !take_manifests(&bytes, &state) || !take_seen(&bytes, &state))
		return fail_cut(err);
	if (bytes.size > 0)
		return assay_fail(err, EBADMSG, WHAT " has %zu bytes behind its end", bytes.size);
	r = check_sense(&state, err);
	if (r == 0)
		*ret = state;
	return r;
}
