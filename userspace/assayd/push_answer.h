/* SPDX-License-Identifier: MIT */
/*
 * A verifier's answers, parsed in a confined process: what runs there gives a structure, and what
 * takes it here checks it once more, since it may come from whoever has taken the parser over.
 * For push.c.
 */
#ifndef ASSAY_ASSAYD_PUSH_ANSWER_H
#define ASSAY_ASSAYD_PUSH_ANSWER_H

#include "confined.h"
#include "push/message.h"

/* confined_functions: the body of an answer of status 200, or of an error */
int push_parse_challenge(struct bytes input, struct buffer *out, struct assay_error *err);
int push_parse_verdict(struct bytes input, struct buffer *out, struct assay_error *err);
int push_parse_error(struct bytes input, struct buffer *out, struct assay_error *err);

/* Their output; -EPROTO, -EBADMSG for what they cannot have made. */
int push_answer_challenge(struct bytes output, struct push_challenge *ret, struct assay_error *err);
int push_answer_verdict(struct bytes output, struct push_verdict *ret, struct assay_error *err);
/* @sentence: PUSH_SENTENCE_MAX bytes; empty if it is not fit to print */
void push_answer_sentence(struct bytes output, char *sentence);

#endif /* ASSAY_ASSAYD_PUSH_ANSWER_H */
