// SPDX-License-Identifier: MIT
/*
 * library COUNT EVIDENCE NONCE AK POLICY { MANIFEST CERT }...: microseconds a verdict of
 * libassay-verify costs, at the median of COUNT, where policy and manifests are kept, and where
 * all are read for each verdict: "KEPT READ". The two take turns. A manifest's signature is in
 * MANIFEST.p7s.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime() */
#include <assay-verify.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MANIFESTS_MAX 8

static struct assay_verify_bytes evidence, nonce, ak, json;
static struct {
	struct assay_manifest_source source;
	struct assay_verify_bytes certificate;
} manifests[MANIFESTS_MAX];
static size_t manifest_count;

static void fail(const char *what)
{
	fprintf(stderr, "library: %s\n", what);
	exit(1);
}

static struct assay_verify_bytes read_file(const char *path)
{
	struct assay_verify_bytes bytes = { NULL, 0 };
	FILE *file = fopen(path, "rb");
	long size;
	void *data;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		fail(path);
	rewind(file);
	data = malloc((size_t)size + 1);
	if (!data || fread(data, 1, (size_t)size, file) != (size_t)size)
		fail(path);
	fclose(file);
	bytes.data = data;
	bytes.size = (size_t)size;
	return bytes;
}

static struct assay_policy *make_policy(void)
{
	struct assay_verify_message message;
	struct assay_policy *policy = NULL;

	if (assay_policy_new(json, &policy, &message) != ASSAY_VERIFY_OK)
		fail(message.text);
	for (size_t i = 0; i < manifest_count; i++) {
		const struct assay_verify_bytes *certificate = &manifests[i].certificate;
		struct assay_manifest *manifest = NULL;

		if (assay_policy_add_certificate(policy, ASSAY_POLICY_SIGNER, *certificate,
						 &message) != ASSAY_VERIFY_OK ||
		    assay_manifest_new(&manifests[i].source, certificate, 1, &manifest, &message) !=
			    ASSAY_VERIFY_OK ||
		    assay_policy_add_manifest(policy, manifest, &message) != ASSAY_VERIFY_OK)
			fail(message.text);
		assay_manifest_free(manifest);
	}
	return policy;
}

static void read_manifest(const char *path, const char *certificate)
{
	char name[4096];

	if (manifest_count == MANIFESTS_MAX)
		fail("too many manifests");
	snprintf(name, sizeof(name), "%s.p7s", path);
	manifests[manifest_count].source.name = path;
	manifests[manifest_count].source.text = read_file(path);
	manifests[manifest_count].source.signature = read_file(name);
	manifests[manifest_count].certificate = read_file(certificate);
	manifest_count++;
}

static void judge(const struct assay_policy *policy)
{
	struct assay_verify_params params = { .version = ASSAY_VERIFY_PARAMS_VERSION,
					      .policy = policy,
					      .evidence = evidence,
					      .nonce = nonce,
					      .ak_public = ak,
					      .now = 1760000000 };
	struct assay_verify_message message;
	struct assay_verify_check check;
	struct assay_verdict *verdict;

	if (assay_verify(&params, &verdict, &message) != ASSAY_VERIFY_OK)
		fail(message.text);
	if (!assay_verdict_trusted(verdict)) {
		assay_verdict_check(verdict, assay_verdict_reason(verdict), &check);
		fprintf(stderr, "library: not trusted: %s: %s\n", check.name, check.detail);
		exit(1);
	}
	assay_verdict_free(verdict);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

int main(int argc, char **argv)
{
	struct assay_policy *kept;
	double *times[2];
	size_t count;

	if (argc < 6 || argc % 2 != 0 || (count = strtoul(argv[1], NULL, 10)) == 0)
		fail("wrong usage");
	evidence = read_file(argv[2]);
	nonce = read_file(argv[3]);
	ak = read_file(argv[4]);
	json = read_file(argv[5]);
	for (int i = 6; i < argc; i += 2)
		read_manifest(argv[i], argv[i + 1]);
	times[0] = calloc(count, sizeof(double));
	times[1] = calloc(count, sizeof(double));
	if (!times[0] || !times[1])
		fail("out of memory");
	kept = make_policy();
	judge(kept);
	for (size_t i = 0; i < count; i++) {
		struct assay_policy *read;
		double from = now();

		judge(kept);
		times[0][i] = now() - from;
		from = now();
		read = make_policy();
		judge(read);
		assay_policy_free(read);
		times[1][i] = now() - from;
	}
	assay_policy_free(kept);
	for (int i = 0; i < 2; i++)
		qsort(times[i], count, sizeof(double), compare);
	printf("%.1f %.1f\n", times[0][count / 2], times[1][count / 2]);
	return 0;
}
