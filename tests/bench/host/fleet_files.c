// SPDX-License-Identifier: MIT
#include "fleet_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/record.h"

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fleet-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_file(const char *directory, const char *name, struct bytes bytes)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file) != 0)
		fail(path);
}

void write_one_device(const char *directory, struct made_device *device,
		      const struct made_logs *logs)
{
	struct bytes nonce = BYTES_LITERAL("NonceOfALoadForOneDevice");
	struct buffer out = { 0 };
	size_t records, entries;

	write_file(directory, "nonce", nonce);
	made_device_public(device, 0, &out);
	write_file(directory, "ak.pub", buffer_bytes(&out));
	out.size = 0;
	made_device_attest(device, 0, logs, nonce, 0, 0, &out);
	write_file(directory, "first.json", buffer_bytes(&out));
	out.size = 0;
	records = made_device_records(device);
	entries = made_device_entries(device, logs);
	made_device_attest(device, 0, logs, nonce, records, entries, &out);
	write_file(directory, "same.json", buffer_bytes(&out));
	out.size = 0;
	made_device_grow(device, logs);
	made_device_attest(device, 0, logs, nonce, records, entries, &out);
	write_file(directory, "next.json", buffer_bytes(&out));
	buffer_free(&out);
}

static void put_hex(struct bytes bytes)
{
	char text[2 * 256 + 1];

	if (bytes.size > 256)
		fail("more bytes than a row takes");
	hex_encode(bytes, text);
	printf("\\\\x%s\t", text);
}

/* A million by requests would take an hour. */
void write_device_rows(struct made_device *devices, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct buffer text = { 0 };
		struct device_record record = { 0 };
		struct assay_error err;

		made_device_record(&devices[i], i, &text);
		if (device_record_parse(buffer_bytes(&text), &record, &err) < 0)
			fail(err.text);
		printf("%s\t", record.machine_id);
		put_hex(BYTES(record.ek_key.bytes, record.ek_key.size));
		for (size_t j = 0; j < text.size; j++)
			if (text.data[j] == '\n')
				fputs("\\n", stdout);
			else
				putchar(text.data[j]);
		putchar('\t');
		put_hex(buffer_bytes(&record.ak_public));
		put_hex(buffer_bytes(&record.ak_qualified_name));
		printf("\t1\t%llu\n", (unsigned long long)record.enrolled);
		device_record_free(&record);
		buffer_free(&text);
	}
	if (fflush(stdout) != 0)
		fail("writing rows");
}
