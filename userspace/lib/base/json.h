/* SPDX-License-Identifier: MIT */
/*
 * Strict JSON on top of jansson: duplicate keys, NUL characters, ill-formed UTF-8
 * and anything behind the value are refused, and each getter says which member of
 * what is missing or of another type.
 */
#ifndef ASSAY_BASE_JSON_H
#define ASSAY_BASE_JSON_H

#include <jansson.h>

#include "base/bytes.h"

/* json_parse() - one JSON object; json_decref() it. @what names it in errors. */
int json_parse(struct bytes text, const char *what, json_t **ret, struct assay_error *err);
/* json_parse_array() - one JSON array, likewise */
int json_parse_array(struct bytes text, const char *what, json_t **ret, struct assay_error *err);

/*
 * json_parse_front() - one JSON object off the front of @in
 * What follows it is left in @in, with the white space before it.
 */
int json_parse_front(struct bytes *in, const char *what, json_t **ret, struct assay_error *err);

/*
 * json_limit_values() - before text of strangers is parsed: a value of two bytes takes some hundred
 * bytes of memory
 * @text: one or more JSON texts, or what is none
 * @most: values, with those in others
 *
 * Return: 0; -EFBIG
 */
int json_limit_values(struct bytes text, size_t most, const char *what, struct assay_error *err);

/* Strings that are lifted: of that many bytes and more, as many at most. */
#define JSON_LIFT_FROM 1024
#define JSON_LIFT_MAX 8
/* Bytes of what is left of the text without them, at most. */
#define JSON_LIFT_REST (1U << 20)

/**
 * struct json_lifted - long strings that were left in the text that they stand in
 * @strings: each as it stands in the text; free of escapes
 * @count: how many
 * @taken: bit n: string n was taken
 *
 * A string of the value that begins with JSON_LIFT_MARK stands for one of them, by its number.
 * Text that has such a string itself names one that another one stands for: it is refused
 * when both are taken.
 */
struct json_lifted {
	struct bytes strings[JSON_LIFT_MAX];
	size_t count;
	uint32_t taken;
};

#define JSON_LIFT_MARK '!'

/*
 * json_parse_lifting() - json_parse() that makes no copies of long strings
 * @text: must stay for as long as @ret_lifted is used
 *
 * Return: as json_parse(); -EFBIG if more than JSON_LIFT_REST bytes are left without them
 */
int json_parse_lifting(struct bytes text, const char *what, struct json_lifted *ret_lifted,
		       json_t **ret, struct assay_error *err);

/* json_take_base64() - json_get_base64() of a string that may have been lifted */
int json_take_base64(const json_t *object, const char *key, const char *what,
		     struct json_lifted *lifted, struct buffer *out, struct assay_error *err);

/* The version of all of assay's files, their member "assay". */
#define JSON_VERSION 1

/* json_check_head() - are members "assay" and "type" of this version and that type? */
int json_check_head(const json_t *root, const char *type, const char *what,
		    struct assay_error *err);

/* Members of @object. Borrowed: they live as long as it does. */
int json_get_object(const json_t *object, const char *key, const char *what, const json_t **ret,
		    struct assay_error *err);
int json_get_string(const json_t *object, const char *key, const char *what, const char **ret,
		    struct assay_error *err);
/* 0 to 2^63-1; a negative number is refused. */
int json_get_unsigned(const json_t *object, const char *key, const char *what, uint64_t *ret,
		      struct assay_error *err);
/* Lower- or upper-case hex, appended to @out. */
int json_get_hex(const json_t *object, const char *key, const char *what, struct buffer *out,
		 struct assay_error *err);
/* Base64, appended to @out. */
int json_get_base64(const json_t *object, const char *key, const char *what, struct buffer *out,
		    struct assay_error *err);
/* A time such as "2026-01-31T23:59:59Z", no other form; seconds since 1970. */
int json_get_time(const json_t *object, const char *key, const char *what, uint64_t *ret,
		  struct assay_error *err);
/* -EINVAL naming the first member of @object that is not in @known (ended by NULL). */
int json_only(const json_t *object, const char *const known[], const char *what,
	      struct assay_error *err);

/*
 * json_write() - an object as text, a member a line, with a newline at its end
 * @root: taken over; NULL, which jansson gives without memory, is told
 * @what: names it in errors
 *
 * The stream's own errors are its owner's to check. Return: 0, -ENOMEM, -EIO
 */
int json_write(FILE *stream, json_t *root, const char *what, struct assay_error *err);

/* New values for json_object_set_new(); NULL without memory. */
json_t *json_hex(struct bytes bytes);
json_t *json_base64(struct bytes bytes);
/* Text of this program's own, which may have been cut inside a character. */
json_t *json_text(const char *text);
/* Foreign bytes as a string, escaped as text_escape() does. */
json_t *json_escaped(struct bytes bytes);

#endif /* ASSAY_BASE_JSON_H */
