/* SPDX-License-Identifier: MIT */
/*
 * The service's manager and its journal: systemd's (manager_systemd.c), or standard error alone
 * (manager_plain.c).
 */
#ifndef ASSAY_ASSAYD_MANAGER_H
#define ASSAY_ASSAYD_MANAGER_H

/* Of syslog(3). */
enum manager_priority {
	MANAGER_ERROR = 3,
	MANAGER_WARNING = 4,
	MANAGER_NOTICE = 5,
	MANAGER_INFO = 6,
};

/*
 * manager_tell() - a line of the journal
 * @part: field ASSAY_PART; NULL: none
 * @key: field ASSAY_PROBLEM; NULL: it is none
 */
void manager_tell(enum manager_priority priority, const char *part, const char *key,
		  const char *text);

/* sd_notify(3) */
void manager_ready(void);
void manager_reloading(void);
void manager_stopping(void);
/* manager_status() - one line for `systemctl status` */
void manager_status(const char *text);

#endif /* ASSAY_ASSAYD_MANAGER_H */
