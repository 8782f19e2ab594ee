// SPDX-License-Identifier: MIT
/*
 * sign-steps KEY CERT FILE TIMES: what `assay sign --delegate` does for a file, step by step, each
 * so many times; for bench-sign. Prints one JSON object, of a thread's processor time in
 * microseconds a file: read (open, close), digest (reading and hashing), signature (P-256 by
 * libcrypto alone), structure (PKCS#7 around it, and what else signing has beside libcrypto's),
 * line (the manifest's).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "sign/certificate.h"
#include "sign/delegate.h"
#include "sign/key_file.h"
#include "sign/manifest.h"
#include "sign/pkcs7.h"
#include "verity/pool.h"
#include "verity/verity.h"

#define ID "0123456789abcdef0123456789abcdef"

struct steps {
	const char *path;
	struct signer *delegate;
	X509 *certificate;
	struct pkcs7_maker *maker;
	EVP_PKEY_CTX *bare;
	struct verity_pool *pool;
	struct assay_digest digest;
	struct buffer signature;
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "sign-steps: %s fails\n", what);
	exit(1);
}

static void open_file(struct steps *steps)
{
	int fd = open(steps->path, O_RDONLY | O_CLOEXEC);

	need(fd >= 0 && close(fd) == 0, "opening the file");
}

static void take_file(struct steps *steps)
{
	struct verity_job job;

	verity_pool_take(steps->pool, &job);
	need(job.result == 0, "the digest");
	steps->digest = job.digest;
	free(job.path);
}

/* As files come: one is put whenever there is room. */
static void digest_file(struct steps *steps)
{
	if (verity_pool_room(steps->pool) == 0)
		take_file(steps);
	verity_pool_put(steps->pool, strdup(steps->path), -1);
}

static void end_digests(struct steps *steps)
{
	while (verity_pool_count(steps->pool) > 0)
		take_file(steps);
}

static void sign_barely(struct steps *steps)
{
	uint8_t room[512];
	size_t size = sizeof(room);

	need(EVP_PKEY_sign(steps->bare, room, &size, steps->digest.bytes, steps->digest.size) == 1,
	     "the signature");
}

static void sign_whole(struct steps *steps)
{
	buffer_free(&steps->signature);
	need(pkcs7_maker_sign(steps->maker, &steps->digest, &steps->signature, NULL) == 0,
	     "the built-in signature");
}

static void make_line(struct steps *steps)
{
	struct buffer line = { 0 };
	const struct manifest_entry entry = {
		.path = "/usr/share/doc/a-package/copyright",
		.size = 16384,
		.digest = steps->digest,
		.pkcs7 = buffer_bytes(&steps->signature),
		.mtime = 1750000000123456789,
		.ctime = 1750000000123456789,
		.inode = 1234567,
	};

	need(manifest_append_entry(&entry, &line, NULL) == 0, "the line");
	buffer_free(&line);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Microseconds a time; the least of some rounds, as all that disturbs one adds to it. */
static double took(struct steps *steps, void (*step)(struct steps *steps),
		   void (*end)(struct steps *steps), unsigned long times)
{
	double least = 0;

	for (int round = 0; round < 5; round++) {
		double from = now(), each;

		for (unsigned long i = 0; i < times; i++)
			step(steps);
		if (end)
			end(steps);
		each = (now() - from) / (double)times;
		if (round == 0 || each < least)
			least = each;
	}
	return least;
}

static void set_up(struct steps *steps, char **argv)
{
	struct buffer pem = { 0 };
	struct signer *key = NULL;
	X509 *certificate = NULL;
	uint8_t room[16384];
	FILE *file = fopen(argv[1], "re");
	EVP_PKEY *bare = EVP_EC_gen("P-256");

	need(file, "reading the key");
	buffer_append(&pem, room, fread(room, 1, sizeof(room), file));
	fclose(file);
	need(key_file_signer(buffer_bytes(&pem), argv[1], &key, NULL) == 0, "the key");
	need(certificate_load(argv[2], &certificate, NULL) == 0, "the certificate");
	need(delegate_new(key, certificate, ID, &steps->delegate, &steps->certificate, NULL,
			  NULL) == 0,
	     "the delegate");
	need(pkcs7_maker_new(steps->delegate, steps->certificate, true, &steps->maker, NULL) == 0,
	     "what makes signatures");
	need(verity_pool_new(&VERITY_PARAMETERS_DEFAULT, 1, &steps->pool, NULL) == 0, "the pool");
	steps->bare = EVP_PKEY_CTX_new_from_pkey(NULL, bare, NULL);
	need(steps->bare && EVP_PKEY_sign_init(steps->bare) == 1, "libcrypto");
	steps->path = argv[3];
	buffer_free(&pem);
	key->close(key);
	X509_free(certificate);
	EVP_PKEY_free(bare);
}

int main(int argc, char **argv)
{
	struct steps steps = { 0 };
	double opened, digest, signature, whole, line;
	unsigned long times = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;

	if (times == 0) {
		fprintf(stderr, "usage: sign-steps KEY CERT FILE TIMES\n");
		return 2;
	}
	set_up(&steps, argv);
	opened = took(&steps, open_file, NULL, times);
	digest = took(&steps, digest_file, end_digests, times);
	signature = took(&steps, sign_barely, NULL, times);
	whole = took(&steps, sign_whole, NULL, times);
	line = took(&steps, make_line, NULL, times);
	printf("{\"open\": %.2f, \"digest\": %.2f, \"signature\": %.2f, \"structure\": %.2f, "
	       "\"line\": %.2f}\n",
	       opened, digest - opened, signature, whole > signature ? whole - signature : 0, line);
	return 0;
}
