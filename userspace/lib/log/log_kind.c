// SPDX-License-Identifier: MIT
#include "log/log_kind.h"

#include <string.h>

#include "base/json.h"
#include "log/cel.h"
#include "log/cel_json.h"
#include "log/ima.h"
#include "log/ima_ascii.h"
#include "log/uefi.h"

/* Text beyond this is not taken apart to tell what it is. */
#define JSON_MAX (16U << 20)

/* Common header of ACPI's tables (ACPI 6.5, section 5.2.6). */
#define ACPI_HEADER_SIZE 36
#define ACPI_SIGNATURE_SIZE 4

static bool is_acpi_table(struct bytes file)
{
	struct bytes in = file, signature;
	uint32_t length;
	uint8_t sum = 0;

	if (file.size < ACPI_HEADER_SIZE || !bytes_take(&in, ACPI_SIGNATURE_SIZE, &signature) ||
	    !bytes_take_le32(&in, &length) || length != file.size)
		return false;
	for (size_t i = 0; i < signature.size; i++)
		if (signature.data[i] < '0' || signature.data[i] > 'Z')
			return false;
	for (size_t i = 0; i < file.size; i++)
		sum = (uint8_t)(sum + file.data[i]);
	return sum == 0;
}

/* What a first object says of the text that it is in. */
static enum log_kind kind_of_object(const json_t *object)
{
	if (json_object_get(object, "payloadType") && json_object_get(object, "payload"))
		return LOG_KIND_DSSE;
	if (json_object_get(object, "assay"))
		return LOG_KIND_ASSAY_JSON;
	return json_is_array(json_object_get(object, "digests")) ? LOG_KIND_CEL_JSON :
								   LOG_KIND_JSON;
}

static enum log_kind kind_of_text(struct bytes file)
{
	static const char lead[] = { ' ', '\t', '\r', '\n', '[', CEL_JSON_SEPARATOR };
	static const char pem[] = "-----BEGIN ";
	enum log_kind kind = LOG_KIND_UNKNOWN;
	struct bytes in = file;
	json_t *object;

	if (file.size >= sizeof(pem) - 1 && memcmp(file.data, pem, sizeof(pem) - 1) == 0)
		return LOG_KIND_PEM;
	/* Up to the first object: white space, a separator, the beginning of an array. */
	while (in.size > 0 && memchr(lead, in.data[0], sizeof(lead)))
		bytes_take(&in, 1, &(struct bytes){ 0 });
	if (in.size > JSON_MAX)
		in.size = JSON_MAX;
	if (in.size == 0 || in.data[0] != '{' || json_parse_front(&in, "", &object, NULL) < 0)
		return kind;
	kind = kind_of_object(object);
	json_decref(object);
	return kind;
}

static bool is_cel(struct bytes file)
{
	struct cel_reader reader;
	struct cel_record record;

	cel_begin(&reader, file, 0);
	return cel_next(&reader, &record, NULL) == 1;
}

static bool is_uefi(struct bytes file)
{
	struct uefi_reader reader;

	if (uefi_open(&reader, file, NULL) < 0)
		return false;
	/* The old form has no mark of its own: too much would be taken for it. */
	uefi_close(&reader);
	return reader.agile;
}

enum log_kind log_kind_detect(struct bytes file)
{
	enum assay_hash bank;

	if (uefi_is_ccel(file))
		return LOG_KIND_CCEL;
	if (is_acpi_table(file))
		return memcmp(file.data, "CCEL", ACPI_SIGNATURE_SIZE) == 0 ? LOG_KIND_ACPI_CCEL :
									     LOG_KIND_ACPI_TABLE;
	if (is_cel(file))
		return LOG_KIND_CEL;
	if (is_uefi(file))
		return LOG_KIND_UEFI;
	if (ima_detect_bank(file, &bank, NULL) == 0)
		return LOG_KIND_IMA;
	if (ima_ascii_is(file))
		return LOG_KIND_IMA_ASCII;
	return kind_of_text(file);
}

const char *log_kind_sentence(enum log_kind kind)
{
	static const char *const sentences[] = {
		[LOG_KIND_UNKNOWN] = NULL,
		[LOG_KIND_IMA] = "it is a list of IMA: see 'assay replay ima'",
		[LOG_KIND_IMA_ASCII] = "it is IMA's list as text: see 'assay replay ima'",
		[LOG_KIND_CEL] =
			"it is a log in CEL-TLV: see 'assay replay cel' and 'assay log show'",
		[LOG_KIND_CEL_JSON] =
			"it is a log in CEL-JSON: see 'assay replay cel' and 'assay log show'",
		[LOG_KIND_UEFI] = "it is a firmware's event log: see 'assay replay uefi'",
		[LOG_KIND_CCEL] = "it is the log of a confidential machine (CCEL), of registers "
				  "of the processor's: see 'assay replay ccel'",
		[LOG_KIND_ACPI_CCEL] =
			"it is the ACPI table CCEL, which only says where the log is: "
			"that is /sys/firmware/acpi/tables/data/CCEL",
		[LOG_KIND_ACPI_TABLE] = "it is an ACPI table; the firmware's log is "
					"/sys/kernel/security/tpm0/binary_bios_measurements",
		[LOG_KIND_DSSE] = "it is a signed envelope (DSSE), which may hold a log: take its "
				  "\"payload\" out, which is in base64",
		[LOG_KIND_ASSAY_JSON] =
			"it is a JSON file of assay's and no log; of evidence, 'assay "
			"log show --evidence' shows the log in it",
		[LOG_KIND_JSON] = "it is JSON, but no log in CEL-JSON: its first object has no "
				  "\"digests\"",
		[LOG_KIND_PEM] = "it is PEM: a key, a certificate or the like, and no log",
	};

	return sentences[kind];
}
