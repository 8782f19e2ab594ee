// SPDX-License-Identifier: MIT
/*
 * `assay enroll certificate`: a record by a certificate of the attestation key. Also in the
 * program assay-verify, so nothing here may need the TPM stack.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "enroll.h"
#include "enroll/certified.h"
#include "enroll/store.h"

CLEANUP_POINTER(struct store, store_close, store_close);

struct certificate_options {
	struct enroll_verifier verifier;
	struct trust_paths trust;
	const char *certificate, *machine_id;
	bool vouched, json;
};

int option_machine_id(void *place, const char *value, struct assay_error *err)
{
	if (!machine_id_valid(value))
		return assay_fail(err, EINVAL,
				  "must be 1 to %d letters, digits, '-', '_' and '.', not '%s'",
				  RECORD_MAX_MACHINE_ID, value);
	*(const char **)place = value;
	return 0;
}

static int judge(const struct certificate_options *options, const struct ak_given *ak,
		 struct device_record *ret, struct chain_revocation *ret_revocation,
		 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer certificates = { 0 };
	struct chain_trust trust;
	int r = trust_files_read(&options->trust, (uint64_t)time(NULL), &trust, err);

	if (r == 0)
		r = trust_files_certificates(options->certificate, &certificates, err);
	if (r == 0) {
		const struct certified_device device = { .machine_id = options->machine_id,
							 .ak = ak,
							 .certificates =
								 buffer_bytes(&certificates),
							 .vouched = options->vouched };

		r = enroll_certified(&device, &trust, ret, ret_revocation, err);
	}
	trust_files_free(&trust);
	return r;
}

static int keep(const struct certificate_options *options, const struct device_record *record,
		char **ret_path, struct assay_error *err)
{
	CLEANUP(store_close_pointer) struct store *store = NULL;
	int r = store_open(options->verifier.records, &store, err);

	return r < 0 ? r : store_add(store, record, options->verifier.replace, ret_path, err);
}

static int enrol(const struct certificate_options *options, const char *path,
		 struct device_record *record, char **ret_path,
		 struct chain_revocation *ret_revocation, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct ak_given ak;
	int r = file_read(path, AK_GIVEN_MAX_SIZE, &text, err);

	if (r < 0)
		return r;
	r = ak_given_read(buffer_bytes(&text), &ak, err);
	if (r < 0)
		return assay_fail_context(err, "%s", path);
	r = judge(options, &ak, record, ret_revocation, err);
	ak_given_free(&ak);
	return r < 0 ? r : keep(options, record, ret_path, err);
}

static int run_certificate(int argc, char **argv)
{
	CLEANUP(device_record_free) struct device_record record = { 0 };
	CLEANUP(free_pointer) char *path = NULL;
	struct certificate_options options = { 0 };
	struct chain_revocation revocation = { 0 };
	struct operands operands;
	struct assay_error err;
	int status = command_parse(&command_enroll_certificate, argc, argv, &options, &operands);

	if (status == COMMAND_GO)
		status = enrol(&options, operands.list[0], &record, &path, &revocation, &err) < 0 ?
				 command_failed(&command_enroll_certificate, &err) :
				 enroll_print_record(&command_enroll_certificate, &record, path,
						     options.json);
	trust_paths_free(&options.trust);
	return status;
}

static const struct option_row certificate_rows[] = {
	ENROLL_ROWS_RECORDS(struct certificate_options, verifier),
	{ "machine-id", 0, "ID", "what to call the machine",
	  OPTION_FUNCTION(struct certificate_options, machine_id, option_machine_id),
	  .required = true },
	{ "ak-cert", 0, "FILE",
	  "the key's certificate, PEM or DER, and what leads from it to a root",
	  OPTION_INPUT(struct certificate_options, certificate), .required = true },
	{ "ak-roots", 0, "FILE",
	  "roots of authorities that certify attestation keys, PEM or DER, or a directory of such "
	  "files; repeatable",
	  OPTION_INPUTS(struct certificate_options, trust.roots), .required = true },
	{ "ak-intermediates", 0, "FILE",
	  "certificates that may stand between, not trusted for being there; repeatable",
	  OPTION_INPUTS(struct certificate_options, trust.intermediates) },
	{ "ak-crl", 0, "FILE", "revocation lists of such authorities, PEM or DER; repeatable",
	  OPTION_INPUTS(struct certificate_options, trust.crls) },
	{ "ak-vouched", 0, NULL,
	  "vouch for what the certificate does not say: that the key is restricted and bound to "
	  "its "
	  "TPM",
	  OPTION_FLAG(struct certificate_options, vouched) },
	OPTION_ROW_JSON(struct certificate_options, json),
	OPTION_END,
};

const struct command command_enroll_certificate = {
	.name = "enroll certificate",
	.summary = "keep a record of a device whose attestation key is certified",
	.intro =
		"For devices that need not answer a challenge, since an authority that is trusted\n"
		"has seen the attestation key in a TPM: is the certificate good, and of this key?\n"
		"Then the device is enrolled, and its record is in DIR/devices. AK is the key as\n"
		"TPM2B_PUBLIC or TPMT_PUBLIC; '-' is standard input.\n",
	.options = certificate_rows,
	.operands = "AK",
	.operands_min = 1,
	.operands_max = 1,
	.operands_read = true,
	.epilogue = "Exit status: 0 enrolled, 1 refused or failed, 2 wrong usage.\n",
	.run = run_certificate,
};
