// SPDX-License-Identifier: BSD-3-Clause
#include "handler.h"

#include "abi/knit_shm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RING_SIZE 64
#define PAGE 4096

void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

unsigned int now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void nap(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

bool wait_for(bool (*cond)(const void *arg), const void *arg, unsigned int ms)
{
	unsigned int end = now_ms() + ms;

	while (!cond(arg)) {
		if ((int)(now_ms() - end) > 0)
			return false;
		nap(5);
	}
	return true;
}

static int open_dev(void)
{
	int fd = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(KNIT_DEV_PATH);
	return fd;
}

static void *shared_memory(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	memset(mem, 0, bytes);
	return mem;
}

static size_t shm_bytes(void)
{
	return (knit_shm_bytes(RING_SIZE, 1) + PAGE - 1) & ~(size_t)(PAGE - 1);
}

void iface_open(struct iface *i, const char *name, unsigned int flags)
{
	struct knit_ioc_mem mem = { .size = sizeof(mem), .page_size = PAGE };
	struct knit_ioc_create c = {
		.size = sizeof(c),
		.flags = flags,
		.ring_size = RING_SIZE,
		.n_pairs = 1,
		.netns_fd = -1,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.mtu = 1500,
		.min_mtu = 68,
		.max_mtu = 9000,
	};
	struct knit_shm_hdr *hdr;

	memset(i, 0, sizeof(*i));
	snprintf(i->name, sizeof(i->name), "%s", name);
	snprintf(c.name, sizeof(c.name), "%s", name);
	i->creator = open_dev();
	i->shm = shared_memory(shm_bytes());
	i->plan = shared_memory(PAGE);
	i->request_doorbell = eventfd(0, EFD_NONBLOCK);
	i->packet_doorbell = eventfd(0, EFD_NONBLOCK);
	hdr = i->shm;
	hdr->magic = KNIT_MAGIC;
	hdr->version = KNIT_ABI_VERSION;
	mem.addr = (uintptr_t)i->shm;
	mem.len = shm_bytes();
	if (ioctl(i->creator, KNIT_IOC_MEM_ADD, &mem) < 0)
		die("MEM_ADD");
	c.shm = mem.addr;
	c.request_doorbell_fd = i->request_doorbell;
	c.packet_doorbell_fd = i->packet_doorbell;
	if (ioctl(i->creator, KNIT_IOC_CREATE, &c) < 0)
		die("CREATE");
	i->id = c.id;
}

void iface_release(struct iface *i)
{
	struct knit_ioc_id id = { .size = sizeof(id), .id = i->id };

	if (i->id && ioctl(i->creator, KNIT_IOC_RELEASE, &id) < 0)
		die("RELEASE");
	i->id = 0;
}

void iface_close(struct iface *i)
{
	iface_release(i);
	handler_kill(i);
	close(i->creator);
	close(i->request_doorbell);
	close(i->packet_doorbell);
	munmap(i->shm, shm_bytes());
	munmap(i->plan, PAGE);
}

struct knit_ioc_stats iface_stats(const struct iface *i)
{
	struct knit_ioc_stats s = { .size = sizeof(s), .id = i->id };

	if (ioctl(i->creator, KNIT_IOC_STATS, &s) < 0)
		die("STATS");
	return s;
}

void iface_link(const struct iface *i, bool up, unsigned int speed)
{
	struct knit_ioc_link l = { .size = sizeof(l), .id = i->id, .speed = speed };

	l.flags = KNIT_LINK_FULL_DUPLEX | (up ? KNIT_LINK_UP : 0);
	if (ioctl(i->creator, KNIT_IOC_SET_LINK, &l) < 0)
		die("SET_LINK");
}

struct rings {
	struct knit_ring req_q;	 /* consumer */
	struct knit_ring resp_q; /* producer */
};

static void rings_claim(const struct iface *i, struct rings *r)
{
	char *shm = i->shm;

	knit_ring_bind(&r->req_q, shm + knit_shm_req_off(), KNIT_REQ_RING, sizeof(struct knit_req));
	knit_ring_bind(&r->resp_q, shm + knit_shm_resp_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	if (!knit_ring_claim_consumer(&r->req_q) || !knit_ring_claim_producer(&r->resp_q))
		die("request rings");
}

static const struct knit_iface_state *state_of(const struct iface *i)
{
	return (const void *)((char *)i->shm + knit_shm_state_off());
}

static bool cancelled(const struct iface *i, const struct knit_req *req)
{
	return !i->plan->blind && req->flags & KNIT_REQ_SYNC &&
	       knit_load_acquire(&state_of(i)->cancelled_seq) == req->seq;
}

static void apply(const struct iface *i, const struct knit_req *req)
{
	struct plan *plan = i->plan;
	struct knit_iface_state state;

	plan->port.value[req->kind] = req->value;
	if (req->kind == KNIT_REQ_MAC)
		memcpy(plan->port.mac, req->mac, 6);
	if (req->kind != KNIT_REQ_RXLIST || !knit_iface_state_read(state_of(i), &state))
		return;
	plan->port.n_uc = state.n_uc;
	plan->port.n_mc = state.n_mc;
}

static void tell(const struct plan *plan, const struct knit_req *req)
{
	static const char *const names[KNIT_REQ_COUNT] = {
#define X(id, name, bytes, text) [KNIT_REQ_##id] = #name,
		KNIT_REQ_TABLE(X)
#undef X
	};
	const uint8_t *mac = plan->port.mac;

	if (req->kind == KNIT_REQ_RXLIST)
		printf("rxlist %u %u\n", plan->port.n_uc, plan->port.n_mc);
	else if (req->kind == KNIT_REQ_MAC)
		printf("mac %02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
	else
		printf("%s %u\n", names[req->kind], req->value);
	fflush(stdout);
}

static int carry_out(const struct iface *i, const struct knit_req *req)
{
	struct plan *plan = i->plan;

	if (req->kind == KNIT_REQ_NONE || req->kind >= KNIT_REQ_COUNT)
		return -EINVAL;
	plan->sync += req->flags == KNIT_REQ_SYNC;
	nap(plan->delay_ms);
	if (cancelled(i, req))
		return -ECANCELED;
	if (plan->result[req->kind] == 0)
		apply(i, req);
	if (plan->chatty)
		tell(plan, req);
	__atomic_add_fetch(&plan->seen[req->kind], 1, __ATOMIC_RELEASE);
	return plan->result[req->kind];
}

static void ring(const struct iface *i)
{
	const uint64_t one = 1;

	if (write(i->request_doorbell, &one, sizeof(one)) < 0)
		die("request doorbell");
}

void handler_state(const struct iface *i)
{
	struct rings r;

	rings_claim(i, &r);
	if (knit_ring_reserve(&r.resp_q, 1) == 0)
		die("answer ring is full");
	*(struct knit_req *)knit_ring_entry(&r.resp_q, r.resp_q.prod) =
		(struct knit_req){ .flags = KNIT_REQ_STATE };
	knit_ring_submit(&r.resp_q, 1);
	ring(i);
}

static void answer(const struct iface *i, struct rings *r, const struct knit_req *req, int result)
{
	struct knit_req *to = knit_ring_entry(&r->resp_q, r->resp_q.prod);

	if (knit_ring_reserve(&r->resp_q, 1) == 0)
		return; /* only junk can fill it */
	*to = *req;
	to->result = result;
	knit_ring_submit(&r->resp_q, 1);
	if (!i->plan->mute && knit_ring_data_wanted(&r->resp_q))
		ring(i);
}

/* Five answers that must not be taken for one. */
static void answer_junk(const struct iface *i, struct rings *r, const struct knit_req *req)
{
	struct knit_req junk = *req;

	answer(i, r, req, 1);
	answer(i, r, req, -4000);
	junk.seq += 1000;
	answer(i, r, &junk, 0);
	junk.seq = 0;
	answer(i, r, &junk, 0);
	junk = *req;
	junk.kind = 0x5555;
	answer(i, r, &junk, 0);
}

static bool serve_one(const struct iface *i, struct rings *r)
{
	struct knit_req req;
	int result;

	if (i->plan->silent || knit_ring_peek(&r->req_q, 1) == 0)
		return false;
	knit_req_load(&req, knit_ring_entry(&r->req_q, r->req_q.cons));
	result = carry_out(i, &req);
	if (i->plan->junk)
		answer_junk(i, r, &req);
	answer(i, r, &req, result);
	if (i->plan->junk)
		answer(i, r, &req, result);
	knit_ring_release(&r->req_q, 1);
	return true;
}

bool creator_serve(struct iface *i)
{
	struct rings r;

	rings_claim(i, &r);
	return serve_one(i, &r);
}

static void serve(struct iface *i, int doorbell)
{
	struct pollfd fd = { .fd = doorbell, .events = POLLIN };
	struct rings r;
	uint64_t rung;

	handler_state(i);
	rings_claim(i, &r);
	for (;;) {
		while (serve_one(i, &r))
			;
		if (!i->plan->silent && !knit_ring_arm_data(&r.req_q))
			continue;
		poll(&fd, 1, i->plan->silent ? 50 : -1);
		knit_ring_disarm_data(&r.req_q);
		if (read(doorbell, &rung, sizeof(rung)) < 0 && errno != EAGAIN)
			die("doorbell");
	}
}

static int attach(struct iface *i)
{
	struct knit_ioc_attach a = { .size = sizeof(a), .role = KNIT_ATTACH_HANDLER, .id = i->id };
	int fd = open_dev();

	a.doorbell_fd = eventfd(0, EFD_NONBLOCK);
	i->plan->attached = ioctl(fd, KNIT_IOC_ATTACH, &a) < 0 ? -errno : 1;
	return a.doorbell_fd;
}

void handler_serve(struct iface *i)
{
	int doorbell = attach(i);

	if (i->plan->attached == 1)
		serve(i, doorbell);
}

static bool has_attached(const void *arg)
{
	const struct iface *i = arg;

	return __atomic_load_n(&i->plan->attached, __ATOMIC_ACQUIRE) != 0;
}

void handler_start(struct iface *i)
{
	pid_t parent = getpid();
	int doorbell;

	i->plan->attached = 0;
	fflush(stdout);
	i->handler = fork();
	if (i->handler < 0)
		die("fork");
	if (i->handler == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(i->creator);
		doorbell = attach(i);
		if (i->plan->attached == 1)
			serve(i, doorbell);
		_exit(0);
	}
	if (!wait_for(has_attached, i, 5000))
		die("handler");
}

void handler_attach(struct iface *i)
{
	handler_start(i);
	if (i->plan->attached != 1) {
		errno = -i->plan->attached;
		die("ATTACH");
	}
}

void handler_signal(const struct iface *i, int signal)
{
	if (kill(i->handler, signal) < 0)
		die("kill");
	if (signal == SIGSTOP)
		waitpid(i->handler, NULL, WUNTRACED);
}

void handler_kill(struct iface *i)
{
	if (i->handler == 0)
		return;
	kill(i->handler, SIGKILL);
	waitpid(i->handler, NULL, 0);
	i->handler = 0;
}
