// SPDX-License-Identifier: MIT
/* Every key of the configuration. assayd.conf(5) has the same; tests/lint manuals compares them. */
#include "config.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/*
 * Offset of a member; an error of the compiler if it is not of that type.
 * NOLINTBEGIN(bugprone-macro-parentheses): a member's name cannot stand in parentheses
 */
#define PLACE(member, type) \
	(offsetof(struct config, member) + 0 * sizeof(&((struct config *)0)->member == (type *)0))

#define TEXT(member) .type = CONFIG_TEXT, .place = PLACE(member, char *)
#define PATH(member) .type = CONFIG_PATH, .place = PLACE(member, char *)
#define BOOL(member) .type = CONFIG_BOOL, .place = PLACE(member, bool)
#define NUMBER(member, least, most) \
	.type = CONFIG_NUMBER, .place = PLACE(member, uint64_t), .min = (least), .max = (most)
#define SIZE(member, least, most) \
	.type = CONFIG_SIZE, .place = PLACE(member, uint64_t), .min = (least), .max = (most)
#define DURATION(member, least, most) \
	.type = CONFIG_DURATION, .place = PLACE(member, uint64_t), .min = (least), .max = (most)
#define CHOICE(member, words) .type = CONFIG_CHOICE, .place = PLACE(member, int), .values = (words)
#define LIST(member) .type = CONFIG_LIST, .place = PLACE(member, struct config_list)
/* NOLINTEND(bugprone-macro-parentheses) */

/* clang-format off */
const struct config_key config_keys[] = {
	{ "service", "user", "assay",
	  "the user to become after the start, where the service is started as root",
	  TEXT(service.user) },
	{ "service", "state-directory", "/var/lib/assay", "what stays over a reboot",
	  PATH(service.state_directory) },
	{ "service", "runtime-directory", "/run/assay",
	  "what is told of the running service: state.json, the lock",
	  PATH(service.runtime_directory) },
	{ "service", "device-interval", "5s", "how often to look for /dev/assay",
	  DURATION(service.device_interval, 100, HOUR) },

	{ "status", "interval", "30s",
	  "the longest time between two writings of state.json and the metrics",
	  DURATION(status.interval, 100, DAY) },

	{ 0 },
};
/* clang-format on */
