/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kni

#if !defined(KNI_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KNI_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>

/*
 * Where a frame changes hands:
 *
 *   kni_rx_take    taken from rx_q, and found good      kni_rx_stack   handed to the stack
 *   kni_tx_stack   taken from the stack                 kni_tx_submit  put on tx_q
 *
 * descs: how many descriptors the frame has. Between the two of a direction a frame may
 * be dropped; then one of the counters says why.
 */
/* Laid out as the kernel lays out its tracepoints. */
/* clang-format off */
DECLARE_EVENT_CLASS(kni_desc,
	TP_PROTO(const struct net_device *dev, u16 pair, u32 len, u32 descs),
	TP_ARGS(dev, pair, len, descs),
	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__field(u16, pair)
		__field(u32, len)
		__field(u32, descs)
	),
	TP_fast_assign(
		memcpy(__entry->name, dev->name, IFNAMSIZ);
		__entry->pair = pair;
		__entry->len = len;
		__entry->descs = descs;
	),
	TP_printk("dev=%s pair=%u len=%u descs=%u", __entry->name, __entry->pair, __entry->len,
		  __entry->descs)
);

DEFINE_EVENT(kni_desc, kni_rx_take,
	TP_PROTO(const struct net_device *dev, u16 pair, u32 len, u32 descs),
	TP_ARGS(dev, pair, len, descs)
);

DEFINE_EVENT(kni_desc, kni_tx_submit,
	TP_PROTO(const struct net_device *dev, u16 pair, u32 len, u32 descs),
	TP_ARGS(dev, pair, len, descs)
);

DECLARE_EVENT_CLASS(kni_skb,
	TP_PROTO(const struct net_device *dev, u16 pair, const struct sk_buff *skb),
	TP_ARGS(dev, pair, skb),
	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__field(const void *, skb)
		__field(u16, pair)
		__field(u32, len)
		__field(u32, headroom)
		__field(u8, ip_summed)
		__field(u16, gso_size)
	),
	TP_fast_assign(
		memcpy(__entry->name, dev->name, IFNAMSIZ);
		__entry->skb = skb;
		__entry->pair = pair;
		__entry->len = skb->len;
		__entry->headroom = skb_headroom(skb);
		__entry->ip_summed = skb->ip_summed;
		__entry->gso_size = skb_shinfo(skb)->gso_size;
	),
	TP_printk("dev=%s pair=%u skb=%p len=%u headroom=%u ip_summed=%u gso_size=%u",
		  __entry->name, __entry->pair, __entry->skb, __entry->len, __entry->headroom,
		  __entry->ip_summed, __entry->gso_size)
);

DEFINE_EVENT(kni_skb, kni_rx_stack,
	TP_PROTO(const struct net_device *dev, u16 pair, const struct sk_buff *skb),
	TP_ARGS(dev, pair, skb)
);

DEFINE_EVENT(kni_skb, kni_tx_stack,
	TP_PROTO(const struct net_device *dev, u16 pair, const struct sk_buff *skb),
	TP_ARGS(dev, pair, skb)
);
/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH datapath
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE kni_trace
#include <trace/define_trace.h>
