// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/owner.h"
#include "rundir.h"
#include "rundir_options.h"
#include "rundir_paths.h"
#include "system/process/eal_paths.h"
#include "system/process/lockfile.h"

#include <rte_eal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A port's queues are replaced within seconds; several ports one after the other. */
#define ATTACH_WAIT_MS 10000
/* A standby that took over keeps its lock until its predecessor is gone. */
#define STANDBY_WAIT_MS 2000

static int role_lock = -1;
static int attach_lock = -1;

static enum knit_exit no_primary(const char *prefix)
{
	fprintf(stderr,
		"knit: no primary with prefix \"%s\" is running (start knit-primary first)\n",
		prefix);
	return KNIT_EXIT_NO_PRIMARY;
}

static bool primary_runs(const char *prefix, const struct knit_args *args)
{
	char dir[256], path[272];

	knit_eal_runtime_dir(prefix, dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/config", dir);
	return knit_process_start_time(args->primary) == args->primary_start &&
	       rte_eal_primary_proc_alive(path);
}

static enum knit_exit no_args(const char *prefix, enum knit_role role, uint32_t id, int err)
{
	struct knit_path path = knit_path_role(prefix, role, id, "args");
	struct knit_path control = knit_path_role(prefix, KNIT_ROLE_CONTROL, 0, "args");
	struct knit_path lock = knit_path_file(prefix, "primary.lock");

	if (err != ENOENT && err != ENOTDIR) {
		fprintf(stderr, "knit: open %s: %s%s\n", path.text, strerror(err),
			err == EACCES ? " (root, or a member of the primary's --group, is expected)"
				      : "");
		return KNIT_EXIT_RESOURCES;
	}
	if (access(lock.text, F_OK) < 0)
		return no_primary(prefix);
	if (role == KNIT_ROLE_CONTROL || access(control.text, F_OK) < 0) {
		fprintf(stderr, "knit: the primary with prefix \"%s\" is not ready, or gone\n",
			prefix);
		return KNIT_EXIT_NO_PRIMARY;
	}
	fprintf(stderr,
		"knit: worker %u: the primary with prefix \"%s\" has no such worker in its "
		"configuration\n",
		id, prefix);
	return KNIT_EXIT_USAGE;
}

static enum knit_exit read_args(const char *prefix, enum knit_role role, uint32_t id,
				struct knit_args *args)
{
	struct knit_path path = knit_path_role(prefix, role, id, "args");
	enum knit_exit ret;
	FILE *in;

	memset(args, 0, sizeof(*args));
	knit_args_add(args, knit_role_program(role));
	in = fopen(path.text, "re");
	if (in == NULL)
		return no_args(prefix, role, id, errno);
	ret = knit_args_parse(args, in, path.text, stderr);
	fclose(in);
	/* EAL of another user or environment would look elsewhere. 20.11's knows XDG's. */
	if (args->runtime[0]) {
		setenv("RUNTIME_DIRECTORY", args->runtime, 1);
		setenv("XDG_RUNTIME_DIR", args->runtime, 1);
	}
	if (ret != KNIT_EXIT_FAILURE && !primary_runs(prefix, args))
		return no_primary(prefix);
	return ret;
}

/* Leaves the trace of a predecessor that died inside EAL, see knit_rundir_died_attaching. */
static enum knit_exit refuse_after(const char *name, pid_t pid)
{
	fprintf(stderr,
		"knit: %s: process %d died while it attached or detached and may have left locks "
		"behind: the primary must be restarted\n",
		name, (int)pid);
	close(role_lock);
	role_lock = -1;
	return KNIT_EXIT_NO_PRIMARY;
}

static enum knit_exit lock_role(const char *prefix, enum knit_role role, uint32_t id)
{
	struct knit_path path = knit_path_role(prefix, role, id, "lock");
	struct knit_role_name name = knit_role_name(role, id);
	enum knit_lock_state state;
	pid_t pid;

	role_lock = knit_lock_open(path.text);
	if (role_lock < 0) {
		fprintf(stderr, "knit: open %s: %s\n", path.text, strerror(-role_lock));
		return KNIT_EXIT_RESOURCES;
	}
	if (knit_lock_wait(role_lock, F_WRLCK, role == KNIT_ROLE_STANDBY ? STANDBY_WAIT_MS : 0) <
	    0) {
		knit_lock_read(role_lock, &pid);
		fprintf(stderr, "knit: %s is running already: process %d\n", name.text, (int)pid);
		close(role_lock);
		role_lock = -1;
		return KNIT_EXIT_TAKEN;
	}
	state = knit_lock_read(role_lock, &pid);
	if (state == KNIT_LOCK_ATTACHING || state == KNIT_LOCK_DETACHING)
		return refuse_after(name.text, pid);
	knit_lock_write(role_lock, KNIT_LOCK_WAITING);
	return KNIT_EXIT_OK;
}

/*
 * Through the gate, which the primary shuts when it wants the attach lock: else it might
 * never get it.
 */
static enum knit_exit lock_attach(const char *prefix)
{
	struct knit_path at = knit_path_file(prefix, KNIT_FILE_GATE);
	struct knit_path path = knit_path_file(prefix, KNIT_FILE_ATTACH);
	int gate, ret;

	ret = gate = knit_lock_open(at.text);
	if (gate >= 0)
		ret = knit_lock_wait(gate, F_RDLCK, ATTACH_WAIT_MS);
	if (ret == 0)
		ret = attach_lock = knit_lock_open(path.text);
	if (attach_lock >= 0)
		ret = knit_lock_wait(attach_lock, F_RDLCK, ATTACH_WAIT_MS);
	if (gate >= 0)
		close(gate);
	if (ret == 0)
		return KNIT_EXIT_OK;
	if (ret == -EAGAIN)
		fprintf(stderr, "knit: the primary has been replacing its ports for %d ms\n",
			ATTACH_WAIT_MS);
	else
		fprintf(stderr, "knit: %s: %s\n", path.text, strerror(-ret));
	return KNIT_EXIT_FAILURE;
}

int knit_rundir_enter(const char *prefix, enum knit_role role, uint32_t id, struct knit_args *args)
{
	enum knit_exit ret;

	ret = read_args(prefix, role, id, args);
	if (ret == KNIT_EXIT_OK)
		ret = lock_role(prefix, role, id);
	if (ret == KNIT_EXIT_OK)
		ret = lock_attach(prefix);
	if (ret == KNIT_EXIT_OK && !primary_runs(prefix, args))
		ret = no_primary(prefix);
	if (ret == KNIT_EXIT_OK)
		knit_lock_write(role_lock, KNIT_LOCK_ATTACHING);
	else
		knit_rundir_leave();
	return ret;
}

enum knit_role knit_rundir_vacancy(const char *prefix, uint32_t id)
{
	struct knit_path path = knit_path_role(prefix, KNIT_ROLE_WORKER, id, "lock");
	int fd = open(path.text, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool held;

	if (fd < 0)
		return KNIT_ROLE_WORKER;
	held = knit_lock_held(fd);
	close(fd);
	return held ? KNIT_ROLE_STANDBY : KNIT_ROLE_WORKER;
}

bool knit_rundir_promote(const char *prefix, uint32_t id)
{
	struct knit_path path = knit_path_role(prefix, KNIT_ROLE_WORKER, id, "lock");
	int fd = knit_lock_open(path.text);

	if (fd < 0)
		return false;
	if (knit_lock_try(fd, F_WRLCK) < 0) {
		close(fd);
		return false;
	}
	knit_lock_write(fd, KNIT_LOCK_ATTACHED);
	if (role_lock >= 0) {
		knit_lock_write(role_lock, KNIT_LOCK_DETACHED);
		close(role_lock);
	}
	role_lock = fd;
	return true;
}

static void unlock_attach(void)
{
	if (attach_lock >= 0)
		close(attach_lock);
	attach_lock = -1;
}

void knit_rundir_attached(void)
{
	unlock_attach();
	knit_lock_write(role_lock, KNIT_LOCK_ATTACHED);
}

void knit_rundir_detaching(void)
{
	knit_lock_write(role_lock, KNIT_LOCK_DETACHING);
}

void knit_rundir_leave(void)
{
	unlock_attach();
	if (role_lock < 0)
		return;
	knit_lock_write(role_lock, KNIT_LOCK_DETACHED);
	close(role_lock);
	role_lock = -1;
}
