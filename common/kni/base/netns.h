/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NETNS_H
#define KNIT_NETNS_H

#include <stddef.h>

/*
 * Network namespaces, for the calling thread only. Sockets and /dev/net/tun files opened between
 * enter and leave belong to the namespace for good, whatever thread uses them later.
 */

/*
 * Enters the namespace of that name below /run/netns, or at that path if it holds a '/'. NULL or
 * "" stays where it is. *saved_fd remembers the way back (-1: nothing to undo). 0, or a negative
 * errno, logged: -ENOENT no such namespace, -EINVAL not a namespace or name too long, -EPERM needs
 * CAP_SYS_ADMIN.
 */
int knit_netns_enter(const char *netns, int *saved_fd);

/* The same for a namespace that the caller has open as a file descriptor, and keeps. */
int knit_netns_enter_fd(int netns_fd, int *saved_fd);

/* The path of the namespace. 0 or -ENAMETOOLONG. */
int knit_netns_path(const char *netns, char *path, size_t size);

/* Only opens it, for the caller to close; *fd is -1 for NULL and "". Errors as of enter. */
int knit_netns_open(const char *netns, int *fd);

/* Goes back to the namespace before enter. May be called after a failed enter. */
void knit_netns_leave(int *saved_fd);

#endif
