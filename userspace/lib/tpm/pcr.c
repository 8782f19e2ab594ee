// SPDX-License-Identifier: MIT
#include "tpm/pcr.h"

#include <errno.h>
#include <string.h>

#include "tpm/context.h"
#include "tpm/pcr_internal.h"

/* Values that one answer holds (TPML_DIGEST, TPM 2.0 Library part 2, section 10.9.10). */
#define VALUES_IN_LIST 8

/* The TPM's bitmap as bits 0 to 23; what is beyond them is no PCR of a PC Client TPM. */
static uint32_t selected_bits(const TPMS_PCR_SELECTION *selection)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < selection->sizeofSelect && i < TPM_PCR_COUNT / 8; i++)
		bits |= (uint32_t)selection->pcrSelect[i] << (8 * i);
	return bits;
}

void tpm_pcr_selection(const struct tpm_pcrs *pcrs, const uint32_t *left, TPML_PCR_SELECTION *ret)
{
	*ret = (TPML_PCR_SELECTION){ 0 };
	for (size_t i = 0; i < pcrs->count; i++) {
		uint32_t bits = left ? left[i] : pcrs->banks[i].selected;
		TPMS_PCR_SELECTION *selection = &ret->pcrSelections[ret->count];

		/* The banks that are done are left out of the next reading. */
		if (left && bits == 0)
			continue;
		selection->hash = (TPMI_ALG_HASH)pcrs->banks[i].hash;
		selection->sizeofSelect = TPM_PCR_COUNT / 8;
		for (size_t j = 0; j < TPM_PCR_COUNT / 8; j++)
			selection->pcrSelect[j] = (uint8_t)(bits >> (8 * j));
		ret->count++;
	}
}

int tpm_pcr_allocated(struct tpm *tpm, struct tpm_pcrs *ret, struct assay_error *err)
{
	TPMS_CAPABILITY_DATA *answer = NULL;
	const TPML_PCR_SELECTION *list;
	struct tpm_pcrs pcrs = { 0 };
	TPMI_YES_NO more;
	TSS2_RC rc;

	rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS,
				0, 1, &more, &answer);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot ask for the PCR banks");
	list = &answer->data.assignedPCR;
	if (answer->capability != TPM2_CAP_PCRS || list->count > TPM2_NUM_PCR_BANKS) {
		Esys_Free(answer);
		return assay_fail(err, EPROTO, "the TPM at %s lists its PCR banks in no valid form",
				  tpm->name);
	}
	for (size_t i = 0; i < list->count; i++) {
		enum assay_hash hash = (enum assay_hash)list->pcrSelections[i].hash;
		uint32_t bits = selected_bits(&list->pcrSelections[i]);

		if (assay_hash_size(hash) == 0 || bits == 0 || pcrs.count == TPM_BANK_MAX)
			continue;
		pcrs.banks[pcrs.count].hash = hash;
		pcrs.banks[pcrs.count].selected = bits;
		pcrs.count++;
	}
	Esys_Free(answer);
	*ret = pcrs;
	return 0;
}

/*
 * Puts one answer's values into @pcrs and strikes them out of @left.
 * false: it is not what was asked for
 */
static bool store_values(struct tpm_pcrs *pcrs, uint32_t *left, const TPML_PCR_SELECTION *selection,
			 const TPML_DIGEST *values)
{
	size_t next = 0;

	if (selection->count > TPM2_NUM_PCR_BANKS || values->count > VALUES_IN_LIST)
		return false;
	for (size_t i = 0; i < selection->count; i++) {
		uint32_t bits = selected_bits(&selection->pcrSelections[i]);
		struct tpm_pcr_bank *bank = NULL;
		size_t place = 0;

		for (; place < pcrs->count && !bank; place++)
			if (pcrs->banks[place].hash ==
			    (enum assay_hash)selection->pcrSelections[i].hash)
				bank = &pcrs->banks[place];
		if (!bank || (bits & ~left[place - 1]) != 0)
			return false;
		for (size_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
			const TPM2B_DIGEST *value = &values->digests[next];

			if ((bits >> pcr & 1) == 0)
				continue;
			if (next == values->count || value->size != assay_hash_size(bank->hash))
				return false;
			memcpy(bank->value[pcr], value->buffer, value->size);
			next++;
		}
		left[place - 1] &= ~bits;
	}
	return next == values->count;
}

static int fail_absent(const struct tpm *tpm, const struct tpm_pcrs *pcrs, const uint32_t *left,
		       struct assay_error *err)
{
	for (size_t i = 0; i < pcrs->count; i++)
		for (int pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			if (left[i] >> pcr & 1)
				return assay_fail(
					err, EADDRNOTAVAIL,
					"the TPM at %s has no PCR %d in the bank %s: choose "
					"another bank, or have the firmware allocate it",
					tpm->name, pcr, assay_hash_name(pcrs->banks[i].hash));
	return assay_fail(err, EPROTO, "the TPM at %s answers with no PCR", tpm->name);
}

int tpm_pcr_read(struct tpm *tpm, struct tpm_pcrs *pcrs, bool *ret_changed, struct assay_error *err)
{
	uint32_t left[TPM_BANK_MAX], counter = 0;
	TPML_PCR_SELECTION wanted;
	bool first = true, changed = false;

	if (pcrs->count > TPM_BANK_MAX)
		return assay_fail(err, EINVAL, "more PCR banks than there are");
	for (size_t i = 0; i < pcrs->count; i++)
		left[i] = pcrs->banks[i].selected;
	for (;;) {
		TPML_PCR_SELECTION *got = NULL;
		TPML_DIGEST *values = NULL;
		uint32_t now;
		bool valid, progress;
		TSS2_RC rc;

		tpm_pcr_selection(pcrs, left, &wanted);
		if (wanted.count == 0)
			break;
		rc = Esys_PCR_Read(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted,
				   &now, &got, &values);
		if (rc != TSS2_RC_SUCCESS)
			return tpm_fail(tpm, err, rc, "cannot read PCRs");
		valid = store_values(pcrs, left, got, values);
		progress = values->count > 0;
		Esys_Free(got);
		Esys_Free(values);
		if (!valid)
			return assay_fail(
				err, EPROTO,
				"the TPM at %s answers with other PCRs than were asked for",
				tpm->name);
		if (!progress)
			return fail_absent(tpm, pcrs, left, err);
		changed = changed || (!first && now != counter);
		counter = now;
		first = false;
	}
	if (ret_changed)
		*ret_changed = changed;
	return 0;
}
