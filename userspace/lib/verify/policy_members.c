// SPDX-License-Identifier: MIT
/* The members of a policy: what each of them says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/ima.h"
#include "log/uefi.h"
#include "verify/evidence.h"
#include "verify/policy_values.h"
#include "verify/structures.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define MAX_SECONDS (UINT64_C(100) * 366 * 24 * 60 * 60)

/* ---------------------------------------------------------------- the top */

static int read_version(struct policy_parser *parser, const char *path, const json_t *value)
{
	if (json_is_integer(value) && json_integer_value(value) == 1)
		return 0;
	return policy_refuse(parser, path, "is not 1, the version that is known");
}

static int read_type(struct policy_parser *parser, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);

	if (text && strcmp(text, "policy") == 0)
		return 0;
	return policy_refuse(parser, path, "is not \"policy\"");
}

static int read_description(struct policy_parser *parser, const char *path, const json_t *value)
{
	return policy_read_text(parser, path, value, &parser->policy->description);
}

static int read_nonce_bytes(struct policy_parser *parser, const char *path, const json_t *value)
{
	uint64_t size = 0;
	int r;

	if (json_is_integer(value) && json_integer_value(value) == 0)
		parser->policy->rules.no_nonce = true;
	else {
		r = policy_read_number(parser, path, value, 8, EVIDENCE_MAX_NONCE, &size);
		if (r < 0)
			return r;
	}
	parser->policy->rules.nonce_size = (size_t)size;
	return 0;
}

static int read_max_age(struct policy_parser *parser, const char *path, const json_t *value)
{
	return policy_read_number(parser, path, value, 1, MAX_SECONDS,
				  &parser->policy->rules.max_age);
}

/* "root" is the name of before, for which there is "strip_prefix" now. */
static int read_strip_prefix(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	int r;

	if (rules->prefix)
		return policy_refuse(
			parser, path,
			"is there twice: \"root\" is the old name of \"strip_prefix\"");
	r = policy_read_text(parser, path, value, &rules->prefix);
	if (r == 0 && rules->prefix[0] != '/')
		return policy_refuse(parser, path, "is not an absolute path");
	return r;
}

static int read_start(struct policy_parser *parser, const char *path, const json_t *value)
{
	return policy_read_digests(parser, path, value, &parser->policy->rules.starts,
				   &parser->policy->rules.start_count);
}

static int read_check_name(struct policy_parser *parser, const char *path, const char *name,
			   enum check *ret)
{
	if (!check_by_name(name, ret))
		return policy_refuse(parser, path, "names no check; assay-verify(1) has all");
	return 0;
}

static int read_require(struct policy_parser *parser, const char *path, const json_t *value)
{
	int r = policy_read_array(parser, path, value);

	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		const char *name = json_string_value(json_array_get(value, i));
		char inner[POLICY_PATH];
		enum check check = CHECK_COUNT;

		policy_item_path(inner, path, i);
		r = read_check_name(parser, inner, name ? name : "", &check);
		if (r < 0)
			return r;
		if (parser->policy->said.required & CHECK_BIT(check))
			return policy_refuse(parser, inner, "is named already");
		parser->policy->said.required |= CHECK_BIT(check);
	}
	return r;
}

static int read_waive(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct policy *policy = parser->policy;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return policy_refuse(parser, path, "is not an object of checks and reasons");
	policy->waivers =
		policy_allocate(parser, json_object_size(value), sizeof(*policy->waivers));
	if (!policy->waivers)
		return -ENOMEM;
	json_object_foreach((json_t *)value, name, item) {
		struct policy_waiver *waiver = &policy->waivers[policy->waiver_count];
		char inner[POLICY_PATH];
		int r;

		policy_inner_path(inner, path, name);
		r = read_check_name(parser, inner, name, &waiver->check);
		if (r == 0)
			r = policy_read_text(parser, inner, item, &waiver->reason);
		if (r < 0)
			return r;
		if (!check_waivable(waiver->check))
			return policy_refuse(
				parser, inner,
				"cannot be waived: nothing could be trusted without it");
		policy->said.waived |= CHECK_BIT(waiver->check);
		policy->waiver_count++;
	}
	return 0;
}

/* ---------------------------------------------------------------- algorithms */

struct algorithm {
	const char *name;
	uint32_t bit;
};

/* Replaces, of the accepted algorithms, those of a table by those that are named. */
static int read_algorithms(struct policy_parser *parser, const char *path, const json_t *value,
			   const struct algorithm table[], size_t count)
{
	uint32_t all = 0, named = 0;
	int r = policy_read_array(parser, path, value);

	for (size_t i = 0; i < count; i++)
		all |= table[i].bit;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		const char *name = json_string_value(json_array_get(value, i));
		char inner[POLICY_PATH];
		size_t j = 0;

		policy_item_path(inner, path, i);
		while (j < count && (!name || strcmp(table[j].name, name) != 0))
			j++;
		if (j == count)
			return policy_refuse(parser, inner, "is no algorithm that can be accepted");
		named |= table[j].bit;
	}
	parser->policy->rules.algorithms &= ~all;
	parser->policy->rules.algorithms |= named;
	return r;
}

static int read_signatures(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct algorithm table[] = { { "rsassa", VERIFY_RSASSA },
						  { "rsapss", VERIFY_RSAPSS },
						  { "ecdsa", VERIFY_ECDSA } };

	return read_algorithms(parser, path, value, table, COUNT_OF(table));
}

static int read_hashes(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct algorithm table[] = { { "sha256", VERIFY_SHA256 },
						  { "sha384", VERIFY_SHA384 },
						  { "sha512", VERIFY_SHA512 } };

	return read_algorithms(parser, path, value, table, COUNT_OF(table));
}

static int read_curves(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct algorithm table[] = { { "p256", VERIFY_P256 },
						  { "p384", VERIFY_P384 } };

	return read_algorithms(parser, path, value, table, COUNT_OF(table));
}

static int read_rsa_bits(struct policy_parser *parser, const char *path, const json_t *value)
{
	uint64_t bits = 0;
	int r = policy_read_number(parser, path, value, 2048, 16384, &bits);

	if (r == 0)
		parser->policy->rules.rsa_bits = (unsigned int)bits;
	return r;
}

static int read_accepted(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "signatures", .read = read_signatures },
		{ "hashes", .read = read_hashes },
		{ "curves", .read = read_curves },
		{ "rsa_bits", .read = read_rsa_bits },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

/* ---------------------------------------------------------------- PCRs */

/*
 * A PCR that anchors a log. Two of them anybody may reset (PC Client Platform TPM Profile,
 * section 4.6.2): a log would replay to them that was begun anew.
 */
static int read_log_pcr(struct policy_parser *parser, const char *path, const json_t *value,
			unsigned int *ret)
{
	int r = policy_read_pcr(parser, path, value, ret);

	if (r == 0 && (*ret == 16 || *ret == 23))
		return policy_refuse(parser, path,
				     "is PCR %u, which anybody may reset: it cannot anchor a log",
				     *ret);
	return r;
}

static int read_assay_pcr(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_log_pcr(parser, path, value, &parser->policy->rules.assay_pcr);
}

static int read_ima_pcr(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_log_pcr(parser, path, value, &parser->policy->rules.ima_pcr);
}

/* An array of PCRs, each once; bit n of *ret for PCR n. */
static int read_pcr_mask(struct policy_parser *parser, const char *path, const json_t *value,
			 uint32_t *ret)
{
	int r = policy_read_array(parser, path, value);

	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[POLICY_PATH];
		unsigned int index = 0;

		policy_item_path(inner, path, i);
		r = policy_read_pcr(parser, inner, json_array_get(value, i), &index);
		if (r == 0 && *ret & UINT32_C(1) << index)
			return policy_refuse(parser, inner, "is named already");
		*ret |= UINT32_C(1) << index;
	}
	return r;
}

static int read_pcrs_required(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_pcr_mask(parser, path, value, &parser->policy->said.pcrs);
}

/* "sha256:7" */
static bool read_bank_index(const char *text, struct policy_pcr *ret)
{
	const char *colon = strchr(text, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	char name[8];

	if (!colon || (size_t)(colon - text) >= sizeof(name) || digits < 1 || digits > 2 ||
	    colon[1 + digits] != '\0' || (digits == 2 && colon[1] == '0'))
		return false;
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	ret->bank = assay_hash_by_name(name);
	ret->index = (unsigned int)strtoul(colon + 1, NULL, 10);
	return ret->bank != ASSAY_HASH_NONE && ret->index < TPM_PCR_COUNT;
}

static int read_pcr_value(struct policy_parser *parser, const char *path, const json_t *value,
			  struct policy_pcr *pcr)
{
	struct assay_digest *values;
	int r = policy_read_array(parser, path, value);

	if (r < 0)
		return r;
	if (json_array_size(value) == 0)
		return policy_refuse(parser, path, "is empty: no value could fulfil it");
	values = policy_allocate(parser, json_array_size(value), sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *text = json_string_value(json_array_get(value, i));
		char inner[POLICY_PATH];

		policy_item_path(inner, path, i);
		values[i].hash = pcr->bank;
		if (!text ||
		    hex_decode(text, values[i].bytes, ASSAY_DIGEST_MAX, &values[i].size) < 0 ||
		    values[i].size != assay_hash_size(pcr->bank))
			return policy_refuse(parser, inner,
					     "is not a value of %zu bytes in hexadecimal",
					     assay_hash_size(pcr->bank));
	}
	pcr->values = values;
	pcr->count = json_array_size(value);
	return 0;
}

static int read_pcr_values(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	struct policy_pcr *pcrs;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return policy_refuse(parser, path, "is not an object");
	pcrs = policy_allocate(parser, json_object_size(value) + 1, sizeof(*pcrs));
	if (!pcrs)
		return -ENOMEM;
	json_object_foreach((json_t *)value, name, item) {
		struct policy_pcr *pcr = &pcrs[rules->pcr_value_count];
		char inner[POLICY_PATH];
		int r;

		policy_inner_path(inner, path, name);
		if (!read_bank_index(name, pcr))
			return policy_refuse(parser, inner,
					     "names no PCR of a bank, as \"sha256:7\" does");
		r = read_pcr_value(parser, inner, item, pcr);
		if (r < 0)
			return r;
		rules->pcr_value_count++;
	}
	rules->pcr_values = pcrs;
	return 0;
}

static int read_pcrs(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "required", .read = read_pcrs_required },
		{ "assay", .read = read_assay_pcr },
		{ "ima", .read = read_ima_pcr },
		{ "values", .read = read_pcr_values },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

/* ---------------------------------------------------------------- reference values */

static int read_manifests(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct policy *policy = parser->policy;
	int r = policy_read_array(parser, path, value);

	if (r < 0)
		return r;
	policy->manifests =
		policy_allocate(parser, json_array_size(value) + 1, sizeof(*policy->manifests));
	if (!policy->manifests)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[POLICY_PATH];

		policy_item_path(inner, path, i);
		r = policy_read_text(parser, inner, json_array_get(value, i),
				     &policy->manifests[i]);
		policy->manifest_count += r == 0;
	}
	return r;
}

/* "signer.pem", or {"pem": "-----BEGIN CERTIFICATE-----..."} */
static int read_certificates(struct policy_parser *parser, const char *path, const json_t *value)
{
	return policy_read_files(parser, path, value, &parser->policy->certificates,
				 &parser->policy->certificate_count);
}

/* {"path": ..., "reason": ..., "digests": [...]} */
static int read_allowed_path(struct policy_parser *parser, const char *path, const json_t *value,
			     struct policy_path *ret)
{
	const char *name;
	json_t *item;
	int r = 0;

	if (!json_is_object(value))
		return policy_refuse(parser, path, "is not an object");
	json_object_foreach((json_t *)value, name, item) {
		char inner[POLICY_PATH];

		policy_inner_path(inner, path, name);
		if (strcmp(name, "path") == 0)
			r = policy_read_text(parser, inner, item, &ret->path);
		else if (strcmp(name, "reason") == 0)
			r = policy_read_text(parser, inner, item, &ret->reason);
		else if (strcmp(name, "digests") == 0)
			r = policy_read_digests(parser, inner, item, &ret->digests, &ret->count);
		else
			return policy_refuse(parser, inner, "is not known; see assay-policy(5)");
		if (r < 0)
			return r;
	}
	if (!ret->path)
		return policy_refuse(parser, path, "has no \"path\"");
	if (!ret->reason)
		return policy_refuse(parser, path, "has no \"reason\": say why it is allowed");
	return 0;
}

/* In the order in which the verifier searches; names that IMA writes alike in their own. */
static int compare_paths(const void *a, const void *b)
{
	const char *first = ((const struct policy_path *)a)->path;
	const char *second = ((const struct policy_path *)b)->path;
	int order = ima_name_compare(BYTES((const uint8_t *)first, strlen(first)),
				     BYTES((const uint8_t *)second, strlen(second)));

	return order != 0 ? order : strcmp(first, second);
}

static int read_allow(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	struct policy_path *paths;
	int r = policy_read_array(parser, path, value);

	if (r < 0)
		return r;
	paths = policy_allocate(parser, json_array_size(value) + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[POLICY_PATH];

		policy_item_path(inner, path, i);
		r = read_allowed_path(parser, inner, json_array_get(value, i), &paths[i]);
	}
	if (r < 0)
		return r;
	qsort(paths, json_array_size(value), sizeof(*paths), compare_paths);
	rules->allowed = paths;
	rules->allowed_count = json_array_size(value);
	return r;
}

/* ---------------------------------------------------------------- logs and device */

static int read_presence(struct policy_parser *parser, const char *path, const json_t *value,
			 enum verify_log log)
{
	static const struct {
		const char *word;
		enum log_presence presence;
	} words[] = {
		{ "required", PRESENCE_REQUIRED },
		{ "optional", PRESENCE_OPTIONAL },
		{ "absent", PRESENCE_ABSENT },
	};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < COUNT_OF(words); i++)
		if (strcmp(text, words[i].word) == 0) {
			parser->policy->said.logs[log] = words[i].presence;
			return 0;
		}
	return policy_refuse(parser, path, "is none of \"required\", \"optional\" and \"absent\"");
}

static int read_has_assay(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_presence(parser, path, value, VERIFY_LOG_ASSAY);
}

static int read_has_ima(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_presence(parser, path, value, VERIFY_LOG_IMA);
}

static int read_has_uefi(struct policy_parser *parser, const char *path, const json_t *value)
{
	return read_presence(parser, path, value, VERIFY_LOG_UEFI);
}

static int read_logs(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "assay_log", .read = read_has_assay },
		{ "ima", .read = read_has_ima },
		{ "uefi", .read = read_has_uefi },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

static int read_log(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "unknown_records", .key = POLICY_KEY_UNKNOWN_RECORDS },
		{ "trimmed", .key = POLICY_KEY_TRIMMED },
		{ "late_tpm", .key = POLICY_KEY_LATE_TPM },
		{ "protection", .key = POLICY_KEY_PROTECTION },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

/* {"/usr/bin/x": ["sha256:HEX", ...]} */
static int read_ima_digests(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	struct policy_path *digests;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return policy_refuse(parser, path, "is not an object of paths and digests");
	digests = policy_allocate(parser, json_object_size(value) + 1, sizeof(*digests));
	if (!digests)
		return -ENOMEM;
	json_object_foreach((json_t *)value, name, item) {
		struct policy_path *reference = &digests[rules->ima_digest_count];
		char inner[POLICY_PATH];
		int r;

		policy_inner_path(inner, path, name);
		reference->path = name;
		r = policy_read_digests(parser, inner, item, &reference->digests,
					&reference->count);
		if (r < 0)
			return r;
		rules->ima_digest_count++;
	}
	qsort(digests, rules->ima_digest_count, sizeof(*digests), compare_paths);
	rules->ima_digests = digests;
	return 0;
}

static int read_ima_certificates(struct policy_parser *parser, const char *path,
				 const json_t *value)
{
	return policy_read_files(parser, path, value, &parser->policy->ima_certificates,
				 &parser->policy->ima_certificate_count);
}

static int read_ima(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "required", .key = POLICY_KEY_IMA },
		{ "violations", .key = POLICY_KEY_VIOLATIONS },
		{ "unknown_templates", .key = POLICY_KEY_UNKNOWN_TEMPLATES },
		{ "boot_aggregate", .key = POLICY_KEY_BOOT_AGGREGATE },
		{ "unknown_files", .key = POLICY_KEY_UNKNOWN_FILES },
		{ "digests", .read = read_ima_digests },
		{ "certificates", .read = read_ima_certificates },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

/* Rules of the firmware's log that may be broken. */
static int read_uefi_accept(struct policy_parser *parser, const char *path, const json_t *value)
{
	uint32_t *accepted = &parser->policy->rules.uefi_accepted;
	int r = policy_read_array(parser, path, value);

	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		const char *name = json_string_value(json_array_get(value, i));
		char inner[POLICY_PATH];
		enum uefi_rule rule;

		policy_item_path(inner, path, i);
		if (!name || !uefi_rule_by_name(name, &rule))
			return policy_refuse(parser, inner,
					     "names no rule of the firmware's log; assay-replay(1) "
					     "has all");
		if (*accepted & UINT32_C(1) << rule)
			return policy_refuse(parser, inner, "is named already");
		*accepted |= UINT32_C(1) << rule;
	}
	return r;
}

static int read_extended_later(struct policy_parser *parser, const char *path, const json_t *value)
{
	uint32_t *later = &parser->policy->rules.uefi_extended_later;
	int r = read_pcr_mask(parser, path, value, later);

	if (r == 0 && *later & ((UINT32_C(1) << FIRMWARE_PCRS) - 1))
		return policy_refuse(parser, path,
				     "names a PCR below 8: those are the firmware's alone");
	return r;
}

static int read_uefi(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "log", .key = POLICY_KEY_UEFI_LOG },
		{ "accept", .read = read_uefi_accept },
		{ "extended_later", .read = read_extended_later },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

static int read_device(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "reset", .key = POLICY_KEY_RESET },
		{ "suspend", .key = POLICY_KEY_SUSPEND },
		{ "firmware", .key = POLICY_KEY_FIRMWARE },
		{ "clock", .key = POLICY_KEY_CLOCK },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

/* ---------------------------------------------------------------- manifests */

static int read_min_created(struct policy_parser *parser, const char *path, const json_t *value)
{
	return policy_read_time(parser, path, value, &parser->policy->rules.manifest_min_created);
}

static int read_manifest_id(struct policy_parser *parser, const char *path, const json_t *value)
{
	return policy_read_text(parser, path, value, &parser->policy->rules.manifest_id);
}

static int read_manifest_product(struct policy_parser *parser, const char *path,
				 const json_t *value)
{
	return policy_read_text(parser, path, value, &parser->policy->rules.manifest_product);
}

static int read_manifest_signers(struct policy_parser *parser, const char *path,
				 const json_t *value)
{
	uint64_t count = 0;
	int r = policy_read_number(parser, path, value, 1, 2, &count);

	parser->policy->rules.manifest_signers = (unsigned int)count;
	return r;
}

static int read_manifest(struct policy_parser *parser, const char *path, const json_t *value)
{
	static const struct policy_member members[] = {
		{ "min_created", .read = read_min_created },
		{ "id", .read = read_manifest_id },
		{ "product", .read = read_manifest_product },
		{ "signers", .read = read_manifest_signers },
		{ "file_signature", .key = POLICY_KEY_FILE_SIGNATURE },
	};

	return policy_read_object(parser, path, value, members, COUNT_OF(members));
}

static int read_filesystems(struct policy_parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	uint8_t(*uuids)[16];
	int r = policy_read_array(parser, path, value);

	if (r < 0)
		return r;
	if (json_array_size(value) == 0)
		return policy_refuse(parser, path, "is empty: no file could fulfil it");
	uuids = policy_allocate(parser, json_array_size(value), sizeof(*uuids));
	if (!uuids)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[POLICY_PATH];

		policy_item_path(inner, path, i);
		r = policy_read_uuid(parser, inner, json_array_get(value, i), uuids[i]);
	}
	rules->filesystems = (const uint8_t(*)[16])uuids;
	rules->filesystem_count = json_array_size(value);
	return r;
}

/* ---------------------------------------------------------------- the whole */

int policy_read_members(struct policy_parser *parser, const json_t *object)
{
	static const struct policy_member members[] = {
		{ "assay", .read = read_version },
		{ "type", .read = read_type },
		{ "description", .read = read_description },
		{ "require", .read = read_require },
		{ "waive", .read = read_waive },
		{ "algorithms", .read = read_accepted },
		{ "nonce_bytes", .read = read_nonce_bytes },
		{ "max_age", .read = read_max_age },
		{ "pcrs", .read = read_pcrs },
		{ "start", .read = read_start },
		{ "strip_prefix", .read = read_strip_prefix },
		{ "root", .read = read_strip_prefix },
		{ "manifests", .read = read_manifests },
		{ "certificates", .read = read_certificates },
		{ "manifest", .read = read_manifest },
		{ "ak", .read = policy_read_ak },
		{ "filesystems", .read = read_filesystems },
		{ "allow", .read = read_allow },
		{ "logs", .read = read_logs },
		{ "log", .read = read_log },
		{ "ima", .read = read_ima },
		{ "uefi", .read = read_uefi },
		{ "firmware", .read = policy_read_firmware },
		{ "device", .read = read_device },
	};
	int r = policy_read_object(parser, "", object, members, COUNT_OF(members));

	if (r == 0 && !json_object_get(object, "assay"))
		r = policy_refuse(parser, "assay", "is missing: the version, 1");
	if (r == 0 && !json_object_get(object, "type"))
		r = policy_refuse(parser, "type", "is missing: it is \"policy\"");
	return r;
}
