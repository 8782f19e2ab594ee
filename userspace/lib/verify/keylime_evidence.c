// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf() */
#include "verify/keylime_evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "log/ima_ascii.h"
#include "verify/structures.h"

static void leave_out(struct keylime_left_out *left_out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void leave_out(struct keylime_left_out *left_out, const char *format, ...)
{
	va_list args;

	if (left_out->count == KEYLIME_LEFT_OUT_MAX)
		return;
	va_start(args, format);
	vsnprintf(left_out->reason[left_out->count++], KEYLIME_REASON_MAX, format, args);
	va_end(args);
}

static int check_nonce(struct bytes nonce, struct assay_error *err)
{
	for (size_t i = 0; i < nonce.size; i++)
		if (nonce.data[i] < 0x21 || nonce.data[i] > 0x7e)
			return assay_fail(err, EINVAL,
					  "Keylime compares the nonce as text, and this one is "
					  "none: give printable ASCII, in hexadecimal");
	return 0;
}

/* The hash of the signature, which has to be the only bank's. */
static int find_hash(const struct evidence *evidence, enum assay_hash *ret, struct assay_error *err)
{
	struct tpm_signature signature;
	int r = tpm_signature_parse(buffer_bytes(&evidence->signature), &signature, err);

	if (r < 0)
		return r;
	if (assay_hash_size(signature.hash) == 0)
		return assay_fail(err, EBADMSG,
				  "the quote is signed with a hash that is not known");
	for (size_t i = 0; i < evidence->pcr_count; i++)
		if (evidence->pcrs[i].value.hash != signature.hash)
			return assay_fail(err, EINVAL,
					  "Keylime takes PCRs of the bank %s only, which the quote "
					  "is signed with: use --bank %s",
					  assay_hash_name(signature.hash),
					  assay_hash_name(signature.hash));
	*ret = signature.hash;
	return 0;
}

/* All of it or none: without one of its entries the list does not replay. */
static int ima_text(const struct evidence *evidence, struct buffer *out, struct assay_error *err)
{
	struct ima_reader reader;
	struct ima_entry entry;
	struct hasher sha1;
	int r = hasher_open(&sha1, ASSAY_HASH_SHA1, err);

	if (r < 0)
		return r;
	ima_begin(&reader, buffer_bytes(&evidence->ima_data), evidence->ima_template_bank);
	while ((r = ima_next(&reader, &entry, err)) > 0) {
		r = ima_ascii(&entry, &sha1, out, err);
		if (r < 0)
			break;
	}
	hasher_close(&sha1);
	return r < 0 ? r : 0;
}

/* Return: 0; -ENOMEM. What cannot be in there is left out. */
static int add_logs(const struct evidence *evidence, json_t *data,
		    struct keylime_left_out *left_out, struct assay_error *err)
{
	struct buffer text = { 0 };
	struct assay_error why;
	int r = 0, bad = 0;

	if (evidence->has_ima_log) {
		r = ima_text(evidence, &text, &why);
		if (r == 0)
			bad |= json_object_set_new(
				data, "ima_measurement_list",
				json_stringn((const char *)text.data, text.size));
		else if (r != -ENOMEM)
			leave_out(left_out,
				  "IMA's list, since Keylime knows the templates ima, ima-ng, "
				  "ima-sig and ima-buf only: %s",
				  why.text);
	}
	if (evidence->has_uefi_log)
		bad |= json_object_set_new(data, "mb_log",
					   json_base64(buffer_bytes(&evidence->uefi_data)));
	if (evidence->has_assay_log)
		leave_out(left_out, "assay's log, which Keylime does not know");
	leave_out(left_out, "policies: the verifier adds tpm_policy, runtime_policy or mb_policy");
	buffer_free(&text);
	return r == -ENOMEM || bad != 0 ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* "r", then the quote, its signature and the PCR values, each in base64. */
static json_t *quote_text(const struct evidence *evidence, struct bytes pcrs)
{
	char *parts[3] = { base64_encode(buffer_bytes(&evidence->attest)),
			   base64_encode(buffer_bytes(&evidence->signature)), base64_encode(pcrs) };
	json_t *value = NULL;
	char *text = NULL;

	if (parts[0] && parts[1] && parts[2] &&
	    asprintf(&text, "r%s:%s:%s", parts[0], parts[1], parts[2]) >= 0) {
		value = json_string(text);
		free(text);
	}
	for (size_t i = 0; i < 3; i++)
		free(parts[i]);
	return value;
}

int keylime_evidence(const struct evidence *evidence, struct bytes pcrs, struct bytes ek_public,
		     json_t **ret, struct keylime_left_out *ret_left_out, struct assay_error *err)
{
	struct bytes nonce = buffer_bytes(&evidence->nonce);
	struct keylime_left_out left_out = { 0 };
	enum assay_hash hash = ASSAY_HASH_NONE;
	json_t *data, *body;
	int r = check_nonce(nonce, err);

	if (r == 0)
		r = find_hash(evidence, &hash, err);
	if (r < 0)
		return r;
	data = json_pack("{s:o, s:o, s:s, s:o, s:o}", "quote", quote_text(evidence, pcrs), "nonce",
			 json_stringn((const char *)nonce.data, nonce.size), "hash_alg",
			 assay_hash_name(hash), "tpm_ek", json_base64(ek_public), "tpm_ak",
			 json_base64(buffer_bytes(&evidence->ak_public)));
	if (!data)
		return assay_fail(err, ENOMEM, "out of memory");
	r = add_logs(evidence, data, &left_out, err);
	body = r == 0 ? json_pack("{s:s, s:O}", "type", "tpm", "data", data) : NULL;
	json_decref(data);
	if (r == 0 && !body)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	*ret = body;
	*ret_left_out = left_out;
	return 0;
}
