// SPDX-License-Identifier: MIT
/* Fuzzing the reader of PE images, and what is made of them. */
#include <stdint.h>
#include <stdlib.h>

#include "firmware/pe.h"
#include "firmware/uki.h"
#include "fuzz.h"

static void check_uki(const struct pe_image *image, unsigned int profile)
{
	struct assay_digest value;
	struct assay_error err;
	struct uki uki;

	if (uki_open(image, profile, &uki, &err) < 0)
		return;
	if (uki.profile_count > UKI_MAX_PROFILES || (profile > 0 && profile >= uki.profile_count))
		abort();
	for (size_t i = 0; i < UKI_SECTIONS; i++)
		if (uki.sections[i] && (uki.sections[i] < image->sections ||
					uki.sections[i] >= image->sections + image->section_count))
			abort();
	if (uki_pcr(&uki, ASSAY_HASH_SHA256, &value, &err) == 0 && value.size != 32)
		abort();
}

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
	check_uki(&image, data[size - 1] % 4);
	return 0;
}
