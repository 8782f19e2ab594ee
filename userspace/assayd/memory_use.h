/* SPDX-License-Identifier: MIT */
/* How much memory this process has. */
#ifndef ASSAY_ASSAYD_MEMORY_USE_H
#define ASSAY_ASSAYD_MEMORY_USE_H

#include <stdint.h>

/*
 * memory_use() - in bytes
 * @what: a field of /proc/PID/status in kB: "RssAnon", "VmData"
 *
 * Return: 0 where the kernel does not tell
 */
uint64_t memory_use(const char *what);

#endif /* ASSAY_ASSAYD_MEMORY_USE_H */
