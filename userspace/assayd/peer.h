/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a Unix socket, and what they may do. */
#ifndef ASSAY_ASSAYD_PEER_H
#define ASSAY_ASSAYD_PEER_H

#include <sys/types.h>

#include "assay.h"

/**
 * struct peer - the process that has connected
 * @groups: its supplementary groups; peer_free() them
 */
struct peer {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t group_count;
};

/* peer_read() - of a connected socket, as the kernel has it (SO_PEERCRED, SO_PEERGROUPS) */
int peer_read(int fd, struct peer *ret, struct assay_error *err);
void peer_free(struct peer *peer);

/* peer_is_root() - is it root, or the service itself? */
bool peer_is_root(const struct peer *peer);
/* peer_is_in() - is it that, or in the group of this name? */
bool peer_is_in(const struct peer *peer, const char *group);

#endif /* ASSAY_ASSAYD_PEER_H */
