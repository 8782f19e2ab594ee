/* SPDX-License-Identifier: MIT */
/*
 * Builds PE images for tests: well-formed ones like those that UEFI loads, whose parts lie where
 * these say. Written from Microsoft's PE Format, not from lib/firmware.
 */
#ifndef ASSAY_TEST_PE_BUILDER_H
#define ASSAY_TEST_PE_BUILDER_H

#include "base/bytes.h"

/* Where fields are in a built image, for tests that change them. */
#define PE_BUILT_SIGNATURE 0x80
#define PE_BUILT_SECTION_COUNT (PE_BUILT_SIGNATURE + 6)
#define PE_BUILT_OPTIONAL_SIZE (PE_BUILT_SIGNATURE + 20)
#define PE_BUILT_OPTIONAL (PE_BUILT_SIGNATURE + 24)
#define PE_BUILT_HEADERS_SIZE (PE_BUILT_OPTIONAL + 60)
#define PE_BUILT_CHECKSUM (PE_BUILT_OPTIONAL + 64)
#define PE_BUILT_DIRECTORY_COUNT (PE_BUILT_OPTIONAL + 108)
#define PE_BUILT_SECURITY (PE_BUILT_OPTIONAL + 112 + 32)
#define PE_BUILT_SECTIONS (PE_BUILT_OPTIONAL + 240)
#define PE_BUILT_ALIGNMENT 0x200

struct pe_built_section {
	const char *name;
	struct bytes data;
};

/*
 * pe_build() - a PE32+ image with these sections, in this order, one behind the other
 * A section's data is padded with zeros to PE_BUILT_ALIGNMENT; its VirtualSize is that of @data.
 * buffer_free() it.
 */
struct buffer pe_build(const struct pe_built_section *sections, size_t count);

/* pe_put16(), pe_put32() - change a field of an image */
void pe_put16(struct buffer *image, size_t offset, uint16_t value);
void pe_put32(struct buffer *image, size_t offset, uint32_t value);

/* pe_sign() - put such a certificate table behind the image, and its place into the directories;
 * the file is padded to a multiple of eight first */
void pe_sign(struct buffer *image, struct bytes table);

#endif /* ASSAY_TEST_PE_BUILDER_H */
