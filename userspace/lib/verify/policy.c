// SPDX-License-Identifier: MIT
#include "verify/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "verify/evidence.h"
#include "verify/structures.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Room for the path of a member, "ima.digests./usr/bin/x[0]"; what is longer is cut. */
#define MEMBER_PATH 256
#define MAX_SECONDS (UINT64_C(100) * 366 * 24 * 60 * 60)

/* Memory that lives as long as the policy. */
struct policy_memory {
	struct policy_memory *next;
	_Alignas(16) uint8_t bytes[];
};

struct parser {
	struct policy *policy;
	struct assay_error *err;
	uint64_t required, waived; /* what "require" and "waive" name */
	uint32_t pcrs;		   /* what "pcrs.required" names */
	bool ima;		   /* whether IMA's list is required */
};

/* struct member - of an object: its name, and what reads its value */
struct member {
	const char *name;
	int (*parse)(struct parser *parser, const char *path, const json_t *value);
};

/* Zeroed; NULL, with the error told, without memory. */
static void *take_memory(struct parser *parser, size_t count, size_t size)
{
	struct policy_memory *memory = NULL;

	if (count < SIZE_MAX / 2 / size)
		memory = calloc(1, sizeof(*memory) + count * size);
	if (!memory) {
		assay_fail(parser->err, ENOMEM, "the policy: out of memory");
		return NULL;
	}
	memory->next = parser->policy->memory;
	parser->policy->memory = memory;
	return memory->bytes;
}

/* ---------------------------------------------------------------- values */

static int refuse(struct parser *parser, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct parser *parser, const char *path, const char *format, ...)
{
	char what[512], escaped[MEMBER_PATH];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	text_escape(BYTES((const uint8_t *)path, strlen(path)), escaped, sizeof(escaped));
	return assay_fail(parser->err, EBADMSG, "the policy: \"%s\" %s", escaped, what);
}

static void mark_cut(char out[static MEMBER_PATH], int length)
{
	if (length >= MEMBER_PATH)
		memcpy(out + MEMBER_PATH - sizeof("..."), "...", sizeof("..."));
}

static void member_path(char out[static MEMBER_PATH], const char *path, const char *name)
{
	mark_cut(out, snprintf(out, MEMBER_PATH, "%s%s%s", path, path[0] ? "." : "", name));
}

static void item_path(char out[static MEMBER_PATH], const char *path, size_t index)
{
	mark_cut(out, snprintf(out, MEMBER_PATH, "%s[%zu]", path, index));
}

static int parse_object(struct parser *parser, const char *path, const json_t *value,
			const struct member members[], size_t count)
{
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return refuse(parser, path, "is not an object");
	/* jansson's iterator wants a writable object and does not write to it. */
	json_object_foreach((json_t *)value, name, item) {
		char inner[MEMBER_PATH];
		size_t i = 0;
		int r;

		member_path(inner, path, name);
		while (i < count && strcmp(members[i].name, name) != 0)
			i++;
		if (i == count)
			return refuse(parser, inner, "is not known; see assay-policy(5)");
		r = members[i].parse(parser, inner, item);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_text(struct parser *parser, const char *path, const json_t *value,
		      const char **ret)
{
	if (!json_is_string(value))
		return refuse(parser, path, "is not a string");
	if (json_string_length(value) == 0)
		return refuse(parser, path, "is empty");
	*ret = json_string_value(value);
	return 0;
}

static int parse_number(struct parser *parser, const char *path, const json_t *value,
			uint64_t least, uint64_t most, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    (uint64_t)json_integer_value(value) < least ||
	    (uint64_t)json_integer_value(value) > most)
		return refuse(parser, path, "is not a whole number from %llu to %llu",
			      (unsigned long long)least, (unsigned long long)most);
	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

static int parse_bool(struct parser *parser, const char *path, const json_t *value, bool *ret)
{
	if (!json_is_boolean(value))
		return refuse(parser, path, "is neither true nor false");
	*ret = json_is_true(value);
	return 0;
}

/* One of two words; *ret is whether it is the second. */
static int parse_word(struct parser *parser, const char *path, const json_t *value,
		      const char *first, const char *second, bool *ret)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, first) != 0 && strcmp(text, second) != 0))
		return refuse(parser, path, "is neither \"%s\" nor \"%s\"", first, second);
	*ret = strcmp(text, second) == 0;
	return 0;
}

/* A word that says whether a check is required; not if it is the second one. */
static int parse_check(struct parser *parser, const char *path, const json_t *value,
		       const char *first, const char *second, enum check check)
{
	uint64_t *required = &parser->policy->rules.required;
	bool not_required = false;
	int r = parse_word(parser, path, value, first, second, &not_required);

	*required = not_required ? *required & ~CHECK_BIT(check) : *required | CHECK_BIT(check);
	return r;
}

static int check_array(struct parser *parser, const char *path, const json_t *value)
{
	return json_is_array(value) ? 0 : refuse(parser, path, "is not an array");
}

int policy_digest(const char *text, struct assay_digest *ret)
{
	return assay_digest_parse(text, ret);
}

/* An array of "HASH:HEX". */
static int parse_digests(struct parser *parser, const char *path, const json_t *value,
			 const struct assay_digest **ret, size_t *ret_count)
{
	struct assay_digest *digests;
	int r = check_array(parser, path, value);

	if (r < 0)
		return r;
	if (json_array_size(value) == 0)
		return refuse(parser, path, "is empty: nothing could fulfil it");
	digests = take_memory(parser, json_array_size(value), sizeof(*digests));
	if (!digests)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *text = json_string_value(json_array_get(value, i));
		char inner[MEMBER_PATH];

		item_path(inner, path, i);
		if (!text || policy_digest(text, &digests[i]) < 0)
			return refuse(parser, inner,
				      "is not a digest such as \"sha256:HEX\" with as many digits "
				      "as that hash has");
	}
	*ret = digests;
	*ret_count = json_array_size(value);
	return 0;
}

static int parse_index(struct parser *parser, const char *path, const json_t *value,
		       unsigned int *ret)
{
	uint64_t index = 0;
	int r = parse_number(parser, path, value, 0, TPM_PCR_COUNT - 1, &index);

	*ret = (unsigned int)index;
	return r;
}

/* ---------------------------------------------------------------- the top */

static int parse_version(struct parser *parser, const char *path, const json_t *value)
{
	if (json_is_integer(value) && json_integer_value(value) == 1)
		return 0;
	return refuse(parser, path, "is not 1, the version that is known");
}

static int parse_type(struct parser *parser, const char *path, const json_t *value)
{
	const char *text = json_string_value(value);

	if (text && strcmp(text, "policy") == 0)
		return 0;
	return refuse(parser, path, "is not \"policy\"");
}

static int parse_description(struct parser *parser, const char *path, const json_t *value)
{
	return parse_text(parser, path, value, &parser->policy->description);
}

static int parse_nonce_bytes(struct parser *parser, const char *path, const json_t *value)
{
	uint64_t size = 0;
	int r = parse_number(parser, path, value, 8, EVIDENCE_MAX_NONCE, &size);

	if (r == 0)
		parser->policy->rules.nonce_size = (size_t)size;
	return r;
}

static int parse_max_age(struct parser *parser, const char *path, const json_t *value)
{
	int r = parse_number(parser, path, value, 1, MAX_SECONDS, &parser->policy->rules.max_age);

	parser->policy->rules.required |= CHECK_BIT(CHECK_QUOTE_AGE);
	return r;
}

static int parse_root(struct parser *parser, const char *path, const json_t *value)
{
	int r = parse_text(parser, path, value, &parser->policy->rules.prefix);

	if (r == 0 && parser->policy->rules.prefix[0] != '/')
		return refuse(parser, path, "is not an absolute path");
	return r;
}

static int parse_start(struct parser *parser, const char *path, const json_t *value)
{
	return parse_digests(parser, path, value, &parser->policy->rules.starts,
			     &parser->policy->rules.start_count);
}

static int parse_check_name(struct parser *parser, const char *path, const char *name,
			    enum check *ret)
{
	if (!check_by_name(name, ret))
		return refuse(parser, path, "names no check; assay-verify(1) has all");
	return 0;
}

static int parse_require(struct parser *parser, const char *path, const json_t *value)
{
	int r = check_array(parser, path, value);

	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		const char *name = json_string_value(json_array_get(value, i));
		char inner[MEMBER_PATH];
		enum check check = CHECK_COUNT;

		item_path(inner, path, i);
		r = parse_check_name(parser, inner, name ? name : "", &check);
		if (r == 0)
			parser->required |= CHECK_BIT(check);
	}
	return r;
}

static int parse_waive(struct parser *parser, const char *path, const json_t *value)
{
	struct policy *policy = parser->policy;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return refuse(parser, path, "is not an object of checks and reasons");
	policy->waivers = take_memory(parser, json_object_size(value), sizeof(*policy->waivers));
	if (!policy->waivers)
		return -ENOMEM;
	json_object_foreach((json_t *)value, name, item) {
		struct policy_waiver *waiver = &policy->waivers[policy->waiver_count];
		char inner[MEMBER_PATH];
		int r;

		member_path(inner, path, name);
		r = parse_check_name(parser, inner, name, &waiver->check);
		if (r == 0)
			r = parse_text(parser, inner, item, &waiver->reason);
		if (r < 0)
			return r;
		if (!check_waivable(waiver->check))
			return refuse(parser, inner,
				      "cannot be waived: nothing could be trusted without it");
		parser->waived |= CHECK_BIT(waiver->check);
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
static int parse_algorithms(struct parser *parser, const char *path, const json_t *value,
			    const struct algorithm table[], size_t count)
{
	uint32_t all = 0, named = 0;
	int r = check_array(parser, path, value);

	for (size_t i = 0; i < count; i++)
		all |= table[i].bit;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		const char *name = json_string_value(json_array_get(value, i));
		char inner[MEMBER_PATH];
		size_t j = 0;

		item_path(inner, path, i);
		while (j < count && (!name || strcmp(table[j].name, name) != 0))
			j++;
		if (j == count)
			return refuse(parser, inner, "is no algorithm that can be accepted");
		named |= table[j].bit;
	}
	parser->policy->rules.algorithms &= ~all;
	parser->policy->rules.algorithms |= named;
	return r;
}

static int parse_signatures(struct parser *parser, const char *path, const json_t *value)
{
	static const struct algorithm table[] = { { "rsassa", VERIFY_RSASSA },
						  { "rsapss", VERIFY_RSAPSS },
						  { "ecdsa", VERIFY_ECDSA } };

	return parse_algorithms(parser, path, value, table, COUNT_OF(table));
}

static int parse_hashes(struct parser *parser, const char *path, const json_t *value)
{
	static const struct algorithm table[] = { { "sha256", VERIFY_SHA256 },
						  { "sha384", VERIFY_SHA384 },
						  { "sha512", VERIFY_SHA512 } };

	return parse_algorithms(parser, path, value, table, COUNT_OF(table));
}

static int parse_curves(struct parser *parser, const char *path, const json_t *value)
{
	static const struct algorithm table[] = { { "p256", VERIFY_P256 },
						  { "p384", VERIFY_P384 } };

	return parse_algorithms(parser, path, value, table, COUNT_OF(table));
}

static int parse_rsa_bits(struct parser *parser, const char *path, const json_t *value)
{
	uint64_t bits = 0;
	int r = parse_number(parser, path, value, 2048, 16384, &bits);

	if (r == 0)
		parser->policy->rules.rsa_bits = (unsigned int)bits;
	return r;
}

static int parse_accepted(struct parser *parser, const char *path, const json_t *value)
{
	static const struct member members[] = {
		{ "signatures", parse_signatures },
		{ "hashes", parse_hashes },
		{ "curves", parse_curves },
		{ "rsa_bits", parse_rsa_bits },
	};

	return parse_object(parser, path, value, members, COUNT_OF(members));
}

/* ---------------------------------------------------------------- PCRs */

static int parse_assay_pcr(struct parser *parser, const char *path, const json_t *value)
{
	return parse_index(parser, path, value, &parser->policy->rules.assay_pcr);
}

static int parse_ima_pcr(struct parser *parser, const char *path, const json_t *value)
{
	return parse_index(parser, path, value, &parser->policy->rules.ima_pcr);
}

static int parse_pcrs_required(struct parser *parser, const char *path, const json_t *value)
{
	int r = check_array(parser, path, value);

	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[MEMBER_PATH];
		unsigned int index = 0;

		item_path(inner, path, i);
		r = parse_index(parser, inner, json_array_get(value, i), &index);
		parser->pcrs |= 1U << index;
	}
	return r;
}

/* "sha256:7" */
static bool parse_bank_index(const char *text, struct policy_pcr *ret)
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

static int parse_pcr_value(struct parser *parser, const char *path, const json_t *value,
			   struct policy_pcr *pcr)
{
	struct assay_digest *values;
	int r = check_array(parser, path, value);

	if (r < 0)
		return r;
	if (json_array_size(value) == 0)
		return refuse(parser, path, "is empty: no value could fulfil it");
	values = take_memory(parser, json_array_size(value), sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(value); i++) {
		const char *text = json_string_value(json_array_get(value, i));
		char inner[MEMBER_PATH];

		item_path(inner, path, i);
		values[i].hash = pcr->bank;
		if (!text ||
		    hex_decode(text, values[i].bytes, ASSAY_DIGEST_MAX, &values[i].size) < 0 ||
		    values[i].size != assay_hash_size(pcr->bank))
			return refuse(parser, inner, "is not a value of %zu bytes in hexadecimal",
				      assay_hash_size(pcr->bank));
	}
	pcr->values = values;
	pcr->count = json_array_size(value);
	return 0;
}

static int parse_pcr_values(struct parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	struct policy_pcr *pcrs;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return refuse(parser, path, "is not an object");
	pcrs = take_memory(parser, json_object_size(value) + 1, sizeof(*pcrs));
	if (!pcrs)
		return -ENOMEM;
	json_object_foreach((json_t *)value, name, item) {
		struct policy_pcr *pcr = &pcrs[rules->pcr_value_count];
		char inner[MEMBER_PATH];
		int r;

		member_path(inner, path, name);
		if (!parse_bank_index(name, pcr))
			return refuse(parser, inner,
				      "names no PCR of a bank, as \"sha256:7\" does");
		r = parse_pcr_value(parser, inner, item, pcr);
		if (r < 0)
			return r;
		rules->pcr_value_count++;
	}
	rules->pcr_values = pcrs;
	if (rules->pcr_value_count > 0)
		rules->required |= CHECK_BIT(CHECK_PCR_VALUES);
	return 0;
}

static int parse_pcrs(struct parser *parser, const char *path, const json_t *value)
{
	static const struct member members[] = {
		{ "required", parse_pcrs_required },
		{ "assay", parse_assay_pcr },
		{ "ima", parse_ima_pcr },
		{ "values", parse_pcr_values },
	};

	return parse_object(parser, path, value, members, COUNT_OF(members));
}

/* ---------------------------------------------------------------- reference values */

static int parse_manifests(struct parser *parser, const char *path, const json_t *value)
{
	struct policy *policy = parser->policy;
	int r = check_array(parser, path, value);

	if (r < 0)
		return r;
	policy->manifests =
		take_memory(parser, json_array_size(value) + 1, sizeof(*policy->manifests));
	if (!policy->manifests)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[MEMBER_PATH];

		item_path(inner, path, i);
		r = parse_text(parser, inner, json_array_get(value, i), &policy->manifests[i]);
		policy->manifest_count += r == 0;
	}
	return r;
}

/* "signer.pem", or {"pem": "-----BEGIN CERTIFICATE-----..."} */
static int parse_certificate(struct parser *parser, const char *path, const json_t *value,
			     struct policy_certificate *ret)
{
	char inner[MEMBER_PATH];

	if (json_is_string(value))
		return parse_text(parser, path, value, &ret->path);
	if (!json_is_object(value) || json_object_size(value) != 1 ||
	    !json_object_get(value, "pem"))
		return refuse(parser, path, "is neither a file's name nor {\"pem\": TEXT}");
	member_path(inner, path, "pem");
	return parse_text(parser, inner, json_object_get(value, "pem"), &ret->pem);
}

static int parse_certificate_array(struct parser *parser, const char *path, const json_t *value,
				   struct policy_certificate **ret, size_t *ret_count)
{
	int r = check_array(parser, path, value);

	if (r < 0)
		return r;
	*ret = take_memory(parser, json_array_size(value) + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[MEMBER_PATH];

		item_path(inner, path, i);
		r = parse_certificate(parser, inner, json_array_get(value, i), &(*ret)[i]);
		*ret_count += r == 0;
	}
	return r;
}

static int parse_certificates(struct parser *parser, const char *path, const json_t *value)
{
	return parse_certificate_array(parser, path, value, &parser->policy->certificates,
				       &parser->policy->certificate_count);
}

/* {"path": ..., "reason": ..., "digests": [...]} */
static int parse_allowed_path(struct parser *parser, const char *path, const json_t *value,
			      struct policy_path *ret)
{
	const char *name;
	json_t *item;
	int r = 0;

	if (!json_is_object(value))
		return refuse(parser, path, "is not an object");
	json_object_foreach((json_t *)value, name, item) {
		char inner[MEMBER_PATH];

		member_path(inner, path, name);
		if (strcmp(name, "path") == 0)
			r = parse_text(parser, inner, item, &ret->path);
		else if (strcmp(name, "reason") == 0)
			r = parse_text(parser, inner, item, &ret->reason);
		else if (strcmp(name, "digests") == 0)
			r = parse_digests(parser, inner, item, &ret->digests, &ret->count);
		else
			return refuse(parser, inner, "is not known; see assay-policy(5)");
		if (r < 0)
			return r;
	}
	if (!ret->path)
		return refuse(parser, path, "has no \"path\"");
	if (!ret->reason)
		return refuse(parser, path, "has no \"reason\": say why it is allowed");
	return 0;
}

static int parse_allow(struct parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	struct policy_path *paths;
	int r = check_array(parser, path, value);

	if (r < 0)
		return r;
	paths = take_memory(parser, json_array_size(value) + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		char inner[MEMBER_PATH];

		item_path(inner, path, i);
		r = parse_allowed_path(parser, inner, json_array_get(value, i), &paths[i]);
	}
	rules->allowed = paths;
	rules->allowed_count = r == 0 ? json_array_size(value) : 0;
	return r;
}

/* ---------------------------------------------------------------- logs and device */

static int parse_unknown_records(struct parser *parser, const char *path, const json_t *value)
{
	return parse_word(parser, path, value, "refuse", "accept",
			  &parser->policy->rules.unknown_records);
}

static int parse_trimmed(struct parser *parser, const char *path, const json_t *value)
{
	return parse_word(parser, path, value, "refuse", "accept", &parser->policy->rules.trimmed);
}

static int parse_late_tpm(struct parser *parser, const char *path, const json_t *value)
{
	return parse_check(parser, path, value, "refuse", "accept", CHECK_ASSAY_LOG_TPM);
}

static int parse_protection(struct parser *parser, const char *path, const json_t *value)
{
	return parse_check(parser, path, value, "required", "any", CHECK_ASSAY_LOG_PROTECTION);
}

static int parse_log(struct parser *parser, const char *path, const json_t *value)
{
	static const struct member members[] = {
		{ "unknown_records", parse_unknown_records },
		{ "trimmed", parse_trimmed },
		{ "late_tpm", parse_late_tpm },
		{ "protection", parse_protection },
	};

	return parse_object(parser, path, value, members, COUNT_OF(members));
}

static int parse_ima_required(struct parser *parser, const char *path, const json_t *value)
{
	return parse_bool(parser, path, value, &parser->ima);
}

static int parse_violations(struct parser *parser, const char *path, const json_t *value)
{
	return parse_check(parser, path, value, "refuse", "accept", CHECK_IMA_LOG_VIOLATIONS);
}

static int parse_unknown_templates(struct parser *parser, const char *path, const json_t *value)
{
	return parse_word(parser, path, value, "refuse", "accept",
			  &parser->policy->rules.unknown_templates);
}

static int parse_aggregate(struct parser *parser, const char *path, const json_t *value)
{
	return parse_check(parser, path, value, "required", "if-possible",
			   CHECK_IMA_BOOT_AGGREGATE);
}

static int parse_unknown_files(struct parser *parser, const char *path, const json_t *value)
{
	return parse_check(parser, path, value, "refuse", "accept", CHECK_IMA_FILES_KNOWN);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct policy_path *)a)->path, ((const struct policy_path *)b)->path);
}

/* {"/usr/bin/x": ["sha256:HEX", ...]} */
static int parse_ima_digests(struct parser *parser, const char *path, const json_t *value)
{
	struct verify_policy *rules = &parser->policy->rules;
	struct policy_path *digests;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return refuse(parser, path, "is not an object of paths and digests");
	digests = take_memory(parser, json_object_size(value) + 1, sizeof(*digests));
	if (!digests)
		return -ENOMEM;
	json_object_foreach((json_t *)value, name, item) {
		struct policy_path *reference = &digests[rules->ima_digest_count];
		char inner[MEMBER_PATH];
		int r;

		member_path(inner, path, name);
		reference->path = name;
		r = parse_digests(parser, inner, item, &reference->digests, &reference->count);
		if (r < 0)
			return r;
		rules->ima_digest_count++;
	}
	qsort(digests, rules->ima_digest_count, sizeof(*digests), compare_paths);
	rules->ima_digests = digests;
	return 0;
}

static int parse_ima_certificates(struct parser *parser, const char *path, const json_t *value)
{
	return parse_certificate_array(parser, path, value, &parser->policy->ima_certificates,
				       &parser->policy->ima_certificate_count);
}

static int parse_ima(struct parser *parser, const char *path, const json_t *value)
{
	static const struct member members[] = {
		{ "required", parse_ima_required },
		{ "violations", parse_violations },
		{ "unknown_templates", parse_unknown_templates },
		{ "boot_aggregate", parse_aggregate },
		{ "unknown_files", parse_unknown_files },
		{ "digests", parse_ima_digests },
		{ "certificates", parse_ima_certificates },
	};

	return parse_object(parser, path, value, members, COUNT_OF(members));
}

/* What the specification says of the events is asked for where the log is. */
static int parse_uefi_log(struct parser *parser, const char *path, const json_t *value)
{
	int r = parse_check(parser, path, value, "required", "optional", CHECK_UEFI_LOG_EVENTS);

	if (r == 0)
		r = parse_check(parser, path, value, "required", "optional", CHECK_UEFI_LOG_PARSED);
	if (r == 0)
		r = parse_check(parser, path, value, "required", "optional", CHECK_UEFI_LOG_REPLAY);
	return r;
}

static int parse_uefi(struct parser *parser, const char *path, const json_t *value)
{
	static const struct member members[] = { { "log", parse_uefi_log } };

	return parse_object(parser, path, value, members, COUNT_OF(members));
}

static int parse_reset(struct parser *parser, const char *path, const json_t *value)
{
	return parse_word(parser, path, value, "accept", "refuse",
			  &parser->policy->rules.same_boot);
}

static int parse_firmware(struct parser *parser, const char *path, const json_t *value)
{
	bool any = false;
	int r = parse_word(parser, path, value, "same", "any", &any);

	if (any)
		parser->policy->rules.required_with_state &= ~CHECK_BIT(CHECK_QUOTE_FIRMWARE);
	return r;
}

static int parse_clock(struct parser *parser, const char *path, const json_t *value)
{
	return parse_check(parser, path, value, "safe", "any", CHECK_QUOTE_CLOCK);
}

static int parse_device(struct parser *parser, const char *path, const json_t *value)
{
	static const struct member members[] = {
		{ "reset", parse_reset },
		{ "firmware", parse_firmware },
		{ "clock", parse_clock },
	};

	return parse_object(parser, path, value, members, COUNT_OF(members));
}

/* ---------------------------------------------------------------- the whole */

static const struct member top[] = {
	{ "assay", parse_version },
	{ "type", parse_type },
	{ "description", parse_description },
	{ "require", parse_require },
	{ "waive", parse_waive },
	{ "algorithms", parse_accepted },
	{ "nonce_bytes", parse_nonce_bytes },
	{ "max_age", parse_max_age },
	{ "pcrs", parse_pcrs },
	{ "start", parse_start },
	{ "root", parse_root },
	{ "manifests", parse_manifests },
	{ "certificates", parse_certificates },
	{ "allow", parse_allow },
	{ "log", parse_log },
	{ "ima", parse_ima },
	{ "uefi", parse_uefi },
	{ "device", parse_device },
};

void policy_drop_ima(struct verify_policy *rules)
{
	const uint64_t checks = CHECK_BIT(CHECK_IMA_LOG_PARSED) | CHECK_BIT(CHECK_IMA_LOG_ENTRIES) |
				CHECK_BIT(CHECK_IMA_LOG_START) | CHECK_BIT(CHECK_IMA_LOG_DIGESTS) |
				CHECK_BIT(CHECK_IMA_LOG_VIOLATIONS) |
				CHECK_BIT(CHECK_IMA_LOG_REPLAY) |
				CHECK_BIT(CHECK_IMA_BOOT_AGGREGATE);

	rules->required &= ~checks;
	rules->required_if_made &= ~checks;
	rules->pcrs &= ~(1U << rules->ima_pcr);
}

void policy_waive(struct verify_policy *rules, uint64_t checks)
{
	rules->required &= ~checks;
	rules->required_if_made &= ~checks;
	rules->required_with_state &= ~checks;
}

/* What the members say together, in whatever order they came. */
static int finish(struct parser *parser)
{
	struct verify_policy *rules = &parser->policy->rules;
	uint64_t both = parser->required & parser->waived;
	enum check check = CHECK_EVIDENCE_PARSED;

	while (both != 0 && !(both & CHECK_BIT(check)))
		check++;
	if (both != 0)
		return assay_fail(parser->err, EBADMSG,
				  "the policy: \"%s\" is both required and waived",
				  check_name(check));
	if (rules->assay_pcr == rules->ima_pcr)
		return refuse(parser, "pcrs.ima", "is the PCR of assay's log too");
	rules->pcrs = 1U << rules->assay_pcr | 1U << rules->ima_pcr;
	if (!parser->ima)
		policy_drop_ima(rules);
	rules->pcrs |= parser->pcrs;
	rules->required |= parser->required;
	policy_waive(rules, parser->waived);
	return 0;
}

int policy_parse(struct bytes text, struct policy *ret, struct assay_error *err)
{
	struct policy policy = { 0 };
	struct parser parser = { .policy = &policy, .err = err, .ima = true };
	int r;

	if (text.size > POLICY_MAX_SIZE)
		return assay_fail(err, EFBIG, "the policy has more than %u bytes", POLICY_MAX_SIZE);
	verify_policy_default(&policy.rules);
	r = json_parse(text, "the policy", &policy.json, err);
	if (r < 0)
		return r;
	r = parse_object(&parser, "", policy.json, top, COUNT_OF(top));
	if (r == 0 && !json_object_get(policy.json, "assay"))
		r = refuse(&parser, "assay", "is missing: the version, 1");
	if (r == 0 && !json_object_get(policy.json, "type"))
		r = refuse(&parser, "type", "is missing: it is \"policy\"");
	if (r == 0)
		r = finish(&parser);
	if (r < 0) {
		policy_free(&policy);
		return r;
	}
	*ret = policy;
	return 0;
}

void policy_free(struct policy *policy)
{
	while (policy->memory) {
		struct policy_memory *next = policy->memory->next;

		free(policy->memory);
		policy->memory = next;
	}
	json_decref(policy->json);
	*policy = (struct policy){ 0 };
}
