/* SPDX-License-Identifier: MIT */
/*
 * What the parts of `assay quote` share: the call and its selection of PCRs (quote.c), collecting
 * the quote and the logs (quote_collect.c), writing what came of it (quote_write.c).
 */
#ifndef ASSAY_CMD_QUOTE_H
#define ASSAY_CMD_QUOTE_H

#include "cmd.h"
#include "log/device.h"
#include "tpm/quote.h"
#include "tpm_options.h"
#include "verify/evidence.h"
#include "verify/keylime_evidence.h"

enum quote_format { QUOTE_ASSAY, QUOTE_KEYLIME, QUOTE_CMW, QUOTE_CMW_CBOR };

/**
 * struct quote_options - the command line
 * @pcrs: a mask; 0: those of the logs, and of the policy
 * @policy: NULL: none
 * @banks: without PCRs
 * @since: number of the first record wanted, if @has_since
 * @since_ima: how many entries of IMA's list are left out
 * @since_uefi: bytes of a log of the firmware that is left out
 * @archive: directory with what was cut off the log; NULL: that of assayd, if there is one
 */
struct quote_options {
	struct tpm_options tpm;
	const char *ak, *ak_certificate, *out, *export, *policy;
	uint32_t pcrs;
	struct tpm_pcrs banks;
	uint8_t nonce[TPM_NONCE_MAX];
	size_t nonce_size;
	uint64_t since;
	bool has_since;
	uint64_t since_ima;
	uint64_t since_uefi;
	const char *archive;
	bool no_assay_log, no_archive, no_ima_log, no_uefi_log, json, compress;
	enum quote_format format;
};

/*
 * quote_log_info() - what the module tells of its log: fails early where there is none
 * Return: 0; -EPROTO for a PCR that cannot anchor a log
 */
int quote_log_info(struct assay_info *ret, struct assay_error *err);

/* quote_finds_uefi_log() - there is none where no firmware measures: the verifier's policy says
 * whether one is due. */
bool quote_finds_uefi_log(const struct quote_options *options);

/*
 * quote_collect() - quote, and collect the logs
 * @pcrs: banks and PCRs to quote
 * @evidence, @quote: filled; evidence_free() and tpm_quote_free() them, also on failure
 */
int quote_collect(const struct quote_options *options, const struct tpm_pcrs *pcrs,
		  struct evidence *evidence, struct tpm_quote *quote, struct assay_error *err);

/*
 * quote_write() - write the evidence in the form that was asked for, and its parts
 * @ret_left_out: what the form has no place for
 */
int quote_write(const struct quote_options *options, const struct evidence *evidence,
		struct keylime_left_out *ret_left_out, struct assay_error *err);

/* quote_print() - tell what was written; an exit status */
int quote_print(const struct quote_options *options, const struct evidence *evidence,
		const struct keylime_left_out *left_out);

#endif /* ASSAY_CMD_QUOTE_H */
