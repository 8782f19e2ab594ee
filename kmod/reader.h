/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who reads the log: mmap, read, poll and lseek of /dev/assay, as uapi/assay.h describes
 * them. Called through chardev's file operations; VFS has checked that the file is
 * open for reading.
 *
 * Readers hold nothing of the log: neither a page nor a lock while they wait or while
 * their own memory is written to. So none of them is in the way of an append or a trim.
 */
#ifndef _ASSAY_READER_H
#define _ASSAY_READER_H

#include <linux/fs.h>
#include <linux/poll.h>

struct assay;

/**
 * assay_reader_setup() - before /dev/assay is there
 * @assay: device with a ledger
 *
 * Return: 0 or a negative errno after a dev_err().
 */
int assay_reader_setup(struct assay *assay);

/**
 * assay_reader_close() - undo assay_reader_setup(), when nobody can open /dev/assay or
 * has it open
 * @assay: device
 */
void assay_reader_close(struct assay *assay);

int assay_reader_open(struct inode *inode, struct file *file);
int assay_reader_mmap(struct file *file, struct vm_area_struct *vma);
ssize_t assay_reader_read(struct file *file, char __user *buffer, size_t size, loff_t *position);
__poll_t assay_reader_poll(struct file *file, poll_table *wait);
loff_t assay_reader_llseek(struct file *file, loff_t offset, int whence);

#endif /* _ASSAY_READER_H */
