// SPDX-License-Identifier: MIT
/*
 * Judge evidence with libassay-verify:
 *	cc -o verify verify.c $(pkg-config --cflags --libs libassay-verify)
 *	./verify evidence.json nonce ak.pub manifest.jsonl cert.pem
 * The nonce is a file of raw bytes; the manifest's signature is in manifest.jsonl.p7s.
 */
#include <assay-verify.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct assay_verify_bytes read_file(const char *path)
{
	static const size_t limit = 1 << 24;
	struct assay_verify_bytes bytes = { NULL, 0 };
	FILE *file = fopen(path, "rb");
	void *data = malloc(limit);

	bytes.data = data;
	bytes.size = file && data ? fread(data, 1, limit, file) : 0;
	if (bytes.size == 0 || bytes.size == limit || fclose(file) != 0) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	return bytes;
}

static const char policy[] = "{\"assay\": 1, \"type\": \"policy\","
			     " \"waive\": {\"boot-known\": \"the boot is judged elsewhere\"}}";

int main(int argc, char **argv)
{
	struct assay_verify_params params = { .version = ASSAY_VERIFY_PARAMS_VERSION };
	struct assay_verify_manifest manifest = { 0 };
	struct assay_verify_bytes certificate;
	struct assay_verify_error error;
	struct assay_verify_check check;
	struct assay_verdict *verdict;
	char signature[4096];
	int trusted;

	if (argc != 6)
		return 2;
	snprintf(signature, sizeof(signature), "%s.p7s", argv[4]);
	manifest.name = argv[4];
	manifest.text = read_file(argv[4]);
	manifest.signature = read_file(signature);
	certificate = read_file(argv[5]);
	params.evidence = read_file(argv[1]);
	params.nonce = read_file(argv[2]);
	params.ak_public = read_file(argv[3]);
	params.now = (uint64_t)time(NULL);
	params.manifests = &manifest;
	params.manifest_count = 1;
	params.certificates = &certificate;
	params.certificate_count = 1;
	/* Without values for the PCRs of the boot, a verdict knows nothing of what was booted. */
	params.policy.data = (const uint8_t *)policy;
	params.policy.size = sizeof(policy) - 1;
	if (assay_verify(&params, &verdict, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	trusted = assay_verdict_trusted(verdict);
	if (assay_verdict_check(verdict, assay_verdict_reason(verdict), &check) == 0)
		printf("%s: %s\n%s\n", check.name, check.detail, check.advice);
	puts(trusted ? "trusted" : "NOT TRUSTED");
	assay_verdict_free(verdict);
	return trusted ? 0 : 1;
}
