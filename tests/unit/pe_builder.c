// SPDX-License-Identifier: MIT
#include "pe_builder.h"

#include <string.h>

#include "support.h"

static void put_zeros(struct buffer *out, size_t size)
{
	while (size-- > 0)
		buffer_append_u8(out, 0);
}

static size_t aligned(size_t size)
{
	return (size + PE_BUILT_ALIGNMENT - 1) / PE_BUILT_ALIGNMENT * PE_BUILT_ALIGNMENT;
}

void pe_put16(struct buffer *image, size_t offset, uint16_t value)
{
	assert_true(offset + 2 <= image->size);
	image->data[offset] = (uint8_t)value;
	image->data[offset + 1] = (uint8_t)(value >> 8);
}

void pe_put32(struct buffer *image, size_t offset, uint32_t value)
{
	pe_put16(image, offset, (uint16_t)value);
	pe_put16(image, offset + 2, (uint16_t)(value >> 16));
}

static void put_section(struct buffer *image, size_t header, const struct pe_built_section *section,
			uint32_t address)
{
	memcpy(image->data + header, section->name, strlen(section->name));
	pe_put32(image, header + 8, (uint32_t)section->data.size);
	pe_put32(image, header + 12, address);
	pe_put32(image, header + 16, (uint32_t)aligned(section->data.size));
	pe_put32(image, header + 20, (uint32_t)image->size);
	buffer_append_bytes(image, section->data);
	put_zeros(image, aligned(section->data.size) - section->data.size);
}

struct buffer pe_build(const struct pe_built_section *sections, size_t count)
{
	struct buffer image = { 0 };
	size_t headers = aligned(PE_BUILT_SECTIONS + 40 * count);
	uint32_t address = 0x1000;

	put_zeros(&image, headers);
	memcpy(image.data, "MZ", 2);
	pe_put32(&image, 0x3c, PE_BUILT_SIGNATURE);
	memcpy(image.data + PE_BUILT_SIGNATURE, "PE\0\0", 4);
	pe_put16(&image, PE_BUILT_SIGNATURE + 4, 0x8664);
	pe_put16(&image, PE_BUILT_SECTION_COUNT, (uint16_t)count);
	pe_put16(&image, PE_BUILT_OPTIONAL_SIZE, 240);
	pe_put16(&image, PE_BUILT_SIGNATURE + 22, 0x0206); /* an executable image */
	pe_put16(&image, PE_BUILT_OPTIONAL, 0x20b);
	pe_put32(&image, PE_BUILT_OPTIONAL + 32, 0x1000);	      /* SectionAlignment */
	pe_put32(&image, PE_BUILT_OPTIONAL + 36, PE_BUILT_ALIGNMENT); /* FileAlignment */
	pe_put32(&image, PE_BUILT_HEADERS_SIZE, (uint32_t)headers);
	pe_put32(&image, PE_BUILT_CHECKSUM, 0x12345678);
	pe_put16(&image, PE_BUILT_OPTIONAL + 68, 10); /* an EFI application */
	pe_put32(&image, PE_BUILT_DIRECTORY_COUNT, 16);
	for (size_t i = 0; i < count; i++) {
		put_section(&image, PE_BUILT_SECTIONS + 40 * i, &sections[i], address);
		address += (uint32_t)(sections[i].data.size + 0xfff) / 0x1000 * 0x1000;
	}
	pe_put32(&image, PE_BUILT_OPTIONAL + 56, address); /* SizeOfImage */
	assert_false(image.failed);
	return image;
}

void pe_sign(struct buffer *image, struct bytes table)
{
	put_zeros(image, (8 - image->size % 8) % 8);
	pe_put32(image, PE_BUILT_SECURITY, (uint32_t)image->size);
	pe_put32(image, PE_BUILT_SECURITY + 4, (uint32_t)table.size);
	buffer_append_bytes(image, table);
}
