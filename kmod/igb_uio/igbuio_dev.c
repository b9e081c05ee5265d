// SPDX-License-Identifier: GPL-2.0
#include "igbuio.h"

DEFINE_MUTEX(igbuio_lock);
static LIST_HEAD(igbuio_devices);
static unsigned long last_serial;

struct igbuio_dev *igbuio_find(unsigned long serial)
{
	struct igbuio_dev *d;

	list_for_each_entry(d, &igbuio_devices, node)
		if (d->serial == serial)
			return d;
	return NULL;
}

void igbuio_publish(struct igbuio_dev *d)
{
	mutex_lock(&igbuio_lock);
	d->serial = ++last_serial;
	list_add(&d->node, &igbuio_devices);
	mutex_unlock(&igbuio_lock);
}
