// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "call.h"
#include "chardev.h"
#include "device.h"
#include "measure.h"
#include "reader.h"
#include "stats.h"
#include "trim.h"
#include "uring.h"

/* The sizes of the first version: less was never valid. */
#define ASSAY_INFO_SIZE_V1 136
#define ASSAY_ANCHOR_SIZE_V1 24
#define ASSAY_TRIM_SIZE_V1 40
#define ASSAY_SEAL_SIZE_V1 32
#define ASSAY_KEYS_SIZE_V1 24

static_assert(sizeof(struct assay_info) >= ASSAY_INFO_SIZE_V1);
static_assert(sizeof(struct assay_anchor_request) == ASSAY_ANCHOR_SIZE_V1);
static_assert(sizeof(struct assay_trim) == ASSAY_TRIM_SIZE_V1);
static_assert(sizeof(struct assay_seal) == ASSAY_SEAL_SIZE_V1);
static_assert(sizeof(struct assay_keys) == ASSAY_KEYS_SIZE_V1);

static long assay_ioctl_info(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_info info;
	int ret;

	ret = assay_call_copy_in(&info, sizeof(info), ASSAY_INFO_SIZE_V1, argument, user_size);
	if (ret)
		return ret;
	if (info.flags)
		return -EINVAL;
	memset(&info, 0, sizeof(info));
	assay_ledger_info(&assay->ledger, &info);
	return assay_call_copy_out(argument, user_size, &info, sizeof(info));
}

/* MEASURE and APPEND. */
static long assay_ioctl_record(struct assay *assay, enum assay_record_kind kind,
			       void __user *argument, size_t user_size)
{
	struct assay_call call;
	int ret;

	ret = assay_call_prepare(&call, &assay->commit, kind, argument, user_size, true);
	if (!ret) {
		ret = assay_commit(&assay->commit, &call.request);
		assay_call_finish(&call);
	}
	assay_call_free(&call);
	return ret;
}

static long assay_ioctl_anchor(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_anchor_request request;
	int ret, written;

	ret = assay_call_copy_in(&request, sizeof(request), ASSAY_ANCHOR_SIZE_V1, argument,
				 user_size);
	if (ret)
		return ret;
	if (request.flags || request.reserved)
		return -EINVAL;
	ret = assay_commit_anchor(&assay->commit, &request.anchored_records, &request.anchored);
	written = assay_call_copy_out(argument, user_size, &request, sizeof(request));
	return ret ?: written;
}

static long assay_ioctl_trim(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_trim request;
	int ret, written;

	ret = assay_call_copy_in(&request, sizeof(request), ASSAY_TRIM_SIZE_V1, argument,
				 user_size);
	if (ret)
		return ret;
	if (request.flags || request.reserved)
		return -EINVAL;
	ret = assay_trim(&assay->trimmer, &request);
	assay_commit_follow_up(&assay->commit);
	written = assay_call_copy_out(argument, user_size, &request, sizeof(request));
	return ret ?: written;
}

static long assay_ioctl_seal(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_seal request;
	int ret;

	ret = assay_call_copy_in(&request, sizeof(request), ASSAY_SEAL_SIZE_V1, argument,
				 user_size);
	if (ret)
		return ret;
	if (request.flags || request.reserved)
		return -EINVAL;
	ret = assay_seal(&assay->trimmer, &request);
	assay_commit_follow_up(&assay->commit);
	return ret ?: assay_call_copy_out(argument, user_size, &request, sizeof(request));
}

/* As many of the keys as may be known. Sets @count of @request to how many. */
static int assay_copy_keys(struct assay_ledger *ledger, struct assay_keys *request)
{
	u8 __user *keys = u64_to_user_ptr(request->keys);
	u32 i, wanted = request->count;
	u8 key[ASSAY_KEY_SIZE];
	int ret;

	request->count = 0;
	for (i = 0; i < wanted; i++) {
		ret = assay_ledger_key(ledger, request->first + i, key);
		if (ret)
			return ret == -ENODATA ? 0 : ret;
		if (copy_to_user(keys + i * sizeof(key), key, sizeof(key)))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		request->count++;
		cond_resched();
	}
	return 0;
}

static long assay_ioctl_keys(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_keys request;
	int ret;

	ret = assay_call_copy_in(&request, sizeof(request), ASSAY_KEYS_SIZE_V1, argument,
				 user_size);
	if (ret)
		return ret;
	if (request.flags || !request.count || request.count > ASSAY_MAX_BATCH ||
	    request.first > U64_MAX - request.count)
		return -EINVAL;
	ret = assay_copy_keys(&assay->ledger, &request);
	return ret ?: assay_call_copy_out(argument, user_size, &request, sizeof(request));
}

/* What changes the log as a whole is for its administrator. */
static int assay_may_administer(const struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE))
		return -EACCES;
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static long assay_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct assay *assay = assay_of_file(file);
	void __user *pointer = (void __user *)argument;
	size_t user_size = _IOC_SIZE(command);

	/* The size is the caller's version of the struct, not part of the command's name. */
	if (_IOC_TYPE(command) != ASSAY_IOC_MAGIC || _IOC_DIR(command) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	switch (_IOC_NR(command)) {
	case _IOC_NR(ASSAY_IOC_INFO):
		return assay_ioctl_info(assay, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_MEASURE):
		if (!(file->f_mode & FMODE_WRITE))
			return -EACCES;
		return assay_ioctl_record(assay, ASSAY_KIND_MEASURE, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_APPEND):
		if (!(file->f_mode & FMODE_WRITE))
			return -EACCES;
		return assay_ioctl_record(assay, ASSAY_KIND_EVENT, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_ANCHOR):
		if (!(file->f_mode & FMODE_WRITE))
			return -EACCES;
		return assay_ioctl_anchor(assay, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_TRIM):
		return assay_may_administer(file) ?: assay_ioctl_trim(assay, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_SEAL):
		return assay_may_administer(file) ?: assay_ioctl_seal(assay, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_KEYS):
		if (!(file->f_mode & FMODE_READ))
			return -EACCES;
		return assay_ioctl_keys(assay, pointer, user_size);
	}
	return -ENOTTY;
}

static const struct file_operations assay_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = assay_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
#ifdef ASSAY_HAS_URING_CMD
	.uring_cmd = assay_uring_cmd,
#endif
	.open = assay_reader_open,
	.mmap = assay_reader_mmap,
	.read = assay_reader_read,
	.poll = assay_reader_poll,
	.llseek = assay_reader_llseek,
};

/**
 * assay_chardev_register() - make /dev/assay
 * @assay: complete device: what is opened from now on holds the module, so loading it must
 *         not fail any more
 *
 * Return: 0, or a negative errno after a dev_err().
 */
int assay_chardev_register(struct assay *assay)
{
	int ret;

	assay->misc.minor = MISC_DYNAMIC_MINOR;
	assay->misc.name = "assay";
	assay->misc.fops = &assay_fops;
	assay->misc.parent = assay->dev;
	assay->misc.groups = assay_stats_groups;
	assay->misc.mode = 0660;
	ret = misc_register(&assay->misc);
	if (ret) {
		dev_err(assay->dev, "cannot make /dev/assay (error %d)%s\n", ret,
			ret == -EEXIST ? ": there is one already; use one assay,log node" : "");
		return ret;
	}
	assay_stats_link(assay);
#ifdef ASSAY_NO_URING
	dev_info(assay->dev, "io_uring commands left out: this kernel " ASSAY_NO_URING "\n");
#endif
	if (!assay_measure_available())
		dev_warn(
			assay->dev,
			"files cannot be measured: this kernel does not export fsverity_get_digest, as Linux 6.6 and newer do; MEASURE says so of each\n");
	return 0;
}

/**
 * assay_chardev_unregister() - remove /dev/assay, which nobody has open
 * @assay: device that was registered
 */
void assay_chardev_unregister(struct assay *assay)
{
	misc_deregister(&assay->misc);
}
