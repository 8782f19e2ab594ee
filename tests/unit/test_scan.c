// SPDX-License-Identifier: MIT
/*
 * From rules to files: mountinfo, and what rules find below a root. A file has fs-verity here if
 * the file system of the test has it; where it has none, rules that look for it find none, and
 * tests/service does the same on a file system that has it.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "measure/scan_internal.h"
#include "sign/certificate.h"

/* ---------------------------------------------------------------- mountinfo */

static const char mountinfo[] =
	"21 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
	"22 21 0:5 / /dev rw,nosuid shared:2 - devtmpfs devtmpfs rw,size=4096k\n"
	"35 21 8:3 / /sysroot ro,relatime - btrfs /dev/sda3 ro\n"
	"36 35 0:31 / /sysroot/net rw,relatime shared:3 - autofs systemd-1 rw,fd=48\n"
	"37 36 0:50 / /sysroot/net/a\\040b\\134 rw - nfs4 server:/x rw\n"
	"38 21 0:51 / /boot rw - autofs systemd-1 rw\n"
	"39 38 8:1 / /boot rw - ext4 /dev/sda1 rw\n"
	"41 21 0:53 / /srv/vm rw,relatime - virtiofs tag rw\n"
	"40 21 0:52 / /sysrootless rw master:1 propagate_from:2 - fuse.sshfs x rw";

static void mounts_are_found_by_path(void **state)
{
	static const struct {
		const char *path, *type;
		bool may_wait;
	} rows[] = {
		{ "/", "ext4", false },
		{ "/sysroot/etc", "btrfs", false },
		{ "/sysroot/net/x", "autofs", true },
		{ "/sysroot/network", "btrfs", false },
		{ "/sysroot/net/a b\\/c", "nfs4", true },
		{ "/boot/efi", "ext4", false }, /* mounted over its automount */
		{ "/sysrootless/x", "fuse.sshfs", true },
		{ "/srv/vm/x", "virtiofs", true },
	};
	struct mounts mounts;
	struct assay_error err;

	(void)state;
	if (mounts_parse(BYTES_LITERAL(mountinfo), "", &mounts, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(mounts.count, 9);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct mount_point *mount = mounts_find(&mounts, rows[i].path);

		assert_non_null(mount);
		assert_string_equal(mount->type, rows[i].type);
		assert_int_equal(mounts_may_wait(&mounts, rows[i].path), rows[i].may_wait);
	}
	mounts_free(&mounts);
}

static void only_what_is_below_the_root_counts(void **state)
{
	struct mounts mounts;
	struct assay_error err;

	(void)state;
	assert_int_equal(mounts_parse(BYTES_LITERAL(mountinfo), "/sysroot", &mounts, &err), 0);
	assert_int_equal(mounts.count, 3);
	assert_string_equal(mounts_find(&mounts, "/etc")->type, "btrfs");
	assert_string_equal(mounts.list[0].path, "/");
	assert_string_equal(mounts.list[2].path, "/net/a b\\");
	mounts_free(&mounts);
}

static void a_new_mount_counts_if_it_can_have_verity(void **state)
{
	static const struct {
		const char *text;
		bool new;
	} rows[] = {
		{ "", false },
		{ "50 21 0:60 / /tmp rw - tmpfs tmpfs rw\n", false },
		{ "50 21 8:9 / /srv rw - ext4 /dev/sda9 rw\n", true },
		{ "50 21 0:60 / /usr ro - overlay sysext ro\n", true },
	};
	struct mounts before, now;
	struct assay_error err;

	(void)state;
	assert_int_equal(mounts_parse(BYTES_LITERAL(mountinfo), "", &before, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buffer text = { 0 };

		buffer_append_bytes(&text, support_text(rows[i].text));
		buffer_append_bytes(&text, BYTES_LITERAL(mountinfo));
		assert_int_equal(mounts_parse(buffer_bytes(&text), "", &now, &err), 0);
		assert_int_equal(mounts_have_new(&now, &before), rows[i].new);
		assert_false(mounts_have_new(&before, &now));
		mounts_free(&now);
		buffer_free(&text);
	}
	mounts_free(&before);
}

static void what_is_no_mountinfo_is_refused(void **state)
{
	static const char *const rows[] = {
		"\n",
		"x 1 8:2 / / rw - ext4 d rw\n",
		"21 1 8:2 / / rw\n",
		"21 1 8:2 / / rw shared:1 ext4 d rw\n",
		"21 1 8:2 / / rw -\n",
		"99999999999999999999999 1 8:2 / / rw - ext4 d rw\n",
		"21 1 8:2 /  rw - ext4 d rw\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct assay_error err = { 0 };
		struct mounts mounts;

		assert_int_equal(mounts_parse(support_text(rows[i]), "", &mounts, &err), -EBADMSG);
		support_assert_error(&err, "mountinfo has a line");
	}
}

/* ---------------------------------------------------------------- rules below a root */

#define DATA "tests/data/evidence/"

/* A certificate, and the manifest that it signed, of two files of those there are below. */
static X509 *certificate;
static struct buffer manifest, signature;
/* What looking may take. */
static uint64_t look_ms;

static int scan_below(const char *root, const char *text, struct scan *ret, struct assay_error *err)
{
	struct rules rules = { 0 };
	struct scan_options options = {
		.root = root_open(root, err),
		.stage = RULE_STAGE_SYSTEM,
		.certificates = &certificate,
		.certificate_count = certificate ? 1 : 0,
		.look_ms = look_ms,
	};
	int r;

	options.lists = options.root;
	assert_true(options.root >= 0);
	r = rules_parse(support_text(text), "r", &rules, err);
	if (r == 0)
		r = scan_rules(&options, &rules, ret, err);
	rules_free(&rules);
	close(options.root);
	return r;
}

/* The files that rules find, "PATH " each. */
static void assert_found(const char *text, const char *wanted, size_t failures, const char *why)
{
	struct buffer found = { 0 };
	struct assay_error err;
	struct scan scan = { 0 };

	if (scan_below("root", text, &scan, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	for (size_t i = 0; i < scan.count; i++) {
		buffer_append(&found, scan.files[i].path, strlen(scan.files[i].path));
		buffer_append_u8(&found, ' ');
	}
	buffer_append_u8(&found, 0);
	assert_string_equal((const char *)found.data, wanted);
	assert_int_equal(scan.failure_count, failures);
	if (failures > 0 && (!scan.failures[0] || !strstr(scan.failures[0], why)))
		fail_msg("'%s' is not in '%s'", why, scan.failures[0] ? scan.failures[0] : "");
	buffer_free(&found);
	scan_free(&scan);
}

static int make_root(void **state)
{
	struct assay_error err;

	if (certificate_load(DATA "cert.pem", &certificate, &err) < 0)
		return -1;
	manifest = support_read(DATA "manifest.jsonl");
	signature = support_read(DATA "manifest.jsonl.p7s");
	if (support_enter_directory(state) < 0)
		return -1;
	return support_run(
		"mkdir -p root/usr/bin root/usr/lib root/etc root/var/lib/dpkg/info root/opt/a "
		"outside && "
		"ln -s usr/bin root/bin && ln -s .. root/usr/up && ln -s $PWD/outside root/opt/out "
		"&& "
		"ln -s ../../outside root/opt/above && ln -s /opt/a root/opt/link && "
		"touch root/usr/bin/sh root/usr/bin/cat root/opt/a/x outside/secret && "
		"ln -s sh root/usr/bin/link && mkfifo root/usr/bin/fifo root/etc/fifo && "
		"printf '/bin/sh\n# no\n\n/usr/bin/cat\n/bin/sh\n/nowhere/x' >root/etc/list && "
		"printf '/usr/bin/../bin/sh\n/bin/cat\nbin/cat\n' >root/etc/off && "
		"printf '/.\n/bin\n/bin/sh\n/bin/fifo\n' >root/var/lib/dpkg/info/dash.list && "
		"printf '/bin/cat\n' >root/var/lib/dpkg/info/coreutils:arm64.list");
}

static int remove_root(void **state)
{
	X509_free(certificate);
	buffer_free(&manifest);
	buffer_free(&signature);
	return support_leave_directory(state);
}

static void named_files_are_sorted_and_once_each(void **state)
{
	(void)state;
	assert_found("[measure]\nlist=/etc/list\nfile=/usr/bin/sh\nfile=/opt/a/x\nfile=/usr/up/bin/"
		     "cat\n",
		     "/nowhere/x /opt/a/x /usr/bin/cat /usr/bin/sh ", 0, "");
	assert_found("[measure]\nlist=/etc/list\nexclude=/usr/**/[a-c]*\nexclude=/nowhere/*",
		     "/usr/bin/sh ", 0, "");
	assert_found(
		"[initrd]\nlist=/etc/list\n[system]\nfile=/bin/x\n[initrd]\nexclude=/usr/bin/x",
		"/usr/bin/x ", 0, "");
	assert_found("", "", 0, "");
}

static void rules_that_cannot_be_followed_keep_none_from_it(void **state)
{
	(void)state;
	assert_found("[measure]\nlist=/etc/none\nfile=/bin/sh", "/usr/bin/sh ", 1,
		     "r line 2: cannot open /etc/none: No such file");
	assert_found("[measure]\nlist=/etc/fifo\nfile=/bin/sh", "/usr/bin/sh ", 1,
		     "r line 2: /etc/fifo is not a regular file");
	assert_found("[measure]\nlist=/etc\nfile=/bin/sh", "/usr/bin/sh ", 1,
		     "r line 2: /etc is not a regular file");
	assert_found("[measure]\nlist=/etc/off", "/usr/bin/cat ", 2,
		     "r line 2: /etc/off: '/usr/bin/../bin/sh'");
	assert_found("[measure]\npackage=nothing\nfile=/bin/sh", "/usr/bin/sh ", 1,
		     "r line 2: dpkg has no package nothing");
}

/* Links may lead anywhere within the root; what leads out of it leads to the root's own. */
static void no_link_leads_out(void **state)
{
	(void)state;
	assert_found("[measure]\nlist=/opt/out/secret", "", 1, "cannot open");
	assert_found("[measure]\nlist=/opt/above/secret", "", 1, "cannot open");
	assert_found("[measure]\nfile=/opt/above/secret", "/opt/above/secret ", 0, "");
	assert_found("[measure]\nglob=/opt/out/*\nglob=/opt/**\nverity=/opt", "", 0, "");
}

/* As portablectl(1) attaches what is kept elsewhere; /dev/null is one that is not to be used. */
static void linked_images_are_required_where_they_are(void **state)
{
	(void)state;
	assert_int_equal(support_run("mkdir -p root/etc/extensions root/opt/images && "
				     "cd root/etc/extensions && touch ../../opt/images/tool_1.img "
				     "../../opt/images/b && mkfifo ../../opt/images/null && "
				     "ln -s /opt/images/tool_1.img tool.raw && "
				     "ln -s ../../../../../opt/images/b b.raw && "
				     "ln -s /opt/images/b other && ln -s /opt/images/none c.raw && "
				     "ln -s /opt/images/null d.raw && ln -s /opt/images e.raw && "
				     "ln -s f.raw f.raw && ln -s / g.raw"),
			 0);
	assert_found("[system]\nimages=/etc/extensions", "/opt/images/b /opt/images/tool_1.img ", 2,
		     ".raw leads nowhere: ");
	assert_found("[system]\nimages=/etc/extensions\nexclude=/opt/**", "", 2, "leads nowhere");
	assert_int_equal(support_run("rm -r root/etc/extensions root/opt/images"), 0);
}

/* They are files to be measured, whether or not they have fs-verity; what else there is has to. */
static void images_are_required(void **state)
{
	(void)state;
	assert_int_equal(
		support_run("mkdir -p root/var/lib/portables/v && cd root/var/lib/portables "
			    "&& touch a.raw v/b_1.raw a.raw.p7s raw .raw.x && mkdir c.raw "
			    "&& touch c.raw/x && ln -s a.raw d.raw && mkfifo e.raw"),
		0);
	assert_found("[system]\nimages=/var/lib/portables",
		     "/var/lib/portables/a.raw /var/lib/portables/v/b_1.raw ", 0, "");
	assert_found("[system]\nverity=/var/lib/portables", "", 0, "");
	assert_found("[system]\nimages=/var/lib/portables\nexclude=/**/a.raw",
		     "/var/lib/portables/v/b_1.raw ", 0, "");
	assert_found("[system]\nimages=/nowhere", "", 0, "");
	assert_int_equal(support_run("rm -r root/var/lib/portables"), 0);
}

/* Files that are found, not named, count only with fs-verity, which none of these has. */
static void files_without_verity_are_counted(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} rows[] = {
		{ "[measure]\npackage=dash", 1 },
		{ "[measure]\npackage=coreutils", 1 },
		{ "[measure]\npackage=coreutils:arm64", 1 },
		{ "[measure]\nglob=/usr/bin/*", 2 },
		{ "[measure]\nglob=/bin/*", 2 },
		{ "[measure]\nglob=/usr/*/s?", 1 },
		{ "[measure]\nglob=/**/x", 1 },
		{ "[measure]\nglob=/opt/**", 1 },
		{ "[measure]\nglob=/opt/li*/x", 1 },
		{ "[measure]\nglob=/opt/*/x/*", 0 },
		{ "[measure]\nverity=/usr", 2 },
		{ "[measure]\nverity=/nowhere", 0 },
		{ "[measure]\nverity=/usr/bin/sh", 0 },
		{ "[measure]\nglob=/etc/l*\nverity=/var", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct assay_error err;
		struct scan scan = { 0 };

		assert_int_equal(scan_below("root", rows[i].text, &scan, &err), 0);
		assert_int_equal(scan.count, 0);
		assert_int_equal(scan.failure_count, 0);
		if (scan.without_verity != rows[i].count)
			fail_msg("%s: %zu", rows[i].text, scan.without_verity);
		scan_free(&scan);
	}
}

static void a_manifest_counts_if_its_signature_is_good(void **state)
{
	static const char rule[] = "[measure]\nmanifest=/etc/manifest";
	X509 *kept = certificate;
	struct assay_error err;
	struct scan scan = { 0 };

	(void)state;
	assert_found(rule, "", 1, "r line 2: cannot open /etc/manifest: No such file");
	support_write("root/etc/manifest", buffer_bytes(&manifest));
	assert_found(rule, "", 1, "r line 2: cannot open /etc/manifest.p7s: No such file");
	support_write("root/etc/manifest.p7s", buffer_bytes(&signature));
	assert_int_equal(scan_below("root", rule, &scan, &err), 0);
	assert_int_equal(scan.failure_count, 0);
	assert_int_equal(scan.count, support_run("exit $(($(wc -l <root/etc/manifest) - 1))"));
	for (size_t i = 0; i < scan.count; i++)
		assert_true(scan.files[i].named);
	scan_free(&scan);

	certificate = NULL;
	assert_found(rule, "", 1, "r line 2: /etc/manifest cannot be believed: there is no cert");
	certificate = kept;
	manifest.data[manifest.size / 2] ^= 1;
	support_write("root/etc/manifest", buffer_bytes(&manifest));
	manifest.data[manifest.size / 2] ^= 1;
	assert_found(rule, "", 1, "r line 2: ");
}

/* Nobody has signed what is read of it. */
static void a_manifest_has_a_bound(void **state)
{
	(void)state;
	assert_int_equal(support_run("truncate -s 67108865 root/etc/manifest"), 0);
	assert_found("[measure]\nmanifest=/etc/manifest", "", 1,
		     "r line 2: /etc/manifest is larger than 67108864 bytes");
}

/* /net is not there: nothing that leads to it may be opened. */
static void links_are_looked_at_before_they_are_followed(void **state)
{
	static const char text[] = "21 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
				   "36 21 0:31 / /net rw - autofs systemd-1 rw\n";
	static const struct {
		const char *path;
		int result;
		const char *real;
	} rows[] = {
		{ "/", 0, "/" },
		{ "/links/./near", 0, "/links/there" },
		{ "/links/near/..", 0, "/links" },
		{ "/links/up", 0, "/links/there" },
		{ "/net/x", -EXDEV, "" },
		{ "/links/away", -EXDEV, "" },
		{ "/links/away/y", -EXDEV, "" },
		{ "/links/twice", -EXDEV, "" },
		{ "/links/loop", -ELOOP, "" },
		{ "/links/none", -ENOENT, "" },
	};
	char real[PATH_MAX];
	struct mounts mounts;
	struct assay_error err;
	int root;

	(void)state;
	assert_int_equal(
		support_run("mkdir -p root/links/there && cd root/links && ln -s there near && "
			    "ln -s ../../../links/there up && ln -s /net/x away && "
			    "ln -s /links/away/z twice && ln -s loop loop"),
		0);
	root = root_open("root", &err);
	assert_true(root >= 0);
	assert_int_equal(mounts_parse(BYTES_LITERAL(text), "", &mounts, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int r = scan_resolve(&mounts, root, rows[i].path, real);

		if (r != rows[i].result || (r == 0 && strcmp(real, rows[i].real) != 0))
			fail_msg("%s: %d, %s", rows[i].path, r, real);
	}
	mounts_free(&mounts);
	close(root);
	assert_int_equal(support_run("rm -r root/links"), 0);
}

/* Is it the last of what was found, behind one failure with these words? */
static void assert_last(const struct scan *scan, const char *path, const char *why)
{
	if (scan->failure_count != 1 || !strstr(scan->failures[0], why) || scan->count == 0 ||
	    strcmp(scan->files[scan->count - 1].path, path) != 0)
		fail_msg("%s is not the last, or no failure has '%s'", path, why);
}

static void there_is_a_bound_of_files(void **state)
{
	struct assay_error err;
	struct scan scan = { 0 };

	(void)state;
	assert_int_equal(support_run("seq -f '/x/%%.0f' %u >root/etc/many", SCAN_FILES_MAX), 0);
	assert_int_equal(scan_below("root", "[measure]\nlist=/etc/many", &scan, &err), 0);
	assert_int_equal(scan.count, SCAN_FILES_MAX);
	assert_int_equal(scan.failure_count, 0);
	scan_free(&scan);
	assert_int_equal(scan_below("root", "[measure]\nlist=/etc/many\nfile=/bin/sh", &scan, &err),
			 0);
	assert_int_equal(scan.count, SCAN_FILES_MAX);
	assert_last(&scan, "/x/99999", "r line 3: the rules are for more than 262144 files");
	scan_free(&scan);
}

/* However much who writes to the root has a rule find, what others name is found. */
static void rule_that_finds_too_much_keeps_no_other_from_it(void **state)
{
	struct assay_error err;
	struct scan scan = { 0 };

	(void)state;
	assert_int_equal(support_run("cd root && mkdir deep && cd deep && n=$(printf %%0240d 0) && "
				     "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do "
				     "mkdir $n && cd $n; done && seq -f \"%%.0f-$n.raw\" 18000 | "
				     "xargs touch"),
			 0);
	assert_int_equal(scan_below("root", "[measure]\nimages=/deep\nfile=/bin/sh", &scan, &err),
			 0);
	assert_last(&scan, "/usr/bin/sh", "r line 2: the rules are for more than 262144 files");
	scan_free(&scan);
	look_ms = 1;
	assert_int_equal(scan_below("root", "[measure]\nimages=/deep\nfile=/bin/sh", &scan, &err),
			 0);
	look_ms = 0;
	assert_last(&scan, "/usr/bin/sh",
		    "r line 2: it takes too long to look into the directories");
	scan_free(&scan);
	/* Also of those that look; half of the room is for who comes later, whatever its order. */
	assert_int_equal(support_run("mkdir root/later && touch root/later/x.raw"), 0);
	assert_int_equal(scan_below("root", "[measure]\nimages=/deep\nimages=/later", &scan, &err),
			 0);
	assert_last(&scan, "/later/x.raw", "r line 2: the rules are for more than 196608 files");
	scan_free(&scan);
	assert_int_equal(support_run("rm -r root/deep root/later"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts_are_found_by_path),
		cmocka_unit_test(only_what_is_below_the_root_counts),
		cmocka_unit_test(a_new_mount_counts_if_it_can_have_verity),
		cmocka_unit_test(what_is_no_mountinfo_is_refused),
		cmocka_unit_test(named_files_are_sorted_and_once_each),
		cmocka_unit_test(rules_that_cannot_be_followed_keep_none_from_it),
		cmocka_unit_test(no_link_leads_out),
		cmocka_unit_test(images_are_required),
		cmocka_unit_test(linked_images_are_required_where_they_are),
		cmocka_unit_test(files_without_verity_are_counted),
		cmocka_unit_test(a_manifest_counts_if_its_signature_is_good),
		cmocka_unit_test(a_manifest_has_a_bound),
		cmocka_unit_test(links_are_looked_at_before_they_are_followed),
		cmocka_unit_test(there_is_a_bound_of_files),
		cmocka_unit_test(rule_that_finds_too_much_keeps_no_other_from_it),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
