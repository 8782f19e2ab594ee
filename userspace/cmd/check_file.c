// SPDX-License-Identifier: MIT
/* `assay check`: what comes of one file's digest and signatures. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sign/ima_sig.h"
#include "verity/enable.h"

/* Beside a file, in this order. */
static const char *const signature_suffixes[] = { ".p7s", ".sig" };

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot check: out of memory");
}

void check_finding_set(struct check_finding *finding, int r, X509 *signer)
{
	finding->result = r < 0 ? CHECK_FAILED : CHECK_PASSED;
	if (signer)
		finding->signer = certificate_subject(signer);
}

static void check_signatures(const struct trust *trust, const struct assay_digest *digest,
			     const struct buffer *pkcs7, const struct buffer *ima,
			     struct check_finding *findings)
{
	X509 *signer = NULL, *ima_signer = NULL;
	int r;

	if (pkcs7) {
		r = trust_verify_pkcs7(trust, buffer_bytes(pkcs7), digest, &signer,
				       &findings[CHECK_PKCS7].err);
		check_finding_set(&findings[CHECK_PKCS7], r, signer);
	}
	if (ima) {
		/* A key that an authority vouched for in the one signature made the other. */
		r = trust_verify_ima(trust, buffer_bytes(ima), digest, signer, &ima_signer,
				     &findings[CHECK_IMA].err);
		check_finding_set(&findings[CHECK_IMA], r, ima_signer);
	}
	X509_free(signer);
	X509_free(ima_signer);
}

/* A kind of signature that is not there: a failure only where it is asked for. */
static void note_absent(struct check_finding *finding, bool needed, const char *why)
{
	assay_fail(&finding->err, ENODATA, "%s", why);
	finding->result = needed ? CHECK_FAILED : CHECK_NOT_MADE;
}

static void check_expected(const struct check_options *options, const struct trust *trust,
			   const struct verity_job *job, const struct check_expected *expected,
			   struct check_finding *findings)
{
	bool has_pkcs7 = expected->pkcs7.size > 0, has_ima = expected->ima.size > 0;
	char is[ASSAY_DIGEST_TEXT_MAX], wanted[ASSAY_DIGEST_TEXT_MAX];

	if (!has_pkcs7)
		note_absent(&findings[CHECK_PKCS7], options->need_pkcs7 || !has_ima,
			    "the manifest has no built-in signature of it");
	if (!has_ima)
		note_absent(&findings[CHECK_IMA], options->need_ima,
			    "the manifest has no IMA signature of it");
	check_signatures(trust, &expected->digest, has_pkcs7 ? &expected->pkcs7 : NULL,
			 has_ima ? &expected->ima : NULL, findings);
	if (job->result < 0) {
		findings[CHECK_DIGEST].err = job->err;
		findings[CHECK_DIGEST].result = CHECK_FAILED;
		return;
	}
	findings[CHECK_DIGEST].result = CHECK_FAILED;
	if (job->size != expected->size)
		assay_fail(&findings[CHECK_DIGEST].err, EKEYREJECTED,
			   "it is not the file that was signed: it has %" PRIu64
			   " bytes, that had %" PRIu64,
			   job->size, expected->size);
	else if (!verity_digest_equal(&job->digest, &expected->digest))
		assay_fail(&findings[CHECK_DIGEST].err, EKEYREJECTED,
			   "it is not the file that was signed: its fs-verity digest is %s, the "
			   "manifest has %s",
			   assay_digest_text(&job->digest, is),
			   assay_digest_text(&expected->digest, wanted));
	else
		findings[CHECK_DIGEST].result = CHECK_PASSED;
}

/*
 * A signature's file, which may be anything. 1: there is none
 */
static int read_signature(const char *path, struct buffer *out, struct assay_error *err)
{
	/* O_NONBLOCK: do not wait for a FIFO's writer, only to refuse it then. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), code = errno;
	uint8_t *place;
	struct stat st;
	ssize_t got;

	if (fd < 0 && code == ENOENT)
		return 1;
	if (fd < 0)
		return assay_fail(err, code, "cannot open the signature %s: %s", path,
				  strerror(code));
	place = buffer_reserve(out, VERITY_SIGNATURE_MAX + 1);
	if (!place || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return !place ? out_of_memory(err) :
				assay_fail(err, EINVAL, "the signature %s is not a regular file",
					   path);
	}
	while (out->size <= VERITY_SIGNATURE_MAX &&
	       (got = read(fd, place + out->size, VERITY_SIGNATURE_MAX + 1 - out->size)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			code = errno;
			close(fd);
			return assay_fail(err, code, "cannot read the signature %s: %s", path,
					  strerror(code));
		}
		out->size += (size_t)got;
	}
	close(fd);
	return 0;
}

/* The built-in signature that belongs to a file; 1 if there is none. */
static int find_pkcs7(const struct check_options *options, const char *path, struct buffer *out,
		      struct assay_error *err)
{
	int r = 1;

	if (options->signature) {
		r = read_signature(options->signature, out, err);
		return r == 1 ? assay_fail(err, ENOENT, "cannot open the signature %s: %s",
					   options->signature, strerror(ENOENT)) :
				r;
	}
	for (size_t i = 0; r == 1 && i < sizeof(signature_suffixes) / sizeof(signature_suffixes[0]);
	     i++) {
		char *name;

		if (asprintf(&name, "%s%s", path, signature_suffixes[i]) < 0)
			return out_of_memory(err);
		r = read_signature(name, out, err);
		free(name);
	}
	return r;
}

/* The file's security.ima; 1 if it has none, or one that is not a signature of this kind. */
static int find_ima(int fd, struct buffer *out, struct check_finding *finding)
{
	uint8_t *place = buffer_reserve(out, IMA_SIG_MAX);
	ssize_t size;

	if (!place)
		return out_of_memory(&finding->err);
	size = fgetxattr(fd, IMA_SIG_XATTR, place, IMA_SIG_MAX);
	if (size < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) {
		assay_fail(&finding->err, ENODATA, "the file has no " IMA_SIG_XATTR);
		return 1;
	}
	if (size < 0)
		return assay_fail(&finding->err, errno, "cannot read " IMA_SIG_XATTR ": %s",
				  errno == ERANGE ? "it is longer than any signature" :
						    strerror(errno));
	out->size = (size_t)size;
	if (size > 0 && place[0] != IMA_SIG_TYPE) {
		assay_fail(&finding->err, ENODATA,
			   IMA_SIG_XATTR " holds no signature of the fs-verity digest, but "
					 "something else (type %u)",
			   place[0]);
		return 1;
	}
	return 0;
}

/* A file given by name: its signatures are beside it and in its extended attribute. */
static void check_loose(const struct check_options *options, const struct trust *trust,
			const struct verity_job *job, struct check_finding *findings)
{
	struct buffer pkcs7 = { 0 }, ima = { 0 };
	int pkcs7_found, ima_found;

	if (job->result < 0) {
		findings[CHECK_DIGEST].result = CHECK_FAILED;
		findings[CHECK_DIGEST].err = job->err;
		assay_fail(&findings[CHECK_PKCS7].err, ENODATA, "there is no digest to check");
		findings[CHECK_IMA].err = findings[CHECK_PKCS7].err;
		return;
	}
	assay_fail(&findings[CHECK_DIGEST].err, ENODATA, "no manifest says which it should be");
	assay_fail(&findings[CHECK_PKCS7].err, ENODATA,
		   "there is no built-in signature beside the file");
	pkcs7_found = find_pkcs7(options, job->path, &pkcs7, &findings[CHECK_PKCS7].err);
	ima_found = find_ima(job->fd, &ima, &findings[CHECK_IMA]);
	if (pkcs7_found < 0 || (pkcs7_found == 1 && options->need_pkcs7))
		findings[CHECK_PKCS7].result = CHECK_FAILED;
	if (ima_found < 0 || (ima_found == 1 && options->need_ima))
		findings[CHECK_IMA].result = CHECK_FAILED;
	check_signatures(trust, &job->digest, pkcs7_found == 0 ? &pkcs7 : NULL,
			 ima_found == 0 ? &ima : NULL, findings);
	if (findings[CHECK_PKCS7].result == CHECK_NOT_MADE &&
	    findings[CHECK_IMA].result == CHECK_NOT_MADE) {
		findings[CHECK_PKCS7].result = CHECK_FAILED;
		assay_fail(&findings[CHECK_PKCS7].err, ENODATA,
			   "it is not signed: there is neither %s%s nor %s%s, and %s", "FILE",
			   signature_suffixes[0], "FILE", signature_suffixes[1],
			   findings[CHECK_IMA].err.text);
	}
	buffer_free(&pkcs7);
	buffer_free(&ima);
}

void check_file(const struct check_options *options, const struct trust *trust,
		const struct verity_job *job, struct check_item *item)
{
	if (item->listed)
		check_expected(options, trust, job, &item->expected, item->findings);
	else
		check_loose(options, trust, job, item->findings);
}

void check_item_clear(struct check_item *item)
{
	buffer_free(&item->expected.pkcs7);
	buffer_free(&item->expected.ima);
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		struct check_finding *finding = &item->findings[i];

		free(finding->signer);
		finding->signer = NULL;
		finding->result = CHECK_NOT_MADE;
		/* To zero all of the text would take longer than the rest. */
		finding->err.code = 0;
		finding->err.text[0] = '\0';
	}
}

bool check_findings_good(const struct check_finding *findings)
{
	for (size_t i = 0; i < CHECK_COUNT; i++)
		if (findings[i].result == CHECK_FAILED)
			return false;
	return true;
}
