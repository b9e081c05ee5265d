// SPDX-License-Identifier: BSD-3-Clause
#include "requests.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Requests of the module, in a virtual machine: prints `ok NAME` or `not ok NAME`, and before the
 * latter what was expected. Root and /dev/kni are needed.
 *
 * usage: knit-requests [TEST...]        all, or those
 *        knit-requests --serve NAME [async]  an interface and its handler, until killed
 */
static const struct test {
	const char *name;
	void (*run)(struct iface *i);
	unsigned int flags; /* KNIT_CREATE_* of the interface */
} tests[] = {
#define X(name, flags) { #name, test_##name, flags },
	TESTS(X)
#undef X
};

static unsigned int failures;

void expect(bool good, const char *what, int line)
{
	if (good)
		return;
	printf("# line %d: %s\n", line, what);
	failures++;
}

static int request(unsigned long number, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = ioctl(fd, number, ifr) < 0 ? -errno : 0;

	close(fd);
	return ret;
}

static struct ifreq named(const char *name)
{
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return ifr;
}

int set_mtu(const char *name, int mtu)
{
	struct ifreq ifr = named(name);

	ifr.ifr_mtu = mtu;
	return request(SIOCSIFMTU, &ifr);
}

int get_mtu(const char *name)
{
	struct ifreq ifr = named(name);

	return request(SIOCGIFMTU, &ifr) ? -1 : ifr.ifr_mtu;
}

int set_mac(const char *name, int last)
{
	struct ifreq ifr = named(name);

	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	ifr.ifr_hwaddr.sa_data[0] = 2;
	ifr.ifr_hwaddr.sa_data[5] = last;
	return request(SIOCSIFHWADDR, &ifr);
}

int get_mac(const char *name)
{
	struct ifreq ifr = named(name);

	return request(SIOCGIFHWADDR, &ifr) ? -1 : ifr.ifr_hwaddr.sa_data[5];
}

int get_flags(const char *name)
{
	struct ifreq ifr = named(name);

	return request(SIOCGIFFLAGS, &ifr) ? -1 : ifr.ifr_flags;
}

int set_flag(const char *name, int flag, bool on)
{
	struct ifreq ifr = named(name);

	ifr.ifr_flags = (get_flags(name) & ~flag) | (on ? flag : 0);
	return request(SIOCSIFFLAGS, &ifr);
}

int set_up(const char *name, int up)
{
	return set_flag(name, IFF_UP, up);
}

int multicast(const char *name, int number, bool add)
{
	struct ifreq ifr = named(name);

	ifr.ifr_hwaddr.sa_data[0] = 1;
	ifr.ifr_hwaddr.sa_data[3] = 0x77;
	ifr.ifr_hwaddr.sa_data[4] = number >> 8;
	ifr.ifr_hwaddr.sa_data[5] = number;
	return request(add ? SIOCADDMULTI : SIOCDELMULTI, &ifr);
}

/* What has nothing to do with the interface, but takes the same lock. */
int unrelated(const char *name, int length)
{
	struct ifreq ifr = named("lo");

	ifr.ifr_qlen = length;
	return request(SIOCSIFTXQLEN, &ifr);
}

struct op op_start(const struct iface *i, int (*call)(const char *name, int value), int value)
{
	struct op op = { .start = now_ms() };

	fflush(stdout);
	op.pid = fork();
	if (op.pid < 0)
		die("fork");
	if (op.pid == 0) {
		close(i->creator);
		_exit(-call(i->name, value));
	}
	return op;
}

int op_end(struct op *op)
{
	int status;

	waitpid(op->pid, &status, 0);
	op->ms = now_ms() - op->start;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -1000;
}

int timed(const struct iface *i, int (*call)(const char *name, int value), int value,
	  unsigned int *ms)
{
	struct op op = op_start(i, call, value);
	int ret = op_end(&op);

	*ms = op.ms;
	return ret;
}

struct nth {
	const struct iface *i;
	uint64_t n;
};

static bool has_nth_sync(const void *arg)
{
	const struct nth *nth = arg;

	return iface_stats(nth->i).req_sync >= nth->n;
}

void wait_for_sync(const struct iface *i, uint64_t n)
{
	struct nth nth = { i, n };

	expect(wait_for(has_nth_sync, &nth, 5000), "a synchronous request", __LINE__);
}

static bool is_settled(const void *arg)
{
	const struct iface *i = arg;
	struct knit_ioc_stats s = iface_stats(i);

	return s.req_async + s.req_sync ==
	       s.req_answered + s.req_timeout + s.req_killed + s.req_detached + s.req_cancelled;
}

/* No request is on its way, and port and interface have the same. */
static bool agrees(const void *arg)
{
	const struct iface *i = arg;
	const struct plan *plan = i->plan;

	return is_settled(i) && plan->port.value[KNIT_REQ_MTU] == (uint32_t)get_mtu(i->name) &&
	       plan->port.mac[5] == get_mac(i->name) &&
	       plan->port.value[KNIT_REQ_LINK] == (get_flags(i->name) & IFF_UP);
}

bool agree(const struct iface *i)
{
	return wait_for(agrees, i, 8000);
}

bool settle(const struct iface *i)
{
	return wait_for(is_settled, i, 8000);
}

bool has_carrier(const void *arg)
{
	return get_flags(((const struct iface *)arg)->name) & IFF_RUNNING;
}

bool has_none(const void *arg)
{
	return !has_carrier(arg);
}

static void run(const struct test *test)
{
	unsigned int before = failures, start;
	struct iface i;

	iface_open(&i, "kreq0", test->flags);
	test->run(&i);
	start = now_ms();
	iface_release(&i);
	EXPECT(now_ms() - start < SOON_MS); /* whatever the handler does */
	iface_close(&i);
	printf("%s %s\n", failures == before ? "ok" : "not ok", test->name);
}

static int serve(const char *name, const char *mode)
{
	struct iface i;

	iface_open(&i, name, mode ? KNIT_CREATE_ASYNC : 0);
	i.plan->chatty = true;
	iface_link(&i, true, 10000);
	handler_serve(&i);
	return EXIT_FAILURE; /* it returns only if it can't */
}

static bool wanted(const struct test *test, char **names)
{
	if (*names == NULL)
		return true;
	for (; *names; names++)
		if (strcmp(*names, test->name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	size_t k;

	if (argc > 2 && strcmp(argv[1], "--serve") == 0)
		return serve(argv[2], argv[3]);
	for (k = 0; k < sizeof(tests) / sizeof(tests[0]); k++)
		if (wanted(&tests[k], argv + 1))
			run(&tests[k]);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
