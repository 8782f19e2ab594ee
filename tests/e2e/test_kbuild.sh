#!/bin/sh
# SPDX-License-Identifier: MIT
# What the module's Kbuild finds out of a kernel's headers and exports: nothing is left out
# without a word, and a kernel that has io_uring's commands never gets a module without them.
set -eu
work=$(mktemp -d "${TMPDIR:-/tmp}/kbuild.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
# shellcheck source=tests/check.sh
. tests/check.sh

# kernel TYPES COMMANDS EXPORT...: what these headers declare, and what is exported
kernel() {
	mkdir -p "$work/include/linux/io_uring"
	printf '%s\n' "$1" >"$work/include/linux/io_uring_types.h"
	printf '%s\n' "$2" >"$work/include/linux/io_uring/cmd.h"
	shift 2
	printf '0x0\t%s\tvmlinux\tEXPORT_SYMBOL_GPL\t\n' "$@" >"$work/Module.symvers"
}

# kbuild CONFIG_IO_URING: runs make on it; it prints flags and objects
kbuild() {
	run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -f tests/data/kbuild.mk \
		srctree="$work" objtree="$work" SRCARCH=arm64 CONFIG_IO_URING="$1"
}

has() { # WORD: is it one of those printed?
	grep -qw -e "$1" "$work/stdout"
}

lacks() {
	! has "$1"
}

old='void io_uring_cmd_done(struct io_uring_cmd *cmd, ssize_t ret, u64 res2, unsigned issue_flags);'
new='static inline void io_uring_cmd_done32(struct io_uring_cmd *ioucmd, s32 ret, u64 res2)'
dead='	IO_URING_F_TASK_DEAD		= (1 << 13),'
request='struct io_tw_req {'

kernel "$dead" "$old" io_uring_cmd_mark_cancelable
kbuild y
check 'commands as 6.12 has them' has uring.o
check 'are called as it wants' eval 'lacks -DASSAY_HAS_URING_TW_REQ && lacks -DASSAY_HAS_URING_CMD_DONE32'

kernel "$dead" "$new" io_uring_cmd_mark_cancelable
kbuild y
check 'as 6.18 has them' has uring.o
check 'are called as it wants' eval 'lacks -DASSAY_HAS_URING_TW_REQ && has -DASSAY_HAS_URING_CMD_DONE32'

kernel "$request" "$new" io_uring_cmd_mark_cancelable
kbuild y
check 'as 7.3 has them' has uring.o
check 'are called as it wants' eval 'has -DASSAY_HAS_URING_TW_REQ && has -DASSAY_HAS_URING_CMD_DONE32'
check 'nothing is said of them' lacks out

kernel "$request" 'in a way that is not known' io_uring_cmd_mark_cancelable
kbuild y
check 'in a way that is not known they are not left out, but have to build' has uring.o

kernel "$dead" "$old" io_uring_cmd_done
kbuild y
check 'a kernel that cannot cancel them' lacks uring.o
check 'is told so' prints 0 '^assay: io_uring commands left out: this kernel cannot cancel a command$'

kernel 'struct io_ring_ctx {' "$old" io_uring_cmd_mark_cancelable
kbuild y
check 'one that does not tell of a dead task' lacks uring.o
check 'is told so' prints 0 '^assay: io_uring commands left out: this kernel does not tell'

kernel "$request" "$new" io_uring_cmd_mark_cancelable
kbuild ''
check 'one without io_uring' lacks uring.o
check 'is told so' prints 0 '^assay: io_uring commands left out: this kernel has no io_uring$'

kernel "$request" "$new" fsverity_get_digest_of set_direct_map_ro
kbuild y
check 'what is exported by another name is not taken for it' lacks -DASSAY_HAS_FSVERITY_GET_DIGEST
check 'what is exported is used' has -DASSAY_HAS_SET_DIRECT_MAP_RO
echo "1..$check_number"
