/* SPDX-License-Identifier: MIT */
/*
 * Unified kernel images, and what systemd-stub measures of them into PCR 11 before it starts the
 * kernel: systemd-stub(7), systemd-measure(1); the words by which systemd tells its phases there:
 * systemd-pcrphase.service(8). The image is hostile, as pe.h has it.
 */
#ifndef ASSAY_FIRMWARE_UKI_H
#define ASSAY_FIRMWARE_UKI_H

#include "firmware/pe.h"

#define UKI_PCR 11
/* As many profiles an image may have (systemd's UNIFIED_PROFILES_MAX). */
#define UKI_MAX_PROFILES 256
/* The phases of a machine that has booted. */
#define UKI_PHASES "enter-initrd:leave-initrd:sysinit:ready"
/* No phase has longer words together. */
#define UKI_PHASES_MAX 256

/* The sections that stubs measure, of any version. */
#define UKI_SECTIONS 15

/**
 * struct uki - an image's sections, as a stub finds them
 * @sections: in the order in which they are measured; NULL for those that are not there or that
 *            this stub does not measure
 * @stub_version: of systemd-stub, 252 for example; 0 where the image does not say: then all
 *                sections that are known are taken for measured
 * @profile: which was chosen
 * @profile_count: how many it has; 0 for an image of before there were any
 */
struct uki {
	const struct pe_section *sections[UKI_SECTIONS];
	unsigned int stub_version;
	unsigned int profile, profile_count;
};

/* uki_section_name() - ".linux" and so on */
const char *uki_section_name(size_t index);

/*
 * uki_open() - find what a stub would measure
 * @profile: which of its profiles is started, 0 for the first
 *
 * Return: 0; -EBADMSG for an image without a kernel; -ENOENT where there is no such profile;
 *         -EOPNOTSUPP where a section is chosen by the machine's hardware, so that there is no one
 *         value
 */
int uki_open(const struct pe_image *image, unsigned int profile, struct uki *ret,
	     struct assay_error *err);

/*
 * uki_pcr() - the value of PCR 11 when the stub starts the kernel
 *
 * Of each section the name, with its NUL, and the data are extended.
 *
 * Return: 0; -EBADMSG; -ENOTSUP, -EIO
 */
int uki_pcr(const struct uki *uki, enum assay_hash bank, struct assay_digest *ret,
	    struct assay_error *err);

/*
 * uki_pcr_phases() - extend it by words, as systemd does in its phases
 * @phases: words with colons between them, "enter-initrd:leave-initrd"; none: no phase yet
 * @value: in and out
 *
 * Return: 0; -EINVAL for other text; -ENOTSUP, -EIO
 */
int uki_pcr_phases(const char *phases, struct assay_digest *value, struct assay_error *err);

/* The words by which systemd tells its phases, in their order; a machine may leave some out. */
#define UKI_PHASE_WORDS 6

/*
 * uki_pcr_words() - extend it by some of these words, in their order
 * @words: bit n: word n
 *
 * Return: as uki_pcr_phases()
 */
int uki_pcr_words(uint32_t words, struct assay_digest *value, struct assay_error *err);

/* uki_words_text() - these words, as uki_pcr_phases() takes them; returns @text */
char *uki_words_text(uint32_t words, char text[UKI_PHASES_MAX + 1]);

/* uki_words_parse() - the same the other way round; false for other words or another order */
bool uki_words_parse(const char *phases, uint32_t *ret);

#endif /* ASSAY_FIRMWARE_UKI_H */
