/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_IOCTL_H
#define KNIT_IOCTL_H

#include "knit_shm.h"

#include <linux/ioctl.h>

/*
 * /dev/kni: how user space tells the kernel module what to serve.
 *
 * An open file is one of two things, by what is done with it first:
 *
 *   creating file   memory is added to it, interfaces are created with it. It belongs to the mm
 *                   (process) that first added memory: from another -EPERM. Its last close, also
 *                   by death, removes its interfaces and gives back its memory.
 *   attach file     of a worker or of control: interfaces are attached to it by their id. Its last
 *                   close, also by death, detaches all of them.
 *
 * A creating file may attach its own interfaces too (applications of rte_kni.h). It is opened with
 * O_CLOEXEC and not passed on; a forked child that inherits it keeps interfaces and memory alive.
 *
 * Rights: CAP_NET_ADMIN in the user namespace that owns the network namespace of the caller at
 * open and, for every call that names an interface, the one that the interface is in; RELEASE, by
 * its creator, KICK, by the file that attached the pair, and the calls about memory need no more
 * than the open file.
 *
 * A file that was opened without CAP_NET_ADMIN in the initial user namespace, as from within a
 * container, is not trusted: what it does may not hold up others. Requests of its interfaces are
 * asynchronous, as with KNIT_CREATE_ASYNC, and so are those of interfaces that it is the handler
 * of; KNIT_CREATE_BIND is refused; its packet threads are at its process' expense.
 *
 * Every struct starts with its size in bytes as the caller knows it. A shorter one than the
 * module's is taken as zero-extended, a longer one is -E2BIG unless the excess is zero. Fields
 * named reserved, and flags not listed, must be zero: else -EINVAL. Every call may fail with
 * -EPERM, -EFAULT, -EINVAL, -E2BIG, -ENOMEM, -EINTR (the caller is being killed), and -EBADF if it
 * names a file that is not open; further errors are listed with each. A call that fails has changed
 * nothing.
 */
#define KNIT_DEV_NAME "kni"
#define KNIT_DEV_PATH "/dev/" KNIT_DEV_NAME

/* What module this is. The first call to make; the only one whose struct never changes. */
struct knit_ioc_info {
	__u32 size;
	__u32 abi;	/* out: KNIT_ABI_VERSION; another one: use nothing else of this file */
	__u32 flags;	/* out: KNIT_INFO_* */
	__u32 features; /* out: KNIT_FEAT_* that the module serves */
	__u32 max_pairs;
	__u32 reserved[3];
};
#define KNIT_INFO_THREADS_MULTIPLE 0x0001 /* kthread_mode=multiple, or napi */
#define KNIT_INFO_CARRIER_ON 0x0002	  /* carrier=on */
#define KNIT_INFO_ASYNC 0x0004		  /* enable_bifurcated=on: all requests are asynchronous */
#define KNIT_INFO_LOOPBACK 0x0008  /* lo_mode is not none: user space's rings are not served */
#define KNIT_INFO_UNTRUSTED 0x0010 /* how this file was opened: see above */

/*
 * Memory that descriptors and shared blocks may name from now on: [addr, addr + len), mapped
 * writable in the caller, both multiples of page_size, not overlapping what was added before.
 * page_size: 4 KiB (any memory), or the size of the hugepages it consists of. Pinned until it is
 * deleted or the file closes, and accounted against RLIMIT_MEMLOCK.
 *
 * Pinning may move a page. Who told devices physical addresses before looks them up again
 * afterwards, and deletes the memory if one differs.
 *
 * -ENOMEM: over RLIMIT_MEMLOCK, or no memory; -EEXIST: overlaps; -EFAULT: not mapped, not
 * writable; -ENOTSUPP as -EOPNOTSUPP: not of that page size, or memory that can't be pinned for
 * long (a file, a device); -ENOSPC: more than KNIT_MAX_REGIONS; -EPERM: the file is another mm's.
 * DEL: exactly one region, or -ENOENT. On return the kernel touches it no more; frames that name
 * it are rejects. -EBUSY: an interface's shared block lies in it.
 */
struct knit_ioc_mem {
	__u32 size;
	__u32 flags; /* 0 */
	__u64 addr;
	__u64 len;
	__u64 page_size;
};
#define KNIT_MAX_REGIONS 4096

/*
 * Creates an interface, down, in the network namespace netns_fd (-1: the caller's), serving no
 * pair. shm is the address of its shared block (knit_shm.h), zero-filled but for the header, in
 * added memory; the caller has reset all its rings.
 *
 * -EEXIST: name taken; -ENODEV: not a network namespace; -EADDRNOTAVAIL: shm is not, entirely, in
 * added memory; -EPROTO: magic or version of the shared block; -ENOSPC: no id left; -ERANGE: MTU;
 * -EACCES: KNIT_CREATE_BIND by a file that is not trusted; -ENXIO: the CPU to bind to is not
 * online.
 */
struct knit_ioc_create {
	__u32 size;
	__u32 flags; /* KNIT_CREATE_* */
	__u64 shm;
	__u32 ring_size; /* knit_ring_size_ok */
	__u32 n_pairs;	 /* 1..KNIT_MAX_PAIRS */
	__u32 features;	 /* KNIT_FEAT_* */
	__s32 netns_fd;
	char name[16]; /* terminated; a valid interface name, no pattern */
	__u8 mac[6];   /* all zero: random */
	__u16 reserved0;
	__u32 mtu;
	__u32 min_mtu; /* 68..mtu */
	__u32 max_mtu; /* mtu..65535 */
	__u32 core_id; /* KNIT_CREATE_BIND: CPU for the interface's thread */
	/*
	 * eventfds that user space rings: for the packet thread (after a submit to rx_q or alloc_q,
	 * a release of tx_q or free_q, where the flags ask for it) and for the request work
	 * (answers in resp_q).
	 */
	__s32 packet_doorbell_fd;
	__s32 request_doorbell_fd;
	__u32 ifindex; /* out, in the interface's namespace */
	__u32 reserved1;
	__u64 id; /* out: names the interface in all other calls; never used again */
	__u32 reserved[4];
};
/* Never wait for user space: every request is asynchronous. */
#define KNIT_CREATE_ASYNC 0x0001
/* With carrier; without this flag the module's parameter `carrier` says. */
#define KNIT_CREATE_CARRIER 0x0002
/* Bind the thread to core_id, while that is online. */
#define KNIT_CREATE_BIND 0x0004
/* Its creator counts as handler for as long as it exists, whether or not it listens. */
#define KNIT_CREATE_ATTACHED 0x0008
#define KNIT_CREATE_FLAGS 0x000f

/*
 * Removes an interface of this creating file. Ends its own synchronous requests; for the kernel's
 * central lock (RTNL) it waits as every `ip link` does, so for another interface's synchronous
 * request three seconds at most. On return the kernel touches its shared block and buffers no more
 * and its name is free. Also succeeds once if its namespace was destroyed, and it with it. -ENOENT:
 * no such id, or another file's.
 */
struct knit_ioc_id {
	__u32 size;
	__u32 flags; /* 0 */
	__u64 id;
};

/*
 * Attaches a role on an interface to this file, until DETACH or its last close. A pair is served
 * from now on: its rings are claimed from their shared indexes. The handler is told what
 * knit_req.h says. doorbell_fd: eventfd the kernel rings for it (tx_q, free_q and alloc_q's room;
 * or req_q), -1: it polls.
 *
 * -ENOENT: no such interface, or pair; -EBUSY: attached to another file (a handler of an interface
 * made with KNIT_CREATE_ATTACHED is replaced instead); -EALREADY: to this one; -ENODEV: the
 * interface's namespace is gone; -EBADMSG: the ring indexes contradict each other.
 *
 * DETACH: by the file that attached, or by the creating file whoever attached; on return the kernel
 * touches none of the pair's memory. 0 also if nobody was attached.
 */
struct knit_ioc_attach {
	__u32 size;
	__u32 role; /* KNIT_ATTACH_* */
	__u64 id;
	__u32 pair;	   /* KNIT_ATTACH_PAIR; else 0 */
	__s32 doorbell_fd; /* DETACH: -1 */
	__u32 flags;	   /* DETACH, KNIT_ATTACH_HANDLER: 0 */
	__u32 reserved;
};
#define KNIT_ATTACH_PAIR 1
#define KNIT_ATTACH_HANDLER 2
/*
 * From whoever has the pair, if anybody: no packet is dropped in between, and what is in the queues
 * stays. That one has stopped to use them. -EPERM: the file was opened without CAP_NET_ADMIN. Older
 * modules have no flags (-EINVAL).
 */
#define KNIT_ATTACH_TAKE_OVER 0x0001

/*
 * Does now, in the caller's context, what the packet doorbell asks the packet thread for: up to 64
 * frames or 256 KiB of rx_q go to the stack, and a queue that was stopped for want of buffers or
 * room is woken. To be called instead of ringing, where the flags ask for that. What is left then
 * is the packet thread's, which is woken. If somebody else serves the pair at the moment, that one
 * takes what was submitted before the call. So the caller never has to call again, or to ring.
 *
 * Never sleeps, and waits for no other process. Any process that has the file may call, also a
 * forked one. An older module does not have it (-ENOTTY): ring the doorbell. With lo_mode it does
 * no more than the doorbell.
 *
 * -ENOENT: no such interface, or pair; -EPERM: this file did not attach the pair, or it was
 * detached.
 */
struct knit_ioc_kick {
	__u32 size;
	__u32 flags; /* 0 */
	__u64 id;
	__u32 pair;
	__u32 reserved;
};

/*
 * Carrier, speed and duplex as the port has them. -ENOENT: no such interface; -ENODEV: its
 * namespace is gone; -ENETDOWN with KNIT_LINK_IF_UP: it is down.
 */
struct knit_ioc_link {
	__u32 size;
	__u32 flags; /* KNIT_LINK_* */
	__u64 id;
	__u32 speed;  /* Mbit/s; UINT32_MAX: unknown */
	__u32 before; /* out: carrier before, 0 or 1 */
};
#define KNIT_LINK_UP 0x0001
#define KNIT_LINK_FULL_DUPLEX 0x0002
#define KNIT_LINK_IF_UP 0x0004	    /* only if the interface is up */
#define KNIT_LINK_KEEP_SPEED 0x0008 /* speed and duplex stay as they are */
#define KNIT_LINK_FLAGS 0x000f

/*
 * Counters of one pair and of the interface's requests. Every way to lose a packet has one; they
 * are what `ethtool -S` shows. Columns: name, meaning. New ones go to the end of the last list.
 */
#define KNIT_KMOD_PAIR_STATS(X)                                                                   \
	X(rx_packets, "frames handed to the stack")                                               \
	X(rx_bytes, "their bytes")                                                                \
	X(rx_down, "dropped: the interface is down")                                              \
	X(rx_no_memory, "dropped: no memory for an skb")                                          \
	X(tx_packets, "frames put on tx_q")                                                       \
	X(tx_bytes, "their bytes")                                                                \
	X(tx_no_worker, "dropped: no live worker serves the pair")                                \
	X(tx_too_long, "dropped: longer than the buffers on offer")                               \
	X(tx_bad_frame, "dropped: could not be linearised or summed")                             \
	X(tx_stops, "times the queue was stopped for want of buffers or room")                    \
	X(tx_wakes, "times it was woken")                                                         \
	X(wakeups, "times the packet thread slept and was woken; of the thread, not of the pair") \
	X(free_full, "cookies not returned, because free_q, spoiled by its owner, had no room")   \
	X(bad_index, "rejected: a ring index moved by more than the ring holds")                  \
	X(bad_flags, "rejected: unknown or contradicting flags, or reserved field not zero")      \
	X(bad_len, "rejected: segment empty or too long, frame too short or too long")            \
	X(bad_addr, "rejected: address outside the memory that was added")                        \
	X(bad_chain, "rejected: chain too long, or its end was never submitted")                  \
	X(bad_csum, "rejected: checksum position outside the frame")                              \
	X(bad_gso, "rejected: unknown segmentation type, or size or header length impossible")

/* Also of a pair. */
#define KNIT_KMOD_HANDOVER_STATS(X)                                  \
	X(kicks, "times a process served the pair itself, see KICK") \
	X(kicks_over, "times it left something to the packet thread")

#define KNIT_KMOD_REQ_STATS(X)                                                           \
	X(req_async, "asynchronous requests: nobody waited")                             \
	X(req_sync, "synchronous requests: somebody waited")                             \
	X(req_answered, "answers that matched")                                          \
	X(req_refused, "answers with an error")                                          \
	X(req_timeout, "synchronous requests without an answer in time")                 \
	X(req_killed, "synchronous requests whose caller was killed")                    \
	X(req_detached, "synchronous requests that ended because the handler went away") \
	X(req_late, "answers to cancelled requests")                                     \
	X(req_duplicate, "second answers")                                               \
	X(req_unknown, "answers to no request, or with an impossible result")            \
	X(req_bad_index, "times an index of req_q or resp_q was impossible")             \
	X(rxlist_over, "address lists longer than KNIT_RXLIST_MAX: all were requested")  \
	X(req_reverted, "values of the kernel taken back after a refusal")               \
	X(req_cancelled, "asynchronous requests that ended with their handler and were sent again")

/*
 * pair: its number. The request counters are the interface's. -ENOENT: no such interface, or pair.
 */
struct knit_ioc_stats {
	__u32 size;
	__u32 pair;
	__u64 id;
#define X(name, text) __u64 name;
	KNIT_KMOD_PAIR_STATS(X)
	KNIT_KMOD_REQ_STATS(X)
	KNIT_KMOD_HANDOVER_STATS(X)
#undef X
};

#define KNIT_IOC_MAGIC 0xbd
#define KNIT_IOC_INFO _IOWR(KNIT_IOC_MAGIC, 1, struct knit_ioc_info)
#define KNIT_IOC_MEM_ADD _IOW(KNIT_IOC_MAGIC, 2, struct knit_ioc_mem)
#define KNIT_IOC_MEM_DEL _IOW(KNIT_IOC_MAGIC, 3, struct knit_ioc_mem)
#define KNIT_IOC_CREATE _IOWR(KNIT_IOC_MAGIC, 4, struct knit_ioc_create)
#define KNIT_IOC_RELEASE _IOW(KNIT_IOC_MAGIC, 5, struct knit_ioc_id)
#define KNIT_IOC_ATTACH _IOW(KNIT_IOC_MAGIC, 6, struct knit_ioc_attach)
#define KNIT_IOC_DETACH _IOW(KNIT_IOC_MAGIC, 7, struct knit_ioc_attach)
#define KNIT_IOC_SET_LINK _IOWR(KNIT_IOC_MAGIC, 8, struct knit_ioc_link)
#define KNIT_IOC_STATS _IOWR(KNIT_IOC_MAGIC, 9, struct knit_ioc_stats)
#define KNIT_IOC_KICK _IOW(KNIT_IOC_MAGIC, 10, struct knit_ioc_kick)

KNIT_ASSERT_SIZE(struct knit_ioc_info, 32);
KNIT_ASSERT_SIZE(struct knit_ioc_mem, 32);
KNIT_ASSERT_SIZE(struct knit_ioc_create, 112);
KNIT_ASSERT_OFFSET(struct knit_ioc_create, shm, 8);
KNIT_ASSERT_OFFSET(struct knit_ioc_create, name, 32);
KNIT_ASSERT_OFFSET(struct knit_ioc_create, mtu, 56);
KNIT_ASSERT_OFFSET(struct knit_ioc_create, ifindex, 80);
KNIT_ASSERT_OFFSET(struct knit_ioc_create, reserved1, 84);
KNIT_ASSERT_OFFSET(struct knit_ioc_create, id, 88);
KNIT_ASSERT_OFFSET(struct knit_ioc_create, reserved, 96);
KNIT_ASSERT_SIZE(struct knit_ioc_id, 16);
KNIT_ASSERT_SIZE(struct knit_ioc_attach, 32);
KNIT_ASSERT_SIZE(struct knit_ioc_link, 24);
KNIT_ASSERT_SIZE(struct knit_ioc_stats, 304);
KNIT_ASSERT_OFFSET(struct knit_ioc_stats, rx_packets, 16);
KNIT_ASSERT_OFFSET(struct knit_ioc_stats, req_async, 176);
KNIT_ASSERT_OFFSET(struct knit_ioc_stats, kicks, 288);
KNIT_ASSERT_SIZE(struct knit_ioc_kick, 24);

#endif
