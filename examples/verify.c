// SPDX-License-Identifier: MIT
/*
 * Judge evidence with libassay-verify:
 *	cc -o verify verify.c $(pkg-config --cflags --libs libassay-verify)
 *	./verify evidence.json nonce ak.pub manifest.jsonl cert.pem [policy.json]
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

/* What every device is judged by; a program makes it once. */
static enum assay_verify_error make_policy(char **argv, struct assay_policy **ret,
					   struct assay_verify_message *message)
{
	struct assay_verify_bytes certificate = read_file(argv[5]);
	struct assay_verify_bytes policy = { NULL, 0 }; /* the default one */
	struct assay_manifest_source source = { 0 };
	struct assay_manifest *manifest = NULL;
	enum assay_verify_error error;
	char signature[4096];

	if (argv[6])
		policy = read_file(argv[6]);
	error = assay_policy_new(policy, ret, message);
	if (error == ASSAY_VERIFY_OK)
		error = assay_policy_add_certificate(*ret, ASSAY_POLICY_SIGNER, certificate,
						     message);
	if (error != ASSAY_VERIFY_OK)
		return error;
	snprintf(signature, sizeof(signature), "%s.p7s", argv[4]);
	source.name = argv[4];
	source.text = read_file(argv[4]);
	source.signature = read_file(signature);
	error = assay_manifest_new(&source, &certificate, 1, &manifest, message);
	if (error == ASSAY_VERIFY_OK)
		error = assay_policy_add_manifest(*ret, manifest, message);
	assay_manifest_free(manifest);
	return error;
}

int main(int argc, char **argv)
{
	struct assay_verify_params params = { .version = ASSAY_VERIFY_PARAMS_VERSION };
	struct assay_policy *policy = NULL;
	struct assay_verify_message message;
	struct assay_verify_check check;
	struct assay_verdict *verdict;
	int trusted;

	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: %s EVIDENCE NONCE AK.pub MANIFEST CERT.pem [POLICY]\n",
			argv[0]);
		return 2;
	}
	if (make_policy(argv, &policy, &message) != ASSAY_VERIFY_OK) {
		fprintf(stderr, "%s\n", message.text);
		return 2;
	}
	params.policy = policy;
	params.evidence = read_file(argv[1]);
	params.nonce = read_file(argv[2]);
	params.ak_public = read_file(argv[3]);
	params.now = (uint64_t)time(NULL);
	if (assay_verify(&params, &verdict, &message) != ASSAY_VERIFY_OK) {
		fprintf(stderr, "%s\n", message.text);
		return 2;
	}
	trusted = assay_verdict_trusted(verdict);
	puts(assay_verdict_sentence(verdict));
	if (assay_verdict_check(verdict, assay_verdict_reason(verdict), &check) == ASSAY_VERIFY_OK)
		printf("%s: %s\n%s\n", check.name, check.detail, check.advice);
	assay_verdict_free(verdict);
	assay_policy_free(policy);
	return trusted ? 0 : 1;
}
