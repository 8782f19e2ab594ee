#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel has no memory, for each allocation in turn; see nth.c. `make soak` tries all of loading
# and unloading (nth_tries=0); nth_seed=SEED repeats which ones.
# guest: --region auto --tpm new --tpm-proxy --timeout ${nth_timeout:-60}
# guest: --append "nth_tries=${nth_tries:-9} nth_seed=${nth_seed:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"
# guest: --expect 'WARNING: .* at kernel/trace/trace_events\.c:[0-9]* event_(define_fields|file_put)|Call trace:|kmemleak: Cannot allocate a scan area'
# flavours: debug
said() {
	sed -n "s/.*nth_$1=\([0-9]*\).*/\1/p" /proc/cmdline
}
echo "# seed $(said seed)"
exec /bed/bin/nth "$(said tries)" "$(said seed)"
