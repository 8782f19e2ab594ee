/* SPDX-License-Identifier: MIT */
/*
 * The messages between a device that pushes its evidence and a verifier (assay-push(7)). Pure:
 * bytes in, facts out. The answers are foreign input: what reads them may run in a process of
 * its own, which is why they come to structures without pointers, and who takes such a structure
 * from there checks it once more.
 */
#ifndef ASSAY_PUSH_MESSAGE_H
#define ASSAY_PUSH_MESSAGE_H

#include <jansson.h>

#include "base/bytes.h"

#define PUSH_ANSWER_MAX 65536	      /* bytes of an answer; more is not read */
#define PUSH_NONCE_MIN 16	      /* bytes of a nonce */
#define PUSH_NONCE_MAX 64	      /* a TPM takes at most its largest digest */
#define PUSH_EXPIRES_MAX 86400U	      /* seconds that a nonce is good for */
#define PUSH_NEXT_MAX (366U * 86400U) /* seconds until the next attestation */
#define PUSH_SENTENCE_MAX 512	      /* bytes of a sentence of the verifier's, with its NUL */

/**
 * struct push_challenge - what the verifier asks for
 * @nonce: for the quote, @nonce_size bytes of it
 * @expires_in: seconds from the answer on for which evidence with it is taken
 * @log: how many records of assay's log it has judged: it needs those from this number on
 * @ima: likewise entries of IMA's list
 * @uefi: bytes of the firmware's log that it has judged: it needs none of it where the PCRs are as
 * then
 */
struct push_challenge {
	uint8_t nonce[PUSH_NONCE_MAX];
	uint32_t nonce_size;
	uint32_t expires_in;
	uint64_t log, ima, uefi;
};

enum push_word {
	PUSH_TRUSTED,
	PUSH_NOT_TRUSTED,
	PUSH_PENDING, /* taken; the verdict is not there yet */
	PUSH_WORDS,
};

/**
 * struct push_verdict - what the verifier makes of evidence
 * @reason: why it is not trusted, for people: fit to print; "" where nothing was said
 * @next_in: seconds until it wants the next
 * @has_acknowledged: @log and @ima are set: it keeps what it needs of the records and entries
 *                    before these numbers, and the device may forget them
 */
struct push_verdict {
	uint32_t word; /* enum push_word */
	char reason[PUSH_SENTENCE_MAX];
	uint32_t next_in;
	uint8_t has_acknowledged;
	uint64_t log, ima;
};

/* push_word_name() - "trusted", "not-trusted" or "pending" */
const char *push_word_name(enum push_word word);

/*
 * push_ask() - the request for a challenge, as JSON text behind @out
 * @boot_id: of the present boot, as in /proc/sys/kernel/random/boot_id without its newline
 *
 * Return: 0, -ENOMEM
 */
int push_ask(const char *boot_id, struct buffer *out, struct assay_error *err);

/*
 * push_challenge_parse(), push_verdict_parse() - read the verifier's answer
 *
 * Members that are not known are passed over, so that a verifier may say more; those that are
 * known must be right.
 * Return: 0; -EBADMSG with what is off; -EFBIG for more than PUSH_ANSWER_MAX bytes; -ENOMEM
 */
int push_challenge_parse(struct bytes text, struct push_challenge *ret, struct assay_error *err);
int push_verdict_parse(struct bytes text, struct push_verdict *ret, struct assay_error *err);

/*
 * push_challenge_check(), push_verdict_check() - is a structure that came from elsewhere one
 * that the parsers make?
 * push_sentence_check() - likewise PUSH_SENTENCE_MAX bytes of push_error_parse()
 *
 * Return: 0; -EBADMSG
 */
int push_challenge_check(const struct push_challenge *challenge, struct assay_error *err);
int push_verdict_check(const struct push_verdict *verdict, struct assay_error *err);
int push_sentence_check(const char *sentence, struct assay_error *err);

/*
 * push_error_parse() - the sentence of an answer that is an error
 * @sentence: PUSH_SENTENCE_MAX bytes; fit to print; "" where the answer has none
 */
void push_error_parse(struct bytes text, char *sentence);

#endif /* ASSAY_PUSH_MESSAGE_H */
