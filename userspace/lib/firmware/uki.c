// SPDX-License-Identifier: MIT
/* What systemd-stub measures of a unified kernel image. */
#define _GNU_SOURCE /* memmem() */
#include "firmware/uki.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* In the order in which stubs measure them, whatever theirs in the file. Since which version of
 * systemd-stub: systemd-stub(7). */
static const struct {
	const char *name;
	unsigned int since;
	bool measured; /* .pcrsig signs the value, and is not in it */
	bool by_hardware;
} table[] = {
	{ ".linux", 252, true, false },	  { ".osrel", 252, true, false },
	{ ".cmdline", 252, true, false }, { ".initrd", 252, true, false },
	{ ".ucode", 256, true, false },	  { ".splash", 252, true, false },
	{ ".dtb", 252, true, false },	  { ".uname", 254, true, false },
	{ ".sbat", 254, true, false },	  { ".pcrsig", 252, false, false },
	{ ".pcrpkey", 252, true, false }, { ".profile", 257, true, false },
	{ ".dtbauto", 257, true, true },  { ".hwids", 257, true, false },
	{ ".efifw", 258, true, true },
};

_Static_assert(COUNT_OF(table) == UKI_SECTIONS, "a row a section");

#define SECTION_LINUX 0
#define PROFILE_SECTION ".profile"
/* Which began with profiles: before, such a section was none of the stub's. */
#define PROFILES_SINCE 257

const char *uki_section_name(size_t index)
{
	return table[index].name;
}

/* "#### LoaderInfo: systemd-stub 252.39-1~deb12u2 ####" in the section .sdmagic */
static unsigned int stub_version(const struct pe_image *image)
{
	static const char mark[] = "#### LoaderInfo: systemd-stub ";

	for (size_t i = 0; i < image->section_count; i++) {
		struct bytes data = image->sections[i].data;
		unsigned int version = 0;
		const uint8_t *at;

		if (strcmp(image->sections[i].name, ".sdmagic") != 0 || data.size == 0)
			continue;
		at = memmem(data.data, data.size, mark, strlen(mark));
		if (!at)
			continue;
		at += strlen(mark);
		while (at < data.data + data.size && *at >= '0' && *at <= '9' && version < 100000)
			version = 10 * version + (unsigned int)(*at++ - '0');
		return version;
	}
	return 0;
}

static bool is_known(const struct uki *uki, size_t index)
{
	return uki->stub_version == 0 || uki->stub_version >= table[index].since;
}

/* The sections from @first on up to @end: of those with a name the first counts. */
static void take_sections(const struct pe_image *image, size_t first, size_t end, struct uki *uki)
{
	const struct pe_section *found[UKI_SECTIONS] = { NULL };

	for (size_t i = first; i < end; i++)
		for (size_t name = 0; name < UKI_SECTIONS; name++)
			if (!found[name] && is_known(uki, name) &&
			    strcmp(image->sections[i].name, table[name].name) == 0)
				found[name] = &image->sections[i];
	for (size_t name = 0; name < UKI_SECTIONS; name++)
		if (found[name])
			uki->sections[name] = found[name];
}

/* Where the next profile begins, from @from on; the number of sections if there is none. */
static size_t find_profile(const struct pe_image *image, size_t from)
{
	while (from < image->section_count &&
	       strcmp(image->sections[from].name, PROFILE_SECTION) != 0)
		from++;
	return from;
}

/* What is before the first profile is of all of them; what is in one counts before that. */
static int take_profile(const struct pe_image *image, struct uki *uki, struct assay_error *err)
{
	bool known = uki->stub_version == 0 || uki->stub_version >= PROFILES_SINCE;
	size_t at = known ? find_profile(image, 0) : image->section_count;

	take_sections(image, 0, at, uki);
	for (; at < image->section_count; uki->profile_count++) {
		size_t end = find_profile(image, at + 1);

		if (uki->profile_count == UKI_MAX_PROFILES)
			return assay_fail(err, EBADMSG, "it has more than %d profiles",
					  UKI_MAX_PROFILES);
		if (uki->profile_count == uki->profile)
			take_sections(image, at, end, uki);
		at = end;
	}
	if (uki->profile > 0 && uki->profile >= uki->profile_count)
		return assay_fail(err, ENOENT, "there is no profile %u: it has %u", uki->profile,
				  uki->profile_count);
	return 0;
}

int uki_open(const struct pe_image *image, unsigned int profile, struct uki *ret,
	     struct assay_error *err)
{
	int r;

	*ret = (struct uki){ .stub_version = stub_version(image), .profile = profile };
	r = take_profile(image, ret, err);
	if (r < 0)
		return r;
	if (!ret->sections[SECTION_LINUX])
		return assay_fail(err, EBADMSG,
				  "it is no unified kernel image: it has no section .linux");
	for (size_t i = 0; i < UKI_SECTIONS; i++)
		if (ret->sections[i] && table[i].by_hardware)
			return assay_fail(err, EOPNOTSUPP,
					  "which of its sections %s is measured depends on the "
					  "machine's hardware: PCR %d has no one value",
					  table[i].name, UKI_PCR);
	return 0;
}

/* ---------------------------------------------------------------- PCR 11 */

/* What an image's loader makes of a section is VirtualSize bytes: zeros behind its data. */
static int section_digest(const struct pe_section *section, const char *name, enum assay_hash bank,
			  struct assay_digest *ret, struct assay_error *err)
{
	static const uint8_t zeros[1 << 16];
	struct bytes pieces[17] = { section->data };
	uint32_t left;
	size_t count = 1;

	if (pieces[0].size > section->virtual_size)
		pieces[0].size = section->virtual_size;
	left = section->virtual_size - (uint32_t)pieces[0].size;
	for (; left > 0 && count < COUNT_OF(pieces); count++) {
		pieces[count] = BYTES(zeros, left < sizeof(zeros) ? left : sizeof(zeros));
		left -= (uint32_t)pieces[count].size;
	}
	if (left > 0)
		return assay_fail(err, EBADMSG,
				  "its section %s takes %u bytes in memory, of which the file has "
				  "%zu: more zeros than an image has",
				  name, section->virtual_size, section->data.size);
	return digest_pieces(bank, pieces, count, ret, err);
}

static int extend(struct assay_digest *value, const struct assay_digest *digest,
		  struct assay_error *err)
{
	struct bytes pieces[] = { { value->bytes, value->size }, { digest->bytes, digest->size } };
	struct assay_digest next;
	int r = digest_pieces(value->hash, pieces, COUNT_OF(pieces), &next, err);

	if (r == 0)
		*value = next;
	return r;
}

int uki_pcr(const struct uki *uki, enum assay_hash bank, struct assay_digest *ret,
	    struct assay_error *err)
{
	struct assay_digest value = { .hash = bank, .size = assay_hash_size(bank) };

	for (size_t i = 0; i < UKI_SECTIONS; i++) {
		struct bytes name = { (const uint8_t *)table[i].name, strlen(table[i].name) + 1 };
		struct assay_digest digest;
		int r;

		if (!uki->sections[i] || !table[i].measured || uki->sections[i]->virtual_size == 0)
			continue;
		r = digest_bytes(bank, name, &digest, err);
		if (r == 0)
			r = extend(&value, &digest, err);
		if (r == 0)
			r = section_digest(uki->sections[i], table[i].name, bank, &digest, err);
		if (r == 0)
			r = extend(&value, &digest, err);
		if (r < 0)
			return r;
	}
	*ret = value;
	return 0;
}

int uki_pcr_phases(const char *phases, struct assay_digest *value, struct assay_error *err)
{
	struct assay_digest extended = *value;

	if (strlen(phases) > UKI_PHASES_MAX)
		return assay_fail(err, EINVAL, "phases have at most %d characters", UKI_PHASES_MAX);
	while (*phases != '\0') {
		size_t size = strcspn(phases, ":");
		struct assay_digest digest;
		int r;

		if (size == 0 || (phases[size] == ':' && phases[size + 1] == '\0'))
			return assay_fail(err, EINVAL,
					  "phases are words with a colon between them, such as "
					  "enter-initrd:leave-initrd");
		r = digest_bytes(value->hash, BYTES((const uint8_t *)phases, size), &digest, err);
		if (r == 0)
			r = extend(&extended, &digest, err);
		if (r < 0)
			return r;
		phases += size + (phases[size] == ':');
	}
	*value = extended;
	return 0;
}

static const char *const phase_words[] = { "enter-initrd", "leave-initrd", "sysinit",
					   "ready",	   "shutdown",	   "final" };

_Static_assert(COUNT_OF(phase_words) == UKI_PHASE_WORDS, "as many as there are");

char *uki_words_text(uint32_t words, char text[UKI_PHASES_MAX + 1])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(phase_words); i++)
		if (words & UINT32_C(1) << i)
			used += (size_t)snprintf(text + used, UKI_PHASES_MAX + 1 - used, "%s%s",
						 used > 0 ? ":" : "", phase_words[i]);
	return text;
}

bool uki_words_parse(const char *phases, uint32_t *ret)
{
	char text[UKI_PHASES_MAX + 1];

	/* They are few. */
	for (uint32_t words = 0; words < UINT32_C(1) << UKI_PHASE_WORDS; words++) {
		if (strcmp(uki_words_text(words, text), phases) != 0)
			continue;
		*ret = words;
		return true;
	}
	return false;
}

int uki_pcr_words(uint32_t words, struct assay_digest *value, struct assay_error *err)
{
	char text[UKI_PHASES_MAX + 1];

	return uki_pcr_phases(uki_words_text(words, text), value, err);
}
