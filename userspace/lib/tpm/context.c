// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tpm/context.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include "base/secret.h"
#include "tpm/default.h"

#define DEVICE_PREFIX "device:"

/* The stack would say the same less clearly; asking the kernel gives the reason. */
static int check_device(const char *path, struct assay_error *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), code = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	switch (code) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return assay_fail(
			err, ENODEV,
			"no TPM at %s: load the TPM's driver, start swtpm, or say where the "
			"TPM is with $ASSAY_TCTI, or --tcti where the command has it (for example "
			"swtpm:path=SOCKET)",
			path);
	case EACCES:
	case EPERM:
		return assay_fail(err, EACCES,
				  "the TPM at %s may not be opened: run as root, or join the group "
				  "that owns it (tss)",
				  path);
	case EBUSY:
		return assay_fail(err, EBUSY,
				  "the TPM at %s is in use by another program: end it, or use the "
				  "resource manager's " TPM_DEFAULT_TCTI,
				  path);
	default:
		return assay_fail(err, code, "cannot open the TPM at %s: %s", path, strerror(code));
	}
}

/* ---------------------------------------------------------------- signals */

static const int fatal_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
	/* Whoever asks twice does not want to wait for the TPM. */
	if (interrupted) {
		signal(number, SIG_DFL);
		raise(number);
	}
	interrupted = number;
}

/* Once: what the TPM holds for us is given back before a signal ends the process. */
static void catch_signals(void)
{
	static bool caught;
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART }, old;

	if (caught)
		return;
	caught = true;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		if (sigaction(fatal_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			(void)sigaction(fatal_signals[i], &action, NULL);
}

bool tpm_interrupted(void)
{
	return interrupted != 0;
}

void tpm_end_interrupted(void)
{
	if (!interrupted)
		return;
	signal(interrupted, SIG_DFL);
	raise(interrupted);
}

static const char *configured_tcti(const char *tcti)
{
	static const char *const variables[] = { "ASSAY_TCTI", "TPM2TOOLS_TCTI" };

	for (size_t i = 0; !tcti && i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value && value[0] != '\0')
			tcti = value;
	}
	return tcti ? tcti : TPM_DEFAULT_TCTI;
}

/* No answer at all: where the TPM was looked for matters more than the code. */
static int fail_connect(const char *name, TSS2_RC rc, struct assay_error *err)
{
	if (rc == TSS2_TCTI_RC_NOT_SUPPORTED || rc == TSS2_TCTI_RC_BAD_VALUE || name[0] == '\0')
		return assay_fail(err, EINVAL,
				  "\"%s\" does not say where a TPM is: give device:PATH, "
				  "swtpm:path=SOCKET or swtpm:host=HOST,port=PORT (%s)",
				  name, Tss2_RC_Decode(rc));
	return assay_fail(err, ENODEV,
			  "no TPM answers at %s: start swtpm there, or say where the TPM is with "
			  "$ASSAY_TCTI, or --tcti where the command has it (%s)",
			  name, Tss2_RC_Decode(rc));
}

int tpm_open(const char *tcti, struct tpm **ret, struct assay_error *err)
{
	const char *name = configured_tcti(tcti);
	TPMS_CAPABILITY_DATA *family = NULL;
	TPMI_YES_NO more;
	struct tpm *tpm;
	TSS2_RC rc;
	int r;

	/* Read by each of the stack's libraries when it logs for the first time. */
	setenv("TSS2_LOG", "all+NONE", 0);
	catch_signals();
	if (strncmp(name, DEVICE_PREFIX, sizeof(DEVICE_PREFIX) - 1) == 0 &&
	    name[sizeof(DEVICE_PREFIX) - 1] != '\0') {
		r = check_device(name + sizeof(DEVICE_PREFIX) - 1, err);
		if (r < 0)
			return r;
	}
	tpm = calloc(1, sizeof(*tpm));
	if (!tpm || !(tpm->name = strdup(name))) {
		free(tpm);
		return assay_fail(err, ENOMEM, "cannot open the TPM: out of memory");
	}
	rc = Tss2_TctiLdr_Initialize(name, &tpm->tcti);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
	if (rc != TSS2_RC_SUCCESS) {
		r = fail_connect(name, rc, err);
		tpm_close(tpm);
		return r;
	}
	/* Nothing was sent so far: see that somebody answers, and is ready. */
	rc = Esys_GetCapability(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				TPM2_CAP_TPM_PROPERTIES, TPM2_PT_FAMILY_INDICATOR, 1, &more,
				&family);
	if (rc != TSS2_RC_SUCCESS) {
		r = tpm_fail(tpm, err, rc, "the TPM at %s is not ready", name);
		tpm_close(tpm);
		return r;
	}
	Esys_Free(family);
	*ret = tpm;
	return 0;
}

void tpm_close(struct tpm *tpm)
{
	if (!tpm)
		return;
	if (tpm->esys)
		Esys_Finalize(&tpm->esys);
	if (tpm->tcti)
		Tss2_TctiLdr_Finalize(&tpm->tcti);
	for (size_t i = 0; i < TPM_AUTHORITIES; i++)
		secret_free(&tpm->passwords[i]);
	free(tpm->name);
	free(tpm);
}

int tpm_give_password(struct tpm *tpm, enum tpm_authority whose, struct bytes password,
		      struct assay_error *err)
{
	secret_free(&tpm->passwords[whose]);
	buffer_append_bytes(&tpm->passwords[whose], password);
	return tpm->passwords[whose].failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

static bool from_tpm(TSS2_RC rc)
{
	TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;

	return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER ||
	       layer == TSS2_RESMGR_RC_LAYER;
}

bool tpm_rc_is(TSS2_RC rc, TSS2_RC code)
{
	/* Format one: bits 6 and 8 to 11 say which parameter, session or handle
	 * (TPM 2.0 Library part 1, section 39.4). */
	const TSS2_RC subject = 0xf40;

	if (!from_tpm(rc))
		return false;
	rc &= ~TSS2_RC_LAYER_MASK;
	return rc == code || ((rc & TPM2_RC_FMT1) != 0 && (rc & ~subject) == code);
}

bool tpm_auth_refused(TSS2_RC rc)
{
	return tpm_rc_is(rc, TPM2_RC_AUTH_FAIL) || tpm_rc_is(rc, TPM2_RC_BAD_AUTH) ||
	       tpm_rc_is(rc, TPM2_RC_LOCKOUT);
}

static const struct {
	TSS2_RC rc;
	int code;
	const char *hint;
} hints[] = {
	{ TPM2_RC_INITIALIZE, EIO,
	  "; it was not started: run tpm2_startup -c, or swtpm with --flags startup-clear" },
	{ TPM2_RC_BAD_AUTH, EACCES,
	  "; the hierarchy or key has a password, and it was not given, or another" },
	{ TPM2_RC_AUTH_FAIL, EACCES,
	  "; the hierarchy or key has a password, and it was not given, or another" },
	{ TPM2_RC_LOCKOUT, EACCES,
	  "; after too many wrong passwords it takes none for a while (dictionary attack lockout): "
	  "wait, or have its owner run tpm2_dictionarylockout --clear-lockout" },
	{ TPM2_RC_POLICY_FAIL, EACCES,
	  "; the policy that the key file tells is not the key's: it was changed" },
	{ TSS2_ESYS_RC_RSP_AUTH_FAILED, EPROTO,
	  "; its answer is not one of the session: something between assay and the TPM changes "
	  "the data" },
	{ TPM2_RC_HIERARCHY, EACCES, "; the hierarchy is switched off" },
	{ TPM2_RC_OBJECT_MEMORY, EBUSY,
	  "; all its slots are taken: run tpm2_flushcontext -t, or use the resource manager's "
	  "device:/dev/tpmrm0" },
	{ TSS2_TCTI_RC_IO_ERROR, EIO, "; it does not answer any more" },
	{ TSS2_TCTI_RC_NO_CONNECTION, EIO, "; it does not answer any more" },
	{ TSS2_TCTI_RC_MALFORMED_RESPONSE, EPROTO, "; what answers there is no TPM" },
	{ TSS2_SYS_RC_MALFORMED_RESPONSE, EPROTO, "; what answers there is no TPM" },
	{ TSS2_ESYS_RC_MALFORMED_RESPONSE, EPROTO, "; what answers there is no TPM" },
	{ TSS2_ESYS_RC_MEMORY, ENOMEM, "" },
};

int tpm_fail(const struct tpm *tpm, struct assay_error *err, TSS2_RC rc, const char *format, ...)
{
	const char *hint = "";
	char *text = NULL;
	int code = EIO;
	va_list args;

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (rc == hints[i].rc || tpm_rc_is(rc, hints[i].rc)) {
			code = hints[i].code;
			hint = hints[i].hint;
			break;
		}
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	assay_fail(err, code, "%s: the TPM at %s says \"%s\" (0x%" PRIx32 ")%s",
		   text ? text : "out of memory", tpm->name, Tss2_RC_Decode(rc), rc, hint);
	free(text);
	return -code;
}
