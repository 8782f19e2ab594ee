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

	{ "measure", "rules", "/etc/assay/measure.d", "where the rules are: assay-measure.d(5)",
	  PATH(measure.rules) },
	{ "measure", "certificates", "/etc/assay/certificates",
	  "whose manifests are believed: files of certificates", PATH(measure.certificates) },
	{ "measure", "read", "no", "have the kernel read every file to its end", BOOL(measure.read) },
	{ "measure", "wait", "60s", "how long the start waits for the first pass over the rules",
	  DURATION(measure.wait, 0, HOUR) },
	{ "measure", "settle", "2s", "how long after a mount the rules are gone through again",
	  DURATION(measure.settle, 1, HOUR) },
	{ "measure", "timeout", "10min", "how long a pass over the rules, or a call, may take",
	  DURATION(measure.timeout, SECOND, DAY) },

	{ "archive", "directory", "/var/lib/assay/archive", "where archives are: a directory a boot",
	  PATH(archive.directory) },
	{ "archive", "interval", "1min", "archive the log when a record waits so long",
	  DURATION(archive.interval, 10, DAY) },
	{ "archive", "size", "1M", "archive the log when so much of it waits; a file has no more",
	  SIZE(archive.size, 4096, 64U << 20) },
	{ "archive", "trim-at", "50",
	  "cut off the log what is archived when it fills so many percent of its memory; 0 never",
	  NUMBER(archive.trim_at, 0, 99) },
	{ "archive", "keep-size", "1G", "remove the oldest files when all have more; 0 for no limit",
	  SIZE(archive.keep_size, 0, UINT64_C(1) << 50) },
	{ "archive", "keep-age", "0s", "remove files that are older; 0 for no limit",
	  DURATION(archive.keep_age, 0, 36500 * DAY) },
	{ "archive", "keep-unacknowledged", "yes",
	  "never remove what no verifier has seen, whatever its size and age",
	  BOOL(archive.keep_unacknowledged) },

	{ "ima", "keep", "yes", "archive IMA's list", BOOL(ima.keep) },
	{ "ima", "staging", "auto",
	  "delete from the kernel what is archived: where it can (CONFIG_IMA_STAGING), or never",
	  CHOICE(ima.staging, "auto|yes|no") },
	{ "ima", "mirror", "auto",
	  "put the entries into assay's log as well: where IMA never extended the TPM, always, or never",
	  CHOICE(ima.mirror, "auto|yes|no") },
	{ "ima", "entries", "1000", "archive when so many entries wait", NUMBER(ima.entries, 1, 1000000) },
	{ "ima", "interval", "1min", "archive when an entry waits so long",
	  DURATION(ima.interval, 100, DAY) },
	{ "ima", "poll", "2s", "how often to look how many entries there are",
	  DURATION(ima.poll, 50, HOUR) },
	{ "ima", "pcr", "10", "the PCR that IMA extends", NUMBER(ima.pcr, 0, 23) },
	{ "ima", "directory", "/sys/kernel/security/ima", "where the kernel shows IMA's lists",
	  PATH(ima.directory) },
	{ "ima", "tpm", "/sys/class/tpm/tpm0", "where the kernel shows the TPM's PCRs",
	  PATH(ima.tpm) },

	{ "status", "interval", "30s",
	  "the longest time between two writings of state.json and the metrics",
	  DURATION(status.interval, 100, DAY) },
	{ "status", "socket", "/run/assay/assayd", "the Varlink socket; empty for none",
	  PATH(status.socket) },
	{ "status", "group", "assay", "who may connect to it, besides root; empty for nobody",
	  TEXT(status.group) },
	{ "status", "clients", "16", "connections to it at a time", NUMBER(status.clients, 1, 256) },
	{ "status", "measure-access", "group", "who may have files measured by it",
	  CHOICE(status.measure_access, CONFIG_ACCESS) },
	{ "status", "quote-access", "root", "who may have quotes made by it",
	  CHOICE(status.quote_access, CONFIG_ACCESS) },
	{ "status", "metrics-file", "",
	  "a file of metrics for node_exporter's textfile collector; empty for none",
	  PATH(status.metrics_file) },
	{ "status", "metrics-listen", "",
	  "where metrics can be had by HTTP: the path of a socket, 127.0.0.1:PORT or [::1]:PORT; "
	  "empty for nowhere",
	  TEXT(status.metrics_listen) },

	{ "attest", "ak", "",
	  "the attestation key: a key file, a credential's name, or handle:0x81...; without it there "
	  "are no quotes",
	  TEXT(attest.ak) },
	{ "attest", "ak-cert", "", "its certificate, PEM or DER, to put into evidence",
	  TEXT(attest.ak_certificate) },
	{ "attest", "pcrs", "", "PCRs to quote, 0,4,7; empty for those of the logs",
	  TEXT(attest.pcrs) },
	{ "attest", "bank", "sha256", "their banks", TEXT(attest.banks) },
	{ "attest", "policy", "", "quote as well what this verifier's policy asks for",
	  PATH(attest.policy) },
	{ "attest", "assay-log", "yes", "put assay's log into evidence", BOOL(attest.assay_log) },
	{ "attest", "ima-log", "yes", "put IMA's list into it", BOOL(attest.ima_log) },
	{ "attest", "uefi-log", "yes", "put the firmware's log into it, where there is one",
	  BOOL(attest.uefi_log) },
	{ "attest", "tcti", "", "where the TPM is; empty for /dev/tpmrm0", TEXT(attest.tcti) },
	{ "attest", "parent", "", "the persistent key below which the attestation key stands",
	  TEXT(attest.parent) },
	{ "attest", "parent-password-file", "", "a file or credential with its password",
	  TEXT(attest.parent_password) },
	{ "attest", "owner-password-file", "",
	  "a file or credential with the password of the TPM's owner hierarchy",
	  TEXT(attest.owner_password) },
	{ "attest", "program", "", "the program assay; empty for the one that is installed with assayd",
	  PATH(attest.program) },
	{ "attest", "timeout", "2min", "how long making evidence may take",
	  DURATION(attest.timeout, SECOND, HOUR) },
	{ "attest", "queue", "4", "how many may wait for evidence", NUMBER(attest.queue, 1, 64) },

	{ "push", "url", "", "the verifier, https://HOST[:PORT][/PATH]; empty for none",
	  TEXT(push.url) },
	{ "push", "name", "", "what this device is called there; empty for the machine's id",
	  TEXT(push.name) },
	{ "push", "ca", "",
	  "a file or credential of certificates, one of which vouches for the verifier's; empty for "
	  "the system's",
	  TEXT(push.ca) },
	{ "push", "client-cert", "", "a file or credential: this device's certificate, PEM",
	  TEXT(push.certificate) },
	{ "push", "client-key", "", "a file or credential: its key, if not in the same file",
	  TEXT(push.key) },
	{ "push", "proxy", "", "URL of a proxy; the environment's is never used", TEXT(push.proxy) },
	{ "push", "unix-socket", "",
	  "speak to this socket, in place of the URL's host; the URL may be http:// then",
	  PATH(push.unix_socket) },
	{ "push", "timeout", "1min", "for a connection, and for an answer",
	  DURATION(push.timeout, SECOND, 10 * MINUTE) },
	{ "push", "min-interval", "10s", "the shortest time between attestations, whatever the "
	  "verifier asks for", DURATION(push.interval_least, SECOND, DAY) },
	{ "push", "max-interval", "1d", "the longest", DURATION(push.interval_most, SECOND, 366 * DAY) },
	{ "push", "retry", "5s", "what is waited after a failure; twice as long each time",
	  DURATION(push.retry_first, 100, HOUR) },
	{ "push", "max-retry", "1h", "at most", DURATION(push.retry_most, SECOND, DAY) },
	{ "push", "jitter", "10", "percent by which to come earlier than is asked for, at random",
	  NUMBER(push.jitter, 0, 100) },

	{ 0 },
};
/* clang-format on */
