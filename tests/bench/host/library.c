// SPDX-License-Identifier: MIT
/*
 * library COUNT DIRECTORY POLICY { MANIFEST CERT }...: microseconds that a verdict of
 * libassay-verify costs, at the median of COUNT: where all is read for each, where policy and
 * manifests are kept, and where the key is kept too and evidence goes on from a state with a new
 * record of each log ("next") or none ("same"); and what verifying a signature of P-256 costs by
 * itself. They take turns. DIRECTORY is of fleet-load --one; a manifest's signature is in
 * MANIFEST.p7s.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime() */
#include <assay-verify.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MANIFESTS_MAX 8

enum kind { READ, KEPT, NEXT, SAME, SIGNATURE, KINDS };

static struct assay_verify_bytes first, next, same, nonce, ak, json, state;
static struct assay_ak *kept_ak;
static struct {
	struct assay_manifest_source source;
	struct assay_verify_bytes certificate;
} manifests[MANIFESTS_MAX];
static size_t manifest_count;
static EVP_PKEY *key;
static unsigned char digest[32], signature[128];
static size_t signature_size = sizeof(signature);

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

static struct assay_verify_bytes read_in(const char *directory, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return read_file(path);
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

/* @going_on: from the state, by the key that is kept */
static struct assay_verdict *judge(const struct assay_policy *policy,
				   struct assay_verify_bytes evidence, int going_on)
{
	struct assay_verify_params params = { .version = ASSAY_VERIFY_PARAMS_VERSION,
					      .policy = policy,
					      .evidence = evidence,
					      .nonce = nonce,
					      .now = 1760000000 };
	struct assay_verify_message message;
	struct assay_verify_check check;
	struct assay_verdict *verdict;

	if (going_on) {
		params.ak = kept_ak;
		params.state = state;
	} else {
		params.ak_public = ak;
	}
	if (assay_verify(&params, &verdict, &message) != ASSAY_VERIFY_OK)
		fail(message.text);
	if (!assay_verdict_trusted(verdict)) {
		assay_verdict_check(verdict, assay_verdict_reason(verdict), &check);
		fprintf(stderr, "library: not trusted: %s: %s\n", check.name, check.detail);
		exit(1);
	}
	return verdict;
}

static void keep_state(const struct assay_policy *policy)
{
	struct assay_verdict *verdict = judge(policy, first, 0);
	struct assay_verify_message message;

	/* It is as long-lived as the program. */
	if (assay_verdict_state_bytes(verdict, &state) != ASSAY_VERIFY_OK ||
	    assay_ak_new(ak, &kept_ak, &message) != ASSAY_VERIFY_OK)
		fail("there is no state, or no key");
}

static void make_signature(void)
{
	EVP_PKEY_CTX *context;

	key = EVP_EC_gen("P-256");
	context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!context || EVP_PKEY_sign_init(context) <= 0 ||
	    EVP_PKEY_sign(context, signature, &signature_size, digest, sizeof(digest)) <= 0)
		fail("signing failed");
	EVP_PKEY_CTX_free(context);
}

static void verify_signature(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	if (!context || EVP_PKEY_verify_init(context) <= 0 ||
	    EVP_PKEY_verify(context, signature, signature_size, digest, sizeof(digest)) != 1)
		fail("the signature is not good");
	EVP_PKEY_CTX_free(context);
}

static void do_one(enum kind kind, struct assay_policy *kept)
{
	struct assay_policy *read;

	switch (kind) {
	case READ:
		read = make_policy();
		assay_verdict_free(judge(read, first, 0));
		assay_policy_free(read);
		break;
	case KEPT:
		assay_verdict_free(judge(kept, first, 0));
		break;
	case NEXT:
	case SAME:
		assay_verdict_free(judge(kept, kind == NEXT ? next : same, 1));
		break;
	default:
		verify_signature();
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

int main(int argc, char **argv)
{
	struct assay_policy *kept;
	double *times[KINDS];
	size_t count;

	if (argc < 6 || argc % 2 != 0 || (count = strtoul(argv[1], NULL, 10)) == 0)
		fail("wrong usage");
	first = read_in(argv[2], "first.json");
	next = read_in(argv[2], "next.json");
	same = read_in(argv[2], "same.json");
	nonce = read_in(argv[2], "nonce");
	ak = read_in(argv[2], "ak.pub");
	json = read_file(argv[3]);
	for (int i = 4; i < argc; i += 2)
		read_manifest(argv[i], argv[i + 1]);
	kept = make_policy();
	keep_state(kept);
	make_signature();
	for (int kind = 0; kind < KINDS; kind++)
		if (!(times[kind] = calloc(count, sizeof(double))))
			fail("out of memory");
	for (size_t i = 0; i < count; i++)
		for (int kind = 0; kind < KINDS; kind++) {
			double from = now();

			do_one((enum kind)kind, kept);
			times[kind][i] = now() - from;
		}
	for (int kind = 0; kind < KINDS; kind++) {
		qsort(times[kind], count, sizeof(double), compare);
		printf("%.1f%c", times[kind][count / 2], kind + 1 < KINDS ? ' ' : '\n');
	}
	return 0;
}
