// SPDX-License-Identifier: MIT
#include "enroll/enroll.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"

/* What an answer is judged by. The certificate's chain has done its part then. */
static int copy_request(const struct enroll_request *from, struct enroll_request *to,
			struct assay_error *err)
{
	memcpy(to->machine_id, from->machine_id, sizeof(to->machine_id));
	buffer_append_bytes(&to->ek_public, buffer_bytes(&from->ek_public));
	buffer_append_bytes(&to->ek_certificate, chain_trim(buffer_bytes(&from->ek_certificate)));
	buffer_append_bytes(&to->ak_public, buffer_bytes(&from->ak_public));
	buffer_append_bytes(&to->ak_qualified_name, buffer_bytes(&from->ak_qualified_name));
	if (to->ek_public.failed || to->ek_certificate.failed || to->ak_public.failed ||
	    to->ak_qualified_name.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return 0;
}

/* An endorsement key is believed for being known, or for its certificate. */
static int check_ek(const struct enroll_request *request, const struct tpm_public *ek,
		    const struct chain_trust *trust, const struct ek_list *known,
		    struct chain_revocation *ret_revocation, struct assay_error *err)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1];
	struct assay_digest key = { 0 };
	int r = credential_check_ek(ek, err);

	if (r == 0)
		r = tpm_public_key_digest(ek, &key, err);
	if (r < 0)
		return r;
	*ret_revocation = (struct chain_revocation){ 0 };
	if (known && ek_list_has(known, &key))
		return 0;
	hex_encode(BYTES(key.bytes, key.size), hex);
	if (request->ek_certificate.size == 0)
		return assay_fail(err, EKEYREJECTED,
				  "the endorsement key has no certificate, and its digest %s is in "
				  "no list of known ones",
				  hex);
	if (sk_X509_num(trust->roots) == 0)
		return assay_fail(
			err, EKEYREJECTED,
			"the endorsement key's digest %s is in no list of known ones, and "
			"no roots were named to judge its certificate by",
			hex);
	return ek_certificate_check(buffer_bytes(&request->ek_certificate),
				    buffer_bytes(&request->ek_chain), ek, trust, ret_revocation,
				    err);
}

/* The two keys, each found to be what it must be, and the AK's name. */
static int check_keys(const struct enroll_request *request, const struct chain_trust *trust,
		      const struct ek_list *known, struct tpm_public *ret_ek,
		      struct tpm_name *ret_ak_name, struct chain_revocation *ret_revocation,
		      struct assay_error *err)
{
	struct tpm_public ak;
	int r = tpm_public_parse(buffer_bytes(&request->ek_public), ret_ek, err);

	if (r < 0)
		return assay_fail_context(err, "the endorsement key");
	r = check_ek(request, ret_ek, trust, known, ret_revocation, err);
	if (r < 0)
		return r;
	r = tpm_public_parse(buffer_bytes(&request->ak_public), &ak, err);
	if (r < 0)
		return assay_fail_context(err, "the attestation key");
	r = device_record_check_ak(&ak, err);
	return r < 0 ? r : tpm_key_name(&ak, ret_ak_name, err);
}

int enroll_challenge(const struct enroll_request *request, const struct chain_trust *trust,
		     const struct ek_list *known, uint64_t valid, struct enroll_challenge *ret,
		     struct enroll_pending *ret_pending, struct chain_revocation *ret_revocation,
		     struct assay_error *err)
{
	struct enroll_pending pending = { .expires = trust->now + valid };
	struct enroll_challenge challenge = { 0 };
	uint8_t secret[CREDENTIAL_SECRET_SIZE];
	struct tpm_name ak_name;
	struct chain_revocation revocation;
	struct tpm_public ek;
	int r = check_keys(request, trust, known, &ek, &ak_name, &revocation, err);

	if (r < 0)
		return r;
	if (RAND_bytes(challenge.id, sizeof(challenge.id)) != 1 ||
	    RAND_priv_bytes(secret, sizeof(secret)) != 1)
		return assay_fail(err, EIO, "OpenSSL gives no random bytes");
	memcpy(pending.id, challenge.id, sizeof(pending.id));
	r = digest_bytes(ASSAY_HASH_SHA256, BYTES(secret, sizeof(secret)), &pending.secret, err);
	if (r == 0)
		r = credential_make(&ek, &ak_name, BYTES(secret, sizeof(secret)),
				    &challenge.credential, err);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (r == 0)
		r = copy_request(request, &pending.request, err);
	if (r < 0) {
		enroll_challenge_free(&challenge);
		enroll_pending_free(&pending);
		return r;
	}
	*ret = challenge;
	*ret_pending = pending;
	if (ret_revocation)
		*ret_revocation = revocation;
	return 0;
}

/* The record of a request whose challenge was answered. */
static int make_record(const struct enroll_request *request, uint64_t now,
		       struct device_record *record, struct assay_error *err)
{
	struct tpm_public ak, ek;
	int r;

	memcpy(record->machine_id, request->machine_id, sizeof(record->machine_id));
	record->enrolled = now;
	buffer_append_bytes(&record->ak_public, buffer_bytes(&request->ak_public));
	buffer_append_bytes(&record->ak_qualified_name, buffer_bytes(&request->ak_qualified_name));
	if (record->ak_public.failed || record->ak_qualified_name.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = tpm_public_parse(buffer_bytes(&record->ak_public), &ak, err);
	if (r == 0)
		r = tpm_key_name(&ak, &record->ak_name, err);
	if (r == 0)
		r = tpm_public_parse(buffer_bytes(&request->ek_public), &ek, err);
	if (r == 0)
		r = tpm_public_key_digest(&ek, &record->ek_key, err);
	if (r == 0 && request->ek_certificate.size > 0)
		r = digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&request->ek_certificate),
				 &record->ek_certificate, err);
	return r;
}

int enroll_accept(const struct enroll_answer *answer, const struct enroll_pending *pending,
		  uint64_t now, struct device_record *ret, struct assay_error *err)
{
	struct device_record record = { 0 };
	struct assay_digest digest;
	char expired[UTC_LENGTH + 1];
	int r;

	if (memcmp(answer->id, pending->id, sizeof(answer->id)) != 0)
		return assay_fail(err, EKEYREJECTED, "the answer is to another challenge");
	if (now > pending->expires)
		return assay_fail(err, ETIME,
				  "the challenge was to be answered until %s: make a new one",
				  utc_text(pending->expires, expired));
	r = digest_bytes(ASSAY_HASH_SHA256, BYTES(answer->secret, sizeof(answer->secret)), &digest,
			 err);
	if (r < 0)
		return r;
	if (!bytes_equal_constant_time(BYTES(digest.bytes, digest.size),
				       BYTES(pending->secret.bytes, pending->secret.size)))
		return assay_fail(
			err, EKEYREJECTED,
			"the answer's secret is not the one of the challenge: the TPM did "
			"not unwrap it, so the attestation key is not in the TPM of the "
			"certificate");
	r = make_record(&pending->request, now, &record, err);
	if (r < 0) {
		device_record_free(&record);
		return r;
	}
	*ret = record;
	return 0;
}
