// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "enroll/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define DEVICES "devices"
#define EKS "eks"
#define PENDING "pending"
#define PENDING_SUFFIX ".json"

struct store {
	char *path;
	int lock;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "out of memory");
}

/* "DIR/PART/NAME", or "DIR/PART" where @name is NULL; NULL without memory. */
static char *path_to(const struct store *store, const char *part, const char *name,
		     const char *suffix)
{
	char *path;

	if (asprintf(&path, "%s/%s%s%s%s", store->path, part, name ? "/" : "", name ? name : "",
		     name ? suffix : "") < 0)
		return NULL;
	return path;
}

static int make_directory(const char *path, struct assay_error *err)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return assay_fail(err, errno, "cannot make the directory %s: %s", path, strerror(errno));
}

static int lock_store(struct store *store, struct assay_error *err)
{
	char *path = path_to(store, "lock", NULL, NULL);
	int r = 0;

	if (!path)
		return out_of_memory(err);
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock < 0)
		r = assay_fail(err, errno, "cannot open %s: %s", path, strerror(errno));
	while (r == 0 && flock(store->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			r = assay_fail(err, errno, "cannot lock %s: %s", path, strerror(errno));
	free(path);
	return r;
}

int store_open(const char *path, struct store **ret, struct assay_error *err)
{
	static const char *const parts[] = { DEVICES, EKS, PENDING };
	struct store *store = calloc(1, sizeof(*store));
	int r = make_directory(path, err);

	if (store)
		store->lock = -1;
	if (r == 0 && (!store || !(store->path = strdup(path))))
		r = out_of_memory(err);
	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *part = path_to(store, parts[i], NULL, NULL);

		r = part ? make_directory(part, err) : out_of_memory(err);
		free(part);
	}
	if (r == 0)
		r = lock_store(store, err);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*ret = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->lock >= 0)
		close(store->lock); /* and so unlock it */
	free(store->path);
	free(store);
}

/* ---------------------------------------------------------------- records */

/* Return: 0; -ENOENT where there is none */
static int read_record(const char *path, struct device_record *ret, struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = file_read(path, RECORD_MAX_SIZE, &text, err);

	if (r == 0) {
		r = device_record_parse(buffer_bytes(&text), ret, err);
		if (r < 0)
			assay_fail_context(err, "%s", path);
	}
	buffer_free(&text);
	return r;
}

/* Is the device of the record known by that key? */
static bool has_key(const struct device_record *record, const struct assay_digest *key)
{
	struct assay_digest identity;

	return device_record_identity(record, &identity, NULL) == 0 &&
	       bytes_equal(BYTES(identity.bytes, identity.size), BYTES(key->bytes, key->size));
}

static char *record_path(const struct store *store, const char *machine_id)
{
	return path_to(store, DEVICES, machine_id, ".json");
}

static char *link_path(const struct store *store, const struct assay_digest *ek_key)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1];

	hex_encode(BYTES(ek_key->bytes, ek_key->size), hex);
	return path_to(store, EKS, hex, "");
}

static int check_machine(const struct store *store, const char *machine_id,
			 const struct assay_digest *ek_key, bool replace, struct assay_error *err)
{
	char *path = record_path(store, machine_id);
	struct device_record record = { 0 };
	int r;

	if (!path)
		return out_of_memory(err);
	r = read_record(path, &record, err);
	if (r == 0 && !has_key(&record, ek_key))
		r = assay_fail(err, EEXIST,
			       "the machine %s is enrolled with another endorsement key%s: if its "
			       "TPM was replaced indeed, remove %s first",
			       machine_id,
			       record.ek_key.size == 0 ? ", or certified attestation key" : "",
			       path);
	else if (r == 0 && !replace)
		r = assay_fail(err, EEXIST,
			       "the machine %s is enrolled already: give it a new attestation key "
			       "with --replace",
			       machine_id);
	device_record_free(&record);
	free(path);
	return r == -ENOENT ? 0 : r;
}

/* A link that leads nowhere, or to a record with another key, is of a record that was removed. */
static int check_ek(const struct store *store, const char *machine_id,
		    const struct assay_digest *ek_key, struct assay_error *err)
{
	char *path = link_path(store, ek_key);
	struct device_record record = { 0 };
	int r;

	if (!path)
		return out_of_memory(err);
	r = read_record(path, &record, err);
	free(path);
	if (r == 0 && has_key(&record, ek_key) && strcmp(record.machine_id, machine_id) != 0)
		r = assay_fail(err, EEXIST,
			       "this endorsement key is enrolled as the machine %s: if the machine "
			       "%s is the same one, remove its record first",
			       record.machine_id, machine_id);
	device_record_free(&record);
	return r == -ENOENT ? 0 : r;
}

int store_check(const struct store *store, const char *machine_id,
		const struct assay_digest *ek_key, bool replace, struct assay_error *err)
{
	int r = check_machine(store, machine_id, ek_key, replace, err);

	return r < 0 ? r : check_ek(store, machine_id, ek_key, err);
}

/* The link comes first: without its record it says nothing. */
static int link_ek(const struct store *store, const struct device_record *record,
		   const struct assay_digest *key, struct assay_error *err)
{
	char *path = link_path(store, key);
	char *target = NULL;
	int r = 0;

	if (!path || asprintf(&target, "../" DEVICES "/%s.json", record->machine_id) < 0) {
		free(path);
		return out_of_memory(err);
	}
	if ((unlink(path) < 0 && errno != ENOENT) || symlink(target, path) < 0)
		r = assay_fail(err, errno, "cannot make the link %s: %s", path, strerror(errno));
	free(target);
	free(path);
	return r;
}

static int write_record(FILE *stream, const void *record, struct assay_error *err)
{
	return device_record_write(stream, record, err);
}

int store_add(const struct store *store, const struct device_record *record, bool replace,
	      char **ret_path, struct assay_error *err)
{
	struct assay_digest key;
	char *path;
	int r = device_record_identity(record, &key, err);

	if (r == 0)
		r = store_check(store, record->machine_id, &key, replace, err);
	if (r == 0)
		r = link_ek(store, record, &key, err);
	if (r < 0)
		return r;
	path = record_path(store, record->machine_id);
	if (!path)
		return out_of_memory(err);
	r = file_write_by(path, 0644, write_record, record, err);
	if (r < 0) {
		free(path);
		return r;
	}
	*ret_path = path;
	return 0;
}

/* ---------------------------------------------------------------- open challenges */

/* Where the challenge of its endorsement key is. */
static int pending_path(const struct store *store, const struct enroll_pending *pending, char **ret,
			struct assay_error *err)
{
	char hex[2 * ASSAY_DIGEST_MAX + 1];
	struct assay_digest key;
	struct tpm_public ek;
	int r = tpm_public_parse(buffer_bytes(&pending->request.ek_public), &ek, err);

	if (r < 0)
		return r;
	r = tpm_public_key_digest(&ek, &key, err);
	if (r < 0)
		return r;
	hex_encode(BYTES(key.bytes, key.size), hex);
	*ret = path_to(store, PENDING, hex, PENDING_SUFFIX);
	return *ret ? 0 : out_of_memory(err);
}

static char *id_path(const struct store *store, const uint8_t id[ENROLL_ID_SIZE])
{
	char hex[2 * ENROLL_ID_SIZE + 1];

	hex_encode(BYTES(id, ENROLL_ID_SIZE), hex);
	return path_to(store, PENDING, hex, "");
}

static int read_pending(const char *path, struct enroll_pending *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read(path, ENROLL_MAX_SIZE, &text, err);

	if (r == 0) {
		r = enroll_pending_parse(buffer_bytes(&text), ret, err);
		if (r < 0)
			assay_fail_context(err, "%s", path);
	}
	return r;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A link from a challenge's id that leads to another challenge, or nowhere. */
static bool id_is_stale(const char *path, const char *name)
{
	CLEANUP(enroll_pending_free) struct enroll_pending pending = { 0 };
	char hex[2 * ENROLL_ID_SIZE + 1];
	int r = read_pending(path, &pending, NULL);

	hex_encode(BYTES(pending.id, ENROLL_ID_SIZE), hex);
	return r == -ENOENT || (r == 0 && strcmp(hex, name) != 0);
}

static void prune_entry(const struct store *store, const char *name, uint64_t now)
{
	CLEANUP(enroll_pending_free) struct enroll_pending pending = { 0 };
	CLEANUP(free_pointer) char *path = path_to(store, PENDING, name, "");

	if (!path || name[0] == '.')
		return;
	if (!ends_with(name, PENDING_SUFFIX)) {
		if (id_is_stale(path, name))
			(void)unlink(path);
	} else if (read_pending(path, &pending, NULL) == 0 && pending.expires < now) {
		(void)unlink(path);
	}
}

/* Challenges that nobody answered do not pile up. What cannot be read is left where it is. */
static void prune_pending(const struct store *store, uint64_t now)
{
	CLEANUP(free_pointer) char *directory = path_to(store, PENDING, NULL, NULL);
	DIR *entries = directory ? opendir(directory) : NULL;
	struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		prune_entry(store, entry->d_name, now);
	if (entries)
		closedir(entries);
}

/* The challenge that @path has in place of an older one is found by its id. */
static int link_id(const struct store *store, const uint8_t id[ENROLL_ID_SIZE], const char *path,
		   struct assay_error *err)
{
	CLEANUP(free_pointer) char *link = id_path(store, id);

	if (!link)
		return out_of_memory(err);
	if (symlink(strrchr(path, '/') + 1, link) < 0)
		return assay_fail(err, errno, "cannot make the link %s: %s", link, strerror(errno));
	return 0;
}

static int write_pending(FILE *stream, const void *pending, struct assay_error *err)
{
	return enroll_pending_write(stream, pending, err);
}

/*
 * The file is named by the endorsement key, so that the rename that puts a challenge in place
 * takes the older one away. A link that is left from either has no challenge of its id at its
 * end, and says nothing.
 */
int store_add_pending(const struct store *store, const struct enroll_pending *pending, uint64_t now,
		      struct assay_error *err)
{
	CLEANUP(free_pointer) char *path = NULL;
	int r = pending_path(store, pending, &path, err);

	if (r < 0)
		return r;
	r = link_id(store, pending->id, path, err);
	if (r == 0)
		r = file_write_by(path, 0600, write_pending, pending, err);
	prune_pending(store, now);
	return r;
}

int store_find_pending(const struct store *store, const uint8_t id[ENROLL_ID_SIZE],
		       struct enroll_pending *ret, struct assay_error *err)
{
	CLEANUP(free_pointer) char *path = id_path(store, id);
	struct enroll_pending pending = { 0 };
	int r;

	if (!path)
		return out_of_memory(err);
	r = read_pending(path, &pending, err);
	if (r == 0 && memcmp(pending.id, id, ENROLL_ID_SIZE) != 0) {
		enroll_pending_free(&pending);
		r = -ENOENT;
	}
	if (r == -ENOENT)
		return assay_fail(
			err, ENOENT,
			"no challenge that this answers is open in %s: it was answered already, "
			"or a newer one for the same endorsement key took its place, or it was "
			"made with other records",
			store->path);
	if (r == 0)
		*ret = pending;
	return r;
}

int store_drop_pending(const struct store *store, const struct enroll_pending *pending,
		       struct assay_error *err)
{
	CLEANUP(free_pointer) char *link = id_path(store, pending->id);
	CLEANUP(free_pointer) char *path = NULL;
	int r = pending_path(store, pending, &path, err);

	if (r < 0)
		return r;
	if (!link)
		return out_of_memory(err);
	if (unlink(path) < 0)
		return assay_fail(err, errno, "cannot remove %s: %s", path, strerror(errno));
	(void)unlink(link); /* it leads nowhere now */
	return 0;
}
