// SPDX-License-Identifier: BSD-3-Clause
#include "shared/bind_fake.h"
#include "unit.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <net/route.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

static char what[160];
static int fd;

/* So many dumps end as if something had changed meanwhile. */
static int interruptions;

int mnl_cb_run(const void *buf, size_t bytes, unsigned int seq, unsigned int port, mnl_cb_t cb,
	       void *data)
{
	int (*real)(const void *, size_t, unsigned int, unsigned int, mnl_cb_t, void *) =
		dlsym(RTLD_NEXT, "mnl_cb_run");
	int ret = real(buf, bytes, seq, port, cb, data);

	if (interruptions == 0)
		return ret;
	interruptions--;
	errno = EINTR;
	return -1;
}

/* A network namespace whose lo is down, without addresses. */
static void setup(void)
{
	bind_fake_setup();
	if (unshare(CLONE_NEWNET) < 0)
		ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	interruptions = 0;
}

static struct sockaddr address(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr any;

	inet_pton(AF_INET, text, &in.sin_addr);
	memcpy(&any, &in, sizeof(any));
	return any;
}

static void set_lo(unsigned long request, struct ifreq *req)
{
	strcpy(req->ifr_name, "lo");
	ck_assert_int_eq(ioctl(fd, request, req), 0);
}

static void set_up(bool up)
{
	struct ifreq req = { .ifr_flags = up ? IFF_UP : 0 };

	set_lo(SIOCSIFFLAGS, &req);
}

static void set_address(const char *text)
{
	struct ifreq req = { .ifr_addr = address(text) };

	set_lo(SIOCSIFADDR, &req);
}

static void add_route(const char *to)
{
	struct rtentry route = {
		.rt_dst = address(to),
		.rt_genmask = address("255.255.0.0"),
		.rt_flags = RTF_UP,
		.rt_dev = (char *)(uintptr_t) "lo",
	};

	ck_assert_int_eq(ioctl(fd, SIOCADDRT, &route), 0);
}

START_TEST(unused)
{
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), 0);
	ck_assert_str_eq(what, "");
}
END_TEST

/* All of it is told, not what comes first. */
START_TEST(used)
{
	set_address("10.9.9.9");
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), 1);
	ck_assert_str_eq(what, "has the address 10.9.9.9");
	set_up(true);
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), 1);
	ck_assert_ptr_nonnull(strstr(what, "is up, has the address "));
	ck_assert_ptr_null(strstr(what, "route"));
	add_route("10.8.0.0");
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), 1);
	ck_assert_ptr_nonnull(strstr(what, "is up, has the address "));
	ck_assert_ptr_nonnull(strstr(what, ", has a route to 10.8.0.0/16"));
	ck_assert_int_eq(knit_bind_net_used("lo", what, 12), 1);
	ck_assert_str_eq(what, "is up, has ");
}
END_TEST

/* Of one interface, lo, with the scope that goes no further than the next machine. */
static void add_link_address(int family, const char *text, uint8_t prefix)
{
	struct mnl_socket *sock = mnl_socket_open(NETLINK_ROUTE);
	unsigned char bytes[16];
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *ifa;
	ssize_t n;

	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_prefixlen = prefix;
	ifa->ifa_scope = RT_SCOPE_LINK;
	ifa->ifa_index = 1;
	inet_pton(family, text, bytes);
	mnl_attr_put(nlh, IFA_LOCAL, family == AF_INET ? 4 : 16, bytes);
	ck_assert_int_eq(mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID), 0);
	ck_assert_int_gt(mnl_socket_sendto(sock, nlh, nlh->nlmsg_len), 0);
	n = mnl_socket_recvfrom(sock, buf, sizeof(buf));
	ck_assert_int_eq(mnl_cb_run(buf, n, 0, 0, NULL, NULL), MNL_CB_STOP);
	mnl_socket_close(sock);
}

/* IPv6's come by themselves; one of IPv4 somebody gave it. */
START_TEST(link_scope)
{
	add_link_address(AF_INET6, "fe80::1", 64);
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), 0);
	add_link_address(AF_INET, "169.254.7.7", 16);
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), 1);
	ck_assert_str_eq(what, "has the address 169.254.7.7");
}
END_TEST

/* sysfs is another network namespace's: a name, and a number, may be the same by chance. */
START_TEST(another_one)
{
	ck_assert_int_eq(knit_bind_net_used("eno1", what, sizeof(what)), -ENODEV);
	bind_fake_file("sys/class/net/lo/ifindex", "2\n");
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), -ENODEV);
	bind_fake_file("sys/class/net/lo/ifindex", "1\n");
	bind_fake_file("sys/class/net/lo/address", "00:00:00:00:00:01\n");
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), -ENODEV);
	bind_fake_file("sys/class/net/lo/ifindex", NULL);
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), -ENODEV);
}
END_TEST

/* Interrupted now and then it finds out, and says nothing twice; for ever, it is an error. */
START_TEST(interrupted)
{
	set_address("10.9.9.9");
	interruptions = 5;
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), 1);
	ck_assert_str_eq(what, "has the address 10.9.9.9");
	interruptions = 1000;
	ck_assert_int_eq(knit_bind_net_used("lo", what, sizeof(what)), -EINTR);
	ck_assert_int_gt(interruptions, 900);
}
END_TEST

START_TEST(no_descriptors)
{
	struct rlimit had, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &had), 0);
	none = had;
	none.rlim_cur = 3;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_lt(knit_bind_net_used("lo", what, sizeof(what)), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &had), 0);
}
END_TEST

KNIT_SUITE(bind_net)
{
	TCase *tc = tcase_create("use");

	tcase_add_checked_fixture(tc, setup, bind_fake_teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, unused);
	tcase_add_test(tc, used);
	tcase_add_test(tc, link_scope);
	tcase_add_test(tc, another_one);
	tcase_add_test(tc, interrupted);
	tcase_add_test(tc, no_descriptors);
	suite_add_tcase(s, tc);
}
