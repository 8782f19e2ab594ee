// SPDX-License-Identifier: MIT
/* What a file is that was taken for a log. */
#include <string.h>

#include "log/log_kind.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void files_of_all_kinds(void **state)
{
	static const struct {
		const char *file;
		enum log_kind kind;
	} rows[] = {
		{ "ima/charra.bin", LOG_KIND_IMA },
		{ "ima/ibmtss-sha256.log", LOG_KIND_IMA },
		{ "ima/ibmtss-sha512.log", LOG_KIND_IMA },
		{ "ima/tss2-fapi-sml-ima-sha1.bin", LOG_KIND_IMA },
		{ "uefi/tpm2tools-event-arch-linux.bin", LOG_KIND_UEFI },
		{ "uefi/digest-missing.bin", LOG_KIND_UEFI },
		{ "uefi/ccel-header.bin", LOG_KIND_CCEL },
		{ "fuzz_cel/sample", LOG_KIND_CEL },
		{ "cel/cel-no-action.tlv", LOG_KIND_CEL },
		{ "cel/cel-no-action.json", LOG_KIND_CEL_JSON },
		{ "cel/cel-pretty-object.json", LOG_KIND_CEL_JSON },
		{ "cel/pcrlock-257-without-content.json", LOG_KIND_CEL_JSON },
		{ "cel/systemd-cut.json", LOG_KIND_CEL_JSON },
		{ "fuzz_cel_json/systemd", LOG_KIND_CEL_JSON },
		{ "evidence/evidence.json", LOG_KIND_ASSAY_JSON },
		{ "evidence/cert.pem", LOG_KIND_PEM },
		{ "cel/gotpmtools-cel.b64", LOG_KIND_UNKNOWN },
		{ "ima/ORIGIN", LOG_KIND_UNKNOWN },
		{ "evidence/ak.pub", LOG_KIND_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer file = log_test_data(rows[i].file);

		print_message("%s\n", rows[i].file);
		assert_int_equal(log_kind_detect(buffer_bytes(&file)), rows[i].kind);
		assert_int_equal(log_kind_sentence(rows[i].kind) != NULL,
				 rows[i].kind != LOG_KIND_UNKNOWN);
		buffer_free(&file);
	}
}

/* A table of 36 bytes whose sum is 0. */
static struct bytes acpi_table(const char *signature, uint8_t table[36])
{
	static const uint8_t length_and_revision[] = { 36, 0, 0, 0, 1, 0 };
	uint8_t sum = 0;

	memset(table, 'X', 36);
	for (size_t i = 0; i < 4; i++)
		table[i] = (uint8_t)signature[i];
	memcpy(table + 4, length_and_revision, sizeof(length_and_revision));
	for (size_t i = 0; i < 36; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
	return BYTES(table, 36);
}

static void acpi_tables(void **state)
{
	uint8_t table[37] = { 0 };

	(void)state;
	assert_int_equal(log_kind_detect(acpi_table("TPM2", table)), LOG_KIND_ACPI_TABLE);
	assert_int_equal(log_kind_detect(acpi_table("CCEL", table)), LOG_KIND_ACPI_CCEL);
	assert_int_equal(log_kind_detect(BYTES(table, 37)), LOG_KIND_UNKNOWN);
	assert_int_equal(log_kind_detect(BYTES(table, 35)), LOG_KIND_UNKNOWN);
	table[20] ^= 1;
	assert_int_equal(log_kind_detect(BYTES(table, 36)), LOG_KIND_UNKNOWN);
}

static void texts(void **state)
{
#define SHA1 "0123456789abcdef0123456789abcdef01234567"
	static const struct {
		struct bytes text;
		enum log_kind kind;
	} rows[] = {
		{ BYTES_LITERAL("10 " SHA1 " ima-ng sha256:00 /x\n"), LOG_KIND_IMA_ASCII },
		{ BYTES_LITERAL(" 8 " SHA1 "ab ima-sig"), LOG_KIND_IMA_ASCII },
		{ BYTES_LITERAL("10 " SHA1), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL("10 0123 ima-ng"), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL(SHA1 "  file"), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL("{\"payloadType\":\"x\",\"payload\":\"\"}"), LOG_KIND_DSSE },
		{ BYTES_LITERAL("{\"payloadType\":\"x\"}"), LOG_KIND_JSON },
		{ BYTES_LITERAL(" [ {\"digests\":[]}"), LOG_KIND_CEL_JSON },
		{ BYTES_LITERAL("{\"digests\":{}}"), LOG_KIND_JSON },
		{ BYTES_LITERAL("-----BEGIN"), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL("\x1e{\"digests\":[]}"), LOG_KIND_CEL_JSON },
		{ BYTES_LITERAL("{\"digests\":[]"), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL("[]"), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL("[[[[["), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL("0"), LOG_KIND_UNKNOWN },
		{ BYTES_LITERAL(""), LOG_KIND_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(log_kind_detect(rows[i].text), rows[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_all_kinds),
		cmocka_unit_test(acpi_tables),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
