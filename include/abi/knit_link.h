/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_LINK_H
#define KNIT_LINK_H

/*
 * What rtnetlink tells about an interface of the module: IFLA_LINKINFO with IFLA_INFO_KIND
 * KNIT_LINK_KIND, and these in IFLA_INFO_DATA. All are read-only; new ones are appended.
 */
#define KNIT_LINK_KIND "kni"

enum knit_link_attr {
	KNIT_LINK_UNSPEC,
	KNIT_LINK_ID,	    /* u64: its id in the calls of /dev/kni */
	KNIT_LINK_PAIRS,    /* u32: queue pairs */
	KNIT_LINK_ACTIVE,   /* u32: those that are served, a bit each */
	KNIT_LINK_FEATURES, /* u32: KNIT_FEAT_* */
	KNIT_LINK_MODE,	    /* u32: KNIT_LINK_SYNC, KNIT_LINK_ASYNC */
	KNIT_LINK_HANDLER,  /* u32: 1: somebody answers requests */
	KNIT_LINK_REFUSED,  /* u32: 1: the port could not be started; it has no carrier */
	KNIT_LINK_ATTRS,
};

#define KNIT_LINK_SYNC 0  /* `ip link set` waits for the handler's answer */
#define KNIT_LINK_ASYNC 1 /* it does not */

#endif
