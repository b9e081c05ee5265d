// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>

/* By eventfd, with its lock held and interrupts off. */
static int on_event(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct kni_doorbell *b = container_of(wait, struct kni_doorbell, wait);

	if (key_to_poll(key) & EPOLLIN)
		b->rung(b);
	return 0;
}

static void on_poll(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct kni_doorbell *b = container_of(table, struct kni_doorbell, table);

	b->head = head;
	add_wait_queue(head, &b->wait);
}

/*
 * Nobody reads the eventfd: every write wakes, whatever its count. The reference to the file keeps
 * the wait queue.
 */
int kni_doorbell_listen(struct kni_doorbell *b, int fd, void (*rung)(struct kni_doorbell *doorbell))
{
	struct file *file = eventfd_fget(fd);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->rung = rung;
	b->head = NULL;
	init_waitqueue_func_entry(&b->wait, on_event);
	init_poll_funcptr(&b->table, on_poll);
	b->file = file;
	if (vfs_poll(file, &b->table) & EPOLLIN)
		rung(b);
	return 0;
}

void kni_doorbell_close(struct kni_doorbell *b)
{
	if (!b->file)
		return;
	if (b->head)
		remove_wait_queue(b->head, &b->wait);
	fput(b->file);
	b->file = NULL;
}

void kni_doorbell_ring(struct eventfd_ctx *ctx)
{
	if (ctx)
		kni_eventfd_signal(ctx);
}
