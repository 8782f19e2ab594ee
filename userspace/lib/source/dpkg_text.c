// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "source/dpkg_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/deb822.h"

static int out_of_memory(const char *what, struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot read %s: out of memory", what);
}

/* ---------------------------------------------------------------- status and control */

static bool equals(struct bytes text, const char *word)
{
	return bytes_equal(text, BYTES((const uint8_t *)word, strlen(word)));
}

/* Of "want flag state". A package's control has none. */
static enum dpkg_state state_of(struct bytes status)
{
	const uint8_t *last = status.data;

	if (status.size == 0)
		return DPKG_ABSENT;
	for (size_t i = 0; i < status.size; i++)
		if (status.data[i] == ' ')
			last = status.data + i + 1;
	status = BYTES(last, (size_t)(status.data + status.size - last));
	if (equals(status, "installed") || equals(status, "triggers-pending") ||
	    equals(status, "triggers-awaited"))
		return DPKG_INSTALLED;
	if (equals(status, "not-installed") || equals(status, "config-files"))
		return DPKG_ABSENT;
	return DPKG_PARTLY;
}

int dpkg_package_next(struct bytes *text, const char *what, size_t *number,
		      struct dpkg_package *ret, struct assay_error *err)
{
	static const char *const names[] = { "Package", "Version", "Architecture" };
	struct bytes stanza,
		value, *const fields[] = { &ret->name, &ret->version, &ret->architecture };
	int r;

	*ret = (struct dpkg_package){ 0 };
	if (!deb822_next(text, &stanza))
		return 0;
	++*number;
	r = deb822_check(stanza, err);
	if (r < 0)
		return assay_fail_context(err, "%s, stanza %zu", what, *number);
	(void)deb822_field(stanza, "Status", &value);
	ret->state = state_of(value);
	for (size_t i = 0; i < 3; i++) {
		bool there = deb822_field(stanza, names[i], fields[i]);

		/* What is not installed may have no more than its name. */
		if (i > 0 && !there && value.size > 0 && ret->state == DPKG_ABSENT)
			continue;
		if (!there || !package_check_text(*fields[i])) {
			assay_fail(err, EBADMSG, PACKAGE_RULE, names[i]);
			return assay_fail_context(err, "%s, stanza %zu", what, *number);
		}
	}
	/* It is part of names of files. */
	if (memchr(ret->name.data, '/', ret->name.size) ||
	    (ret->architecture.size > 0 &&
	     memchr(ret->architecture.data, '/', ret->architecture.size)))
		return assay_fail(err, EBADMSG, "%s, stanza %zu: a package's name has a \"/\"",
				  what, *number);
	(void)deb822_field(stanza, "Multi-Arch", &value);
	ret->same = equals(value, "same");
	(void)deb822_field(stanza, "Conffiles", &ret->conffiles);
	return 1;
}

/* ---------------------------------------------------------------- sums */

static int compare_paths(struct bytes a, struct bytes b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_sums(const void *a, const void *b)
{
	return compare_paths(((const struct dpkg_sum *)a)->path,
			     ((const struct dpkg_sum *)b)->path);
}

static int compare_to_sum(const void *path, const void *sum)
{
	return compare_paths(*(const struct bytes *)path, ((const struct dpkg_sum *)sum)->path);
}

const struct dpkg_sum *dpkg_sums_find(const struct dpkg_sums *sums, struct bytes path)
{
	if (sums->count == 0 || path.size == 0)
		return NULL;
	return bsearch(&path, sums->list, sums->count, sizeof(*sums->list), compare_to_sum);
}

static bool add_sum(struct dpkg_sums *sums, const struct dpkg_sum *sum)
{
	size_t count = sums->count;

	/* Room doubles whenever the count is a power of two. */
	if ((count & (count - 1)) == 0) {
		struct dpkg_sum *list =
			reallocarray(sums->list, count ? 2 * count : 1, sizeof(*list));

		if (!list)
			return false;
		sums->list = list;
	}
	sums->list[sums->count++] = *sum;
	return true;
}

static void sort_sums(struct dpkg_sums *sums)
{
	if (sums->count > 0)
		qsort(sums->list, sums->count, sizeof(*sums->list), compare_sums);
}

/* Paths as dpkg has them: with or without "/" or "./" in front. */
static struct bytes bare_path(struct bytes path)
{
	while (path.size > 0 && (path.data[0] == '/' ||
				 (path.data[0] == '.' && path.size > 1 && path.data[1] == '/')))
		path = BYTES(path.data + 1, path.size - 1);
	return path;
}

static bool take_md5(struct bytes hex, struct dpkg_sum *sum)
{
	char text[2 * SOURCE_MD5_SIZE + 1];
	size_t size;

	if (hex.size != 2 * SOURCE_MD5_SIZE)
		return false;
	memcpy(text, hex.data, hex.size);
	text[hex.size] = '\0';
	sum->known = hex_decode(text, sum->md5, sizeof(sum->md5), &size) == 0;
	return sum->known;
}

static int bad_line(struct bytes line, const char *what, struct assay_error *err)
{
	char shown[120];

	return assay_fail(err, EBADMSG, "%s: the line \"%s\" is not an MD5 and a path", what,
			  text_escape(line, shown, sizeof(shown)));
}

int dpkg_md5sums(struct bytes text, const char *what, struct dpkg_sums *ret,
		 struct assay_error *err)
{
	struct bytes line;

	while (deb822_line(&text, &line)) {
		struct dpkg_sum sum = { 0 };
		struct bytes hex, blanks, rest = line;

		/* md5sum(1) marks so a name with a backslash or a newline, which no list has. */
		if (line.size == 0 || line.data[0] == '\\')
			continue;
		if (!bytes_take(&rest, 2 * SOURCE_MD5_SIZE, &hex) ||
		    !bytes_take(&rest, 2, &blanks) || blanks.data[0] != ' ' || !take_md5(hex, &sum))
			return bad_line(line, what, err);
		sum.path = bare_path(rest);
		if (sum.path.size == 0)
			return bad_line(line, what, err);
		if (!add_sum(ret, &sum))
			return out_of_memory(what, err);
	}
	sort_sums(ret);
	return 0;
}

/* Cuts the last word off; false if there is but one. */
static bool cut_word(struct bytes *line, struct bytes *ret)
{
	size_t at = line->size;

	while (at > 0 && line->data[at - 1] != ' ')
		at--;
	if (at == 0)
		return false;
	*ret = BYTES(line->data + at, line->size - at);
	*line = deb822_trim(BYTES(line->data, at));
	return true;
}

int dpkg_conffiles(struct bytes text, const char *what, struct dpkg_sums *ret,
		   struct assay_error *err)
{
	struct bytes line;

	while (deb822_line(&text, &line)) {
		struct bytes rest = deb822_trim(line), without = rest, word;
		struct dpkg_sum sum = { 0 };

		/* In a package: "remove-on-upgrade PATH", or the path alone. */
		if (rest.size > 18 && memcmp(rest.data, "remove-on-upgrade ", 18) == 0)
			continue;
		/* In status: "PATH MD5", and perhaps what is about it. */
		while (cut_word(&without, &word) && word.size > 0 && word.data[0] != '/')
			if (take_md5(word, &sum) || equals(word, "newconffile")) {
				rest = without;
				break;
			}
		sum.path = bare_path(rest);
		if (rest.size == 0)
			continue;
		if (rest.data[0] != '/' || sum.path.size == 0)
			return bad_line(line, what, err);
		if (!add_sum(ret, &sum))
			return out_of_memory(what, err);
	}
	sort_sums(ret);
	return 0;
}

/* ---------------------------------------------------------------- diversions */

int dpkg_diversion_next(struct bytes *text, const char *what, struct dpkg_diversion *ret,
			struct assay_error *err)
{
	if (text->size == 0)
		return 0;
	if (!deb822_line(text, &ret->from) || !deb822_line(text, &ret->to) ||
	    !deb822_line(text, &ret->package) || ret->package.size == 0)
		return assay_fail(err, EBADMSG, "%s is cut off", what);
	if (ret->from.size < 2 || ret->from.data[0] != '/' || ret->to.size < 2 ||
	    ret->to.data[0] != '/')
		return assay_fail(err, EBADMSG, "%s names a path that is not absolute", what);
	return 1;
}
