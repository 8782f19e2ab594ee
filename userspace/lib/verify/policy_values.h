/* SPDX-License-Identifier: MIT */
/*
 * Inside lib/verify: reading the values of a policy's members. What each member means is in
 * policy_members.c. Nobody else includes this.
 *
 * Each reader takes the member's path, "ima.digests./usr/bin/x[0]", for its error, and
 * returns 0, -EBADMSG for a value that is refused, or -ENOMEM.
 */
#ifndef ASSAY_VERIFY_POLICY_VALUES_H
#define ASSAY_VERIFY_POLICY_VALUES_H

#include "verify/policy.h"

/* Room for the path of a member; what is longer is cut. */
#define POLICY_PATH 256

struct policy_parser {
	struct policy *policy;
	struct assay_error *err;
};

/* struct policy_member - of an object: its name, and what reads its value; NULL: it is @key */
struct policy_member {
	const char *name;
	int (*read)(struct policy_parser *parser, const char *path, const json_t *value);
	enum policy_key key;
};

/* policy_allocate() - zeroed, freed with the policy; NULL, with the error told, without memory */
void *policy_allocate(struct policy_parser *parser, size_t count, size_t size);

/* policy_refuse() - the member at @path @format: returns -EBADMSG */
int policy_refuse(struct policy_parser *parser, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* policy_inner_path(), policy_item_path() - of an object's member, of an array's item */
void policy_inner_path(char out[static POLICY_PATH], const char *path, const char *name);
void policy_item_path(char out[static POLICY_PATH], const char *path, size_t index);

/* policy_read_object() - each member by its reader; one that is not in @members is refused */
int policy_read_object(struct policy_parser *parser, const char *path, const json_t *value,
		       const struct policy_member members[], size_t count);

/* policy_read_array() - is it an array? */
int policy_read_array(struct policy_parser *parser, const char *path, const json_t *value);

/* policy_read_text() - of one character or more; borrowed from @value */
int policy_read_text(struct policy_parser *parser, const char *path, const json_t *value,
		     const char **ret);

int policy_read_number(struct policy_parser *parser, const char *path, const json_t *value,
		       uint64_t least, uint64_t most, uint64_t *ret);

/* policy_read_time() - "2026-01-31T23:59:59Z", in seconds since 1970-01-01 00:00 UTC */
int policy_read_time(struct policy_parser *parser, const char *path, const json_t *value,
		     uint64_t *ret);

/* policy_read_key() - one of the key's two words, to policy->said */
int policy_read_key(struct policy_parser *parser, const char *path, const json_t *value,
		    enum policy_key key);

/* policy_read_pcr() - the index of a PCR */
int policy_read_pcr(struct policy_parser *parser, const char *path, const json_t *value,
		    unsigned int *ret);

/* policy_read_digests() - an array of one "HASH:HEX" or more */
int policy_read_digests(struct policy_parser *parser, const char *path, const json_t *value,
			const struct assay_digest **ret, size_t *ret_count);

/* policy_read_files() - an array of names of files, or of {"pem": TEXT} */
int policy_read_files(struct policy_parser *parser, const char *path, const json_t *value,
		      struct policy_certificate **ret, size_t *ret_count);

/* policy_read_uuid() - "01234567-89ab-cdef-0123-456789abcdef", its 16 bytes in this order */
int policy_read_uuid(struct policy_parser *parser, const char *path, const json_t *value,
		     uint8_t ret[static 16]);

/* policy_read_firmware() - the rules on the firmware's events: policy_firmware.c */
int policy_read_firmware(struct policy_parser *parser, const char *path, const json_t *value);

/* policy_read_ak() - whose certificates of attestation keys are believed: policy_ak.c */
int policy_read_ak(struct policy_parser *parser, const char *path, const json_t *value);

/* policy_read_members() - the whole object */
int policy_read_members(struct policy_parser *parser, const json_t *object);

#endif /* ASSAY_VERIFY_POLICY_VALUES_H */
