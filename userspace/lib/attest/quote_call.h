/* SPDX-License-Identifier: MIT */
/*
 * Evidence made by `assay quote` in a process of its own, for programs that speak with verifiers
 * over a network: what reaches the TPM has no connection, and what has a connection neither
 * reaches the TPM nor holds evidence in memory, which may be large. It is executed, not only
 * forked: libcurl's resolver has threads, behind whose back nothing but execve() is safe, and the
 * caller need not be linked with the TPM stack.
 */
#ifndef ASSAY_ATTEST_QUOTE_CALL_H
#define ASSAY_ATTEST_QUOTE_CALL_H

#include <sys/types.h>

#include "base/bytes.h"

/* Bytes that the process may write, which is more than evidence may have. */
#define QUOTE_CALL_FILE_MAX (UINT64_C(512) << 20)
/* And of its address space. */
#define QUOTE_CALL_MEMORY_MAX (UINT64_C(4) << 30)

/**
 * struct quote_call - options of assay-quote(1) by their names; text that is NULL or empty is not
 * given
 * @program: path of `assay`
 * @bank: "sha256,sha384"; @pcrs: "0,4,7"
 * @compress: evidence as a frame of zstd
 * @json: say on @messages, which must be one, what is in the evidence: quote_call_extent()
 */
struct quote_call {
	const char *program;
	const char *ak, *ak_cert, *policy, *pcrs, *bank, *tcti;
	const char *parent, *parent_password_file, *owner_password_file;
	const char *archive;
	bool no_assay_log, no_ima_log, no_uefi_log;
	bool compress, json;
	struct bytes nonce;
	bool has_since;
	uint64_t since;
	uint64_t since_ima; /* 0: all of it */
	uint64_t since_uefi;
};

/*
 * quote_call_start() - run it
 * @out: descriptor that gets the evidence, from where it stands
 * @messages: descriptor that gets what it says; -1: this process's standard error
 * @ret: the process, which leads a group of its own, and is killed if this one dies; waitpid() it.
 *       CAP_DAC_READ_SEARCH, by which it can read IMA's and the firmware's logs, goes along if it
 *       is permitted here
 *
 * Return: 0; -errno. That the program cannot be executed is told on @messages, and by its exit
 * status 127
 */
int quote_call_start(const struct quote_call *call, int out, int messages, pid_t *ret,
		     struct assay_error *err);

/*
 * quote_call_result() - what came of it
 * @status: of waitpid()
 * @messages: descriptor that its messages were written to, read from its beginning; -1: none
 *
 * Return: 0; -ETIME if it was killed; -EIO with what it said last
 */
int quote_call_result(int status, int messages, struct assay_error *err);

/**
 * struct quote_extent - how far the logs in evidence go
 * @records: number behind the last record of assay's log; 0 without the log
 * @entries: of IMA's list, from the boot on; 0 without it
 */
struct quote_extent {
	uint64_t records, entries;
};

/*
 * quote_call_extent() - what it says of the evidence, of a call with json that gave 0
 * @messages: as of quote_call_result()
 *
 * Return: 0; -EBADMSG where it does not say it
 */
int quote_call_extent(int messages, struct quote_extent *ret, struct assay_error *err);

#endif /* ASSAY_ATTEST_QUOTE_CALL_H */
