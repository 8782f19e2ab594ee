// SPDX-License-Identifier: MIT
/* lib/source: the texts of dpkg's database and of packages, and names of packages. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/deb822.h"
#include "source/dpkg_text.h"

#define MD5 "00112233445566778899aabbccddeeff"

static bool is(struct bytes text, const char *wanted)
{
	return bytes_equal(text, BYTES((const uint8_t *)wanted, strlen(wanted)));
}

static void stanzas_are_read(void **state)
{
	static const char text[] =
		"\n \nPackage: bash\nStatus: install ok installed\npriority:required\n"
		"Architecture: arm64\nMulti-Arch: foreign\nVersion: 5.2.15-2+b7\n"
		"Conffiles:\n /etc/bash.bashrc " MD5 "\n /etc/skel/.profile " MD5 " obsolete\n"
		"Description: a shell\n Version: 9\n .\n more\n"
		"\n\nPackage: gone\nStatus: deinstall ok config-files\n"
		"\nPackage: half\nStatus: install ok half-configured\nVersion: 1\nArchitecture: "
		"all\n"
		"\nPackage: libc6\nStatus: install ok triggers-pending\nVersion: 1:2.36\n"
		"Architecture: arm64\nMulti-Arch: same";
	struct bytes rest = BYTES_LITERAL(text);
	struct dpkg_package package;
	struct assay_error err = { 0 };
	struct dpkg_sums sums = { 0 };
	size_t number = 0;

	(void)state;
	assert_int_equal(dpkg_package_next(&rest, "s", &number, &package, &err), 1);
	assert_true(is(package.name, "bash") && is(package.version, "5.2.15-2+b7") &&
		    is(package.architecture, "arm64"));
	assert_int_equal(package.state, DPKG_INSTALLED);
	assert_false(package.same);
	assert_int_equal(dpkg_conffiles(package.conffiles, "s", &sums, &err), 0);
	assert_int_equal(sums.count, 2);
	assert_non_null(dpkg_sums_find(&sums, BYTES_LITERAL("etc/skel/.profile")));
	assert_true(dpkg_sums_find(&sums, BYTES_LITERAL("etc/bash.bashrc"))->known);
	assert_null(dpkg_sums_find(&sums, BYTES_LITERAL("etc/skel/.profil")));
	free(sums.list);
	assert_int_equal(dpkg_package_next(&rest, "s", &number, &package, &err), 1);
	assert_int_equal(package.state, DPKG_ABSENT);
	assert_int_equal(dpkg_package_next(&rest, "s", &number, &package, &err), 1);
	assert_int_equal(package.state, DPKG_PARTLY);
	assert_int_equal(dpkg_package_next(&rest, "s", &number, &package, &err), 1);
	assert_true(is(package.name, "libc6") && package.same && package.state == DPKG_INSTALLED);
	assert_int_equal(dpkg_package_next(&rest, "s", &number, &package, &err), 0);
	assert_int_equal(number, 4);
}

static void bad_stanzas_are_refused(void **state)
{
	static const struct {
		struct bytes text;
		const char *why;
	} rows[] = {
		{ BYTES_LITERAL("Package\n"), "s, stanza 1: the line \"Package\" is no field" },
		{ BYTES_LITERAL(" continues\nPackage: x\n"), "is no field" },
		{ BYTES_LITERAL(": x\n"), "is no field" },
		{ BYTES_LITERAL("Version: 1\nArchitecture: all\n"), "Package is not 1 to 255" },
		{ BYTES_LITERAL("Package: a b\nVersion: 1\nArchitecture: all\n"),
		  "Package is not 1 to 255" },
		{ BYTES_LITERAL("Package: a\nVersion: 1\nArchitecture: \n"),
		  "Architecture is not 1 to 255" },
		{ BYTES_LITERAL("Package: a\nVersion: \"1\nArchitecture: all\n"),
		  "Version is not 1 to 255" },
		{ BYTES_LITERAL("Package: a\nStatus: install ok unpacked\nArchitecture: all\n"),
		  "Version is not 1 to 255" },
		{ BYTES_LITERAL("Package: ../a\nVersion: 1\nArchitecture: all\n"), "has a \"/\"" },
		{ BYTES_LITERAL("Package: a\nVersion: 1\nArchitecture: x/y\n"), "has a \"/\"" },
		{ BYTES_LITERAL("Package: a\xff\nVersion: 1\nArchitecture: all\n"),
		  "Package is not 1 to 255" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes rest = rows[i].text;
		struct dpkg_package package;
		struct assay_error err = { 0 };
		size_t number = 0;

		if (dpkg_package_next(&rest, "s", &number, &package, &err) != -EBADMSG)
			fail_msg("row %zu was taken", i);
		support_assert_error(&err, rows[i].why);
	}
}

static void sums_are_read(void **state)
{
	struct assay_error err = { 0 };
	struct dpkg_sums sums = { 0 };
	const struct dpkg_sum *sum;

	(void)state;
	assert_int_equal(dpkg_md5sums(BYTES_LITERAL(MD5 "  usr/b\n" MD5 "  usr/a b\n\n" MD5
							" *./usr/c\n\\" MD5 "  usr/x\\\\y\n"),
				      "m", &sums, &err),
			 0);
	assert_int_equal(sums.count, 3);
	sum = dpkg_sums_find(&sums, BYTES_LITERAL("usr/a b"));
	assert_non_null(sum);
	assert_int_equal(sum->md5[15], 0xff);
	assert_non_null(dpkg_sums_find(&sums, BYTES_LITERAL("usr/c")));
	free(sums.list);
	/* A package's own list of conffiles has no sums, and may have blanks. */
	sums = (struct dpkg_sums){ 0 };
	assert_int_equal(dpkg_conffiles(BYTES_LITERAL("/etc/a b\n/etc/c newconffile\n"
						      "remove-on-upgrade /etc/d\n"),
					"c", &sums, &err),
			 0);
	assert_int_equal(sums.count, 2);
	assert_false(dpkg_sums_find(&sums, BYTES_LITERAL("etc/a b"))->known);
	assert_non_null(dpkg_sums_find(&sums, BYTES_LITERAL("etc/c")));
	free(sums.list);
}

static void bad_sums_are_refused(void **state)
{
	static const struct bytes bad[] = {
		BYTES_LITERAL(MD5 "\n"),
		BYTES_LITERAL(MD5 "  \n"),
		BYTES_LITERAL(MD5 "  /\n"),
		BYTES_LITERAL(MD5 "usr/a  \n"),
		BYTES_LITERAL("x" MD5 "  usr/a\n"),
		BYTES_LITERAL("0011223344556677889 aabbccddeeff  usr/a\n"),
		BYTES_LITERAL("usr/a " MD5 "\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct assay_error err = { 0 };
		struct dpkg_sums sums = { 0 };

		if (dpkg_md5sums(bad[i], "m", &sums, &err) != -EBADMSG)
			fail_msg("row %zu was taken", i);
		support_assert_error(&err, "is not an MD5 and a path");
		free(sums.list);
	}
	for (size_t i = 0; i < 2; i++) {
		struct assay_error err = { 0 };
		struct dpkg_sums sums = { 0 };

		assert_int_equal(
			dpkg_conffiles(i ? BYTES_LITERAL("etc/x " MD5) : BYTES_LITERAL("/ " MD5),
				       "c", &sums, &err),
			-EBADMSG);
		free(sums.list);
	}
}

static void diversions_are_read(void **state)
{
	struct bytes rest = BYTES_LITERAL("/usr/a\n/usr/a.real\npkg\n/usr/b\n/usr/c\n:\n");
	static const struct bytes bad[] = {
		BYTES_LITERAL("/usr/a\n/usr/b\n"),   BYTES_LITERAL("/usr/a\n"),
		BYTES_LITERAL("/usr/a\n/usr/b\n\n"), BYTES_LITERAL("usr/a\n/usr/b\n:\n"),
		BYTES_LITERAL("/\n/usr/b\n:\n"),     BYTES_LITERAL("/usr/a\n\n:\n"),
	};
	struct dpkg_diversion diversion;
	struct assay_error err = { 0 };

	(void)state;
	assert_int_equal(dpkg_diversion_next(&rest, "d", &diversion, &err), 1);
	assert_true(is(diversion.from, "/usr/a") && is(diversion.to, "/usr/a.real") &&
		    is(diversion.package, "pkg"));
	assert_int_equal(dpkg_diversion_next(&rest, "d", &diversion, &err), 1);
	assert_int_equal(dpkg_diversion_next(&rest, "d", &diversion, &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rest = bad[i];
		if (dpkg_diversion_next(&rest, "d", &diversion, &err) != -EBADMSG)
			fail_msg("row %zu was taken", i);
	}
}

static void names_are_kept_once(void **state)
{
	const struct package_name bash = { "bash", "5.2", "arm64" },
				  other = { "bash", "5.2", "all" };
	char name[] = "bash", text[PACKAGE_SHOWN_SIZE];
	const struct package_name again = { name, "5.2", "arm64" };
	const struct package_name *kept, *kept_other;
	struct packages packages = { 0 };

	(void)state;
	kept = packages_keep(&packages, &bash);
	kept_other = packages_keep(&packages, &other);
	assert_ptr_not_equal(kept, kept_other);
	assert_ptr_equal(packages_keep(&packages, &again), kept);
	name[0] = 'd';
	assert_string_equal(kept->name, "bash");
	assert_string_equal(package_text(kept, text), ", of package bash 5.2 (arm64)");
	assert_string_equal(package_text(NULL, text), "");
	packages_free(&packages);
	packages_free(&packages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas_are_read),    cmocka_unit_test(bad_stanzas_are_refused),
		cmocka_unit_test(sums_are_read),       cmocka_unit_test(bad_sums_are_refused),
		cmocka_unit_test(diversions_are_read), cmocka_unit_test(names_are_kept_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
