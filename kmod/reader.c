// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who reads the log: mmap, read, poll and lseek of /dev/assay, as uapi/assay.h describes
 * them. Called through chardev's file operations; VFS has checked that the file is
 * open for reading.
 *
 * Readers hold nothing of the log while they can be stopped: no page, and no lock that an
 * append or a trim waits for, but for spinning locks, with which at most a page is copied
 * or an entry of a page table is set. So it does not matter how slow a reader is, or if it
 * is throttled, stopped or killed.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs_context.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/overflow.h>
#include <linux/pseudo_fs.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "compat.h"
#include "device.h"
#include "reader.h"

#define ASSAY_READER_MAGIC 0x61737361 /* "assa": of a file system that is not listed */

/* ------------------------------------------------------------------ one mapping for all */
/*
 * Any number of device nodes may name /dev/assay, and each has pages mapped through an
 * inode of its own. What is given back to the kernel must be unmapped from all readers, so
 * all files share the mapping of one inode, of a file system that exists for it.
 */
static int assay_reader_init_fs(struct fs_context *context)
{
	return init_pseudo(context, ASSAY_READER_MAGIC) ? 0 : -ENOMEM;
}

/*
 * No owner: the mount would keep the module, which unmounts it before it goes. None of the
 * module's functions is called after that.
 */
static struct file_system_type assay_reader_fs = {
	.name = "assay",
	.init_fs_context = assay_reader_init_fs,
	.kill_sb = kill_anon_super,
};

/**
 * assay_reader_open_mapping() - make the inode whose mapping all readers share
 * @assay: device; the mapping is there before the log and goes after it
 *
 * Return: 0 or a negative errno after a dev_err().
 */
int assay_reader_open_mapping(struct assay *assay)
{
	int ret;

	assay->mount = kern_mount(&assay_reader_fs);
	if (IS_ERR(assay->mount)) {
		ret = PTR_ERR(assay->mount);
		goto failed;
	}
	assay->inode = alloc_anon_inode(assay->mount->mnt_sb);
	if (IS_ERR(assay->inode)) {
		ret = PTR_ERR(assay->inode);
		kern_unmount(assay->mount);
		goto failed;
	}
	return 0;
failed:
	dev_err(assay->dev, "cannot make an inode for readers (error %d)\n", ret);
	return ret;
}

/**
 * assay_reader_close_mapping() - undo assay_reader_open_mapping()
 * @assay: device without a log; nobody has /dev/assay open
 */
void assay_reader_close_mapping(struct assay *assay)
{
	iput(assay->inode);
	kern_unmount(assay->mount);
}

int assay_reader_open(struct inode *inode, struct file *file)
{
	file->f_mapping = assay_of_file(file)->inode->i_mapping;
	return 0;
}

/* ------------------------------------------------------------------ mmap */
static struct assay_ring *assay_reader_ring(struct file *file)
{
	return &assay_of_file(file)->ledger.ring;
}

/*
 * As vmf_insert_pfn() does it, but that would make the page table, and so wait for memory and
 * be throttled, when the page frame is known already, and what was to be unmapped from all
 * readers would have to wait for that. Here the page table is there, and locked.
 */
static int assay_reader_set_pte(pte_t *pte, unsigned long address, void *data)
{
	const struct vm_fault *vmf = data;
	struct vm_area_struct *vma = vmf->vma;
	unsigned long pfn;

	/* Another thread was faster. */
	if (!pte_none(ptep_get(pte)))
		return 0;
	pfn = assay_ring_mapped_pfn(vma->vm_private_data, vmf->pgoff);
	assay_set_empty_pte(vma->vm_mm, address, pte,
			    pte_mkspecial(pfn_pte(pfn, vma->vm_page_prot)));
	return 0;
}

static vm_fault_t assay_reader_fault(struct vm_fault *vmf)
{
	int ret;

	if (vmf->pgoff >= assay_ring_mapped_pages(vmf->vma->vm_private_data))
		return VM_FAULT_SIGBUS;
	ret = apply_to_page_range(vmf->vma->vm_mm, vmf->address, PAGE_SIZE, assay_reader_set_pte,
				  vmf);
	return ret ? VM_FAULT_OOM : VM_FAULT_NOPAGE;
}

/* The boot before's log: pages that are never given back while it can be mapped. */
static vm_fault_t assay_reader_fault_previous(struct vm_fault *vmf)
{
	const struct assay_previous *previous = vmf->vma->vm_private_data;
	unsigned long index = vmf->pgoff - (ASSAY_MMAP_PREVIOUS >> PAGE_SHIFT);

	if (index > 2 * previous->ring_pages)
		return VM_FAULT_SIGBUS;
	if (index)
		index = 1 + (index - 1) % previous->ring_pages;
	return vmf_insert_pfn(vmf->vma, vmf->address, previous->pfn + index);
}

/*
 * No access(): what the process cannot write, a debugger cannot either. No
 * close() and open(): a mapping holds its file, the file holds the module.
 */
static const struct vm_operations_struct assay_reader_vm_ops = {
	.fault = assay_reader_fault,
};

static const struct vm_operations_struct assay_reader_previous_vm_ops = {
	.fault = assay_reader_fault_previous,
};

/* What the mapping shows, from its offset; 0, or why not. */
static int assay_reader_choose(struct assay *assay, struct vm_area_struct *vma)
{
	struct assay_previous *previous = &assay->ledger.previous;
	struct assay_ring *ring = &assay->ledger.ring;
	unsigned long pages = assay_ring_mapped_pages(ring);

	if (vma->vm_pgoff == ASSAY_MMAP_PREVIOUS >> PAGE_SHIFT) {
		if (!previous->ring_pages)
			return -ENODATA;
		pages = 1 + 2 * previous->ring_pages;
		vma->vm_private_data = previous;
		vma->vm_ops = &assay_reader_previous_vm_ops;
	} else if (!vma->vm_pgoff) {
		vma->vm_private_data = ring;
		vma->vm_ops = &assay_reader_vm_ops;
	} else {
		return -EINVAL;
	}
	return vma_pages(vma) > pages ? -EINVAL : 0;
}

int assay_reader_mmap(struct file *file, struct vm_area_struct *vma)
{
	int ret;

	/*
	 * The mapping is one more alias of the log's pages, so it must not be
	 * writable, and must not become so: without VM_MAYWRITE mprotect() refuses.
	 * VM_MAYSHARE is what MAP_SHARED leaves where the file is not open for writing.
	 */
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	ret = assay_reader_choose(assay_of_file(file), vma);
	if (ret)
		return ret;
	vm_flags_clear(vma, VM_MAYWRITE | VM_MAYEXEC);
	/* Pages without a reference count for the mapping, and nobody may take one. */
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

/* ------------------------------------------------------------------ read, poll, lseek */
/* Where a file's position is in the log: 0 stands for the head. */
static u64 assay_reader_offset(const struct assay_ring *ring, loff_t position)
{
	return position ? (u64)position : READ_ONCE(ring->head);
}

static bool assay_reader_ready(const struct assay_ring *ring, loff_t position)
{
	return READ_ONCE(ring->tail) > assay_reader_offset(ring, position);
}

/*
 * Copy what there is from *@position on, at most @size bytes, through @page, since the
 * reader's memory must not be waited for with anything of the ring's held. If the log is
 * cut meanwhile, what was copied may end within a record: nothing is given then.
 */
static ssize_t assay_reader_copy(struct assay_ring *ring, u8 *page, char __user *buffer,
				 size_t size, loff_t *position)
{
	u64 offset = assay_reader_offset(ring, *position);
	size_t copied = 0;
	ssize_t n;

	do {
		n = assay_ring_get(ring, offset + copied, page, min(size - copied, PAGE_SIZE));
		if (n > 0 && copy_to_user(buffer + copied, page, n))
			n = -EFAULT;
		if (n > 0)
			copied += n;
		cond_resched();
	} while (n > 0 && copied < size && !fatal_signal_pending(current));
	if (n == -ESTALE || !copied)
		return n;
	*position = offset + copied;
	return copied;
}

ssize_t assay_reader_read(struct file *file, char __user *buffer, size_t size, loff_t *position)
{
	struct assay_ring *ring = assay_reader_ring(file);
	ssize_t ret;
	u8 *page;

	if (!size)
		return 0;
	page = (u8 *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (;;) {
		ret = assay_reader_copy(ring, page, buffer, size, position);
		if (ret)
			break;
		ret = -EAGAIN;
		if (file->f_flags & O_NONBLOCK)
			break;
		ret = wait_event_interruptible(ring->readers, assay_reader_ready(ring, *position));
		if (ret)
			break;
	}
	free_page((unsigned long)page);
	return ret;
}

__poll_t assay_reader_poll(struct file *file, poll_table *wait)
{
	struct assay_ring *ring = assay_reader_ring(file);

	poll_wait(file, &ring->readers, wait);
	return assay_reader_ready(ring, file->f_pos) ? EPOLLIN | EPOLLRDNORM : 0;
}

loff_t assay_reader_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t tail = READ_ONCE(assay_reader_ring(file)->tail), from = 0;

	if (whence == SEEK_CUR)
		from = file->f_pos;
	else if (whence == SEEK_END)
		from = tail;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (check_add_overflow(from, offset, &offset))
		return -EOVERFLOW;
	return vfs_setpos(file, offset, tail);
}
