/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ABI of assay.ko: ioctls of /dev/assay, the header of the mapped log, and
 * the code points of its records. The only header that the kernel module and
 * user space share.
 *
 * Every request struct may grow at its end. The size the caller knows is the
 * one encoded in the ioctl number (_IOC_SIZE): a shorter struct than the
 * kernel's is read as if the rest were zero, a longer one is accepted if what
 * the kernel does not know is zero and refused with -EINVAL otherwise, as are
 * unknown flags and reserved fields that are not zero.
 */
#ifndef _UAPI_ASSAY_H
#define _UAPI_ASSAY_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ASSAY_ABI_VERSION 1

/* Limits. */
#define ASSAY_MAX_BATCH 4096  /* entries in one call, and in one record */
#define ASSAY_MAX_DIGEST 64   /* bytes of the largest digest (SHA-512) */
#define ASSAY_MAX_BANKS 8     /* PCR banks of a TPM */
#define ASSAY_MAX_LABEL 64    /* bytes of an EVENT's label */
#define ASSAY_MAX_EVENT 65536 /* bytes of an EVENT's data */
#define ASSAY_MAX_IMA 1048576 /* bytes of an IMA_ENTRY's value */
#define ASSAY_KEY_SIZE 32     /* bytes of a record's key, of what commits to it, of a MAC */

/* Where the number of a record is due: there is none. */
#define ASSAY_RECNUM_NONE 0xffffffffffffffffULL

/* Hash algorithms: TCG algorithm identifiers (TPM2_ALG_ID). */
#define ASSAY_ALG_SHA1 0x0004
#define ASSAY_ALG_SHA256 0x000b
#define ASSAY_ALG_SHA384 0x000c
#define ASSAY_ALG_SHA512 0x000d

enum assay_region_kind {
	ASSAY_REGION_CMA = 1,	  /* idle pages are lent to the kernel (CMA area) */
	ASSAY_REGION_MOVABLE = 2, /* idle pages are lent (ZONE_MOVABLE) */
	ASSAY_REGION_STATIC = 3,  /* idle pages are held */
	ASSAY_REGION_NOMAP = 4,	  /* likewise, and they are not in the kernel's linear map */
};

/* struct assay_info.protection */
enum assay_protection {
	ASSAY_PROTECTION_NONE = 0,
	ASSAY_PROTECTION_FULL = 1,  /* log pages read-only in every kernel mapping */
	ASSAY_PROTECTION_ALIAS = 2, /* likewise: only in one, written through one of a moment */
};

/* struct assay_info.pcr_state: what the PCR held when it was read last */
enum assay_pcr_state {
	ASSAY_PCR_RIGHT = 0,	   /* what the log says, or it was not read yet */
	ASSAY_PCR_EXTENDED = 1,	   /* something else: somebody else has extended it */
	ASSAY_PCR_RESET = 2,	   /* what a reset leaves, or that and newer records on it */
	ASSAY_PCR_ROLLED_BACK = 3, /* what it held after an older record */
	ASSAY_PCR_OTHER_BANKS = 4, /* another TPM, or its banks were allocated anew */
};

/**
 * struct assay_info - ASSAY_IOC_INFO: what the module keeps, and where
 * @flags: in, must be 0
 * @abi_version: ASSAY_ABI_VERSION
 * @page_size: bytes of a kernel page
 * @region_kind: enum assay_region_kind
 * @region_base: physical address of the region
 * @region_size: bytes of the region
 * @window_base: physical address of the claimed window
 * @window_size: bytes of the claimed window: a page of header, the ring and, where the region
 *               outlives the kernel, a page that nobody can map
 * @ring_size: bytes of the ring of records
 * @head: offset of the oldest record (offsets only grow; place = offset mod @ring_size)
 * @tail: offset behind the newest record
 * @anchored: offset behind the newest record that is in the PCR; < @tail while
 *            an extend is outstanding or has failed
 * @records: records written
 * @anchored_records: records anchored
 * @pcr: PCR index
 * @bank_count: how many of @bank_alg are set; 0 before a TPM was seen. Records
 *              written until then have digests of all that the kernel computes
 * @bank_alg: the allocated banks' ASSAY_ALG_*
 * @protection: enum assay_protection
 * @last_error: negative errno of the last failed anchor, 0 if none since it worked
 * @max_batch: the most files that one MEASURE takes
 * @pcr_state: enum assay_pcr_state; with others than ASSAY_PCR_RIGHT, @last_error is
 *             -EUCLEAN
 * @verified_records: records that were anchored when the PCR was last read and held what the
 *                    log says. The TPM has said of the others, up to @anchored_records,
 *                    that it extended the PCR; see the parameter verify
 */
struct assay_info {
	__u32 flags;
	__u32 abi_version;
	__u32 page_size;
	__u32 region_kind;
	__u64 region_base;
	__u64 region_size;
	__u64 window_base;
	__u64 window_size;
	__u64 ring_size;
	__u64 head;
	__u64 tail;
	__u64 anchored;
	__u64 records;
	__u64 anchored_records;
	__u32 pcr;
	__u32 bank_count;
	__u16 bank_alg[ASSAY_MAX_BANKS];
	__u32 protection;
	__s32 last_error;
	__u32 max_batch;
	__u32 pcr_state;
	__u64 verified_records;
};

/**
 * struct assay_measure_entry - one file of a MEASURE
 * @fd: in, open for reading
 * @result: out, 0 or the negative errno that measuring the file gave:
 *          -ENODATA (no fs-verity), -EIO (a data block does not match its
 *          digest, with ASSAY_MEASURE_READ), ...; it is in the record as well
 * @hash_alg: out, ASSAY_ALG_* of the fs-verity digest
 * @digest_size: out, bytes of @digest in use
 * @reserved: in, must be 0
 * @digest: out, fs-verity digest
 */
struct assay_measure_entry {
	__s32 fd;
	__s32 result;
	__u16 hash_alg;
	__u16 digest_size;
	__u32 reserved;
	__u8 digest[ASSAY_MAX_DIGEST];
};

/* Read every file to its end as well, so that damaged data is found now. */
#define ASSAY_MEASURE_READ 0x1

/**
 * struct assay_measure - ASSAY_IOC_MEASURE: measure files, in one record, with one extend
 * @flags: in, ASSAY_MEASURE_*
 * @count: in, 1 to ASSAY_MAX_BATCH
 * @entry_size: in, sizeof(struct assay_measure_entry) as the caller knows it
 * @reserved: in, must be 0
 * @entries: in, pointer to @count entries of @entry_size bytes each
 * @recnum: out, number of the record that holds them
 * @offset: out, the record's offset in the log
 *
 * All entries of a call are in one record, in order; those of calls that come while the
 * TPM works share the next one. Returns 0 once it is anchored. A file's own failure is in its
 * entry's result and in the record; the call then still returns 0. After any
 * other result @recnum says what became of the entries: ASSAY_RECNUM_NONE,
 * nothing was written; else they are in that record, which is pending: it is
 * anchored by ASSAY_IOC_ANCHOR or before a later record. The results alone say
 *
 *	-EBADF, -EINVAL, -EFAULT	nothing was written, and @recnum is not set
 *	-ENOSPC, -ENOMEM, -EINTR	nothing was written
 *	-ENODEV, -ETIME			pending: no TPM, or it did not answer in time
 *	-EUCLEAN			nothing was written, or it is the record after
 *					which the PCR turned out not to be the log's:
 *					load the module again for a new log
 *	-EIO, and others		@recnum tells
 */
struct assay_measure {
	__u32 flags;
	__u32 count;
	__u32 entry_size;
	__u32 reserved;
	__aligned_u64 entries;
	__u64 recnum;
	__u64 offset;
};

/* struct assay_append.flags */
#define ASSAY_APPEND_IMA 0x1 /* entries of IMA's list: the record is of kind IMA */

/**
 * struct assay_append_entry - one event of an APPEND, or one entry of IMA's list
 * @label: in, pointer to printable ASCII without a terminating NUL
 * @data: in, pointer to the data
 * @label_size: in, 1 to ASSAY_MAX_LABEL
 * @data_size: in, 0 to ASSAY_MAX_EVENT
 *
 * With ASSAY_APPEND_IMA @label and @label_size are 0, and the data are the value of an IMA_ENTRY:
 * the TLVs 0x61 to 0x64 in this order, of at most ASSAY_MAX_IMA bytes. They are checked to be
 * well formed; what they say is the caller's word, as that of an event is.
 */
struct assay_append_entry {
	__aligned_u64 label;
	__aligned_u64 data;
	__u32 label_size;
	__u32 data_size;
};

/**
 * struct assay_append - ASSAY_IOC_APPEND: record events from user space
 * @flags: in, 0 or ASSAY_APPEND_IMA
 * @count: in, 1 to ASSAY_MAX_BATCH
 * @entry_size: in, sizeof(struct assay_append_entry) as the caller knows it
 * @reserved: in, must be 0
 * @entries: in, pointer to @count entries of @entry_size bytes each
 * @recnum: out, number of the record that holds them
 * @offset: out, the record's offset in the log
 *
 * Returns as ASSAY_IOC_MEASURE does.
 */
struct assay_append {
	__u32 flags;
	__u32 count;
	__u32 entry_size;
	__u32 reserved;
	__aligned_u64 entries;
	__u64 recnum;
	__u64 offset;
};

/**
 * struct assay_anchor_request - ASSAY_IOC_ANCHOR: anchor what is pending, in order
 * @flags: in, must be 0
 * @reserved: in, must be 0
 * @anchored_records: out, records that are anchored
 * @anchored: out, offset behind them
 *
 * Reads the PCR in any case. Returns 0 if all records are, and the PCR holds what they
 * make; else the error of anchoring the next one, as
 * ASSAY_IOC_MEASURE does, with both values set as well. Needs a descriptor
 * that is open for writing.
 */
struct assay_anchor_request {
	__u32 flags;
	__u32 reserved;
	__u64 anchored_records;
	__u64 anchored;
};

/**
 * struct assay_trim - ASSAY_IOC_TRIM: cut off the oldest records
 * @flags: in, must be 0
 * @reserved: in, must be 0
 * @keep: in, number of the oldest record to keep; it must be anchored
 * @recnum: out, also after an error: number of the TRIM record, ASSAY_RECNUM_NONE if
 *          none was written
 * @offset: out, its offset in the log
 * @head: out, offset of the log's head now: with 0, of the record @keep
 *
 * Needs CAP_SYS_ADMIN and a descriptor open for writing. The TRIM record, with the
 * PCR's values before @keep and the digest of what goes, is written and anchored
 * first; then the head moves, and memory that holds nothing but what went goes back to
 * the kernel. -EINVAL: @keep is not in the log, or not anchored; -ENODATA: it is the
 * oldest already; -ENOSPC: the log is full, and of what would go no memory can be given
 * back, or none could be had for the TRIM record. Else returns as ASSAY_IOC_MEASURE does.
 *
 * With an error of the TPM and @recnum, that TRIM record is written and pending, and the
 * head is where it was: it moves when the record is anchored, by whatever call or by
 * itself. Until then no other TRIM record is written: ASSAY_IOC_TRIM tries to anchor this
 * one first, and with the same @keep returns 0 if that cuts the log.
 */
struct assay_trim {
	__u32 flags;
	__u32 reserved;
	__u64 keep;
	__u64 recnum;
	__u64 offset;
	__u64 head;
};

/**
 * struct assay_seal - ASSAY_IOC_SEAL: have no page that holds some records opened again
 * @flags: in, must be 0
 * @reserved: in, must be 0
 * @first: in, number of the first record
 * @count: in, how many, at least one
 * @sealed: out, bytes of the pages that hold them
 *
 * Needs CAP_SYS_ADMIN and a descriptor open for writing. A full page is sealed
 * anyway; if the last of these records ends in a page that is not full, a SEAL record
 * that fills it is written and anchored first. -EINVAL: some of them are not in the log.
 */
struct assay_seal {
	__u32 flags;
	__u32 reserved;
	__u64 first;
	__u64 count;
	__u64 sealed;
};

/**
 * struct assay_keys - ASSAY_IOC_KEYS: the keys of anchored records
 * @flags: in, must be 0
 * @count: in, keys wanted, 1 to ASSAY_MAX_BATCH; out, how many there are
 * @first: in, number of the first record
 * @keys: in, pointer to @count keys of ASSAY_KEY_SIZE bytes each
 *
 * See ASSAY_FIELD_MAC. The key of a record is given to everybody as soon as the record is
 * anchored, and to nobody before. The records need not be in the log any more. @count is 0
 * where @first is not anchored. -ENOKEY: a virtual TPM (tpm_vtpm_proxy) has anchored records
 * of this log, and a key might be given for a record that no real one has. Needs a descriptor
 * that is open for reading.
 */
struct assay_keys {
	__u32 flags;
	__u32 count;
	__u64 first;
	__aligned_u64 keys;
};

#define ASSAY_IOC_MAGIC 0xa5
#define ASSAY_IOC_INFO _IOWR(ASSAY_IOC_MAGIC, 0, struct assay_info)
#define ASSAY_IOC_MEASURE _IOWR(ASSAY_IOC_MAGIC, 1, struct assay_measure)
#define ASSAY_IOC_APPEND _IOWR(ASSAY_IOC_MAGIC, 2, struct assay_append)
#define ASSAY_IOC_ANCHOR _IOWR(ASSAY_IOC_MAGIC, 3, struct assay_anchor_request)
#define ASSAY_IOC_TRIM _IOWR(ASSAY_IOC_MAGIC, 4, struct assay_trim)
#define ASSAY_IOC_SEAL _IOWR(ASSAY_IOC_MAGIC, 5, struct assay_seal)
#define ASSAY_IOC_KEYS _IOWR(ASSAY_IOC_MAGIC, 6, struct assay_keys)

/**
 * struct assay_uring_command - the command area of an IORING_OP_URING_CMD
 * @argument: pointer to struct assay_measure or struct assay_append
 * @size: bytes of it, as _IOC_SIZE of the ioctl
 * @reserved: must be 0
 *
 * MEASURE and APPEND through io_uring, where the kernel has what that takes (Linux 6.12):
 * cmd_op of the submission is _IOC_NR(ASSAY_IOC_MEASURE) or _IOC_NR(ASSAY_IOC_APPEND).
 * The result in the completion is the ioctl's, -ECANCELED if nothing was written because the
 * ring was closed, or io_uring could not start a worker: then @recnum may not be set.
 * The struct, its entries and what they point to must stay where and as they are until it
 * is there. IORING_URING_CMD_FIXED is refused.
 */
struct assay_uring_command {
	__aligned_u64 argument;
	__u32 size;
	__u32 reserved;
};

/*
 * Reading the log needs a descriptor open for reading, and no more.
 *
 * mmap of /dev/assay, read-only and MAP_SHARED, at offset 0: one header page,
 * then the ring, then the same ring again, so that no record wraps for a
 * reader: page_size + 2 * ring_size bytes. Memory that the log has not claimed yet,
 * or has given back after a TRIM, reads as zeros; no page of the mapping ever raises
 * SIGBUS. Whoever copies records loads @head of the header again afterwards: what lies
 * below it may be zeros.
 *
 * At offset ASSAY_MMAP_PREVIOUS, in the same shape: the log of the boot before, if the
 * region outlives a reset and there was one; -ENODATA if not. It does not change.
 * Its ring is as large as what it holds: map a page, then what the header there says.
 *
 * read() gives the bytes of complete records from the file's position, an offset of the
 * log; a position of 0 stands for the head. It blocks at the tail unless O_NONBLOCK; below
 * the head, also where the log is cut meanwhile, it gives -ESTALE and nothing else. lseek()
 * sets the position, at most to the tail. poll() says readable while there is something
 * behind the position.
 */
#define ASSAY_LOG_MAGIC "ASSAYLOG"
#define ASSAY_LOG_VERSION 4
#define ASSAY_MMAP_PREVIOUS 0x10000000000ULL

/* struct assay_log_header.flags */
#define ASSAY_LOG_ADOPTED 0x1 /* found in memory when the module was loaded, and checked */
#define ASSAY_LOG_DAMAGED 0x2 /* what was found was damaged; see damaged_at */

/*
 * The members of the header are grouped by lines of 64 bytes, so that what is published
 * together is written back from a cache together.
 */
#define ASSAY_LOG_LINE 64

/**
 * struct assay_log_bank - a PCR bank as the log has it
 * @alg: ASSAY_ALG_*
 * @size: bytes of a digest
 * @reserved: 0
 * @start: the PCR's value before the record at head
 * @value: the PCR's value after the last anchored record
 */
struct assay_log_bank {
	__u16 alg;
	__u16 size;
	__u8 reserved[60];
	__u8 start[ASSAY_MAX_DIGEST];
	__u8 value[ASSAY_MAX_DIGEST];
};

/**
 * struct assay_log_uncut - where the log begins, kept while that is changed
 * @sequence: the header's during that change, else 0. If the header was cut off with this
 *            one, what is here holds, and not what is there
 * @reserved: 0
 * @head: the header's
 * @head_recnum: the header's
 * @reserved2: 0
 * @start: of the header's banks
 */
struct assay_log_uncut {
	__u32 sequence;
	__u32 reserved;
	__u64 head;
	__u64 head_recnum;
	__u8 reserved2[40];
	__u8 start[ASSAY_MAX_BANKS][ASSAY_MAX_DIGEST];
};

/**
 * struct assay_log_header - the first page of the log
 * @magic: ASSAY_LOG_MAGIC without its NUL
 * @version: ASSAY_LOG_VERSION
 * @header_size: bytes of this struct
 * @page_size: bytes of a kernel page, the offset of the ring in the mapping
 * @pcr: PCR index
 * @ring_size: bytes of the ring
 * @boot_id: the boot's UUID, as in /proc/sys/kernel/random/boot_id
 * @flags: ASSAY_LOG_*
 * @bank_count: how many of @banks are set
 * @damaged_at: with ASSAY_LOG_DAMAGED, the offset behind the last good record: @tail
 * @reserved: 0
 * @sequence: odd while the header is changed, another number after it. Whoever wants
 *            members that fit each other loads it before (with acquire semantics) and
 *            after copying them
 * @reserved2: 0
 * @tail: offset behind the newest record; load it with acquire semantics, then
 *        everything below it is complete
 * @records: records written, so the number of the next one
 * @anchored: offset behind the newest anchored record
 * @anchored_records: records anchored
 * @reserved3: 0
 * @head: offset of the oldest record
 * @head_recnum: number of the record at @head
 * @reserved4: 0
 * @banks: the TPM's allocated banks
 * @uncut: for who finds a log that was cut off; readers need not care
 */
struct assay_log_header {
	/* What the log is: two lines, written when it begins. */
	__u8 magic[8];
	__u32 version;
	__u32 header_size;
	__u32 page_size;
	__u32 pcr;
	__u64 ring_size;
	__u8 boot_id[16];
	__u32 flags;
	__u32 bank_count;
	__u64 damaged_at;
	__u8 reserved[64];
	/* What each record changes. */
	__u32 sequence;
	__u32 reserved2;
	__u64 tail;
	__u64 records;
	__u64 anchored;
	__u64 anchored_records;
	__u8 reserved3[24];
	/* What TRIM changes. */
	__u64 head;
	__u64 head_recnum;
	__u8 reserved4[48];
	/* Each: a line for what it is, for what TRIM changes, for what each record changes. */
	struct assay_log_bank banks[ASSAY_MAX_BANKS];
	struct assay_log_uncut uncut;
};

/*
 * Records: TCG Canonical Event Log, TLV encoding (type u8, length u32 big
 * endian, value). A record is RECNUM, PCR, DIGESTS and one content TLV, in this
 * order; it stands for one PCR extend. Its digest in each bank is over the whole
 * content TLV, type and length included. All integers are big endian.
 */
#define ASSAY_CEL_RECNUM 0  /* u64 */
#define ASSAY_CEL_PCR 1	    /* u8 */
#define ASSAY_CEL_DIGESTS 3 /* TLVs: type = low byte of ASSAY_ALG_* */
#define ASSAY_CEL_IMA_TEMPLATE 7
#define ASSAY_CEL_CONTENT 0x41 /* ours: TLVs of ASSAY_FIELD_* */

enum assay_record_kind {
	ASSAY_KIND_START = 1,	/* module load */
	ASSAY_KIND_MEASURE = 2, /* a batch of files: FILE once or more */
	ASSAY_KIND_IMA = 3,	/* a batch mirrored from IMA's list: IMA_ENTRY once or more */
	ASSAY_KIND_EVENT = 4,	/* a batch from user space: EVENT once or more */
	ASSAY_KIND_TRIM = 5,	/* the log was cut: what is gone, and where it goes on */
	ASSAY_KIND_KEXEC = 6,	/* adopted after kexec: the same log goes on in a new kernel */
	ASSAY_KIND_BATCH = 7,	/* of several callers: FILE and EVENT in any order */
	ASSAY_KIND_SEAL = 8,	/* fills its last page, so that all before it is sealed */
	ASSAY_KIND_TPM = 9,	/* a TPM was found after START: from here on it anchors the log */
};

enum assay_field {
	/* Every kind, in this order, before its own */
	ASSAY_FIELD_KIND = 0x00, /* u8, enum assay_record_kind */
	ASSAY_FIELD_TIME = 0x01, /* u64, ns since 1970 by the system's clock, which may jump */
	ASSAY_FIELD_KEY = 0x02,	 /* key of the record before; only if that was anchored by then */
	ASSAY_FIELD_NEXT = 0x03, /* SHA-256 of the key of the next record */
	/*
	 * Every kind, behind its own: HMAC-SHA-256, by the record's key, of its number (u64) and
	 * the SHA-256 digest of all of the content TLV that stands before this field
	 */
	ASSAY_FIELD_MAC = 0x04,

	/* START */
	ASSAY_FIELD_BOOT_ID = 0x10,	/* text, 36 characters */
	ASSAY_FIELD_RELEASE = 0x11,	/* text, uname -r */
	ASSAY_FIELD_VERSION = 0x12,	/* text, the module's version */
	ASSAY_FIELD_PAGE_SIZE = 0x13,	/* u32 */
	ASSAY_FIELD_REGION_KIND = 0x14, /* u8, enum assay_region_kind */
	ASSAY_FIELD_REGION = 0x15,	/* u64 base, u64 size */
	ASSAY_FIELD_WINDOW = 0x16,	/* u64 base, u64 size */
	ASSAY_FIELD_PCR_VALUES = 0x17,	/* TLVs like DIGESTS: the PCR before this record;
					 * absent without a TPM, then a TPM record follows
					 */
	ASSAY_FIELD_IMA_BYPASS = 0x18,	/* u8: 1 IMA built in, PCR untouched; 0 not so; 2 unknown */
	ASSAY_FIELD_PROTECTION = 0x19,	/* u8, enum assay_protection */

	/* MEASURE */
	ASSAY_FIELD_FILE = 0x20,   /* TLVs 0x21 to 0x27, once a file, in the caller's order */
	ASSAY_FIELD_PATH = 0x21,   /* bytes, as the measuring process sees it; absent if too long */
	ASSAY_FIELD_DIGEST = 0x22, /* u16 ASSAY_ALG_*, fs-verity digest */
	ASSAY_FIELD_FSUUID = 0x23, /* 16 bytes */
	ASSAY_FIELD_INODE = 0x24,  /* u64 */
	ASSAY_FIELD_GENERATION = 0x25, /* u32 */
	ASSAY_FIELD_SIZE = 0x26,       /* u64, bytes */
	ASSAY_FIELD_ERRNO = 0x27,      /* u32, positive; stands instead of DIGEST */

	/* EVENT, BATCH */
	ASSAY_FIELD_LABEL = 0x30, /* text */
	ASSAY_FIELD_DATA = 0x31,  /* bytes */
	ASSAY_FIELD_EVENT = 0x32, /* TLVs LABEL and DATA, once an event, in the callers' order */

	/* TRIM; and PCR_VALUES: the PCR before the record CUT_RECNUM */
	ASSAY_FIELD_CUT_RECNUM = 0x40, /* u64, number of the oldest record that is kept */
	ASSAY_FIELD_CUT_OFFSET = 0x41, /* u64, its offset */
	ASSAY_FIELD_CUT_SIZE = 0x42, /* u64, bytes that went: from the head before to CUT_OFFSET */
	ASSAY_FIELD_CUT_DIGEST = 0x43, /* u16 ASSAY_ALG_SHA256, digest of these bytes */
	ASSAY_FIELD_CUT_NEXT = 0x44,   /* the NEXT of the record before CUT_RECNUM */

	/* KEXEC: fields of START (those of the new kernel; PCR_VALUES as found), and */
	ASSAY_FIELD_BOOT_BEFORE = 0x50, /* text, boot id of the kernel that wrote what is above */

	/* IMA */
	ASSAY_FIELD_IMA_ENTRY = 0x60,	 /* TLVs 0x61 to 0x64, once an entry, in IMA's order */
	ASSAY_FIELD_IMA_PCR = 0x61,	 /* u32 */
	ASSAY_FIELD_IMA_DIGEST = 0x62,	 /* u16 ASSAY_ALG_*, template digest; once a bank */
	ASSAY_FIELD_IMA_TEMPLATE = 0x63, /* text, the template's name */
	ASSAY_FIELD_IMA_DATA = 0x64,	 /* bytes, template data as in IMA's list */

	/* TPM; and PCR_VALUES: the PCR before the first record of this log */
	ASSAY_FIELD_BACKLOG = 0x70, /* u64, records that had been written without a TPM */

	/* SEAL */
	ASSAY_FIELD_PAD = 0x80, /* zeros, to the end of the page */
};

/* DIGESTS is where a bank's low byte names it; every ASSAY_ALG_* fits. */
#define ASSAY_CEL_DIGEST_TYPE(alg) ((__u8)(0xff & (alg)))

#endif /* _UAPI_ASSAY_H */
