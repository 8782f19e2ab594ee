/* SPDX-License-Identifier: MIT */
/*
 * The structures of UEFI that firmware measures: GUIDs, text in UTF-16, variables, lists of
 * signatures (UEFI Specification 2.10; TCG PC Client Platform Firmware Profile 1.06, PFP).
 *
 * All of it is hostile: nothing is read beyond what is given, nothing is copied, and no text is
 * fit to print before text_escape() made it so. Pure.
 */
#ifndef ASSAY_FIRMWARE_EFI_H
#define ASSAY_FIRMWARE_EFI_H

#include "base/bytes.h"

#define EFI_GUID_SIZE 16
/* Characters of a GUID as text, with the NUL. */
#define EFI_GUID_TEXT 37

/* efi_guid_text() - "8be4df61-93ca-11d2-aa0d-00e098032b8c" (UEFI 2.10, appendix A); @text */
char *efi_guid_text(const uint8_t guid[static EFI_GUID_SIZE], char text[static EFI_GUID_TEXT]);

/* efi_guid_parse() - the same the other way round, lower or upper case; false for other text */
bool efi_guid_parse(const char *text, uint8_t ret[static EFI_GUID_SIZE]);

/* efi_guid_is() - is it that one, in the form of efi_guid_text()? */
bool efi_guid_is(const uint8_t guid[static EFI_GUID_SIZE], const char *text);

/* efi_guid_name() - what it stands for, in words; NULL if that is not known here */
const char *efi_guid_name(const uint8_t guid[static EFI_GUID_SIZE]);

/* GUIDs that rules are about */
#define EFI_GLOBAL_VARIABLE "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFI_IMAGE_SECURITY_DATABASE "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
#define EFI_SHIM_LOCK "605dab50-e046-4300-abb6-3dd810dd8b23"
#define EFI_CERT_SHA256 "c1c41626-504c-4092-aca9-41f936934328"
#define EFI_CERT_X509 "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"

/*
 * efi_text() - append text in UTF-16 as UTF-8 to @out, without NULs at its end
 * A surrogate that stands alone becomes ill-formed UTF-8, which text_escape() shows as bytes; so
 * does an odd byte at the end.
 */
void efi_text(struct bytes utf16, struct buffer *out);

/* efi_text_is() - is it that text, in ASCII, to its end? */
bool efi_text_is(struct bytes utf16, const char *ascii);

/* efi_take_text() - the characters up to a NUL, which is taken as well; false if there is none */
bool efi_take_text(struct bytes *in, struct bytes *ret);

/**
 * struct efi_variable - UEFI_VARIABLE_DATA (PFP 10.4.2), as events have it
 * @guid: of its vendor; EFI_GUID_SIZE bytes
 * @name: UTF-16, without a NUL
 * @value: its data
 * @excess: bytes behind it: the shim once logged some
 */
struct efi_variable {
	const uint8_t *guid;
	struct bytes name, value;
	size_t excess;
};

/* efi_variable_parse() - false where the sizes in it go beyond @data */
bool efi_variable_parse(struct bytes data, struct efi_variable *ret);

/* efi_variable_is() - is it that vendor's variable of that name? */
bool efi_variable_is(const struct efi_variable *variable, const char *guid, const char *name);
/* efi_is_secure_boot() - is it the one that says whether Secure Boot is on? */
bool efi_is_secure_boot(const struct efi_variable *variable, bool *ret_on);

/**
 * struct efi_signatures - where one is in lists of signatures (EFI_SIGNATURE_LIST, UEFI 32.4.1)
 * @lists: those that are not begun yet
 * @type: of the list that was begun
 * @rest: what is left of it
 * @size: of a signature in it, with its owner
 */
struct efi_signatures {
	struct bytes lists;
	const uint8_t *type;
	struct bytes rest;
	uint32_t size;
};

/**
 * struct efi_signature - EFI_SIGNATURE_DATA
 * @type: the GUID that says what @data is
 * @owner: the GUID of who put it there
 */
struct efi_signature {
	const uint8_t *type, *owner;
	struct bytes data;
};

void efi_signatures_begin(struct efi_signatures *signatures, struct bytes lists);

/* efi_signatures_next() - 1 with *ret set; 0 at the end; -EBADMSG for what is no such list */
int efi_signatures_next(struct efi_signatures *signatures, struct efi_signature *ret);

#endif /* ASSAY_FIRMWARE_EFI_H */
