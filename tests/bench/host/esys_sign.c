// SPDX-License-Identifier: MIT
/*
 * For bench-sign: how long a TPM takes for so many bare signatures by a P-256 key.
 *
 *	esys_sign TCTI COUNT: prints nanoseconds
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

static void must(TSS2_RC rc, const char *what)
{
	if (rc == TSS2_RC_SUCCESS)
		return;
	fprintf(stderr, "esys_sign: %s failed: 0x%x\n", what, rc);
	exit(1);
}

static ESYS_TR make_key(ESYS_CONTEXT *esys)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
					    TPMA_OBJECT_FIXEDPARENT |
					    TPMA_OBJECT_SENSITIVEDATAORIGIN |
					    TPMA_OBJECT_USERWITHAUTH,
			.parameters.eccDetail = {
				.symmetric.algorithm = TPM2_ALG_NULL,
				.scheme = { .scheme = TPM2_ALG_ECDSA,
					    .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
				.curveID = TPM2_ECC_NIST_P256,
				.kdf.scheme = TPM2_ALG_NULL,
			},
		},
	};
	const TPM2B_DATA outside = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	ESYS_TR key;

	must(Esys_CreatePrimary(esys, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				&sensitive, &template, &outside, &pcrs, &key, NULL, NULL, NULL,
				NULL),
	     "Esys_CreatePrimary");
	return key;
}

int main(int argc, char **argv)
{
	const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_ECDSA,
					 .details.ecdsa.hashAlg = TPM2_ALG_SHA256 };
	const TPMT_TK_HASHCHECK ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
	TPM2B_DIGEST digest = { .size = 32 };
	struct timespec from, to;
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR key;
	long count;

	if (argc != 3 || (count = strtol(argv[2], NULL, 10)) < 1) {
		fprintf(stderr, "usage: esys_sign TCTI COUNT\n");
		return 2;
	}
	must(Tss2_TctiLdr_Initialize(argv[1], &tcti), "Tss2_TctiLdr_Initialize");
	must(Esys_Initialize(&esys, tcti, NULL), "Esys_Initialize");
	key = make_key(esys);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < count; i++) {
		TPMT_SIGNATURE *signature;

		digest.buffer[0] = (uint8_t)i;
		digest.buffer[1] = (uint8_t)(i >> 8);
		must(Esys_Sign(esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
			       &scheme, &ticket, &signature),
		     "Esys_Sign");
		Esys_Free(signature);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	Esys_FlushContext(esys, key);
	Esys_Finalize(&esys);
	Tss2_TctiLdr_Finalize(&tcti);
	printf("%lld\n",
	       (long long)(to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec);
	return 0;
}
