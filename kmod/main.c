// SPDX-License-Identifier: GPL-2.0-only
/*
 * assay.ko: binds to the device-tree node
 *
 *	assay {
 *		compatible = "assay,log";
 *		memory-region = <&log>;
 *		assay,window = /bits/ 64 <OFFSET SIZE>;		optional
 *	};
 *
 * and puts its rooms together: region, ledger, /dev/assay, counters.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include "chardev.h"
#include "device.h"
#include "stats.h"
#include "version.h"

#define ASSAY_DEFAULT_PCR 14

static unsigned int pcr = ASSAY_DEFAULT_PCR;
module_param(pcr, uint, 0444);
MODULE_PARM_DESC(pcr, "PCR that the log is anchored in (default 14)");

static bool allow_unprotected;
module_param(allow_unprotected, bool, 0444);
MODULE_PARM_DESC(allow_unprotected,
		 "keep a log even where its pages cannot be made read-only (default no)");

/* Why probing failed: platform_driver_probe() itself only says that it did. */
static int assay_probe_error;

static void assay_close_region(void *data)
{
	struct assay *assay = data;

	assay_region_close(&assay->region);
}

static void assay_destroy_ledger(void *data)
{
	struct assay *assay = data;

	assay_ledger_destroy(&assay->ledger);
}

static void assay_unregister(void *data)
{
	struct assay *assay = data;

	assay_stats_close(assay);
	assay_chardev_unregister(assay);
}

static int assay_setup(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	unsigned long pfn, count;
	struct assay *assay;
	int ret;

	assay = devm_kzalloc(dev, sizeof(*assay), GFP_KERNEL);
	if (!assay)
		return -ENOMEM;

	ret = assay_region_open(&assay->region, dev);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, assay_close_region, assay);
	if (ret)
		return ret;

	ret = assay_region_window(&assay->region, &pfn, &count);
	if (ret)
		return ret;
	ret = assay_ledger_create(&assay->ledger, &assay->region, pfn, count, pcr,
				  allow_unprotected);
	if (ret)
		return ret;
	ret = devm_add_action_or_reset(dev, assay_destroy_ledger, assay);
	if (ret)
		return ret;

	ret = assay_chardev_register(assay, dev);
	if (ret)
		return ret;
	assay_stats_open(assay);
	ret = devm_add_action_or_reset(dev, assay_unregister, assay);
	if (ret)
		return ret;

	dev_info(dev, "log of %lu KiB at %pa, %s, PCR %u, %llu records\n",
		 count << (PAGE_SHIFT - 10), &(phys_addr_t){ PFN_PHYS(pfn) },
		 assay->ledger.pool->protected ? "read-only" : "NOT protected", pcr,
		 assay->ledger.records);
	return 0;
}

static int assay_probe(struct platform_device *pdev)
{
	int ret = assay_setup(pdev);

	if (ret)
		assay_probe_error = ret;
	return ret;
}

static const struct of_device_id assay_of_match[] = {
	{ .compatible = "assay,log" },
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

static int __init assay_init(void)
{
	const char *refused = assay_anchor_check_pcr(pcr);
	int ret;

	if (refused) {
		pr_err("PCR %u %s; choose another, for example pcr=%d\n", pcr, refused,
		       ASSAY_DEFAULT_PCR);
		return -EINVAL;
	}
	ret = platform_driver_probe(&assay_driver, assay_probe);
	if (ret == -ENODEV && assay_probe_error)
		return assay_probe_error;
	if (ret == -ENODEV)
		pr_err("the device tree has no enabled node compatible \"assay,log\"; add one with a memory-region\n");
	return ret;
}
module_init(assay_init);

static void __exit assay_exit(void)
{
	platform_driver_unregister(&assay_driver);
}
module_exit(assay_exit);

MODULE_DESCRIPTION("Measurement log in protected memory, anchored in a TPM");
MODULE_AUTHOR("The assay authors");
MODULE_VERSION(ASSAY_MODULE_VERSION);
MODULE_LICENSE("GPL");
