/* SPDX-License-Identifier: MIT */
/*
 * What a call of org.assay asks for: numbers and bytes within bounds, as the process that has
 * parsed it gives them (varlink_parse.h), for the parts that answer it.
 */
#ifndef ASSAY_ASSAYD_CALL_H
#define ASSAY_ASSAYD_CALL_H

#include "base/bytes.h"

/* Bytes of a nonce at most. */
#define CALL_NONCE_MAX 64
/* Instead of a count that is not given. */
#define CALL_NO_COUNT UINT64_MAX

/**
 * struct call_parameters - the parameters of all methods; what is not given is 0
 * @count: CALL_NO_COUNT if it is not given
 * @file: 1: true
 * @path_count, @paths: each with its NUL; 0: none are given
 */
struct call_parameters {
	uint64_t first, count, since, since_ima;
	uint32_t file;
	uint32_t nonce_size;
	uint8_t nonce[CALL_NONCE_MAX];
	uint64_t path_count;
	struct bytes paths;
};

#endif /* ASSAY_ASSAYD_CALL_H */
