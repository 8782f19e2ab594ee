// SPDX-License-Identifier: MIT
/*
 * MEASURE on files of an ext4 with fs-verity: each file's digest is the kernel's own
 * and, for two of them, what fsverity-utils computes; what names the file is right; what cannot
 * be measured has its errno in the entry and in the record; damaged data is found where
 * files are read; 4096 files make one record and one extend.
 */
#define _GNU_SOURCE
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "guest.h"

#define DISK "/dev/vda"
#define MOUNT "/tmp/verity"
#define SUPERBLOCK_UUID (1024 + 0x68)

enum { SMALL, WIDE, EMPTY, SALTED, VECTOR, PLAIN, DIRECTORY, DELETED, DEEP, FILES };

static struct file {
	const char *name;
	size_t size;
	uint32_t hash; /* FS_VERITY_HASH_ALG_*, 0: no fs-verity */
	const char *salt;
	int result;
	int fd;
} files[FILES] = {
	[SMALL] = { "small", 5000, FS_VERITY_HASH_ALG_SHA256, "", 0, -1 },
	[WIDE] = { "wide", 300000, FS_VERITY_HASH_ALG_SHA512, "", 0, -1 },
	[EMPTY] = { "empty", 0, FS_VERITY_HASH_ALG_SHA256, "", 0, -1 },
	[SALTED] = { "salted", 70000, FS_VERITY_HASH_ALG_SHA256, "salt and pepper", 0, -1 },
	[VECTOR] = { "vector", 4096, FS_VERITY_HASH_ALG_SHA256, "", 0, -1 },
	[PLAIN] = { "plain", 5000, 0, "", -ENODATA, -1 },
	[DIRECTORY] = { "directory", 0, 0, "", -EINVAL, -1 },
	[DELETED] = { "deleted", 10, FS_VERITY_HASH_ALG_SHA256, "", 0, -1 },
	[DEEP] = { "deep", 10, FS_VERITY_HASH_ALG_SHA256, "", 0, -1 },
};

static void mount_disk(void)
{
	mkdir(MOUNT, 0755);
	need(!mount(DISK, MOUNT, "ext4", 0, NULL), "mount " DISK);
}

static void make_content(int fd, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(i % 11 + i % 439 + i % 1103);

		need(write(fd, &byte, 1) == 1, "write");
	}
}

static void enable_verity(const struct file *file, int fd)
{
	struct fsverity_enable_arg argument = {
		.version = 1,
		.hash_algorithm = file->hash,
		.block_size = 4096,
		.salt_size = (uint32_t)strlen(file->salt),
		.salt_ptr = (uintptr_t)file->salt,
	};

	need(!ioctl(fd, FS_IOC_ENABLE_VERITY, &argument), "enable fs-verity on %s", file->name);
}

/* In the directory that is current. */
static void make_file(struct file *file)
{
	int fd = open(file->name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	need(fd >= 0, "create %s", file->name);
	make_content(fd, file->size);
	close(fd);
	file->fd = open(file->name, O_RDONLY);
	need(file->fd >= 0, "open %s", file->name);
	if (file->hash)
		enable_verity(file, file->fd);
}

/* A file whose path is longer than any buffer for one. */
static void make_deep(struct file *file)
{
	char name[251];

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int depth = 0; depth < 20; depth++)
		need(!mkdir(name, 0755) && !chdir(name), "make a deep directory");
	make_file(file);
	need(!chdir(MOUNT), "chdir");
}

static void make_files(void)
{
	need(!chdir(MOUNT), "chdir");
	for (int i = 0; i < FILES; i++) {
		if (!can_measure() && i != DIRECTORY)
			files[i].result = -EOPNOTSUPP;
		switch (i) {
		case DIRECTORY:
			need(!mkdir(files[i].name, 0755), "mkdir");
			files[i].fd = open(files[i].name, O_RDONLY | O_DIRECTORY);
			need(files[i].fd >= 0, "open a directory");
			break;
		case DEEP:
			make_deep(&files[i]);
			break;
		default:
			make_file(&files[i]);
		}
	}
	need(!unlink(files[DELETED].name), "unlink");
}

static bool is_bytes(struct tlv tlv, const void *bytes, size_t size)
{
	return tlv.value && tlv.size == size && memcmp(tlv.value, bytes, size) == 0;
}

static bool is_number(struct tlv tlv, unsigned int size, uint64_t number)
{
	return tlv.value && tlv.size == size && be(tlv.value, size) == number;
}

/* What FILE says against what the file system says. */
static void check_file(struct tlv fields, const struct file *file,
		       const struct assay_measure_entry *entry)
{
	struct tlv path = find_tlv(fields.value, fields.size, ASSAY_FIELD_PATH);
	struct tlv digest = find_tlv(fields.value, fields.size, ASSAY_FIELD_DIGEST);
	struct tlv error = find_tlv(fields.value, fields.size, ASSAY_FIELD_ERRNO);
	struct {
		struct fsverity_digest head;
		uint8_t digest[64];
	} verity = { .head = { .digest_size = 64 } };
	uint16_t alg =
		file->hash == FS_VERITY_HASH_ALG_SHA512 ? ASSAY_ALG_SHA512 : ASSAY_ALG_SHA256;
	uint32_t generation = 0;
	uint8_t uuid[16];
	char expected[256];
	struct stat status;
	int disk;

	check_is(entry->result, file->result, file->name);
	if (file->result) {
		check(!digest.value && is_number(error, 4, (uint64_t)-file->result) &&
			      !entry->digest_size && !entry->hash_alg,
		      "%s: its errno stands instead of a digest", file->name);
	} else {
		need(!ioctl(file->fd, FS_IOC_MEASURE_VERITY, &verity), "FS_IOC_MEASURE_VERITY");
		check(!error.value && entry->hash_alg == alg &&
			      entry->digest_size == verity.head.digest_size &&
			      memcmp(entry->digest, verity.digest, entry->digest_size) == 0,
		      "%s: the digest is what the kernel tells by itself", file->name);
		check(digest.value && digest.size == 2U + entry->digest_size &&
			      be(digest.value, 2) == alg &&
			      memcmp(digest.value + 2, entry->digest, entry->digest_size) == 0,
		      "%s: the record has it too", file->name);
	}

	snprintf(expected, sizeof(expected), "%s/%s%s", MOUNT, file->name,
		 file == &files[DELETED] ? " (deleted)" : "");
	check(file == &files[DEEP] ? !path.value : is_bytes(path, expected, strlen(expected)),
	      "%s: path", file->name);

	disk = open(DISK, O_RDONLY);
	need(disk >= 0 && pread(disk, uuid, 16, SUPERBLOCK_UUID) == 16, "read " DISK);
	close(disk);
	need(!fstat(file->fd, &status), "fstat");
	if (ioctl(file->fd, FS_IOC_GETVERSION, &generation))
		need(false, "FS_IOC_GETVERSION");
	check(is_bytes(find_tlv(fields.value, fields.size, ASSAY_FIELD_FSUUID), uuid, 16) &&
		      is_number(find_tlv(fields.value, fields.size, ASSAY_FIELD_INODE), 8,
				status.st_ino) &&
		      is_number(find_tlv(fields.value, fields.size, ASSAY_FIELD_GENERATION), 4,
				generation) &&
		      is_number(find_tlv(fields.value, fields.size, ASSAY_FIELD_SIZE), 8,
				(uint64_t)status.st_size),
	      "%s: file system, inode, generation, size", file->name);
}

static void test_files(int fd, const struct log *log, unsigned int bank_count, uint32_t flags)
{
	static const uint8_t known[] = { 0x6a, 0xc3, 0x99, 0x79, 0x01, 0x6e, 0x3d, 0xdf };
	static const uint8_t known_empty[] = { 0x3d, 0x24, 0x8c, 0xa5, 0x42, 0xa2, 0x4f, 0xc6 };
	struct assay_measure_entry entries[FILES];
	struct assay_info before = get_info(fd);
	struct assay_measure request;
	struct record record;
	const uint8_t *fields;
	struct tlv tlv;
	size_t size;

	memset(entries, 0, sizeof(entries));
	for (int i = 0; i < FILES; i++)
		entries[i].fd = files[i].fd;
	check_is(measure(fd, flags, entries, FILES, &request), 0,
		 flags ? "MEASURE with reading" : "MEASURE");
	check(request.recnum == before.records && request.offset == before.tail,
	      "number and offset of the record");
	need(get_record(log, request.recnum, &record), "the record");
	check_is(record.kind, ASSAY_KIND_MEASURE, "its kind");
	if (can_measure())
		check(memcmp(entries[VECTOR].digest, known, sizeof(known)) == 0 &&
			      memcmp(entries[EMPTY].digest, known_empty, sizeof(known_empty)) == 0,
		      "the digests that fsverity-utils computes of two of them");

	fields = record.fields;
	size = record.fields_size;
	for (int i = 0; i < FILES; i++) {
		if (!next_tlv(&fields, &size, &tlv) || tlv.type != ASSAY_FIELD_FILE) {
			check(false, "%s: is in the record", files[i].name);
			continue;
		}
		check_file(tlv, &files[i], &entries[i]);
	}
	check(size == 0, "the record has nothing else");
	check_is(replay(log, bank_count), (long long)before.records + 1,
		 "the PCR is explained in every bank");
}

/* A bit of a file's second block, on the disk underneath. */
static void damage(uint32_t block)
{
	off_t offset = (off_t)block * 4096 + 17;
	int disk = open(DISK, O_RDWR);
	uint8_t byte;

	need(disk >= 0 && pread(disk, &byte, 1, offset) == 1, "read " DISK);
	byte ^= 0x10;
	need(pwrite(disk, &byte, 1, offset) == 1 && !fsync(disk), "write " DISK);
	close(disk);
}

static void close_files(void)
{
	for (int i = 0; i < FILES; i++)
		close(files[i].fd);
	need(!chdir("/"), "chdir");
}

static void test_damage(int fd)
{
	struct assay_measure_entry entries[2] = { { 0 } };
	uint32_t block = 1;

	need(!ioctl(files[SMALL].fd, FIBMAP, &block) && block, "FIBMAP");
	close_files();
	need(!umount(MOUNT), "umount");
	damage(block);
	mount_disk();
	entries[0].fd = open(MOUNT "/small", O_RDONLY);
	entries[1].fd = open(MOUNT "/vector", O_RDONLY);
	need(entries[0].fd >= 0 && entries[1].fd >= 0, "open again");
	check(measure(fd, 0, entries, 2, NULL) == 0 && entries[0].result == 0 &&
		      entries[1].result == 0,
	      "without reading, damaged data is not seen");
	check(measure(fd, ASSAY_MEASURE_READ, entries, 2, NULL) == 0 && entries[0].result == -EIO &&
		      entries[0].digest_size == 0 && entries[1].result == 0,
	      "with reading, it is -EIO, and the file beside it is good");
	close(entries[0].fd);
	close(entries[1].fd);
}

static void test_most(int fd, const struct log *log, unsigned int bank_count)
{
	static struct assay_measure_entry entries[ASSAY_MAX_BATCH];
	struct assay_info before = get_info(fd), after;
	int file = open(MOUNT "/vector", O_RDONLY);
	unsigned int good = 0;
	struct record record;
	struct timespec from, to;

	for (unsigned int i = 0; i < ASSAY_MAX_BATCH; i++)
		entries[i].fd = file;
	clock_gettime(CLOCK_MONOTONIC, &from);
	check_is(measure(fd, 0, entries, ASSAY_MAX_BATCH, NULL), 0, "MEASURE of 4096 files");
	clock_gettime(CLOCK_MONOTONIC, &to);
	note("in %lld ms",
	     (long long)(to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
	after = get_info(fd);
	for (unsigned int i = 0; i < ASSAY_MAX_BATCH; i++)
		good += entries[i].result == 0 && entries[i].digest_size == 32;
	check_is(good, can_measure() ? ASSAY_MAX_BATCH : 0,
		 "all of them are measured, where that can be");
	check(after.records == before.records + 1 &&
		      after.anchored_records == before.anchored_records + 1,
	      "they are one record and one extend");
	need(get_record(log, before.records, &record), "the record");
	good = 0;
	for (const uint8_t *bytes = record.content.value, *end = bytes + record.content.size;
	     bytes < end;) {
		size_t size = (size_t)(end - bytes);
		struct tlv tlv;

		if (!next_tlv(&bytes, &size, &tlv))
			break;
		good += tlv.type == ASSAY_FIELD_FILE;
	}
	check_is(good, ASSAY_MAX_BATCH, "the record has all of them");
	check_is(replay(log, bank_count), (long long)after.records,
		 "the PCR is explained in every bank");
	close(file);
}

int main(void)
{
	int fd = open_assay(O_RDWR);
	struct assay_info info = get_info(fd);
	struct log log = map_log(fd);

	mount_disk();
	make_files();
	test_files(fd, &log, info.bank_count, 0);
	test_files(fd, &log, info.bank_count, ASSAY_MEASURE_READ);
	if (can_measure())
		test_damage(fd);
	else
		close_files();
	test_most(fd, &log, info.bank_count);
	unmap_log(&log);
	close(fd);
	need(!umount(MOUNT), "umount");
	return tap_end();
}
