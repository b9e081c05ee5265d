// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "abi/knit_ioctl.h"
#include "kni/base/kick.h"
#include "kni/datapath/datapath.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bursts enter the module where this process may, else they ring. */
#define IFACE 3
#define ID 77
#define FILE_OF_PAIR 12345 /* of no file */

static struct {
	unsigned int calls;
	int fd, error;
	struct knit_ioc_kick arg;
} module;

/* The module is here; all else is the kernel's. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request != KNIT_IOC_KICK)
		return syscall(SYS_ioctl, fd, request, arg);
	module.calls++;
	module.fd = fd;
	module.arg = *(struct knit_ioc_kick *)arg;
	errno = module.error;
	return module.error ? -1 : 0;
}

static struct rte_kni *kni;

static uint64_t rings(void)
{
	eventfd_t n;

	return eventfd_read(knit_doorbell_open(kni->pair[1].engine_doorbell), &n) < 0 ? 0 : n;
}

static void setup(void)
{
	int64_t doorbell;

	memset(&module, 0, sizeof(module));
	ck_assert_int_eq(knit_doorbell_init(), 0);
	doorbell = knit_doorbell_new();
	ck_assert_int_ge(doorbell, 0);
	kni = calloc(1, sizeof(*kni));
	kni->index = IFACE;
	kni->kmod_id = ID;
	kni->pair[0].engine_doorbell = doorbell;
	kni->pair[1].engine_doorbell = doorbell;
}

static void teardown(void)
{
	knit_kick_clear(IFACE, 1);
	knit_doorbell_free(kni->pair[1].engine_doorbell);
	free(kni);
}

START_TEST(kicks)
{
	knit_kick_set(IFACE, 1, ID, FILE_OF_PAIR);
	knit_wake(kni, 1);
	ck_assert_uint_eq(module.calls, 1);
	ck_assert_int_eq(module.fd, FILE_OF_PAIR);
	ck_assert_uint_eq(module.arg.size, sizeof(module.arg));
	ck_assert_uint_eq(module.arg.id, ID);
	ck_assert_uint_eq(module.arg.pair, 1);
	ck_assert_uint_eq(module.arg.flags, 0);
	ck_assert_uint_eq(module.arg.reserved, 0);
	ck_assert_uint_eq(rings(), 0);
}
END_TEST

START_TEST(rings_instead)
{
	knit_wake(kni, 1); /* nothing was set */
	ck_assert_uint_eq(rings(), 1);
	knit_kick_set(IFACE, 1, ID, FILE_OF_PAIR);
	knit_wake(kni, 0); /* another pair */
	ck_assert_uint_eq(rings(), 1);
	kni->kmod_id = ID + 1; /* a later interface in the same place */
	knit_wake(kni, 1);
	ck_assert_uint_eq(rings(), 1);
	kni->kmod_id = ID;
	knit_kick_clear(IFACE, 1);
	knit_wake(kni, 1);
	ck_assert_uint_eq(rings(), 1);
	ck_assert_uint_eq(module.calls, 0);
}
END_TEST

/* The pair was taken away: what it is rung for is for its next owner. */
START_TEST(refused)
{
	knit_kick_set(IFACE, 1, ID, FILE_OF_PAIR);
	module.error = EPERM;
	knit_wake(kni, 1);
	ck_assert_uint_eq(module.calls, 1);
	ck_assert_uint_eq(rings(), 1);
}
END_TEST

KNIT_SUITE_EAL(kick, knit_eal_small_pages)
{
	TCase *c = tcase_create("kick");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, kicks);
	tcase_add_test(c, rings_instead);
	tcase_add_test(c, refused);
	suite_add_tcase(s, c);
}
