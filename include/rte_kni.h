/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RTE_KNI_H
#define RTE_KNI_H

#include <rte_ether.h>
#include <rte_pci.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * Kernel network interfaces for DPDK applications.
 *
 * The calls down to rte_kni_close are those of DPDK's former KNI library; what was written for it
 * builds and runs unchanged. The interface itself is made by an engine: the kernel module rte_kni
 * if /dev/kni is there and usable, else a tap device served by a thread of the creating process.
 * docs/MIGRATING.md lists what deliberately differs from KNI.
 *
 * Environment, read when an interface is created: KNIT_ENGINE=kmod|tap chooses the engine by hand.
 * KNIT_HANDOVER=thread has a thread of the kernel do its part of each burst, on kmod; with auto
 * (the default) and inline rx_burst and tx_burst do it themselves where that thread sleeps.
 * The others mean nothing on kmod. Two play the part of the module's parameters on tap:
 * KNIT_CARRIER=on|off (off) is the carrier of new interfaces, KNIT_KTHREAD_MODE=single|multiple
 * (single) one thread for all interfaces or one each. KNIT_IO_URING=on|off (on): many frames are
 * handed over with one system call, where the kernel has io_uring and allows it.
 *
 * Directions are named as the application sees them here: rx_burst receives what the kernel sent,
 * tx_burst transmits to the kernel.
 *
 * Threads. One thread at a time per interface and direction (rx_burst, tx_burst, handle_request);
 * it may be another thread or process each time. alloc and release are for any number of threads,
 * but nobody forks meanwhile; init, close, register and unregister are for one at a time. The
 * handle is valid in every process that shares the EAL memory, forked children included; callbacks
 * run in the process that registered them.
 *
 * Memory on kmod. mbufs may lie in any memory of EAL's, also in what it takes and gives back while
 * it runs, and in what was registered with rte_extmem_register before the last interface was made;
 * frames in other memory are refused and counted (bad_addr). Such memory must stay registered until
 * all interfaces are released. It is pinned: RLIMIT_MEMLOCK counts for processes without
 * CAP_IPC_LOCK. An interface ends with its creator, or the last of that process's forked children.
 */

#define RTE_KNI_NAMESIZE 16    /**< as the kernel's IFNAMSIZ, final zero included */
#define RTE_KNI_MAX_IFACES 128 /**< at a time, of all processes that share EAL's memory */

struct rte_kni;
struct rte_mbuf;
struct rte_mempool;

/**
 * Callbacks that carry out the kernel's requests. Each returns 0 or a negative errno, which is the
 * kernel's answer. If change_mtu or config_network_if is not set, its requests succeed. If one of
 * the others is not set, the library sets the port with port_id through ethdev; with port_id
 * UINT16_MAX the request succeeds. -EAGAIN, -EBUSY and -ETIMEDOUT of an asynchronous request mean:
 * repeat it in a second.
 */
struct rte_kni_ops {
	uint16_t port_id; /**< handed to the callbacks */

	int (*change_mtu)(uint16_t port_id, unsigned int new_mtu);	 /**< a new MTU */
	int (*config_network_if)(uint16_t port_id, uint8_t if_up);	 /**< 1: up, 0: down */
	int (*config_mac_address)(uint16_t port_id, uint8_t mac_addr[]); /**< 6 bytes */
	int (*config_promiscusity)(uint16_t port_id, uint8_t to_on);	 /**< promiscuous mode */
	int (*config_allmulticast)(uint16_t port_id, uint8_t to_on);	 /**< all multicast */
};

/** The interface to create. */
struct rte_kni_conf {
	char name[RTE_KNI_NAMESIZE]; /**< of the interface; unused. More than 15 characters: cut */
	uint32_t core_id;	     /**< CPU for the interface's thread, if force_bind */
	uint16_t group_id;	     /**< not used */
	unsigned mbuf_size;	     /**< data room of the pool's mbufs, headroom excluded */
	struct rte_pci_addr addr;    /**< not used, as in KNI */
	struct rte_pci_id id;	     /**< not used, as in KNI */

	__extension__ uint8_t force_bind : 1; /**< bind the interface's thread to core_id */
	uint8_t mac_addr[RTE_ETHER_ADDR_LEN]; /**< all zero: random */
	uint16_t mtu;			      /**< 0: 1500 */
	uint16_t min_mtu;		      /**< below 68, and 0: 68 */
	uint16_t max_mtu;		      /**< 0: mtu */
};

/** Prepares the library; the argument is not used. Idempotent. Returns 0 or a negative errno. */
int rte_kni_init(unsigned int max_kni_ifaces);

/**
 * Creates an interface whose frames towards the application are received into mbufs of
 * pktmbuf_pool. ops is copied. Limits that exclude the MTU are widened.
 *
 * The kernel is offered 32 mbufs, 128 with SG, and more while it uses them up; no more at a time
 * than a quarter of what the pool has left. If the pool ever had too few, the log says so once.
 *
 * Returns NULL, and changes nothing, on a NULL pool or conf, an empty or used name, before init, if
 * there are RTE_KNI_MAX_IFACES interfaces, or if the engine can't make it (the log says why).
 */
struct rte_kni *rte_kni_alloc(struct rte_mempool *pktmbuf_pool, const struct rte_kni_conf *conf,
			      struct rte_kni_ops *ops);

/**
 * Removes the interface; its name is free again on return. No other thread or process may still
 * use the handle. 0, or -1 on NULL, an unknown handle, or in a process that did not create it.
 */
int rte_kni_release(struct rte_kni *kni);

/**
 * Serves the kernel's requests in the calling process, up to the first one that calls a callback
 * or sets a port. Requests for which somebody waits in the kernel are served first. Up and down
 * keep their order, and so do requests of one kind. Returns 0, also when there is no request or
 * when the calling process is not the interface's handler. Returns -1 on NULL or if the request
 * rings are corrupt.
 */
int rte_kni_handle_request(struct rte_kni *kni);

/**
 * Receives up to num frames that the kernel sent. Each is one mbuf of one segment of the pool
 * given to rte_kni_alloc. Also refills the kernel's stock of empty buffers. Returns the number
 * received.
 */
unsigned rte_kni_rx_burst(struct rte_kni *kni, struct rte_mbuf **mbufs, unsigned num);

/**
 * Hands up to num frames to the kernel; chains are accepted, mbufs may come from any pool. The
 * first n of them, n being returned, now belong to the library; the rest stays the caller's. Also
 * frees the mbufs the kernel is done with, even if num is 0.
 */
unsigned rte_kni_tx_burst(struct rte_kni *kni, struct rte_mbuf **mbufs, unsigned num);

/** The interface of that name, or NULL. */
struct rte_kni *rte_kni_get(const char *name);

/** The interface's name, or NULL on NULL. */
const char *rte_kni_get_name(const struct rte_kni *kni);

/**
 * Makes the calling process the interface's handler, with these callbacks. ops is copied. The
 * handler gets all requests from now on, and those that its predecessor did not answer. Returns 0,
 * or -1 on NULL or if a living handler has registered callbacks. The interface's creator is the
 * handler until another process registers, and again when that process has died.
 */
int rte_kni_register_handlers(struct rte_kni *kni, struct rte_kni_ops *ops);

/**
 * Clears the callbacks, whichever process registered them, and gives the requests back to the
 * interface's creator. 0, or -1 on NULL or if another process's callback did not return within
 * three seconds.
 */
int rte_kni_unregister_handlers(struct rte_kni *kni);

/**
 * Sets the interface's carrier; the kernel has it on return. Returns the previous state (0 or 1),
 * or -1 on NULL, if it is down, or if it could not be set within three seconds.
 */
int rte_kni_update_link(struct rte_kni *kni, unsigned int linkup);

/** Undoes rte_kni_init. Interfaces stay until they are released. */
void rte_kni_close(void);

#define RTE_KNI_OFFLOAD_SG 0x0001 /**< rx_burst may return chains */
#define RTE_KNI_OFFLOAD_CSUM \
	0x0002 /**< rx_burst may return RTE_MBUF_F_TX_*_CKSUM, tx_burst honours it */
#define RTE_KNI_OFFLOAD_TSO 0x0004  /**< likewise RTE_MBUF_F_TX_TCP_SEG; needs SG and CSUM */
#define RTE_KNI_OFFLOAD_USO 0x0008  /**< likewise RTE_MBUF_F_TX_UDP_SEG; needs SG and CSUM */
#define RTE_KNI_OFFLOAD_VLAN 0x0010 /**< likewise RTE_MBUF_F_TX_VLAN and RX_VLAN_STRIPPED */
/**
 * Frames with RTE_MBUF_F_TX_TCP_SEG may have up to 192 KiB, both ways. They say 0 as their length
 * in the IP header, and no driver takes them: rte_eth_tx_burst must not get them. tx_burst of an
 * interface without this flag cuts them. Needs TSO, the kernel module on Linux 5.19 or newer, and
 * mbufs with room for 3026 bytes behind the headroom.
 */
#define RTE_KNI_OFFLOAD_BIG_TCP 0x0020

/** What rte_kni_alloc does not offer. A field with value 0 changes nothing, but for size. */
struct rte_kni_ext_conf {
	uint32_t size;	   /**< sizeof(struct rte_kni_ext_conf) */
	uint32_t offloads; /**< RTE_KNI_OFFLOAD_* */
	uint16_t n_pairs;  /**< queue pairs, 1..16; 0: 1 */
	/** Entries of each queue, a power of two in 64..32768, with SG in 128..32768. 0: 1024. */
	uint16_t queue_size;
	uint16_t async; /**< 1: requests never wait for the application; so it is on tap always */
	/**
	 * 1: the kernel may get UDP datagrams of a flow that arrive together as one, which it takes
	 * apart in front of the socket. On tap not while somebody is known to look
	 * (docs/CONFIG.md); on kmod as ethtool -K NAME lro on. 0: it gets what arrives.
	 */
	uint16_t merge_datagrams;
	const char *engine; /**< "auto", "kmod" or "tap"; NULL: auto */
	const char *netns;  /**< name or path of a network namespace; NULL: the caller's */
};

/**
 * Creates an interface as rte_kni_alloc does, with several queue pairs and offloads. An interface
 * of rte_kni_alloc has one pair and no offloads, because an old application sends what it receives
 * without a look at its flags. Returns NULL also on a NULL or wrong ext.
 *
 * tx_burst of an interface with any RTE_KNI_OFFLOAD_* carries out all RTE_MBUF_F_TX_* flags named
 * there, and TX_IP_CKSUM. It writes the headers of mbufs that nobody shares in place and copies
 * others. What the interface lacks is done in software, with mbufs of pktmbuf_pool. Without any
 * offload, TX flags mean nothing, as in KNI.
 */
struct rte_kni *rte_kni_alloc_ext(struct rte_mempool *pktmbuf_pool, const struct rte_kni_conf *conf,
				  struct rte_kni_ops *ops, const struct rte_kni_ext_conf *ext);

/** As rte_kni_rx_burst, on one queue pair. Each pair may have a thread of its own. */
unsigned rte_kni_rx_burst_pair(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			       unsigned num);

/** As rte_kni_tx_burst, on one queue pair. Each pair may have a thread of its own. */
unsigned rte_kni_tx_burst_pair(struct rte_kni *kni, uint16_t pair, struct rte_mbuf **mbufs,
			       unsigned num);

/**
 * Handler: asks the kernel for every setting as it is now. Link, MTU, address, promiscuous mode,
 * allmulticast and address lists arrive as one request each. A process that registers after the
 * interface was made learns the settings so. Returns 0, or -1 on NULL, if the calling process is
 * not the handler, in a callback, or if the request rings are corrupt or full.
 */
int rte_kni_request_state(struct rte_kni *kni);

/**
 * Gets the addresses that the kernel wants to receive besides the interface's own: first n_uc
 * unicast addresses, then n_mc multicast addresses. It is a callback of the handler.
 */
typedef int (*rte_kni_rxlist_cb)(uint16_t port_id, const struct rte_ether_addr *addrs,
				 uint16_t n_uc, uint16_t n_mc);

/**
 * Sets the handler's callback for address lists. Call rte_kni_register_handlers first. Returns 0,
 * or -1 on NULL or if the calling process is not the handler.
 */
int rte_kni_register_rxlist(struct rte_kni *kni, rte_kni_rxlist_cb cb);

#ifdef __cplusplus
}
#endif

#endif
