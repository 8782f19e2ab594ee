/* SPDX-License-Identifier: MIT */
/*
 * Parts of files in memory as they are in page cache, without a copy. What a mapping does not have
 * any more when it is looked at, as the file was cut off or cannot be read, is a signal to the
 * thread instead of an error: mapped_begin() and mapped_end() make it one. For split.c and input.c.
 */
#ifndef ASSAY_VERITY_MAPPED_H
#define ASSAY_VERITY_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * mapped_allow() - for a program, which from here on has a handler of SIGBUS of its own; without
 * it nothing is mapped
 */
void mapped_allow(void);

/*
 * mapped_new() - @size bytes of @fd from @offset on, which is a multiple of the page size; NULL if
 * they cannot be mapped
 */
uint8_t *mapped_new(int fd, uint64_t offset, size_t size);
/* mapped_free() - @map may be NULL */
void mapped_free(uint8_t *map, size_t size);

/* mapped_begin() - this thread is going to read @size bytes of a mapping, from a page's start on */
void mapped_begin(const uint8_t *data, size_t size);
/* mapped_end() - it has read them; false if some were not there, and zeros were read instead */
bool mapped_end(void);

#endif /* ASSAY_VERITY_MAPPED_H */
