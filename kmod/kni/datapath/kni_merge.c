// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/if_vlan.h>
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/net_namespace.h>
#include <net/raw.h>
#include <net/rawv6.h>

static bool dev_forwards(const struct net_device *dev)
{
	struct in_device *in;
	bool does;

	rcu_read_lock();
	in = __in_dev_get_rcu(dev);
	does = in && (IN_DEV_FORWARD(in) || IN_DEV_BFORWARD(in));
#if IS_ENABLED(CONFIG_IPV6)
	/* that of all interfaces is what counts; a device may forward by itself, too */
	if (__in6_dev_get(dev)) {
		does |= READ_ONCE(__in6_dev_get(dev)->cnf.forwarding);
		does |= READ_ONCE(dev_net(dev)->ipv6.devconf_all->forwarding);
#ifdef KNI_HAS_FORCE_FORWARDING
		does |= READ_ONCE(__in6_dev_get(dev)->cnf.force_forwarding);
#endif
	}
#endif
	rcu_read_unlock();
	return does;
}

/*
 * A row is for sockets: the stack cuts it in front of them. Cut on its way out, by a tunnel, its
 * members want room for headers that the kernel does not look for. So there must be no way out: no
 * interface on top, no XDP, no forwarding, nor an owner of the namespace who may set them up at the
 * very moment. The stack switches LRO off for some of these, but anybody may switch it on again.
 */
bool kni_merge_may(const struct net_device *dev)
{
	return !rcu_access_pointer(dev->rx_handler) && !rcu_access_pointer(dev->xdp_prog) &&
	       list_empty(&dev->adj_list.upper) && dev_net(dev)->user_ns == &init_user_ns &&
	       !dev_forwards(dev);
}

/* Does netfilter see what comes in? It counts, limits and clones packets. */
static bool is_filtered(const struct net *net)
{
	bool is = false;

#ifdef CONFIG_NETFILTER
	is |= rcu_access_pointer(net->nf.hooks_ipv4[NF_INET_PRE_ROUTING]) != NULL;
	is |= rcu_access_pointer(net->nf.hooks_ipv4[NF_INET_LOCAL_IN]) != NULL;
	is |= rcu_access_pointer(net->nf.hooks_ipv6[NF_INET_PRE_ROUTING]) != NULL;
	is |= rcu_access_pointer(net->nf.hooks_ipv6[NF_INET_LOCAL_IN]) != NULL;
#endif
	return is;
}

/* A raw socket gets packets before they are cut for others. */
static bool has_udp(const struct raw_hashinfo *all, const struct net *net)
{
#ifdef RAW_HTABLE_LOG /* older kernels, which have another table, don't merge */
	struct sock *sk;

	sk_for_each_rcu(sk, &all->ht[raw_hashfunc(net, IPPROTO_UDP)])
		if (net_eq(sock_net(sk), net) && inet_sk(sk)->inet_num == IPPROTO_UDP)
			return true;
#endif
	return false;
}

static bool is_read_raw(const struct net *net)
{
	bool is = has_udp(&raw_v4_hashinfo, net);

#if IS_ENABLED(CONFIG_IPV6)
	is |= has_udp(&raw_v6_hashinfo, net);
#endif
	return is;
}

/* Nobody but a socket is to see a row: what he sees did not arrive. */
static bool is_watched(const struct net_device *dev)
{
	const struct net *net = dev_net(dev);

	return kni_has_ingress(dev) || is_filtered(net) || is_read_raw(net) ||
	       !hlist_empty(&net->packet.sklist) || !list_empty(&dev->ptype_all) ||
	       !list_empty(&dev->ptype_specific);
}

void kni_merge_begin(struct kni_pair *p)
{
	const struct net_device *dev = p->iface->dev;

	BUILD_BUG_ON(KNI_BATCH > 64); /* the stack's limit for segments */
	p->merge.on = dev->features & KNI_F_MERGE && kni_merge_may(dev) && !is_watched(dev);
	p->merge.open = 0;
}

/* Headers as for one datagram that is to be cut again. */
static void row_close(struct kni_merge *m, u32 i)
{
	u32 len = m->row[i].payload + sizeof(struct udphdr);
	struct sk_buff *skb = m->first[i];
	struct skb_shared_info *info = skb_shinfo(skb);

	m->open &= ~BIT(i);
	if (m->row[i].n == 1)
		return;
	if (m->row[i].first.ip4) {
		struct iphdr *ip = (struct iphdr *)skb->data;

		ip->tot_len = htons(len + sizeof(*ip));
		ip->check = 0;
		ip->check = ip_fast_csum(ip, ip->ihl);
	} else {
		((struct ipv6hdr *)skb->data)->payload_len = htons(len);
	}
	udp_hdr(skb)->len = htons(len);
	info->gso_type = SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST;
	info->gso_size = m->row[i].first.payload;
	info->gso_segs = m->row[i].n;
}

static void rows_close(struct kni_merge *m)
{
	unsigned long open = m->open;
	unsigned int i;

	for_each_set_bit(i, &open, KNI_ROWS) row_close(m, i);
}

void kni_merge_end(struct kni_pair *p)
{
	if (p->merge.open)
		rows_close(&p->merge);
}

static bool same_tag(const struct sk_buff *a, const struct sk_buff *b)
{
	return skb_vlan_tag_present(a) == skb_vlan_tag_present(b) &&
	       (!skb_vlan_tag_present(a) || skb_vlan_tag_get(a) == skb_vlan_tag_get(b));
}

static void set_headers(struct sk_buff *skb, const struct kni_flow *flow)
{
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, flow->hdr_len - ETH_HLEN - sizeof(struct udphdr));
	__skb_trim(skb, flow->hdr_len - ETH_HLEN + flow->payload);
}

/* Each keeps its own truesize, and is charged it at its socket. */
static void row_append(struct kni_merge *m, u32 i, struct sk_buff *skb, const struct kni_flow *flow)
{
	struct sk_buff *first = m->first[i];

	set_headers(skb, flow);
	__skb_pull(skb, flow->hdr_len - ETH_HLEN);
	if (m->last[i] == first)
		skb_shinfo(first)->frag_list = skb;
	else
		m->last[i]->next = skb;
	m->last[i] = skb;
	first->len += skb->len;
	first->data_len += skb->len;
}

static enum kni_flow_kind flow_parse(const struct sk_buff *skb, struct kni_flow *flow)
{
	enum kni_flow_kind kind;

	kind = kni_flow_parse(flow, skb_mac_header(skb), skb_headlen(skb) + ETH_HLEN);
	if (kind == KNI_FLOW_DATAGRAM &&
	    (skb_is_nonlinear(skb) || skb_is_gso(skb) || skb->ip_summed != CHECKSUM_UNNECESSARY))
		return KNI_FLOW_UNKNOWN;
	return kind;
}

bool kni_merge(struct kni_pair *p, struct sk_buff *skb)
{
	struct kni_merge *m = &p->merge;
	enum kni_flow_kind kind;
	struct kni_flow flow;
	u32 i;

	if (!m->on)
		return false;
	kind = flow_parse(skb, &flow);
	if (kind == KNI_FLOW_UNKNOWN)
		rows_close(m);
	if (kind != KNI_FLOW_DATAGRAM)
		return false;
	i = flow.hash / (U32_MAX / KNI_ROWS + 1);
	if (m->open & BIT(i)) {
		if (same_tag(m->first[i], skb) && kni_row_add(&m->row[i], &flow)) {
			row_append(m, i, skb, &flow);
			return true;
		}
		row_close(m, i);
	}
	set_headers(skb, &flow);
	kni_row_start(&m->row[i], &flow);
	m->first[i] = skb;
	m->last[i] = skb;
	m->open |= BIT(i);
	return false;
}
