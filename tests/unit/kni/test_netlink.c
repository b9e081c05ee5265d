// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "kni/base/netlink.h"

#include <linux/rtnetlink.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Asks of all links and never fetches the answer, as whoever gives a request up half way. */
static void give_up(const struct knit_nl *nl, uint16_t flags)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
	} req = { .nlh.nlmsg_len = sizeof(req),
		  .nlh.nlmsg_type = RTM_GETLINK,
		  .nlh.nlmsg_flags = NLM_F_REQUEST | flags,
		  .nlh.nlmsg_seq = 12345,
		  .ifi.ifi_index = flags & NLM_F_DUMP ? 0 : 1 };

	ck_assert_int_eq(send(knit_nl_fd(nl), &req, sizeof(req), 0), sizeof(req));
}

START_TEST(goes_on_after_giving_up)
{
	struct knit_nl_link link;
	struct knit_nl nl;
	int i;

	ck_assert_int_eq(knit_nl_open(&nl, false), 0);
	give_up(&nl, 0);
	give_up(&nl, NLM_F_DUMP);
	give_up(&nl, NLM_F_ACK);
	/* an old answer is neither an error nor taken for the new one */
	ck_assert_int_eq(knit_nl_link_get(&nl, 0, "knit-no-such", &link), -ENODEV);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(knit_nl_link_get(&nl, 0, "lo", &link), 0);
		ck_assert_str_eq(link.name, "lo");
		ck_assert_uint_eq(link.ifindex, 1);
	}
	knit_nl_close(&nl);
}
END_TEST

KNIT_SUITE(netlink)
{
	knit_add_test(s, "goes on after giving up", goes_on_after_giving_up, 0);
}
