// SPDX-License-Identifier: MIT
/*
 * The texts of dpkg's database, the first byte says which: status, md5sums, conffiles, diversions.
 * What is found lies in the text, and is found again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "source/dpkg_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool within(struct bytes piece, struct bytes text)
{
	return piece.size == 0 ||
	       (piece.data >= text.data && piece.data + piece.size <= text.data + text.size);
}

static void read_sums(struct bytes text, bool conffiles)
{
	struct dpkg_sums sums = { 0 };
	struct assay_error err;
	int r = conffiles ? dpkg_conffiles(text, "x", &sums, &err) :
			    dpkg_md5sums(text, "x", &sums, &err);

	for (size_t i = 0; r == 0 && i < sums.count; i++) {
		const struct dpkg_sum *found = dpkg_sums_find(&sums, sums.list[i].path);

		require(within(sums.list[i].path, text) && sums.list[i].path.size > 0);
		require(found && bytes_equal(found->path, sums.list[i].path));
	}
	free(sums.list);
}

static void read_status(struct bytes text)
{
	struct bytes rest = text;
	struct dpkg_package package;
	struct assay_error err;
	size_t number = 0;

	while (dpkg_package_next(&rest, "x", &number, &package, &err) == 1) {
		require(within(package.name, text) && package_check_text(package.name));
		require(within(package.version, text) && within(package.architecture, text));
		require(within(package.conffiles, text));
		require(package.state == DPKG_ABSENT || (package_check_text(package.version) &&
							 package_check_text(package.architecture)));
		read_sums(package.conffiles, true);
	}
}

static void read_diversions(struct bytes text)
{
	struct dpkg_diversion diversion;
	struct bytes rest = text;
	struct assay_error err;

	while (dpkg_diversion_next(&rest, "x", &diversion, &err) == 1)
		require(within(diversion.from, text) && within(diversion.to, text) &&
			diversion.to.size > 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = BYTES(data, size);
	uint8_t which;

	if (!bytes_take_u8(&text, &which))
		return 0;
	switch (which % 4) {
	case 0:
		read_status(text);
		break;
	case 1:
	case 2:
		read_sums(text, which % 4 == 2);
		break;
	default:
		read_diversions(text);
	}
	return 0;
}
