// SPDX-License-Identifier: MIT
#include "enroll/certified.h"

#include <errno.h>
#include <string.h>

static int check_certificate(const struct certified_device *device,
			     const struct ak_certificate *certificate, struct assay_error *err)
{
	const struct assay_digest *given = &device->ak->key, *certified = &certificate->key.key;

	if (!bytes_equal(BYTES(given->bytes, given->size),
			 BYTES(certified->bytes, certified->size)))
		return assay_fail(err, EKEYREJECTED,
				  "the certificate of %s is of another key than the one that is "
				  "given",
				  certificate->subject);
	if (!certificate->restricted && !device->vouched)
		return assay_fail(err, EKEYREJECTED,
				  "the certificate of %s does not say that the key is restricted "
				  "and bound to its TPM: vouch for it, if you know that "
				  "(--ak-vouched)",
				  certificate->subject);
	return 0;
}

static int make_record(const struct certified_device *device,
		       const struct ak_certificate *certificate, uint64_t now,
		       struct device_record *record, struct assay_error *err)
{
	memcpy(record->machine_id, device->machine_id, strlen(device->machine_id) + 1);
	record->enrolled = now;
	record->ak_certificate = certificate->digest;
	buffer_append_bytes(&record->ak_public, buffer_bytes(&device->ak->public_area));
	if (record->ak_public.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return tpm_key_name(&device->ak->public, &record->ak_name, err);
}

int enroll_certified(const struct certified_device *device, const struct chain_trust *trust,
		     struct device_record *ret, struct chain_revocation *ret_revocation,
		     struct assay_error *err)
{
	struct ak_certificate certificate = { 0 };
	struct device_record record = { 0 };
	int r;

	if (!machine_id_valid(device->machine_id))
		return assay_fail(err, EINVAL, "the machine's id is not one");
	if (device->ak->public_area.size == 0)
		return assay_fail(err, EINVAL,
				  "the key has no name in this form: give it as the TPM has it "
				  "(TPM2B_PUBLIC or TPMT_PUBLIC)");
	r = device_record_check_ak(&device->ak->public, err);
	if (r == 0)
		r = ak_certificate_check(device->certificates, trust, device->vouched, &certificate,
					 err);
	if (r < 0)
		return r;
	r = check_certificate(device, &certificate, err);
	if (r == 0)
		r = make_record(device, &certificate, trust->now, &record, err);
	*ret_revocation = certificate.revocation;
	ak_given_free(&certificate.key);
	if (r < 0)
		device_record_free(&record);
	else
		*ret = record;
	return r;
}
