/* SPDX-License-Identifier: MIT */
/*
 * PE/COFF images as UEFI loads them: kernels with an EFI stub, boot loaders, unified kernel
 * images. Microsoft's PE Format, and UEFI 2.10, section 2.1.1.
 *
 * The file is hostile: all offsets are checked, and nothing is copied: what is handed out
 * points into the file. For the commands and lib/verify; nothing here asks a clock or opens a file.
 */
#ifndef ASSAY_FIRMWARE_PE_H
#define ASSAY_FIRMWARE_PE_H

#include "base/bytes.h"

/* Images of several kernels have a few dozen sections; the format would allow 65535. */
#define PE_MAX_SECTIONS 512
#define PE_NAME_SIZE 8

/**
 * struct pe_section - a section with data in the file
 * @name: as it stands, ended by NUL, not yet fit to print
 * @offset: of its data in the file
 * @data: SizeOfRawData bytes, within the file
 * @virtual_size: bytes it takes in memory; may be less than @data has, or more, which are zeros
 */
struct pe_section {
	char name[PE_NAME_SIZE + 1];
	uint32_t offset;
	struct bytes data;
	uint32_t virtual_size;
};

/**
 * struct pe_image - an image
 * @file: all of it
 * @headers_size: SizeOfHeaders: what lies before the sections
 * @checksum_offset: of the four bytes of CheckSum
 * @security_offset: of the entry of the certificate table among the data directories, eight bytes;
 *                   0 where the image has no such entry
 * @certificates: the certificate table, at the end of the file; of no bytes if it is not signed
 * @sections: in the order of the section table, those without data in the file too
 * @section_count: how many
 */
struct pe_image {
	struct bytes file;
	uint32_t headers_size;
	size_t checksum_offset, security_offset;
	struct bytes certificates;
	struct pe_section sections[PE_MAX_SECTIONS];
	size_t section_count;
};

/*
 * pe_parse() - take an image apart
 *
 * Return: 0; -EBADMSG for what is no image, or one whose parts lie outside of the file;
 *         -EOPNOTSUPP for more than PE_MAX_SECTIONS sections
 */
int pe_parse(struct bytes file, struct pe_image *ret, struct assay_error *err);

/*
 * pe_authenticode() - the digest that a signature of the image signs and UEFI measures
 * Windows Authenticode Portable Executable Signature Format, "Calculating the PE Image Hash", as
 * EDK II does it (MeasureBootPeCoff.c): neither the checksum nor the certificate table is in it. A
 * file whose size is no multiple of eight is padded before it is signed, so that it has another
 * digest then.
 * @ret_complete: whether each byte that should be is hashed, and once: false where sections
 *                overlap, or leave gaps, which firmware loads all the same; may be NULL
 *
 * Return: 0; -EBADMSG where sections take more than the file has; -ENOTSUP, -EIO
 */
int pe_authenticode(const struct pe_image *image, enum assay_hash hash, struct assay_digest *ret,
		    bool *ret_complete, struct assay_error *err);

#endif /* ASSAY_FIRMWARE_PE_H */
