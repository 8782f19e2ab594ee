// SPDX-License-Identifier: MIT
/*
 * Quotes of audited sessions that must be refused, and which check must do it. The session's digest
 * is computed here on its own, from the specification (TPM 2.0 Library, Part 1).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <string.h>

#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

#define CC_QUOTE 0x158
#define CC_PCR_EXTEND 0x182
#define CC_NV_CERTIFY 0x184

/* The fixture's nonce, "this is a nonce!". */
#define REPORT(members) \
	"\x1e{\"mediaType\":\"application/vnd.io.systemd.report\",\"metrics\":[]" members "}\n"
#define REPORT_METRICS(metrics) \
	"\x1e{\"mediaType\":\"application/vnd.io.systemd.report\",\"metrics\":[" metrics "]}\n"
#define NONCE ",\"nonce\":\"dGhpcyBpcyBhIG5vbmNlIQ==\""
#define NONCE_METRIC                                                    \
	"{\"name\":\"io.systemd.Files.assay_nonce\",\"object\":\"/x\"," \
	"\"value\":\"746869732069732061206e6f6e636521\\n\"}"

/* struct session - the session in the making: what is told of it, right or wrong */
struct session {
	enum fixture_key signer;
	uint32_t magic;
	uint16_t type;
	bool other_name; /* of who signs */
	uint8_t exclusive;
	uint16_t hash;
	int digest_size; /* -1: what it is */
	uint32_t resets, restarts;
	int64_t clock;		  /* behind the quote's */
	size_t certified, handed; /* NV indices: by the TPM, and of these handed over */
	bool swapped;		  /* those that are handed over */
	bool certified_is_quote;  /* what is handed over last */
	bool extends;		  /* a PCR, behind the quote */
	bool begins_anew;	  /* behind the quote: auditReset */
	bool quote_has_nonce;
	const char *text, *other_text; /* the one that is attested; what is there in its place */
	uint16_t text_hash;
};

static struct session good(void)
{
	return (struct session){ .signer = KEY_P256,
				 .magic = TPM_GENERATED,
				 .type = TPM_ST_ATTEST_SESSION_AUDIT,
				 .exclusive = 1,
				 .hash = ASSAY_HASH_SHA256,
				 .digest_size = -1,
				 .clock = 5,
				 .certified = 2,
				 .handed = 2,
				 .text = REPORT(NONCE),
				 .text_hash = ASSAY_HASH_SHA256 };
}

static void put_sized(struct buffer *out, struct bytes bytes)
{
	buffer_append_be16(out, (uint16_t)bytes.size);
	buffer_append_bytes(out, bytes);
}

static size_t digest(uint16_t hash, const struct buffer *in, uint8_t ret[ASSAY_DIGEST_MAX])
{
	unsigned int size = 0;

	assert_true(EVP_Digest(in->data, in->size, ret, &size,
			       EVP_get_digestbyname(assay_hash_name(hash)), NULL));
	return size;
}

/* auditDigest = H(auditDigest || cpHash || rpHash); both buffers are taken. */
static void audit(struct buffer *state, uint16_t hash, struct buffer command,
		  struct buffer response)
{
	uint8_t value[ASSAY_DIGEST_MAX];
	size_t size = digest(hash, &command, value);

	buffer_append(state, value, size);
	size = digest(hash, &response, value);
	buffer_append(state, value, size);
	size = digest(hash, state, value);
	state->size = 0;
	buffer_append(state, value, size);
	assert_false(state->failed);
	buffer_free(&command);
	buffer_free(&response);
}

static struct buffer response_of(uint32_t code, struct bytes attest, struct bytes signature)
{
	struct buffer out = { 0 };

	buffer_append_be32(&out, 0);
	buffer_append_be32(&out, code);
	put_sized(&out, attest);
	buffer_append_bytes(&out, signature);
	return out;
}

static void put_name(struct buffer *out, const struct fixture *f)
{
	const struct buffer *public = &f->evidence.ak_public;
	struct buffer area = fixture_copy(BYTES(public->data + 2, public->size - 2));
	uint8_t value[ASSAY_DIGEST_MAX];

	buffer_append_be16(out, ASSAY_HASH_SHA256);
	buffer_append(out, value, digest(ASSAY_HASH_SHA256, &area, value));
	buffer_free(&area);
}

static void audit_quote(const struct fixture *f, const struct session *session,
			struct buffer *state)
{
	struct buffer command = { 0 };

	buffer_append_be32(&command, CC_QUOTE);
	put_name(&command, f);
	put_sized(&command, buffer_bytes(&f->quote.nonce));
	buffer_append_be16(&command, TPM_ALG_NULL);
	buffer_append_be32(&command, f->quote.selection_count);
	for (size_t i = 0; i < f->quote.selections_written; i++) {
		buffer_append_be16(&command, f->quote.selections[i].bank);
		buffer_append_u8(&command, f->quote.selections[i].size);
		buffer_append(&command, f->quote.selections[i].select, f->quote.selections[i].size);
	}
	audit(state, session->hash, command,
	      response_of(CC_QUOTE, buffer_bytes(&f->evidence.attest),
			  buffer_bytes(&f->evidence.signature)));
}

static void put_head(struct buffer *out, const struct fixture *f, uint32_t magic, uint16_t type,
		     struct bytes extra)
{
	buffer_append_be32(out, magic);
	buffer_append_be16(out, type);
	put_sized(out, buffer_bytes(&f->quote.qualified_signer));
	put_sized(out, extra);
}

static void put_clock(struct buffer *out, const struct fixture *f, const struct session *session)
{
	buffer_append_be64(out, f->quote.clock + (uint64_t)session->clock);
	buffer_append_be32(out, f->quote.reset_count + session->resets);
	buffer_append_be32(out, f->quote.restart_count + session->restarts);
	buffer_append_u8(out, 1);
	buffer_append_be64(out, f->quote.firmware_version);
}

/* Of the index whose name is made up of its number. */
static void certify(struct fixture *f, const struct session *session, size_t number,
		    struct buffer *state)
{
	struct evidence_session *to = &f->evidence.session;
	struct buffer attest = { 0 }, signature, command = { 0 }, name = { 0 };

	buffer_append_be16(&name, ASSAY_HASH_SHA256);
	for (size_t i = 0; i < 32; i++)
		buffer_append_u8(&name, (uint8_t)(number + 1));
	put_head(&attest, f, TPM_GENERATED, TPM_ST_ATTEST_NV, BYTES_LITERAL("its qualifier"));
	put_clock(&attest, f, session);
	put_sized(&attest, buffer_bytes(&name));
	buffer_append_be16(&attest, 0);
	put_sized(&attest, BYTES_LITERAL("what is in it"));
	signature = fixture_sign(&f->quote, buffer_bytes(&attest));
	buffer_append_be32(&command, CC_NV_CERTIFY);
	put_name(&command, f);
	buffer_append_bytes(&command, buffer_bytes(&name));
	buffer_append_bytes(&command, buffer_bytes(&name));
	put_sized(&command, BYTES_LITERAL("its qualifier"));
	buffer_append_be16(&command, TPM_ALG_NULL);
	buffer_append_be16(&command, sizeof("what is in it") - 1);
	buffer_append_be16(&command, 0);
	audit(state, session->hash, command,
	      response_of(CC_NV_CERTIFY, buffer_bytes(&attest), buffer_bytes(&signature)));
	if (number < session->handed)
		assert_int_equal(evidence_add_certified(to, buffer_bytes(&attest),
							buffer_bytes(&signature), NULL),
				 0);
	buffer_free(&name);
	buffer_free(&attest);
	buffer_free(&signature);
}

/* By the session, so that it stays exclusive. */
static void extend_pcr(const struct session *session, struct buffer *state)
{
	struct buffer command = { 0 }, response = { 0 };

	buffer_append_be32(&command, CC_PCR_EXTEND);
	buffer_append_be32(&command, 14);
	buffer_append_be32(&command, 0);
	buffer_append_be32(&response, 0);
	buffer_append_be32(&response, CC_PCR_EXTEND);
	audit(state, session->hash, command, response);
}

static void attest_session(struct fixture *f, const struct session *session,
			   const struct buffer *state)
{
	struct fixture_quote as = f->quote;
	struct buffer extra = { 0 }, *out = &f->evidence.session.attest;
	struct buffer text =
		fixture_copy(BYTES((const uint8_t *)session->text, strlen(session->text)));
	uint8_t value[ASSAY_DIGEST_MAX];

	buffer_append_be16(&extra, session->text_hash);
	buffer_append(&extra, value, digest(session->text_hash, &text, value));
	put_head(out, f, session->magic, session->type, buffer_bytes(&extra));
	put_clock(out, f, session);
	buffer_append_u8(out, session->exclusive);
	put_sized(out, BYTES(state->data, session->digest_size < 0 ? state->size :
								     (size_t)session->digest_size));
	if (session->other_name)
		out->data[4 + 2 + 2 + 10] ^= 1;
	as.signer = session->signer;
	f->evidence.session.signature = fixture_sign(&as, buffer_bytes(out));
	f->evidence.session.text = session->other_text ?
					   fixture_copy(BYTES((const uint8_t *)session->other_text,
							      strlen(session->other_text))) :
					   fixture_copy(buffer_bytes(&text));
	f->evidence.has_session = true;
	buffer_free(&extra);
	buffer_free(&text);
}

/* After the quote: it is quoted anew, as systemd does, without a nonce. */
static void make(struct fixture *f, const struct session *session)
{
	struct evidence_session *to = &f->evidence.session;
	struct buffer state = { 0 };

	if (!session->quote_has_nonce)
		f->quote.nonce.size = 0;
	fixture_requote(f);
	for (size_t i = 0; i < assay_hash_size(session->hash); i++)
		buffer_append_u8(&state, 0);
	audit_quote(f, session, &state);
	if (session->extends)
		extend_pcr(session, &state);
	if (session->begins_anew)
		memset(state.data, 0, state.size);
	for (size_t i = 0; i < session->certified; i++)
		certify(f, session, i, &state);
	if (session->swapped) {
		struct evidence_certified first = to->certified[0];

		to->certified[0] = to->certified[1];
		to->certified[1] = first;
	}
	if (session->certified_is_quote)
		assert_int_equal(evidence_add_certified(to, buffer_bytes(&f->evidence.attest),
							buffer_bytes(&f->evidence.signature), NULL),
				 0);
	attest_session(f, session, &state);
	buffer_free(&state);
}

/* A session as a good one but for some members. */
#define SESSION(name, ...)                       \
	CHANGE(name)                             \
	{                                        \
		struct session session = good(); \
                                                 \
		__VA_ARGS__;                     \
		make(f, &session);               \
	}

SESSION(as_it_is, (void)0)
SESSION(certifies_nothing, session.certified = session.handed = 0)
SESSION(of_sha384, session.hash = ASSAY_HASH_SHA384)
SESSION(text_by_sha512, session.text_hash = ASSAY_HASH_SHA512)
SESSION(nonce_in_a_metric, session.text = REPORT_METRICS(NONCE_METRIC))
SESSION(not_exclusive, session.exclusive = 0)
SESSION(exclusive_is_2, session.exclusive = 2)
SESSION(pcr_extended, session.extends = true)
SESSION(begun_anew, session.extends = session.begins_anew = true)
SESSION(reset_between, session.resets = 1)
SESSION(restart_between, session.restarts = 1)
SESSION(clock_back, session.clock = -1)
SESSION(certified_left_out, session.handed = 1)
SESSION(certified_swapped, session.swapped = true)
SESSION(certified_a_quote, session.certified_is_quote = true)
SESSION(another_key, session.signer = KEY_P256_OTHER)
SESSION(another_name, session.other_name = true)
SESSION(another_magic, session.magic = 0)
SESSION(another_type, session.type = TPM_ST_ATTEST_COMMAND_AUDIT)
SESSION(of_sha1, session.hash = ASSAY_HASH_SHA1)
SESSION(digest_short, session.digest_size = 31)
SESSION(digest_none, session.digest_size = 0)
SESSION(text_by_sha1, session.text_hash = ASSAY_HASH_SHA1)
SESSION(another_text, session.other_text = REPORT(NONCE " "))
SESSION(another_nonce, session.text = REPORT(",\"nonce\":\"dGhpcyBpcyBhIG5vbmNlIj==\""))
SESSION(an_old_nonce, session.text = REPORT(",\"nonce\":\"dGhpcyBpcyBhIG5vbmNlPw==\""))
SESSION(no_nonce, session.text = REPORT(""))
SESSION(no_report, session.text = "this is a nonce!")
SESSION(two_metrics, session.text = REPORT_METRICS(NONCE_METRIC "," NONCE_METRIC))
SESSION(quote_answers_and_session_does_not, session.text = REPORT("");
	session.quote_has_nonce = true)

/* What was signed for the nonce, beside a quote of before. */
CHANGE(another_quote)
{
	as_it_is(f);
	f->quote.clock -= 1;
	fixture_requote(f);
}
/* A quote for no nonce, and no session: what a session is for. */
CHANGE(left_out)
{
	f->quote.nonce.size = 0;
	fixture_requote(f);
}
CHANGE(quote_signature_changed)
{
	as_it_is(f);
	f->evidence.signature.data[f->evidence.signature.size - 1] ^= 1;
}
CHANGE(attestation_cut)
{
	as_it_is(f);
	f->evidence.session.attest.size--;
}
CHANGE(attestation_longer)
{
	as_it_is(f);
	buffer_append_u8(&f->evidence.session.attest, 0);
}
CHANGE(signature_cut)
{
	as_it_is(f);
	f->evidence.session.signature.size--;
}
CHANGE(certified_cut)
{
	as_it_is(f);
	f->evidence.session.certified[1].attest.size--;
}

#define FAILS_IT (FAILS(QUOTE_SESSION) | FAILS(QUOTE_NONCE))

const struct bad_row bad_session[] = {
	{ "good: the session answers", AFTER_QUOTE, as_it_is, TRUSTED },
	{ "good: it certified nothing", AFTER_QUOTE, certifies_nothing, TRUSTED },
	{ "good: a session of SHA-384", AFTER_QUOTE, of_sha384, TRUSTED },
	{ "good: the text by SHA-512", AFTER_QUOTE, text_by_sha512, TRUSTED },
	{ "good: the nonce is in a metric", AFTER_QUOTE, nonce_in_a_metric, TRUSTED },
	{ "the session is left out", AFTER_QUOTE, left_out, FAILS(QUOTE_NONCE) },
	{ "the session was not exclusive", AFTER_QUOTE, not_exclusive, FAILS_IT },
	{ "exclusive is 2", AFTER_QUOTE, exclusive_is_2, FAILS_IT },
	{ "the session extended a PCR behind the quote", AFTER_QUOTE, pcr_extended, FAILS_IT },
	{ "the session began anew behind the quote", AFTER_QUOTE, begun_anew, FAILS_IT },
	{ "a reset behind the quote", AFTER_QUOTE, reset_between, FAILS_IT },
	{ "a restart behind the quote", AFTER_QUOTE, restart_between, FAILS_IT },
	{ "the session is older than the quote", AFTER_QUOTE, clock_back, FAILS_IT },
	{ "an older quote beside the session", AFTER_QUOTE, another_quote, FAILS_IT },
	{ "what it certified left out", AFTER_QUOTE, certified_left_out, FAILS_IT },
	{ "what it certified in another order", AFTER_QUOTE, certified_swapped, FAILS_IT },
	{ "the quote among what it certified", AFTER_QUOTE, certified_a_quote, FAILS_IT },
	{ "the session signed by another key", AFTER_QUOTE, another_key, FAILS_IT },
	{ "the session of another signer", AFTER_QUOTE, another_name, FAILS_IT },
	{ "the session's magic", AFTER_QUOTE, another_magic, FAILS_IT },
	{ "the session's type", AFTER_QUOTE, another_type, FAILS_IT },
	{ "a session of SHA-1", AFTER_QUOTE, of_sha1, FAILS_IT },
	{ "the session's digest short", AFTER_QUOTE, digest_short, FAILS_IT },
	{ "the session's digest empty", AFTER_QUOTE, digest_none, FAILS_IT },
	{ "the text by SHA-1", AFTER_QUOTE, text_by_sha1, FAILS_IT },
	{ "another text", AFTER_QUOTE, another_text, FAILS_IT },
	{ "the text's nonce is no base64", AFTER_QUOTE, another_nonce, FAILS_IT },
	{ "the text is no report", AFTER_QUOTE, no_report, FAILS_IT },
	{ "the text has two nonces", AFTER_QUOTE, two_metrics, FAILS_IT },
	{ "the text has an old nonce", AFTER_QUOTE, an_old_nonce, FAILS(QUOTE_NONCE) },
	{ "the text has no nonce", AFTER_QUOTE, no_nonce, FAILS(QUOTE_NONCE) },
	{ "the quote answers, and the session does not", AFTER_QUOTE,
	  quote_answers_and_session_does_not, FAILS(QUOTE_NONCE) },
	{ "the quote's signature changed", AFTER_QUOTE, quote_signature_changed,
	  FAILS_IT | FAILS(QUOTE_SIGNATURE) },
	{ "the session's attestation cut", AFTER_QUOTE, attestation_cut, FAILS_IT },
	{ "a byte behind the session's attestation", AFTER_QUOTE, attestation_longer, FAILS_IT },
	{ "the session's signature cut", AFTER_QUOTE, signature_cut, FAILS_IT },
	{ "what it certified cut", AFTER_QUOTE, certified_cut, FAILS_IT },
	{ 0 },
};
