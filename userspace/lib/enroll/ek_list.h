/* SPDX-License-Identifier: MIT */
/*
 * Endorsement keys that are known without a certificate: whoever put the machines up noted their
 * keys, or a maker handed over a list of them.
 *
 * Pure; no TPM stack: for the verifier's side of enrolment.
 */
#ifndef ASSAY_ENROLL_EK_LIST_H
#define ASSAY_ENROLL_EK_LIST_H

#include "verify/key.h"

#define EK_LIST_MAX 1000000 /* keys of one list */

/* struct ek_list - start with {0}, end with ek_list_free(); @keys in the order of memcmp() */
struct ek_list {
	uint8_t (*keys)[32];
	size_t count, room;
};

/*
 * ek_list_parse() - add the keys of a file
 * @name: names the file in errors
 *
 * A line a key: the SHA-256 of its SubjectPublicKeyInfo in DER (tpm_public_key_digest()), 64
 * hexadecimal digits in either case; what follows behind a blank is for people, such as the name
 * that sha256sum writes. Lines that are empty or begin with '#' are none.
 *
 * Return: 0; -EBADMSG with the line that is something else, or where there is no key; -E2BIG,
 * -ENOMEM
 */
int ek_list_parse(struct bytes text, const char *name, struct ek_list *list,
		  struct assay_error *err);

/* ek_list_has() - is the key of that digest in it? */
bool ek_list_has(const struct ek_list *list, const struct assay_digest *key);

void ek_list_free(struct ek_list *list);

#endif /* ASSAY_ENROLL_EK_LIST_H */
