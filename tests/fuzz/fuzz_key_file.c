// SPDX-License-Identifier: MIT
/*
 * TPM key files: no input may be read out of bounds, and what is taken must survive
 * being written and read again. The first byte says whether the rest is the file's
 * text, or DER that still has to go into a PEM block (so that the fuzzer need not
 * find base64), with a parent's name of SHA-256 before it or without.
 */
#include <stdlib.h>

#include "sign/tpm_key_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct bytes text)
{
	struct tpm_key_file file = { 0 }, again = { 0 };
	struct buffer written = { 0 };
	struct assay_error err;

	if (tpm_key_file_parse(text, "input", &file, &err) < 0)
		return;
	if (tpm_key_file_format(&file, &written, &err) < 0 ||
	    tpm_key_file_parse(buffer_bytes(&written), "again", &again, &err) < 0 ||
	    again.parent != file.parent ||
	    !bytes_equal(buffer_bytes(&again.public_area), buffer_bytes(&file.public_area)) ||
	    !bytes_equal(buffer_bytes(&again.private_area), buffer_bytes(&file.private_area)) ||
	    !bytes_equal(buffer_bytes(&again.parent_name), buffer_bytes(&file.parent_name)) ||
	    !bytes_equal(buffer_bytes(&again.pcr_policy), buffer_bytes(&file.pcr_policy)) ||
	    again.password != file.password || again.policy_password != file.policy_password)
		abort();
	buffer_free(&written);
	tpm_key_file_free(&file);
	tpm_key_file_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bytes begin = BYTES_LITERAL("-----BEGIN TSS2 PRIVATE KEY-----\n");
	static const struct bytes end = BYTES_LITERAL("-----END TSS2 PRIVATE KEY-----\n");
	static const struct bytes name = BYTES_LITERAL(TPM_KEY_FILE_PARENT_NAME "000b");
	struct bytes input = BYTES(data, size), line;
	struct buffer text = { 0 };
	uint8_t mode;

	if (!bytes_take_u8(&input, &mode))
		return 0;
	if (mode & 1) {
		check(input);
		return 0;
	}
	if ((mode & 2) && bytes_take(&input, 32, &line)) {
		char hex[2 * 32 + 1];

		hex_encode(line, hex);
		buffer_append_bytes(&text, name);
		buffer_append(&text, hex, sizeof(hex) - 1);
		buffer_append_u8(&text, '\n');
	}
	buffer_append_bytes(&text, begin);
	while (bytes_take(&input, input.size < 48 ? input.size : 48, &line) && line.size > 0) {
		char *encoded = base64_encode(line);

		for (size_t i = 0; encoded && encoded[i] != '\0'; i++)
			buffer_append_u8(&text, (uint8_t)encoded[i]);
		buffer_append_u8(&text, '\n');
		free(encoded);
	}
	buffer_append_bytes(&text, end);
	if (!text.failed)
		check(buffer_bytes(&text));
	buffer_free(&text);
	return 0;
}
