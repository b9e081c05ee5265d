// SPDX-License-Identifier: BSD-3-Clause
#include "kick.h"

#include "abi/knit_ioctl.h"
#include "rte_kni.h"

#include <sys/ioctl.h>

static struct kick {
	uint64_t id;
	int fd_plus_1; /* 0: none */
} kicks[RTE_KNI_MAX_IFACES][KNIT_MAX_PAIRS];

void knit_kick_set(uint16_t iface, uint16_t pair, uint64_t id, int fd)
{
	struct kick *k = &kicks[iface % RTE_KNI_MAX_IFACES][pair % KNIT_MAX_PAIRS];

	k->id = id;
	__atomic_store_n(&k->fd_plus_1, fd + 1, __ATOMIC_RELEASE);
}

void knit_kick_clear(uint16_t iface, uint16_t pair)
{
	struct kick *k = &kicks[iface % RTE_KNI_MAX_IFACES][pair % KNIT_MAX_PAIRS];

	__atomic_store_n(&k->fd_plus_1, 0, __ATOMIC_RELEASE);
}

bool knit_kick(uint16_t iface, uint16_t pair, uint64_t id)
{
	const struct kick *k = &kicks[iface % RTE_KNI_MAX_IFACES][pair % KNIT_MAX_PAIRS];
	int fd_plus_1 = __atomic_load_n(&k->fd_plus_1, __ATOMIC_ACQUIRE);
	struct knit_ioc_kick arg = { .size = sizeof(arg), .id = id, .pair = pair };

	if (fd_plus_1 == 0 || k->id != id)
		return false;
	return ioctl(fd_plus_1 - 1, KNIT_IOC_KICK, &arg) == 0;
}
