// SPDX-License-Identifier: GPL-2.0-only
/*
 * assay.ko: binds to the device-tree node
 *
 *	assay {
 *		compatible = "assay,log";
 *		memory-region = <&log &more ...>;
 *		assay,window = /bits/ 64 <OFFSET SIZE>;		optional
 *	};
 *
 * or, where there is none, to a device of its own whose regions are those of the
 * parameter region=; and puts its parts together: regions and their stocks, pools, the
 * ledger, the committer, counters, /dev/assay.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/overflow.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "chardev.h"
#include "device.h"
#include "pool.h"
#include "reader.h"
#include "regions.h"
#include "stats.h"
#include "stock.h"
#include "version.h"
#include "window.h"

#define ASSAY_COMPATIBLE "assay,log"
#define ASSAY_DEFAULT_PCR 14
#define ASSAY_DEFAULT_WINDOW SZ_1M
#define ASSAY_MAX_PARAMETER_REGIONS 16
/* More seconds could overflow when counted in jiffies. */
#define ASSAY_MAX_IDLE_SECONDS (24 * 60 * 60)

static unsigned int pcr = ASSAY_DEFAULT_PCR;
module_param(pcr, uint, 0444);
MODULE_PARM_DESC(pcr, "PCR that the log is anchored in (default 14)");

static bool allow_unprotected;
module_param(allow_unprotected, bool, 0444);
MODULE_PARM_DESC(allow_unprotected,
		 "keep a log even where its pages cannot be made read-only (default no)");

static char *region[ASSAY_MAX_PARAMETER_REGIONS];
static unsigned int region_count;
module_param_array(region, charp, &region_count, 0444);
MODULE_PARM_DESC(
	region,
	"regions besides those of the device tree: auto, movable:BASE:SIZE, nomap:BASE:SIZE or reserve_mem:NAME[,...] in bytes (0x, K, M, G)");

static char *window;
module_param(window, charp, 0444);
MODULE_PARM_DESC(
	window,
	"where the log is in the first region: OFFSET:SIZE in bytes (default: what the device tree says, or 0:1M)");

static unsigned int stock = 2;
module_param(stock, uint, 0444);
MODULE_PARM_DESC(stock,
		 "chunks of each region that are claimed ahead while pools are used (default 2)");

static char *chunk = "64K";
module_param(chunk, charp, 0444);
MODULE_PARM_DESC(
	chunk,
	"bytes of a chunk, of stocks and of the log's window, rounded up to pages (default 64K)");

static char *ahead = "256K";
module_param(ahead, charp, 0444);
MODULE_PARM_DESC(
	ahead,
	"bytes of the log's window that are claimed ahead of need, rounded up to pages (default 256K)");

static unsigned int stock_idle = 30;
module_param(stock_idle, uint, 0444);
MODULE_PARM_DESC(stock_idle,
		 "seconds after which a stock that no pool uses is given back (default 30)");

static unsigned int group = ASSAY_COMMIT_QUEUE;
module_param(group, uint, 0444);
MODULE_PARM_DESC(group, "the most calls whose entries share a record (default 256)");

static unsigned int retry = 1;
module_param(retry, uint, 0444);
MODULE_PARM_DESC(
	retry,
	"seconds after which a log that could not be anchored is tried again, doubled up to 64 times; 0 for only with the next call (default 1)");

static char *verify = "1";
module_param(verify, charp, 0444);
MODULE_PARM_DESC(
	verify,
	"read the PCR back after each record, or every so many seconds: each, SECONDS, 0 for only with ANCHOR and where there is doubt (default 1)");

static unsigned int ima;
module_param(ima, uint, 0444);
MODULE_PARM_DESC(
	ima,
	"have IMA note the log's state at load, every so many records, with ANCHOR and at unload; 0 for never (default 0)");

/* The device where the device tree has none. */
static struct platform_device *assay_own_device;

/* Why probing failed: platform_driver_probe() itself only says that it did. */
static int assay_probe_error;

/* The device that was probed. */
static struct assay *assay_probed;

static int assay_parse_window(struct device *dev, u64 *ret_offset, u64 *ret_size)
{
	const char *colon = strchr(window, ':');
	u64 offset, size;

	if (!colon || assay_region_parse_bytes(window, colon, &offset) ||
	    assay_region_parse_bytes(colon + 1, NULL, &size)) {
		dev_err(dev,
			"window=%s is not OFFSET:SIZE, two numbers of bytes such as 0x730000:1M\n",
			window);
		return -EINVAL;
	}
	*ret_offset = offset;
	*ret_size = size;
	return 0;
}

/* A parameter that is a number of bytes, in pages, rounded up. */
static int assay_parse_pages(struct device *dev, const char *name, const char *text,
			     unsigned long *ret_pages)
{
	u64 bytes, end;

	if (assay_region_parse_bytes(text, NULL, &bytes) || !bytes ||
	    check_add_overflow(bytes, (u64)PAGE_SIZE - 1, &end)) {
		dev_err(dev, "%s=%s is no number of bytes; write 65536, 64K or 1M\n", name, text);
		return -EINVAL;
	}
	*ret_pages = PHYS_PFN(end);
	return 0;
}

/* The parameter verify, as struct assay_anchor has it. */
static int assay_parse_verify(struct device *dev, unsigned int *ret)
{
	if (sysfs_streq(verify, "each")) {
		*ret = ASSAY_VERIFY_EACH;
		return 0;
	}
	if (kstrtouint(verify, 10, ret) || *ret > ASSAY_MAX_IDLE_SECONDS) {
		dev_err(dev,
			"verify=%s: write \"each\", a number of seconds up to a day, or 0 for never\n",
			verify);
		return -EINVAL;
	}
	return 0;
}

/* The log's window in the first region: the parameter, else the device tree, else the default. */
static int assay_log_window(struct device *dev, const struct assay_region *first,
			    struct assay_ring_place *ret)
{
	u64 bytes = (u64)first->count << PAGE_SHIFT;
	u64 place[2] = { 0, ASSAY_DEFAULT_WINDOW };
	const char *what = "the default window";
	u64 end;
	int error;

	if (window) {
		what = "the parameter window";
		error = assay_parse_window(dev, &place[0], &place[1]);
		if (error)
			return error;
	} else if (of_find_property(dev->of_node, "assay,window", NULL)) {
		what = "assay,window";
		if (of_property_count_u64_elems(dev->of_node, what) != 2 ||
		    of_property_read_u64_array(dev->of_node, what, place, 2)) {
			dev_err(dev,
				"assay,window of %pOF must be two 64-bit numbers: offset in the region and size, in bytes\n",
				dev->of_node);
			return -EINVAL;
		}
	}
	if (!place[1]) {
		dev_err(dev, "%s has size 0; give the log at least %lu bytes\n", what,
			2 * PAGE_SIZE);
		return -EINVAL;
	}
	if (!PAGE_ALIGNED(place[0] | place[1])) {
		dev_err(dev,
			"%s %#llx + %#llx is not page aligned; on this kernel both must be multiples of %lu bytes\n",
			what, place[0], place[1], PAGE_SIZE);
		return -EINVAL;
	}
	if (check_add_overflow(place[0], place[1], &end) || end > bytes) {
		dev_err(dev, "%s %#llx + %#llx lies outside the region of %#llx bytes\n", what,
			place[0], place[1], bytes);
		return -EINVAL;
	}
	ret->pfn = first->pfn + PHYS_PFN(place[0]);
	ret->count = PHYS_PFN(place[1]);
	return 0;
}

static int assay_log_place(struct device *dev, struct assay_ring_place *ret)
{
	int error;

	ret->region = assay_region_get(0);
	error = assay_log_window(dev, ret->region, ret);
	if (!error)
		error = assay_parse_pages(dev, "chunk", chunk, &ret->chunk);
	if (!error)
		error = assay_parse_pages(dev, "ahead", ahead, &ret->ahead);
	return error;
}

/* ------------------------------------------------------------------ what the device is made of */
static int assay_open_regions(struct assay *assay)
{
	struct device *dev = assay->dev;

	if (assay_region_get(0)) {
		dev_err(dev, "another device has the log; use one node compatible \"%s\"\n",
			ASSAY_COMPATIBLE);
		return -EBUSY;
	}
	assay_log_window_allow_unprotected(allow_unprotected);
	return assay_regions_open(dev, region, region_count);
}

static void assay_close_regions(struct assay *assay)
{
	assay_regions_close();
}

static void assay_close_stocks(struct assay *assay)
{
	struct assay_region *each;
	unsigned int id;

	pmalloc_close();
	for (id = 0; (each = assay_region_get(id)); id++)
		assay_stock_close(each);
}

static int assay_open_stocks(struct assay *assay)
{
	struct assay_region *each;
	unsigned int id;
	unsigned long chunk_pages;
	int ret;

	ret = pmalloc_setup(assay_region_get(0), allow_unprotected);
	if (!ret)
		ret = assay_parse_pages(assay->dev, "chunk", chunk, &chunk_pages);
	if (ret)
		return ret;
	if (stock_idle > ASSAY_MAX_IDLE_SECONDS) {
		dev_err(assay->dev, "stock_idle=%u is more than a day; choose fewer seconds\n",
			stock_idle);
		return -EINVAL;
	}
	for (id = 0; (each = assay_region_get(id)); id++) {
		ret = assay_stock_open(each, chunk_pages, stock, stock_idle);
		if (ret) {
			assay_close_stocks(assay);
			return ret;
		}
	}
	return 0;
}

static int assay_create_ledger(struct assay *assay)
{
	struct assay_ring_place place = { .mapping = assay->inode->i_mapping };
	unsigned int seconds;
	int ret;

	ret = assay_log_place(assay->dev, &place);
	if (ret)
		return ret;
	ret = assay_parse_verify(assay->dev, &seconds);
	if (ret)
		return ret;
	return assay_ledger_create(&assay->ledger, &place, pcr, seconds);
}

static void assay_destroy_ledger(struct assay *assay)
{
	assay_ledger_destroy(&assay->ledger);
}

static int assay_open_trim(struct assay *assay)
{
	assay_trim_open(&assay->trimmer, &assay->ledger);
	return 0;
}

static void assay_close_trim(struct assay *assay)
{
	assay_trim_close(&assay->trimmer);
}

static int assay_open_commit(struct assay *assay)
{
	return assay_commit_open(&assay->commit, &assay->ledger, &assay->trimmer, group, retry,
				 ima);
}

static void assay_close_commit(struct assay *assay)
{
	assay_commit_close(&assay->commit);
}

static int assay_open_power(struct assay *assay)
{
	return assay_power_open(&assay->power, &assay->commit);
}

static void assay_close_power(struct assay *assay)
{
	assay_power_close(&assay->power);
}

/*
 * In the order in which they are opened; closed in the opposite order. /dev/assay is not
 * among them: see assay_init().
 */
static const struct {
	int (*open)(struct assay *assay);
	void (*close)(struct assay *assay);
} assay_parts[] = {
	{ assay_open_regions, assay_close_regions },
	{ assay_open_stocks, assay_close_stocks },
	{ assay_reader_open_mapping, assay_reader_close_mapping },
	{ assay_create_ledger, assay_destroy_ledger },
	{ assay_open_trim, assay_close_trim },
	{ assay_open_commit, assay_close_commit },
	{ assay_open_power, assay_close_power },
	{ assay_stats_open, assay_stats_close },
};

static void assay_close_parts(void *data)
{
	struct assay *assay = data;

	while (assay->parts)
		assay_parts[--assay->parts].close(assay);
}

static int assay_setup(struct device *dev)
{
	struct assay *assay;
	int ret;

	assay = devm_kzalloc(dev, sizeof(*assay), GFP_KERNEL);
	if (!assay)
		return -ENOMEM;
	assay->dev = dev;
	ret = devm_add_action_or_reset(dev, assay_close_parts, assay);
	while (!ret && assay->parts < ARRAY_SIZE(assay_parts)) {
		ret = assay_parts[assay->parts].open(assay);
		if (!ret)
			assay->parts++;
	}
	if (!ret)
		assay_probed = assay;
	return ret;
}

static int assay_probe(struct platform_device *pdev)
{
	int ret = assay_setup(&pdev->dev);

	if (ret)
		assay_probe_error = ret;
	return ret;
}

static const struct of_device_id assay_of_match[] = {
	{ .compatible = ASSAY_COMPATIBLE },
	{},
};
MODULE_DEVICE_TABLE(of, assay_of_match);

/* No unbinding through sysfs: open files of /dev/assay only keep the module. */
static struct platform_driver assay_driver = {
	.driver = {
		.name = "assay",
		.of_match_table = assay_of_match,
		.suppress_bind_attrs = true,
	},
};

static bool assay_has_node(void)
{
	struct device_node *node = NULL;

	while ((node = of_find_matching_node(node, assay_of_match))) {
		if (of_device_is_available(node)) {
			of_node_put(node);
			return true;
		}
	}
	return false;
}

static int __init assay_check_parameters(void)
{
	const char *refused = assay_anchor_check_pcr(pcr);

	if (refused) {
		pr_err("PCR %u %s; choose another, for example pcr=%d\n", pcr, refused,
		       ASSAY_DEFAULT_PCR);
		return -EINVAL;
	}
	if (!group || group > ASSAY_COMMIT_QUEUE) {
		pr_err("group=%u: choose 1 to %d calls\n", group, ASSAY_COMMIT_QUEUE);
		return -EINVAL;
	}
	if (retry > ASSAY_MAX_IDLE_SECONDS) {
		pr_err("retry=%u is more than a day; choose fewer seconds, or 0\n", retry);
		return -EINVAL;
	}
	return 0;
}

/* Where the device tree has no node, a device for the regions of the parameter. */
static int __init assay_make_device(void)
{
	struct platform_device *pdev;

	if (assay_has_node())
		return 0;
	if (!region_count) {
		pr_err("the device tree has no enabled node compatible \"%s\"; add one with a memory-region, or give region=auto\n",
		       ASSAY_COMPATIBLE);
		return -ENODEV;
	}
	pdev = platform_device_register_simple("assay", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev)) {
		pr_err("cannot make a device for region= (error %ld)\n", PTR_ERR(pdev));
		return PTR_ERR(pdev);
	}
	assay_own_device = pdev;
	return 0;
}

static int __init assay_register_driver(void)
{
	int ret = platform_driver_probe(&assay_driver, assay_probe);

	if (ret == -ENODEV && assay_probe_error)
		return assay_probe_error;
	if (ret == -ENODEV)
		pr_err("the kernel has made no device of the device tree's node compatible \"%s\"; put it directly below the root\n",
		       ASSAY_COMPATIBLE);
	return ret;
}

static void __init assay_say_loaded(const struct assay *assay)
{
	const struct assay_window *window = assay->ledger.ring.window;

	dev_info(assay->dev, "log of %lu KiB at %pa, %s, PCR %u, %llu records\n",
		 window->count << (PAGE_SHIFT - 10), &(phys_addr_t){ PFN_PHYS(window->pfn) },
		 assay_log_window_protection(&assay->ledger.ring.memory) ? "read-only" :
									   "NOT protected",
		 pcr, assay->ledger.records);
}

/*
 * /dev/assay comes last, and not in the probe function: who opens it holds the module, but
 * if loading fails the module is freed all the same, and after probing the driver core can
 * still fail.
 */
static int __init assay_init(void)
{
	int ret;

	ret = assay_check_parameters();
	if (!ret)
		ret = assay_make_device();
	if (ret)
		return ret;
	ret = assay_register_driver();
	if (ret)
		goto unregister_device;
	ret = assay_chardev_register(assay_probed);
	if (ret)
		goto unregister_driver;
	assay_say_loaded(assay_probed);
	return 0;

unregister_driver:
	platform_driver_unregister(&assay_driver);
unregister_device:
	platform_device_unregister(assay_own_device);
	return ret;
}
module_init(assay_init);

static void __exit assay_exit(void)
{
	assay_chardev_unregister(assay_probed);
	platform_driver_unregister(&assay_driver);
	platform_device_unregister(assay_own_device);
}
module_exit(assay_exit);

MODULE_DESCRIPTION("Measurement log in protected memory, anchored in a TPM");
MODULE_AUTHOR("The assay authors");
MODULE_VERSION(ASSAY_MODULE_VERSION);
MODULE_LICENSE("GPL");
