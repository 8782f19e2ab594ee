/* SPDX-License-Identifier: GPL-2.0-only */
/* What readers of the log call: open, mmap, read, poll and lseek of /dev/assay. */
#ifndef _ASSAY_READER_H
#define _ASSAY_READER_H

#include <linux/fs.h>
#include <linux/poll.h>

struct assay;

int assay_reader_open_mapping(struct assay *assay);
void assay_reader_close_mapping(struct assay *assay);
int assay_reader_open(struct inode *inode, struct file *file);
int assay_reader_mmap(struct file *file, struct vm_area_struct *vma);
ssize_t assay_reader_read(struct file *file, char __user *buffer, size_t size, loff_t *position);
__poll_t assay_reader_poll(struct file *file, poll_table *wait);
loff_t assay_reader_llseek(struct file *file, loff_t offset, int whence);

#endif /* _ASSAY_READER_H */
