// SPDX-License-Identifier: MIT
/*
 * ima_list COUNT HASH: a list of IMA of COUNT ima-ng entries, as the kernel writes it, with its
 * template digests in HASH: boot_aggregate, and files as they lie in a distribution.
 */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_FIELD (8 + 32) /* "sha256:" NUL and a digest */
#define TEMPLATE "ima-ng"

static size_t put_le32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> 8 * i);
	return 4;
}

static size_t put(uint8_t *out, const void *data, size_t size)
{
	memcpy(out, data, size);
	return size;
}

static size_t make_data(uint8_t *out, unsigned long number)
{
	char path[128] = "boot_aggregate";
	uint8_t digest[32];
	size_t used = 0;

	if (number > 0)
		snprintf(path, sizeof(path), "/usr/lib/aarch64-linux-gnu/package-%lu/module-%lu.so",
			 number % 977, number);
	for (size_t i = 0; i < sizeof(digest); i++)
		digest[i] = (uint8_t)((number + 1) * (2 * i + 1) >> (i % 3));
	used += put_le32(out + used, DIGEST_FIELD);
	used += put(out + used, "sha256:", 8);
	used += put(out + used, digest, sizeof(digest));
	used += put_le32(out + used, (uint32_t)strlen(path) + 1);
	return used + put(out + used, path, strlen(path) + 1);
}

int main(int argc, char **argv)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_MD *algorithm = argc == 3 ? EVP_MD_fetch(NULL, argv[2], NULL) : NULL;
	unsigned long count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	uint8_t data[256], entry[512], digest[EVP_MAX_MD_SIZE];
	unsigned int digest_size;

	if (!context || !algorithm || count == 0) {
		fprintf(stderr, "usage: ima_list COUNT HASH\n");
		return 2;
	}
	for (unsigned long i = 0; i < count; i++) {
		size_t size = make_data(data, i), used = put_le32(entry, 10);

		if (EVP_DigestInit_ex2(context, algorithm, NULL) != 1 ||
		    EVP_DigestUpdate(context, data, size) != 1 ||
		    EVP_DigestFinal_ex(context, digest, &digest_size) != 1)
			return 1;
		used += put(entry + used, digest, digest_size);
		used += put_le32(entry + used, sizeof(TEMPLATE) - 1);
		used += put(entry + used, TEMPLATE, sizeof(TEMPLATE) - 1);
		used += put_le32(entry + used, (uint32_t)size);
		used += put(entry + used, data, size);
		fwrite(entry, 1, used, stdout);
	}
	EVP_MD_free(algorithm);
	EVP_MD_CTX_free(context);
	return fflush(stdout) == 0 ? 0 : 1;
}
