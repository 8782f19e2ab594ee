// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

int peer_read(int fd, struct peer *ret, struct assay_error *err)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	gid_t *groups;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return assay_fail(err, errno, "cannot tell who has connected: %s", strerror(errno));
	size = 0;
	/* Tells how much there is. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		size = 0;
	if (size > GROUPS_MAX * sizeof(*groups))
		return assay_fail(err, E2BIG, "who has connected is in too many groups");
	groups = malloc(size ? size : 1);
	if (!groups)
		return assay_fail(err, ENOMEM, "out of memory");
	if (size > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		size = 0;
	*ret = (struct peer){ credentials.uid, credentials.gid, groups, size / sizeof(*groups) };
	return 0;
}

void peer_free(struct peer *peer)
{
	free(peer->groups);
	*peer = (struct peer){ 0 };
}

bool peer_is_root(const struct peer *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}

bool peer_is_in(const struct peer *peer, const char *group)
{
	const struct group *entry;

	if (peer_is_root(peer))
		return true;
	entry = group[0] ? getgrnam(group) : NULL;
	if (!entry)
		return false;
	for (size_t i = 0; i < peer->group_count; i++)
		if (peer->groups[i] == entry->gr_gid)
			return true;
	return peer->gid == entry->gr_gid;
}
