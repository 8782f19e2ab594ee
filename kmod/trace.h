/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints, in the system "assay": one for each thing that takes time or can
 * fail. Called by the part that does it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM assay

#if !defined(_ASSAY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _ASSAY_TRACE_H

#include <linux/tracepoint.h>

/* The tracepoint macros have a layout of their own. */
/* clang-format off */
TRACE_EVENT(assay_claim,
	TP_PROTO(unsigned int region, unsigned long pfn, unsigned long count, unsigned int tries,
		 u64 us, int ret),
	TP_ARGS(region, pfn, count, tries, us, ret),
	TP_STRUCT__entry(
		__field(unsigned int, region)
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(unsigned int, tries)
		__field(u64, us)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->region = region;
		__entry->pfn = pfn;
		__entry->count = count;
		__entry->tries = tries;
		__entry->us = us;
		__entry->ret = ret;
	),
	TP_printk("region=%u pfn=0x%lx count=%lu tries=%u us=%llu ret=%d", __entry->region,
		  __entry->pfn, __entry->count, __entry->tries, __entry->us, __entry->ret)
);

TRACE_EVENT(assay_release,
	TP_PROTO(unsigned int region, unsigned long pfn, unsigned long count, u64 us),
	TP_ARGS(region, pfn, count, us),
	TP_STRUCT__entry(
		__field(unsigned int, region)
		__field(unsigned long, pfn)
		__field(unsigned long, count)
		__field(u64, us)
	),
	TP_fast_assign(
		__entry->region = region;
		__entry->pfn = pfn;
		__entry->count = count;
		__entry->us = us;
	),
	TP_printk("region=%u pfn=0x%lx count=%lu us=%llu", __entry->region, __entry->pfn,
		  __entry->count, __entry->us)
);

TRACE_EVENT(assay_append,
	TP_PROTO(u64 recnum, u64 offset, u64 size, int ret),
	TP_ARGS(recnum, offset, size, ret),
	TP_STRUCT__entry(
		__field(u64, recnum)
		__field(u64, offset)
		__field(u64, size)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->recnum = recnum;
		__entry->offset = offset;
		__entry->size = size;
		__entry->ret = ret;
	),
	TP_printk("recnum=%llu offset=%llu size=%llu ret=%d",
		  __entry->recnum, __entry->offset, __entry->size, __entry->ret)
);

TRACE_EVENT(assay_anchor,
	TP_PROTO(u64 recnum, u32 pcr, u64 us, int ret),
	TP_ARGS(recnum, pcr, us, ret),
	TP_STRUCT__entry(
		__field(u64, recnum)
		__field(u32, pcr)
		__field(u64, us)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->recnum = recnum;
		__entry->pcr = pcr;
		__entry->us = us;
		__entry->ret = ret;
	),
	TP_printk("recnum=%llu pcr=%u us=%llu ret=%d",
		  __entry->recnum, __entry->pcr, __entry->us, __entry->ret)
);

/* clang-format on */

#endif /* _ASSAY_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
