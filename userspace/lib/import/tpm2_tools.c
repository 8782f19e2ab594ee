// SPDX-License-Identifier: MIT
#include "import/tpm2_tools.h"

#include "import/pcr_file.h"

int import_tpm2_tools(const struct tpm2_tools_files *files, const struct import_scheme *scheme,
		      const struct import_notes *notes, struct evidence *ret,
		      struct assay_error *err)
{
	struct tpm_attest attest = { 0 };
	int r = import_attest(files->message, ret, &attest, err);

	if (r == 0)
		r = import_ak(files->ak, ret, err);
	if (r == 0)
		r = import_signature(files->signature, scheme, notes, ret, err);
	if (r == 0)
		r = pcr_file_read(files->pcrs, &attest, ret, err);
	return r;
}
