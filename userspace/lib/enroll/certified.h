/* SPDX-License-Identifier: MIT */
/*
 * Enrolment of a device by a certificate of its attestation key, without its doing anything: an
 * authority that is trusted has seen the key in a TPM. No I/O, no clock, no TPM stack.
 */
#ifndef ASSAY_ENROLL_CERTIFIED_H
#define ASSAY_ENROLL_CERTIFIED_H

#include "verify/ak_certificate.h"
#include "verify/record.h"

/**
 * struct certified_device - what the verifier was given
 * @machine_id: what to call it
 * @ak: the key, as a TPM2B_PUBLIC or TPMT_PUBLIC was read
 * @certificates: as ak_certificate_check() takes them
 * @vouched: the caller vouches for what the certificate does not say
 */
struct certified_device {
	const char *machine_id;
	const struct ak_given *ak;
	struct bytes certificates;
	bool vouched;
};

/*
 * enroll_certified() - judge the certificate, and make the record
 * @trust: whom to believe; its time is when the device is enrolled
 * @ret: device_record_free() it
 * @ret_revocation: what revocation lists could say
 *
 * Return: 0; -EINVAL for a key in a form that has no name; -EKEYREJECTED with what is off: the
 * key is no attestation key, is another than the certificate's, or nobody says that it is
 * restricted; -EBADMSG, -ENOMEM
 */
int enroll_certified(const struct certified_device *device, const struct chain_trust *trust,
		     struct device_record *ret, struct chain_revocation *ret_revocation,
		     struct assay_error *err);

#endif /* ASSAY_ENROLL_CERTIFIED_H */
