/* SPDX-License-Identifier: MIT */
/*
 * Evidence for tests of lib/verify: a good one, made from its parts with keys of
 * this process, and room to change any part at any stage of the making.
 *
 * The TPM's structures are marshalled and the PCRs replayed here on their own, from
 * the specifications, not with lib/verify, so that the two check each other.
 */
#ifndef ASSAY_TEST_VERIFY_FIXTURE_H
#define ASSAY_TEST_VERIFY_FIXTURE_H

#include <openssl/evp.h>

#include "log/uefi.h"
#include "log_builder.h"
#include "verify/evidence.h"
#include "verify/structures.h"
#include "verify/verify.h"

#define FIXTURE_MAX_RECORDS 16
#define FIXTURE_MAX_SELECTIONS 20
#define FIXTURE_BOOT_ID "01234567-89ab-cdef-0123-456789abcdef" /* put_start()'s */

/* The file system's UUID that put_file() writes, as an initialiser. */
#define FIXTURE_FSUUID                                                                         \
	{                                                                                      \
		'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f' \
	}

/* The keys of the process, made when first used. */
enum fixture_key {
	KEY_P256,
	KEY_P256_OTHER,
	KEY_P384,
	KEY_P521,
	KEY_RSA1024,
	KEY_RSA2048,
	KEY_RSA2048_E3,
	KEY_SIGNER, /* of manifests, P-256 */
	KEY_SIGNER_OTHER,
	KEY_COUNT,
};

/* The process's key, borrowed. */
EVP_PKEY *fixture_key(enum fixture_key key);

/* A record of assay's log. */
struct fixture_record {
	uint64_t recnum;
	uint8_t pcr;
	struct buffer content;				/* the whole TLV */
	struct assay_digest digests[LOG_BUILDER_BANKS]; /* SHA-1, SHA-256 */
};

/* An entry of IMA's list, whose template digests are in SHA-1. */
struct fixture_entry {
	uint32_t pcr;
	uint8_t digest[20];
	const char *name;
	struct buffer data;
};

/* An event of the firmware's log, whose banks are SHA-1 and SHA-256. */
#define FIXTURE_FIRMWARE_PCRS 13
#define FIXTURE_MAX_EVENTS 40
struct fixture_event {
	uint32_t pcr, type;
	const char *data;
	const char *measured; /* what was extended, where that is not the data */
	size_t size;	      /* of data that is no string; else 0 */
};

/* TPMS_PCR_SELECTION as it will be marshalled, right or wrong. */
struct fixture_selection {
	uint16_t bank;
	uint8_t size;
	uint8_t select[255];
};

/* The public area of the attestation key, right or wrong. */
struct fixture_public {
	uint16_t type, name_hash;
	uint32_t attributes;
	uint16_t scheme, scheme_hash; /* TPM_ALG_NULL: no hash */
	uint16_t key_bits, curve;
	uint32_t exponent;
	struct buffer x, y, modulus;
};

/* TPMS_ATTEST and how it is signed, right or wrong. */
struct fixture_quote {
	enum fixture_key signer; /* who signs */
	uint32_t magic;
	uint16_t type;
	struct buffer qualified_signer;
	struct buffer nonce;
	uint64_t clock, firmware_version;
	uint32_t reset_count, restart_count;
	uint8_t safe;
	uint32_t selection_count; /* as it is written */
	struct fixture_selection selections[FIXTURE_MAX_SELECTIONS];
	size_t selections_written;
	int pcr_digest_size; /* -1: what it is */
	uint16_t signature_algorithm, signature_hash;
	/* What the signature is made with; what it says may be something else. */
	uint16_t signed_hash;
	bool pss;
};

/**
 * struct fixture - evidence in the making
 * In the order in which things are derived from one another; see fixture_build().
 */
struct fixture {
	/* Before the PCRs: what happened on the device. */
	struct fixture_record records[FIXTURE_MAX_RECORDS];
	size_t record_count;
	struct fixture_entry entries[FIXTURE_MAX_RECORDS];
	size_t entry_count;
	bool padded; /* PCR 10's SHA-256 bank was extended with SHA-1, as old kernels do */
	struct fixture_event events[FIXTURE_MAX_EVENTS];
	size_t event_count;	     /* without any, there is no log of the firmware */
	uint32_t events_kept_back;   /* bit n: those of PCR n are not handed over */
	size_t event_cut;	     /* the last ones, which are not handed over */
	bool events_of_another_boot; /* what is handed over has another firmware's version */
	struct assay_digest firmware[FIXTURE_FIRMWARE_PCRS][LOG_BUILDER_BANKS]; /* but 10 */
	size_t unanchored; /* the last records, which the TPM has not seen */
	size_t cut;	   /* the first ones, which are not handed over */
	uint8_t cut_lie;   /* what the PCR is said to have been before the others is off by this */
	struct assay_digest start[LOG_BUILDER_BANKS]; /* PCR 14 before the log */
	/* Before the quote: the TPM. */
	struct assay_digest pcrs[2][LOG_BUILDER_BANKS]; /* PCRs 10 and 14 */
	struct fixture_public ak;
	struct fixture_quote quote;
	/* After the quote: what the attester, or who sits between, hands over. */
	struct evidence evidence;
	bool hands_no_assay_log, hands_no_ima_log, hands_no_uefi_log;
	/* The verifier's side. */
	struct buffer text; /* the evidence's JSON */
	struct buffer enrolled, nonce, qualified_name;
	struct buffer manifest_text, manifest_signature;
	struct verify_manifest manifest;
	X509 *certificates[1];
	struct policy_path ima_digest; /* of one entry; see fixture_add_ima_files() */
	struct assay_digest ima_digest_values[2];
	struct assay_digest
		pcr_values[2]; /* what PCR 14 may be: one that it is not, and what it is */
	struct policy_pcr pcr_value[3];
	/* The policy has values of two PCRs of the boot, too, the second one's another's. */
	bool boot_named, boot_another;
	bool certified; /* the attestation key has a certificate that is believed */
	unsigned int boot_pcrs[2];
	bool no_manifest, no_pcr_values; /* the policy's: see bad_presence.c */
	struct verify_policy policy;
	struct verify_state state; /* of an attestation some time before */
	struct verify_input input;
};

/* The stages between which a test may change things. */
enum fixture_stage {
	BEFORE_PCRS,
	AFTER_CHAIN, /* keys and MACs are of what the records are now */
	BEFORE_QUOTE,
	AFTER_QUOTE,   /* evidence is filled but for its logs */
	AT_MARSHALLED, /* evidence's logs are filled too */
	AT_VERIFIER,   /* input and policy are filled */
};

typedef void fixture_change(struct fixture *fixture);

/* A self-signed certificate of a key; X509_free() it. */
X509 *fixture_certificate(enum fixture_key key);

/* The same, one for the process, in DER. */
struct bytes fixture_certificate_der(enum fixture_key key);

/*
 * At the verifier: the attestation key's certificate is @key's self-signed one, and that of @root
 * is the only one that is believed. It is now, by the clock.
 */
void fixture_certify(struct fixture *fixture, enum fixture_key key, enum fixture_key root);

/* A fixture of what is good; fixture_free() it. */
void fixture_begin(struct fixture *fixture);

/* fixture_build() - go through the stages, calling @change (may be NULL) at @stage */
void fixture_build(struct fixture *fixture, enum fixture_stage stage, fixture_change *change);

/*
 * fixture_build_earlier() - the same as the device was some time before: with the first of its
 * records and entries, and a quote of then. A change behind AFTER_CHAIN is not made yet.
 */
void fixture_build_earlier(struct fixture *fixture, enum fixture_stage stage,
			   fixture_change *change, size_t records, size_t entries);
void fixture_free(struct fixture *fixture);

/* fixture_judge() - begin, build, verify, free */
void fixture_judge(enum fixture_stage stage, fixture_change *change, struct verdict *ret);

/* Write the evidence anew, once it was changed AT_VERIFIER. */
void fixture_write(struct fixture *fixture);

/* Sign the manifest anew, as manifests are or, in the old way, as files are. */
void fixture_sign_manifest(struct fixture *fixture, bool as_file);

/* For changes: the attestation key of another kind, with the attributes of a good one. */
void fixture_use_key(struct fixture *fixture, enum fixture_key key, uint16_t scheme, uint16_t hash);
/* One bank's selection of a mask of PCRs. */
struct fixture_selection fixture_select(uint16_t bank, uint32_t mask);
/* Make the evidence's PCR values those of the quote's selections, as far as there are any. */
void fixture_supply(struct fixture *fixture);
/* The files of the manifest: path and digest of the one with that number (0 to 2). */
const char *fixture_path(size_t number);
struct assay_digest fixture_digest(size_t number);
/* A record with an ASSAY_CEL_CONTENT of that value, keys, MAC and digests and all. */
struct fixture_record fixture_record(uint64_t recnum, struct bytes value);
/* What PCR 14 is before the record with that index, in the bank with that one. */
struct assay_digest fixture_pcr_before(const struct fixture *fixture, size_t index, size_t bank);
/*
 * Keys and MAC of the record @recnum, without a change of digests that are off: as log_links() has
 * them, or these; none for NULL.
 */
void fixture_chain(struct fixture_record *record, uint64_t recnum);
void fixture_chain_by(struct fixture_record *record, uint64_t recnum,
		      const struct log_links *links);
/* The last byte of the fields that the record's kind has, before the MAC. */
uint8_t *fixture_last_byte(struct fixture_record *record);
/* Digests as of the content. */
void fixture_mend(struct fixture_record *record);
void fixture_mend_entry(struct fixture_entry *entry);
/* Put in at @index, take out of it: whoever calls sees to the numbers. */
void fixture_insert(struct fixture *fixture, size_t index, struct fixture_record record);
void fixture_drop(struct fixture *fixture, size_t index);
void fixture_insert_entry(struct fixture *fixture, size_t index, struct fixture_entry entry);
void fixture_drop_entry(struct fixture *fixture, size_t index);
struct fixture_entry fixture_entry(const char *path, uint8_t seed);

/*
 * A record at the log's end that mirrors an entry of IMA's list; a violation has a digest of zeros.
 * The second makes the entry of that path.
 */
void fixture_mirror(struct fixture *f, uint32_t pcr, const char *template, struct bytes data,
		    bool violation);
void fixture_mirror_path(struct fixture *f, uint32_t pcr, const char *path, bool violation);
/* The same with that digest; zeros for NULL. */
struct fixture_entry fixture_entry_of(const char *path, const struct assay_digest *digest);
/*
 * What the others can do without, for before the PCRs: the firmware's log, quoted and in
 * boot_aggregate; and entries of IMA that have a reference value or a signature: behind the
 * others, FIXTURE_VERITY, FIXTURE_DIGEST and FIXTURE_SIGNED.
 */
void fixture_add_firmware(struct fixture *fixture);

/* fixture_extend_behind() - extend PCRs by a word behind the firmware's log, as systemd does after
 * IMA took their aggregate; bit n of @pcrs: PCR n */
void fixture_extend_behind(struct fixture *fixture, uint32_t pcrs, const char *word);
void fixture_add_ima_files(struct fixture *fixture);
/* The PCRs of the firmware after its events; done once more before the quote. */
void fixture_boot(struct fixture *fixture);
/* boot_aggregate as of these PCRs */
void fixture_mend_aggregate(struct fixture *fixture);
enum { FIXTURE_VERITY = 4, FIXTURE_DIGEST, FIXTURE_SIGNED };
/* An entry of that template, "ima-sigv2" or "ima-sig", signed by that key. */
struct fixture_entry fixture_signed_entry(const char *path, const struct assay_digest *digest,
					  bool verity, enum fixture_key key);
void fixture_renumber(struct fixture *fixture);
struct buffer fixture_copy(struct bytes bytes);
/* TPMT_SIGNATURE over a message, as the quote is signed. */
struct buffer fixture_sign(const struct fixture_quote *quote, struct bytes message);
/* After the quote: quote anew. */
void fixture_requote(struct fixture *fixture);

/* ---------------------------------------------------------------- tables of bad input */

/**
 * struct bad_row - one way to be wrong, and what must catch it
 * @name: "Q1 magic": its row in the design's list, and what is done
 * @stage, @change: when, and how
 * @fails: CHECK_BIT()s of exactly the checks that must fail; the others pass, or are
 *         not made since they build on one of these; with TRUSTED where the verdict is
 *         that all the same
 */
struct bad_row {
	const char *name;
	enum fixture_stage stage;
	fixture_change *change;
	check_mask fails;
};

extern const struct bad_row bad_quotes[]; /* ended by a name of NULL */
extern const struct bad_row bad_logs[];
extern const struct bad_row bad_starts[];
extern const struct bad_row bad_ima[];
extern const struct bad_row bad_boot[];
extern const struct bad_row bad_chain[];
extern const struct bad_row bad_firmware[];
extern const struct bad_row bad_presence[];
extern const struct bad_row bad_session[];

#define FAILS(name) CHECK_BIT(CHECK_##name)
/* In struct bad_row.fails: the verdict is "trusted" all the same. */
#define TRUSTED ((check_mask)1 << 127)

#endif /* ASSAY_TEST_VERIFY_FIXTURE_H */
