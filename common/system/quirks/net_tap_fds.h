/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NET_TAP_FDS_H
#define KNIT_NET_TAP_FDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * net_tap gives every attached secondary copies of its queues' fds, when the secondary starts and
 * again at each start of the port, and never closes the older ones: they pile up, and keep queues
 * alive that the driver has replaced. These find them. They do not allocate; both read /proc, so
 * not for the packet path.
 */

/*
 * Fds of this process that are queues of the tap interface of that name, NULL: of any. At most max
 * of them go to fds. Returns how many there are. A queue whose interface was removed has the name
 * "".
 */
unsigned int knit_tap_fds(const char *ifname, int *fds, unsigned int max);

/*
 * In which network namespace the interface of a queue is now, the inode of nsfs. 0 or a negative
 * errno, -EPERM: needs CAP_NET_ADMIN there.
 */
int knit_tap_fd_netns(int fd, uint64_t *netns);

/*
 * Whether fds are the same files again and again, n_files of them in the same order each time. So
 * they are if the driver sent copies of its files once or more. Where kcmp(2) is absent or
 * forbidden, it counts: up to two times are taken for the same files.
 */
bool knit_tap_fds_repeat(const int *fds, unsigned int n, unsigned int n_files);

/* For a process that uses none: closes them all. Returns how many. */
unsigned int knit_tap_fds_close_all(void);

#endif
