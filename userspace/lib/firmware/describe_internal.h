/* SPDX-License-Identifier: MIT */
/* What the parts of describe.h share: text (describe.c), signatures, JSON. */
#ifndef ASSAY_FIRMWARE_DESCRIBE_INTERNAL_H
#define ASSAY_FIRMWARE_DESCRIBE_INTERNAL_H

#include "firmware/describe.h"

/* firmware_put() - append a line's part, at most 511 characters of it */
void firmware_put(struct buffer *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* firmware_put_escaped() - append foreign text, made fit to print */
void firmware_put_escaped(struct buffer *out, struct bytes text);

/* firmware_put_utf16() - the same of text in UTF-16 */
void firmware_put_utf16(struct buffer *out, struct bytes text);

/* firmware_signature_subject() - of a signature that is a certificate; free() it; else NULL */
char *firmware_signature_subject(struct bytes data);

/* firmware_is_signatures() - is it a variable of lists of signatures: PK, KEK, db, dbx, ...? */
bool firmware_is_signatures(const struct uefi_event *event, const struct efi_variable *variable);

/* firmware_put_signatures() - how many of which kind, and whose certificates */
void firmware_put_signatures(struct buffer *out, struct bytes lists);

/*
 * firmware_authority() - the certificate or digest in an EV_EFI_VARIABLE_AUTHORITY
 * An EFI_SIGNATURE_DATA (PFP 10.4.2), or a certificate alone, as the shim measures its own
 */
struct bytes firmware_authority(const struct efi_variable *variable);

json_t *firmware_signatures_json(struct bytes lists, bool *ret_whole);

#endif /* ASSAY_FIRMWARE_DESCRIBE_INTERNAL_H */
