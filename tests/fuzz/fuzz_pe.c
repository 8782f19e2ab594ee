// SPDX-License-Identifier: MIT
/* Fuzzing the reader of PE images, and what is made of them. */
#include <stdint.h>
#include <stdlib.h>

#include "firmware/pe.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pe_image image;
	struct assay_digest digest;
	struct assay_error err;
	bool complete;

	if (pe_parse(BYTES(data, size), &image, &err) < 0)
		return 0;
	if (image.section_count > PE_MAX_SECTIONS || image.headers_size > size)
		abort();
	for (size_t i = 0; i < image.section_count; i++)
		inside(image.sections[i].data, image.file);
	inside(image.certificates, image.file);
	if (pe_authenticode(&image, ASSAY_HASH_SHA256, &digest, &complete, &err) == 0 &&
	    digest.size != 32)
		abort();
	return 0;
}
