// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* open_memstream() */
#include "fleet_device.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../unit/log_builder.h"
#include "base/digest.h"
#include "verify/evidence.h"
#include "verify/key.h"
#include "verify/record.h"

#define BOOT_ID "01234567-89ab-cdef-0123-456789abcdef" /* put_start()'s */
#define ASSAY_PCR 14
#define IMA_PCR 10
#define FIRST_RECORDS 2 /* START, and the files of the manifest */

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fleet-load: %s failed\n", what);
	exit(1);
}

/* ---------------------------------------------------------------- logs */

static void log_note(struct made_log *log, size_t end, const struct assay_digest *value)
{
	log->ends[log->count] = end;
	log->values[log->count++] = *value;
}

static void log_begin(struct made_log *log, size_t count)
{
	log->ends = calloc(count, sizeof(*log->ends));
	log->values = calloc(count, sizeof(*log->values));
	must(log->ends && log->values, "memory");
}

static void add_record(struct log_builder *builder, struct buffer *value, struct made_log *log)
{
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(value));
	log_note(log, builder->log.size, &builder->value[1]);
	buffer_free(value);
}

/* START, the files of the manifest, and then events. */
static void make_assay_log(struct made_log *log, const struct manifest *manifest, size_t records)
{
	struct log_builder builder;
	struct buffer value = { 0 };

	log_begin(log, records);
	log_builder_begin(&builder);
	builder.chained = true;
	put_start(&value, builder.value, LOG_BUILDER_BANKS);
	add_record(&builder, &value, log);
	put_measure(&value);
	for (size_t i = 0; i < manifest->count; i++)
		put_file(&value, manifest->files[i].path, &manifest->files[i].digest);
	add_record(&builder, &value, log);
	while (log->count < records) {
		char text[32];

		snprintf(text, sizeof(text), "event %zu", log->count);
		put_event(&value, "load", BYTES((uint8_t *)text, strlen(text)));
		add_record(&builder, &value, log);
	}
	log->bytes = builder.log;
}

static void put_le32(struct buffer *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		buffer_append_u8(out, (uint8_t)(value >> (8 * i)));
}

static struct assay_digest sha256_of(struct bytes first, struct bytes second)
{
	const struct bytes pieces[] = { first, second };
	struct assay_digest digest;

	must(digest_pieces(ASSAY_HASH_SHA256, pieces, 2, &digest, NULL) == 0, "a digest");
	return digest;
}

/* ima-ng: "sha256:" and a digest, and a path, in a list of SHA-256. */
static void put_entry(struct buffer *list, size_t number, struct assay_digest *pcr)
{
	static const char algorithm[] = "sha256:";
	struct buffer data = { 0 };
	struct assay_digest digest;
	char path[64];

	snprintf(path, sizeof(path), number == 0 ? "boot_aggregate" : "/usr/lib/load/file-%05zu",
		 number);
	digest = sha256_of(BYTES((uint8_t *)path, strlen(path)), BYTES(NULL, 0));
	put_le32(&data, (uint32_t)(sizeof(algorithm) + digest.size));
	buffer_append(&data, algorithm, sizeof(algorithm));
	buffer_append(&data, digest.bytes, digest.size);
	put_le32(&data, (uint32_t)strlen(path) + 1);
	buffer_append(&data, path, strlen(path) + 1);
	digest = sha256_of(buffer_bytes(&data), BYTES(NULL, 0));
	*pcr = sha256_of(BYTES(pcr->bytes, 32), BYTES(digest.bytes, digest.size));
	put_le32(list, IMA_PCR);
	buffer_append(list, digest.bytes, digest.size);
	put_le32(list, 6);
	buffer_append(list, "ima-ng", 6);
	put_le32(list, (uint32_t)data.size);
	buffer_append_bytes(list, buffer_bytes(&data));
	buffer_free(&data);
}

void made_logs_begin(struct made_logs *logs, const struct manifest *manifest, size_t first,
		     size_t grows)
{
	struct assay_digest pcr = { .hash = ASSAY_HASH_SHA256, .size = 32 };

	*logs = (struct made_logs){ .first = first, .clock = (uint64_t)time(NULL) * 1000 };
	make_assay_log(&logs->assay, manifest, FIRST_RECORDS + grows);
	log_begin(&logs->ima, first + grows);
	while (logs->ima.count < first + grows) {
		put_entry(&logs->ima.bytes, logs->ima.count, &pcr);
		log_note(&logs->ima, logs->ima.bytes.size, &pcr);
	}
	must(!logs->ima.bytes.failed, "memory");
}

static void log_free(struct made_log *log)
{
	buffer_free(&log->bytes);
	free(log->ends);
	free(log->values);
}

void made_logs_free(struct made_logs *logs)
{
	log_free(&logs->assay);
	log_free(&logs->ima);
}

size_t made_device_records(const struct made_device *device)
{
	return FIRST_RECORDS + device->grown;
}

size_t made_device_entries(const struct made_device *device, const struct made_logs *logs)
{
	return logs->first + device->grown;
}

void made_device_grow(struct made_device *device, const struct made_logs *logs)
{
	device->grown += made_device_records(device) < logs->assay.count;
}

uint64_t made_device_clock(const struct made_logs *logs, uint32_t quote)
{
	return logs->clock + quote;
}

/* ---------------------------------------------------------------- keys */

static BIGNUM *private_number(uint64_t number)
{
	struct buffer seed = { 0 };
	struct assay_digest digest;
	BIGNUM *made;

	buffer_append(&seed, "load", 4);
	buffer_append_be64(&seed, number);
	digest = sha256_of(buffer_bytes(&seed), BYTES(NULL, 0));
	buffer_free(&seed);
	made = BN_bin2bn(digest.bytes, DEVICE_KEY_SIZE, NULL);
	must(made != NULL, "making a key");
	return made;
}

/* No point of the curve is all zeros. */
static void derive_point(struct made_device *device, uint64_t number)
{
	static EC_GROUP *group;
	uint8_t point[1 + sizeof(device->point)];
	BIGNUM *private;
	EC_POINT *made;

	if (!bytes_are_zero(BYTES(device->point, sizeof(device->point))))
		return;
	private = private_number(number);
	if (!group)
		group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	made = group ? EC_POINT_new(group) : NULL;
	must(made && EC_POINT_mul(group, made, private, NULL, NULL, NULL) == 1 &&
		     EC_POINT_point2oct(group, made, POINT_CONVERSION_UNCOMPRESSED, point,
					sizeof(point), NULL) == sizeof(point),
	     "making a key");
	memcpy(device->point, point + 1, sizeof(device->point));
	EC_POINT_free(made);
	BN_free(private);
}

static EVP_PKEY *signing_key(const struct made_device *device, uint64_t number)
{
	uint8_t point[1 + sizeof(device->point)] = { POINT_CONVERSION_UNCOMPRESSED };
	BIGNUM *private = private_number(number);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	memcpy(point + 1, device->point, sizeof(device->point));
	if (builder &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
					     sizeof(point)) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, private))
		params = OSSL_PARAM_BLD_to_param(builder);
	must(params && context && EVP_PKEY_fromdata_init(context) > 0 &&
		     EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) > 0,
	     "reading a key");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(context);
	BN_free(private);
	return key;
}

void made_device_name(uint64_t number, char name[static DEVICE_NAME_MAX])
{
	snprintf(name, DEVICE_NAME_MAX, "load-%08llu", (unsigned long long)number);
}

void made_device_public(struct made_device *device, uint64_t number, struct buffer *out)
{
	struct buffer area = { 0 };

	derive_point(device, number);
	buffer_append_be16(&area, TPM_ALG_ECC);
	buffer_append_be16(&area, ASSAY_HASH_SHA256);
	buffer_append_be32(&area, TPMA_OBJECT_FIXED_TPM | TPMA_OBJECT_FIXED_PARENT |
					  TPMA_OBJECT_SENSITIVE_DATA_ORIGIN |
					  TPMA_OBJECT_USER_WITH_AUTH | TPMA_OBJECT_RESTRICTED |
					  TPMA_OBJECT_SIGN);
	buffer_append_be16(&area, 0);
	buffer_append_be16(&area, TPM_ALG_NULL);
	buffer_append_be16(&area, TPM_ALG_ECDSA);
	buffer_append_be16(&area, ASSAY_HASH_SHA256);
	buffer_append_be16(&area, TPM_ECC_NIST_P256);
	buffer_append_be16(&area, TPM_ALG_NULL);
	for (size_t i = 0; i < 2; i++) {
		buffer_append_be16(&area, DEVICE_KEY_SIZE);
		buffer_append(&area, device->point + i * DEVICE_KEY_SIZE, DEVICE_KEY_SIZE);
	}
	buffer_append_be16(out, (uint16_t)area.size);
	buffer_append_bytes(out, buffer_bytes(&area));
	must(!area.failed && !out->failed, "memory");
	buffer_free(&area);
}

/* Its names: of the key, and below a primary key that does not exist. */
static void name_key(struct bytes tpm2b, struct tpm_name *name, struct tpm_name *qualified)
{
	static const uint8_t parent[34] = { 0, 0x0b, 1 };
	struct tpm_public public;

	must(tpm_public_parse(tpm2b, &public, NULL) == 0 &&
		     tpm_key_name(&public, name, NULL) == 0 &&
		     tpm_qualified_name(&public, BYTES(parent, sizeof(parent)), qualified, NULL) ==
			     0,
	     "naming a key");
}

void made_device_record(struct made_device *device, uint64_t number, struct buffer *out)
{
	struct device_record record = { .enrolled = (uint64_t)time(NULL) };
	struct tpm_name qualified;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	made_device_name(number, record.machine_id);
	made_device_public(device, number, &record.ak_public);
	name_key(buffer_bytes(&record.ak_public), &record.ak_name, &qualified);
	buffer_append(&record.ak_qualified_name, qualified.bytes, qualified.size);
	record.ek_key = sha256_of(BYTES(device->point, sizeof(device->point)), BYTES(NULL, 0));
	must(stream && device_record_write(stream, &record, NULL) == 0 && fclose(stream) == 0,
	     "writing a record");
	buffer_append(out, text, size);
	free(text);
	device_record_free(&record);
}

/* ---------------------------------------------------------------- evidence */

/* TPMS_ATTEST of a quote (Part 2, 10.12.12), of PCRs 10 and 14 in SHA-256. */
static void put_attest(uint64_t clock, struct bytes qualified, struct bytes nonce,
		       const struct assay_digest *ima, const struct assay_digest *assay,
		       struct buffer *out)
{
	struct assay_digest digest =
		sha256_of(BYTES(ima->bytes, ima->size), BYTES(assay->bytes, assay->size));
	uint32_t mask = 1U << IMA_PCR | 1U << ASSAY_PCR;

	buffer_append_be32(out, TPM_GENERATED);
	buffer_append_be16(out, TPM_ST_ATTEST_QUOTE);
	buffer_append_be16(out, (uint16_t)qualified.size);
	buffer_append_bytes(out, qualified);
	buffer_append_be16(out, (uint16_t)nonce.size);
	buffer_append_bytes(out, nonce);
	buffer_append_be64(out, clock);
	buffer_append_be32(out, 7);
	buffer_append_be32(out, 0);
	buffer_append_u8(out, 1);
	buffer_append_be64(out, 1);
	buffer_append_be32(out, 1);
	buffer_append_be16(out, ASSAY_HASH_SHA256);
	buffer_append_u8(out, 3);
	for (size_t i = 0; i < 3; i++)
		buffer_append_u8(out, (uint8_t)(mask >> (8 * i)));
	buffer_append_be16(out, (uint16_t)digest.size);
	buffer_append(out, digest.bytes, digest.size);
}

/* TPMT_SIGNATURE, with r and s as long as the curve's numbers are. */
static void put_signature(const struct made_device *device, uint64_t number, struct bytes message,
			  struct buffer *out)
{
	EVP_PKEY *key = signing_key(device, number);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t der[128], padded[DEVICE_KEY_SIZE];
	const uint8_t *at = der;
	const BIGNUM *numbers[2];
	size_t size = sizeof(der);
	ECDSA_SIG *pair;

	must(context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) > 0 &&
		     EVP_DigestSign(context, der, &size, message.data, message.size) > 0,
	     "signing");
	pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
	must(pair != NULL, "signing");
	ECDSA_SIG_get0(pair, &numbers[0], &numbers[1]);
	buffer_append_be16(out, TPM_ALG_ECDSA);
	buffer_append_be16(out, ASSAY_HASH_SHA256);
	for (size_t i = 0; i < 2; i++) {
		must(BN_bn2binpad(numbers[i], padded, sizeof(padded)) > 0, "signing");
		buffer_append_be16(out, sizeof(padded));
		buffer_append(out, padded, sizeof(padded));
	}
	ECDSA_SIG_free(pair);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

/* What is behind the first @have of @count. */
static void put_rest(const struct made_log *log, uint64_t have, size_t count, struct buffer *out)
{
	size_t from = have > 0 ? log->ends[have - 1] : 0;

	buffer_append(out, log->bytes.data + from, log->ends[count - 1] - from);
}

static void fill_logs(const struct made_device *device, const struct made_logs *logs,
		      uint64_t have_log, uint64_t have_ima, struct evidence *evidence)
{
	uint8_t key[ASSAY_KEY_SIZE];
	size_t records = made_device_records(device), entries = made_device_entries(device, logs);
	uint64_t last = records - 1;

	/* A verifier that knows more than there is has to say so. */
	have_log = have_log < records ? have_log : records;
	have_ima = have_ima < entries ? have_ima : entries;
	evidence->has_assay_log = evidence->has_ima_log = true;
	evidence->assay_first = have_log;
	evidence->assay_base = have_log > 0 ? logs->assay.ends[have_log - 1] : 0;
	put_rest(&logs->assay, have_log, records, &evidence->assay_cel);
	log_test_key(last, key);
	must(evidence_add_key(evidence, last, key, NULL) == 0, "adding a key");
	evidence->ima_template_bank = ASSAY_HASH_SHA256;
	evidence->ima_first = have_ima;
	put_rest(&logs->ima, have_ima, entries, &evidence->ima_data);
}

void made_device_attest(struct made_device *device, uint64_t number, const struct made_logs *logs,
			struct bytes nonce, uint64_t have_log, uint64_t have_ima,
			struct buffer *out)
{
	const struct assay_digest *ima = &logs->ima.values[made_device_entries(device, logs) - 1];
	const struct assay_digest *assay = &logs->assay.values[made_device_records(device) - 1];
	struct evidence evidence = { .boot_id = BOOT_ID };
	struct tpm_name name, qualified;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	device->quotes++;
	made_device_public(device, number, &evidence.ak_public);
	name_key(buffer_bytes(&evidence.ak_public), &name, &qualified);
	buffer_append_bytes(&evidence.nonce, nonce);
	put_attest(made_device_clock(logs, device->quotes), BYTES(qualified.bytes, qualified.size),
		   nonce, ima, assay, &evidence.attest);
	put_signature(device, number, buffer_bytes(&evidence.attest), &evidence.signature);
	must(evidence_add_pcr(&evidence, IMA_PCR, ima, NULL) == 0 &&
		     evidence_add_pcr(&evidence, ASSAY_PCR, assay, NULL) == 0,
	     "adding PCRs");
	fill_logs(device, logs, have_log, have_ima, &evidence);
	must(stream && evidence_write(stream, &evidence, NULL) == 0 && fclose(stream) == 0,
	     "writing evidence");
	buffer_append(out, text, size);
	free(text);
	evidence_free(&evidence);
}
